/*
 * Verify: one password of the account of a transaction, under the throttle.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "policy/account/former.h"
#include "policy/account/publishing.h"
#include "policy/account/verify.h"
#include "policy/backend/local/mixture.h"
#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "policy/util/clock.h"
#include "policy/util/crypt.h"
#include "policy/util/words.h"

static struct sr_verify_outcome
outcome_of(enum sr_verified verified)
{
    return (struct sr_verify_outcome){.verified = verified,
                                      .until = SR_TIME_UNKNOWN};
}

/* The account or name that an attempt is counted against.  A stand-in is not
 * the person's password: it counts as one for a name that does not exist. */
static struct sr_subject
counted_as(const struct sr_transaction *txn)
{
    const struct sr_subject subject = {
        .is_known = txn->uid != (uid_t)-1 && !txn->context.is_stand_in,
        .id = sr_transaction_identity(txn),
        .secret = txn->account != NULL ? txn->account->secret : NULL,
        .source = &txn->context.source,
        .rules = &txn->rules,
    };

    return subject;
}

bool
sr_verify_may_be_empty(const struct sr_transaction *txn)
{
    return txn->account != NULL && txn->account->verifier.config == NULL &&
           sr_rules_allow_empty(&txn->rules, txn->context.allow_empty);
}

/* An empty password that cannot be right: sshd probes with it.  Not counted. */
static bool
is_probe(const struct sr_transaction *txn, const char *password)
{
    return password[0] == '\0' && !sr_verify_may_be_empty(txn);
}

/* A bind can show that the directory's own lock has ended, or that there is
 * one; a lockout that was counted here stays. */
static void
renew_lockout(struct sr_transaction *txn)
{
    const struct sr_lockout own = sr_lockout_of(&txn->account->facts);
    const bool is_counted = txn->lockout.why == SR_LOCK_WHY_THROTTLE ||
                            txn->lockout.why == SR_LOCK_WHY_SOURCE;

    txn->lockout = is_counted ? sr_lockout_merge(own, txn->lockout) : own;
}

/*
 * A bind has decided, in place of Kerberos: log why, and refuse a password that
 * was replaced here, which the directory may still bind.
 */
static enum sr_verify_result
check_bind(struct sr_transaction *txn, const char *password,
           enum sr_verify_result proof)
{
    enum sr_used used = SR_USED_NO;

    if (proof == SR_VERIFY_RIGHT)
        used = sr_former_is(txn, password);
    sr_transaction_event(
        txn, SR_EVENT_BY_BIND,
        proof == SR_VERIFY_RIGHT && used == SR_USED_NO ? "ok" : "failed",
        txn->reason, -1);
    if (used == SR_USED_NO)
        return proof;
    if (used == SR_USED_YES)
        return SR_VERIFY_WRONG;
    snprintf(
        txn->reason, sizeof(txn->reason),
        N_LOG(
            "it is not known whether the password was replaced on this host"));
    txn->why = SR_ERROR_OTHER;
    return SR_VERIFY_UNAVAILABLE;
}

static enum sr_verify_result
ask_backend(struct sr_transaction *txn, struct sr_account *account,
            const char *password)
{
    struct sr_call call = sr_call_make(
        txn->account != NULL ? &txn->account->verifier : &txn->last,
        txn->connections);
    enum sr_verify_result result = sr_backend_verify(
        &call, account, password, sr_verify_may_be_empty(txn));

    snprintf(txn->reason, sizeof(txn->reason), "%s", call.error.text);
    txn->why = call.error.code;
    if (account != NULL && account->is_by_bind)
        result = check_bind(txn, password, result);
    if (account != NULL)
        renew_lockout(txn);
    return result;
}

/* The same work without a result, with random letters of the password's length.
 */
