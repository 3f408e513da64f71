/*
 * Test of what is said of a survey: each finding appears when its cause is
 * there, alone, and does not when it is not.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/check/survey.h"

#define NOW ((sr_time)1800000000)

static char base[] = "dc=example";
static char name[] = "corp";
static char uid_attribute[] = "uidNumber";
static const struct sr_backend_config config = {
    .name = name, .base = base, .uid_attribute = uid_attribute};

/* An OpenLDAP in which nothing is amiss. */
static void
make_good(struct sr_survey *survey)
{
    static const struct sr_survey_right right[] = {
        {"userPassword", false, SR_YES, SR_NO, SR_YES, SR_YES},
        {"pwdReset", true, SR_YES, SR_YES, SR_YES, SR_NO},
        {"pwdAccountLockedTime", true, SR_YES, SR_YES, SR_YES, SR_NO},
        {"passwordExpirationTime", true, SR_NO, SR_UNKNOWN, SR_UNKNOWN,
         SR_UNKNOWN},
        {"accountUnlockTime", true, SR_NO, SR_UNKNOWN, SR_UNKNOWN, SR_UNKNOWN},
        {"uidNumber", true, SR_YES, SR_YES, SR_NO, SR_NO},
    };

    *survey = (struct sr_survey){
        .test = "ann",
        .password = "secret",
        .uri_count = 1,
        .uri = {{.uri = "ldaps://one",
                 .is_answered = true,
                 .tls = "TLS1.3",
                 .certificate_ends = NOW + 90 * SR_DAY}},
        .used = "ldaps://one",
        .server = SR_SERVER_OPENLDAP,
        .name = "OpenLDAP",
        .has_ppolicy = true,
        .has_password_operation = true,
        .has_sync = true,
        .has_base = SR_YES,
        .accounts = 3,
        .anyone_reads_hashes = SR_NO,
        .service_reads_hashes = SR_NO,
        .policy = {.dn = "cn=policy",
                   .is_read = true,
                   .max_age = 90 * SR_DAY,
                   .warning = -1,
                   .locks = SR_YES,
                   .must_change = SR_YES},
        .test_result = SR_TEST_FOUND,
        .test_dn = "uid=ann",
        .right_count = sizeof(right) / sizeof(right[0]),
        .is_let_in = SR_YES,
        .answers_with = SR_YES,
        .tells_locks = SR_YES,
    };
    memcpy(survey->right, right, sizeof(right));
}

static struct sr_survey_right *
right_of(struct sr_survey *survey, const char *attribute)
{
    for (size_t i = 0; i < survey->right_count; i++) {
        if (strcmp(survey->right[i].attribute, attribute) == 0)
            return &survey->right[i];
    }
    fail_msg("no right to %s", attribute);
    return NULL;
}

/* ---- what can be amiss */

static void
uri_away(struct sr_survey *survey)
{
    survey->uri[survey->uri_count++] =
        (struct sr_survey_uri){.uri = "ldaps://two", .why = "refused"};
}

static void
uri_plain(struct sr_survey *survey)
{
    survey->uri[0].is_insecure = true;
}

static void
certificate_soon(struct sr_survey *survey)
{
    survey->uri[0].certificate_ends = NOW + 20 * SR_DAY;
}

static void
away(struct sr_survey *survey)
{
    survey->used[0] = '\0';
    snprintf(survey->why, sizeof(survey->why), "no answer");
}

static void
no_ppolicy(struct sr_survey *survey)
{
    survey->has_ppolicy = false;
}

static void
no_operation(struct sr_survey *survey)
{
    survey->has_password_operation = false;
}

static void
no_base(struct sr_survey *survey)
{
    survey->has_base = SR_NO;
}

static void
no_accounts(struct sr_survey *survey)
{
    survey->accounts = 0;
}

static void
name_twice(struct sr_survey *survey)
{
    snprintf(survey->twice, sizeof(survey->twice), "bob");
}

static void
uid_twice(struct sr_survey *survey)
{
    snprintf(survey->twice_uid, sizeof(survey->twice_uid), "ann, bob");
}

static void
no_uid(struct sr_survey *survey)
{
    snprintf(survey->no_uid, sizeof(survey->no_uid), "zoe");
}

static void
hashes_for_all(struct sr_survey *survey)
{
    survey->anyone_reads_hashes = SR_YES;
    survey->service_reads_hashes = SR_YES; /* and that is not said twice */
}

static void
hashes_for_the_service(struct sr_survey *survey)
{
    survey->service_reads_hashes = SR_YES;
}

static void
no_default_policy(struct sr_survey *survey)
{
    survey->policy.dn[0] = '\0';
}

