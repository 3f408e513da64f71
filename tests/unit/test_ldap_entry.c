/*
 * Test of what LDAP attributes say: times, filters, uids, and the facts of
 * ppolicy, 389 Directory Server and RFC 2307.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/backend/ldap/ds389.h"
#include "policy/backend/ldap/kind.h"
#include "policy/backend/ldap/openldap.h"
#include "policy/backend/ldap/shadow.h"
#include "policy/backend/ldap/syntax.h"
#include "policy/backend/ldap/template.h"

#define CHANGED "20260101000000Z"
#define T0      ((sr_time)1767225600) /* the same in seconds */

/* An entry from "name", "value" pairs, ended by NULL. */
static struct sr_ldap_entry
entry_of(const char *const *pair)
{
    struct sr_ldap_entry entry = {.dn = strdup("uid=ann,dc=x")};

    for (; pair != NULL && pair[0] != NULL; pair += 2)
        assert_int_equal(
            sr_ldap_entry_add(&entry, pair[0], pair[1], strlen(pair[1])), 0);
    return entry;
}

static struct sr_facts
facts_of(const char *const *account, const char *const *policy, bool can_help)
{
    struct sr_ldap_entry a = entry_of(account), p = entry_of(policy);
    struct sr_ldap_view view = {
        .account = &a, .policy = &p, .now = INT32_MAX, .can_help = can_help};
    struct sr_facts facts;

    sr_facts_init(&facts);
    assert_null(sr_ldap_kind_facts(&view, &facts));
    sr_ldap_entry_clear(&a);
    sr_ldap_entry_clear(&p);
    return facts;
}

#define LIST(...)                                                              \
    (const char *const[])                                                      \
    {                                                                          \
        __VA_ARGS__, NULL                                                      \
    }
/* What every policy that can be read has. */
#define POLICY(...) LIST("pwdAttribute", "userPassword", __VA_ARGS__)

static void
test_times(void **state)
{
    static const struct {
        const char *text;
        sr_time when; /* -1: refused */
    } row[] = {
        {"20260101000000Z", T0},
        {"20260101000000.618536Z", T0},
        {"20260101000000,5Z", T0},
        {"202601010000Z", T0},
        {"2026010100Z", T0},
        {"20260101010000+0100", T0},
        {"20251231230000-01", T0},
        {"20260101000130Z", T0 + 90},
        {"20240229000000Z", 1709164800},
        {"000001010000Z", 0},
        {"19700101000000Z", 0},
        {"99991231235959Z", 253402300799},
        {"", -1},
        {"20260101", -1},
        {"20261301000000Z", -1},
        {"20260100000000Z", -1},
        {"20260101240000Z", -1},
        {"20260101006000Z", -1},
        {"20260101000000", -1},
        {"20260101000000ZZ", -1},
        {"20260101000000+2400", -1},
        {"20260101000000+01000", -1},
        {"2026-01-01", -1},
        {"soon", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        sr_time when = -7;
        int result = sr_ldap_time(row[i].text, &when);

        print_message("%s\n", row[i].text);
        assert_int_equal(result, row[i].when < 0 ? -1 : 0);
        if (result == 0)
            assert_int_equal(when, row[i].when);
    }
}

/* What slapd 2.5 and 2.6 make of times, by their answers to binds. */
static void
test_times_of_slapd(void **state)
{
    static const struct {
        const char *text;
        sr_time when;
    } row[] = {
        {"20260101000000Z", 1767225600}, {"20260101000000+0100", 1767222000},
        {"21051231235959Z", 4291833599}, {"000001010000Z", 0},
        {"000001010000+0000", 0},        {"19700101000000Z", 0},
        {"19691231235959Z", 4294967295}, {"99991231235959Z", 4414335},
        {"00000102000000Z", -1},
    };
    sr_time when;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        print_message("%s\n", row[i].text);
        assert_int_equal(sr_ldap_slapd_time(row[i].text, &when), 0);
        if (row[i].when >= 0)
            assert_int_equal(when, row[i].when);
        else
            assert_int_not_equal(when, 0);
    }
    assert_int_equal(sr_ldap_slapd_time("soon", &when), -1);
}

