/*
 * Check survey: what is wrong with a backend, by what a survey of it found.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "tools/check/survey.h"
#include "tools/words.h"

/* A certificate that ends sooner is reported. */
#define ENDS_SOON (21 * SR_DAY)

struct check {
    const struct sr_survey *survey;
    const struct sr_backend_config *config;
    sr_time now;
    struct findings *findings;
    char place[32];
};

/* ---- the servers */

static void
check_uri(const struct check *check, const struct sr_survey_uri *uri)
{
    struct findings *findings = check->findings;
    const sr_time ends = uri->certificate_ends;
    const sr_time left = SR_TIME_IS_SET(ends) ? ends - check->now : ENDS_SOON;

    if (!uri->is_answered) {
        findings_add(findings, SEVERITY_ERROR, uri->uri, NULL,
                     "Correct the cause, or remove the URI from \"uri\": every "
                     "login waits for it.",
                     "It cannot be used: %s.", _(uri->why));
        return;
    }
    if (uri->is_insecure)
        findings_add(findings, SEVERITY_WARNING, uri->uri, NULL,
                     "Use ldaps:// or StartTLS, and take \"insecure\" out.",
                     "The connection is not encrypted: passwords can be read "
                     "on the network.");
    if (left < ENDS_SOON)
        findings_add(
            findings, SEVERITY_WARNING, uri->uri, NULL,
            "Renew it.  After that no account of the directory can log in.",
            _n("The certificate of the server ends in %lld day.",
               "The certificate of the server ends in %lld days.",
               left / SR_DAY),
            (long long)(left / SR_DAY));
}

/* A change goes to the first server that takes changes. */
static void
check_changes(const struct check *check)
{
    const struct sr_survey *survey = check->survey;
    size_t takers = 0, refusers = 0;

    for (size_t i = 0; i < survey->uri_count; i++) {
        takers += !survey->uri[i].is_read_only;
        refusers += survey->uri[i].is_read_only;
    }
    if (refusers > 0 && takers == 0)
        findings_add(check->findings, SEVERITY_WARNING, check->place, NULL,
                     "Add to \"uri\" a server that takes changes; it may come "
                     "last.",
                     "No server takes changes: they are copies for reading, or "
                     "their database is read-only.  No user can change a "
                     "password, or log in where one has to be changed.");
}

/* The configuration of 389 that says what counts. */
static void
check_hidden(const struct check *check)
{
    static const char advice[] =
        N_("Let it read the attributes of cn=config that selfreset.conf(5) "
           "lists under RIGHTS IN A DIRECTORY.");

    if (check->survey->hides_local)
        findings_add(check->findings, SEVERITY_WARNING, check->place,
                     "nsslapd-pwpolicy-local", advice,
                     "The service's identity cannot see whether policies of "
                     "subtrees and users count: none of them is applied.");
    if (check->survey->hides_inactivity)
        findings_add(check->findings, SEVERITY_WARNING, check->place,
                     "cn=Account Policy Plugin", advice,
                     "The service's identity cannot see whether accounts that "
                     "are not used are locked out: logins by key are not "
                     "checked against it.");
}

/* Whether a server has a finding of its own with the cause. */
static bool
is_cause_named(const struct sr_survey *survey)
{
    for (size_t i = 0; i < survey->uri_count; i++) {
        if (!survey->uri[i].is_answered &&
            strcmp(survey->uri[i].why, survey->why) == 0)
            return true;
    }
    return false;
}

static void
check_server(const struct check *check)
{
    const struct sr_survey *survey = check->survey;
    struct findings *findings = check->findings;

    if (survey->used[0] == '\0') {
        if (!is_cause_named(survey))
            findings_add(findings, SEVERITY_ERROR, check->place, NULL,
                         "Correct the cause; no account of the directory can "
                         "log in until then.",
                         "The directory cannot be asked: %s.", _(survey->why));
        return;
    }
    if (!survey->has_ppolicy)
        findings_add(findings, SEVERITY_WARNING, check->place, NULL,
                     survey->server == SR_SERVER_OPENLDAP
                         ? N_("Load the overlay ppolicy for the database.  "
                              "Otherwise only shadow attributes are known.")
                         : N_("Only the attributes of the entries are known."),
                     "The server has no control for password policies: a bind "
                     "does not tell that a password is expired, has to be "
                     "changed, or that the account is locked.");
    if (!survey->has_password_operation)
        findings_add(findings, SEVERITY_WARNING, check->place, NULL,
                     "Make the server hash what is written to userPassword.",
                     "The server has no operation to change passwords (RFC "
                     "3062): they are written as values of userPassword.");
}

/* Accounts that are found by their DN need not be visible to others. */
static bool
is_closed(const struct check *check)
{
    return check->config->user_dn != NULL && check->survey->used[0] != '\0' &&
           check->survey->accounts == 0;
}

