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

#include "pam/internal.h"

/* How long what was read of an account is as good as new, in microseconds. */
#define FRESH 1000

/* A configuration error is logged once for each handle. */
#define LOGGED_DATA "selfreset_logged"

/* What backends keep over the calls on a handle. */
#define LINK_DATA "selfreset_link"

struct sr_say
sr_door_say_context(const struct sr_door *door)
{
    struct sr_say say = {
        .contact = door->config == NULL ? NULL : door->config->contact,
        .now = time(NULL),
        .is_admin = door->real_uid == 0 &&
                    (door->flags & PAM_CHANGE_EXPIRED_AUTHTOK) == 0 &&
                    strcmp(door->channel, "password") == 0,
    };

    return say;
}

void
sr_door_tell(struct sr_door *door, int style, char *text)
{
    if (text != NULL && (door->flags & PAM_SILENT) == 0)
        pam_prompt(door->pamh, style, NULL, "%s", text);
    free(text);
}

void
sr_door_tell_text(struct sr_door *door, int style, enum sr_text text)
{
    struct sr_say say = sr_door_say_context(door);

    sr_door_tell(door, style, sr_message_text(text, &say));
}

bool
sr_door_knows(const struct sr_door *door)
{
    return door->who.ask == SR_ASK_OK;
}

void
sr_door_event(struct sr_door *door, enum sr_event_id id, const char *result,
              const char *cause, int pam_code)
{
    const struct sr_account *account = door->who.account;
    bool exists = account != NULL || door->nss_uid != (uid_t)-1;
    struct sr_event event = {
        .id = id,
        .user = exists ? door->user : NULL,
        .uid = account != NULL ? account->facts.uid : door->nss_uid,
        .source = door->source.text[0] == '\0' ? NULL : door->source.text,
        .service = door->service,
        .channel = door->channel,
        .backend = account != NULL ? account->facts.backend : NULL,
        .result = result,
        .cause = cause,
        .actor = sr_door_say_context(door).is_admin ? "root" : NULL,
        .terminal = door->tty,
        .pam_code = pam_code,
    };

    sr_event_send(&event);
}

