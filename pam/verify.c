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
#include <stdio.h>
#include <string.h>

#include "policy/config/account_rules.h"
#include "pam/internal.h"
#include "policy/backend/registry.h"

#define GUARD_DATA "selfreset_guard"

/*
 * Whom an attempt is counted against.  sshd's stand-in password is not the
 * person's: it must not lock the account, but must look like any unknown name,
 * so it counts as one.
 */
static struct sr_subject
counted_as(const struct sr_pam_context *ctx, const char *password)
{
    bool known = (sr_context_knows(ctx) || ctx->nss_uid != (uid_t)-1) &&
                 !sr_is_sshd_fake(password);
    struct sr_subject subject = {
        .is_known = known,
        .uid =
            sr_context_knows(ctx) ? ctx->txn.account->facts.uid : ctx->nss_uid,
        .name = ctx->user,
        .secret = sr_context_knows(ctx) ? ctx->txn.account->secret : NULL,
        .source = &ctx->source,
        .rules = &ctx->txn.rules,
    };

    return subject;
}

/* Whether an empty password is verified: sr_rules_allow_empty().  Directories
 * take an empty password for no password at all. */
static bool
may_be_empty(const struct sr_pam_context *ctx)
{
    return sr_context_knows(ctx) && ctx->txn.account->verifier.config == NULL &&
           sr_rules_allow_empty(&ctx->txn.rules,
                                (ctx->flags & PAM_DISALLOW_NULL_AUTHTOK) == 0);
}

/* An empty password that cannot be right: sshd probes with it.  Not counted. */
static bool
is_probe(const struct sr_pam_context *ctx, const char *password)
{
    return password[0] == '\0' && !may_be_empty(ctx);
}

/* Prove a password of the account, or with NULL do the same work for nothing,
 * which is that of the account's backend, or of the one that was asked last. */
static enum sr_verify_result
prove(struct sr_pam_context *ctx, struct sr_account *account,
      const char *password)
{
    struct sr_transaction *txn = &ctx->txn;

    struct sr_call call = sr_call_make(
        sr_context_knows(ctx) ? &txn->account->verifier : &txn->last,
        txn->connections);
    const enum sr_verify_result result =
        sr_backend_verify(&call, account, password, may_be_empty(ctx));

    snprintf(txn->reason, sizeof(txn->reason), "%s", call.error.text);
    txn->why = call.error.code;
    return result;
}

/* Tell of a directory that counts for all hosts and could not be asked. */
static void
trouble_event(struct sr_pam_context *ctx, struct sr_verification *enclosed)
{
    const char *why =
        enclosed == NULL ? NULL : sr_verification_trouble(enclosed);

    if (why != NULL)
        sr_context_event(ctx, SR_EVENT_SHARED_AWAY, "failed", why, -1);
}

/* Begin to verify a password, and tell what came in between. */
static enum sr_begin
begin(struct sr_pam_context *ctx, const struct sr_subject *subject, bool ahead,
      struct sr_shared_ledger *way, struct sr_verification **enclosed)
{
    enum sr_begin answer;

    *way = sr_shared_ledger(&ctx->txn, subject->is_known, ctx->args.backend);
    answer = sr_verification_begin(NULL, NULL, subject, way, ahead, enclosed);
    trouble_event(ctx, *enclosed);
    return answer;
}

