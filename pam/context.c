/*
 * Context: one call of the module, from its arguments to its answer.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <syslog.h>

#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include "pam/caller.h"
#include "pam/context.h"
#include "policy/backend/registry.h"
#include "policy/config/config.h"

/* A configuration error is logged once for each handle. */
#define LOGGED_DATA    "selfreset_logged"
#define OLD_STATE_DATA "selfreset_old_state"

/* The connections of backends, and the configuration that was read last. */
#define CONNECTIONS_DATA "selfreset_connections"
#define CONFIG_DATA      "selfreset_config"

bool
sr_context_is_silent(const struct sr_pam_context *ctx)
{
    return (ctx->flags & PAM_SILENT) != 0 &&
           (ctx->flags & (PAM_PRELIM_CHECK | PAM_UPDATE_AUTHTOK)) == 0;
}

int
sr_context_converse(struct sr_pam_context *ctx, int style, char **answer,
                    const char *text)
{
    const locale_t own = uselocale(ctx->language.application);
    const int code = pam_prompt(ctx->pamh, style, answer, "%s", text);

    uselocale(own);
    return code;
}

void
sr_context_show(struct sr_pam_context *ctx)
{
    if (ctx->text != NULL && !sr_context_is_silent(ctx))
        sr_context_converse(ctx, ctx->text_style, NULL, ctx->text);
    free(ctx->text);
    ctx->text = NULL;
}

void
sr_context_tell(struct sr_pam_context *ctx, int style, char *text)
{
    char *both = NULL;

    if (text != NULL && ctx->text != NULL &&
        asprintf(&both, "%s\n%s", ctx->text, text) >= 0) {
        free(ctx->text);
        free(text);
        ctx->text = both;
        if (style == PAM_ERROR_MSG)
            ctx->text_style = style;
    } else if (text != NULL) {
        sr_context_show(ctx); /* out of memory: one after the other */
        ctx->text = text;
        ctx->text_style = style;
    }
}

void
sr_context_tell_text(struct sr_pam_context *ctx, int style, enum sr_text text)
{
    const struct sr_message_context say = sr_transaction_message(&ctx->txn);

    sr_context_tell(ctx, style, sr_message_text(text, &say));
}

bool
sr_context_knows(const struct sr_pam_context *ctx)
{
    return sr_transaction_is_ours(&ctx->txn);
}

void
sr_context_event(struct sr_pam_context *ctx, enum sr_event_id id,
                 const char *result, const char *cause, int pam_code)
{
    sr_transaction_event(&ctx->txn, id, result, cause, pam_code);
}

bool
sr_context_spares_root(const struct sr_pam_context *ctx)
{
    struct sr_nss_account named = {SR_UNKNOWN, "", (uid_t)-1};

    if (ctx->call != SR_PAM_ACCOUNT || ctx->user == NULL || geteuid() != 0)
        return false;
    sr_nss_account_find(ctx->user, &named);
    return named.exists == SR_YES && named.uid == 0;
}

int
sr_context_unknown_code(struct sr_pam_context *ctx, int unavailable)
{
    enum sr_text text;

    switch (ctx->txn.ask) {
    case SR_STATUS_OK:
        return PAM_SUCCESS;
    case SR_STATUS_UNKNOWN_NAME:
        return PAM_USER_UNKNOWN;
    case SR_STATUS_NO_MEMORY:
        return PAM_BUF_ERR;
    case SR_STATUS_UNAVAILABLE:
    case SR_STATUS_AMBIGUOUS:
        break;
    }
    text = sr_transaction_outage(&ctx->txn);
    if (sr_context_spares_root(ctx)) {
        text = SR_TEXT_SPARE_ROOT;
        unavailable = PAM_SUCCESS;
    }
    sr_context_event(ctx,
                     ctx->txn.ask == SR_STATUS_AMBIGUOUS
                         ? SR_EVENT_AMBIGUOUS
                         : sr_transaction_outage_event(&ctx->txn),
                     "failed", ctx->txn.reason, unavailable);
    sr_context_tell_text(ctx, PAM_ERROR_MSG, text);
    return unavailable;
}

