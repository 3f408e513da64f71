/*
 * Change of a password: whether it may happen, and what follows once the new
 * password is known.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>

#include "policy/account/change.h"
#include "policy/account/former.h"
#include "policy/account/never_expired.h"
#include "policy/account/publishing.h"
#include "policy/backend/registry.h"
#include "policy/password/quality.h"
#include "policy/throttle/attempt.h"
#include "policy/throttle/query.h"
#include "policy/util/siphash.h"
#include "policy/util/text.h"

static void
findings_end(struct sr_findings *findings)
{
    sr_findings_free(findings);
}

static char *
text_of(const struct sr_transaction *txn, enum sr_text text)
{
    const struct sr_message_context say = sr_transaction_message(txn);

    return sr_message_text(text, &say);
}

void
sr_password_change_failed(struct sr_password_change *change,
                          const struct sr_transaction *txn, const char *cause,
                          enum sr_answer answer)
{
    if (!change->is_logged)
        sr_transaction_event(txn,
                             change->is_reset ? SR_EVENT_SELF_RESET_FAILED
                                              : SR_EVENT_CHANGE_FAILED,
                             "failed", cause, sr_transaction_code(txn, answer));
    change->is_logged = true;
}

/* ---- whether it may happen */

static enum sr_answer
refuse_state(struct sr_password_change *change, struct sr_transaction *txn,
             enum sr_answer answer, char **text)
{
    const struct sr_message_context say = sr_transaction_message(txn);

    sr_transaction_verdict_event(txn, &change->verdict,
                                 sr_transaction_code(txn, answer));
    sr_password_change_failed(change, txn, sr_state_name(change->verdict.state),
                              answer);
    *text = sr_message_verdict(&change->verdict, answer, &say);
    return answer;
}

static enum sr_answer
refuse_rule(struct sr_password_change *change, struct sr_transaction *txn,
            const struct sr_change *rule, char **text)
{
    const struct sr_message_context say = sr_transaction_message(txn);
    const enum sr_answer answer = rule->result == SR_CHANGE_TOO_YOUNG
                                      ? SR_ANSWER_NOT_CHANGED
                                      : SR_ANSWER_DENIED;

    if (rule->result == SR_CHANGE_REQUIRE_LOGON)
        sr_transaction_event(txn, SR_EVENT_NEEDS_LOGON, "failed", rule->rule,
                             sr_transaction_code(txn, answer));
    else
        sr_password_change_failed(change, txn, rule->rule, answer);
    *text = sr_message_change(rule, &say);
    return answer;
}

static bool
is_only_advice(const struct sr_password_change *change,
               const struct sr_transaction *txn,
               const struct sr_findings *findings)
{
    return !sr_quality_binds(findings, &txn->rules, change->caller.is_admin);
}

/* New passwords cannot be checked: no other one would be accepted. */
static enum sr_answer
refuse_unchecked(struct sr_password_change *change, struct sr_transaction *txn,
                 const struct sr_findings *findings, char **text)
{
    sr_transaction_event(txn, SR_EVENT_QUALITY, "failed",
                         findings->count > 0 ? findings->item[0].text : NULL,
                         sr_transaction_code(txn, SR_ANSWER_NOT_CHANGED));
    change->is_logged = true;
    *text = text_of(txn, SR_TEXT_NO_QUALITY);
    return SR_ANSWER_NOT_CHANGED;
}

/* Whether a new password can be checked at all, before one is thought up. */
static enum sr_answer
check_quality(struct sr_password_change *change, struct sr_transaction *txn,
              char **text)
{
    __attribute__((cleanup(findings_end))) struct sr_findings found = {0};

    if (is_only_advice(change, txn, &found) ||
        sr_quality_rules(&txn->rules, &found) == SR_QUALITY_DONE)
        return SR_ANSWER_OK;
    return refuse_unchecked(change, txn, &found, text);
}

enum sr_answer
sr_password_change_permit(struct sr_password_change *change,
                          struct sr_transaction *txn, char **text)
{
    struct sr_change rule;
    enum sr_answer answer;

