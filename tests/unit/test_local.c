/*
 * The reading of shadow(5): fields to facts, and lines that glibc cannot read.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy/backend/local/local.h"

#define HASH                                                                   \
    "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MT"         \
    "SuDDl3aCI6WouIL9AjRbLCelDCy.g."
#define TODAY 20000L

static struct sr_facts
read_entry(struct spwd entry, enum sr_locked_hash bang)
{
    struct sr_rules rules;
    struct sr_facts facts;

    memset(&rules, 0, sizeof(rules));
    rules.locked_hash = bang;
    sr_facts_init(&facts);
    sr_local_facts(&entry, &rules, &facts);
    return facts;
}

static struct spwd
entry(const char *hash, long changed, long min, long max)
{
    struct spwd e = {.sp_namp = (char *)(uintptr_t) "alice",
                     .sp_pwdp = (char *)(uintptr_t)hash,
                     .sp_lstchg = changed,
                     .sp_min = min,
                     .sp_max = max,
                     .sp_warn = -1,
                     .sp_inact = -1,
                     .sp_expire = -1};

    return e;
}

static void
test_ageing(void **state)
{
    struct spwd e = entry(HASH, TODAY - 30, 2, 30);
    struct sr_facts f;

    (void)state;
    e.sp_warn = 7;
    e.sp_inact = 5;
    f = read_entry(e, SR_LOCKED_HASH_PASSWORD);
    /* The day chage(1) prints: expired when it begins. */
    assert_int_equal(TODAY * SR_DAY, f.password_expires);
    assert_int_equal((TODAY - 30) * SR_DAY, f.password_changed);
    assert_int_equal((TODAY - 28) * SR_DAY, f.may_change_from);
    assert_int_equal((TODAY - 7) * SR_DAY, f.warn_from);
    assert_int_equal((TODAY + 5) * SR_DAY, f.inactive_from);
    assert_int_equal(SR_YES, f.has_password);
    assert_int_equal(SR_NO, f.must_change);
    assert_int_equal(SR_TIME_NEVER, f.account_ends);
}

static void
test_empty_fields(void **state)
{
    struct sr_facts f = read_entry(entry(HASH, TODAY, -1, -1), 0);

    (void)state;
    assert_int_equal(SR_TIME_NEVER, f.password_expires);
    assert_int_equal(SR_TIME_UNKNOWN, f.may_change_from);
    assert_int_equal(SR_TIME_UNKNOWN, f.warn_from);
    assert_int_equal(SR_TIME_UNKNOWN, f.inactive_from);
    /* An empty last change means no ageing, whatever the other fields say. */
    f = read_entry(entry(HASH, -1, 1, 30), 0);
    assert_int_equal(SR_TIME_NEVER, f.password_expires);
    assert_int_equal(SR_NO, f.must_change);
    /* shadow-utils' "never". */
    f = read_entry(entry(HASH, TODAY, 0, 10000), 0);
    assert_int_equal(SR_TIME_NEVER, f.password_expires);
    f = read_entry(entry(HASH, TODAY, 0, 9999), 0);
    assert_int_equal((TODAY + 9999) * SR_DAY, f.password_expires);
    /* max 0: used up on the day it was set. */
    f = read_entry(entry(HASH, TODAY, 0, 0), 0);
    assert_int_equal(TODAY * SR_DAY, f.password_expires);
}

static void
test_must_change(void **state)
{
    struct sr_facts f = read_entry(entry(HASH, 0, 5, 30), 0);

    (void)state;
    assert_int_equal(SR_YES, f.must_change);
    assert_int_equal(SR_TIME_NEVER, f.password_expires);
    assert_int_equal(SR_TIME_UNKNOWN, f.may_change_from);
}

/* No password, nothing to expire: key logins go on (shadow(5)). */
static void
test_no_password(void **state)
{
    static const char *const hash[] = {
        "*", "!", "!!", "!" HASH, "x", "NP", "*LK*", "NOLOGIN", "", "$6$salt$",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(hash) / sizeof(hash[0]); i++) {
        struct sr_facts f =
            read_entry(entry(hash[i], 0, 0, 30), SR_LOCKED_HASH_PASSWORD);

        assert_int_equal(SR_NO, f.has_password);
        assert_int_equal(SR_NO, f.must_change);
        assert_int_equal(SR_NO, f.disabled);
        assert_int_equal(SR_TIME_NEVER, f.password_expires);
        f = read_entry(entry(hash[i], 0, 0, 30), SR_LOCKED_HASH_ACCOUNT);
        assert_int_equal(hash[i][0] == '!' ? SR_YES : SR_NO, f.disabled);
    }
}