static void
test_filters(void **state)
{
    static const struct {
        const char *filter, *name, *made;
    } row[] = {
        {"(uid=%u)", "ann", "(uid=ann)"},
        {"(|(uid=%u)(cn=%u))", "a", "(|(uid=a)(cn=a))"},
        {"(uid=%u)", "*", "(uid=\\2a)"},
        {"(uid=%u)", "a)(uid=*", "(uid=a\\29\\28uid=\\2a)"},
        {"(uid=%u)", "\\2a", "(uid=\\5c2a)"},
        {"(uid=%u)", "%u", "(uid=%u)"},
        {"(uid=%u)", "\x01\x7f\xc3\xa9", "(uid=\\01\\7f\\c3\\a9)"},
        {"(uid=%u)%", "a", "(uid=a)%"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char *made = sr_ldap_filter(row[i].filter, row[i].name);

        assert_string_equal(made, row[i].made);
        free(made);
    }
}

static void
test_dns(void **state)
{
    static const struct {
        const char *dn, *name, *made;
    } row[] = {
        {"uid=%u,dc=x", "ann", "uid=ann,dc=x"},
        {"uid=%u+cn=%u,dc=x", "a,b", "uid=a\\2cb+cn=a\\2cb,dc=x"},
        {"uid=%u", "a+b=c;d", "uid=a\\2bb\\3dc\\3bd"},
        {"uid=%u", "\"<>\\", "uid=\\22\\3c\\3e\\5c"},
        {"uid=%u", " #x ", "uid=\\20\\23x\\20"},
        {"uid=%u", "*()", "uid=*()"},
        {"uid=%u", "\xc3\xa4", "uid=\\c3\\a4"},
        {"uid=%u", "\x01%u", "uid=\\01%u"},
        {"uid=100%,dc=x", "ann", "uid=100%,dc=x"},
        {"uid=%u", "", "uid="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char *made = sr_ldap_dn(row[i].dn, row[i].name);

        assert_string_equal(made, row[i].made);
        free(made);
    }
}

static void
test_uids(void **state)
{
    static const char *const refused[] = {
        "",     "0",  "00",         "-1",         "+5",
        " 5",   "5 ", "4294967295", "4294967296", "99999999999999999999",
        "0x10", "ann"};
    uid_t uid = 7;

    (void)state;
    assert_true(sr_ldap_uid("1", &uid) && uid == 1);
    assert_true(sr_ldap_uid("4294967294", &uid) && uid == 4294967294u);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        assert_false(sr_ldap_uid(refused[i], &uid));
}

static void
test_names(void **state)
{
    static const char *const refused[] = {"",
                                          "root",
                                          "a\nb",
                                          "a\x7f",
                                          "a\xc2\x9b"
                                          "b",
                                          "\xe2\x80\xae"
                                          "a",
                                          "a\xff",
                                          "a\xc3"};
    static const char *const taken[] = {"ann", "Root", "rooted", "j\xc3\xb6rg",
                                        "a b"};
    char longest[SR_NAME_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        assert_true(sr_ldap_is_absurd(refused[i]));
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        assert_false(sr_ldap_is_absurd(taken[i]));
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_true(sr_ldap_is_absurd(longest));
    longest[SR_NAME_MAX] = '\0';
    assert_false(sr_ldap_is_absurd(longest));
}

/* Which names of an entry the name service's name for its uid can mean. */
static void
test_names_like(void **state)
{
    static const struct {
        const char *known_as, *uid[2], *number;
        unsigned count;
        const char *name;
    } row[] = {
        {"bob#corp", {"bob", NULL}, "7001", 1, "bob"},
        {"corp.bob", {"Bob", NULL}, "7001", 1, "Bob"},
        {"bob.smith@corp", {"x", "bob.smith"}, "7001", 1, "bob.smith"},
        {"bob.smith", {"bob", "smith"}, "7001", 2, "smith"},
        /* The uid alone is no proof: another source can have it, too. */
        {"ann@ad", {"bob", NULL}, "7001", 0, NULL},
        {"oliver#corp", {"li", NULL}, "7001", 0, NULL},
        {"corpbob", {"bob", NULL}, "7001", 0, NULL},
        {"root#corp", {"root", NULL}, "7001", 0, NULL},
        {"bob#corp", {"bob", NULL}, "7002", 0, NULL},
        {"bob#corp", {"bob", NULL}, "", 0, NULL},
    };
    char uid_attribute[] = "uidNumber", name_attribute[] = "uid";
    const struct sr_backend_config config = {.uid_attribute = uid_attribute,
                                             .name_attribute = name_attribute};

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sr_ldap_entry entry =
            entry_of(LIST("uidNumber", row[i].number, "uid", row[i].uid[0],
                          row[i].uid[1] == NULL ? NULL : "uid", row[i].uid[1]));
        const char *name = NULL;

        print_message("%s %s\n", row[i].known_as, row[i].uid[0]);
        assert_int_equal(
            sr_ldap_names_like(&config, 7001, row[i].known_as, &entry, &name),
            row[i].count);
        if (row[i].count > 0)
            assert_string_equal(name, row[i].name);
        sr_ldap_entry_clear(&entry);
    }
}

static void
test_values(void **state)
{
    struct sr_ldap_entry entry =
        entry_of(LIST("cn", "one", "uid", "x", "CN", "two"));
    static char large[SR_LDAP_BYTES_MAX + 1];
    size_t at = 0;

    (void)state;
    memset(large, 'x', sizeof(large));
    assert_string_equal(sr_ldap_entry_first(&entry, "Cn"), "one");
    assert_string_equal(sr_ldap_entry_next(&entry, "cn", &at), "one");
    assert_string_equal(sr_ldap_entry_next(&entry, "cn", &at), "two");
    assert_null(sr_ldap_entry_next(&entry, "cn", &at));
    assert_null(sr_ldap_entry_first(&entry, "c"));
    assert_string_equal(sr_ldap_entry_spelling(&entry, "cn", "TWO"), "two");
    assert_null(sr_ldap_entry_spelling(&entry, "cn", "tw"));
    sr_ldap_entry_clear(&entry);
    assert_null(sr_ldap_entry_first(&entry, "cn"));
    /* A value with a NUL byte is there, and is no time and no name. */
    assert_int_equal(sr_ldap_entry_add(&entry, "cn", "a\0b", 3), 0);
    assert_null(sr_ldap_entry_spelling(&entry, "cn", "a"));
    assert_true(sr_ldap_is_absurd(sr_ldap_entry_first(&entry, "cn")));
    /* Only so much is kept. */
    for (unsigned i = 0; i < SR_LDAP_VALUES_MAX; i++) {
        assert_false(entry.is_cut);
        assert_int_equal(sr_ldap_entry_add(&entry, "cn", "x", 1), 0);
    }
    assert_true(entry.is_cut);
    assert_int_equal(entry.count, SR_LDAP_VALUES_MAX);
    sr_ldap_entry_clear(&entry);
    assert_int_equal(sr_ldap_entry_add(&entry, "cn", large, sizeof(large)), 0);
    assert_true(entry.is_cut && entry.count == 0);
    sr_ldap_entry_clear(&entry);
}

static void
test_nothing(void **state)
{
    struct sr_facts facts = facts_of(NULL, NULL, false);

    (void)state;
    assert_int_equal(facts.locked, SR_LOCK_UNKNOWN);
    assert_int_equal(facts.password_expires, SR_TIME_UNKNOWN);
    assert_int_equal(facts.must_change, SR_UNKNOWN);
    assert_int_equal(facts.grace_left, -1);
}

static void
test_ppolicy_age(void **state)
{
    const char *const *account = LIST("pwdChangedTime", CHANGED);
    struct sr_facts facts = facts_of(
        account,
        POLICY("pwdMaxAge", "1000", "pwdExpireWarning", "100", "pwdMinAge",
               "10", "pwdGraceExpiry", "50", "pwdGraceAuthNLimit", "1"),
        false);

    (void)state;
    assert_int_equal(facts.password_changed, T0);
    assert_int_equal(facts.password_expires, T0 + 1000);
    assert_int_equal(facts.warn_from, T0 + 900);
    assert_int_equal(facts.may_change_from, T0 + 10);
    assert_int_equal(facts.inactive_from, T0 + 1050);
    /* Without logins after the expiry nothing of them ends. */
    facts = facts_of(
        account, POLICY("pwdMaxAge", "1000", "pwdGraceExpiry", "50"), false);
    assert_int_equal(facts.inactive_from, SR_TIME_UNKNOWN);
    facts = facts_of(account, POLICY("pwdMaxAge", "-1"), false);
    assert_int_equal(facts.password_expires, T0 - 1);
    facts = facts_of(account, POLICY("pwdMaxAge", "0"), false);
    assert_int_equal(facts.password_expires, SR_TIME_NEVER);
    facts = facts_of(account, NULL, false); /* the policy cannot be read */
    assert_int_equal(facts.password_expires, SR_TIME_UNKNOWN);
    facts =
        facts_of(account, POLICY("pwdMaxAge", "99999999999999999999"), false);
    assert_int_equal(facts.password_expires, T0 + SR_LDAP_NUMBER_MAX);
    facts =
        facts_of(LIST("pwdReset", "FALSE"), POLICY("pwdMaxAge", "1000"), false);
    assert_int_equal(facts.password_expires, SR_TIME_NEVER);
}

static void
test_ppolicy_grace(void **state)
{
    const char *const *account =
        LIST("pwdChangedTime", CHANGED, "pwdGraceUseTime", CHANGED,
             "pwdGraceUseTime", "20260102000000Z");

    (void)state;
    assert_int_equal(
        facts_of(account, POLICY("pwdGraceAuthNLimit", "3"), false).grace_left,
        1);
    assert_int_equal(
        facts_of(account, POLICY("pwdGraceAuthNLimit", "2"), false).grace_left,
        0);
    /* Somebody can help: that no login is left is not the end. */
    assert_int_equal(
        facts_of(account, POLICY("pwdGraceAuthNLimit", "2"), true).grace_left,
        -1);
    assert_int_equal(
        facts_of(account, POLICY("pwdMaxAge", "1"), false).grace_left, 0);
    assert_int_equal(facts_of(account, NULL, false).grace_left, -1);
}

static void
test_ppolicy_lock(void **state)
{
    const char *const *since = LIST("pwdAccountLockedTime", CHANGED);
    const char *const *good = LIST("pwdAccountLockedTime", "000001010000Z");
    struct sr_facts facts;

    (void)state;
    facts = facts_of(
        since, POLICY("pwdLockout", "TRUE", "pwdLockoutDuration", "60"), false);
    assert_int_equal(facts.locked, SR_LOCK_UNTIL);
    assert_int_equal(facts.locked_until, T0 + 60);
    assert_int_equal(facts.locked_why, SR_LOCK_WHY_DIRECTORY);
    facts = facts_of(since, POLICY("pwdLockout", "TRUE"), false);
    assert_int_equal(facts.locked, SR_LOCK_ADMIN);
    facts = facts_of(since, POLICY("pwdLockout", "FALSE"), false);
    assert_int_equal(facts.locked, SR_LOCK_NO);
    facts = facts_of(since, POLICY("pwdMaxAge", "1"), false);
    assert_int_equal(facts.locked, SR_LOCK_NO);
    facts = facts_of(since, NULL, false); /* nobody knows until when */
    assert_int_equal(facts.locked, SR_LOCK_UNTIL);
    assert_int_equal(facts.locked_until, SR_TIME_UNKNOWN);
    facts = facts_of(good, POLICY("pwdLockout", "TRUE"), false);
    assert_int_equal(facts.locked, SR_LOCK_ADMIN);
    assert_int_equal(facts.locked_why, SR_LOCK_WHY_ADMIN);
    facts = facts_of(good, NULL, false);
    assert_int_equal(facts.locked, SR_LOCK_ADMIN);
    /* With seconds slapd means the same by it. */
    facts = facts_of(LIST("pwdAccountLockedTime", "00000101000000Z"),
                     POLICY("pwdLockout", "TRUE", "pwdLockoutDuration", "60"),
                     false);
    assert_int_equal(facts.locked, SR_LOCK_ADMIN);
    facts = facts_of(LIST("pwdChangedTime", CHANGED), NULL, false);
    assert_int_equal(facts.locked, SR_LOCK_NO);
}

static void
test_ppolicy_rest(void **state)
{
    struct sr_facts facts;

    (void)state;
    facts = facts_of(LIST("pwdChangedTime", CHANGED),
                     POLICY("pwdGraceAuthNLimit", "3000000000"), false);
    assert_int_equal(facts.grace_left, INT_MAX);
    facts = facts_of(LIST("pwdReset", "TRUE"), POLICY("pwdMustChange", "TRUE"),
                     false);
    assert_int_equal(facts.must_change, SR_YES);
    facts = facts_of(LIST("pwdReset", "TRUE"), POLICY("pwdMaxAge", "1"), false);
    assert_int_equal(facts.must_change, SR_NO);
    facts = facts_of(LIST("pwdReset", "TRUE"), NULL, false);
    assert_int_equal(facts.must_change, SR_YES);
    facts = facts_of(LIST("pwdReset", "FALSE"), NULL, false);
    assert_int_equal(facts.must_change, SR_NO);
    facts =
        facts_of(LIST("pwdStartTime", CHANGED, "pwdEndTime", "20260102000000Z"),
                 NULL, false);
    assert_int_equal(facts.account_starts, T0);
    assert_int_equal(facts.account_ends, T0 + SR_DAY);
    facts = facts_of(LIST("pwdLastSuccess", CHANGED),
                     POLICY("pwdMaxIdle", "60", "pwdLockout", "TRUE"), false);
    assert_int_equal(facts.account_ends, T0 + 60);
    facts = facts_of(LIST("pwdLastSuccess", CHANGED),
                     POLICY("pwdMaxIdle", "60"), false);
    assert_int_equal(facts.account_ends, SR_TIME_UNKNOWN);
    facts = facts_of(
        LIST("pwdFailureTime", CHANGED, "pwdFailureTime", "20260102000000Z"),
        POLICY("pwdAllowUserChange", "FALSE"), false);
    assert_int_equal(facts.failures, 2);
    assert_int_equal(facts.cannot_change, SR_YES);
}

static void
test_389(void **state)
{
    struct sr_facts facts;

    (void)state;
    facts = facts_of(LIST("passwordExpirationTime", CHANGED),
                     LIST("passwordExp", "on", "passwordWarning", "100",
                          "passwordGraceLimit", "2"),
                     false);
    assert_int_equal(facts.password_expires, T0);
    assert_int_equal(facts.warn_from, T0 - 100);
    assert_int_equal(facts.grace_left, 2);
    facts = facts_of(LIST("passwordExpirationTime", "19700101000000Z"), NULL,
                     false);
    assert_int_equal(facts.must_change, SR_YES);
    assert_int_equal(facts.password_expires, SR_TIME_UNKNOWN);
    facts = facts_of(LIST("passwordExpirationTime", "20380119031407Z"), NULL,
                     false);
    assert_int_equal(facts.password_expires, SR_TIME_NEVER);
    facts = facts_of(LIST("nsAccountLock", "true"), NULL, false);
    assert_int_equal(facts.disabled, SR_YES);
    facts = facts_of(LIST("nsAccountLock", "false"), NULL, false);
    assert_int_equal(facts.disabled, SR_NO);
    facts =
        facts_of(LIST("accountUnlockTime", CHANGED, "passwordRetryCount", "3"),
                 NULL, false);
    assert_int_equal(facts.locked, SR_LOCK_UNTIL);
    assert_int_equal(facts.locked_until, T0);
    assert_int_equal(facts.failures, 3);
    /* More than an int holds is very many, not fewer than none. */
    facts = facts_of(LIST("passwordRetryCount", "3000000000"), NULL, false);
    assert_int_equal(facts.failures, INT_MAX);
    facts = facts_of(LIST("accountUnlockTime", "19700101000000Z"), NULL, false);
    assert_int_equal(facts.locked, SR_LOCK_ADMIN);
    facts = facts_of(LIST("pwdTPRReset", "TRUE", "pwdTPRExpireAt", CHANGED),
                     NULL, false);
    assert_int_equal(facts.must_change, SR_YES);
    assert_int_equal(facts.temporary_until, T0);
    facts =
        facts_of(LIST("pwdUpdateTime", CHANGED, "passwordAllowChangeTime",
                      "20260102000000Z"),
                 LIST("passwordChange", "off", "passwordMinAge", "5"), false);
    assert_int_equal(facts.password_changed, T0);
    assert_int_equal(facts.may_change_from, T0 + SR_DAY);
    assert_int_equal(facts.cannot_change, SR_YES);
}

/* What 389 counts, and what its policy does not back. */
static void
test_389_policy(void **state)
{
    const char *const *past = LIST("passwordExpirationTime", CHANGED);
    const char *const *used =
        LIST("passwordExpirationTime", CHANGED, "passwordGraceUserTime", "2");
    const char *const *demand =
        LIST("passwordExpirationTime", "19700101000000Z", "pwdReset", "TRUE");
    const char *const *locked =
        LIST("accountUnlockTime", CHANGED, "passwordRetryCount", "3");
    const char *const *for_good =
        LIST("accountUnlockTime", "19700101000000Z", "passwordRetryCount", "3");

    (void)state;
    /* Some of its policy goes by the names of ppolicy, too. */
    assert_int_equal(
        facts_of(used, LIST("passwordExp", "on", "passwordGraceLimit", "3"),
                 false)
            .grace_left,
        1);
    assert_int_equal(
        facts_of(used, LIST("passwordExp", "on", "pwdGraceAuthNLimit", "2"),
                 false)
            .grace_left,
        0);
    assert_int_equal(
        facts_of(used, LIST("passwordExp", "on", "pwdGraceAuthNLimit", "2"),
                 true)
            .grace_left,
        -1);
    assert_int_equal(facts_of(past,
                              LIST("passwordExp", "on", "pwdMaxAge", "60",
                                   "pwdExpireWarning", "10"),
                              false)
                         .warn_from,
                     T0 - 10);
    assert_int_equal(
        facts_of(past, LIST("passwordExp", "off"), false).password_expires,
        SR_TIME_NEVER);
    assert_int_equal(
        facts_of(LIST("passwordExpirationTime", "19700101000001Z"), NULL, false)
            .password_expires,
        SR_TIME_UNKNOWN);
    assert_int_equal(facts_of(demand,
                              LIST("passwordExp", "on", "pwdMustChange", "on"),
                              false)
                         .must_change,
                     SR_YES);
    assert_int_equal(
        facts_of(demand, LIST("passwordExp", "on", "passwordMustChange", "off"),
                 false)
            .must_change,
        SR_NO);
    assert_int_equal(facts_of(demand, NULL, false).must_change, SR_YES);
    assert_int_equal(
        facts_of(locked, LIST("passwordLockout", "off"), false).locked,
        SR_LOCK_NO);
    assert_int_equal(facts_of(locked,
                              LIST("passwordUnlock", "on", "pwdLockout", "on"),
                              false)
                         .locked,
                     SR_LOCK_UNTIL);
    assert_int_equal(
        facts_of(locked,
                 LIST("passwordLockout", "on", "passwordMaxFailure", "4"),
                 false)
            .locked,
        SR_LOCK_NO);
    assert_int_equal(
        facts_of(for_good,
                 LIST("passwordLockout", "on", "passwordUnlock", "on"), false)
            .locked,
        SR_LOCK_NO);
    assert_int_equal(
        facts_of(for_good,
                 LIST("passwordLockout", "on", "passwordUnlock", "off"), false)
            .locked,
        SR_LOCK_ADMIN);
}

static void
test_389_temporary(void **state)
{
    const char *const *account =
        LIST("pwdTPRReset", "TRUE", "pwdTPRUseCount", "2", "pwdTPRValidFrom",
             CHANGED, "pwdTPRExpireAt", "20260102000000Z");
    struct sr_facts facts = facts_of(account, NULL, false);

    (void)state;
    assert_int_equal(facts.must_change, SR_YES);
    assert_int_equal(facts.account_starts, T0);
    assert_int_equal(facts.temporary_until, T0 + SR_DAY);
    assert_int_equal(facts.locked, SR_LOCK_NO); /* nobody says how often */
    facts = facts_of(account,
                     LIST("passwordTPRMaxUse", "3", "passwordTPRDelayValidFrom",
                          "-1", "passwordTPRDelayExpireAt", "-1"),
                     false);
    assert_int_equal(facts.must_change, SR_YES);
    assert_int_equal(facts.account_starts, SR_TIME_UNKNOWN);
    assert_int_equal(facts.temporary_until, SR_TIME_UNKNOWN);
    assert_int_equal(facts.locked, SR_LOCK_NO);
    facts = facts_of(account,
                     LIST("passwordTPRMaxUse", "2", "passwordTPRDelayValidFrom",
                          "5", "passwordTPRDelayExpireAt", "5"),
                     false);
    assert_int_equal(facts.account_starts, T0);
    assert_int_equal(facts.temporary_until, T0 + SR_DAY);
    assert_int_equal(facts.locked, SR_LOCK_ADMIN);
    facts = facts_of(LIST("pwdTPRReset", "TRUE", "pwdTPRUseCount", "-1",
                          "pwdTPRValidFrom", "-1", "pwdTPRExpireAt", "-1"),
                     LIST("passwordTPRMaxUse", "-1"), false);
    assert_int_equal(facts.locked, SR_LOCK_NO);
    assert_int_equal(facts.temporary_until, SR_TIME_UNKNOWN);
    facts = facts_of(LIST("pwdTPRReset", "FALSE", "pwdTPRUseCount", "9",
                          "pwdTPRExpireAt", CHANGED),
                     LIST("passwordTPRMaxUse", "2"), false);
    assert_int_equal(facts.temporary_until, SR_TIME_UNKNOWN);
    assert_int_equal(facts.locked, SR_LOCK_NO);
}

/* Who ages, and which values count then. */
static void
test_kinds(void **state)
{
    static const struct {
        const char *account[6], *policy[6];
        enum sr_ldap_kind kind;
        const char *fault;
    } row[] = {
        {{"uid", "x"}, {NULL}, SR_LDAP_PLAIN, NULL},
        {{"pwdChangedTime", CHANGED}, {NULL}, SR_LDAP_PPOLICY, NULL},
        {{"pwdReset", "TRUE"}, {NULL}, SR_LDAP_PPOLICY, NULL},
        {{"uid", "x"}, {"pwdMaxAge", "0"}, SR_LDAP_PPOLICY, NULL},
        {{"pwdReset", "TRUE"}, {"passwordExp", "on"}, SR_LDAP_DS389, NULL},
        {{"uid", "x"},
         {"pwdMaxAge", "0", "passwordExp", "on"},
         SR_LDAP_DS389,
         NULL},
        {{"passwordRetryCount", "1"}, {NULL}, SR_LDAP_DS389, NULL},
        {{"passwordExpirationTime", CHANGED},
         {"passwordExp", "on", "passwordGraceLimit", "3000000000"},
         SR_LDAP_DS389,
         "passwordGraceLimit"},
        {{"passwordExpirationTime", CHANGED},
         {"passwordExp", "on", "passwordWarning", "5D"},
         SR_LDAP_DS389,
         NULL},
        {{"passwordExpirationTime", CHANGED},
         {"passwordExp", "on", "passwordWarning", "D"},
         SR_LDAP_DS389,
         "passwordWarning"},
        {{"passwordExpirationTime", CHANGED},
         {"passwordExp", "on", "passwordWarning", "5 d"},
         SR_LDAP_DS389,
         "passwordWarning"},
        {{"shadowMax", "9"}, {NULL}, SR_LDAP_SHADOW, NULL},
        {{"shadowMax", "soon"}, {NULL}, SR_LDAP_SHADOW, "shadowMax"},
        {{"shadowMin", "-2"}, {NULL}, SR_LDAP_SHADOW, "shadowMin"},
        {{"shadowMin", "-1", "shadowLastChange", ""},
         {NULL},
         SR_LDAP_SHADOW,
         NULL},
        {{"shadowWarning", " 7"}, {NULL}, SR_LDAP_PLAIN, "shadowWarning"},
        {{"shadowInactive", "7d"}, {NULL}, SR_LDAP_PLAIN, "shadowInactive"},
        {{"shadowFlag", "soon"}, {NULL}, SR_LDAP_PLAIN, NULL},
        {{"shadowLastChange", "99999999999999999999"},
         {NULL},
         SR_LDAP_SHADOW,
         NULL},
        /* The server's own ageing goes before, but not before the end. */
        {{"shadowMax", "soon", "passwordExpirationTime", CHANGED},
         {NULL},
         SR_LDAP_DS389,
         NULL},
        {{"shadowMax", "soon", "passwordExpirationTime", CHANGED},
         {"passwordExp", "off"},
         SR_LDAP_SHADOW,
         "shadowMax"},
        {{"shadowMax", "soon"}, {"pwdMaxAge", "60"}, SR_LDAP_PPOLICY, NULL},
        {{"shadowExpire", "soon"},
         {"pwdMaxAge", "60"},
         SR_LDAP_PPOLICY,
         "shadowExpire"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sr_ldap_entry a = entry_of(row[i].account),
                             p = entry_of(row[i].policy);
        struct sr_ldap_view view = {
            .account = &a, .policy = &p, .now = INT32_MAX};
        struct sr_facts facts;
        const char *fault;

        print_message("%zu %s\n", i, row[i].account[0]);
        sr_facts_init(&facts);
        fault = sr_ldap_kind_facts(&view, &facts);
        assert_int_equal(sr_ldap_kind(&view), row[i].kind);
        assert_string_equal(fault == NULL ? "" : fault,
                            row[i].fault == NULL ? "" : row[i].fault);
        sr_ldap_entry_clear(&a);
        sr_ldap_entry_clear(&p);
    }
}

static void
test_shadow(void **state)
{
    const char *const *account =
        LIST("shadowLastChange", "20000", "shadowMax", "90", "shadowWarning",
             "7", "shadowInactive", "5", "shadowExpire", "21000");
    struct sr_facts facts = facts_of(account, NULL, false);
    struct sr_ldap_entry a = entry_of(account), none = entry_of(NULL);
    struct sr_ldap_view view = {.account = &a, .policy = &none};

    (void)state;
    assert_int_equal(facts.password_changed, 20000 * SR_DAY);
    assert_int_equal(facts.password_expires, 20090 * SR_DAY);
    assert_int_equal(facts.warn_from, 20083 * SR_DAY);
    assert_int_equal(facts.inactive_from, 20095 * SR_DAY);
    assert_int_equal(facts.account_ends, 21000 * SR_DAY);
    assert_int_equal(sr_ldap_kind(&view), SR_LDAP_SHADOW);
    facts = facts_of(LIST("shadowLastChange", "0"), NULL, false);
    assert_int_equal(facts.must_change, SR_YES);
    facts = facts_of(
        LIST("shadowLastChange", "-1", "shadowMax", "-1", "shadowExpire", "-1"),
        NULL, false);
    assert_int_equal(facts.must_change, SR_UNKNOWN);
    assert_int_equal(facts.account_ends, SR_TIME_UNKNOWN);
    /* The server's own policy goes before, but not before the end. */
    facts = facts_of(LIST("pwdChangedTime", CHANGED, "shadowLastChange", "1",
                          "shadowMax", "2", "shadowExpire", "3"),
                     POLICY("pwdMaxAge", "1000"), false);
    assert_int_equal(facts.password_expires, T0 + 1000);
    assert_int_equal(facts.account_ends, 3 * SR_DAY);
    sr_ldap_entry_clear(&a);
    sr_ldap_entry_clear(&none);
}

static void
test_policy_of(void **state)
{
    struct sr_ldap_entry named =
        entry_of(LIST("pwdPolicySubentry", "cn=own,dc=x"));
    struct sr_ldap_entry marked = entry_of(LIST("pwdChangedTime", CHANGED));
    struct sr_ldap_entry plain = entry_of(LIST("uid", "ann"));

    (void)state;
    assert_string_equal(sr_ldap_policy_of(&named, "cn=d"), "cn=own,dc=x");
    assert_string_equal(sr_ldap_policy_of(&marked, "cn=d"), "cn=d");
    assert_null(sr_ldap_policy_of(&marked, NULL));
    assert_string_equal(sr_ldap_policy_of(&plain, "cn=d"), "cn=d");
    assert_null(sr_ldap_policy_of(&plain, NULL));
    sr_ldap_entry_clear(&named);
    sr_ldap_entry_clear(&marked);
    sr_ldap_entry_clear(&plain);
}

static void
test_demands(void **state)
{
    struct sr_ldap_entry open =
        entry_of(LIST("pwdMinLength", "8", "pwdMaxLength", "64", "pwdInHistory",
                      "5", "pwdCheckQuality", "1"));
    struct sr_ldap_entry any = entry_of(
        LIST("pwdMinLength", "8", "pwdMaxLength", "64", "pwdInHistory", "5"));
    struct sr_ldap_entry ds =
        entry_of(LIST("passwordExp", "on", "passwordMinLength", "9",
                      "passwordInHistory", "6"));
    struct sr_ldap_entry off = entry_of(
        LIST("passwordExp", "off", "passwordCheckSyntax", "off", "pwdMinLength",
             "9", "passwordHistory", "off", "pwdInHistory", "6"));
    struct sr_ldap_entry on = entry_of(
        LIST("passwordExp", "off", "passwordCheckSyntax", "on", "pwdMinLength",
             "9", "passwordHistory", "on", "pwdInHistory", "6"));
    struct sr_demands demands = {0};

    (void)state;
    sr_ldap_kind_demands(&(struct sr_ldap_view){.policy = &off}, &demands);
    assert_int_equal(demands.min_length, 0);
    assert_int_equal(demands.history, 0);
    sr_ldap_kind_demands(&(struct sr_ldap_view){.policy = &on}, &demands);
    assert_int_equal(demands.min_length, 9);
    assert_int_equal(demands.history, 6);
    sr_ldap_entry_clear(&off);
    sr_ldap_entry_clear(&on);
    sr_ldap_kind_demands(&(struct sr_ldap_view){.policy = &open}, &demands);
    assert_int_equal(demands.min_length, 8);
    assert_int_equal(demands.max_length, 64);
    assert_int_equal(demands.history, 5);
    sr_ldap_kind_demands(&(struct sr_ldap_view){.policy = &any}, &demands);
    assert_int_equal(demands.min_length, 0); /* they are not checked */
    assert_int_equal(demands.max_length, 0);
    assert_int_equal(demands.history, 5);
    sr_ldap_entry_clear(&any);
    sr_ldap_kind_demands(&(struct sr_ldap_view){.policy = &ds}, &demands);
    assert_int_equal(demands.min_length, 0); /* neither is switched on */
    assert_int_equal(demands.max_length, 0);
    assert_int_equal(demands.history, 0);
    sr_ldap_entry_clear(&open);
    sr_ldap_entry_clear(&ds);
}

/* It changes with the password, and with nothing that a login changes. */
static void
test_fingerprint(void **state)
{
    struct sr_ldap_entry before = entry_of(LIST("pwdChangedTime", CHANGED));
    struct sr_ldap_entry used =
        entry_of(LIST("pwdChangedTime", CHANGED, "pwdGraceUseTime", CHANGED,
                      "passwordExpirationTime", CHANGED));
    struct sr_ldap_entry after =
        entry_of(LIST("pwdChangedTime", "20260102000000Z"));
    char *a = sr_ldap_fingerprint(&before), *b = sr_ldap_fingerprint(&used),
         *c = sr_ldap_fingerprint(&after);

    (void)state;
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    free(a);
    free(b);
    free(c);
    sr_ldap_entry_clear(&before);
    sr_ldap_entry_clear(&used);
    sr_ldap_entry_clear(&after);
}

/* Where no time of the change is shown, it changes with the demand for one. */
static void
test_fingerprint_of_a_reset(void **state)
{
    struct sr_ldap_entry entry[] = {
        entry_of(LIST("pwdReset", "FALSE", "passwordExpirationTime", CHANGED)),
        entry_of(LIST("pwdReset", "TRUE", "passwordExpirationTime", CHANGED)),
        entry_of(LIST("passwordExpirationTime", "19700101000000Z")),
        entry_of(LIST("pwdReset", "TRUE", "pwdChangedTime", CHANGED)),
        entry_of(LIST("pwdChangedTime", CHANGED)),
    };
    char *by[5];

    (void)state;
    for (size_t i = 0; i < 5; i++)
        by[i] = sr_ldap_fingerprint(&entry[i]);
    assert_string_not_equal(by[0], by[1]);
    assert_string_equal(by[1], by[2]);
    assert_string_not_equal(by[3], by[4]);
    for (size_t i = 0; i < 5; i++) {
        free(by[i]);
        sr_ldap_entry_clear(&entry[i]);
    }
}

/* ---- values that are none */

/* An account and a policy by which every attribute counts. */
static const char *const whole_openldap[] = {"pwdChangedTime", CHANGED,
                                             "pwdReset", "TRUE", NULL};
static const char *const whole_ds389[] = {"passwordExpirationTime", CHANGED,
                                          "pwdTPRReset", "TRUE", NULL};
static const char *const whole_policy[] = {"passwordExp",
                                           "on",
                                           "passwordTPRMaxUse",
                                           "3",
                                           "passwordTPRDelayValidFrom",
                                           "1",
                                           "passwordTPRDelayExpireAt",
                                           "1",
                                           NULL};
static const char *const whole_idle[] = {
    "pwdMaxIdle", "5", "pwdLockout", "TRUE", "pwdMustChange", "TRUE", NULL};

/* Put a value in place of those that an entry has. */
static void
put(struct sr_ldap_entry *entry, const char *attribute, const char *text)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (strcmp(entry->value[i].attribute, attribute) == 0) {
            free(entry->value[i].text);
            entry->value[i].text = strdup(text);
            return;
        }
    }
    assert_int_equal(sr_ldap_entry_add(entry, attribute, text, strlen(text)),
                     0);
}

/* What is found with a value in an attribute; twice: two of them. */
static const char *
fault_of(const struct sr_ldap_attribute *attribute, bool is_389,
         const char *text, bool twice)
{
    struct sr_ldap_entry a = entry_of(is_389 ? whole_ds389 : whole_openldap);
    struct sr_ldap_entry p = entry_of(is_389 ? whole_policy : whole_idle);
    struct sr_ldap_entry i = entry_of(LIST("accountInactivityLimit", "60"));
    struct sr_ldap_view view = {
        .account = &a, .policy = &p, .inactive = is_389 ? &i : NULL};
    struct sr_ldap_entry *entry = attribute->where == SR_LDAP_OF_ACCOUNT  ? &a
                                  : attribute->where == SR_LDAP_OF_POLICY ? &p
                                                                          : &i;
    struct sr_facts facts;
    const char *fault;

    sr_facts_init(&facts);
    put(entry, attribute->name, text);
    if (twice)
        assert_int_equal(
            sr_ldap_entry_add(entry, attribute->name, text, strlen(text)), 0);
    fault = sr_ldap_kind_facts(&view, &facts);
    sr_ldap_entry_clear(&a);
    sr_ldap_entry_clear(&p);
    sr_ldap_entry_clear(&i);
    return fault;
}

/* Attributes that are counted, are texts, are for new passwords only, or count
 * only beside others. */
static bool
is_free(const char *name)
{
    static const char *const some[] = {
        "pwdFailureTime",    "pwdGraceUseTime", "nsUniqueId",
        "nsAccountLock",     "pwdMinLength",    "pwdMaxLength",
        "pwdInHistory",      "passwordMaxAge",  "passwordCheckSyntax",
        "passwordMinLength", "passwordHistory", "passwordInHistory",
        "pwdCheckQuality",   "passwordMinAge"};

    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        if (strcmp(some[i], name) == 0)
            return true;
    }
    return false;
}

