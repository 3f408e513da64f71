/*
 * The verdict, over the whole product of the classes a fact can be in, against
 * an oracle that reads DESIGN's table word by word; and its laws.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "policy/decide/verdict.h"

#define NOW ((sr_time)1800000000)

/* The classes of a point in time. */
static const sr_time times[] = {
    SR_TIME_UNKNOWN,  SR_TIME_NEVER, INT64_MIN + 1,
    NOW - 5 * SR_DAY, NOW - 1,       NOW,
    NOW + 1,          NOW + SR_DAY,  INT64_MAX - 1,
};
#define TIMES (sizeof(times) / sizeof(times[0]))

/* Fewer of them, for the fields that are crossed with everything. */
static const sr_time few[] = {SR_TIME_UNKNOWN, SR_TIME_NEVER, NOW - 1, NOW,
                              NOW + 1};
#define FEW (sizeof(few) / sizeof(few[0]))

static struct sr_rules
plain_rules(void)
{
    struct sr_rules rules;

    memset(&rules, 0, sizeof(rules));
    rules.warn = 14 * SR_DAY;
    return rules;
}

static struct sr_facts
plain_facts(void)
{
    struct sr_facts facts;

    sr_facts_init(&facts);
    facts.answered = SR_YES;
    facts.has_password = SR_YES;
    facts.locked = SR_LOCK_NO;
    return facts;
}

/* ---- the oracle: DESIGN section 2, one line a state */

static bool
past_or_now(sr_time t)
{
    return SR_TIME_IS_SET(t) && t <= NOW;
}

static bool
o_expired(const struct sr_facts *f)
{
    return f->never_expires != SR_YES && past_or_now(f->password_expires);
}

static bool
o_must(const struct sr_facts *f)
{
    return f->must_change == SR_YES || f->temporary_until != SR_TIME_UNKNOWN;
}

static bool
o_may_not_change(const struct sr_facts *f, const struct sr_rules *r,
                 const struct sr_caller *caller)
{
    if (r->is_protected)
        return true;
    if (caller->is_admin)
        return false;
    return r->is_cannot_change || f->cannot_change == SR_YES ||
           (o_expired(f) && past_or_now(f->inactive_from)) ||
           (o_expired(f) && f->grace_left == 0) ||
           (r->require_logon && !r->is_logon_exempt && !caller->is_logged_on);
}

static bool
o_barred(const struct sr_facts *f, const struct sr_rules *r,
         const struct sr_caller *caller)
{
    if (!o_must(f) && !o_expired(f))
        return false;
    if (!o_must(f) && f->grace_left > 0 &&
        (caller->is_admin || r->is_protected || r->is_cannot_change ||
         f->cannot_change == SR_YES || !past_or_now(f->inactive_from)))
        return false; /* a grace login needs no change */
    return o_may_not_change(f, r, caller);
}

static enum sr_state
oracle(const struct sr_facts *f, const struct sr_rules *r,
       const struct sr_caller *caller)
{
    if (f->answered != SR_YES)
        return SR_STATE_UNKNOWN;
    if (f->disabled == SR_YES)
        return SR_STATE_DISABLED;
    if (past_or_now(f->account_ends))
        return SR_STATE_ENDED;
    if (f->account_starts != SR_TIME_UNKNOWN && f->account_starts > NOW)
        return SR_STATE_NOT_YET;
    if (f->locked == SR_LOCK_ADMIN ||
        (f->locked == SR_LOCK_UNTIL && !past_or_now(f->locked_until)))
        return SR_STATE_LOCKED;
    if (f->logon_hours == (past_or_now(f->hours_until) ? SR_YES : SR_NO))
        return SR_STATE_OUT_OF_HOURS;
    if (f->workstation == SR_NO)
        return SR_STATE_OFF_WORKSTATION;
    if (past_or_now(f->temporary_until))
        return SR_STATE_LAPSED;
    if (o_barred(f, r, caller))
        return SR_STATE_BARRED;
    if (o_must(f))
        return SR_STATE_MUST_CHANGE;
    if (o_expired(f) && f->grace_left <= 0)
        return SR_STATE_EXPIRED;
    if (o_expired(f))
        return SR_STATE_GRACE;
    if (f->never_expires != SR_YES && SR_TIME_IS_SET(f->password_expires) &&
        (f->warn_from != SR_TIME_UNKNOWN
             ? f->warn_from <= NOW
             : r->warn > 0 && f->password_expires - NOW <= r->warn))
        return SR_STATE_EXPIRING;
    return SR_STATE_OK;
}

