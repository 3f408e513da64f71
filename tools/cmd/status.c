/*
 * Status: what state an account is in, and why.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/util/text.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/directory_admin.h"
#include "tools/each.h"
#include "tools/published.h"
#include "tools/report.h"
#include "tools/shared_ledger.h"

static int
exit_code(enum sr_state state)
{
    static const int code[SR_STATE_COUNT] = {
        [SR_STATE_DISABLED] = CTL_CLOSED,
        [SR_STATE_ENDED] = CTL_CLOSED,
        [SR_STATE_NOT_YET] = CTL_CLOSED,
        [SR_STATE_LOCKED] = CTL_LOCKED,
        [SR_STATE_OUT_OF_HOURS] = CTL_CLOSED,
        [SR_STATE_OFF_WORKSTATION] = CTL_CLOSED,
        [SR_STATE_LAPSED] = CTL_BARRED,
        [SR_STATE_BARRED] = CTL_BARRED,
        [SR_STATE_MUST_CHANGE] = CTL_CHANGE,
        [SR_STATE_EXPIRED] = CTL_CHANGE,
        [SR_STATE_GRACE] = CTL_OK,
        [SR_STATE_EXPIRING] = CTL_OK,
        [SR_STATE_OK] = CTL_OK,
        [SR_STATE_UNKNOWN] = CTL_FAILED,
    };

    return code[state];
}

/* When the lock ends; unknown: there is none. */
static sr_time
locked_until(const struct sr_facts *facts, const struct sr_verdict *verdict)
{
    if (facts->locked == SR_LOCK_ADMIN)
        return SR_TIME_NEVER;
    if (facts->locked != SR_LOCK_UNTIL)
        return SR_TIME_UNKNOWN;
    return verdict->state == SR_STATE_LOCKED ? verdict->when
                                             : facts->locked_until;
}

static const char *
lock_name(enum sr_lock lock)
{
    static const char *const name[] = {
        [SR_LOCK_UNKNOWN] = "unknown",
        [SR_LOCK_NO] = "no",
        [SR_LOCK_UNTIL] = "until",
        [SR_LOCK_ADMIN] = "administrator",
    };

    return name[lock];
}

static const char *
lock_why(enum sr_lock_why why)
{
    static const char *const name[] = {
        [SR_LOCK_WHY_NONE] = NULL,
        [SR_LOCK_WHY_THROTTLE] = "throttle",
        [SR_LOCK_WHY_DIRECTORY] = "directory",
        [SR_LOCK_WHY_ADMIN] = "administrator",
        [SR_LOCK_WHY_SOURCE] = "source",
    };

    return name[why];
}

static void
report_facts(struct report *report, const struct sr_account *account,
             const struct sr_facts *facts)
{
    report_section(report, "facts", "Facts");
    if (account->entry != NULL)
        report_text(report, "entry", account->entry);
    report_tri(report, "disabled", facts->disabled);
    report_tri(report, "has_password", facts->has_password);
    report_time(report, "account_starts", facts->account_starts);
    report_time(report, "account_ends", facts->account_ends);
    report_text(report, "locked",
                facts->locked == SR_LOCK_UNKNOWN && report->is_json
                    ? NULL
                    : lock_name(facts->locked));
    report_text(report, "locked_why", lock_why(facts->locked_why));
    report_time(report, "locked_until", facts->locked_until);
    report_time(report, "password_changed", facts->password_changed);
    report_time(report, "password_expires", facts->password_expires);
    report_time(report, "warn_from", facts->warn_from);
    report_time(report, "may_change_from", facts->may_change_from);
    report_time(report, "inactive_from", facts->inactive_from);
    report_tri(report, "must_change", facts->must_change);
    report_time_or(report, "temporary_until", facts->temporary_until, "none");
    if (facts->grace_left >= 0)
        report_number(report, "grace_left", facts->grace_left);
    report_tri(report, "cannot_change", facts->cannot_change);
    report_tri(report, "never_expires", facts->never_expires);
    report_tri(report, "is_protected", facts->is_protected);
    if (facts->requires_logon != SR_UNKNOWN)
        report_tri(report, "requires_logon", facts->requires_logon);
    if (facts->logon_hours != SR_UNKNOWN)
        report_tri(report, "logon_hours", facts->logon_hours);
    if (facts->hours_until != SR_TIME_UNKNOWN)
        report_time(report, "hours_until", facts->hours_until);
    if (facts->workstation != SR_UNKNOWN)
        report_tri(report, "workstation", facts->workstation);
    if (facts->failures >= 0)
        report_number(report, "failures", facts->failures);
    report_section_end(report);
}

