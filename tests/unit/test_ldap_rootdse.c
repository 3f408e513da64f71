/*
 * Test of what a server says of itself, of its certificate, and of what is
 * amiss when all accounts are looked at together.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/backend/ldap/rootdse.h"

/* An entry from "name", "value" pairs, ended by NULL. */
static struct sr_ldap_entry
entry_of(const char *const *pair)
{
    struct sr_ldap_entry entry = {.dn = strdup("uid=x,dc=x")};

    for (; pair[0] != NULL; pair += 2)
        assert_int_equal(
            sr_ldap_entry_add(&entry, pair[0], pair[1], strlen(pair[1])), 0);
    return entry;
}

static void
test_kinds(void **state)
{
    static const char *const openldap[] = {"objectClass",
                                           "top",
                                           "objectClass",
                                           "OpenLDAProotDSE",
                                           "supportedControl",
                                           "1.3.6.1.4.1.42.2.27.8.5.1",
                                           "supportedExtension",
                                           "1.3.6.1.4.1.4203.1.11.1",
                                           NULL};
    static const char *const ds389[] = {"vendorName", "389 Project",
                                        "vendorVersion", "389-Directory/2.3.1",
                                        NULL};
    static const char *const other[] = {"vendorName", "Ann's", NULL};
    struct sr_ldap_entry a = entry_of(openldap), b = entry_of(ds389),
                         c = entry_of(other);
    struct sr_survey survey = {.server = SR_SERVER_OTHER};

    (void)state;
    sr_ldap_server_root(&a, &survey);
    assert_int_equal(survey.server, SR_SERVER_OPENLDAP);
    assert_true(survey.has_ppolicy && survey.has_password_operation);
    sr_ldap_server_root(&b, &survey);
    assert_int_equal(survey.server, SR_SERVER_389);
    assert_string_equal(survey.name, "389-Directory/2.3.1");
    assert_false(survey.has_ppolicy || survey.has_password_operation);
    sr_ldap_server_root(&c, &survey);
    assert_int_equal(survey.server, SR_SERVER_OTHER);
    assert_string_equal(survey.name, "Ann's");
    sr_ldap_entry_clear(&a);
    sr_ldap_entry_clear(&b);
    sr_ldap_entry_clear(&c);
}

static void
test_policy(void **state)
{
    static const char *const said[] = {
        "pwdMaxAge", "86400", "pwdMustChange",  "TRUE", "pwdLockout", "FALSE",
        "pwdMinAge", "x",     "passwordChange", "on",   NULL};
    struct sr_ldap_entry entry = entry_of(said);
    struct sr_survey_policy policy;

    (void)state;
    memset(&policy, 0, sizeof(policy));
    sr_ldap_server_policy(&entry, &policy);
    assert_true(policy.is_read);
    assert_int_equal(policy.max_age, 86400);
    assert_int_equal(policy.min_age, -1);
    assert_int_equal(policy.warning, -1);
    assert_int_equal(policy.must_change, SR_YES);
    assert_int_equal(policy.locks, SR_NO);
    assert_int_equal(policy.user_change, SR_YES);
    assert_int_equal(policy.safe_modify, SR_UNKNOWN);
    sr_ldap_entry_clear(&entry);
    sr_ldap_server_policy(&entry, &policy);
    assert_false(policy.is_read);
}

static struct sr_survey
survey_of(const char *const *const *pairs, size_t count)
{
    struct sr_ldap_entry entry[4];
    struct sr_survey survey = {.accounts = 99};

    for (size_t i = 0; i < count; i++)
        entry[i] = entry_of(pairs[i]);
    sr_ldap_server_accounts(entry, count, "uid", "uidNumber", &survey);
    for (size_t i = 0; i < count; i++)
        sr_ldap_entry_clear(&entry[i]);
    return survey;
}

static void
test_accounts(void **state)
{
    static const char *const ann[] = {"uid", "ann", "uidNumber", "7", NULL};
    static const char *const bob[] = {"uid",       "bob", "uid", "bob",
                                      "uidNumber", "8",   NULL};
    static const char *const twin[] = {"uid",       "rob", "uid", "ann",
                                       "uidNumber", "9",   NULL};
    static const char *const seven[] = {"uid", "eve", "uidNumber", "7", NULL};
    static const char *const upper[] = {"uid", "ANN", "uidNumber", "10", NULL};
    static const char *const zero[] = {"uid", "zero", "uidNumber", "0", NULL};
    const char *const *const good[] = {ann, bob};
    const char *const *const names[] = {ann, bob, twin};
    const char *const *const cases[] = {upper, bob, ann};
    const char *const *const uids[] = {bob, seven, ann, zero};
    struct sr_survey survey = survey_of(good, 2);

    (void)state;
    assert_int_equal(survey.accounts, 2);
    assert_string_equal(survey.twice, "");
    assert_string_equal(survey.twice_uid, "");
    assert_string_equal(survey.no_uid, "");
    survey = survey_of(names, 3);
    assert_string_equal(survey.twice, "ann");
    assert_string_equal(survey.twice_uid, "");
    survey = survey_of(cases, 3);
    assert_non_null(strstr(survey.twice, "ann"));
    assert_non_null(strstr(survey.twice, "ANN"));
    survey = survey_of(uids, 4);
    assert_string_equal(survey.twice, "");
    assert_non_null(strstr(survey.twice_uid, "eve"));
    assert_non_null(strstr(survey.twice_uid, "ann"));
    assert_string_equal(survey.no_uid, "zero");
    assert_int_equal(survey_of(NULL, 0).accounts, 0);
}

/* ---- certificates */

#define BEFORE                                                                 \
    0x17, 13, '2', '6', '0', '1', '0', '1', '0', '0', '0', '0', '0', '0', 'Z'
#define UTC BEFORE
#define GENERALIZED                                                            \
    0x18, 15, '2', '0', '5', '1', '0', '1', '0', '1', '0', '0', '0', '0', '0', \
        '0', 'Z'

/* Number, algorithm, issuer, then the validity. */
static const unsigned char with_version[] = {
    0x30, 0x81, 46,   0x30, 44,   0xa0, 3,    2,  1,      2,  2,
    1,    1,    0x30, 0,    0x30, 0,    0x30, 30, BEFORE, UTC};
static const unsigned char without_version[] = {
    0x30, 43,   0x30, 41,   2,  1,      1,          0x30,
    0,    0x30, 0,    0x30, 32, BEFORE, GENERALIZED};

static void
test_certificates(void **state)
{
    sr_time ends = 0;

    (void)state;
    assert_int_equal(
        sr_ldap_certificate_ends(with_version, sizeof(with_version), &ends), 0);
    assert_int_equal(ends, 1767225600);
    assert_int_equal(sr_ldap_certificate_ends(without_version,
                                              sizeof(without_version), &ends),
                     0);
    assert_int_equal(ends, 2556144000);
}

/* From a buffer of exactly that size, so that a sanitizer sees a byte more. */
static void
test_cut_certificates(void **state)
{
    sr_time ends;

    (void)state;
    for (size_t size = 0; size < sizeof(without_version); size++) {
        unsigned char *cut = malloc(size + 1);

        memcpy(cut, without_version, size);
        assert_int_equal(sr_ldap_certificate_ends(cut, size, &ends), -1);
        free(cut);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_cut_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
