/*
 * The change rules: each refusal, its order, and what overrides it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy/decide/change.h"

#define NOW ((sr_time)1800000000)

struct setting {
    struct sr_facts facts;
    struct sr_rules rules;
    struct sr_caller caller;
};

static struct setting
plain(void)
{
    struct setting s;

    memset(&s, 0, sizeof(s));
    sr_facts_init(&s.facts);
    s.facts.answered = SR_YES;
    s.facts.has_password = SR_YES;
    s.facts.password_changed = NOW - SR_DAY / 2;
    return s;
}

static struct sr_change
ask(const struct setting *s)
{
    return sr_change(&s->facts, &s->rules, &s->caller, NOW);
}

static void
test_allowed(void **state)
{
    struct setting s = plain();

    (void)state;
    assert_int_equal(SR_CHANGE_ALLOWED, ask(&s).result);
    assert_null(ask(&s).rule);
}

static void
test_minimum_age(void **state)
{
    struct setting s = plain();
    struct sr_change c;

    (void)state;
    s.facts.may_change_from = NOW + 1;
    c = ask(&s);
    assert_int_equal(SR_CHANGE_TOO_YOUNG, c.result);
    assert_int_equal(NOW + 1, c.when);
    assert_string_equal("may_change_from", c.rule);
    s.facts.may_change_from = NOW;
    assert_int_equal(SR_CHANGE_ALLOWED, ask(&s).result);
    /* The longer of the account's own and the rule's. */
    s.rules.minimum_age = SR_DAY;
    c = ask(&s);
    assert_int_equal(SR_CHANGE_TOO_YOUNG, c.result);
    assert_int_equal(NOW + SR_DAY / 2, c.when);
    assert_string_equal("change.minimum_age", c.rule);
    s.facts.may_change_from = NOW + SR_DAY;
    assert_int_equal(NOW + SR_DAY, ask(&s).when);
    /* Nobody knows when it was changed: nothing to count from. */
    s.facts.password_changed = SR_TIME_UNKNOWN;
    s.facts.may_change_from = SR_TIME_UNKNOWN;
    assert_int_equal(SR_CHANGE_ALLOWED, ask(&s).result);
    /* A sum that does not fit is far away, not in the past. */
    s.facts.password_changed = INT64_MAX - 1;
    assert_int_equal(SR_CHANGE_TOO_YOUNG, ask(&s).result);
    assert_int_equal(SR_TIME_NEVER, ask(&s).when);
}

/* The minimum age never keeps out somebody who has to change. */
static void
test_due_is_never_young(void **state)
{
    struct setting s = plain();

    (void)state;
    s.facts.may_change_from = NOW + 5 * SR_DAY;
    s.facts.must_change = SR_YES;
    assert_int_equal(SR_CHANGE_ALLOWED, ask(&s).result);
    s.facts.must_change = SR_NO;
    s.facts.password_expires = NOW;
    assert_int_equal(SR_CHANGE_ALLOWED, ask(&s).result);
    s.facts.password_expires = NOW + 1;
    assert_int_equal(SR_CHANGE_TOO_YOUNG, ask(&s).result);
    s.facts.temporary_until = NOW + 1;
    assert_int_equal(SR_CHANGE_ALLOWED, ask(&s).result);
}

static void
test_require_logon(void **state)
{
    struct setting s = plain();

    (void)state;
    s.rules.require_logon = true;
    assert_int_equal(SR_CHANGE_REQUIRE_LOGON, ask(&s).result);
    assert_string_equal("change.require_logon", ask(&s).rule);
    s.caller.is_logged_on = true;
    assert_int_equal(SR_CHANGE_ALLOWED, ask(&s).result);
    s.caller.is_logged_on = false;
    s.rules.is_logon_exempt = true;
    assert_int_equal(SR_CHANGE_ALLOWED, ask(&s).result);
    s.rules.is_logon_exempt = false;
    s.caller.is_admin = true;
    assert_int_equal(SR_CHANGE_ALLOWED, ask(&s).result);
}

static void
test_owner_refusals(void **state)
{
    struct setting s = plain();

    (void)state;
    s.facts.password_expires = NOW - 1;
    s.facts.grace_left = 0;
    assert_int_equal(SR_CHANGE_NO_GRACE, ask(&s).result);
    s.facts.inactive_from = NOW + 1;
    assert_int_equal(SR_CHANGE_NO_GRACE, ask(&s).result);
    s.facts.inactive_from = NOW;
    assert_int_equal(SR_CHANGE_INACTIVE, ask(&s).result);
    s.facts.has_password = SR_NO;
    assert_int_equal(SR_CHANGE_NO_PASSWORD, ask(&s).result);
    s.facts.cannot_change = SR_YES;
    assert_int_equal(SR_CHANGE_CANNOT, ask(&s).result);
    s.rules.is_cannot_change = true;
    assert_string_equal("change.cannot_change", ask(&s).rule);
    s.caller.is_admin = true; /* an administrator may do all that */
    assert_int_equal(SR_CHANGE_ALLOWED, ask(&s).result);
    s.rules.is_protected = true; /* but not this */
    assert_int_equal(SR_CHANGE_PROTECTED, ask(&s).result);
    assert_string_equal("change.protected", ask(&s).rule);
    /* The inactive period means nothing before the password has expired. */
    s = plain();
    s.facts.password_expires = NOW + 1;
    s.facts.inactive_from = NOW;
    assert_int_equal(SR_CHANGE_ALLOWED, ask(&s).result);
}

static void
test_names(void **state)
{
    (void)state;
    for (int i = 0; i < SR_CHANGE_RESULT_COUNT; i++)
        assert_non_null(sr_change_name((enum sr_change_result)i));
    assert_null(sr_change_name(SR_CHANGE_RESULT_COUNT));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_minimum_age),
        cmocka_unit_test(test_due_is_never_young),
        cmocka_unit_test(test_require_logon),
        cmocka_unit_test(test_owner_refusals),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