int
sr_context_refresh(struct sr_pam_context *ctx, int unavailable)
{
    if (!sr_context_knows(ctx) || sr_transaction_is_fresh(&ctx->txn))
        return PAM_SUCCESS;
    switch (sr_transaction_refresh(&ctx->txn)) {
    case SR_STATUS_OK:
    case SR_STATUS_UNKNOWN_NAME:
        return PAM_SUCCESS;
    default:
        return sr_context_unknown_code(ctx, unavailable);
    }
}

/* Log that an older version's state is not in use, once for each handle. */
static void
log_old_state(struct sr_pam_context *ctx)
{
    const void *logged = NULL;

    if (pam_get_data(ctx->pamh, OLD_STATE_DATA, &logged) == PAM_SUCCESS)
        return;
    sr_context_event(ctx, SR_EVENT_OLD_STATE, "ok", NULL, -1);
    pam_set_data(ctx->pamh, OLD_STATE_DATA, NULL, NULL);
}

int
sr_context_recall(struct sr_pam_context *ctx, bool with_source, int unavailable)
{
    const enum sr_store_result result = sr_transaction_recall(
        &ctx->txn, NULL, with_source ? &ctx->txn.context.source : NULL);

    if (ctx->txn.damage[0] != '\0')
        sr_context_event(ctx, SR_EVENT_STATE, "failed", ctx->txn.damage, -1);
    if (ctx->txn.has_old_state)
        log_old_state(ctx);
    if (result == SR_STORE_OK)
        return PAM_SUCCESS;
    sr_context_event(ctx, SR_EVENT_STATE, "failed", sr_store_strerror(result),
                     unavailable);
    sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_NOT_READ);
    return unavailable;
}

int
sr_answer_code(enum sr_answer answer)
{
    static const int code[] = {
        [SR_ANSWER_OK] = PAM_SUCCESS,
        [SR_ANSWER_CHANGE_NOW] = PAM_NEW_AUTHTOK_REQD,
        [SR_ANSWER_ACCOUNT_EXPIRED] = PAM_ACCT_EXPIRED,
        [SR_ANSWER_WRONG] = PAM_AUTH_ERR,
        [SR_ANSWER_DENIED] = PAM_PERM_DENIED,
        [SR_ANSWER_TOKEN_EXPIRED] = PAM_AUTHTOK_EXPIRED,
        [SR_ANSWER_UNAVAILABLE] = PAM_AUTHINFO_UNAVAIL,
        [SR_ANSWER_TRY_AGAIN] = PAM_TRY_AGAIN,
        [SR_ANSWER_NOT_CHANGED] = PAM_AUTHTOK_ERR,
    };

    return code[answer];
}

/* Log what is wrong with the configuration, once for each handle. */
static void
log_config(struct sr_pam_context *ctx, const struct sr_config_errors *errors)
{
    const void *logged = NULL;

    if (pam_get_data(ctx->pamh, LOGGED_DATA, &logged) == PAM_SUCCESS)
        return;
    for (size_t i = 0; i < errors->count; i++)
        sr_context_event(ctx, SR_EVENT_CONFIG, "failed", errors->item[i],
                         PAM_SERVICE_ERR);
    pam_set_data(ctx->pamh, LOGGED_DATA, NULL, NULL);
}

static int
refuse_config(struct sr_pam_context *ctx)
{
    sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_BAD_CONFIG);
    return PAM_SERVICE_ERR;
}

static void
config_cleanup(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status;
    sr_config_free(data);
}

/* The configuration of an earlier call on this handle, unless a file has
 * changed since; NULL: it has to be loaded. */
static struct sr_config *
find_config(const struct sr_pam_context *ctx)
{
    const void *data = NULL;
    struct sr_config *config;

    if (pam_get_data(ctx->pamh, CONFIG_DATA, &data) != PAM_SUCCESS)
        return NULL;
    config = (struct sr_config *)(uintptr_t)data; /* libpam says const */
    return sr_config_is_current(config, ctx->args.conf)
               ? sr_config_share(config)
               : NULL;
}

static void
keep_config(const struct sr_pam_context *ctx)
{
    struct sr_config *config = sr_config_share(ctx->config);

    if (pam_set_data(ctx->pamh, CONFIG_DATA, config, config_cleanup) !=
        PAM_SUCCESS)
        sr_config_free(config);
}