static enum sr_verify_result
ask_in_vain(struct sr_transaction *txn, const char *password)
{
    char decoy[SR_PASSWORD_BYTES_MAX + 1];
    const size_t length = strnlen(password, sizeof(decoy) - 1);

    memset(decoy, 0, sizeof(decoy));
    if (getrandom(decoy, length, 0) != (ssize_t)length)
        memset(decoy, '!', length);
    for (size_t i = 0; i < length; i++)
        decoy[i] = (char)('0' + ((unsigned char)decoy[i] & 0x3f));
    return ask_backend(txn, NULL, decoy);
}

/* Send the event of a directory that counts for all hosts and could not be
 * asked. */
static void
trouble_event(struct sr_transaction *txn, struct sr_verification *attempt)
{
    const char *why = attempt == NULL ? NULL : sr_verification_trouble(attempt);

    if (why != NULL)
        sr_transaction_event(txn, SR_EVENT_SHARED_AWAY, "failed", why, -1);
}

static void
state_event(struct sr_transaction *txn, enum sr_store_result why, int code)
{
    sr_transaction_event(txn, SR_EVENT_STATE, "failed", sr_store_strerror(why),
                         code);
}

static void
lockout_events(struct sr_transaction *txn, const struct sr_settled *settled)
{
    if (settled->began_lockout)
        sr_transaction_event(txn, SR_EVENT_THROTTLED, NULL, NULL, -1);
    if (settled->began_source_lockout)
        sr_transaction_event(txn, SR_EVENT_SOURCE_THROTTLED, NULL, NULL, -1);
}

static struct sr_verify_outcome
refuse_locked(struct sr_transaction *txn, struct sr_verification *attempt,
              const struct sr_shared_ledger *way, const char *password,
              bool is_known)
{
    struct sr_verify_outcome outcome = {
        .verified = SR_VERIFIED_LOCKED,
        .is_by_source = sr_attempt_by_source(sr_verification_attempt(attempt)),
        .until = sr_verification_until(attempt),
    };
    struct sr_settled settled;

    ask_in_vain(txn, password);
    settled = sr_verification_settle(attempt, way, SR_OUTCOME_WRONG);
    trouble_event(txn, attempt);
    if (sr_verification_by_shared_ledger(attempt)) /* perhaps known only now */
        sr_transaction_publish_lockout(txn, sr_verification_locks(attempt),
                                       is_known);
    if (settled.result != SR_STORE_OK)
        state_event(txn, settled.result, -1);
    sr_transaction_event(txn, SR_EVENT_REFUSED_LOCKED, "failed",
                         outcome.is_by_source ? "SR-2203" : "SR-2201",
                         sr_transaction_code(txn, SR_ANSWER_WRONG));
    return outcome;
}

static struct sr_verify_outcome
refuse_unrecorded(struct sr_transaction *txn, enum sr_store_result why)
{
    state_event(txn, why, sr_transaction_code(txn, SR_ANSWER_UNAVAILABLE));
    return outcome_of(SR_VERIFIED_UNRECORDED);
}

/* Report a damaged file of the state, which has been repaired or moved aside.
 */
static void
damage_event(const struct sr_transaction *txn,
             const struct sr_verification *attempt)
{
    const char *path =
        attempt == NULL ? NULL
                        : sr_attempt_damage(sr_verification_attempt(attempt));

    if (path != NULL)
        sr_transaction_event(txn, SR_EVENT_STATE, "failed", path, -1);
}

static struct sr_verify_outcome
backend_is_away(struct sr_transaction *txn)
{
    const bool is_local = txn->last.ops == &sr_backend_local;

    sr_transaction_event(
        txn, is_local ? SR_EVENT_CRYPTO : sr_transaction_outage_event(txn),
        "failed", txn->reason, sr_transaction_code(txn, SR_ANSWER_UNAVAILABLE));
    return outcome_of(SR_VERIFIED_UNAVAILABLE);
}

/* Root with the right password at the console has to come in whatever is
 * broken: only root can correct it.  Slots that are all in use are no such
 * fault: that would be a way to guess without being counted. */
static bool
goes_unrecorded(const struct sr_transaction *txn)
{
    return txn->account != NULL && txn->uid == 0 && !txn->context.is_stand_in &&
           strcmp(txn->context.source.text, "console") == 0;
}