/* An empty field is a password with nullok = yes only. */
static void
test_nullok(void **state)
{
    struct spwd e = entry("", TODAY, 0, 30);
    struct sr_rules rules = {.nullok = true};
    struct sr_facts facts;

    (void)state;
    sr_facts_init(&facts);
    sr_local_facts(&e, &rules, &facts);
    assert_int_equal(SR_YES, facts.has_password);
    assert_int_equal((TODAY + 30) * SR_DAY, facts.password_expires);
    assert_true(sr_rules_allow_empty(&rules, true));
    assert_false(sr_rules_allow_empty(&rules, false));
    rules.nullok = false;
    assert_false(sr_rules_allow_empty(&rules, true));
}

static void
test_account_end(void **state)
{
    struct spwd e = entry(HASH, TODAY, 0, 30);

    (void)state;
    e.sp_expire = 0; /* "chage -E 0" is how accounts are stopped */
    assert_int_equal(0, read_entry(e, 0).account_ends);
    e.sp_expire = TODAY;
    assert_int_equal(TODAY * SR_DAY, read_entry(e, 0).account_ends);
    e.sp_expire = LONG_MAX;
    assert_int_equal(SR_TIME_NEVER, read_entry(e, 0).account_ends);
}

static void
test_overflow(void **state)
{
    struct spwd e = entry(HASH, LONG_MAX, LONG_MAX, 9999);
    struct sr_facts f;

    (void)state;
    e.sp_inact = LONG_MAX;
    e.sp_warn = LONG_MAX;
    f = read_entry(e, 0);
    assert_int_equal(SR_TIME_NEVER, f.password_expires);
    assert_int_equal(SR_TIME_NEVER, f.may_change_from);
    assert_int_equal(SR_TIME_NEVER, f.inactive_from);
    e = entry(HASH, TODAY, 0, 30);
    e.sp_warn = TODAY + 31; /* warned since 1970, not before */
    assert_int_equal(0, read_entry(e, 0).warn_from);
}

static const char *
parse(const char *text, struct spwd *e)
{
    static char line[512];

    strcpy(line, text);
    return sr_local_parse(line, e);
}

static void
test_parse(void **state)
{
    struct spwd e;

    (void)state;
    assert_null(parse("alice:$y$x:100:-1:-1:7::-1:", &e));
    assert_string_equal("alice", e.sp_namp);
    assert_string_equal("$y$x", e.sp_pwdp);
    assert_int_equal(100, e.sp_lstchg);
    assert_int_equal(-1, e.sp_min);
    assert_int_equal(-1, e.sp_max);
    assert_int_equal(7, e.sp_warn);
    assert_int_equal(-1, e.sp_inact);
    assert_int_equal(-1, e.sp_expire);
    assert_null(parse("a::::::::reserved", &e));
}

static void
test_parse_errors(void **state)
{
    struct spwd e;

    (void)state;
    assert_string_equal("the account name", parse("", &e));
    assert_string_equal("the account name", parse("::::::::", &e));
    assert_string_equal("the password", parse("alice:x", &e));
    assert_string_equal("the last change", parse("alice:x:abc::::::", &e));
    assert_string_equal("the minimum age", parse("alice:x:1: 2:::::", &e));
    assert_string_equal("the maximum age", parse("alice:x:1:2:-2::::", &e));
    assert_string_equal("the warning period", parse("a:x:1:2:3:4x:::", &e));
    assert_string_equal("the maximum age",
                        parse("a:x:1:2:99999999999999999999999::::", &e));
    assert_string_equal("the reserved field", parse("a:x:1:2:3:4:5:6::", &e));
}

/* As is_pwd_shadowed() of Linux-PAM, and NIS+. */
static void
test_shadowed(void **state)
{
    static const struct {
        const char *field;
        bool is_shadowed;
    } fields[] = {{"x", true},         {"##alice", true}, {"*NP*", true},
                  {"", false},         {"X", false},      {"xx", false},
                  {"x ", false},       {" x", false},     {"*", false},
                  {"!", false},        {"##bob", false},  {"##", false},
                  {"##alicex", false}, {"*NP", false},    {HASH, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const struct passwd entry = {.pw_name = (char *)(uintptr_t) "alice",
                                     .pw_passwd =
                                         (char *)(uintptr_t)fields[i].field};

        assert_int_equal(fields[i].is_shadowed, sr_local_is_shadowed(&entry));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ageing),
        cmocka_unit_test(test_empty_fields),
        cmocka_unit_test(test_must_change),
        cmocka_unit_test(test_no_password),
        cmocka_unit_test(test_nullok),
        cmocka_unit_test(test_account_end),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_errors),
        cmocka_unit_test(test_shadowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
