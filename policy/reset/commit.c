/*
 * Commit: what is done once the proofs are complete.
 *
 * A new password is stored by chpasswd(8) for a local account, which gets its
 * hash, and by the account's backend in the name of this host's service
 * otherwise.  What follows is that of any change (account/change.h): it is
 * verified, and everything that was counted against the old one is forgotten.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/account/change.h"
#include "policy/account/publishing.h"
#include "policy/backend/registry.h"
#include "policy/reset/commit.h"
#include "policy/reset/limit.h"
#include "policy/reset/notice.h"
#include "policy/reset/renew.h"
#include "policy/throttle/query.h"
#include "policy/util/crypt.h"
#include "policy/util/program.h"
#include "policy/util/words.h"

static bool
is_local(const struct sr_run *run)
{
    return strcmp(run->txn.account->facts.backend, SR_LOCAL) == 0;
}

static enum sr_reset_end
fail(struct sr_run *run, const char *cause)
{
    sr_run_event(run, SR_EVENT_SELF_RESET_FAILED, false, cause);
    if (!run->is_unsure)
        sr_run_say(run, _("Nothing was changed."));
    sr_run_say_help(run);
    return run->is_gone ? SR_RESET_GONE : SR_RESET_REFUSED;
}

/* ---- storing */

static enum sr_write
store_local(const struct sr_run *run, const char *fresh)
{
    static const char *const argv[] = {"chpasswd", "-e", NULL};
    char setting[192], hash[512], input[SR_NAME_MAX + 520];
    struct sr_program program = {
        .argv = argv, .output = -1, .messages = -1, .uid = (uid_t)-1};
    enum sr_write written = SR_WRITE_FAILED;

    if (sr_crypt_setting(setting, sizeof(setting)) == 0 &&
        sr_crypt_hash(fresh, setting, hash, sizeof(hash)) == 0) {
        snprintf(input, sizeof(input), "%s:%s\n", run->txn.account->facts.name,
                 hash);
        program.input = input;
        if (sr_program_run(&program) == 0)
            written = SR_WRITE_DONE;
    }
    explicit_bzero(hash, sizeof(hash));
    explicit_bzero(input, sizeof(input));
    return written;
}

/* In the directory, as the service; the server's policy decides. */
static enum sr_write
store_remote(struct sr_run *run, const char *fresh, enum sr_refusal *refusal)
{
    struct sr_account *account = run->txn.account;
    struct sr_call call = sr_call_make(&account->backend, run->txn.connections);
    const enum sr_write written = sr_backend_administer(
        &call, account, SR_ORDER_GIVE_PASSWORD, fresh, refusal);

    snprintf(run->txn.reason, sizeof(run->txn.reason), "%s", call.error.text);
    if (written == SR_WRITE_DONE && account->skips_history)
        sr_run_event(run, SR_EVENT_HISTORY_SKIPPED, true, NULL);
    return written;
}

/* What an administrator or the owner did since the proofs is not undone. */
static enum sr_answer
check_again(struct sr_run *run, struct sr_password_change *change)
{
    char *text = NULL;
    enum sr_answer answer =
        sr_password_change_check_again(change, &run->txn, &text);

    sr_run_pass_on(run, text);
    if (answer == SR_ANSWER_OK && !sr_run_may_still(run))
        answer = SR_ANSWER_NOT_CHANGED;
    return answer;
}