static void
check_faults(const struct sr_ldap_attribute *attribute, size_t count,
             bool is_389)
{
    static const char *const none[] = {"2025-09-21T10:00:00Z",
                                       "20250921100000",
                                       "soon",
                                       "\001",
                                       "1 ",
                                       "-5",
                                       "yes please"};

    for (size_t i = 0; i < count; i++) {
        const char *name = attribute[i].name;

        if (is_free(name))
            continue;
        print_message("%s\n", name);
        for (size_t k = 0; k < sizeof(none) / sizeof(none[0]); k++) {
            /* A number may have that many digits. */
            if (k == 1 && attribute[i].preset >= 0)
                continue;
            if (k == 1 && attribute[i].where != SR_LDAP_OF_ACCOUNT)
                continue;
            if (k == 1 && strncmp(name, "shadow", 6) == 0)
                continue;
            assert_string_equal(fault_of(&attribute[i], is_389, none[k], false),
                                name);
        }
        /* An empty field is one that there is not. */
        if (strncmp(name, "shadow", 6) != 0)
            assert_string_equal(fault_of(&attribute[i], is_389, "", false),
                                name);
        assert_non_null(fault_of(&attribute[i], is_389, "1", true));
    }
}

static void
test_faults(void **state)
{
    static const struct sr_ldap_attribute end = {"shadowExpire", NULL,
                                                 SR_LDAP_OF_ACCOUNT, -1};

    (void)state;
    check_faults(sr_ldap_openldap, sr_ldap_openldap_count, false);
    check_faults(sr_ldap_ds389, sr_ldap_ds389_count, true);
    check_faults(&end, 1, true);
}

