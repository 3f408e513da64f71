/*
 * Check survey: what is wrong with a backend, by what a survey of it found.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "tools/check/survey.h"

/* A certificate that ends sooner needs somebody's attention. */
#define ENDS_SOON (21 * SR_DAY)

struct judge {
    const struct sr_survey *survey;
    const struct sr_backend_config *config;
    sr_time now;
    struct findings *findings;
    char place[32];
};

/* ---- the servers */

static void
check_uri(const struct judge *judge, const struct sr_survey_uri *uri)
{
    struct findings *findings = judge->findings;
    const sr_time ends = uri->certificate_ends;
    const sr_time left = SR_TIME_IS_SET(ends) ? ends - judge->now : ENDS_SOON;

    if (!uri->is_answered) {
        findings_add(findings, SEVERITY_ERROR, uri->uri, NULL,
                     "Correct the cause, or remove the URI from \"uri\": every "
                     "login waits for it.",
                     "It cannot be used: %s.", uri->why);
        return;
    }
    if (uri->is_insecure)
        findings_add(findings, SEVERITY_WARNING, uri->uri, NULL,
                     "Use ldaps:// or StartTLS, and take \"insecure\" out.",
                     "The connection is not encrypted: passwords can be read "
                     "on the network.");
    if (left < ENDS_SOON)
        findings_add(findings, SEVERITY_WARNING, uri->uri, NULL,
                     "Renew it.  After its end nobody of the directory can log "
                     "in.",
                     "The certificate of the server ends in %lld day%s.",
                     (long long)(left / SR_DAY), left / SR_DAY == 1 ? "" : "s");
}

/* A change goes to the first server that takes changes. */
static void
check_changes(const struct judge *judge)
{
    const struct sr_survey *survey = judge->survey;
    size_t takers = 0, refusers = 0;

    for (size_t i = 0; i < survey->uri_count; i++) {
        takers += !survey->uri[i].is_read_only;
        refusers += survey->uri[i].is_read_only;
    }
    if (refusers > 0 && takers == 0)
        findings_add(judge->findings, SEVERITY_WARNING, judge->place, NULL,
                     "Add to \"uri\" a server that takes changes; it may come "
                     "last.",
                     "No server takes changes: they are copies for reading, or "
                     "their database is read-only.  Nobody can change a "
                     "password, nor log in where one has to be changed.");
}