static struct sr_verify_outcome
verify_unrecorded(struct sr_transaction *txn,
                  const struct sr_verification *attempt, const char *password)
{
    const enum sr_verify_result proof =
        ask_backend(txn, txn->account, password);

    state_event(txn,
                attempt == NULL
                    ? SR_STORE_FAILED
                    : sr_attempt_error(sr_verification_attempt(attempt)),
                -1);
    if (proof == SR_VERIFY_UNAVAILABLE)
        return backend_is_away(txn);
    return outcome_of(proof == SR_VERIFY_RIGHT ? SR_VERIFIED_RIGHT
                                               : SR_VERIFIED_WRONG);
}

/* The outcome of every beginning but GO. */
static struct sr_verify_outcome
not_begun(struct sr_transaction *txn, enum sr_begin answer,
          struct sr_verification *attempt, const struct sr_shared_ledger *way,
          const char *password, bool is_known)
{
    if (answer == SR_BEGIN_LOCKED)
        return refuse_locked(txn, attempt, way, password, is_known);
    if (answer == SR_BEGIN_BUSY) {
        sr_transaction_event(txn, SR_EVENT_BUSY, "failed", NULL,
                             sr_transaction_code(txn, SR_ANSWER_UNAVAILABLE));
        return outcome_of(SR_VERIFIED_BUSY);
    }
    return refuse_unrecorded(
        txn, attempt == NULL
                 ? SR_STORE_FAILED
                 : sr_attempt_error(sr_verification_attempt(attempt)));
}

static struct sr_verify_outcome
settle(struct sr_transaction *txn, struct sr_verification *attempt,
       const struct sr_shared_ledger *way, enum sr_verify_result proof,
       bool is_known)
{
    static const enum sr_outcome outcomes[] = {
        [SR_VERIFY_RIGHT] = SR_OUTCOME_RIGHT,
        [SR_VERIFY_WRONG] = SR_OUTCOME_WRONG,
        [SR_VERIFY_UNAVAILABLE] = SR_OUTCOME_NEITHER,
    };
    const bool is_absent = proof == SR_VERIFY_WRONG && txn->account != NULL &&
                           txn->account->is_absent;
    const struct sr_settled settled = sr_verification_settle(
        attempt, way, is_absent ? SR_OUTCOME_NEITHER : outcomes[proof]);
    struct sr_verify_outcome outcome = {
        .verified =
            proof == SR_VERIFY_RIGHT ? SR_VERIFIED_RIGHT : SR_VERIFIED_WRONG,
        .is_absent = is_absent,
        .began_lockout = settled.began_lockout,
        .until = settled.until_wall,
    };

    trouble_event(txn, attempt);
    lockout_events(txn, &settled);
    if (settled.began_lockout || settled.ended_lockout)
        sr_transaction_publish_lockout(txn, sr_verification_locks(attempt),
                                       is_known);
    if (settled.is_late)
        return refuse_unrecorded(txn, SR_STORE_BUSY);
    if (settled.result != SR_STORE_OK && proof != SR_VERIFY_RIGHT)
        return refuse_unrecorded(txn, settled.result);
    if (settled.result != SR_STORE_OK) /* failures stay: stricter, not wrong */
        state_event(txn, settled.result, -1);
    return proof == SR_VERIFY_UNAVAILABLE ? backend_is_away(txn) : outcome;
}