static enum sr_verified
refuse_locked(struct sr_pam_context *ctx, struct sr_verification *enclosed,
              const struct sr_shared_ledger *way, const char *password,
              bool is_known)
{
    struct sr_message_context say = sr_context_message(ctx);
    sr_time until = sr_verification_until(enclosed);
    struct sr_settled settled;

    prove(ctx, NULL, password);
    settled = sr_verification_settle(enclosed, way, SR_OUTCOME_WRONG);
    trouble_event(ctx, enclosed);
    if (sr_verification_by_fleet(enclosed)) /* perhaps heard of only now */
        sr_context_publish_lockout(ctx, enclosed, is_known);
    if (settled.result != SR_STORE_OK)
        sr_context_event(ctx, SR_EVENT_STATE, "failed",
                         sr_store_strerror(settled.result), -1);
    sr_context_event(ctx, SR_EVENT_REFUSED_LOCKED, "failed",
                     sr_attempt_by_source(sr_verification_attempt(enclosed))
                         ? "SR-2203"
                         : "SR-2201",
                     PAM_AUTH_ERR);
    if (sr_config_reveals(ctx->config, ctx->source.is_remote))
        sr_context_tell(ctx, PAM_ERROR_MSG, sr_message_lockout(until, &say));
    return SR_VERIFIED_LOCKED;
}

static enum sr_verified
refuse_unrecorded(struct sr_pam_context *ctx, enum sr_store_result why)
{
    sr_context_event(ctx, SR_EVENT_STATE, "failed", sr_store_strerror(why),
                     PAM_AUTHINFO_UNAVAIL);
    sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_NOT_RECORDED);
    return SR_VERIFIED_UNAVAILABLE;
}

/* What every beginning but GO comes to. */
static enum sr_verified
not_begun(struct sr_pam_context *ctx, enum sr_begin answer,
          struct sr_verification *enclosed, const struct sr_shared_ledger *way,
          const char *password, bool is_known)
{
    const struct sr_attempt *attempt =
        enclosed == NULL ? NULL : sr_verification_attempt(enclosed);

    if (answer == SR_BEGIN_LOCKED)
        return refuse_locked(ctx, enclosed, way, password, is_known);
    if (answer == SR_BEGIN_BUSY) {
        sr_context_event(ctx, SR_EVENT_BUSY, "failed", NULL,
                         PAM_AUTHINFO_UNAVAIL);
        sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_BUSY);
        return SR_VERIFIED_UNAVAILABLE;
    }
    return refuse_unrecorded(ctx, attempt == NULL ? SR_STORE_FAILED
                                                  : sr_attempt_error(attempt));
}

static void
lockout_events(struct sr_pam_context *ctx, const struct sr_settled *settled)
{
    if (settled->began_lockout)
        sr_context_event(ctx, SR_EVENT_THROTTLED, NULL, NULL, -1);
    if (settled->began_source_lockout)
        sr_context_event(ctx, SR_EVENT_SOURCE_THROTTLED, NULL, NULL, -1);
}

static enum sr_verified
settle(struct sr_pam_context *ctx, struct sr_verification *enclosed,
       const struct sr_shared_ledger *way, enum sr_verify_result proof,
       bool is_known)
{
    static const enum sr_outcome outcome[] = {
        [SR_VERIFY_RIGHT] = SR_OUTCOME_RIGHT,
        [SR_VERIFY_WRONG] = SR_OUTCOME_WRONG,
        [SR_VERIFY_UNAVAILABLE] = SR_OUTCOME_NEITHER,
    };
    struct sr_settled settled =
        sr_verification_settle(enclosed, way, outcome[proof]);

    trouble_event(ctx, enclosed);
    lockout_events(ctx, &settled);
    if (settled.began_lockout || settled.ended_lockout)
        sr_context_publish_lockout(ctx, enclosed, is_known);
    if (settled.result != SR_STORE_OK && proof != SR_VERIFY_RIGHT)
        return refuse_unrecorded(ctx, settled.result);
    if (settled.result != SR_STORE_OK) /* failures stay: stricter, not wrong */
        sr_context_event(ctx, SR_EVENT_STATE, "failed",
                         sr_store_strerror(settled.result), -1);
    if (proof == SR_VERIFY_UNAVAILABLE) {
        bool is_local = ctx->txn.last.ops == &sr_backend_local;

        sr_context_event(ctx,
                         is_local ? SR_EVENT_CRYPTO : SR_EVENT_BACKEND_DOWN,
                         "failed", ctx->txn.reason, PAM_AUTHINFO_UNAVAIL);
        sr_context_tell_text(ctx, PAM_ERROR_MSG, sr_context_outage(ctx));
        return SR_VERIFIED_UNAVAILABLE;
    }
    return proof == SR_VERIFY_RIGHT ? SR_VERIFIED_RIGHT : SR_VERIFIED_WRONG;
}