/* Store it.  SR_ANSWER_TRY_AGAIN: another password may be accepted. */
static enum sr_answer
store(struct sr_run *run, struct sr_password_change *change, const char *fresh,
      int tries_left)
{
    const struct sr_message_context say = sr_transaction_message(&run->txn);
    enum sr_refusal refusal = SR_REFUSAL_OTHER;
    const enum sr_write written = is_local(run)
                                      ? store_local(run, fresh)
                                      : store_remote(run, fresh, &refusal);

    if (written == SR_WRITE_DONE) {
        change->is_stored = !is_local(run);
        return SR_ANSWER_OK;
    }
    sr_run_event(run,
                 written == SR_WRITE_REFUSED ? SR_EVENT_POLICY
                                             : SR_EVENT_BACKEND_DOWN,
                 false, run->txn.reason);
    run->is_unsure = written == SR_WRITE_UNSURE;
    if (written != SR_WRITE_REFUSED) {
        sr_run_pass_on(run, sr_message_text(written == SR_WRITE_UNSURE
                                                ? SR_TEXT_UNSURE
                                                : SR_TEXT_NOT_STORED,
                                            &say));
        return SR_ANSWER_NOT_CHANGED;
    }
    sr_run_pass_on(run, sr_message_refusal(refusal, &run->txn.account->demands,
                                           tries_left, &say));
    return refusal >= SR_REFUSAL_QUALITY ? SR_ANSWER_TRY_AGAIN
                                         : SR_ANSWER_NOT_CHANGED;
}

/* ---- a new password */

/* One try: SR_ANSWER_OK: it may be stored. */
static enum sr_answer
type_password(struct sr_run *run, struct sr_password_change *change,
              int tries_left, char **fresh)
{
    __attribute__((cleanup(sr_run_wipe))) char *again = NULL;
    enum sr_answer answer;
    char *text = NULL;

    *fresh = sr_run_ask(run, false, "%s", _("New password: "));
    if (*fresh == NULL || (*fresh)[0] == '\0')
        return SR_ANSWER_NOT_CHANGED;
    answer = sr_password_change_judge(change, &run->txn, NULL, *fresh,
                                      tries_left, &text);
    if (answer != SR_ANSWER_OK) {
        sr_run_pass_on(run, text);
        return answer;
    }
    free(text);
    again = sr_run_ask(run, false, "%s", _("Retype new password: "));
    if (again == NULL)
        return SR_ANSWER_NOT_CHANGED;
    if (strcmp(*fresh, again) != 0) {
        sr_run_pass_on(run, sr_message_mismatch(tries_left));
        return SR_ANSWER_TRY_AGAIN;
    }
    return SR_ANSWER_OK;
}

/* What was stored is verified, and the rest follows from it. */
static bool
finish(struct sr_run *run, struct sr_password_change *change, const char *fresh)
{
    char *text = NULL;
    bool is_done = false;

    if (sr_transaction_refresh(&run->txn) == SR_STATUS_OK)
        is_done = sr_password_change_finish(change, &run->txn, fresh, &text);
    else
        sr_run_event(run, SR_EVENT_SELF_RESET_FAILED, false, run->txn.reason);
    sr_run_pass_on(run, text);
    run->is_unsure = !is_done;
    if (!is_done)
        sr_run_say(run, _("The new password could not be verified, so it is "
                          "not certain that it was stored. Try to sign in "
                          "with it."));
    return is_done;
}

/* Store and finish; a signal must not come between the password and what is
 * remembered of it. */
static enum sr_answer
store_and_finish(struct sr_run *run, struct sr_password_change *change,
                 const char *fresh, int tries_left)
{
    sigset_t block, before;
    enum sr_answer answer;

    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigaddset(&block, SIGINT);
    sigaddset(&block, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &block, &before);
    answer = check_again(run, change);
    if (answer == SR_ANSWER_OK)
        answer = store(run, change, fresh, tries_left);
    if (answer == SR_ANSWER_OK && !finish(run, change, fresh))
        answer = SR_ANSWER_NOT_CHANGED;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return answer;
}

static bool
choose_password(struct sr_run *run, struct sr_password_change *change)
{
    enum sr_answer answer = SR_ANSWER_TRY_AGAIN;
    char *rules = NULL, *demands = NULL;

    sr_password_change_rules(change, &run->txn, &rules, &demands);
    sr_run_pass_on(run, rules);
    sr_run_pass_on(run, demands);
    for (int left = (int)run->txn.rules.tries - 1;
         answer == SR_ANSWER_TRY_AGAIN && left >= 0; left--) {
        __attribute__((cleanup(sr_run_wipe))) char *fresh = NULL;

        answer = type_password(run, change, left, &fresh);
        if (answer == SR_ANSWER_OK)
            answer = store_and_finish(run, change, fresh, left);
    }
    return answer == SR_ANSWER_OK;
}

