/*
 * Verify: one password, in an enclosed attempt.
 *
 * Every door of the module that checks a password goes through here, so that
 * authenticate, the old password in chauthtok, and the guard of another module
 * are counted alike.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "pam/internal.h"

#define GUARD_DATA "selfreset_guard"

/*
 * Whom an attempt is counted against.  sshd's stand-in password is not the
 * person's: it must not lock the account, but must look like any unknown name,
 * so it counts as one.
 */
static struct sr_attempt_who
counted_as(const struct sr_door *door, const char *password)
{
    bool known = (sr_door_knows(door) || door->nss_uid != (uid_t)-1) &&
                 !sr_ask_is_sshd_fake(password);
    struct sr_attempt_who who = {
        .is_known = known,
        .uid =
            sr_door_knows(door) ? door->who.account->facts.uid : door->nss_uid,
        .name = door->user,
        .secret = sr_door_knows(door) ? door->who.account->secret : NULL,
        .source = &door->source,
        .rules = &door->who.rules,
    };

    return who;
}

/* An empty password that cannot be right: sshd probes with it.  Not counted. */
static bool
is_probe(const struct sr_door *door, const char *password)
{
    const char *secret = sr_door_knows(door) ? door->who.account->secret : NULL;

    return password[0] == '\0' && (secret == NULL || secret[0] != '\0');
}

/* Prove a password of the account, or with NULL do the same work for nothing,
 * which is that of the account's backend, or of the one that was asked last. */
static enum sr_proof
prove(struct sr_door *door, struct sr_account *account, const char *password)
{
    bool allow_empty = (door->flags & PAM_DISALLOW_NULL_AUTHTOK) == 0;
    struct sr_gathered *who = &door->who;

    who->reason[0] = '\0';
    return sr_backend_prove(
        sr_door_knows(door) ? &who->account->backend : &who->last, who->link,
        account, password, allow_empty, who->reason, sizeof(who->reason));
}

/* Tell of a directory that counts for all hosts and could not be asked. */
static void
trouble_event(struct sr_door *door, struct sr_enclosed *enclosed)
{
    const char *why = enclosed == NULL ? NULL : sr_enclosed_trouble(enclosed);

    if (why != NULL)
        sr_door_event(door, SR_EVENT_FLEET_AWAY, "failed", why, -1);
}

/* Begin to verify a password, and tell what came in between. */
static enum sr_begin
begin(struct sr_door *door, const struct sr_attempt_who *who, bool ahead,
      struct sr_fleet_way *way, struct sr_enclosed **enclosed)
{
    enum sr_begin answer;

    *way = sr_fleet_way(&door->who, who->is_known, door->args.backend);
    answer = sr_enclosed_begin(NULL, NULL, who, way, ahead, enclosed);
    trouble_event(door, *enclosed);
    return answer;
}

static enum sr_verified
refuse_locked(struct sr_door *door, struct sr_enclosed *enclosed,
              const struct sr_fleet_way *way, const char *password,
              bool is_known)
{
    struct sr_say say = sr_door_say_context(door);
    sr_time until = sr_enclosed_until(enclosed);
    struct sr_settled settled;

    prove(door, NULL, password);
    settled = sr_enclosed_settle(enclosed, way, SR_OUTCOME_WRONG);
    trouble_event(door, enclosed);
    if (sr_enclosed_by_fleet(enclosed)) /* perhaps heard of only now */
        sr_door_publish_lockout(door, enclosed, is_known);
    if (settled.result != SR_STORE_OK)
        sr_door_event(door, SR_EVENT_STATE, "failed",
                      sr_store_strerror(settled.result), -1);
    sr_door_event(door, SR_EVENT_REFUSED_LOCKED, "failed",
                  sr_attempt_by_source(sr_enclosed_attempt(enclosed))
                      ? "SR-2203"
                      : "SR-2201",
                  PAM_AUTH_ERR);
    if (sr_config_reveals(door->config, door->source.is_remote))
        sr_door_tell(door, PAM_ERROR_MSG, sr_message_lockout(until, &say));
    return SR_VERIFIED_LOCKED;
}

static enum sr_verified
refuse_unrecorded(struct sr_door *door, enum sr_store_result why)
{
    sr_door_event(door, SR_EVENT_STATE, "failed", sr_store_strerror(why),
                  PAM_AUTHINFO_UNAVAIL);
    sr_door_tell_text(door, PAM_ERROR_MSG, SR_TEXT_NOT_RECORDED);
    return SR_VERIFIED_UNAVAILABLE;
}