enum sr_verified
sr_verify(struct sr_pam_context *ctx, const char *password)
{
    struct sr_subject subject = counted_as(ctx, password);
    struct sr_verification *enclosed = NULL;
    enum sr_verified verified;
    struct sr_shared_ledger way;
    enum sr_begin answer;

    if (is_probe(ctx, password)) {
        prove(ctx, NULL, password);
        return SR_VERIFIED_WRONG;
    }
    answer = begin(ctx, &subject, false, &way, &enclosed);
    if (answer == SR_BEGIN_GO) {
        /* An unknown name, and sshd's stand-in, are proved against nothing. */
        struct sr_account *account =
            subject.is_known && sr_context_knows(ctx) ? ctx->txn.account : NULL;

        verified = settle(ctx, enclosed, &way, prove(ctx, account, password),
                          subject.is_known);
        if (verified == SR_VERIFIED_RIGHT)
            sr_transaction_set_temporary(
                &ctx->txn,
                sr_attempt_temporary(sr_verification_attempt(enclosed)));
    } else {
        verified =
            not_begun(ctx, answer, enclosed, &way, password, subject.is_known);
    }
    sr_verification_free(enclosed, false);
    return verified;
}

/* An attempt that another module decides, with what its events will say. */
struct guard {
    struct sr_verification *enclosed;
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
    sr_verification_free(guard->enclosed, copy);
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
    if (began || sr_attempt_ahead(sr_verification_attempt(guard->enclosed))
                     .began_lockout)
        sr_publish_later(guard->conf, guard->enclosed,
                         guard->is_ours ? guard->name : NULL, &guard->event);
}

/* The failure recorded ahead stands: tell of the lockout it began, here or
 * (`began`) in the fleet. */