static void
check_closed(const struct check *check)
{
    findings_add(check->findings, SEVERITY_WARNING, check->place, NULL,
                 "Configure an identity, or let everybody read what says that "
                 "an account is in order; see user_dn in selfreset.conf(5).",
                 "Accounts are seen by their owners only.  No user can log in "
                 "by key, and no state is published before a login by "
                 "password.");
}

static void
check_base(const struct check *check)
{
    const struct sr_survey *survey = check->survey;
    struct findings *findings = check->findings;

    if (is_closed(check))
        check_closed(check);
    else if (survey->has_base == SR_NO)
        findings_add(findings, SEVERITY_ERROR, check->place, NULL,
                     "Correct \"base\", or let the service's identity read it.",
                     "The base \"%s\" does not exist, or the service's "
                     "identity may not see it.",
                     check->config->base);
    else if (survey->used[0] != '\0' && survey->accounts == 0)
        findings_add(findings, SEVERITY_ERROR, check->place, NULL,
                     "Correct \"base\" and \"filter\", or let the service's "
                     "identity search there.",
                     "No account is found under \"%s\".", check->config->base);
    if (survey->reading_why[0] != '\0')
        findings_add(findings, SEVERITY_WARNING, check->place, NULL,
                     "Let the service's identity read any number of entries, "
                     "in pages; selfreset-publish(8) has the line for it.",
                     "selfreset-publish cannot read every account here: %s.",
                     _(survey->reading_why));
    if (survey->twice[0] != '\0')
        findings_add(findings, SEVERITY_ERROR, check->place, survey->twice,
                     "Give one of them another name, or make \"base\" or "
                     "\"filter\" narrower.",
                     "More than one entry has the same name.  None of them can "
                     "log in (SR-3013).");
    if (survey->twice_uid[0] != '\0')
        findings_add(findings, SEVERITY_WARNING, check->place,
                     survey->twice_uid, "Give each account its own.",
                     "Two accounts have the same %s.  Sessions of one are "
                     "taken for sessions of the other.",
                     check->config->uid_attribute);
    if (survey->no_uid[0] != '\0')
        findings_add(findings, SEVERITY_WARNING, check->place, survey->no_uid,
                     "Give the entry a number above 0, or make \"filter\" "
                     "narrower.",
                     "Accounts have no usable %s.  They cannot log in.",
                     check->config->uid_attribute);
}

static void
check_hashes(const struct check *check)
{
    const struct sr_survey *survey = check->survey;

    if (survey->anyone_reads_hashes == SR_YES)
        findings_add(
            check->findings, SEVERITY_ERROR, check->place, NULL,
            "Allow no one to read userPassword.  In OpenLDAP: \"access to "
            "attrs=userPassword by self write by anonymous auth by * "
            "none\", above the other rules.",
            "Anyone can read the hashes of the passwords without "
            "logging in (userPassword).");
    else if (survey->service_reads_hashes == SR_YES)
        findings_add(check->findings, SEVERITY_WARNING, check->place, NULL,
                     "Remove its right to read them.  Nothing here needs it; "
                     "writing is a separate right (\"=w\" in OpenLDAP).",
                     "The service's identity can read the hashes of the "
                     "passwords (userPassword).  An attacker who has its "
                     "secret can read them all.");
}

/* ---- the policy */

static void
check_policy(const struct check *check)
{
    const struct sr_survey_policy *policy = &check->survey->policy;
    struct findings *findings = check->findings;

    if (policy->dn[0] == '\0') {
        if (check->survey->has_ppolicy &&
            check->survey->server != SR_SERVER_OTHER)
            findings_add(findings, SEVERITY_WARNING, check->place, NULL,
                         check->survey->server == SR_SERVER_389
                             ? N_("Name \"cn=config\", and let the service's "
                                  "identity read its password attributes.")
                             : N_("Name the entry that ppolicy_default "
                                  "names."),
                         "default_policy is not set.  Of accounts that name no "
                         "policy it is not known when the password expires.");
        return;
    }
    if (!policy->is_read && is_closed(check))
        return; /* the owners may read it */
    if (!policy->is_read) {
        findings_add(
            findings, SEVERITY_ERROR, policy->dn, NULL,
            "Correct default_policy, or let the service's identity "
            "read the entry.",
            "The password policy cannot be read.  No user is warned before a "
            "password expires, and logins by key are not checked against it.");
        return;
    }
    if (policy->must_change != SR_YES)
        findings_add(findings, SEVERITY_WARNING, policy->dn, NULL,
                     "Set \"pwdMustChange: TRUE\" (389: passwordMustChange).",
                     "The policy does not enforce that a password is changed "
                     "after a reset.  \"selfresetctl must-change\" and "
                     "\"temporary\" have no effect.");
    if (policy->locks != SR_YES)
        findings_add(findings, SEVERITY_WARNING, policy->dn, NULL,
                     "Set \"pwdLockout: TRUE\" with pwdMaxFailure (389: "
                     "passwordLockout).",
                     check->survey->server == SR_SERVER_389
                         ? N_("The policy has no lockout: guesses at other "
                              "hosts are not counted, and accountUnlockTime is "
                              "not evaluated.")
                         : N_("The policy has no lockout: guesses at other "
                              "hosts are not counted, and "
                              "pwdAccountLockedTime, pwdEndTime and pwdMaxIdle "
                              "are not evaluated."));
    if (policy->tells_changes == SR_NO)
        findings_add(findings, SEVERITY_WARNING, policy->dn, NULL,
                     "Set \"passwordTrackUpdateTime: on\".",
                     "The directory does not show when a password was changed. "
                     " When a demand is withdrawn, the password counts as just "
                     "changed.");
}