/* The configuration of 389 that says what counts. */
static void
check_hidden(const struct judge *judge)
{
    static const char advice[] =
        "Let it read the attributes of cn=config that selfreset.conf(5) lists "
        "under RIGHTS IN A DIRECTORY.";

    if (judge->survey->hides_local)
        findings_add(judge->findings, SEVERITY_WARNING, judge->place,
                     "nsslapd-pwpolicy-local", advice,
                     "The service's identity cannot see whether policies of "
                     "subtrees and users count: none of them is believed.");
    if (judge->survey->hides_inactivity)
        findings_add(judge->findings, SEVERITY_WARNING, judge->place,
                     "cn=Account Policy Plugin", advice,
                     "The service's identity cannot see whether accounts that "
                     "are not used are locked out: logins by key are not held "
                     "to it.");
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
check_server(const struct judge *judge)
{
    const struct sr_survey *survey = judge->survey;
    struct findings *findings = judge->findings;

    if (survey->used == NULL) {
        if (!is_cause_named(survey))
            findings_add(findings, SEVERITY_ERROR, judge->place, NULL,
                         "Correct the cause; no account of the directory can "
                         "log in until then.",
                         "The directory cannot be asked: %s.", survey->why);
        return;
    }
    if (!survey->has_ppolicy)
        findings_add(findings, SEVERITY_WARNING, judge->place, NULL,
                     survey->server == SR_SERVER_OPENLDAP
                         ? "Load the overlay ppolicy for the database.  "
                           "Otherwise only shadow attributes are known."
                         : "Only the attributes of the entries are known.",
                     "The server has no control for password policies: a bind "
                     "does not tell that a password is expired, has to be "
                     "changed, or that the account is locked.");
    if (!survey->has_password_operation)
        findings_add(findings, SEVERITY_WARNING, judge->place, NULL,
                     "See to it that the server hashes what is written to "
                     "userPassword.",
                     "The server has no operation to change passwords (RFC "
                     "3062): they are written as values of userPassword.");
}

/* Accounts that are found by their DN need not be seen by anybody else. */
static bool
is_closed(const struct judge *judge)
{
    return judge->config->user_dn != NULL && judge->survey->used != NULL &&
           judge->survey->accounts == 0;
}

static void
check_closed(const struct judge *judge)
{
    findings_add(judge->findings, SEVERITY_WARNING, judge->place, NULL,
                 "Configure an identity, or let everybody read what says that "
                 "an account is in order; see user_dn in selfreset.conf(5).",
                 "Accounts are seen by their owners only.  Nobody can log in "
                 "by key, and no state is published before a login by "
                 "password.");
}

static void
check_base(const struct judge *judge)
{
    const struct sr_survey *survey = judge->survey;
    struct findings *findings = judge->findings;

    if (is_closed(judge))
        check_closed(judge);
    else if (survey->has_base == SR_NO)
        findings_add(findings, SEVERITY_ERROR, judge->place, NULL,
                     "Correct \"base\", or let the service's identity read it.",
                     "The base \"%s\" does not exist, or the service's "
                     "identity may not see it.",
                     judge->config->base);
    else if (survey->used != NULL && survey->accounts == 0)
        findings_add(findings, SEVERITY_ERROR, judge->place, NULL,
                     "Correct \"base\" and \"filter\", or let the service's "
                     "identity search there.",
                     "No account is found under \"%s\".", judge->config->base);
    if (survey->reading_why[0] != '\0')
        findings_add(findings, SEVERITY_WARNING, judge->place, NULL,
                     "Let the service's identity read any number of entries, "
                     "in pages; selfreset-publish(8) has the line for it.",
                     "selfreset-publish cannot read every account here: %s.",
                     survey->reading_why);
    if (survey->twice[0] != '\0')
        findings_add(findings, SEVERITY_ERROR, judge->place, survey->twice,
                     "Give one of them another name, or make \"base\" or "
                     "\"filter\" narrower.",
                     "More than one entry has the same name.  None of them can "
                     "log in (SR-3013).");
    if (survey->twice_uid[0] != '\0')
        findings_add(findings, SEVERITY_WARNING, judge->place,
                     survey->twice_uid, "Give each account its own.",
                     "Two accounts have the same %s.  Sessions of one are "
                     "taken for sessions of the other.",
                     judge->config->uid_attribute);
    if (survey->no_uid[0] != '\0')
        findings_add(findings, SEVERITY_WARNING, judge->place, survey->no_uid,
                     "Give the entry a number above 0, or make \"filter\" "
                     "narrower.",
                     "Accounts have no usable %s.  They cannot log in.",
                     judge->config->uid_attribute);
}

static void
check_hashes(const struct judge *judge)
{
    const struct sr_survey *survey = judge->survey;

    if (survey->anyone_reads_hashes == SR_YES)
        findings_add(judge->findings, SEVERITY_ERROR, judge->place, NULL,
                     "Let nobody read userPassword.  In OpenLDAP: \"access to "
                     "attrs=userPassword by self write by anonymous auth by * "
                     "none\", above the other rules.",
                     "Anybody can read the hashes of the passwords without "
                     "logging in (userPassword).");
    else if (survey->service_reads_hashes == SR_YES)
        findings_add(judge->findings, SEVERITY_WARNING, judge->place, NULL,
                     "Take the right to read from it.  Nothing here needs it; "
                     "to write is another right (\"=w\" in OpenLDAP).",
                     "The service's identity can read the hashes of the "
                     "passwords (userPassword).  An attacker with its secret "
                     "has them all.");
}

/* ---- the policy */

static void
check_policy(const struct judge *judge)
{
    const struct sr_survey_policy *policy = &judge->survey->policy;
    struct findings *findings = judge->findings;

    if (policy->dn[0] == '\0') {
        if (judge->survey->has_ppolicy &&
            judge->survey->server != SR_SERVER_OTHER)
            findings_add(findings, SEVERITY_WARNING, judge->place, NULL,
                         judge->survey->server == SR_SERVER_389
                             ? "Name \"cn=config\", and let the service's "
                               "identity read its password attributes."
                             : "Name the entry that ppolicy_default names.",
                         "default_policy is not set.  Of accounts that name no "
                         "policy it is not known when the password expires.");
        return;
    }
    if (!policy->is_read && is_closed(judge))
        return; /* the owners may read it */
    if (!policy->is_read) {
        findings_add(findings, SEVERITY_ERROR, policy->dn, NULL,
                     "Correct default_policy, or let the service's identity "
                     "read the entry.",
                     "The password policy cannot be read.  Nobody is warned "
                     "before a password expires, and logins by key are not "
                     "held to it.");
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
                     "The policy locks nobody out: guessing through other "
                     "hosts is not counted, and %s not looked at.",
                     judge->survey->server == SR_SERVER_389
                         ? "accountUnlockTime is"
                         : "pwdAccountLockedTime, pwdEndTime and pwdMaxIdle "
                           "are");
    if (policy->tells_changes == SR_NO)
        findings_add(findings, SEVERITY_WARNING, policy->dn, NULL,
                     "Set \"passwordTrackUpdateTime: on\".",
                     "The directory does not show when a password was changed. "
                     " A demand that is taken back makes the password young.");
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
check_seen(const struct judge *judge)
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
            right_of(judge->survey, needed[i]);

        if (right != NULL && right->is_known == SR_YES && right->sees == SR_NO)
            findings_add(judge->findings, SEVERITY_WARNING, judge->place,
                         right->attribute,
                         "Let it read them.  Logins by key are judged by them "
                         "alone.",
                         "The service's identity cannot see facts of an "
                         "account.");
    }
}