static void
guard_stands(struct guard *guard, bool began)
{
    const struct sr_settled ahead =
        sr_attempt_ahead(sr_verification_attempt(guard->enclosed));

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
    const char *backend = sr_verification_backend(guard->enclosed);
    struct sr_config_errors errors = {0};
    struct sr_shared_ledger way = {.is_there = false};
    struct sr_config *config = NULL;
    struct sr_settled settled;

    if (backend != NULL) {
        config = sr_config_load(guard->conf, &errors);
        sr_config_errors_free(&errors);
    }
    if (config != NULL)
        way = sr_shared_ledger_open_by_name(config, NULL, backend);
    settled = sr_verification_settle(guard->enclosed, &way, outcome);
    guard->event.id = SR_EVENT_SHARED_AWAY;
    guard->event.result = "failed";
    guard->event.cause = sr_verification_trouble(guard->enclosed);
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
        if (sr_verification_backend(guard->enclosed) != NULL)
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
guard_keep(struct sr_pam_context *ctx, struct sr_verification *enclosed,
           bool exists)
{
    struct guard *guard = calloc(1, sizeof(*guard));
    int code;

    if (guard == NULL)
        return PAM_BUF_ERR;
    guard->name = copy_of(ctx->user);
    guard->uid = exists ? ctx->nss_uid : (uid_t)-1;
    guard->is_ours = exists && sr_context_knows(ctx);
    guard->conf = copy_of(ctx->args.conf);
    guard->user = exists ? copy_of(ctx->user) : NULL;
    guard->service = copy_of(ctx->service);
    guard->terminal = copy_of(ctx->tty);
    memcpy(guard->source, ctx->source.text, sizeof(guard->source));
    guard->event.user = guard->user;
    guard->event.uid = exists ? ctx->nss_uid : (uid_t)-1;
    guard->event.service = guard->service;
    guard->event.terminal = guard->terminal;
    guard->event.source = guard->source;
    guard->event.channel = ctx->channel;
    guard->event.pam_code = -1;
    guard->enclosed = enclosed;
    code = pam_set_data(ctx->pamh, GUARD_DATA, guard, guard_cleanup);
    if (code != PAM_SUCCESS) {
        guard->enclosed = NULL;
        guard_free(guard, false);
    }
    return code;
}

/* The guard that the handle keeps, or NULL. */
static struct guard *
guard_find(const struct sr_pam_context *ctx)
{
    const void *data = NULL;

    if (pam_get_data(ctx->pamh, GUARD_DATA, &data) != PAM_SUCCESS)
        return NULL;
    return (struct guard *)(uintptr_t)data; /* libpam says const; it is ours */
}

void
sr_verify_guard_end(struct sr_pam_context *ctx)
{
    if (guard_find(ctx) != NULL)
        pam_set_data(ctx->pamh, GUARD_DATA, NULL, NULL);
}

/* Whether the guard was about the user that the handle is about now. */
static bool
guard_is_for(const struct guard *guard, const struct sr_pam_context *ctx)
{
    if (guard->uid != (uid_t)-1)
        return guard->uid == ctx->nss_uid;
    return guard->name != NULL && strcmp(guard->name, ctx->user) == 0;
}

enum sr_verified
sr_verify_guard(struct sr_pam_context *ctx, const char *password)
{
    struct sr_subject subject = counted_as(ctx, password);
    struct sr_verification *enclosed = NULL;
    struct sr_shared_ledger way;
    enum sr_begin answer;

    if (is_probe(ctx, password))
        return SR_VERIFIED_RIGHT; /* not counted; the next module refuses it */
    answer = begin(ctx, &subject, true, &way, &enclosed);
    if (answer == SR_BEGIN_GO) {
        if (guard_keep(ctx, enclosed, subject.is_known) == PAM_SUCCESS)
            return SR_VERIFIED_RIGHT;
        sr_verification_settle(enclosed, &way, SR_OUTCOME_NEITHER);
        sr_verification_free(enclosed, false);
        return SR_VERIFIED_UNAVAILABLE;
    }
    not_begun(ctx, answer, enclosed, &way, password, subject.is_known);
    sr_verification_free(enclosed, false);
    return answer == SR_BEGIN_LOCKED ? SR_VERIFIED_LOCKED
                                     : SR_VERIFIED_UNAVAILABLE;
}

bool
sr_verify_settle(struct sr_pam_context *ctx)
{
    struct guard *guard = guard_find(ctx);
    struct sr_shared_ledger way = {.is_there = false};
    struct sr_settled settled;

    if (guard == NULL)
        return false;
    if (!guard_is_for(guard, ctx)) {
        sr_verify_guard_end(ctx); /* another one's success proves nothing */
        return false;
    }
    if (sr_verification_backend(guard->enclosed) != NULL)
        way = sr_shared_ledger_open_by_name(
            ctx->config, ctx->txn.connections,
            sr_verification_backend(guard->enclosed));
    settled = sr_verification_settle(guard->enclosed, &way, SR_OUTCOME_RIGHT);
    trouble_event(ctx, guard->enclosed);
    if (settled.result != SR_STORE_OK)
        sr_context_event(ctx, SR_EVENT_STATE, "failed",
                         sr_store_strerror(settled.result), -1);
    if (settled.ended_lockout)
        sr_context_publish_lockout(ctx, guard->enclosed, guard->is_ours);
    /* Settled: what was recorded ahead is taken back, and so is its event. */
    sr_verification_free(guard->enclosed, false);
    guard->enclosed = NULL;
    pam_set_data(ctx->pamh, GUARD_DATA, NULL, NULL);
    return true;
}
