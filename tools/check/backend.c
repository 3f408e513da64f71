/*
 * Check backend: see backend.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "policy/config/members.h"
#include "policy/publish/format.h"
#include "tools/check/backend.h"
#include "tools/check/findings.h"
#include "tools/check/survey.h"
#include "tools/check/survey_ad.h"
#include "tools/check/survey_krb5.h"
#include "tools/ctl.h"
#include "tools/secret_input.h"
#include "tools/check/enrolments.h"
#include "tools/shared_ledger.h"
#include "tools/words.h"

#define PASSWORD_MAX 1024

/* The search that selfreset-publish makes. */
struct enumeration {
    struct findings *findings;
    const char *backend;
};

static int
take_account(void *context, struct sr_account *account,
             const struct sr_rules *rules, enum sr_status ask,
             const char *reason)
{
    const struct enumeration *enumeration = context;
    const char *name = account->facts.name;

    (void)rules;
    if (ask != SR_STATUS_OK)
        findings_add(enumeration->findings, SEVERITY_WARNING,
                     enumeration->backend, name,
                     "Correct the entry.  Until then it is published with an "
                     "unknown state.",
                     "An account cannot be read: %s.", _(reason));
    else if (!sr_snapshot_name(name))
        findings_add(enumeration->findings, SEVERITY_WARNING,
                     enumeration->backend, name,
                     "Rename the account, if it is to log in on hosts.",
                     "The name of an account cannot be published.");
    return 0;
}

/* Read all accounts and report what cannot be read or published. */
static void
check_enumeration(const struct sr_config *config,
                  const struct sr_backend *backend, struct findings *findings)
{
    struct enumeration enumeration = {findings, backend->name};
    const struct sr_visitor visitor = {sr_members_rules,
                                       sr_members_new(config, NULL),
                                       take_account, &enumeration, NULL};
    struct sr_call call = sr_call_make(backend, NULL);

    if (visitor.groups == NULL || backend->ops->enumerate == NULL)
        return;
    if (sr_backend_enumerate(&call, &visitor) != SR_STATUS_OK)
        findings_add(findings, SEVERITY_ERROR, backend->name, NULL,
                     "Check the server's limits on the size and the time of "
                     "searches, and on paged results.",
                     "selfreset-publish cannot read all accounts: %s.",
                     _(sr_error_text(&call.error)));
    sr_members_free(visitor.groups);
}

static void
find_faults(const struct ctl *ctl, const struct sr_survey *survey,
            const struct sr_backend *backend,
            struct sr_connections *connections, struct findings *findings)
{
    const struct sr_backend_config *config = backend->config;
    const bool is_ad = config->type == SR_BACKEND_AD;
    const bool is_krb5 = is_ad || config->type == SR_BACKEND_KRB5;

    if (is_krb5)
        check_survey_krb5(survey, config, findings);
    if (is_ad)
        check_survey_ad(survey, config, ctl->config->rules.attempts, findings);
    if (!is_krb5)
        check_survey(survey, config, ctl->now, findings);
    if (survey->used[0] != '\0' && !is_krb5)
        check_enumeration(ctl->config, backend, findings);
    if (survey->used[0] != '\0' && !is_krb5) {
        shared_check(backend, connections, sr_config_shares(ctl->config),
                     findings);
        check_enrolments(backend, connections,
                         ctl->config->reset.store == SR_RESET_STORE_LDAP,
                         findings);
    }
}

static int
conclude(const struct ctl *ctl, const struct sr_survey *survey,
         const struct sr_backend *backend, struct sr_connections *connections,
         bool is_nagios)
{
    const struct sr_backend_config *config = backend->config;
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    struct report report;
    const char *hint;
    const bool is_ad = config->type == SR_BACKEND_AD;
    const bool is_krb5 = is_ad || config->type == SR_BACKEND_KRB5;

    find_faults(ctl, survey, backend, connections, &findings);
    if (is_nagios)
        return ctl_findings_nagios(&findings);
    report_begin(&report, ctl->is_json, ctl->now, false);
    report_item(&report);
    if (is_krb5)
        report_survey_krb5(&report, survey, config);
    if (is_ad)
        report_survey_ad(&report, survey);
    if (!is_krb5)
        report_survey(&report, survey, config);
    if (ctl->is_json) {
        ctl_findings_json(&report.json, "findings", &findings);
    } else {
        putchar('\n');
        for (unsigned i = 0;
             !is_krb5 && (hint = survey_hint(survey, i)) != NULL; i++)
            ctl_wrap(stdout, "", 0, _(hint));
    }
    report_item_end(&report);
    report_end(&report);
    return ctl->is_json ? ctl_findings_code(&findings)
                        : ctl_findings(&findings, false);
}

int
ctl_check_backend(struct ctl *ctl, const char *name, const char *test,
                  bool has_password, bool is_nagios)
{
    struct sr_survey survey = {.test = test};
    char prompt[300], password[PASSWORD_MAX] = "";
    bool is_cut;
    struct sr_connections *connections;
    struct sr_backend backend;
    struct sr_error error;
    struct sr_call call;
    int code = CTL_FAILED;

    if (!ctl_load(ctl))
        return is_nagios ? ctl_nagios_unknown("the configuration has errors")
                         : CTL_ERRORS;
    if (sr_backend_find(ctl->config, name, &backend, &error) != 0 ||
        backend.ops->survey == NULL) {
        ctl_error("The backend \"%s\" cannot be checked: %s.", name,
                  sr_error_has_text(&error) ? _(error.text)
                                            : _("it is this host's own; leave "
                                                "--backend out"));
        return is_nagios ? ctl_nagios_unknown("the backend cannot be checked")
                         : CTL_ERRORS;
    }
    snprintf(prompt, sizeof(prompt), _("Password of %s: "),
             test == NULL ? "" : test);
    if (has_password &&
        ctl_read_secret(prompt, password, sizeof(password), &is_cut))
        survey.password = password;
    connections = sr_connections_new();
    call = sr_call_make(&backend, connections);
    sr_backend_survey(&call, &survey);
    if (survey.used[0] == '\0' && survey.why[0] == '\0')
        snprintf(survey.why, sizeof(survey.why), "%s", call.error.text);
    code = conclude(ctl, &survey, &backend, connections, is_nagios);
    sr_connections_free(connections);
    explicit_bzero(password, sizeof(password));
    return code;
}
