/*
 * Checkbackend: "check --backend": what a directory is, who may do what there,
 * and what is amiss.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "tools/checksurvey.h"
#include "tools/ctl.h"
#include "tools/report.h"

#define PASSWORD_MAX 1024
#define REASON_SIZE  512

/* One line from the standard input, unseen.  False at its end. */
static bool
ask_password(const char *name, char *out, size_t size)
{
    struct termios before, quiet;
    bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    bool is_read = false;
    size_t length = 0;
    char byte = 0;

    if (is_terminal) {
        fprintf(stderr, "Password of %s: ", name);
        quiet = before;
        quiet.c_lflag &= (tcflag_t)~ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    /* Without stdio, whose buffer would keep a copy. */
    while (length + 1 < size && read(STDIN_FILENO, &byte, 1) == 1) {
        is_read = true;
        if (byte == '\n')
            break;
        out[length++] = byte;
    }
    out[length] = '\0';
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    return is_read;
}

/* ---- what was found */

static void
report_uris(struct report *report, const struct sr_survey *survey)
{
    char key[32];

    for (size_t i = 0; i < survey->uri_count; i++) {
        const struct sr_survey_uri *uri = &survey->uri[i];

        snprintf(key, sizeof(key), "uri_%zu", i + 1);
        report_section(report, key, uri->uri);
        report_text(report, "uri", uri->uri);
        report_bool(report, "answers", uri->is_answered);
        report_text(report, "error", uri->is_answered ? NULL : uri->why);
        report_text(report, "tls", uri->tls[0] == '\0' ? NULL : uri->tls);
        report_bool(report, "name_verified", uri->tls[0] != '\0');
        report_time_or(report, "certificate_ends", uri->certificate_ends,
                       report->is_json ? NULL : "-");
        report_section_end(report);
    }
}

static void
report_amount(struct report *report, const char *key, int64_t amount)
{
    if (amount >= 0)
        report_number(report, key, amount);
    else
        report_text(report, key, NULL);
}

static void
report_span_or(struct report *report, const char *key, int64_t seconds)
{
    if (seconds >= 0)
        report_duration(report, key, seconds);
    else
        report_text(report, key, NULL);
}

static void
report_policy(struct report *report, const struct sr_survey_policy *policy)
{
    report_section(report, "policy", "Password policy");
    report_text(report, "entry", policy->dn[0] == '\0' ? NULL : policy->dn);
    report_bool(report, "readable", policy->is_read);
    if (policy->is_read) {
        report_span_or(report, "max_age", policy->max_age);
        report_span_or(report, "warning", policy->warning);
        report_span_or(report, "min_age", policy->min_age);
        report_amount(report, "grace_logins", policy->grace);
        report_amount(report, "min_length", policy->min_length);
        report_amount(report, "history", policy->history);
        report_tri(report, "lockout", policy->locks);
        report_amount(report, "max_failures", policy->max_failures);
        report_span_or(report, "lockout_duration", policy->lock_duration);
        report_tri(report, "must_change_after_reset", policy->must_change);
        report_tri(report, "old_password_needed", policy->safe_modify);
        report_tri(report, "change_by_user", policy->user_change);
    }
    report_section_end(report);
}

static const char *
word(enum sr_tri value, const char *yes, const char *no)
{
    return value == SR_YES ? yes : value == SR_NO ? no : "?";
}

/* "service: sees, writes; owner: writes" in one line for each attribute. */
static void
report_rights(struct report *report, const struct sr_survey *survey)
{
    char line[96];

    if (survey->right_count == 0)
        return;
    report_section(report, "rights", "Rights, tried on the test entry");
    report_text(report, "entry", survey->test_dn);
    for (size_t i = 0; i < survey->right_count; i++) {
        const struct sr_survey_right *right = &survey->right[i];

        if (right->is_known == SR_NO)
            continue;
        snprintf(line, sizeof(line), "service %s, %s; owner %s",
                 word(right->sees, "sees", "sees not"),
                 word(right->writes, "writes", "writes not"),
                 word(right->self_writes, "writes", "writes not"));
        report_text(report, right->attribute, line);
    }
    report_section_end(report);
}

static void
report_survey(struct report *report, const struct sr_survey *survey,
              const struct sr_backend_config *config)
{
    static const char *const identity[] = {
        [SR_IDENTITY_NONE] = "none",
        [SR_IDENTITY_SIMPLE] = "simple",
        [SR_IDENTITY_EXTERNAL] = "external",
        [SR_IDENTITY_GSSAPI] = "gssapi",
    };

    report_text(report, "backend", config->name);
    report_text(report, "uri_used", survey->used);
    report_text(report, "server",
                survey->name[0] == '\0' ? NULL : survey->name);
    report_text(report, "identity", identity[config->identity]);
    report_text(report, "bind_dn", config->bind_dn);
    report_bool(report, "ppolicy_control", survey->has_ppolicy);
    report_bool(report, "password_operation", survey->has_password_operation);
    report_tri(report, "base_exists", survey->has_base);
    report_number(report, "accounts", (int64_t)survey->accounts);
    report_bool(report, "accounts_cut", survey->is_cut);
    report_tri(report, "anyone_reads_hashes", survey->anyone_reads_hashes);
    report_tri(report, "service_reads_hashes", survey->service_reads_hashes);
    report_tri(report, "tells_locks", survey->tells_locks);
    report_uris(report, survey);
    report_policy(report, &survey->policy);
    report_rights(report, survey);
}

/* What could not be seen, and how it can. */
static void
report_hints(const struct sr_survey *survey)
{
    if (survey->used == NULL)
        return;
    if (survey->is_cut)
        ctl_wrap(stdout, "", 0,
                 "The server did not show all accounts: names that two "
                 "entries have were looked for only among those shown.");
    if (survey->test == NULL)
        ctl_wrap(stdout, "", 0,
                 "Rights were not tried: name an account with --test-entry.  "
                 "Nothing of it is changed.");
    else if (survey->password == NULL)
        ctl_wrap(stdout, "", 0,
                 "What users may write was not tried: --ask-password asks for "
                 "the password of the test entry.");
    if (survey->tells_locks == SR_UNKNOWN &&
        survey->server == SR_SERVER_OPENLDAP && survey->has_ppolicy)
        ctl_wrap(stdout, "", 0,
                 "Whether the server tells that an account is locked "
                 "(ppolicy_use_lockout) shows only at one that is: set "
                 "pwdAccountLockedTime of the test entry to 000001010000Z and "
                 "check again.");
}

static int
conclude(const struct ctl *ctl, const struct sr_survey *survey,
         const struct sr_backend_config *config, bool is_json)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    struct report report;

    check_survey(survey, config, ctl->now, &findings);
    report_begin(&report, is_json, ctl->now);
    report_survey(&report, survey, config);
    if (is_json) {
        ctl_findings_json(&report.json, "findings", &findings);
    } else {
        putchar('\n');
        report_hints(survey);
    }
    report_end(&report);
    return is_json ? ctl_findings_code(&findings)
                   : ctl_findings(&findings, false);
}