static const char *
preset_name(enum sr_preset preset)
{
    static const char *const name[] = {
        [SR_PRESET_NIST] = "nist",
        [SR_PRESET_AD] = "ad",
        [SR_PRESET_PWQUALITY] = "pwquality",
    };

    return name[preset];
}

/* A number that the preset gives unless it is set; 1 stands for a set 0. */
static void
report_preset(struct report *report, const char *key, unsigned value)
{
    if (value == 0)
        report_text(report, key, "preset");
    else
        report_number(report, key, value == 1 ? 0 : value);
}

/* The rules for this account, by their configuration keys.  Lists are shown as
 * what they come to for it. */
static void
report_rules(struct report *report, const struct sr_rules *rules)
{
    static const char *const warn_name[] = {
        [SR_WARN_BY_ACCOUNT] = "account",
        [SR_WARN_BY_CONFIG] = "config",
        [SR_WARN_BY_EARLIER] = "earlier",
    };

    report_section(report, "rules", "Rules");
    report_duration(report, "expiry.warn", rules->warn);
    report_text(report, "expiry.warn_by", warn_name[rules->warn_by]);
    report_duration(report, "expiry.max_age", rules->max_age);
    report_duration(report, "expiry.inactive", rules->inactive);
    report_text(report, "expiry.grace",
                rules->grace == SR_GRACE_TEXT ? "text" : "change");
    report_text(report, "expiry.locked_hash",
                rules->locked_hash == SR_LOCKED_HASH_PASSWORD ? "password"
                                                              : "account");
    report_bool(report, "change.require_logon", rules->require_logon);
    report_bool(report, "change.logon_exempt", rules->is_logon_exempt);
    report_list(report, "change.logon_services",
                (const char *const *)rules->logon_services.item,
                rules->logon_services.count, "none");
    report_duration(report, "change.minimum_age", rules->minimum_age);
    report_bool(report, "change.protected", rules->is_protected);
    report_bool(report, "change.cannot_change", rules->is_cannot_change);
    report_number(report, "change.tries", rules->tries);
    report_text(report, "change.root",
                rules->root == SR_ROOT_ADVISE ? "advise" : "enforce");
    report_text(report, "lockout.store",
                rules->lockout_store == SR_LOCKOUT_LDAP ? "ldap" : "local");
    report_number(report, "lockout.attempts", rules->attempts);
    report_duration(report, "lockout.window", rules->window);
    report_duration(report, "lockout.duration", rules->duration);
    report_duration(report, "lockout.duration_max", rules->duration_max);
    report_number(report, "lockout.limit", rules->limit);
    report_number(report, "lockout.source_attempts", rules->source_attempts);
    report_duration(report, "lockout.familiar", rules->familiar);
    report_bool(report, "lockout.root", rules->lock_root);
    report_duration(report, "lockout.delay", rules->delay);
    report_duration(report, "lockout.wait", rules->wait);
    report_text(report, "password.preset", preset_name(rules->preset));
    report_preset(report, "password.min_length", rules->min_length);
    if (rules->max_length == 0)
        report_text(report, "password.max_length", "preset");
    else
        report_number(report, "password.max_length", rules->max_length);
    report_preset(report, "password.min_classes", rules->min_classes);
    report_list(report, "password.skip",
                (const char *const *)rules->skip_quality.item,
                rules->skip_quality.count, "none");
    report_number(report, "password.history", rules->history);
    report_duration(report, "password.history_age", rules->history_age);
    report_duration(report, "temporary.lifetime", rules->temporary_lifetime);
    report_bool(report, "nss.break_glass", rules->is_break_glass);
    report_section_end(report);
}

static void
report_ledger(struct report *report, const char *key, const char *title,
              const struct ctl_ledger *ledger)
{
    report_section(report, key, title);
    report_number(report, "failures", ledger->failures);
    report_number(report, "attempts", ledger->attempts);
    report_number(report, "in_a_row", ledger->in_a_row);
    report_lockout(report, &ledger->lockout);
    report_section_end(report);
}

static void
report_notice(struct report *report, const struct sr_notice *notice)
{
    bool is_any = notice->failed > 0;

    report_section(report, "since_login",
                   "Wrong passwords since the last login");
    report_number(report, "failures", notice->failed);
    report_time_or(report, "last", is_any ? notice->last : SR_TIME_UNKNOWN,
                   "none");
    report_text(report, "from",
                is_any && notice->from[0] != '\0' ? notice->from : NULL);
    report_section_end(report);
}

