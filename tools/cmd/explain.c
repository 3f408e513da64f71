/*
 * Explain: what each PAM call would answer for an account, which fact and which
 * rule decide, and what the user would read.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/check/pam_config.h"
#include "tools/check/pam_stack.h"
#include "tools/time_arg.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/directory_admin.h"
#include "tools/each.h"
#include "tools/shared_ledger.h"
#include "tools/report.h"
#include "tools/words.h"

/* The calls, as an administrator distinguishes them. */
static const struct row {
    const char *key;
    const char *title;
    enum sr_step call;
    struct sr_caller caller;
} rows[] = {
    {"authenticate",
     N_("authenticate, after the right password"),
     SR_CALL_AUTHENTICATE,
     {false, false}},
    {"acct_mgmt", "acct_mgmt", SR_CALL_ACCOUNT, {false, false}},
    {"chauthtok_login",
     N_("chauthtok by the owner, at a login prompt"),
     SR_CALL_CHANGE,
     {false, false}},
    {"chauthtok_session",
     N_("chauthtok by the owner, while logged on"),
     SR_CALL_CHANGE,
     {false, true}},
    {"chauthtok_root", N_("chauthtok by root"), SR_CALL_CHANGE, {true, false}},
};

/* What one call answers. */
struct outcome {
    const char *code;
    const char *fact;
    const char *rule;
    sr_time when;
    char *sentence;
};

/* A change that the verdict allows can still be refused by the rules of
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
    const struct sr_facts decided = sr_transaction_facts(txn);
    const struct sr_facts *facts = &decided;
    const struct sr_rules *rules = &txn->rules;
    struct sr_verdict verdict = sr_verdict(facts, rules, &row->caller, at);
    struct sr_change change = sr_change(facts, rules, &row->caller, at);
    enum sr_answer answer =
        sr_verdict_answer(&verdict, row->call, rules, &row->caller);
    struct sr_message_context say = ctl_say(ctl);
    const struct sr_caller in_session = {.is_logged_on = true};
    const struct sr_change later = sr_change(facts, rules, &in_session, at);
    struct outcome outcome = {sr_answer_name(answer), verdict.fact,
                              verdict.rule, verdict.when, NULL};

    say.now = at;
    say.is_admin = row->caller.is_admin;
    say.change = &later;
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
    report_time_or(report, "when", outcome->when, NULL);
    report_words(report, "message", outcome->sentence);
    report_section_end(report);
}

/* The login that is asked about. */
struct login {
    const char *service;
    const char *rhost;
    sr_time at;
};

static void
report_all(struct report *report, const struct ctl *ctl,
           struct sr_transaction *txn, const struct login *login,
           const struct sr_source *source)
{
    const struct sr_facts facts = sr_transaction_facts(txn);
    struct sr_verdict verdict =
        sr_verdict(&facts, &txn->rules, &ctl_at_login, login->at);

    if (!report->is_json)
        report_text(report, "user", txn->account->facts.name);
    report_text(report, "service", login->service);
    report_text(report, "source", source->text);
    report_time(report, "at", login->at);
    report_text(report, "state", sr_state_name(verdict.state));
    report_bool(report, "spared", txn->rules.spare_expired);
    report_text(report, "backend", txn->account->facts.backend);
    directory_report(report, txn);
    shared_report_place(report, txn);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome outcome = decide(ctl, txn, &rows[i], login->at);

        report_row(report, &rows[i], &outcome);
        free(outcome.sentence);
    }
}

/* What other hosts have counted. */
static void
add_shared(struct sr_transaction *txn, const struct sr_source *source)
{
    struct sr_shared_ledger ledger = sr_shared_ledger(txn, true, NULL);
    char reason[SR_ERROR_TEXT_SIZE] = "";

    if (ledger.is_there && sr_shared_facts(&ledger, txn, NULL, source, reason,
                                           sizeof(reason)) != SR_STATUS_OK)
        ctl_error("The ledger of all hosts cannot be read: %s.", _(reason));
}

static int
explain(struct ctl *ctl, struct report *report, const char *name)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};
    const struct login *login = ctl->options;
    struct sr_source source;
    int code = ctl_transaction_begin(ctl, name, login->service, &txn);

    if (code != CTL_OK)
        return code;
    sr_source_find(&source, &(struct sr_origin){
                                .rhost = login->rhost,
                                .tty = "console",
                                .ruser = (uid_t)-1,
                                .account = txn.account->facts.uid,
                            });
    if (sr_transaction_recall(&txn, NULL, &source) != SR_STORE_OK) {
        ctl_store_error(NULL, txn.store);
        return CTL_FAILED;
    }
    add_shared(&txn, &source);
    if (!report->is_json && report->items > 1)
        putchar('\n');
    report_all(report, ctl, &txn, login, &source);
    return CTL_OK;
}

/* Whether libpam has a stack of that name: else it would use "other". */
static bool
is_service(const char *name)
{
    const struct stack_reader reader = {.folders = check_pam_folders};
    char path[512];

    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
        return false;
    if (stack_find(&reader, name, path, sizeof(path)))
        return true;
    return access("/etc/pam.conf", F_OK) == 0 &&
           access("/etc/pam.d", F_OK) != 0;
}

/* An IPv6 address, also a link-local one with its scope, as sshd has it. */
static bool
is_ipv6(const char *text)
{
    const size_t length = strcspn(text, "%");
    unsigned char address[16];
    char plain[64];

    if (length >= sizeof(plain) || strcmp(text + length, "%") == 0)
        return false;
    memcpy(plain, text, length);
    plain[length] = '\0';
    return inet_pton(AF_INET6, plain, address) == 1;
}

/* An address, or what can be the name of a host. */
static bool
is_host(const char *text)
{
    unsigned char address[16];
    size_t length = strlen(text);

    if (strspn(text, "0123456789.") == length)
        return inet_pton(AF_INET, text, address) == 1;
    if (strchr(text, ':') != NULL)
        return is_ipv6(text);
    return length > 0 && length < 254 && text[0] != '-' && text[0] != '.' &&
           strstr(text, "..") == NULL &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == length;
}

int
ctl_explain(struct ctl *ctl, int argc, char **argv)
{
    struct login login = {"login", NULL, ctl->now};
    const char *at_text = NULL;
    const struct ctl_option options[] = {{"service", NULL, &login.service},
                                         {"at", NULL, &at_text},
                                         {"rhost", NULL, &login.rhost}};

    ctl->options = &login;
    if (!ctl_parse(ctl, argc, argv, options, 3, 1, CTL_MANY))
        return ctl->exit;
    if (at_text != NULL && !attime_read(at_text, ctl->now, &login.at))
        return ctl_usage(ctl, CTL_NO_TIME, at_text);
    if (login.rhost != NULL && !is_host(login.rhost))
        return ctl_usage(ctl,
                         "\"%s\" is not an IPv4 or IPv6 address or a host "
                         "name.",
                         login.rhost);
    if (!is_service(login.service))
        return ctl_usage(ctl,
                         "There is no PAM service \"%s\" on this host; the "
                         "services are the files in /etc/pam.d.",
                         login.service);
    return ctl_load(ctl) ? ctl_each(ctl, "user", explain) : ctl->exit;
}
