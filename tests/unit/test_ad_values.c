/*
 * Tests of the values of Active Directory, and of the facts made of them.
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

#include "policy/backend/ldap/ad.h"
#include "policy/backend/ldap/ad_values.h"
#include "policy/backend/ldap/kind.h"
#include "policy/util/bytes.h"

#define TICKS INT64_C(10000000)
#define SINCE INT64_C(11644473600)
#define NOW   INT64_C(1800000000) /* Friday 2027-01-15 08:00 UTC */

/* ---- numbers, times, intervals */

static void
test_numbers(void **state)
{
    static const struct {
        const char *text;
        bool is_number;
        int64_t value;
    } row[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"00512", true, 512},
        {"-864000000000", true, -864000000000},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x10", false, 0},
        {"--1", false, 0},
        {"\001", false, 0},
    };
    uint32_t bits;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        int64_t value;

        assert_int_equal(sr_ad_number(row[i].text, &value), row[i].is_number);
        if (row[i].is_number)
            assert_true(value == row[i].value);
    }
    assert_true(sr_ad_bits("-2147483648", &bits) && bits == 0x80000000u);
    assert_true(sr_ad_bits("4294967295", &bits) && bits == UINT32_MAX);
    assert_false(sr_ad_bits("4294967296", &bits));
    assert_false(sr_ad_bits("-2147483649", &bits));
}

static void
test_times(void **state)
{
    sr_time when;
    int64_t seconds;

    (void)state;
    assert_true(sr_ad_time((NOW + SINCE) * TICKS + 9999999, &when));
    assert_int_equal(when, NOW);
    assert_true(sr_ad_time(INT64_MAX, &when) && when == SR_TIME_NEVER);
    assert_true(sr_ad_time(INT64_MAX - 1, &when));
    assert_true(when > NOW && when <= SR_TIME_MAX);
    assert_true(sr_ad_time(0, &when) && when == -SINCE);
    assert_false(sr_ad_time(-1, &when));
    assert_false(sr_ad_time(INT64_MIN, &when));

    assert_true(sr_ad_interval(-864000000000, &seconds));
    assert_int_equal(seconds, 86400);
    assert_true(sr_ad_interval(-1, &seconds) && seconds == 1);
    assert_true(sr_ad_interval(0, &seconds) && seconds == 0);
    assert_true(sr_ad_interval(INT64_MIN, &seconds) && seconds == INT64_MAX);
    assert_true(sr_ad_interval(-INT64_MAX, &seconds) && seconds > 0);
    assert_false(sr_ad_interval(1, &seconds));
}

/* ---- hours, workstations */

static void
test_hours(void **state)
{
    uint8_t week[22];
    bool is_allowed;
    sr_time until;

    (void)state;
    memset(week, 0, sizeof(week));
    assert_true(sr_ad_hours(week, 21, NOW, &is_allowed, &until));
    assert_false(is_allowed);
    assert_true(until == SR_TIME_NEVER);
    /* Friday, from 08:00 to 09:00: bit 5 * 24 + 8. */
    week[16] = 0x01;
    assert_true(sr_ad_hours(week, 21, NOW, &is_allowed, &until));
    assert_true(is_allowed && until == NOW + 3600);
    assert_true(sr_ad_hours(week, 21, NOW + 3599, &is_allowed, &until));
    assert_true(is_allowed && until == NOW + 3600);
    assert_true(sr_ad_hours(week, 21, NOW + 3600, &is_allowed, &until));
    assert_true(!is_allowed && until == NOW + 7 * SR_DAY);
    /* Over the end of the week: Saturday 23:00 and Sunday 00:00. */
    memset(week, 0, sizeof(week));
    week[20] = 0x80;
    week[0] = 0x01;
    assert_true(sr_ad_hours(week, 21, NOW + 39 * 3600, &is_allowed, &until));
    assert_true(is_allowed && until == NOW + 41 * 3600);
    assert_false(sr_ad_hours(week, 20, NOW, &is_allowed, &until));
    assert_false(sr_ad_hours(week, 22, NOW, &is_allowed, &until));
    assert_false(sr_ad_hours(week, 0, NOW, &is_allowed, &until));
    assert_false(sr_ad_hours(week, 21, INT64_MAX, &is_allowed, &until));
    for (size_t size = 0; size <= 1260; size++) {
        assert_int_equal(sr_ad_limits_hours(size, true), size == 21);
        assert_int_equal(sr_ad_limits_hours(size, false), size != 0);
    }
}

