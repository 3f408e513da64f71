/*
 * Status: what state an account is in, and why.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/config/keys.h"
#include "policy/publish/reader.h"
#include "policy/util/text.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/directory_admin.h"
#include "tools/each.h"
#include "tools/report.h"
#include "tools/shared_ledger.h"
#include "tools/words.h"

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

/* One rule.  Lists of accounts are shown as what they come to for this one. */
static void
report_rule(struct report *report, const struct sr_key *key,
            const struct sr_rules *rules)
{
    const void *at = (const char *)rules + key->offset;
    const struct sr_string_list *names = at;
    char name[64];
    unsigned count;

    snprintf(name, sizeof(name), "%s.%s", key->section, key->name);
    switch (key->type) {
    case SR_KEY_SWITCH:
        report_bool(report, name, *(const bool *)at);
        break;
    case SR_KEY_COUNT:
        count = *(const unsigned *)at;
        if (key->has_preset && count == 0)
            report_text(report, name, "preset");
        else /* a 0 that is set is stored as 1 */
            report_number(
                report, name,
                key->has_preset && key->least == 0 && count == 1 ? 0 : count);
        break;
    case SR_KEY_DURATION:
        report_duration(report, name, *(const int64_t *)at);
        break;
    case SR_KEY_CHOICE:
        report_text(report, name, key->choice[*(const int *)at]);
        break;
    case SR_KEY_NAMES:
        if (names == &rules->logon_exempt)
            report_bool(report, name, rules->is_logon_exempt);
        else if (names == &rules->protected_accounts)
            report_bool(report, name, rules->is_protected);
        else if (names == &rules->cannot_change)
            report_bool(report, name, rules->is_cannot_change);
        else
            report_list(report, name, (const char *const *)names->item,
                        names->count, "none");
        break;
    case SR_KEY_TEXT: /* no rule is one */
        break;
    }
}

/* The rules for this account, by their configuration keys. */
static void
report_rules(struct report *report, const struct sr_rules *rules)
{
    report_section(report, "rules", "Rules");
    for (size_t i = 0; i < sr_key_count; i++) {
        if (sr_keys[i].scope == SR_SCOPE_RULES)
            report_rule(report, &sr_keys[i], rules);
    }
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

/* ---- what the rest of the system sees */

/* A list of the groups. */
static void
report_names(struct report *report, const char *key, unsigned groups)
{
    const char *name[SR_GROUP_COUNT];

    for (int i = 0; i < SR_GROUP_COUNT; i++)
        name[i] = (groups & SR_GROUP_BIT(i)) != 0
                      ? sr_group_name((enum sr_group)i)
                      : NULL;
    report_list(report, key, name, SR_GROUP_COUNT, "none");
}

/* The groups by the facts of now, of which the lock is the one that holds from
 * every source. */
static unsigned
groups_now(const struct ctl *ctl, const struct sr_transaction *txn)
{
    struct sr_facts facts;
    bool is_exempt;

    sr_publish_facts(txn, &facts, &is_exempt);
    return sr_view_groups(&facts, &txn->rules, is_exempt, ctl->now);
}

/* The groups by what is published.  False when that is no payload. */
static bool
groups_published(const struct ctl *ctl, const struct sr_published *published,
                 unsigned *groups)
{
    struct sr_facts facts;
    struct sr_rules rules;
    bool is_exempt;

    if (!sr_payload_decode(published->payload.bytes, published->payload.size,
                           &facts, &rules, &is_exempt))
        return false;
    *groups = sr_view_groups(&facts, &rules, is_exempt, ctl->now);
    return true;
}

static void
report_groups(struct report *report, const struct ctl *ctl,
              const struct sr_transaction *txn,
              const struct sr_published *published)
{
    const char *name = txn->account->facts.name;
    unsigned now = groups_now(ctl, txn);
    unsigned shown = 0;

    if (!groups_published(ctl, published, &shown)) {
        report_text(report, "snapshot", "damaged");
        return;
    }
    report_text(report, "snapshot", "good");
    report_names(report, "groups", shown);
    report_time(report, "since", (sr_time)(published->sequence / 1000000000u));
    report_bool(report, "current", shown == now);
    if (shown == now)
        return;
    report_names(report, "groups_now", now);
    if (!report->is_json) {
        char text[512];

        snprintf(text, sizeof(text),
                 _("Run \"selfreset-publish --user %s\" to publish the groups "
                   "of its state now."),
                 name);
        report_words(report, "advice", text);
    }
}

/* The groups that are published of the account, and those that its state comes
 * to now. */
static void
report_published(struct report *report, const struct ctl *ctl,
                 const struct sr_transaction *txn)
{
    struct sr_published published;

    report_section(report, "published", "Published to the system");
    switch (sr_reader_find(SR_PUBLISHED_DIR, SR_VIEW_GROUPS,
                           txn->account->facts.name, ctl->now, &published)) {
    case SR_FOUND_IT:
        report_groups(report, ctl, txn, &published);
        break;
    case SR_FOUND_NOTHING:
        report_text(report, "snapshot", "without_account");
        break;
    case SR_FOUND_DENIED:
        report_text(report, "snapshot", "not_readable");
        break;
    case SR_FOUND_BROKEN:
        report_text(report, "snapshot", "none");
        break;
    }
    report_section_end(report);
}

/* ---- the report */

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
    return strcmp(none, "locked") == 0 ? _("no password (locked)")
                                       : _("no password");
}

static void
report_partial(struct report *report, const struct ctl_partial *partial)
{
    if (report->is_json)
        report_text(report, "locked_for", partial->of);
    else if (partial->of != NULL)
        report_text(report, "locked_for",
                    partial->of[0] == 's'
                        ? _("strangers; familiar sources can log in")
                        : _("familiar sources; other sources can log in"));
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
    report_ledger(report, "strangers", N_("Wrong passwords from strangers"),
                  &remembered->ledger[CTL_STRANGERS]);
    report_ledger(report, "familiar",
                  N_("Wrong passwords from familiar sources"),
                  &remembered->ledger[CTL_FAMILIAR]);
    report_ledger(report, "own", N_("Wrong passwords from own sessions"),
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