static struct sr_verify_outcome
verify(struct sr_transaction *txn, const char *password)
{
    const struct sr_subject subject = counted_as(txn);
    struct sr_verification *attempt = NULL;
    struct sr_verify_outcome outcome;
    struct sr_shared_ledger way;
    enum sr_begin answer;

    if (is_probe(txn, password)) {
        ask_in_vain(txn, password);
        return outcome_of(SR_VERIFIED_WRONG);
    }
    way = sr_shared_ledger(txn, subject.is_known, txn->only);
    answer = sr_verification_begin(NULL, NULL, &subject, &way, false, &attempt);
    damage_event(txn, attempt);
    trouble_event(txn, attempt);
    if (answer == SR_BEGIN_GO) {
        outcome = settle(txn, attempt, &way,
                         subject.is_known && txn->account != NULL
                             ? ask_backend(txn, txn->account, password)
                             : ask_in_vain(txn, password),
                         subject.is_known);
        if (outcome.verified == SR_VERIFIED_RIGHT)
            sr_transaction_set_temporary(
                txn, sr_attempt_temporary(sr_verification_attempt(attempt)));
    } else if (answer == SR_BEGIN_FAILED && goes_unrecorded(txn)) {
        outcome = verify_unrecorded(txn, attempt, password);
    } else {
        outcome =
            not_begun(txn, answer, attempt, &way, password, subject.is_known);
    }
    sr_verification_free(attempt, false);
    return outcome;
}

/* A refusal leaves at the end of a step, in milliseconds, where its time would
 * distinguish names.  The first is longer than the usual hashes and binds, and
 * short beside the delay that libpam adds; the others are for directories that
 * are far away and for costly hashes.  After the last one it leaves at once. */
static const int64_t steps[] = {250, 1000, 4000, SR_CRYPT_MS_MAX,
                                2 * SR_CRYPT_MS_MAX};

/*
 * Whether the work of a refusal depends on the name: hashes of several costs,
 * or a backend other than the local one, which does other work for a name that
 * it does not have.  `least` is what every refusal has to take, milliseconds:
 * twice the estimate for the costliest hash, for a computer that is slower.
 */
static bool
is_uneven(const struct sr_transaction *txn, int64_t *least)
{
    const struct sr_string_list *backends = &txn->config->backends;
    unsigned costliest;
    const bool is_mixture = sr_local_is_mixture(NULL, &costliest);

    *least = (int64_t)costliest * 2;
    return is_mixture || backends->count > 1 ||
           txn->last.ops != &sr_backend_local;
}

/* Wait for the end of the step that a refusal which began at `began` is in:
 * when the password was there, so that it has the look-up of the account. */
static void
wait_for_step(int64_t began, int64_t least)
{
    const int64_t spent = sr_clock_milliseconds() - began;
    struct timespec rest = {0, 0};
    size_t step = 0;

    while (step < sizeof(steps) / sizeof(steps[0]) &&
           (steps[step] <= spent || steps[step] < least))
        step++;
    if (step < sizeof(steps) / sizeof(steps[0])) {
        rest.tv_sec = (steps[step] - spent) / 1000;
        rest.tv_nsec = (long)((steps[step] - spent) % 1000 * 1000000);
    }
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        continue;
}

struct sr_verify_outcome
sr_verify(struct sr_transaction *txn, const char *password)
{
    const int64_t began = txn->context.answered != 0 ? txn->context.answered
                                                     : sr_clock_milliseconds();
    const struct sr_verify_outcome outcome = verify(txn, password);
    int64_t least;

    /* An outage has waited for its deadline, and is told in any case. */
    if ((outcome.verified == SR_VERIFIED_WRONG ||
         outcome.verified == SR_VERIFIED_LOCKED) &&
        is_uneven(txn, &least))
        wait_for_step(began, least);
    return outcome;
}

char *
sr_verify_message(const struct sr_transaction *txn,
                  const struct sr_verify_outcome *outcome)
{
    const struct sr_message_context say = sr_transaction_message(txn);
    const bool may_tell =
        sr_config_reveals(txn->config, txn->context.source.is_remote);

    switch (outcome->verified) {
    case SR_VERIFIED_RIGHT:
        break;
    case SR_VERIFIED_WRONG:
        if (may_tell && outcome->began_lockout)
            return sr_message_lockout(outcome->until, &say);
        break;
    case SR_VERIFIED_LOCKED:
        if (may_tell)
            return outcome->is_by_source
                       ? sr_message_source_lockout(outcome->until, &say)
                       : sr_message_lockout(outcome->until, &say);
        break;
    case SR_VERIFIED_UNAVAILABLE:
        return sr_message_text(sr_transaction_outage(txn), &say);
    case SR_VERIFIED_BUSY:
        return sr_message_text(SR_TEXT_BUSY, &say);
    case SR_VERIFIED_UNRECORDED:
        return sr_message_text(SR_TEXT_NOT_RECORDED, &say);
    }
    return NULL;
}