/* A directory's own lock is ended by an order of its own. */
static bool
unlock_remote(struct sr_run *run)
{
    struct sr_account *account = run->txn.account;
    struct sr_call call = sr_call_make(&account->backend, run->txn.connections);
    enum sr_refusal refusal;

    if (is_local(run) || account->facts.locked_why != SR_LOCK_WHY_DIRECTORY)
        return true;
    if (sr_backend_administer(&call, account, SR_ORDER_UNLOCK, NULL,
                              &refusal) == SR_WRITE_DONE) {
        run->is_unsure = true;
        return true;
    }
    sr_run_event(run, SR_EVENT_BACKEND_DOWN, false, call.error.text);
    return false;
}

/* What all hosts have counted together; this host's own count is forgotten in
 * any case. */
static void
clear_shared(struct sr_run *run)
{
    const struct sr_shared_ledger ledger =
        sr_shared_ledger(&run->txn, true, NULL);
    char reason[SR_ERROR_TEXT_SIZE] = "";
    size_t count;

    if (ledger.is_there &&
        sr_shared_clear(&ledger, run->txn.account->facts.name, &count, reason,
                        sizeof(reason)) != SR_STATUS_OK)
        sr_run_event(run, SR_EVENT_SHARED_AWAY, false, reason);
}

/* What was proved is used up: its ledgers are emptied. */
static void
clear_ledgers(struct sr_run *run)
{
    const struct sr_identity id = sr_run_identity(run);

    for (int gate = 0; gate < SR_GATE_COUNT; gate++) {
        if ((run->proved >> gate & 1) != 0)
            sr_gate_clear(run->store, &id, (enum sr_gate_id)gate);
    }
}

/* The last sentence, which a greeter may show longer than the others. */
static void
say_changed(struct sr_run *run, bool is_open)
{
    if (!is_open) {
        sr_run_say(run, _("The password was changed and checked, but the "
                          "account is still locked."));
        sr_run_say_help(run);
    } else if (run->peer->is_greeter) {
        /* TRANSLATORS: %s is the name of the user */
        sr_run_say(run, _("Password changed. Now sign in as %s."),
                   run->txn.name);
    } else {
        sr_run_say(run,
                   _("The password was changed and checked. Sign in with it "
                     "now. Reference: %s"),
                   run->ref);
    }
}

static enum sr_reset_end
set_password(struct sr_run *run)
{
    struct sr_password_change change = {.is_reset = true};
    char *text = NULL;
    bool is_done, is_open;

    if (sr_password_change_start(&change, &run->txn, NULL, &text) !=
        SR_ANSWER_OK) {
        sr_run_pass_on(run, text);
        return fail(run, run->txn.reason);
    }
    is_done = choose_password(run, &change);
    explicit_bzero(&change, sizeof(change));
    if (!is_done && !run->is_unsure)
        return fail(run, "not-stored");
    if (!is_done) { /* the owner has to know */
        sr_notice(run, SR_NOTICE_RESET, NULL);
        sr_renew_used(run);
        return fail(run, "unverified");
    }
    is_open = unlock_remote(run);
    clear_shared(run);
    clear_ledgers(run);
    sr_notice(run, SR_NOTICE_RESET, NULL);
    sr_renew_used(run);
    sr_run_say(run, _("A desktop's keyring may still have the old password."));
    say_changed(run, is_open);
    return SR_RESET_DONE;
}

/* ---- unlock only */

static enum sr_reset_end
unlock(struct sr_run *run)
{
    const struct sr_identity id = sr_run_identity(run);
    enum sr_store_result result;
    struct sr_store *store;

    if (sr_transaction_refresh(&run->txn) != SR_STATUS_OK ||
        !sr_run_may_still(run))
        return fail(run, "SR-3014");
    if (!unlock_remote(run))
        return fail(run, "SR-3002");
    result = sr_store_open(NULL, NULL, SR_STORE_WRITE, &store);
    if (result == SR_STORE_OK)
        result = sr_attempt_clear(store, &id, NULL);
    sr_store_close(store);
    if (result != SR_STORE_OK) {
        sr_run_event(run, SR_EVENT_STATE, false, sr_store_strerror(result));
        return fail(run, "SR-3205");
    }
    clear_shared(run);
    sr_run_event(run, SR_EVENT_SELF_UNLOCKED, true, NULL);
    if (sr_transaction_refresh(&run->txn) == SR_STATUS_OK)
        sr_transaction_publish_change(&run->txn);
    clear_ledgers(run);
    sr_notice(run, SR_NOTICE_UNLOCK, NULL);
    sr_renew_used(run);
    sr_run_say(run,
               _("The account is unlocked. Sign in with the password "
                 "that you have. Reference: %s"),
               run->ref);
    return SR_RESET_DONE;
}