/* The sentence that the user would read, on lines of its own. */
static void
report_sentence(struct report *report, const struct ctl *ctl,
                const struct sr_transaction *txn,
                const struct sr_verdict *verdict)
{
    const struct sr_caller in_session = {.is_logged_on = true};
    const struct sr_change change =
        sr_change(&txn->account->facts, &txn->rules, &in_session, ctl->now);
    enum sr_answer answer =
        sr_verdict_answer(verdict, SR_CALL_ACCOUNT, &txn->rules, &ctl_at_login);
    struct sr_message_context say = ctl_say(ctl);
    char *text;

    say.change = &change;
    text = sr_message_verdict(verdict, answer, &say);
    report_words(report, "message", text);
    free(text);
}

static const char *
password_words(const struct sr_account *account, bool is_json)
{
    const char *none = ctl_no_password(account);

    if (none == NULL)
        return account->facts.has_password == SR_YES ? "set" : NULL;
    if (is_json)
        return none;
    return strcmp(none, "locked") == 0 ? "no password (locked)" : "no password";
}

static void
report_partial(struct report *report, const struct ctl_partial *partial)
{
    if (report->is_json)
        report_text(report, "locked_for", partial->of);
    else if (partial->of != NULL)
        report_text(report, "locked_for",
                    partial->of[0] == 's'
                        ? "strangers; familiar sources can log in"
                        : "familiar sources; other sources can log in");
    if (report->is_json || partial->of != NULL)
        report_time_or(report, "locked_for_until", partial->until, "none");
}

static int
report_account(struct report *report, const struct ctl *ctl,
               struct sr_transaction *txn,
               const struct ctl_remembered *remembered,
               const struct shared_counts *shared)
{
    struct sr_facts decided;
    const struct sr_facts *facts = &decided;
    struct ctl_partial partial;
    struct sr_verdict verdict;

    ctl_take_partial(txn, remembered, &partial);
    decided = sr_transaction_facts(txn);
    verdict = sr_verdict(facts, &txn->rules, &ctl_at_login, ctl->now);
    if (!report->is_json)
        report_text(report, "user", facts->name);
    report_number(report, "uid", facts->uid);
    report_text(report, "backend", facts->backend);
    report_text(report, "state", sr_state_name(verdict.state));
    report_text(report, "password",
                password_words(txn->account, report->is_json));
    report_time_or(report, "locked_until", locked_until(facts, &verdict),
                   "none");
    report_partial(report, &partial);
    report_time_or(report, "deadline", verdict.when, "none");
    report_text(report, "fact", verdict.fact);
    report_text(report, "rule", verdict.rule);
    report_text(report, "barred_by",
                verdict.state == SR_STATE_BARRED
                    ? sr_change_name(verdict.barred_by)
                    : NULL);
    report_sentence(report, ctl, txn, &verdict);
    report_facts(report, txn->account, facts);
    directory_report(report, txn);
    report_rules(report, &txn->rules);
    report_ledger(report, "strangers", "Wrong passwords from strangers",
                  &remembered->ledger[CTL_STRANGERS]);
    report_ledger(report, "familiar", "Wrong passwords from familiar sources",
                  &remembered->ledger[CTL_FAMILIAR]);
    report_ledger(report, "own", "Wrong passwords from own sessions",
                  &remembered->ledger[CTL_OWN]);
    shared_report(report, txn, shared);
    report_notice(report, &remembered->notice);
    report_published(report, ctl, txn);
    return partial.of != NULL && exit_code(verdict.state) == CTL_OK
               ? CTL_LOCKED
               : exit_code(verdict.state);
}

static int
status_of(struct ctl *ctl, struct report *report, const char *name)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};
    struct ctl_remembered remembered;
    struct shared_counts shared;
    int code = ctl_transaction_begin(ctl, name, "", &txn);

    if (code == CTL_OK)
        code = ctl_remembered(&txn, &remembered);
    if (code != CTL_OK)
        return code;
    shared_look(&txn, &shared);
    if (!report->is_json && report->items > 1)
        putchar('\n');
    return report_account(report, ctl, &txn, &remembered, &shared);
}

int
ctl_status(struct ctl *ctl, int argc, char **argv)
{
    if (!ctl_parse(ctl, argc, argv, NULL, 0, 1, CTL_MANY) || !ctl_load(ctl))
        return ctl->exit;
    return ctl_each(ctl, "user", status_of);
}