int
ctl_check_backend(struct ctl *ctl, const char *name, const char *test,
                  bool has_password, bool is_json)
{
    struct sr_survey survey = {.test = test};
    char password[PASSWORD_MAX] = "";
    char reason[REASON_SIZE] = "";
    struct sr_backend backend;
    struct sr_link *link;
    int code = CTL_FAILED;

    if (!ctl_load(ctl))
        return CTL_ERRORS;
    if (sr_backend_find(ctl->config, name, &backend, reason, sizeof(reason)) !=
            0 ||
        backend.ops->survey == NULL) {
        ctl_error("The backend \"%s\" cannot be checked: %s.", name,
                  reason[0] == '\0' ? "it is this host's own; leave --backend "
                                      "out"
                                    : reason);
        return CTL_ERRORS;
    }
    if (has_password && ask_password(test, password, sizeof(password)))
        survey.password = password;
    link = sr_link_new();
    sr_backend_survey(&backend, link, &survey, reason, sizeof(reason));
    if (survey.used == NULL && survey.why[0] == '\0')
        snprintf(survey.why, sizeof(survey.why), "%.150s", reason);
    code = conclude(ctl, &survey, backend.config, is_json);
    sr_link_free(link);
    explicit_bzero(password, sizeof(password));
    return code;
}