    *text = NULL;
    if (sr_transaction_recall(txn, NULL, &txn->context.source) != SR_STORE_OK) {
        sr_transaction_event(txn, SR_EVENT_STATE, "failed", txn->reason,
                             sr_transaction_code(txn, SR_ANSWER_TRY_AGAIN));
        *text = text_of(txn, SR_TEXT_NOT_READ);
        return SR_ANSWER_TRY_AGAIN;
    }
    change->caller = sr_transaction_caller(txn, change->is_forced);
    change->verdict = sr_transaction_verdict(txn, &change->caller);
    rule = sr_change(&txn->account->facts, &txn->rules, &change->caller,
                     sr_transaction_message(txn).now);
    answer = sr_verdict_answer(&change->verdict, SR_CALL_CHANGE, &txn->rules,
                               &change->caller);
    /* All else is known when its owner has proved the current password. */
    if (txn->account->is_closed)
        answer = SR_ANSWER_OK;
    if (answer != SR_ANSWER_OK)
        return refuse_state(change, txn, answer, text);
    if (rule.result != SR_CHANGE_ALLOWED)
        return refuse_rule(change, txn, &rule, text);
    if (change->is_forced && !txn->account->is_closed &&
        !sr_verdict_is_change_due(&change->verdict)) {
        sr_password_change_failed(change, txn, "not-expired",
                                  SR_ANSWER_NOT_CHANGED);
        *text = text_of(txn, SR_TEXT_NOT_DUE);
        return SR_ANSWER_NOT_CHANGED;
    }
    return check_quality(change, txn, text);
}

/* ---- start */

/* The earliest time an entry of the history may be from and still count. */
static sr_time
history_oldest(const struct sr_rules *rules, sr_time now)
{
    return rules->history_age <= 0 ? 0 : now - rules->history_age;
}

/*
 * Load the history once for the change.  It begins, where there is none yet,
 * with the current password, which is known in the clear now and never again.
 * Where former passwords matter it has to have that one in any case.
 */
static enum sr_answer
load_history(struct sr_password_change *change, struct sr_transaction *txn,
             const char *old, char **text)
{
    const unsigned kept = sr_former_kept(txn);
    const struct sr_facts *facts = &txn->account->facts;
    enum sr_store_result result;

    if (kept == 0)
        return SR_ANSWER_OK;
    memset(&change->history, 0, sizeof(change->history));
    result = sr_former_read(txn, &change->history);
    if (result != SR_STORE_OK && result != SR_STORE_NOT_FOUND) {
        sr_transaction_event(txn, SR_EVENT_STATE, "failed",
                             sr_store_strerror(result),
                             sr_transaction_code(txn, SR_ANSWER_NOT_CHANGED));
        *text = text_of(txn, SR_TEXT_NOT_RECORDED);
        return SR_ANSWER_NOT_CHANGED;
    }
    if (old == NULL || old[0] == '\0' ||
        (result == SR_STORE_OK && !sr_former_matters(txn)))
        return SR_ANSWER_OK;
    /* Unless it is the newest entry. */
    switch (sr_history_check(&change->history, old, 1, 0, &change->former)) {
    case SR_USED_YES:
        break;
    case SR_USED_NO:
        sr_history_record(&change->history, &change->former, kept, 0,
                          SR_TIME_IS_SET(facts->password_changed)
                              ? facts->password_changed
                              : sr_transaction_message(txn).now);
        break;
    default:
        return SR_ANSWER_NOT_CHANGED;
    }
    return SR_ANSWER_OK;
}

/* Whether this is still the stored hash that the change began with. */
static bool
is_as_before(const struct sr_password_change *change,
             const struct sr_transaction *txn)
{
    const char *secret = txn->account->secret;

    return sr_siphash(change->key, secret, strlen(secret)) == change->before;
}

/* ---- the new password */

void
sr_password_change_rules(const struct sr_password_change *change,
                         const struct sr_transaction *txn, char **rules,
                         char **demands)
{
    __attribute__((cleanup(findings_end))) struct sr_findings found = {0};

    *rules = NULL;
    *demands = NULL;
    /* An administrator is only advised, and reads of a rule when it is broken:
     * chpasswd sets many passwords in one run. */
    if (is_only_advice(change, txn, &found))
        return;
    if (sr_quality_rules(&txn->rules, &found) == SR_QUALITY_DONE)
        *rules = sr_message_rules(&found);
    *demands = sr_message_demands(&txn->account->demands);
}

/* The history is asked only about a password with nothing else against it. */
static enum sr_quality
check_history(struct sr_password_change *change,
              const struct sr_transaction *txn, const char *fresh,
              struct sr_findings *findings)
{
    const struct sr_rules *rules = &txn->rules;
    const unsigned checked = rules->history == 0 ? 1 : rules->history;
    enum sr_quality quality = SR_QUALITY_DONE;
    char *text;

