/*
 * Explain: what each PAM call would answer for an account, which fact and which
 * rule decide, and what the user would read.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>

#include "tools/time_arg.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/directory_admin.h"
#include "tools/shared_ledger.h"
#include "tools/report.h"

/* The calls, as an administrator tells them apart. */
static const struct row {
    const char *key;
    const char *title;
    enum sr_step call;
    struct sr_caller caller;
} rows[] = {
    {"authenticate",
     "authenticate, after the right password",
     SR_CALL_AUTHENTICATE,
     {false, false}},
    {"acct_mgmt", "acct_mgmt", SR_CALL_ACCOUNT, {false, false}},
    {"chauthtok-login",
     "chauthtok by the owner, at a login prompt",
     SR_CALL_CHANGE,
     {false, false}},
    {"chauthtok-session",
     "chauthtok by the owner, while logged on",
     SR_CALL_CHANGE,
     {false, true}},
    {"chauthtok-root", "chauthtok by root", SR_CALL_CHANGE, {true, false}},
};

/* What one call answers. */
struct outcome {
    const char *code;
    const char *fact;
    const char *rule;
    sr_time when;
    char *sentence;
};

/* A change that the verdict lets through can still be refused by the rules of
 * change, and then those decide. */
static bool
is_refused(const struct row *row, enum sr_answer answer,
           const struct sr_change *change)
{
    return row->call == SR_CALL_CHANGE && answer == SR_ANSWER_OK &&
           change->result != SR_CHANGE_ALLOWED;
}

/* Where there is no password, no password is the right one. */
static bool
has_no_password(const struct row *row, enum sr_answer answer,
                const struct sr_facts *facts)
{
    return row->call == SR_CALL_AUTHENTICATE && answer == SR_ANSWER_OK &&
           facts->has_password == SR_NO;
}

static struct outcome
decide(const struct ctl *ctl, const struct sr_transaction *txn,
       const struct row *row, sr_time at)
{
    const struct sr_facts *facts = &txn->account->facts;
    const struct sr_rules *rules = &txn->rules;
    struct sr_verdict verdict = sr_verdict(facts, rules, &row->caller, at);
    struct sr_change change = sr_change(facts, rules, &row->caller, at);
    enum sr_answer answer =
        sr_verdict_answer(&verdict, row->call, rules, &row->caller);
    struct sr_message_context say = ctl_say(ctl);
    struct outcome outcome = {sr_answer_name(answer), verdict.fact,
                              verdict.rule, verdict.when, NULL};

    say.now = at;
    say.is_admin = row->caller.is_admin;
    if (is_refused(row, answer, &change)) {
        outcome.code = change.result == SR_CHANGE_TOO_YOUNG ? "PAM_AUTHTOK_ERR"
                                                            : "PAM_PERM_DENIED";
        outcome.fact = NULL;
        outcome.rule = change.rule;
        outcome.when = change.when;
        outcome.sentence = sr_message_change(&change, &say);
    } else if (has_no_password(row, answer, facts)) {
        outcome.code = "PAM_AUTH_ERR";
        outcome.fact = "has_password";
        outcome.rule = NULL;
        outcome.when = SR_TIME_UNKNOWN;
    } else if (row->call != SR_CALL_AUTHENTICATE || answer != SR_ANSWER_OK) {
        outcome.sentence = sr_message_verdict(&verdict, answer, &say);
    }
    return outcome;
}

static void
report_row(struct report *report, const struct row *row,
           const struct outcome *outcome)
{
    report_section(report, row->key, row->title);
    report_text(report, "answer", outcome->code);
    report_text(report, "fact", outcome->fact);
    report_text(report, "rule", outcome->rule);
    report_time_or(report, "when", outcome->when, report->is_json ? NULL : "-");
    report_words(report, "message", outcome->sentence);
    report_section_end(report);
}

static int
report_all(const struct ctl *ctl, struct sr_transaction *txn,
           const char *service, const struct sr_source *source, sr_time at,
           bool is_json)
{
    struct sr_verdict verdict =
        sr_verdict(&txn->account->facts, &txn->rules, &ctl_at_login, at);
    struct report report;

    report_begin(&report, is_json, ctl->now);
    report_text(&report, "user", txn->account->facts.name);
    report_text(&report, "service", service);
    report_text(&report, "source", source->text);
    report_time(&report, "at", at);
    report_text(&report, "state", sr_state_name(verdict.state));
    report_bool(&report, "spared", txn->rules.spare_expired);
    report_text(&report, "backend", txn->account->facts.backend);
    elsewhere_report(&report, txn);
    fleet_report_place(&report, txn);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome outcome = decide(ctl, txn, &rows[i], at);

        report_row(&report, &rows[i], &outcome);
        free(outcome.sentence);
    }
    report_end(&report);
    return CTL_OK;
}

/* What other hosts have counted. */
static void
add_fleet(struct sr_transaction *txn, const struct sr_source *source)
{
    struct sr_shared_ledger way = sr_shared_ledger(txn, true, NULL);
    char reason[SR_ERROR_TEXT_SIZE] = "";

    if (way.is_there && sr_shared_facts(&way, txn, NULL, source, reason,
                                        sizeof(reason)) != SR_STATUS_OK)
        ctl_error("What other hosts have counted cannot be read: %s.", reason);
}

int
ctl_explain(struct ctl *ctl, int argc, char **argv)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};
    bool is_json = false;
    const char *service = "login";
    const char *at_text = NULL;
    const char *rhost = NULL;
    const struct ctl_option options[] = {{"json", &is_json, NULL},
                                         {"service", NULL, &service},
                                         {"at", NULL, &at_text},
                                         {"rhost", NULL, &rhost}};
    struct sr_source source;
    sr_time at = ctl->now;
    int code;

    if (!ctl_parse(ctl, argc, argv, options, 4, 1, 1))
        return ctl->exit;
    if (at_text != NULL && !attime_read(at_text, ctl->now, &at))
        return ctl_usage(
            ctl,
            "\"%s\" is no time.  Times are \"2026-12-24\", "
            "\"2026-12-24 12:00\", \"@SECONDS\" and distances such as "
            "\"+3d\" or \"-12h\".",
            at_text);
    code = ctl_transaction_begin(ctl, ctl->operand[0], service, &txn);
    if (code != CTL_OK)
        return code;
    sr_source_find(&source, &(struct sr_origin){
                                .rhost = rhost,
                                .tty = "console",
                                .ruser = (uid_t)-1,
                                .account = txn.account->facts.uid,
                            });
    if (sr_transaction_recall(&txn, NULL, &source) != SR_STORE_OK) {
        ctl_store_error(NULL, txn.store);
        return CTL_FAILED;
    }
    add_fleet(&txn, &source);
    return report_all(ctl, &txn, service, &source, at, is_json);
}