static unsigned long compared;

static void
compare(const struct sr_facts *f, const struct sr_rules *r,
        const struct sr_caller *caller)
{
    struct sr_verdict v = sr_verdict(f, r, caller, NOW);
    enum sr_state expected = oracle(f, r, caller);

    compared++;
    if (v.state != expected)
        fail_msg("%s, expected %s: ends %lld starts %lld locked %d until %lld "
                 "temp %lld expires %lld inactive %lld must %d grace %d",
                 sr_state_name(v.state), sr_state_name(expected),
                 (long long)f->account_ends, (long long)f->account_starts,
                 f->locked, (long long)f->locked_until,
                 (long long)f->temporary_until, (long long)f->password_expires,
                 (long long)f->inactive_from, f->must_change, f->grace_left);
}

/* The password's half of the product. */
static void
vary_password(struct sr_facts *f, struct sr_rules *r)
{
    static const int grace[] = {-1, 0, 2};
    struct sr_caller caller;

    for (size_t i = 0; i < TIMES * FEW * FEW; i++) {
        f->password_expires = times[i % TIMES];
        f->inactive_from = few[i / TIMES % FEW];
        f->temporary_until = few[i / TIMES / FEW];
        for (unsigned j = 0; j < 3u << 6; j++) {
            f->grace_left = grace[j >> 6];
            f->must_change = j & 1 ? SR_YES : SR_NO;
            f->never_expires = j & 2 ? SR_YES : SR_NO;
            r->require_logon = (j & 4) != 0;
            r->is_protected = (j & 8) != 0;
            caller.is_logged_on = (j & 16) != 0;
            caller.is_admin = (j & 32) != 0;
            compare(f, r, &caller);
        }
    }
}

static void
test_product(void **state)
{
    struct sr_rules rules = plain_rules();

    (void)state;
    /* The account's half of it; each time with the whole password's half. */
    for (size_t i = 0; i < FEW * FEW * FEW * 3 * 2; i++) {
        struct sr_facts facts = plain_facts();

        facts.account_ends = few[i % FEW];
        facts.account_starts = few[i / FEW % FEW];
        facts.locked_until = few[i / FEW / FEW % FEW];
        facts.locked = (enum sr_lock)(SR_LOCK_NO + i / FEW / FEW / FEW % 3);
        facts.disabled = i / FEW / FEW / FEW / 3 ? SR_YES : SR_NO;
        vary_password(&facts, &rules);
    }
    assert_true(compared > 10000000);
}

static void
test_edges(void **state)
{
    struct sr_rules rules = plain_rules();
    struct sr_caller caller = {false, false};

    (void)state;
    /* Every pair of classes for the two that warnings are computed from. */
    for (size_t i = 0; i < TIMES * TIMES; i++) {
        struct sr_facts facts = plain_facts();

        facts.password_expires = times[i % TIMES];
        facts.warn_from = times[i / TIMES];
        compare(&facts, &rules, &caller);
        facts.answered = SR_UNKNOWN;
        compare(&facts, &rules, &caller);
    }
    /* Hours and workstations, before an expired password. */
    for (size_t i = 0; i < TIMES * 9; i++) {
        struct sr_facts facts = plain_facts();

        facts.password_expires = NOW - 1;
        facts.hours_until = times[i % TIMES];
        facts.logon_hours = (enum sr_tri)(i / TIMES % 3);
        facts.workstation = (enum sr_tri)(i / TIMES / 3);
        compare(&facts, &rules, &caller);
    }
    /* warn at the second: 14 days ahead is in, a second more is not. */
    for (int late = 0; late < 2; late++) {
        struct sr_facts facts = plain_facts();

        facts.password_expires = NOW + rules.warn + late;
        assert_int_equal(sr_verdict(&facts, &rules, &caller, NOW).state,
                         late ? SR_STATE_OK : SR_STATE_EXPIRING);
    }
}

/* What a state lets the person do: the fewer, the higher. */
static int
severity(const struct sr_verdict *v, const struct sr_rules *rules,
         const struct sr_caller *caller)
{
    switch (sr_verdict_answer(v, SR_CALL_ACCOUNT, rules, caller)) {
    case SR_ANSWER_OK:
        return 0;
    case SR_ANSWER_CHANGE_NOW:
        return 1;
    default:
        return 2;
    }
}

/*
 * Monotone in time: waiting never makes an account more allowed, except at the
 * end of a lockout and at the start date.
 */