/* ---- what a policy does not mention, and idle accounts */

static void
test_absent_switches(void **state)
{
    const char *const *only = LIST("passwordMinLength", "6", "nsUniqueId", "x");
    struct sr_facts facts =
        facts_of(LIST("passwordExpirationTime", CHANGED), only, false);

    (void)state;
    assert_int_equal(facts.password_expires, SR_TIME_NEVER);
    facts = facts_of(LIST("passwordExpirationTime", "19700101000000Z"), only,
                     false);
    assert_int_equal(facts.must_change, SR_NO);
    facts = facts_of(LIST("accountUnlockTime", "20990101000000Z"), only, false);
    assert_int_equal(facts.locked, SR_LOCK_NO);
    facts = facts_of(LIST("accountUnlockTime", "19700101000000Z"),
                     LIST("passwordLockout", "on", "nsUniqueId", "x"), false);
    assert_int_equal(facts.locked, SR_LOCK_NO); /* passwordUnlock is on */
    facts = facts_of(LIST("passwordExpirationTime", CHANGED),
                     LIST("passwordExp", "1"), false);
    assert_int_equal(facts.password_expires, T0);
    assert_int_equal(facts.warn_from, T0 - 86400);
    assert_int_equal(facts.grace_left, 0);
    /* The policy cannot be read: what the entry says alone. */
    facts = facts_of(LIST("passwordExpirationTime", CHANGED), NULL, false);
    assert_int_equal(facts.password_expires, T0);
    assert_int_equal(facts.warn_from, SR_TIME_UNKNOWN);
}