static void
check_writes(const struct judge *judge)
{
    static const struct {
        const char *attribute, *use;
    } wanted[] = {
        {"userPassword", "set a temporary password, and change one that has "
                         "expired with no login left"},
        {"pwdReset", "demand a change, nor set a temporary password"},
        {"pwdAccountLockedTime", "end a lockout of the directory"},
        {"passwordExpirationTime", "demand a change, nor take that back"},
        {"accountUnlockTime", "end a lockout of the directory"},
    };

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        const struct sr_survey_right *right =
            right_of(judge->survey, wanted[i].attribute);

        if (right != NULL && right->is_known == SR_YES &&
            right->writes == SR_NO)
            findings_add(judge->findings, SEVERITY_WARNING, judge->place, NULL,
                         "Give it the right to write the attribute, if that "
                         "is wanted here.",
                         "The service's identity cannot write %s: this host "
                         "cannot %s.",
                         wanted[i].attribute, wanted[i].use);
    }
}

static void
check_self(const struct judge *judge)
{
    for (size_t i = 0; i < judge->survey->right_count; i++) {
        const struct sr_survey_right *right = &judge->survey->right[i];

        if (!right->is_shut || right->self_writes != SR_YES)
            continue;
        findings_add(judge->findings, SEVERITY_ERROR, judge->place,
                     right->attribute,
                     "Narrow \"by self write\" down to the attributes that "
                     "people look after themselves.",
                     "Users can write attributes of their own entry that hold "
                     "them to the rules: they can take back the demand for a "
                     "change, choose another policy, or become another user.");
    }
}

static void
check_bind(const struct judge *judge)
{
    const struct sr_survey *survey = judge->survey;

    if (survey->is_let_in == SR_NO)
        findings_add(judge->findings, SEVERITY_WARNING, survey->test, NULL,
                     "Give the right one, and an account that is not locked.",
                     "The test entry is not let in by the given password.  "
                     "What users may do was not tried.");
    /* 389 answers with it only when there is something to tell. */
    if (survey->answers_with == SR_NO && survey->has_ppolicy &&
        survey->server == SR_SERVER_OPENLDAP)
        findings_add(judge->findings, SEVERITY_WARNING, judge->place, NULL,
                     "See whether the overlay ppolicy stands at the database "
                     "of the accounts, and not at another.",
                     "The server knows the control for password policies, but "
                     "does not answer a bind with it.");
    if (survey->tells_locks == SR_NO)
        findings_add(judge->findings, SEVERITY_WARNING, judge->place, NULL,
                     "Set ppolicy_use_lockout (olcPPolicyUseLockout: TRUE) if "
                     "users shall be told; it also tells strangers.",
                     "A bind to a locked account is answered like a wrong "
                     "password.");
}

static void
check_test(const struct judge *judge)
{
    const struct sr_survey *survey = judge->survey;
    struct findings *findings = judge->findings;

    switch (survey->test_result) {
    case SR_TEST_FOUND:
        check_seen(judge);
        check_writes(judge);
        check_self(judge);
        check_bind(judge);
        break;
    case SR_TEST_UNKNOWN:
        findings_add(findings, SEVERITY_ERROR, survey->test, NULL,
                     "Name another account for --test-entry, or correct "
                     "\"filter\".",
                     "There is no such account in the directory.");
        break;
    case SR_TEST_TWICE:
        findings_add(findings, SEVERITY_ERROR, judge->place, survey->test,
                     "Give one of them another name, or make \"base\" or "
                     "\"filter\" narrower.",
                     "More than one entry has the same name.  None of them can "
                     "log in (SR-3013).");
        break;
    case SR_TEST_FAILED:
        findings_add(findings, SEVERITY_ERROR, survey->test, NULL,
                     "Correct the cause.", "It cannot be looked up: %s.",
                     survey->test_why);
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
    struct judge judge = {
        .survey = survey,
        .config = config,
        .now = now,
        .findings = findings,
    };

    snprintf(judge.place, sizeof(judge.place), "[backend %s]", config->name);
    for (size_t i = 0; i < survey->uri_count; i++)
        check_uri(&judge, &survey->uri[i]);
    check_server(&judge);
    check_changes(&judge);
    if (survey->used == NULL)
        return;
    check_hidden(&judge);
    check_base(&judge);
    check_hashes(&judge);
    check_policy(&judge);
    check_test(&judge);
}