static void
test_workstations(void **state)
{
    static const struct {
        const char *list, *host;
        bool is_here;
    } row[] = {
        {"", "client", true},
        {",, ", "client", false},
        {" ", "client", false},
        {"client", "client", true},
        {"CLIENT", "client.example.org", true},
        {"other, Client ,third", "client", true},
        {"client.example.org", "client.example.org", true},
        {"client.example.net", "client.example.org", false},
        {"other", "client", false},
        {"client2", "client", false},
        {"clien", "client", false},
        {"a-very-long-nam", "a-very-long-name-indeed", true},
        {"other", "", false},
        {"Client.Example.ORG", "client.EXAMPLE.ORG", true},
        {"client", "client.EXAMPLE.ORG", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_int_equal(sr_ad_workstations(row[i].list, row[i].host),
                         row[i].is_here);
}

/* ---- bytes, by a domain controller */

static size_t
seed(const char *name, uint8_t *bytes, size_t most)
{
    const char *top = getenv("srcdir");
    char path[512];
    size_t size;
    FILE *file;

    snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/ad/%s",
             top == NULL ? "." : top, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_not_equal(fgetc(file), EOF); /* which kind it is */
    size = fread(bytes, 1, most, file);
    fclose(file);
    return size;
}

static void
test_stamps(void **state)
{
    uint8_t bytes[2048];
    size_t size = seed("metadata", bytes, sizeof(bytes));
    sr_time when, other;
    uint32_t version;

    (void)state;
    assert_true(sr_ad_stamp(bytes, size, SR_AD_UNICODE_PWD, &when, &version));
    assert_true(when > NOW - 730 * SR_DAY && version == 1);
    assert_true(sr_ad_stamp(bytes, size, SR_AD_PWD_LAST_SET, &other, &version));
    assert_true(other - when < 60 && when - other < 60);
    assert_true(sr_ad_stamp(bytes, size, 0xffffffffu, &when, &version));
    assert_true(when == SR_TIME_UNKNOWN && version == 0);
    for (size_t cut = 0; cut < size; cut++)
        assert_false(
            sr_ad_stamp(bytes, cut, SR_AD_UNICODE_PWD, &when, &version));
    sr_put32(bytes, 2);
    assert_false(sr_ad_stamp(bytes, size, SR_AD_UNICODE_PWD, &when, &version));
    sr_put32(bytes, 1);
    sr_put32(bytes + 8, 0x10000000u);
    assert_false(sr_ad_stamp(bytes, size, SR_AD_UNICODE_PWD, &when, &version));
}

static void
test_descriptors(void **state)
{
    uint8_t bytes[4096], sid[64];
    size_t size = seed("descriptor", bytes, sizeof(bytes));
    size_t sid_size = seed("sid", sid, sizeof(sid));
    enum sr_tri denies;

    (void)state;
    assert_true(sr_ad_is_sid(sid, sid_size));
    assert_false(sr_ad_is_sid(sid, sid_size - 1));
    assert_true(sr_ad_denies_change(bytes, size, sid, sid_size, &denies));
    assert_int_equal(denies, SR_NO);
    size = seed("denied", bytes, sizeof(bytes));
    assert_true(sr_ad_denies_change(bytes, size, sid, sid_size, &denies));
    assert_int_equal(denies, SR_YES);
    assert_true(sr_ad_denies_change(bytes, size, NULL, 0, &denies));
    assert_int_equal(denies, SR_YES);
    for (size_t cut = 0; cut < size; cut++)
        assert_false(sr_ad_denies_change(bytes, cut, sid, sid_size, &denies));
    /* More entries than there are. */
    bytes[sr_get32(bytes + 16) + 4]++;
    assert_false(sr_ad_denies_change(bytes, size, sid, sid_size, &denies));
}

/* A descriptor of one list with one entry, of the owner. */
static size_t
build(uint8_t *bytes, uint8_t type, uint8_t flags, uint32_t mask)
{
    static const uint8_t everyone[] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};

    memset(bytes, 0, 48);
    bytes[0] = 1;
    sr_put16(bytes + 2, 0x8004);
    sr_put32(bytes + 16, 20);
    bytes[20] = 2;
    sr_put16(bytes + 22, 28);
    sr_put16(bytes + 24, 1);
    bytes[28] = type;
    bytes[29] = flags;
    sr_put16(bytes + 30, 20);
    sr_put32(bytes + 32, mask);
    memcpy(bytes + 36, everyone, sizeof(everyone));
    return 48;
}

static void
test_entries(void **state)
{
    uint8_t bytes[64];
    enum sr_tri denies;

    (void)state;
    assert_true(sr_ad_denies_change(bytes, build(bytes, 1, 0, 0x100), NULL, 0,
                                    &denies));
    assert_int_equal(denies, SR_YES);
    assert_true(sr_ad_denies_change(bytes, build(bytes, 0, 0, 0x100), NULL, 0,
                                    &denies));
    assert_int_equal(denies, SR_NO);
    /* For what is below only; another right; no entry that decides. */
    assert_true(sr_ad_denies_change(bytes, build(bytes, 1, 8, 0x100), NULL, 0,
                                    &denies));
    assert_int_equal(denies, SR_UNKNOWN);
    assert_true(
        sr_ad_denies_change(bytes, build(bytes, 1, 0, 0x10), NULL, 0, &denies));
    assert_int_equal(denies, SR_UNKNOWN);
    assert_true(sr_ad_denies_change(bytes, build(bytes, 2, 0, 0x100), NULL, 0,
                                    &denies));
    assert_int_equal(denies, SR_UNKNOWN);
    build(bytes, 1, 0, 0x100);
    sr_put16(bytes + 2, 0x8000); /* there is no list */
    assert_true(sr_ad_denies_change(bytes, 48, NULL, 0, &denies));
    assert_int_equal(denies, SR_NO);
    sr_put16(bytes + 2, 0x0004); /* not in one piece */
    assert_false(sr_ad_denies_change(bytes, 48, NULL, 0, &denies));
}

static void
test_privileged(void **state)
{
    uint8_t alias[] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0};
    uint8_t sid[64];
    const size_t size = seed("sid", sid, sizeof(sid));

    (void)state;
    assert_true(sr_ad_is_privileged(alias, sizeof(alias))); /* 544 */
    alias[12] = 0x21;                                       /* Users */
    assert_false(sr_ad_is_privileged(alias, sizeof(alias)));
    assert_false(sr_ad_is_privileged(sid, size));
    sr_put32(sid + size - 4, 512);
    assert_true(sr_ad_is_privileged(sid, size));
    sr_put32(sid + size - 4, 513); /* Domain Users */
    assert_false(sr_ad_is_privileged(sid, size));
    assert_false(sr_ad_is_privileged(sid, size - 4));
}