static void
test_monotone(void **state)
{
    struct sr_rules rules = plain_rules();
    struct sr_caller caller = {false, false};
    const size_t all = FEW * FEW * FEW * FEW * FEW * FEW;

    (void)state;
    for (size_t i = 0; i < all * 2; i++) {
        struct sr_facts facts = plain_facts();
        struct sr_verdict before, after;

        facts.account_ends = few[i % FEW];
        facts.account_starts = few[i / FEW % FEW];
        facts.password_expires = few[i / FEW / FEW % FEW];
        facts.inactive_from = few[i / FEW / FEW / FEW % FEW];
        facts.temporary_until = few[i / FEW / FEW / FEW / FEW % FEW];
        facts.locked_until = few[i / FEW / FEW / FEW / FEW / FEW % FEW];
        facts.locked = i < all ? SR_LOCK_NO : SR_LOCK_UNTIL;
        before = sr_verdict(&facts, &rules, &caller, NOW - 2);
        for (sr_time t = NOW - 1; t <= NOW + 2; t++, before = after) {
            after = sr_verdict(&facts, &rules, &caller, t);
            if (severity(&after, &rules, &caller) <
                severity(&before, &rules, &caller))
                assert_true(before.state == SR_STATE_LOCKED ||
                            before.state == SR_STATE_NOT_YET);
        }
    }
}

static void
test_answers(void **state)
{
    /* DESIGN section 2, the three columns, row by row. */
    static const enum sr_answer expected[SR_STATE_COUNT][3] = {
        {SR_ANSWER_ACCOUNT_EXPIRED, SR_ANSWER_ACCOUNT_EXPIRED,
         SR_ANSWER_DENIED},
        {SR_ANSWER_ACCOUNT_EXPIRED, SR_ANSWER_ACCOUNT_EXPIRED,
         SR_ANSWER_DENIED},
        {SR_ANSWER_ACCOUNT_EXPIRED, SR_ANSWER_ACCOUNT_EXPIRED,
         SR_ANSWER_DENIED},
        {SR_ANSWER_WRONG, SR_ANSWER_DENIED, SR_ANSWER_DENIED},
        {SR_ANSWER_DENIED, SR_ANSWER_DENIED, SR_ANSWER_DENIED},
        {SR_ANSWER_DENIED, SR_ANSWER_DENIED, SR_ANSWER_DENIED},
        {SR_ANSWER_WRONG, SR_ANSWER_TOKEN_EXPIRED, SR_ANSWER_DENIED},
        {SR_ANSWER_OK, SR_ANSWER_TOKEN_EXPIRED, SR_ANSWER_DENIED},
        {SR_ANSWER_OK, SR_ANSWER_CHANGE_NOW, SR_ANSWER_OK},
        {SR_ANSWER_OK, SR_ANSWER_CHANGE_NOW, SR_ANSWER_OK},
        {SR_ANSWER_OK, SR_ANSWER_OK, SR_ANSWER_OK},
        {SR_ANSWER_OK, SR_ANSWER_OK, SR_ANSWER_OK},
        {SR_ANSWER_OK, SR_ANSWER_OK, SR_ANSWER_OK},
        {SR_ANSWER_UNAVAILABLE, SR_ANSWER_UNAVAILABLE, SR_ANSWER_TRY_AGAIN},
    };
    struct sr_rules rules = plain_rules();
    struct sr_caller owner = {false, false}, admin = {true, false};

    (void)state;
    for (int s = 0; s < SR_STATE_COUNT; s++) {
        struct sr_verdict v = {.state = (enum sr_state)s};

        for (int c = 0; c < SR_CALL_COUNT; c++)
            assert_int_equal(
                expected[s][c],
                sr_verdict_answer(&v, (enum sr_step)c, &rules, &owner));
        /* A reset helps everybody back in that is not protected. */
        if (s != SR_STATE_UNKNOWN)
            assert_int_equal(SR_ANSWER_OK, sr_verdict_answer(&v, SR_CALL_CHANGE,
                                                             &rules, &admin));
        v.barred_by = SR_CHANGE_PROTECTED;
        assert_int_equal(expected[s][SR_CALL_CHANGE],
                         sr_verdict_answer(&v, SR_CALL_CHANGE, &rules, &admin));
    }
}