/* Whether wrong passwords have locked it out, from any source, here or at any
 * host. */
static bool
is_locked(const struct sr_run *run)
{
    const struct sr_transaction *txn = &run->txn;
    const struct sr_lockout own = sr_lockout_of(&txn->account->facts);
    bool is_out = sr_lockout_is(&own) || sr_lockout_is(&txn->lockout);

    for (int class = 0; class < 2; class ++)
        is_out = is_out || sr_lockout_is(&txn->host.of[class]) ||
                 sr_lockout_is(&txn->shared.of[class]);
    return is_out;
}

/* What is needed of it beside the facts: what this host remembers, and what all
 * hosts have counted, as far as the directory can be asked. */
static bool
read_lockouts(struct sr_run *run)
{
    struct sr_transaction *txn = &run->txn;
    struct sr_shared_ledger ledger;
    char reason[SR_ERROR_TEXT_SIZE] = "";

    if (sr_transaction_refresh(txn) != SR_STATUS_OK ||
        sr_transaction_recall(txn, NULL, &txn->context.source) != SR_STORE_OK)
        return false;
    ledger = sr_shared_ledger(txn, true, NULL);
    if (ledger.is_there && sr_shared_locks_find(&ledger, txn, reason,
                                                sizeof(reason)) != SR_STATUS_OK)
        sr_run_event(run, SR_EVENT_SHARED_AWAY, false, reason);
    return true;
}

/* The end of the minimum age, where it has not come and counts. */
static sr_time
young_until(const struct sr_run *run)
{
    const struct sr_facts *facts = &run->txn.account->facts;
    const sr_time now = sr_transaction_message(&run->txn).now;
    const sr_time from = sr_change_from(facts, &run->txn.rules);

    return run->txn.rules.reset_age != SR_RESET_AGE_ALLOW &&
                   SR_TIME_IS_SET(from) && from > now &&
                   !sr_facts_expired(facts, now) && facts->must_change != SR_YES
               ? from
               : SR_TIME_UNKNOWN;
}

/* The password is too young to be changed: only a lockout can be ended. */
static enum sr_reset_end
unlock_young(struct sr_run *run, sr_time from)
{
    const sr_time now = sr_transaction_message(&run->txn).now;
    char *when = sr_message_when(from, now);

    sr_run_say(run,
               _("This password was changed a short time ago and can be "
                 "changed again %s."),
               when == NULL ? "" : when);
    free(when);
    if (run->txn.rules.reset_age == SR_RESET_AGE_UNLOCK_ONLY && is_locked(run))
        return unlock(run);
    return fail(run, "SR-2102 age");
}

enum sr_reset_end
sr_commit(struct sr_run *run)
{
    sr_time from;

    if (!read_lockouts(run)) {
        sr_run_say(run, _("The account cannot be read now."));
        return fail(run, run->txn.reason);
    }
    if (!sr_run_may_still(run))
        return fail(run, run->obstacle);
    from = young_until(run);
    if (from != SR_TIME_UNKNOWN)
        return unlock_young(run, from);
    if (!is_locked(run))
        return set_password(run);
    sr_run_say(run, _("This account is locked after wrong passwords.\n"
                      " 1  unlock it, and keep the password\n"
                      " 2  unlock it, and choose a new password"));
    switch (sr_run_choose(run, 2)) {
    case 1:
        return unlock(run);
    case 2:
        return set_password(run);
    default:
        return fail(run, "left");
    }
}