static void
no_default_policy_389(struct sr_survey *survey)
{
    survey->policy.dn[0] = '\0';
    survey->server = SR_SERVER_389;
}

static void
policy_unread(struct sr_survey *survey)
{
    survey->policy.is_read = false;
}

static void
policy_no_demand(struct sr_survey *survey)
{
    survey->policy.must_change = SR_UNKNOWN;
}

static void
policy_no_lock(struct sr_survey *survey)
{
    survey->policy.locks = SR_NO;
}

static void
policy_no_lock_389(struct sr_survey *survey)
{
    survey->policy.locks = SR_NO;
    survey->server = SR_SERVER_389;
}

static void
policy_no_times(struct sr_survey *survey)
{
    survey->policy.tells_changes = SR_NO;
}

static void
fact_unseen(struct sr_survey *survey)
{
    right_of(survey, "pwdReset")->sees = SR_NO;
}

static void
password_unwritable(struct sr_survey *survey)
{
    right_of(survey, "userPassword")->writes = SR_NO;
}

static void
demand_unwritable(struct sr_survey *survey)
{
    right_of(survey, "pwdReset")->writes = SR_NO;
}

static void
lock_unwritable(struct sr_survey *survey)
{
    right_of(survey, "pwdAccountLockedTime")->writes = SR_NO;
}

static void
demand_unwritable_389(struct sr_survey *survey)
{
    struct sr_survey_right *right = right_of(survey, "passwordExpirationTime");

    right->is_known = right->sees = SR_YES;
    right->writes = SR_NO;
}

static void
lock_unwritable_389(struct sr_survey *survey)
{
    struct sr_survey_right *right = right_of(survey, "accountUnlockTime");

    right->is_known = right->sees = SR_YES;
    right->writes = SR_NO;
}

static void
owner_writes(struct sr_survey *survey)
{
    right_of(survey, "uidNumber")->self_writes = SR_YES;
}

static void
not_let_in(struct sr_survey *survey)
{
    survey->is_let_in = SR_NO;
}

static void
no_answer(struct sr_survey *survey)
{
    survey->answers_with = SR_NO;
}

static void
quiet_lock(struct sr_survey *survey)
{
    survey->tells_locks = SR_NO;
}

static void
test_unknown(struct sr_survey *survey)
{
    survey->test_result = SR_TEST_UNKNOWN;
}

static void
test_twice(struct sr_survey *survey)
{
    survey->test_result = SR_TEST_TWICE;
}

static void
test_failed(struct sr_survey *survey)
{
    survey->test_result = SR_TEST_FAILED;
    snprintf(survey->test_why, sizeof(survey->test_why), "no answer");
}

/* What is done to the good one, and the one finding that it makes. */
static const struct {
    void (*change)(struct sr_survey *survey);
    enum severity severity;
    const char *place, *text, *advice;
} cases[] = {
    {uri_away, SEVERITY_ERROR, "ldaps://two", "refused", "from \"uri\""},
    {uri_plain, SEVERITY_WARNING, "ldaps://one", "not encrypted", "StartTLS"},
    {certificate_soon, SEVERITY_WARNING, "ldaps://one", "ends in 20 days",
     "Renew"},
    {away, SEVERITY_ERROR, "[backend corp]", "no answer", "Correct"},
    {no_ppolicy, SEVERITY_WARNING, "[backend corp]", "no control",
     "overlay ppolicy"},
    {no_operation, SEVERITY_WARNING, "[backend corp]", "RFC 3062", "hash"},
    {no_base, SEVERITY_ERROR, "[backend corp]", "dc=example", "base"},
    {no_accounts, SEVERITY_ERROR, "[backend corp]", "No account is found",
     "filter"},
    {name_twice, SEVERITY_ERROR, "[backend corp]", "SR-3013", "narrower"},
    {uid_twice, SEVERITY_WARNING, "[backend corp]", "same uidNumber", "own"},
    {no_uid, SEVERITY_WARNING, "[backend corp]", "no usable uidNumber",
     "number"},
    {hashes_for_all, SEVERITY_ERROR, "[backend corp]", "Anyone",
     "userPassword"},
    {hashes_for_the_service, SEVERITY_WARNING, "[backend corp]",
     "service's identity can read", "Nothing here needs it"},
    {no_default_policy, SEVERITY_WARNING, "[backend corp]", "default_policy",
     "ppolicy_default"},
    {no_default_policy_389, SEVERITY_WARNING, "[backend corp]",
     "default_policy", "cn=config"},
    {policy_unread, SEVERITY_ERROR, "cn=policy", "cannot be read", "default"},
    {policy_no_demand, SEVERITY_WARNING, "cn=policy", "after a reset",
     "passwordMustChange"},
    {policy_no_lock, SEVERITY_WARNING, "cn=policy", "pwdEndTime", "pwdLockout"},
    {policy_no_lock_389, SEVERITY_WARNING, "cn=policy",
     "accountUnlockTime is not evaluated", "passwordLockout"},
    {policy_no_times, SEVERITY_WARNING, "cn=policy", "does not show when",
     "passwordTrackUpdateTime"},
    {fact_unseen, SEVERITY_WARNING, "[backend corp]", "cannot see", "key"},
    {password_unwritable, SEVERITY_WARNING, "[backend corp]",
     "cannot write userPassword", "right"},
    {demand_unwritable, SEVERITY_WARNING, "[backend corp]",
     "cannot write pwdReset", "right"},
    {lock_unwritable, SEVERITY_WARNING, "[backend corp]",
     "cannot write pwdAccountLockedTime", "right"},
    {demand_unwritable_389, SEVERITY_WARNING, "[backend corp]",
     "cannot write passwordExpirationTime", "right"},
    {lock_unwritable_389, SEVERITY_WARNING, "[backend corp]",
     "cannot write accountUnlockTime", "right"},
    {owner_writes, SEVERITY_ERROR, "[backend corp]", "Users can write",
     "by self write"},
    {not_let_in, SEVERITY_WARNING, "ann", "cannot log in", "not locked"},
    {no_answer, SEVERITY_WARNING, "[backend corp]", "does not answer a bind",
     "overlay"},
    {quiet_lock, SEVERITY_WARNING, "[backend corp]", "like a wrong",
     "ppolicy_use_lockout"},
    {test_unknown, SEVERITY_ERROR, "ann", "no such account", "--test-entry"},
    {test_twice, SEVERITY_ERROR, "[backend corp]", "SR-3013", "narrower"},
    {test_failed, SEVERITY_ERROR, "ann", "no answer", "Correct"},
};