/* ---- facts */

/* An account in order; `attribute` has the value instead, or none for NULL. */
static void
fill(struct sr_ldap_entry *entry, const char *attribute, const char *value)
{
    static const char *const usual[][2] = {
        {"sAMAccountName", "ann"},
        {"userAccountControl", "512"},
        {"msDS-User-Account-Control-Computed", "0"},
        {"msDS-UserPasswordExpiryTimeComputed", "134600000000000000"},
        {"pwdLastSet", "134400000000000000"},
        {"accountExpires", "9223372036854775807"},
        {"lockoutTime", "0"},
        {"badPwdCount", "0"},
    };
    bool is_usual = false;

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        bool is_it = strcmp(usual[i][0], attribute) == 0;
        const char *text = is_it ? value : usual[i][1];

        is_usual = is_usual || is_it;
        if (text != NULL)
            assert_int_equal(
                sr_ldap_entry_add(entry, usual[i][0], text, strlen(text)), 0);
    }
    if (!is_usual && value != NULL)
        assert_int_equal(
            sr_ldap_entry_add(entry, attribute, value, strlen(value)), 0);
}

static const char *
facts_of(const char *attribute, const char *value, struct sr_facts *facts)
{
    struct sr_ldap_entry account = {0}, domain = {0};
    struct sr_ldap_view view = {.account = &account,
                                .policy = &domain,
                                .domain = &domain,
                                .is_ad = true,
                                .now = NOW,
                                .host = "client"};
    const char *fault;

    fill(&account, attribute, value);
    assert_int_equal(
        sr_ldap_entry_add(&domain, "minPwdAge", "-864000000000", 13), 0);
    assert_int_equal(sr_ldap_entry_add(&domain, "pwdProperties", "3", 1), 0);
    assert_int_equal(
        sr_ldap_entry_add(&domain, "lockoutDuration", "-18000000000", 12), 0);
    sr_facts_init(facts);
    fault = sr_ldap_kind_facts(&view, facts);
    sr_ldap_entry_clear(&account);
    sr_ldap_entry_clear(&domain);
    return fault;
}