/* What every beginning but GO comes to. */
static enum sr_verified
not_begun(struct sr_door *door, enum sr_begin answer,
          struct sr_enclosed *enclosed, const struct sr_fleet_way *way,
          const char *password, bool is_known)
{
    const struct sr_attempt *attempt =
        enclosed == NULL ? NULL : sr_enclosed_attempt(enclosed);

    if (answer == SR_BEGIN_LOCKED)
        return refuse_locked(door, enclosed, way, password, is_known);
    if (answer == SR_BEGIN_BUSY) {
        sr_door_event(door, SR_EVENT_BUSY, "failed", NULL,
                      PAM_AUTHINFO_UNAVAIL);
        sr_door_tell_text(door, PAM_ERROR_MSG, SR_TEXT_BUSY);
        return SR_VERIFIED_UNAVAILABLE;
    }
    return refuse_unrecorded(door, attempt == NULL ? SR_STORE_FAILED
                                                   : sr_attempt_error(attempt));
}

static void
lockout_events(struct sr_door *door, const struct sr_settled *settled)
{
    if (settled->began_lockout)
        sr_door_event(door, SR_EVENT_THROTTLED, NULL, NULL, -1);
    if (settled->began_source_lockout)
        sr_door_event(door, SR_EVENT_SOURCE_THROTTLED, NULL, NULL, -1);
}

static enum sr_verified
settle(struct sr_door *door, struct sr_enclosed *enclosed,
       const struct sr_fleet_way *way, enum sr_proof proof, bool is_known)
{
    static const enum sr_outcome outcome[] = {
        [SR_PROOF_RIGHT] = SR_OUTCOME_RIGHT,
        [SR_PROOF_WRONG] = SR_OUTCOME_WRONG,
        [SR_PROOF_UNAVAILABLE] = SR_OUTCOME_NEITHER,
    };
    struct sr_settled settled =
        sr_enclosed_settle(enclosed, way, outcome[proof]);

    trouble_event(door, enclosed);
    lockout_events(door, &settled);
    if (settled.began_lockout || settled.ended_lockout)
        sr_door_publish_lockout(door, enclosed, is_known);
    if (settled.result != SR_STORE_OK && proof != SR_PROOF_RIGHT)
        return refuse_unrecorded(door, settled.result);
    if (settled.result != SR_STORE_OK) /* failures stay: stricter, not wrong */
        sr_door_event(door, SR_EVENT_STATE, "failed",
                      sr_store_strerror(settled.result), -1);
    if (proof == SR_PROOF_UNAVAILABLE) {
        bool is_local = door->who.last.ops == &sr_backend_local;

        sr_door_event(door, is_local ? SR_EVENT_CRYPTO : SR_EVENT_BACKEND_DOWN,
                      "failed", door->who.reason, PAM_AUTHINFO_UNAVAIL);
        sr_door_tell_text(door, PAM_ERROR_MSG, SR_TEXT_UNAVAILABLE);
        return SR_VERIFIED_UNAVAILABLE;
    }
    return proof == SR_PROOF_RIGHT ? SR_VERIFIED_RIGHT : SR_VERIFIED_WRONG;
}

enum sr_verified
sr_verify(struct sr_door *door, const char *password)
{
    struct sr_attempt_who who = counted_as(door, password);
    struct sr_enclosed *enclosed = NULL;
    enum sr_verified verified;
    struct sr_fleet_way way;
    enum sr_begin answer;

    if (is_probe(door, password)) {
        prove(door, NULL, password);
        return SR_VERIFIED_WRONG;
    }
    answer = begin(door, &who, false, &way, &enclosed);
    if (answer == SR_BEGIN_GO) {
        /* An unknown name, and sshd's stand-in, are proved against nothing. */
        struct sr_account *account =
            who.is_known && sr_door_knows(door) ? door->who.account : NULL;

        verified = settle(door, enclosed, &way, prove(door, account, password),
                          who.is_known);
        if (verified == SR_VERIFIED_RIGHT)
            sr_gather_temporary(&door->who, sr_attempt_temporary(
                                                sr_enclosed_attempt(enclosed)));
    } else {
        verified =
            not_begun(door, answer, enclosed, &way, password, who.is_known);
    }
    sr_enclosed_free(enclosed, false);
    return verified;
}