    if (sr_former_kept(txn) == 0)
        return SR_QUALITY_DONE;
    switch (
        sr_history_check(&change->history, fresh, checked,
                         history_oldest(rules, sr_transaction_message(txn).now),
                         &change->probe)) {
    case SR_USED_NO:
        return SR_QUALITY_DONE;
    case SR_USED_YES:
        if (rules->history == 0) /* it is remembered, and not a rule */
            return SR_QUALITY_DONE;
        text = text_of(txn, SR_TEXT_USED_BEFORE);
        break;
    default:
        sr_findings_free(findings);
        (void)sr_findings_add(findings, "quality",
                              "former passwords cannot be compared");
        return SR_QUALITY_UNAVAILABLE;
    }
    if (text == NULL || sr_findings_add(findings, "hist", text) != 0)
        quality = SR_QUALITY_UNAVAILABLE;
    free(text);
    return quality;
}

/* The ids of the broken rules, for the log: never the texts. */
static void
findings_event(const struct sr_transaction *txn,
               const struct sr_findings *findings, enum sr_answer answer)
{
    char ids[200] = "";

    for (size_t i = 0; i < findings->count; i++) {
        const size_t used = strlen(ids);

        snprintf(ids + used, sizeof(ids) - used, "%s%s", used == 0 ? "" : ",",
                 findings->item[i].id);
    }
    sr_transaction_event(txn, SR_EVENT_POLICY, "failed", ids,
                         sr_transaction_code(txn, answer));
}

enum sr_answer
sr_password_change_judge(struct sr_password_change *change,
                         struct sr_transaction *txn, const char *old,
                         const char *fresh, int tries_left, char **text)
{
    __attribute__((cleanup(findings_end))) struct sr_findings findings = {0};
    struct utsname host;
    const struct sr_candidate candidate = {
        .password = fresh,
        .old = old,
        .user = txn->name,
        .gecos = txn->account->gecos,
        .host = uname(&host) == 0 ? host.nodename : NULL,
    };
    enum sr_quality quality =
        sr_quality_check(&candidate, &txn->rules, &findings);
    bool is_advice;

    *text = NULL;
    if (quality == SR_QUALITY_DONE &&
        (findings.count == 0 || is_only_advice(change, txn, &findings)))
        quality = check_history(change, txn, fresh, &findings);
    if (findings.count == 0 && quality == SR_QUALITY_DONE)
        return SR_ANSWER_OK;
    is_advice = is_only_advice(change, txn, &findings);
    if (quality == SR_QUALITY_UNAVAILABLE && !is_advice)
        return refuse_unchecked(change, txn, &findings, text);
    findings_event(txn, &findings,
                   is_advice ? SR_ANSWER_OK : SR_ANSWER_NOT_CHANGED);
    if (quality == SR_QUALITY_UNAVAILABLE)
        *text = sr_message_unchecked(&findings);
    else
        *text = sr_message_broken(&findings, is_advice ? -1 : tries_left);
    return is_advice ? SR_ANSWER_OK : SR_ANSWER_TRY_AGAIN;
}

/* ---- store */

/* The text and the event of an account that is gone or cannot be asked. */
static enum sr_answer
refuse_lost(struct sr_password_change *change, struct sr_transaction *txn,
            char **text)
{
    sr_password_change_failed(
        change, txn,
        txn->ask == SR_STATUS_UNKNOWN_NAME ? "account-gone" : txn->reason,
        SR_ANSWER_NOT_CHANGED);
    *text = text_of(txn, sr_transaction_outage(txn));
    return SR_ANSWER_NOT_CHANGED;
}

/* The module that stores does not verify the current password again, because
 * it is hidden from it. */
enum sr_answer
sr_password_change_check_again(struct sr_password_change *change,
                               struct sr_transaction *txn, char **text)
{
    *text = NULL;
    if (change->caller.is_admin)
        return SR_ANSWER_OK;
    if (!sr_transaction_is_fresh(txn) &&
        sr_transaction_refresh(txn) != SR_STATUS_OK)
        return refuse_lost(change, txn, text);
    if (is_as_before(change, txn))
        return SR_ANSWER_OK;
    sr_password_change_failed(change, txn, "changed-meanwhile",
                              SR_ANSWER_NOT_CHANGED);
    *text = text_of(txn, SR_TEXT_NOT_STORED);
    return SR_ANSWER_NOT_CHANGED;
}