/* ---- rights, by the test entry */

static const struct sr_survey_right *
right_of(const struct sr_survey *survey, const char *attribute)
{
    for (size_t i = 0; i < survey->right_count; i++) {
        if (strcmp(survey->right[i].attribute, attribute) == 0)
            return &survey->right[i];
    }
    return NULL;
}

static void
check_seen(const struct check *check)
{
    static const char *const needed[] = {"pwdChangedTime",
                                         "pwdAccountLockedTime",
                                         "pwdReset",
                                         "pwdPolicySubentry",
                                         "pwdStartTime",
                                         "pwdEndTime",
                                         "pwdGraceUseTime",
                                         "passwordExpirationTime",
                                         "accountUnlockTime",
                                         "nsAccountLock",
                                         NULL};

    for (size_t i = 0; needed[i] != NULL; i++) {
        const struct sr_survey_right *right =
            right_of(check->survey, needed[i]);

        if (right != NULL && right->is_known == SR_YES && right->sees == SR_NO)
            findings_add(
                check->findings, SEVERITY_WARNING, check->place,
                right->attribute,
                "Let it read them.  Logins by key are decided by them alone.",
                "The service's identity cannot see facts of an "
                "account.");
    }
}

static void
check_writes(const struct check *check)
{
    static const struct {
        const char *attribute, *use;
    } wanted[] = {
        {"userPassword",
         N_("The service's identity cannot write userPassword: this host "
            "cannot set a "
            "temporary password, or change one that has expired with no login "
            "left.")},
        {"pwdReset", N_("The service's identity cannot write pwdReset: this "
                        "host cannot demand a "
                        "change or set a temporary password.")},
        {"pwdAccountLockedTime",
         N_("The service's identity cannot write pwdAccountLockedTime: this "
            "host cannot end a "
            "lockout of the directory.")},
        {"passwordExpirationTime",
         N_("The service's identity cannot write passwordExpirationTime: this "
            "host cannot demand a "
            "change or withdraw the demand.")},
        {"accountUnlockTime", N_("The service's identity cannot write "
                                 "accountUnlockTime: this host cannot end a "
                                 "lockout of the directory.")},
    };

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        const struct sr_survey_right *right =
            right_of(check->survey, wanted[i].attribute);

        if (right != NULL && right->is_known == SR_YES &&
            right->writes == SR_NO)
            findings_add(check->findings, SEVERITY_WARNING, check->place, NULL,
                         "Give it the right to write the attribute, if that "
                         "is wanted here.",
                         "%s", _(wanted[i].use));
    }
}

static void
check_self(const struct check *check)
{
    for (size_t i = 0; i < check->survey->right_count; i++) {
        const struct sr_survey_right *right = &check->survey->right[i];

        if (!right->is_shut || right->self_writes != SR_YES)
            continue;
        findings_add(check->findings, SEVERITY_ERROR, check->place,
                     right->attribute,
                     "Restrict \"by self write\" to the attributes that users "
                     "may maintain themselves.",
                     "Users can write attributes of their own entry that "
                     "enforce the rules: they can clear the demand for a "
                     "change, choose another policy, or become another user.");
    }
}

static void
check_bind(const struct check *check)
{
    const struct sr_survey *survey = check->survey;

    if (survey->is_let_in == SR_NO)
        findings_add(check->findings, SEVERITY_WARNING, survey->test, NULL,
                     "Give the right one, and an account that is not locked.",
                     "The test entry cannot log in with the given password.  "
                     "What users may do was not tried.");
    /* 389 answers with it only when it has something to report. */
    if (survey->answers_with == SR_NO && survey->has_ppolicy &&
        survey->server == SR_SERVER_OPENLDAP)
        findings_add(check->findings, SEVERITY_WARNING, check->place, NULL,
                     "Check that the overlay ppolicy is configured for the "
                     "database of the accounts.",
                     "The server knows the control for password policies, but "
                     "does not answer a bind with it.");
    if (survey->tells_locks == SR_NO)
        findings_add(check->findings, SEVERITY_WARNING, check->place, NULL,
                     "Set ppolicy_use_lockout (olcPPolicyUseLockout: TRUE) if "
                     "users shall be told; it also tells strangers.",
                     "A bind to a locked account is answered like a wrong "
                     "password.");
}