/* An attempt that another module decides, with what its events will say. */
struct guard {
    struct sr_enclosed *enclosed;
    char *name;   /* who was counted: the name as typed, */
    uid_t uid;    /* and, when it is not (uid_t)-1, the account */
    bool is_ours; /* which is one of a backend of ours */
    char *conf;   /* the line's configuration, or NULL */
    struct sr_event event;
    char *user; /* these are what event points to */
    char *service;
    char *terminal;
    char source[SR_SOURCE_MAX];
};

static void
guard_free(struct guard *guard, bool copy)
{
    if (guard == NULL)
        return;
    sr_enclosed_free(guard->enclosed, copy);
    free(guard->name);
    free(guard->conf);
    free(guard->user);
    free(guard->service);
    free(guard->terminal);
    free(guard);
}

/* A lockout that was recorded ahead has been left, or taken back: whoever
 * published the account in between has to be corrected.  `began`: the fleet's
 * has begun. */
static void
guard_publish(struct guard *guard, bool began)
{
    if (began ||
        sr_attempt_ahead(sr_enclosed_attempt(guard->enclosed)).began_lockout)
        sr_publish_later(guard->conf, guard->enclosed,
                         guard->is_ours ? guard->name : NULL, &guard->event);
}

/* The failure recorded ahead stands: tell of the lockout it began, here or
 * (`began`) in the fleet. */
static void
guard_stands(struct guard *guard, bool began)
{
    const struct sr_settled ahead =
        sr_attempt_ahead(sr_enclosed_attempt(guard->enclosed));

    guard->event.id = SR_EVENT_THROTTLED;
    if (began || ahead.began_lockout)
        sr_event_send(&guard->event);
    guard->event.id = SR_EVENT_SOURCE_THROTTLED;
    if (ahead.began_source_lockout)
        sr_event_send(&guard->event);
}

/*
 * Settle when the stack is over.  The configuration has gone with its call; and
 * what was kept of connections is not for a process copy, nor for the end of
 * the handle, which has no order.  Returns whether a lockout has begun.
 */
static bool
guard_settle(struct guard *guard, enum sr_outcome outcome)
{
    const char *backend = sr_enclosed_backend(guard->enclosed);
    struct sr_config_errors errors = {0};
    struct sr_fleet_way way = {.is_there = false};
    struct sr_config *config = NULL;
    struct sr_settled settled;

    if (backend != NULL) {
        config = sr_config_load(guard->conf, &errors);
        sr_config_errors_free(&errors);
    }
    if (config != NULL)
        way = sr_fleet_way_back(config, NULL, backend);
    settled = sr_enclosed_settle(guard->enclosed, &way, outcome);
    guard->event.id = SR_EVENT_FLEET_AWAY;
    guard->event.result = "failed";
    guard->event.cause = sr_enclosed_trouble(guard->enclosed);
    if (guard->event.cause != NULL)
        sr_event_send(&guard->event);
    guard->event.result = NULL;
    guard->event.cause = NULL;
    sr_config_free(config);
    return settled.began_lockout;
}

/*
 * libpam's cleanup of a guard that was never settled.  The failure recorded
 * ahead stands, except when the stack ended because a backend was away: that
 * was nobody's guess.
 */
static void
guard_cleanup(pam_handle_t *pamh, void *data, int status)
{
    unsigned bits = (unsigned)status;
    bool copy = (bits & PAM_DATA_SILENT) != 0;
    bool replaced = (bits & PAM_DATA_REPLACE) != 0;
    unsigned code = bits & ~(unsigned)(PAM_DATA_SILENT | PAM_DATA_REPLACE);
    struct guard *guard = data;
    bool began = false;

    (void)pamh;
    if (guard->enclosed == NULL)
        copy = true; /* settled: nothing is left to tell or to do */
    if (!copy && !replaced && code == PAM_AUTHINFO_UNAVAIL) {
        guard_settle(guard, SR_OUTCOME_NEITHER);
    } else if (!copy) {
        if (sr_enclosed_backend(guard->enclosed) != NULL)
            began = guard_settle(guard, SR_OUTCOME_WRONG);
        guard_stands(guard, began);
    }
    if (!copy)
        guard_publish(guard, began);
    guard_free(guard, copy);
}