/*
 * With an error in the configuration only root can log in, by the built-in
 * defaults: it has to be corrected, and on a distant host only by a login.
 */
static int
open_config(struct sr_pam_context *ctx)
{
    struct sr_config_errors errors = {0};

    ctx->config = find_config(ctx);
    if (ctx->config == NULL) {
        ctx->config = sr_config_load(ctx->args.conf, &errors);
        if (ctx->config != NULL)
            keep_config(ctx);
    }
    if (ctx->config == NULL) {
        ctx->is_spare = true;
        log_config(ctx, &errors);
        sr_config_errors_free(&errors);
        ctx->config = sr_config_defaults(&errors);
    }
    sr_config_errors_free(&errors);
    ctx->txn.config = ctx->config;
    return ctx->config == NULL ? refuse_config(ctx) : PAM_SUCCESS;
}

/* Whether to continue with the defaults, now that the account is known.  Root
 * is informed after authentication, not every client that types "root". */
static int
judge_spare(struct sr_pam_context *ctx)
{
    if (!ctx->is_spare)
        return PAM_SUCCESS;
    if (!sr_context_knows(ctx) || ctx->txn.uid != 0)
        return refuse_config(ctx);
    if (ctx->call == SR_PAM_ACCOUNT)
        sr_context_tell_text(ctx, PAM_TEXT_INFO, SR_TEXT_SPARE_CONFIG);
    return PAM_SUCCESS;
}

static const char *
item(struct sr_pam_context *ctx, int type)
{
    const void *value = NULL;

    if (pam_get_item(ctx->pamh, type, &value) != PAM_SUCCESS)
        return NULL;
    return value;
}