static void
test_good(void **state)
{
    struct findings findings = {0};
    struct sr_survey survey;

    (void)state;
    make_good(&survey);
    check_survey(&survey, &config, NOW, &findings);
    assert_int_equal(findings.count, 0);
    /* At its edges, too. */
    survey.uri[0].certificate_ends = NOW + 21 * SR_DAY;
    survey.policy.tells_changes = SR_YES;
    survey.is_let_in = survey.tells_locks = SR_UNKNOWN;
    survey.answers_with = SR_NO; /* which 389 does when all is well */
    survey.server = SR_SERVER_389;
    check_survey(&survey, &config, NOW, &findings);
    assert_int_equal(findings.count, 0);
    /* Without a certificate, or one that cannot be read; sanitizers see the
     * sum. */
    survey.uri[0].certificate_ends = SR_TIME_UNKNOWN;
    check_survey(&survey, &config, NOW, &findings);
    survey.uri[0].certificate_ends = SR_TIME_NEVER;
    check_survey(&survey, &config, NOW, &findings);
    assert_int_equal(findings.count, 0);
    findings_free(&findings);
}

static void
test_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct findings findings = {0};
        struct sr_survey survey;

        make_good(&survey);
        cases[i].change(&survey);
        check_survey(&survey, &config, NOW, &findings);
        if (findings.count != 1)
            fail_msg("case %zu (%s): %zu findings", i, cases[i].text,
                     findings.count);
        assert_int_equal(findings.item[0].severity, cases[i].severity);
        assert_string_equal(findings.item[0].place, cases[i].place);
        assert_non_null(strstr(findings.item[0].text, cases[i].text));
        assert_non_null(strstr(findings.item[0].advice, cases[i].advice));
        findings_free(&findings);
    }
}

/* Facts that cannot be seen are one finding, and so are those that users can
 * write. */
static void
test_subjects(void **state)
{
    struct findings findings = {0};
    struct sr_survey survey;

    (void)state;
    make_good(&survey);
    right_of(&survey, "pwdReset")->sees = SR_NO;
    right_of(&survey, "pwdAccountLockedTime")->sees = SR_NO;
    right_of(&survey, "pwdReset")->self_writes = SR_YES;
    right_of(&survey, "uidNumber")->self_writes = SR_YES;
    check_survey(&survey, &config, NOW, &findings);
    assert_int_equal(findings.count, 2);
    assert_string_equal(findings.item[0].subjects,
                        "pwdAccountLockedTime, pwdReset");
    assert_string_equal(findings.item[1].subjects, "pwdReset, uidNumber");
    findings_free(&findings);
}

