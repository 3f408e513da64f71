/*
 * Survey report: what a survey of a backend found, and what it could not see.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>

#include "tools/check/survey_report.h"

/* ---- what was found */

static void
report_uris(struct report *report, const struct sr_survey *survey)
{
    if (report->is_json)
        json_array(&report->json, "uris");
    for (size_t i = 0; i < survey->uri_count; i++) {
        const struct sr_survey_uri *uri = &survey->uri[i];

        report_section(report, NULL, uri->uri);
        report_text(report, "uri", uri->uri);
        report_bool(report, "answers", uri->is_answered);
        report_text(report, "reason", uri->is_answered ? NULL : uri->why);
        report_bool(report, "read_only", uri->is_read_only);
        report_text(report, "tls", uri->tls[0] == '\0' ? NULL : uri->tls);
        report_bool(report, "name_verified", uri->tls[0] != '\0');
        report_time_or(report, "certificate_ends", uri->certificate_ends, "-");
        report_section_end(report);
    }
    if (report->is_json)
        json_end(&report->json);
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
        report_tri(report, "tells_changes", policy->tells_changes);
        report_amount(report, "temporary_uses", policy->temporary_uses);
        report_span_or(report, "temporary_lifetime",
                       policy->temporary_lifetime);
    }
    report_section_end(report);
}

static const char *
word(enum sr_tri value, const char *yes, const char *no)
{
    return value == SR_YES ? yes : value == SR_NO ? no : "?";
}

static void
report_right(struct report *report, const struct sr_survey_right *right)
{
    char line[96];

    if (report->is_json) {
        report_section(report, NULL, NULL);
        report_text(report, "attribute", right->attribute);
        report_tri(report, "service_reads", right->sees);
        report_tri(report, "service_writes", right->writes);
        report_tri(report, "owner_writes", right->self_writes);
        report_section_end(report);
        return;
    }
    snprintf(line, sizeof(line), "service: %s, %s; owner: %s",
             word(right->sees, "reads", "does not read"),
             word(right->writes, "writes", "does not write"),
             word(right->self_writes, "writes", "does not write"));
    report_text(report, right->attribute, line);
}

/* What the service's identity and the owner may do with each attribute. */
static void
report_rights(struct report *report, const struct sr_survey *survey)
{
    report_text(report, "test_entry", survey->test_dn);
    if (report->is_json)
        json_array(&report->json, "rights");
    else if (survey->right_count > 0)
        report_section(report, "rights", "Rights, tried on the test entry");
    for (size_t i = 0; i < survey->right_count; i++) {
        if (survey->right[i].is_known != SR_NO)
            report_right(report, &survey->right[i]);
    }
    if (report->is_json)
        json_end(&report->json);
    else if (survey->right_count > 0)
        report_section_end(report);
}

void
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
    report_text(report, "lockout_base", config->lockout_base);
    report_bool(report, "ppolicy_control", survey->has_ppolicy);
    report_bool(report, "password_operation", survey->has_password_operation);
    report_bool(report, "content_synchronisation", survey->has_sync);
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

const char *
survey_hint(const struct sr_survey *survey, unsigned number)
{
    const struct {
        bool is_given;
        const char *text;
    } hint[] = {
        {survey->is_cut,
         "The server did not show all accounts: names that two entries have "
         "were looked for only among those shown."},
        {survey->test == NULL,
         "Rights were not tried: name an account with --test-entry.  Nothing "
         "of it is changed."},
        {survey->test != NULL && survey->password == NULL,
         "What users may write was not tried: --ask-password asks for the "
         "password of the test entry."},
        {survey->tells_locks == SR_UNKNOWN &&
             survey->server == SR_SERVER_OPENLDAP && survey->has_ppolicy,
         "Whether the server tells that an account is locked "
         "(ppolicy_use_lockout) shows only at one that is: set "
         "pwdAccountLockedTime of the test entry to 000001010000Z and check "
         "again."},
        {!survey->has_sync,
         "The server does not tell of changes by itself: \"selfreset-publish "
         "--follow\" asks it every five seconds.  OpenLDAP tells of them with "
         "the overlay syncprov, 389 Directory Server with the plug-in Content "
         "Synchronization."},
    };

    for (size_t i = 0;
         survey->used != NULL && i < sizeof(hint) / sizeof(hint[0]); i++) {
        if (hint[i].is_given && number-- == 0)
            return hint[i].text;
    }
    return NULL;
}