/* An item that is not empty, or NULL. */
static const char *
said_item(struct sr_pam_context *ctx, int type)
{
    const char *value = item(ctx, type);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/*
 * The peer's address, from sshd: it puts SSH_CONNECTION into the handle's
 * environment, "ADDRESS PORT ADDRESS PORT".  The process's own environment is
 * the user's and is ignored.
 */
static const char *
peer_address(struct sr_pam_context *ctx, char *buffer, size_t size)
{
    const char *connection = pam_getenv(ctx->pamh, "SSH_CONNECTION");
    size_t length;

    if (connection == NULL)
        return NULL;
    length = strcspn(connection, " ");
    if (length == 0 || length >= size)
        return NULL;
    memcpy(buffer, connection, length);
    buffer[length] = '\0';
    return buffer;
}

static bool
takes_password(const struct sr_pam_context *ctx)
{
    return ctx->call == SR_PAM_AUTH || ctx->call == SR_PAM_PASSWORD;
}

/* The uid of PAM_RUSER, which is asked for only where it can count. */
static uid_t
remote_user(struct sr_pam_context *ctx, const char *rhost)
{
    const char *ruser = said_item(ctx, PAM_RUSER);
    const struct passwd *entry;

    if (ruser == NULL || ctx->txn.context.real_uid != 0 || rhost != NULL)
        return (uid_t)-1;
    if (strcmp(ruser, "root") == 0)
        return 0;
    if (ctx->tty != NULL)
        return (uid_t)-1;
    entry = pam_modutil_getpwnam(ctx->pamh, ruser);
    return entry == NULL ? (uid_t)-1 : entry->pw_uid;
}

/* Fill in the context of the transaction. */
static void
open_source(struct sr_pam_context *ctx)
{
    char peer[64];
    const char *rhost = said_item(ctx, PAM_RHOST);
    struct sr_context *context = &ctx->txn.context;
    const struct sr_origin origin = {
        .rhost = rhost,
        .tty = ctx->tty,
        .address = peer_address(ctx, peer, sizeof(peer)),
        .real_uid = context->real_uid,
        .ruser = remote_user(ctx, rhost),
        .account = ctx->txn.uid,
        .takes_password = takes_password(ctx),
        .is_background = ctx->txn.rules.spare_expired,
    };

    sr_source_find(&context->source, &origin);
}

int
sr_context_names(struct sr_pam_context *ctx)
{
    const locale_t own = uselocale(ctx->language.application);
    const int code = pam_get_user(ctx->pamh, &ctx->user, NULL);

    uselocale(own);
    if (code == PAM_CONV_AGAIN)
        return PAM_INCOMPLETE;
    if (code != PAM_SUCCESS)
        return code;
    if (ctx->user == NULL)
        return PAM_USER_UNKNOWN;
    return PAM_SUCCESS;
}

static void
connections_cleanup(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status; /* whether this is a process copy they find out themselves */
    sr_connections_free(data);
}

/* The connections of this handle; NULL when memory is out, which costs a
 * connection for each call and nothing else. */
static struct sr_connections *
find_connections(struct sr_pam_context *ctx)
{
    const void *data = NULL;
    struct sr_connections *connections;

    if (pam_get_data(ctx->pamh, CONNECTIONS_DATA, &data) == PAM_SUCCESS)
        return (struct sr_connections *)(uintptr_t)data; /* libpam says const */
    connections = sr_connections_new();
    if (connections != NULL &&
        pam_set_data(ctx->pamh, CONNECTIONS_DATA, connections,
                     connections_cleanup) != PAM_SUCCESS) {
        sr_connections_free(connections);
        connections = NULL;
    }
    return connections;
}

/* Whether the call verifies a password, or uses what a verified one has left,
 * after it has looked the account up. */
static bool
expects_password(const struct sr_pam_context *ctx)
{
    return ctx->call != SR_PAM_ACCOUNT &&
           !(ctx->call == SR_PAM_AUTH && ctx->args.settle);
}

static void
open_account(struct sr_pam_context *ctx)
{
    const struct sr_context context = ctx->txn.context;
    struct sr_connections *connections = find_connections(ctx);

    sr_connections_expect_password(connections, expects_password(ctx));
    sr_transaction_begin_with(ctx->config, connections, ctx->user,
                              context.service, ctx->args.backend, &ctx->txn);
    ctx->txn.context = context;
    if (!sr_context_knows(ctx) && ctx->txn.another[0] != '\0')
        sr_context_event(ctx, SR_EVENT_CONFIG_BACKEND, "failed",
                         ctx->txn.another, -1);
}

/* The line of the stack is wrong. */
static int
refuse_line(struct sr_pam_context *ctx, const char *cause)
{
    sr_context_event(ctx, SR_EVENT_CONFIG, "failed", cause, PAM_SERVICE_ERR);
    return refuse_config(ctx);
}

/* Whether the backend that the line names is configured.  Otherwise a
 * misspelled name would make every account unknown. */
static int
check_backend(struct sr_pam_context *ctx)
{
    const struct sr_string_list *names = &ctx->config->backends;

    if (ctx->args.backend == NULL
            ? names->count > 0
            : sr_string_list_has(names, ctx->args.backend))
        return PAM_SUCCESS;
    return ctx->is_spare
               ? refuse_config(ctx)
               : refuse_line(ctx,
                             "\"backends\" does not have what backend= names");
}

/* What is known before the account is. */
static void
init(struct sr_pam_context *ctx, pam_handle_t *pamh, enum sr_pam_call call,
     int flags)
{
    static const char *const channels[] = {
        [SR_PAM_AUTH] = "auth",       [SR_PAM_CRED] = "cred",
        [SR_PAM_ACCOUNT] = "account", [SR_PAM_PASSWORD] = "password",
        [SR_PAM_OPEN] = "session",    [SR_PAM_CLOSE] = "session",
    };
    struct sr_context *context = &ctx->txn.context;
    const char *service;

    memset(ctx, 0, sizeof(*ctx));
    ctx->pamh = pamh;
    ctx->call = call;
    ctx->flags = (unsigned)flags;
    ctx->user = "";
    ctx->txn.ask = SR_STATUS_UNKNOWN_NAME;
    ctx->txn.uid = (uid_t)-1;
    service = item(ctx, PAM_SERVICE);
    ctx->tty = said_item(ctx, PAM_TTY);
    context->channel = channels[call];
    context->code = sr_answer_code;
    context->real_uid = (uid_t)-1;
    context->allow_empty = (ctx->flags & PAM_DISALLOW_NULL_AUTHTOK) == 0;
    snprintf(context->service, sizeof(context->service), "%s",
             service == NULL ? "" : service);
    snprintf(context->terminal, sizeof(context->terminal), "%s",
             ctx->tty == NULL ? "" : ctx->tty);
    /* passwd(1) and others name no terminal; events have the one it runs on. */
    if (ctx->tty == NULL)
        sr_caller_terminal(pamh, context->terminal, sizeof(context->terminal));
}

/* Only root can read the accounts and what this host remembers of them. */
static int
check_permission(struct sr_pam_context *ctx)
{
    struct sr_context *context = &ctx->txn.context;
    struct sr_pam_caller caller;

    sr_caller_find(ctx->pamh, &caller);
    context->real_uid = caller.real_uid;
    context->process = caller.process;
    context->is_served = caller.process != NULL;
    ctx->keeps_tickets = caller.keeps_tickets;
    if (caller.is_trusted) {
        context->is_admin = context->real_uid == 0 &&
                            (ctx->flags & PAM_CHANGE_EXPIRED_AUTHTOK) == 0 &&
                            ctx->call == SR_PAM_PASSWORD;
        return PAM_SUCCESS;
    }
    sr_context_event(ctx, SR_EVENT_NO_ROOT, "failed", NULL,
                     PAM_AUTHINFO_UNAVAIL);
    sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_NO_ROOT);
    return PAM_AUTHINFO_UNAVAIL;
}