int
sr_door_unknown(struct sr_door *door, int unavailable)
{
    switch (door->who.ask) {
    case SR_ASK_OK:
        return PAM_SUCCESS;
    case SR_ASK_UNKNOWN_NAME:
        return PAM_USER_UNKNOWN;
    case SR_ASK_NO_MEMORY:
        return PAM_BUF_ERR;
    case SR_ASK_UNAVAILABLE:
    case SR_ASK_AMBIGUOUS:
        break;
    }
    sr_door_event(door,
                  door->who.ask == SR_ASK_AMBIGUOUS ? SR_EVENT_AMBIGUOUS
                                                    : SR_EVENT_BACKEND_DOWN,
                  "failed", door->who.reason, unavailable);
    sr_door_tell_text(door, PAM_ERROR_MSG, SR_TEXT_UNAVAILABLE);
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
sr_door_look_again(struct sr_door *door, int unavailable)
{
    if (microseconds() - door->looked < FRESH)
        return PAM_SUCCESS;
    door->looked = microseconds();
    door->sequence = sr_publish_sequence();
    switch (sr_gather_again(&door->who, door->user)) {
    case SR_ASK_OK:
    case SR_ASK_UNKNOWN_NAME:
        return PAM_SUCCESS;
    default:
        return sr_door_unknown(door, unavailable);
    }
}

int
sr_door_remember(struct sr_door *door, bool with_source, int unavailable)
{
    enum sr_store_result result = sr_gather_remembered(
        &door->who, NULL, with_source ? &door->source : NULL);

    if (result == SR_STORE_OK)
        return PAM_SUCCESS;
    sr_door_event(door, SR_EVENT_STATE, "failed", sr_store_strerror(result),
                  unavailable);
    sr_door_tell_text(door, PAM_ERROR_MSG, SR_TEXT_NOT_READ);
    return unavailable;
}

struct sr_verdict
sr_door_verdict(const struct sr_door *door, const struct sr_circumstances *who)
{
    return sr_verdict(&door->who.account->facts, &door->who.rules, who,
                      time(NULL));
}

void
sr_door_verdict_event(struct sr_door *door, const struct sr_verdict *verdict,
                      int pam_code)
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
    sr_door_event(door, id, pam_code == PAM_SUCCESS ? "ok" : "failed",
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
log_config(struct sr_door *door, const struct sr_config_errors *errors)
{
    const void *logged = NULL;

    if (pam_get_data(door->pamh, LOGGED_DATA, &logged) == PAM_SUCCESS)
        return;
    for (size_t i = 0; i < errors->count; i++)
        sr_door_event(door, SR_EVENT_CONFIG, "failed", errors->item[i],
                      PAM_SERVICE_ERR);
    pam_set_data(door->pamh, LOGGED_DATA, NULL, NULL);
}

static int
refuse_config(struct sr_door *door)
{
    sr_door_tell_text(door, PAM_ERROR_MSG, SR_TEXT_BAD_CONFIG);
    return PAM_SERVICE_ERR;
}

/*
 * A configuration with an error lets nobody in but root, by the built-in
 * defaults: somebody has to mend it, and on a distant host only a login can.
 */
static int
open_config(struct sr_door *door)
{
    struct sr_config_errors errors = {0};

    door->config = sr_config_load(door->args.conf, &errors);
    if (door->config == NULL) {
        door->is_spare = true;
        log_config(door, &errors);
        sr_config_errors_free(&errors);
        door->config = sr_config_defaults(&errors);
    }
    sr_config_errors_free(&errors);
    return door->config == NULL ? refuse_config(door) : PAM_SUCCESS;
}

/* Who goes on with the defaults, now that the account is known.  It is said
 * when he has proved that he is root, and not to everybody who calls himself
 * that. */
static int
judge_spare(struct sr_door *door)
{
    if (!door->is_spare)
        return PAM_SUCCESS;
    if (!sr_door_knows(door) || door->who.account->facts.uid != 0)
        return refuse_config(door);
    if (strcmp(door->channel, "account") == 0)
        sr_door_tell_text(door, PAM_TEXT_INFO, SR_TEXT_SPARE_CONFIG);
    return PAM_SUCCESS;
}

static const char *
item(struct sr_door *door, int type)
{
    const void *value = NULL;

    if (pam_get_item(door->pamh, type, &value) != PAM_SUCCESS)
        return NULL;
    return value;
}

/* An item that says something, or NULL. */
static const char *
said_item(struct sr_door *door, int type)
{
    const char *value = item(door, type);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/*
 * The peer's address, from sshd: it puts SSH_CONNECTION into the handle's
 * environment, "ADDRESS PORT ADDRESS PORT".  The process's own environment is
 * the user's and is not looked at.
 */
static const char *
peer_address(struct sr_door *door, char *buffer, size_t size)
{
    const char *connection = pam_getenv(door->pamh, "SSH_CONNECTION");
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

/*
 * su and cron by root are sessions of root; login and gdm, which also run as
 * root, are not: they have a terminal and no calling user.  A call that takes a
 * password is root's own only where root is named: a daemon takes it from
 * anybody.
 */
static bool
is_by_root(struct sr_door *door, const char *ruser, bool takes_password)
{
    if (ruser != NULL && strcmp(ruser, "root") == 0)
        return true;
    return !takes_password &&
           (door->tty == NULL || door->who.rules.spare_expired);
}

static void
open_source(struct sr_door *door)
{
    const char *rhost = said_item(door, PAM_RHOST);
    char peer[64], named[SR_SOURCE_MAX];
    const char *address = peer_address(door, peer, sizeof(peer));
    bool takes_password = strcmp(door->channel, "auth") == 0 ||
                          strcmp(door->channel, "password") == 0;
    bool by_root = is_by_root(door, said_item(door, PAM_RUSER), takes_password);

    /* A daemon that says nothing of its peers: they are one source, which is
     * neither the console nor root's.  No host has a name like that. */
    if (takes_password && !by_root && door->real_uid == 0 &&
        door->tty == NULL && rhost == NULL && address == NULL) {
        snprintf(named, sizeof(named), "service/%s",
                 door->service == NULL ? "" : door->service);
        rhost = named;
    }
    sr_source_find(&door->source, rhost, address, door->real_uid, by_root,
                   sr_door_knows(door) ? door->who.account->facts.uid
                                       : door->nss_uid);
}

static int
open_names(struct sr_door *door)
{
    int code = pam_get_user(door->pamh, &door->user, NULL);

    if (code == PAM_CONV_AGAIN)
        return PAM_INCOMPLETE;
    if (code != PAM_SUCCESS)
        return code;
    if (door->user == NULL)
        return PAM_USER_UNKNOWN;
    door->tty = said_item(door, PAM_TTY);
    return PAM_SUCCESS;
}

static void
link_cleanup(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status; /* whether this is a process copy the link finds out */
    sr_link_free(data);
}

/* The link of this handle; NULL when memory is out, which costs a connection
 * for each call and nothing else. */
static struct sr_link *
find_link(struct sr_door *door)
{
    const void *data = NULL;
    struct sr_link *link;

    if (pam_get_data(door->pamh, LINK_DATA, &data) == PAM_SUCCESS)
        return (struct sr_link *)(uintptr_t)data; /* libpam says const */
    link = sr_link_new();
    if (link != NULL && pam_set_data(door->pamh, LINK_DATA, link,
                                     link_cleanup) != PAM_SUCCESS) {
        sr_link_free(link);
        link = NULL;
    }
    return link;
}

static void
open_account(struct sr_door *door)
{
    const struct passwd *entry;

    door->sequence = sr_publish_sequence();
    sr_gather_linked(door->config, find_link(door), door->user,
                     door->service == NULL ? "" : door->service,
                     door->args.backend, &door->who);
    door->looked = microseconds();
    if (sr_door_knows(door)) {
        door->nss_uid = door->who.account->facts.uid;
        return;
    }
    entry = pam_modutil_getpwnam(door->pamh, door->user);
    if (entry != NULL)
        door->nss_uid = entry->pw_uid;
    if (door->who.another[0] != '\0')
        sr_door_event(door, SR_EVENT_CONFIG_BACKEND, "failed",
                      door->who.another, -1);
}

/* The line of the stack is wrong. */
static int
refuse_line(struct sr_door *door, const char *cause)
{
    sr_door_event(door, SR_EVENT_CONFIG, "failed", cause, PAM_SERVICE_ERR);
    return refuse_config(door);
}

/* Whether the backend that the line names is one.  A name that is misspelled
 * would else be asked of nobody, and every account be none of ours. */
static int
check_backend(struct sr_door *door)
{
    const struct sr_names *names = &door->config->backends;

    if (door->args.backend == NULL ? names->count > 0
                                   : sr_names_have(names, door->args.backend))
        return PAM_SUCCESS;
    return door->is_spare
               ? refuse_config(door)
               : refuse_line(door,
                             "\"backends\" does not have what backend= names");
}

int
sr_door_open(struct sr_door *door, pam_handle_t *pamh, int flags,
             const char *channel, int argc, const char **argv)
{
    uid_t effective_uid, saved_uid;
    const char *bad;
    char cause[128];
    int code;

    memset(door, 0, sizeof(*door));
    door->pamh = pamh;
    door->flags = (unsigned)flags;
    door->channel = channel;
    door->service = item(door, PAM_SERVICE);
    door->user = "";
    door->nss_uid = (uid_t)-1;
    door->who.ask = SR_ASK_UNKNOWN_NAME;
    bad = sr_args_parse(&door->args, argc, argv);
    if (bad != NULL) {
        snprintf(cause, sizeof(cause),
                 "unknown or contradicting argument \"%s\"", bad);
        return refuse_line(door, cause);
    }
    if (getresuid(&door->real_uid, &effective_uid, &saved_uid) != 0 ||
        effective_uid != 0) {
        sr_door_event(door, SR_EVENT_NO_ROOT, "failed", NULL,
                      PAM_AUTHINFO_UNAVAIL);
        sr_door_tell_text(door, PAM_ERROR_MSG, SR_TEXT_NO_ROOT);
        return PAM_AUTHINFO_UNAVAIL;
    }
    code = open_config(door);
    if (code == PAM_SUCCESS)
        code = open_names(door);
    if (code == PAM_SUCCESS)
        code = check_backend(door);
    if (code != PAM_SUCCESS)
        return code;
    open_account(door);
    code = judge_spare(door);
    if (code != PAM_SUCCESS)
        return code;
    open_source(door);
    if (sr_door_knows(door) && door->who.account->is_insecure)
        sr_door_event(door, SR_EVENT_INSECURE, NULL, NULL, -1);
    if (door->args.debug)
        pam_syslog(pamh, LOG_DEBUG, "%s: account %s, source %s", channel,
                   sr_door_knows(door) ? "found" : "not found",
                   door->source.text);
    return PAM_SUCCESS;
}

void
sr_door_close(struct sr_door *door)
{
    sr_gathered_end(&door->who);
    sr_config_free(door->config);
    door->config = NULL;
}