/* The server's own text, above ours. */
static char *
with_server_text(const struct sr_transaction *txn, char *text)
{
    char *server = txn->account->server_text == NULL
                       ? NULL
                       : sr_message_server(txn->account->server_text);
    char *both = server == NULL || text == NULL
                     ? NULL
                     : sr_format("%s\n%s", server, text);

    free(server);
    if (both == NULL)
        return text;
    free(text);
    return both;
}

/* The backend did not store it: report why.  Another try may help only where
 * the cause is the new password. */
static enum sr_answer
refuse_store(struct sr_transaction *txn, enum sr_write written,
             enum sr_refusal refusal, int tries_left, char **text)
{
    const struct sr_message_context say = sr_transaction_message(txn);
    const bool is_refused = written == SR_WRITE_REFUSED;
    const bool may_help =
        is_refused && refusal != SR_REFUSAL_WRONG_OLD &&
        refusal != SR_REFUSAL_NO_RIGHT && refusal != SR_REFUSAL_READ_ONLY &&
        refusal != SR_REFUSAL_CANNOT && refusal != SR_REFUSAL_TOO_YOUNG;

    sr_transaction_event(
        txn, is_refused ? SR_EVENT_POLICY : SR_EVENT_BACKEND_DOWN, "failed",
        txn->reason, sr_transaction_code(txn, SR_ANSWER_NOT_CHANGED));
    if (is_refused)
        *text = with_server_text(
            txn, sr_message_refusal(refusal, &txn->account->demands,
                                    may_help ? tries_left : 0, &say));
    else
        *text =
            text_of(txn, written == SR_WRITE_UNSURE  ? SR_TEXT_UNSURE
                         : txn->why == SR_ERROR_BUSY ? SR_TEXT_FILES_BUSY
                         : strcmp(txn->account->facts.backend, SR_LOCAL) == 0
                             ? SR_TEXT_NOT_STORED
                             : SR_TEXT_NOT_SENT);
    return may_help ? SR_ANSWER_TRY_AGAIN : SR_ANSWER_NOT_CHANGED;
}

/* A server that takes no changes refuses every password: say so before one is
 * thought up. */
static enum sr_answer
ask_may_change(struct sr_transaction *txn, char **text)
{
    struct sr_call call =
        sr_call_make(&txn->account->verifier, txn->connections);
    enum sr_refusal refusal;
    enum sr_write written;

    call.is_served = txn->context.is_served;
    written = sr_backend_may_change(&call, txn->account, &refusal);
    if (written == SR_WRITE_DONE)
        return SR_ANSWER_OK;
    snprintf(txn->reason, sizeof(txn->reason), "%s", call.error.text);
    txn->why = call.error.code;
    return refuse_store(txn, written, refusal, 0, text);
}

enum sr_answer
sr_password_change_start(struct sr_password_change *change,
                         struct sr_transaction *txn, const char *old,
                         char **text)
{
    const char *secret = txn->account->secret;
    enum sr_answer answer;

    *text = NULL;
    if (getrandom(change->key, sizeof(change->key), 0) !=
        (ssize_t)sizeof(change->key))
        return SR_ANSWER_NOT_CHANGED;
    memcpy(change->name, txn->name, sizeof(change->name));
    change->uid = txn->uid;
    change->before = sr_siphash(change->key, secret, strlen(secret));
    answer = load_history(change, txn, old, text);
    if (answer == SR_ANSWER_OK)
        answer = check_quality(change, txn, text);
    return answer == SR_ANSWER_OK ? ask_may_change(txn, text) : answer;
}

enum sr_answer
sr_password_change_store(struct sr_password_change *change,
                         struct sr_transaction *txn, const char *old,
                         const char *fresh, int tries_left, char **text)
{
    enum sr_refusal refusal = SR_REFUSAL_OTHER;
    enum sr_answer answer;
    enum sr_write written;
    struct sr_call call;

    *text = NULL;
    answer = sr_password_change_check_again(change, txn, text);
    if (answer != SR_ANSWER_OK)
        return answer;
    call = sr_call_make(&txn->account->verifier, txn->connections);
    written = sr_backend_change(&call, txn->account, old, fresh, &refusal);
    snprintf(txn->reason, sizeof(txn->reason), "%s", call.error.text);
    txn->why = call.error.code;
    change->is_stored = written == SR_WRITE_DONE;
    if (written == SR_WRITE_DONE || written == SR_WRITE_BY_OTHER)
        return SR_ANSWER_OK;
    return refuse_store(txn, written, refusal, tries_left, text);
}