/* A cause that a server has a finding for is not reported again. */
static void
test_cause_once(void **state)
{
    struct findings findings = {0};
    struct sr_survey survey;

    (void)state;
    make_good(&survey);
    away(&survey);
    survey.uri_count = 0;
    uri_away(&survey);
    snprintf(survey.why, sizeof(survey.why), "refused");
    check_survey(&survey, &config, NOW, &findings);
    assert_int_equal(findings.count, 1);
    assert_string_equal(findings.item[0].place, "ldaps://two");
    findings_free(&findings);
}

/* Without the control there is nothing to say of a default policy, and of
 * servers of which nothing is known neither. */
static void
test_other_servers(void **state)
{
    struct findings findings = {0};
    struct sr_survey survey;

    (void)state;
    make_good(&survey);
    survey.policy.dn[0] = '\0';
    survey.server = SR_SERVER_OTHER;
    check_survey(&survey, &config, NOW, &findings);
    assert_int_equal(findings.count, 0);
    survey.has_ppolicy = false;
    survey.answers_with = SR_NO;
    check_survey(&survey, &config, NOW, &findings);
    assert_int_equal(findings.count, 1);
    assert_null(strstr(findings.item[0].advice, "overlay"));
    findings_free(&findings);
}

/* ---- what is shown */

/* The report as one text; free it. */
static char *
report_of(const struct sr_survey *survey, bool is_json)
{
    struct report report;
    FILE *before = stdout;
    char *text = NULL;
    size_t size;

    stdout = open_memstream(&text, &size);
    assert_non_null(stdout);
    report_begin(&report, is_json, NOW, false);
    report_item(&report);
    report_survey(&report, survey, &config);
    report_item_end(&report);
    report_end(&report);
    fclose(stdout);
    stdout = before;
    assert_non_null(text);
    return text;
}

static void
assert_has(const char *text, const char *part, bool is_there)
{
    if ((strstr(text, part) != NULL) != is_there)
        fail_msg("%s \"%s\" in: %s", is_there ? "no" : "a", part, text);
}

static void
test_report(void **state)
{
    struct sr_survey survey;
    char *text;

    (void)state;
    make_good(&survey);
    text = report_of(&survey, true);
    assert_has(text, "\"server\": \"OpenLDAP\"", true);
    assert_has(text, "\"uri_used\": \"ldaps://one\"", true);
    assert_has(text, "\"tls\": \"TLS1.3\"", true);
    assert_has(text, "\"name_verified\": true", true);
    assert_has(text, "\"content_synchronisation\": true", true);
    assert_has(text, "\"max_age\": 7776000", true);
    assert_has(text, "\"warning\": null", true);
    assert_has(text,
               "\"attribute\": \"pwdReset\",\n"
               "      \"service_reads\": true,\n"
               "      \"service_writes\": true,\n"
               "      \"owner_writes\": false",
               true);
    /* What the server does not know is left out. */
    assert_has(text, "accountUnlockTime", false);
    assert_has(text, "secret", false);
    free(text);
    text = report_of(&survey, false);
    assert_has(text, "90d", true);
    free(text);
}

static void
test_report_of_little(void **state)
{
    struct sr_survey survey;
    char *text;

    (void)state;
    make_good(&survey);
    away(&survey);
    uri_away(&survey);
    survey.uri[0].tls[0] = '\0';
    survey.policy.is_read = false;
    survey.right_count = 0;
    text = report_of(&survey, true);
    assert_has(text, "\"uri_used\": null", true);
    assert_has(text, "\"reason\": \"refused\"", true);
    assert_has(text, "\"name_verified\": true", false);
    assert_has(text, "\"max_age\"", false);
    assert_has(text, "\"rights\": []", true);
    free(text);
}

static void
test_hints(void **state)
{
    struct sr_survey survey;

    (void)state;
    make_good(&survey);
    assert_null(survey_hint(&survey, 0));
    survey.is_cut = true;
    assert_has(survey_hint(&survey, 0), "did not show all", true);
    assert_null(survey_hint(&survey, 1));
    survey.is_cut = false;
    survey.password = NULL;
    assert_has(survey_hint(&survey, 0), "--ask-password", true);
    survey.test = NULL;
    assert_has(survey_hint(&survey, 0), "--test-entry", true);
    assert_null(survey_hint(&survey, 1));
    survey.tells_locks = SR_UNKNOWN;
    assert_has(survey_hint(&survey, 1), "ppolicy_use_lockout", true);
    survey.server = SR_SERVER_389;
    assert_null(survey_hint(&survey, 1));
    survey.has_sync = false;
    assert_has(survey_hint(&survey, 1), "Content Synchronization", true);
    survey.used[0] = '\0';
    assert_null(survey_hint(&survey, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_cause_once),
        cmocka_unit_test(test_other_servers),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_report_of_little),
        cmocka_unit_test(test_hints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
