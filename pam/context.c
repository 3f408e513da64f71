/*
 * Door: one call of the module, from its arguments to its answer.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "policy/config/config.h"
#include "pam/internal.h"
#include "policy/backend/registry.h"

/* How long what was read of an account is as good as new, in microseconds. */
#define FRESH 1000

/* A configuration error is logged once for each handle. */
#define LOGGED_DATA "selfreset_logged"

/* What backends keep over the calls on a handle. */
#define LINK_DATA "selfreset_link"

struct sr_message_context
sr_context_message(const struct sr_pam_context *ctx)
{
    struct sr_message_context say = {
        .contact = ctx->config == NULL ? NULL : ctx->config->contact,
        .now = time(NULL),
        .is_admin = ctx->real_uid == 0 &&
                    (ctx->flags & PAM_CHANGE_EXPIRED_AUTHTOK) == 0 &&
                    strcmp(ctx->channel, "password") == 0,
    };

    return say;
}

void
sr_context_show(struct sr_pam_context *ctx)
{
    if (ctx->text != NULL && (ctx->flags & PAM_SILENT) == 0)
        pam_prompt(ctx->pamh, ctx->text_style, NULL, "%s", ctx->text);
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
    struct sr_message_context say = sr_context_message(ctx);

    sr_context_tell(ctx, style, sr_message_text(text, &say));
}

bool
sr_context_knows(const struct sr_pam_context *ctx)
{
    return ctx->txn.ask == SR_STATUS_OK;
}

void
sr_context_event(struct sr_pam_context *ctx, enum sr_event_id id,
                 const char *result, const char *cause, int pam_code)
{
    const struct sr_account *account = ctx->txn.account;
    bool exists = account != NULL || ctx->nss_uid != (uid_t)-1;
    struct sr_event event = {
        .id = id,
        .user = exists ? ctx->user : NULL,
        .uid = account != NULL ? account->facts.uid : ctx->nss_uid,
        .source = ctx->source.text[0] == '\0' ? NULL : ctx->source.text,
        .service = ctx->service,
        .channel = ctx->channel,
        .backend = account != NULL ? account->facts.backend : NULL,
        .result = result,
        .cause = cause,
        .actor = sr_context_message(ctx).is_admin ? "root" : NULL,
        .terminal = ctx->tty,
        .pam_code = pam_code,
    };

    sr_event_send(&event);
}

enum sr_text
sr_context_outage(const struct sr_pam_context *ctx)
{
    return ctx->txn.why == SR_ERROR_IDENTITY ? SR_TEXT_HOST_TROUBLE
                                             : SR_TEXT_UNAVAILABLE;
}

int
sr_context_unknown_code(struct sr_pam_context *ctx, int unavailable)
{
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
    sr_context_event(ctx,
                     ctx->txn.ask == SR_STATUS_AMBIGUOUS
                         ? SR_EVENT_AMBIGUOUS
                         : SR_EVENT_BACKEND_DOWN,
                     "failed", ctx->txn.reason, unavailable);
    sr_context_tell_text(ctx, PAM_ERROR_MSG, sr_context_outage(ctx));
    return unavailable;
}

/* Counts while the process is stopped, and while the machine sleeps. */
static int64_t
microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int
sr_context_refresh(struct sr_pam_context *ctx, int unavailable)
{
    if (microseconds() - ctx->looked < FRESH)
        return PAM_SUCCESS;
    ctx->looked = microseconds();
    ctx->sequence = sr_publish_sequence();
    switch (sr_transaction_refresh(&ctx->txn, ctx->user)) {
    case SR_STATUS_OK:
    case SR_STATUS_UNKNOWN_NAME:
        return PAM_SUCCESS;
    default:
        return sr_context_unknown_code(ctx, unavailable);
    }
}

int
sr_context_recall(struct sr_pam_context *ctx, bool with_source, int unavailable)
{
    enum sr_store_result result = sr_transaction_recall(
        &ctx->txn, NULL, with_source ? &ctx->source : NULL);

    if (result == SR_STORE_OK)
        return PAM_SUCCESS;
    sr_context_event(ctx, SR_EVENT_STATE, "failed", sr_store_strerror(result),
                     unavailable);
    sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_NOT_READ);
    return unavailable;
}

struct sr_verdict
sr_context_verdict(const struct sr_pam_context *ctx,
                   const struct sr_caller *caller)
{
    return sr_verdict(&ctx->txn.account->facts, &ctx->txn.rules, caller,
                      time(NULL));
}