static int
check_arguments(struct sr_pam_context *ctx, int argc, const char **argv)
{
    const char *bad = sr_args_parse(&ctx->args, argc, argv);
    char cause[128];

    ctx->argc = argc;
    ctx->argv = argv;
    if (bad == NULL)
        return PAM_SUCCESS;
    snprintf(cause, sizeof(cause), "unknown or contradicting argument \"%s\"",
             bad);
    return refuse_line(ctx, cause);
}

/* Whether a password is asked for before anything is looked up: how long that
 * takes distinguishes names. Where an error in the configuration refuses all
 * but root, only root is asked for one. */
static bool
asks_first(const struct sr_pam_context *ctx)
{
    return ctx->call == SR_PAM_AUTH && !ctx->args.settle && !ctx->is_spare;
}

int
sr_context_look_up(struct sr_pam_context *ctx)
{
    int code;

    if (ctx->has_looked_up)
        return PAM_SUCCESS;
    ctx->has_looked_up = true;
    open_account(ctx);
    code = judge_spare(ctx);
    if (code != PAM_SUCCESS)
        return code;
    open_source(ctx);
    if (sr_context_knows(ctx) && ctx->txn.account->is_insecure)
        sr_context_event(ctx, SR_EVENT_INSECURE, NULL, NULL, -1);
    if (ctx->args.debug)
        pam_syslog(ctx->pamh, LOG_DEBUG, "%s: account %s, source %s",
                   ctx->txn.context.channel,
                   sr_context_knows(ctx) ? "found" : "not found",
                   ctx->txn.context.source.text);
    return PAM_SUCCESS;
}

int
sr_context_begin(struct sr_pam_context *ctx, pam_handle_t *pamh,
                 enum sr_pam_call call, int flags, int argc, const char **argv)
{
    int code;

    init(ctx, pamh, call, flags);
    sr_language_begin(&ctx->language, pamh);
    code = check_arguments(ctx, argc, argv);
    if (code == PAM_SUCCESS)
        ctx->is_answered = sr_hand_over(ctx, NULL, &code);
    if (code == PAM_SUCCESS && !ctx->is_answered)
        code = check_permission(ctx);
    if (code == PAM_SUCCESS && !ctx->is_answered)
        code = open_config(ctx);
    if (code == PAM_SUCCESS && !ctx->is_answered)
        code = sr_context_names(ctx);
    if (code == PAM_SUCCESS && !ctx->is_answered)
        ctx->is_answered = sr_hand_over(ctx, ctx->config, &code);
    if (code != PAM_SUCCESS || ctx->is_answered)
        return code;
    code = check_backend(ctx);
    if (code == PAM_SUCCESS && !asks_first(ctx))
        code = sr_context_look_up(ctx);
    return code;
}

void
sr_context_end(struct sr_pam_context *ctx)
{
    sr_context_show(ctx);
    sr_transaction_end(&ctx->txn);
    sr_config_free(ctx->config);
    ctx->config = NULL;
    sr_language_end(&ctx->language);
}