static void
test_spared(void **state)
{
    struct sr_rules rules = plain_rules();
    struct sr_caller caller = {false, false};

    (void)state;
    rules.spare_expired = true;
    rules.grace = SR_GRACE_CHANGE;
    for (int s = 0; s < SR_STATE_COUNT; s++) {
        struct sr_verdict v = {.state = (enum sr_state)s};
        bool spared = s >= SR_STATE_LAPSED && s != SR_STATE_UNKNOWN;

        assert_int_equal(spared, sr_verdict_answer(&v, SR_CALL_ACCOUNT, &rules,
                                                   &caller) == SR_ANSWER_OK);
        /* A lockout by the throttle is spared, one by the directory is not. */
        v.rule = "lockout.attempts";
        if (s == SR_STATE_LOCKED)
            assert_int_equal(
                SR_ANSWER_OK,
                sr_verdict_answer(&v, SR_CALL_ACCOUNT, &rules, &caller));
    }
}

static void
test_grace_change(void **state)
{
    struct sr_rules rules = plain_rules();
    struct sr_caller caller = {false, false};
    struct sr_facts facts = plain_facts();
    struct sr_verdict v;

    (void)state;
    facts.password_expires = NOW - 1;
    facts.grace_left = 2;
    v = sr_verdict(&facts, &rules, &caller, NOW);
    assert_int_equal(v.state, SR_STATE_GRACE);
    assert_int_equal(v.grace_left, 2);
    rules.grace = SR_GRACE_CHANGE;
    assert_int_equal(SR_ANSWER_CHANGE_NOW,
                     sr_verdict_answer(&v, SR_CALL_ACCOUNT, &rules, &caller));
    /* Where the change would be refused, the grace login is let in. */
    rules.require_logon = true;
    v = sr_verdict(&facts, &rules, &caller, NOW);
    assert_int_equal(v.state, SR_STATE_GRACE);
    assert_int_equal(SR_ANSWER_OK,
                     sr_verdict_answer(&v, SR_CALL_ACCOUNT, &rules, &caller));
}

/* The verdict names what decided it, for explain. */
static void
test_reasons(void **state)
{
    struct sr_rules rules = plain_rules();
    struct sr_caller caller = {false, false};
    struct sr_facts facts = plain_facts();
    struct sr_verdict v;

    (void)state;
    facts.password_expires = NOW - SR_DAY;
    rules.require_logon = true;
    v = sr_verdict(&facts, &rules, &caller, NOW);
    assert_int_equal(v.state, SR_STATE_BARRED);
    assert_int_equal(v.barred_by, SR_CHANGE_REQUIRE_LOGON);
    assert_string_equal(v.rule, "change.require_logon");
    assert_string_equal(v.fact, "password_expires");
    rules.is_logon_exempt = true;
    v = sr_verdict(&facts, &rules, &caller, NOW);
    assert_int_equal(v.state, SR_STATE_EXPIRED);
    assert_null(v.rule);
    facts.locked = SR_LOCK_UNTIL;
    facts.locked_why = SR_LOCK_WHY_THROTTLE;
    facts.locked_until = NOW + 60;
    v = sr_verdict(&facts, &rules, &caller, NOW);
    assert_string_equal(v.fact, "locked");
    assert_string_equal(v.rule, "lockout.attempts");
    assert_int_equal(v.when, NOW + 60);
    facts.locked_why = SR_LOCK_WHY_SOURCE;
    v = sr_verdict(&facts, &rules, &caller, NOW);
    assert_string_equal(v.rule, "lockout.source_attempts");
}

static void
test_change_due(void **state)
{
    (void)state;
    for (int s = 0; s < SR_STATE_COUNT; s++) {
        const struct sr_verdict v = {.state = (enum sr_state)s};
        const bool expired = s == SR_STATE_EXPIRED || s == SR_STATE_GRACE;

        assert_int_equal(expired, sr_verdict_is_expired(&v));
        assert_int_equal(expired || s == SR_STATE_MUST_CHANGE,
                         sr_verdict_is_change_due(&v));
    }
}

static void
test_names(void **state)
{
    (void)state;
    for (int s = 0; s < SR_STATE_COUNT; s++)
        assert_int_equal(s, sr_state_find(sr_state_name((enum sr_state)s)));
    assert_int_equal(SR_STATE_COUNT, sr_state_find("no such state"));
    assert_null(sr_state_name(SR_STATE_COUNT));
    assert_string_equal("PAM_AUTH_ERR", sr_answer_name(SR_ANSWER_WRONG));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_product),  cmocka_unit_test(test_edges),
        cmocka_unit_test(test_monotone), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_spared),   cmocka_unit_test(test_grace_change),
        cmocka_unit_test(test_reasons),  cmocka_unit_test(test_change_due),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