/* ---- finish */

/* Whether what is stored now is what was typed.  A backend that reported that
 * it stored it, and cannot be asked again, counts as right, but in a reset: its
 * user has no other password to go back to. */
static bool
is_stored(const struct sr_password_change *change, struct sr_transaction *txn,
          const char *fresh)
{
    struct sr_call call =
        sr_call_make(&txn->account->verifier, txn->connections);
    enum sr_verify_result proof;

    /* A directory may have nothing by which one password differs from the next.
     */
    if (fresh == NULL || (!change->is_stored && is_as_before(change, txn)))
        return false;
    proof = sr_backend_verify(&call, txn->account, fresh, false);
    snprintf(txn->reason, sizeof(txn->reason), "%s", call.error.text);
    return proof == SR_VERIFY_RIGHT || (proof == SR_VERIFY_UNAVAILABLE &&
                                        change->is_stored && !change->is_reset);
}

/* What a change leaves in the account's memory. */
struct recording {
    const struct sr_password_change *change;
    const struct sr_transaction *txn;
};

static bool
record_in(void *context, struct sr_memory *memory)
{
    const struct recording *recording = context;
    const struct sr_password_change *change = recording->change;
    const struct sr_rules *rules = &recording->txn->rules;
    const sr_time now = sr_transaction_message(recording->txn).now;
    const sr_time oldest = history_oldest(rules, now);
    const unsigned kept = sr_former_kept(recording->txn);

    if (change->probe.is_valid) {
        if (sr_history_is_empty(&memory->history))
            memory->history = change->history;
        else if (sr_former_matters(recording->txn))
            sr_history_record(&memory->history, &change->former, kept, oldest,
                              now);
        sr_history_record(&memory->history, &change->probe, kept, oldest, now);
    }
    memset(&memory->temporary, 0, sizeof(memory->temporary));
    return true;
}

/* All that this host remembers of the change. */
static enum sr_store_result
record(const struct sr_password_change *change, struct sr_transaction *txn)
{
    const struct sr_identity id = sr_transaction_identity(txn);
    struct recording recording = {change, txn};
    enum sr_store_result result;
    struct sr_store *store;

    result = sr_store_open(NULL, NULL, SR_STORE_WRITE, &store);
    if (result == SR_STORE_OK)
        result = sr_memory_change(store, &id, record_in, &recording);
    /* A new password is not the one that was being guessed. */
    if (result == SR_STORE_OK)
        result = sr_attempt_clear(store, &id, NULL);
    sr_store_close(store);
    return result;
}

/* Whether the backend took the owner's change for a reset by an administrator,
 * as verifying the new password has just revealed. */
static bool
is_due_again(const struct sr_password_change *change,
             const struct sr_transaction *txn)
{
    return change->is_stored && !change->caller.is_admin &&
           txn->account->facts.must_change == SR_YES;
}

bool
sr_password_change_finish(struct sr_password_change *change,
                          struct sr_transaction *txn, const char *fresh,
                          char **text)
{
    enum sr_store_result result;

    *text = NULL;
    if (!is_stored(change, txn, fresh)) {
        sr_password_change_failed(change, txn, "not-stored",
                                  SR_ANSWER_NOT_CHANGED);
        *text = text_of(txn, SR_TEXT_NOT_STORED);
        return false;
    }
    result = record(change, txn);
    if (result != SR_STORE_OK) /* the password is changed all the same */
        sr_transaction_event(txn, SR_EVENT_STATE, "failed",
                             sr_store_strerror(result), -1);
    sr_transaction_event(txn,
                         change->is_reset          ? SR_EVENT_SELF_RESET_OK
                         : change->caller.is_admin ? SR_EVENT_RESET_OK
                                                   : SR_EVENT_CHANGE_OK,
                         "ok", NULL, sr_transaction_code(txn, SR_ANSWER_OK));
    sr_never_expired_restore(txn);
    sr_transaction_publish_change(txn);
    if (is_due_again(change, txn))
        *text = text_of(txn, SR_TEXT_CHANGED_AGAIN);
    else if (change->is_forced)
        *text = text_of(txn, SR_TEXT_CHANGED);
    return true;
}