static struct sr_facts
idle_facts(const char *const *account, const char *const *policy,
           const char *limit, bool is_active)
{
    struct sr_ldap_entry a = entry_of(account), p = entry_of(policy);
    struct sr_ldap_entry i =
        entry_of(limit == NULL ? NULL : LIST("accountInactivityLimit", limit));
    struct sr_ldap_view view = {
        .account = &a, .policy = &p, .inactive = &i, .is_active = is_active};
    struct sr_facts facts;

    sr_facts_init(&facts);
    assert_null(sr_ldap_kind_facts(&view, &facts));
    sr_ldap_entry_clear(&a);
    sr_ldap_entry_clear(&p);
    sr_ldap_entry_clear(&i);
    return facts;
}

static void
test_idle(void **state)
{
    const char *const *idle = POLICY("pwdMaxIdle", "60", "pwdLockout", "TRUE");
    const char *const *created =
        LIST("nsUniqueId", "x", "createTimestamp", CHANGED);
    const char *const *changed = LIST("pwdChangedTime", CHANGED);
    const char *const *both = LIST("nsUniqueId", "x", "createTimestamp",
                                   "20200101000000Z", "lastLoginTime", CHANGED);

    (void)state;
    assert_int_equal(idle_facts(changed, idle, NULL, false).account_ends,
                     T0 + 60);
    assert_int_equal(idle_facts(LIST("pwdChangedTime", "20200101000000Z",
                                     "pwdLastSuccess", CHANGED),
                                idle, NULL, false)
                         .account_ends,
                     T0 + 60);
    assert_int_equal(idle_facts(changed, idle, NULL, true).account_ends,
                     SR_TIME_UNKNOWN);
    assert_int_equal(
        idle_facts(changed, POLICY("pwdMaxIdle", "60"), NULL, false)
            .account_ends,
        SR_TIME_UNKNOWN);
    assert_int_equal(idle_facts(created, NULL, "60", false).account_ends,
                     T0 + 60);
    assert_int_equal(idle_facts(both, NULL, "60", false).account_ends, T0 + 60);
    assert_int_equal(idle_facts(both, NULL, "60", true).account_ends,
                     SR_TIME_UNKNOWN);
    assert_int_equal(idle_facts(both, NULL, NULL, false).account_ends,
                     SR_TIME_UNKNOWN);
}