static char *
copy_of(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

/* Keep the attempt in the handle.  On failure it is still the caller's. */
static int
guard_keep(struct sr_door *door, struct sr_enclosed *enclosed, bool exists)
{
    struct guard *guard = calloc(1, sizeof(*guard));
    int code;

    if (guard == NULL)
        return PAM_BUF_ERR;
    guard->name = copy_of(door->user);
    guard->uid = exists ? door->nss_uid : (uid_t)-1;
    guard->is_ours = exists && sr_door_knows(door);
    guard->conf = copy_of(door->args.conf);
    guard->user = exists ? copy_of(door->user) : NULL;
    guard->service = copy_of(door->service);
    guard->terminal = copy_of(door->tty);
    memcpy(guard->source, door->source.text, sizeof(guard->source));
    guard->event.user = guard->user;
    guard->event.uid = exists ? door->nss_uid : (uid_t)-1;
    guard->event.service = guard->service;
    guard->event.terminal = guard->terminal;
    guard->event.source = guard->source;
    guard->event.channel = door->channel;
    guard->event.pam_code = -1;
    guard->enclosed = enclosed;
    code = pam_set_data(door->pamh, GUARD_DATA, guard, guard_cleanup);
    if (code != PAM_SUCCESS) {
        guard->enclosed = NULL;
        guard_free(guard, false);
    }
    return code;
}

/* The guard that the handle keeps, or NULL. */
static struct guard *
guard_find(const struct sr_door *door)
{
    const void *data = NULL;

    if (pam_get_data(door->pamh, GUARD_DATA, &data) != PAM_SUCCESS)
        return NULL;
    return (struct guard *)(uintptr_t)data; /* libpam says const; it is ours */
}

void
sr_verify_guard_end(struct sr_door *door)
{
    if (guard_find(door) != NULL)
        pam_set_data(door->pamh, GUARD_DATA, NULL, NULL);
}

/* Whether the guard was about the user that the handle is about now. */
static bool
guard_is_for(const struct guard *guard, const struct sr_door *door)
{
    if (guard->uid != (uid_t)-1)
        return guard->uid == door->nss_uid;
    return guard->name != NULL && strcmp(guard->name, door->user) == 0;
}

enum sr_verified
sr_verify_guard(struct sr_door *door, const char *password)
{
    struct sr_attempt_who who = counted_as(door, password);
    struct sr_enclosed *enclosed = NULL;
    struct sr_fleet_way way;
    enum sr_begin answer;

    if (is_probe(door, password))
        return SR_VERIFIED_RIGHT; /* not counted; the next module refuses it */
    answer = begin(door, &who, true, &way, &enclosed);
    if (answer == SR_BEGIN_GO) {
        if (guard_keep(door, enclosed, who.is_known) == PAM_SUCCESS)
            return SR_VERIFIED_RIGHT;
        sr_enclosed_settle(enclosed, &way, SR_OUTCOME_NEITHER);
        sr_enclosed_free(enclosed, false);
        return SR_VERIFIED_UNAVAILABLE;
    }
    not_begun(door, answer, enclosed, &way, password, who.is_known);
    sr_enclosed_free(enclosed, false);
    return answer == SR_BEGIN_LOCKED ? SR_VERIFIED_LOCKED
                                     : SR_VERIFIED_UNAVAILABLE;
}

bool
sr_verify_settle(struct sr_door *door)
{
    struct guard *guard = guard_find(door);
    struct sr_fleet_way way = {.is_there = false};
    struct sr_settled settled;

    if (guard == NULL)
        return false;
    if (!guard_is_for(guard, door)) {
        sr_verify_guard_end(door); /* another one's success proves nothing */
        return false;
    }
    if (sr_enclosed_backend(guard->enclosed) != NULL)
        way = sr_fleet_way_back(door->config, door->who.link,
                                sr_enclosed_backend(guard->enclosed));
    settled = sr_enclosed_settle(guard->enclosed, &way, SR_OUTCOME_RIGHT);
    trouble_event(door, guard->enclosed);
    if (settled.result != SR_STORE_OK)
        sr_door_event(door, SR_EVENT_STATE, "failed",
                      sr_store_strerror(settled.result), -1);
    if (settled.ended_lockout)
        sr_door_publish_lockout(door, guard->enclosed, guard->is_ours);
    /* Settled: what was recorded ahead is taken back, and so is its event. */
    sr_enclosed_free(guard->enclosed, false);
    guard->enclosed = NULL;
    pam_set_data(door->pamh, GUARD_DATA, NULL, NULL);
    return true;
}