/* ---- another module verifies */

struct sr_verify_outcome
sr_verify_ahead(struct sr_transaction *txn, const char *password,
                struct sr_verification **ahead)
{
    const struct sr_subject subject = counted_as(txn);
    struct sr_verify_outcome outcome;
    struct sr_shared_ledger way;
    enum sr_begin answer;

    *ahead = NULL;
    if (is_probe(txn, password))
        return outcome_of(SR_VERIFIED_RIGHT); /* the other module refuses it */
    way = sr_shared_ledger(txn, subject.is_known, txn->only);
    answer = sr_verification_begin(NULL, NULL, &subject, &way, true, ahead);
    damage_event(txn, *ahead);
    trouble_event(txn, *ahead);
    if (answer == SR_BEGIN_GO)
        return outcome_of(SR_VERIFIED_RIGHT);
    outcome = not_begun(txn, answer, *ahead, &way, password, subject.is_known);
    sr_verification_free(*ahead, false);
    *ahead = NULL;
    return outcome;
}

struct sr_verify_outcome
sr_verify_unknown(struct sr_transaction *txn, const char *password,
                  struct sr_verification **ahead)
{
    struct sr_verify_outcome outcome = sr_verify_ahead(txn, password, ahead);
    struct sr_settled settled;

    if (outcome.verified != SR_VERIFIED_RIGHT)
        return outcome;
    outcome.verified = SR_VERIFIED_WRONG;
    if (ask_in_vain(txn, password) == SR_VERIFY_UNAVAILABLE)
        return backend_is_away(txn);
    if (*ahead != NULL) {
        settled = sr_attempt_ahead(sr_verification_attempt(*ahead));
        outcome.began_lockout = settled.began_lockout;
        outcome.until = settled.until_wall;
    }
    return outcome;
}

/* Settle in a later call, or when the transaction ends. */
static struct sr_settled
settle_late(struct sr_transaction *txn, struct sr_verification *ahead,
            enum sr_outcome outcome)
{
    const char *backend = sr_verification_backend(ahead);
    struct sr_shared_ledger way = {.is_there = false};
    struct sr_settled settled;

    if (backend != NULL)
        way = sr_shared_ledger_open_by_name(txn->config, txn->connections,
                                            backend);
    settled = sr_verification_settle(ahead, &way, outcome);
    trouble_event(txn, ahead);
    return settled;
}

static bool
is_known(const struct sr_transaction *txn)
{
    return txn->account != NULL && !txn->context.is_stand_in;
}

void
sr_verify_confirm(struct sr_transaction *txn, struct sr_verification *ahead)
{
    const struct sr_settled settled = settle_late(txn, ahead, SR_OUTCOME_RIGHT);

    if (settled.result != SR_STORE_OK)
        state_event(txn, settled.result, -1);
    if (settled.ended_lockout)
        sr_transaction_publish_lockout(txn, sr_verification_locks(ahead),
                                       is_known(txn));
}

void
sr_verify_let_stand(struct sr_transaction *txn, struct sr_verification *ahead)
{
    struct sr_settled settled =
        sr_attempt_ahead(sr_verification_attempt(ahead));

    if (sr_verification_backend(ahead) != NULL &&
        settle_late(txn, ahead, SR_OUTCOME_WRONG).began_lockout)
        settled.began_lockout = true;
    lockout_events(txn, &settled);
    if (settled.began_lockout)
        sr_transaction_publish_lockout(txn, sr_verification_locks(ahead),
                                       is_known(txn));
}