static void
check_test(const struct check *check)
{
    const struct sr_survey *survey = check->survey;
    struct findings *findings = check->findings;

    switch (survey->test_result) {
    case SR_TEST_FOUND:
        check_seen(check);
        check_writes(check);
        check_self(check);
        check_bind(check);
        break;
    case SR_TEST_UNKNOWN:
        findings_add(findings, SEVERITY_ERROR, survey->test, NULL,
                     "Name another account for --test-entry, or correct "
                     "\"filter\".",
                     "There is no such account in the directory.");
        break;
    case SR_TEST_TWICE:
        findings_add(findings, SEVERITY_ERROR, check->place, survey->test,
                     "Give one of them another name, or make \"base\" or "
                     "\"filter\" narrower.",
                     "More than one entry has the same name.  None of them can "
                     "log in (SR-3013).");
        break;
    case SR_TEST_FAILED:
        findings_add(findings, SEVERITY_ERROR, survey->test, NULL,
                     "Correct the cause.", "It cannot be looked up: %s.",
                     _(survey->test_why));
        break;
    case SR_TEST_NONE:
        break;
    }
}

void
check_survey(const struct sr_survey *survey,
             const struct sr_backend_config *config, sr_time now,
             struct findings *findings)
{
    struct check check = {
        .survey = survey,
        .config = config,
        .now = now,
        .findings = findings,
    };

    snprintf(check.place, sizeof(check.place), "[backend %s]", config->name);
    for (size_t i = 0; i < survey->uri_count; i++)
        check_uri(&check, &survey->uri[i]);
    check_server(&check);
    check_changes(&check);
    if (survey->used[0] == '\0')
        return;
    check_hidden(&check);
    check_base(&check);
    check_hashes(&check);
    check_policy(&check);
    check_test(&check);
}

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
        report_text(report, "reason", uri->is_answered ? NULL : _(uri->why));
        report_bool(report, "read_only", uri->is_read_only);
        report_text(report, "tls", uri->tls[0] == '\0' ? NULL : uri->tls);
        report_bool(report, "name_verified", uri->tls[0] != '\0');
        report_time_or(report, "certificate_ends", uri->certificate_ends, NULL);
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
    char line[512];

    if (report->is_json) {
        report_section(report, NULL, NULL);
        report_text(report, "attribute", right->attribute);
        report_tri(report, "service_reads", right->sees);
        report_tri(report, "service_writes", right->writes);
        report_tri(report, "owner_writes", right->self_writes);
        report_section_end(report);
        return;
    }
    snprintf(line, sizeof(line), _("service: %s, %s; owner: %s"),
             word(right->sees, _("reads"), _("does not read")),
             word(right->writes, _("writes"), _("does not write")),
             word(right->self_writes, _("writes"), _("does not write")));
    report_text(report, right->attribute, line);
}

void
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
    report_text(report, "uri_used",
                survey->used[0] == '\0' ? NULL : survey->used);
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
         N_("The server did not show all accounts: names that two entries have "
            "were looked for only among those shown.")},
        {survey->test == NULL, N_("Rights were not tried: name an account with "
                                  "--test-entry.  Nothing "
                                  "of it is changed.")},
        {survey->test != NULL && survey->password == NULL,
         N_("What users may write was not tried: --ask-password asks for the "
            "password of the test entry.")},
        {survey->tells_locks == SR_UNKNOWN &&
             survey->server == SR_SERVER_OPENLDAP && survey->has_ppolicy,
         N_("Whether the server tells that an account is locked "
            "(ppolicy_use_lockout) shows only at one that is: set "
            "pwdAccountLockedTime of the test entry to 000001010000Z and check "
            "again.")},
        {!survey->has_sync,
         N_("The server does not tell of changes by itself: "
            "\"selfreset-publish --follow\" asks it every five seconds.  "
            "OpenLDAP tells of them with the overlay syncprov, 389 Directory "
            "Server with the plug-in Content Synchronization.")},
    };

    for (size_t i = 0;
         survey->used[0] != '\0' && i < sizeof(hint) / sizeof(hint[0]); i++) {
        if (hint[i].is_given && number-- == 0)
            return hint[i].text;
    }
    return NULL;
}