static void
test_facts(void **state)
{
    struct sr_facts facts;

    (void)state;
    assert_null(facts_of("x", NULL, &facts));
    assert_int_equal(facts.disabled, SR_NO);
    assert_int_equal(facts.locked, SR_LOCK_NO);
    assert_int_equal(facts.must_change, SR_NO);
    assert_int_equal(facts.requires_logon, SR_YES);
    assert_int_equal(facts.password_changed,
                     134400000000000000 / TICKS - SINCE);
    assert_int_equal(facts.may_change_from, facts.password_changed + 86400);
    assert_true(facts.account_ends == SR_TIME_NEVER);
    assert_null(facts_of("accountExpires", "0", &facts));
    assert_true(facts.account_ends == SR_TIME_UNKNOWN);
    assert_null(facts_of("accountExpires", "-1", &facts));
    assert_true(facts.account_ends < NOW);
    assert_null(facts_of("pwdLastSet", "0", &facts));
    assert_int_equal(facts.must_change, SR_YES);
    assert_true(facts.may_change_from == SR_TIME_UNKNOWN);
    assert_null(facts_of("userAccountControl", "66048", &facts));
    assert_int_equal(facts.never_expires, SR_YES);
    assert_null(facts_of("userAccountControl", "514", &facts));
    assert_int_equal(facts.disabled, SR_YES);
    assert_null(facts_of("userAccountControl", "262656", &facts));
    assert_int_equal(facts.has_password, SR_NO);
    assert_null(facts_of("msDS-User-Account-Control-Computed", "16", &facts));
    assert_int_equal(facts.locked, SR_LOCK_UNTIL);
    /* A lock that has ended leaves its time. */
    assert_null(facts_of("lockoutTime", "134400000000000000", &facts));
    assert_int_equal(facts.locked, SR_LOCK_NO);
    assert_null(facts_of("userWorkstations", "OTHER", &facts));
    assert_int_equal(facts.workstation, SR_NO);
}

/* What is no value of its syntax, and what may not be absent. */
static void
test_faults(void **state)
{
    static const char *const bad[][2] = {
        {"userAccountControl", "x"},
        {"userAccountControl", NULL},
        {"userAccountControl", "99999999999"},
        {"msDS-User-Account-Control-Computed", NULL},
        {"msDS-User-Account-Control-Computed", ""},
        {"msDS-UserPasswordExpiryTimeComputed", NULL},
        {"msDS-UserPasswordExpiryTimeComputed", "-5"},
        {"pwdLastSet", NULL},
        {"pwdLastSet", "never"},
        {"pwdLastSet", "-1"},
        {"accountExpires", "soon"},
        {"lockoutTime", "1e9"},
        {"badPwdCount", "many"},
        {"logonHours", "short"},
        {"replPropertyMetaData", "no"},
        {"nTSecurityDescriptor", "no"},
        {"objectSid", "no"},
    };
    struct sr_facts facts;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *fault = facts_of(bad[i][0], bad[i][1], &facts);

        assert_non_null(fault);
        assert_string_equal(fault, bad[i][0]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_times),
        cmocka_unit_test(test_hours),   cmocka_unit_test(test_workstations),
        cmocka_unit_test(test_stamps),  cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_entries), cmocka_unit_test(test_privileged),
        cmocka_unit_test(test_facts),   cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