void
sr_context_verdict_event(struct sr_pam_context *ctx,
                         const struct sr_verdict *verdict, int pam_code)
{
    static const enum sr_event_id event[SR_STATE_COUNT] = {
        [SR_STATE_DISABLED] = SR_EVENT_DISABLED,
        [SR_STATE_ENDED] = SR_EVENT_ENDED,
        [SR_STATE_NOT_YET] = SR_EVENT_ENDED,
        [SR_STATE_LOCKED] = SR_EVENT_LOCKED,
        [SR_STATE_LAPSED] = SR_EVENT_TEMPORARY_LAPSED,
        [SR_STATE_BARRED] = SR_EVENT_BARRED,
        [SR_STATE_MUST_CHANGE] = SR_EVENT_MUST_CHANGE,
        [SR_STATE_EXPIRED] = SR_EVENT_EXPIRED,
        [SR_STATE_GRACE] = SR_EVENT_EXPIRED,
        [SR_STATE_EXPIRING] = SR_EVENT_EXPIRY_NOTICE,
        [SR_STATE_OK] = SR_EVENT_COUNT,
        [SR_STATE_UNKNOWN] = SR_EVENT_BACKEND_DOWN,
    };
    enum sr_event_id id = event[verdict->state];

    if (verdict->state == SR_STATE_BARRED &&
        verdict->barred_by == SR_CHANGE_REQUIRE_LOGON)
        id = SR_EVENT_NEEDS_LOGON;
    /* A state that was spared is no event: nothing happened. */
    if (id == SR_EVENT_COUNT ||
        (pam_code == PAM_SUCCESS && verdict->state != SR_STATE_EXPIRING &&
         verdict->state != SR_STATE_GRACE))
        return;
    sr_context_event(ctx, id, pam_code == PAM_SUCCESS ? "ok" : "failed",
                     verdict->rule != NULL ? verdict->rule : verdict->fact,
                     pam_code);
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

/*
 * A configuration with an error lets nobody in but root, by the built-in
 * defaults: somebody has to mend it, and on a distant host only a login can.
 */
static int
open_config(struct sr_pam_context *ctx)
{
    struct sr_config_errors errors = {0};

    ctx->config = sr_config_load(ctx->args.conf, &errors);
    if (ctx->config == NULL) {
        ctx->is_spare = true;
        log_config(ctx, &errors);
        sr_config_errors_free(&errors);
        ctx->config = sr_config_defaults(&errors);
    }
    sr_config_errors_free(&errors);
    return ctx->config == NULL ? refuse_config(ctx) : PAM_SUCCESS;
}

/* Who goes on with the defaults, now that the account is known.  It is said
 * when he has proved that he is root, and not to everybody who calls himself
 * that. */
static int
judge_spare(struct sr_pam_context *ctx)
{
    if (!ctx->is_spare)
        return PAM_SUCCESS;
    if (!sr_context_knows(ctx) || ctx->txn.account->facts.uid != 0)
        return refuse_config(ctx);
    if (strcmp(ctx->channel, "account") == 0)
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

/* An item that says something, or NULL. */
static const char *
said_item(struct sr_pam_context *ctx, int type)
{
    const char *value = item(ctx, type);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/*
 * The peer's address, from sshd: it puts SSH_CONNECTION into the handle's
 * environment, "ADDRESS PORT ADDRESS PORT".  The process's own environment is
 * the user's and is not looked at.
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

/* The uid of PAM_RUSER, which is asked for only where it can count. */
static uid_t
remote_user(struct sr_pam_context *ctx, const char *rhost)
{
    const char *ruser = said_item(ctx, PAM_RUSER);
    const struct passwd *entry;

    if (ruser == NULL || ctx->real_uid != 0 || rhost != NULL)
        return (uid_t)-1;
    if (strcmp(ruser, "root") == 0)
        return 0;
    if (ctx->tty != NULL)
        return (uid_t)-1;
    entry = pam_modutil_getpwnam(ctx->pamh, ruser);
    return entry == NULL ? (uid_t)-1 : entry->pw_uid;
}

static void
open_source(struct sr_pam_context *ctx)
{
    char peer[64];
    const char *rhost = said_item(ctx, PAM_RHOST);
    const struct sr_origin origin = {
        .rhost = rhost,
        .tty = ctx->tty,
        .address = peer_address(ctx, peer, sizeof(peer)),
        .real_uid = ctx->real_uid,
        .ruser = remote_user(ctx, rhost),
        .account =
            sr_context_knows(ctx) ? ctx->txn.account->facts.uid : ctx->nss_uid,
        .takes_password = strcmp(ctx->channel, "auth") == 0 ||
                          strcmp(ctx->channel, "password") == 0,
        .is_background = ctx->txn.rules.spare_expired,
    };

    sr_source_find(&ctx->source, &origin);
}

static int
open_names(struct sr_pam_context *ctx)
{
    int code = pam_get_user(ctx->pamh, &ctx->user, NULL);

    if (code == PAM_CONV_AGAIN)
        return PAM_INCOMPLETE;
    if (code != PAM_SUCCESS)
        return code;
    if (ctx->user == NULL)
        return PAM_USER_UNKNOWN;
    ctx->tty = said_item(ctx, PAM_TTY);
    return PAM_SUCCESS;
}

static void
link_cleanup(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status; /* whether this is a process copy the link finds out */
    sr_connections_free(data);
}

/* The link of this handle; NULL when memory is out, which costs a connection
 * for each call and nothing else. */
static struct sr_connections *
find_link(struct sr_pam_context *ctx)
{
    const void *data = NULL;
    struct sr_connections *connections;

    if (pam_get_data(ctx->pamh, LINK_DATA, &data) == PAM_SUCCESS)
        return (struct sr_connections *)(uintptr_t)data; /* libpam says const */
    connections = sr_connections_new();
    if (connections != NULL && pam_set_data(ctx->pamh, LINK_DATA, connections,
                                            link_cleanup) != PAM_SUCCESS) {
        sr_connections_free(connections);
        connections = NULL;
    }
    return connections;
}

/* Whether the call needs no facts of the account before it has verified a
 * password; most verify none. */
static bool
expects_password(const struct sr_pam_context *ctx)
{
    return strcmp(ctx->channel, "account") != 0 &&
           !(strcmp(ctx->channel, "auth") == 0 && ctx->args.settle);
}

static void
open_account(struct sr_pam_context *ctx)
{
    struct sr_connections *connections = find_link(ctx);
    const struct passwd *entry;

    ctx->sequence = sr_publish_sequence();
    sr_connections_expect_password(connections, expects_password(ctx));
    sr_transaction_begin_with(ctx->config, connections, ctx->user,
                              ctx->service == NULL ? "" : ctx->service,
                              ctx->args.backend, &ctx->txn);
    ctx->looked = microseconds();
    if (sr_context_knows(ctx)) {
        ctx->nss_uid = ctx->txn.account->facts.uid;
        return;
    }
    entry = pam_modutil_getpwnam(ctx->pamh, ctx->user);
    if (entry != NULL)
        ctx->nss_uid = entry->pw_uid;
    if (ctx->txn.another[0] != '\0')
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

/* Whether the backend that the line names is one.  A name that is misspelled
 * would else be asked of nobody, and every account be none of ours. */
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

int
sr_context_begin(struct sr_pam_context *ctx, pam_handle_t *pamh, int flags,
                 const char *channel, int argc, const char **argv)
{
    uid_t effective_uid, saved_uid;
    const char *bad;
    char cause[128];
    int code;

    memset(ctx, 0, sizeof(*ctx));
    ctx->pamh = pamh;
    ctx->flags = (unsigned)flags;
    ctx->channel = channel;
    ctx->service = item(ctx, PAM_SERVICE);
    ctx->user = "";
    ctx->nss_uid = (uid_t)-1;
    ctx->txn.ask = SR_STATUS_UNKNOWN_NAME;
    bad = sr_args_parse(&ctx->args, argc, argv);
    if (bad != NULL) {
        snprintf(cause, sizeof(cause),
                 "unknown or contradicting argument \"%s\"", bad);
        return refuse_line(ctx, cause);
    }
    if (getresuid(&ctx->real_uid, &effective_uid, &saved_uid) != 0 ||
        effective_uid != 0) {
        sr_context_event(ctx, SR_EVENT_NO_ROOT, "failed", NULL,
                         PAM_AUTHINFO_UNAVAIL);
        sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_NO_ROOT);
        return PAM_AUTHINFO_UNAVAIL;
    }
    code = open_config(ctx);
    if (code == PAM_SUCCESS)
        code = open_names(ctx);
    if (code == PAM_SUCCESS)
        code = check_backend(ctx);
    if (code != PAM_SUCCESS)
        return code;
    open_account(ctx);
    code = judge_spare(ctx);
    if (code != PAM_SUCCESS)
        return code;
    open_source(ctx);
    if (sr_context_knows(ctx) && ctx->txn.account->is_insecure)
        sr_context_event(ctx, SR_EVENT_INSECURE, NULL, NULL, -1);
    if (ctx->args.debug)
        pam_syslog(pamh, LOG_DEBUG, "%s: account %s, source %s", channel,
                   sr_context_knows(ctx) ? "found" : "not found",
                   ctx->source.text);
    return PAM_SUCCESS;
}

void
sr_context_end(struct sr_pam_context *ctx)
{
    sr_context_show(ctx);
    sr_transaction_end(&ctx->txn);
    sr_config_free(ctx->config);
    ctx->config = NULL;
}