static void
test_389_server(void **state)
{
    struct sr_ldap_entry found[] = {
        entry_of(LIST("nsslapd-pwpolicy-local", "off")),
        entry_of(LIST("alwaysRecordLogin", "yes", "stateAttrName", "a",
                      "altStateAttrName", "b", "accountInactivityLimit", "7")),
        entry_of(LIST("nsslapd-pluginInitfunc", "acct_policy_init",
                      "nsslapd-pluginEnabled", "on")),
        entry_of(LIST("limitAttrName", "other", "stateAttrName", "a")),
    };
    struct sr_ldap_ds389_server server = {0};

    (void)state;
    assert_int_equal(sr_ldap_ds389_server(found, 3, &server), 0);
    assert_true(server.is_read);
    assert_int_equal(server.has_local, SR_NO);
    assert_int_equal(server.has_inactivity, SR_YES);
    assert_string_equal(server.state_attribute, "a");
    assert_string_equal(server.other_attribute, "b");
    assert_string_equal(
        sr_ldap_entry_first(&server.inactive, "accountInactivityLimit"), "7");
    sr_ldap_entry_clear(&server.inactive);
    memset(&server, 0, sizeof(server));
    assert_int_equal(sr_ldap_ds389_server(found + 2, 2, &server), 0);
    assert_int_equal(server.has_local, SR_UNKNOWN);
    assert_int_equal(server.has_inactivity, SR_YES);
    assert_string_equal(server.limit_attribute, "other");
    for (size_t i = 0; i < 4; i++)
        sr_ldap_entry_clear(&found[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_times_of_slapd),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_dns),
        cmocka_unit_test(test_uids),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_like),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_ppolicy_age),
        cmocka_unit_test(test_ppolicy_grace),
        cmocka_unit_test(test_ppolicy_lock),
        cmocka_unit_test(test_ppolicy_rest),
        cmocka_unit_test(test_389),
        cmocka_unit_test(test_389_policy),
        cmocka_unit_test(test_389_temporary),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_shadow),
        cmocka_unit_test(test_policy_of),
        cmocka_unit_test(test_demands),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_fingerprint_of_a_reset),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_absent_switches),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_389_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
