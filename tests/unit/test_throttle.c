/*
 * Unit tests of the throttle: slots, windows, lockouts that double.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decide/throttle.h"

#define T0     ((sr_time)1000000)
#define MINUTE ((int64_t)60)

static const struct sr_limits usual = {5, 15 * MINUTE, 15 * MINUTE,
                                       24 * 60 * MINUTE, 0};

/* Fail in every open slot at `when`; returns how many there were. */
static int
fail_all(struct sr_ledger *ledger, const struct sr_limits *limits, sr_time when)
{
    int count = 0;

    for (;;) {
        const uint64_t open = sr_throttle_open(ledger, limits, when);

        if (open == 0)
            return count;
        assert_true(count < SR_ATTEMPTS_MAX);
        sr_throttle_failed(ledger, limits, (unsigned)__builtin_ctzll(open),
                           when);
        count++;
    }
}

static void
test_slots_are_consumed_one_by_one(void **state)
{
    struct sr_ledger ledger;

    (void)state;
    sr_ledger_init(&ledger);
    assert_int_equal(sr_throttle_open(&ledger, &usual, T0), 0x1f);
    assert_false(sr_throttle_failed(&ledger, &usual, 2, T0));
    assert_int_equal(sr_throttle_open(&ledger, &usual, T0), 0x1b);
    assert_false(sr_throttle_failed(&ledger, &usual, 0, T0));
    assert_false(sr_throttle_failed(&ledger, &usual, 1, T0));
    assert_false(sr_throttle_failed(&ledger, &usual, 4, T0));
    assert_int_equal(sr_throttle_release(&ledger, &usual, T0), T0);
    assert_true(sr_throttle_failed(&ledger, &usual, 3, T0 + 10));
    assert_int_equal(sr_throttle_open(&ledger, &usual, T0 + 10), 0);
    assert_int_equal(sr_throttle_release(&ledger, &usual, T0 + 10),
                     T0 + 10 + 15 * MINUTE);
    assert_int_equal(sr_throttle_open(&ledger, &usual, T0 + 9 + 15 * MINUTE),
                     0);
    assert_int_equal(sr_throttle_open(&ledger, &usual, T0 + 10 + 15 * MINUTE),
                     0x1f);
}

static void
test_window_passes_each_failure(void **state)
{
    struct sr_ledger ledger;

    (void)state;
    sr_ledger_init(&ledger);
    sr_throttle_failed(&ledger, &usual, 0, T0);
    sr_throttle_failed(&ledger, &usual, 1, T0 + 100);
    assert_int_equal(sr_throttle_open(&ledger, &usual, T0 + 899), 0x1c);
    assert_int_equal(sr_throttle_open(&ledger, &usual, T0 + 900), 0x1d);
    assert_int_equal(sr_throttle_open(&ledger, &usual, T0 + 1000), 0x1f);
}

/* A window longer than the lockout: the window's promise holds. */
static void
test_long_window_outlasts_the_lockout(void **state)
{
    const struct sr_limits limits = {2, 60 * MINUTE, MINUTE, 60 * MINUTE, 0};
    struct sr_ledger ledger;

    (void)state;
    sr_ledger_init(&ledger);
    sr_throttle_failed(&ledger, &limits, 0, T0);
    assert_true(sr_throttle_failed(&ledger, &limits, 1, T0 + 30 * MINUTE));
    assert_int_equal(sr_throttle_open(&ledger, &limits, T0 + 59 * MINUTE), 0);
    assert_int_equal(sr_throttle_release(&ledger, &limits, T0 + 31 * MINUTE),
                     T0 + 60 * MINUTE);
    assert_int_equal(sr_throttle_open(&ledger, &limits, T0 + 60 * MINUTE), 1);
}

static void
test_lockouts_double_up_to_the_longest(void **state)
{
    struct sr_ledger ledger;
    sr_time now = T0;
    int64_t expect = usual.duration;

    (void)state;
    sr_ledger_init(&ledger);
    for (int i = 0; i < 12; i++) {
        sr_time end;

        assert_int_equal(fail_all(&ledger, &usual, now), 5);
        end = sr_throttle_release(&ledger, &usual, now);
        assert_int_equal(end - now, expect);
        expect =
            expect * 2 < usual.duration_max ? expect * 2 : usual.duration_max;
        now = end;
    }
    assert_int_equal(expect, usual.duration_max);
}

static void
test_a_quiet_day_forgives(void **state)
{
    struct sr_ledger ledger;
    sr_time end;

    (void)state;
    sr_ledger_init(&ledger);
    fail_all(&ledger, &usual, T0);
    end = sr_throttle_release(&ledger, &usual, T0);
    fail_all(&ledger, &usual, end);
    end = sr_throttle_release(&ledger, &usual, end);
    assert_false(sr_throttle_idle(&ledger, &usual, end + SR_DAY - 1));
    assert_true(sr_throttle_idle(&ledger, &usual, end + SR_DAY));
    fail_all(&ledger, &usual, end + SR_DAY);
    assert_int_equal(sr_throttle_release(&ledger, &usual, end + SR_DAY),
                     end + SR_DAY + usual.duration);
}

/* One guess a day keeps the doubling alive: the day was not quiet. */
static void
test_a_failure_breaks_the_quiet(void **state)
{
    struct sr_ledger ledger;
    sr_time end, now;

    (void)state;
    sr_ledger_init(&ledger);
    fail_all(&ledger, &usual, T0);
    end = sr_throttle_release(&ledger, &usual, T0);
    sr_throttle_failed(&ledger, &usual, 0, end + SR_DAY - 10);
    now = end + SR_DAY + 5;
    fail_all(&ledger, &usual, now);
    assert_int_equal(sr_throttle_release(&ledger, &usual, now),
                     now + 2 * usual.duration);
}

static void
test_not_throttled(void **state)
{
    const struct sr_limits none = {0, 900, 900, 900, 0};
    struct sr_ledger ledger, before;

    (void)state;
    sr_ledger_init(&ledger);
    fail_all(&ledger, &usual, T0);
    before = ledger;
    assert_int_equal(sr_throttle_open(&ledger, &none, T0), UINT64_MAX);
    assert_int_equal(sr_throttle_release(&ledger, &none, T0), T0);
    assert_false(sr_throttle_failed(&ledger, &none, 1, T0 + 1));
    assert_memory_equal(&ledger, &before, sizeof(ledger));
    assert_true(sr_throttle_idle(&ledger, &none, T0));
}

/* Lowering `attempts` must not open what is consumed beyond the new end. */
static void
test_attempts_lowered(void **state)
{
    struct sr_limits ten = usual, three = usual;
    struct sr_ledger ledger;

    (void)state;
    ten.attempts = 10;
    three.attempts = 3;
    sr_ledger_init(&ledger);
    sr_throttle_failed(&ledger, &ten, 7, T0);
    sr_throttle_failed(&ledger, &ten, 9, T0 + 100);
    assert_int_equal(sr_throttle_open(&ledger, &three, T0 + 100), 0x1);
    assert_int_equal(sr_throttle_open(&ledger, &three, T0 + 900), 0x3);
    assert_int_equal(sr_throttle_open(&ledger, &three, T0 + 1000), 0x7);
    assert_true(sr_throttle_failed(&ledger, &three, 0, T0 + 200));
    ledger.locked_until = 0;
    assert_int_equal(sr_throttle_release(&ledger, &three, T0 + 200), T0 + 900);
}

static void
test_all_64(void **state)
{
    struct sr_limits most = usual;
    struct sr_ledger ledger;

    (void)state;
    most.attempts = 64;
    sr_ledger_init(&ledger);
    assert_int_equal(sr_throttle_open(&ledger, &most, T0), UINT64_MAX);
    assert_int_equal(fail_all(&ledger, &most, T0), 64);
    most.attempts = 1000; /* never beyond the slots that there are */
    assert_int_equal(sr_throttle_open(&ledger, &most, T0 + 900), UINT64_MAX);
}

static void
test_taken_back(void **state)
{
    struct sr_ledger ledger, before;
    sr_time end;

    (void)state;
    sr_ledger_init(&ledger);
    for (unsigned slot = 0; slot < 4; slot++)
        sr_throttle_failed(&ledger, &usual, slot, T0);
    before = ledger;
    assert_true(sr_throttle_failed(&ledger, &usual, 4, T0 + 1));
    sr_throttle_taken_back(&ledger, &usual, 4, true, T0 + 2);
    assert_memory_equal(&ledger, &before, sizeof(ledger));

    /* Not by taking back: the doubling stays where it was. */
    end = T0 + 1;
    assert_true(sr_throttle_failed(&ledger, &usual, 4, end));
    end = sr_throttle_release(&ledger, &usual, end);
    for (unsigned slot = 0; slot < 4; slot++)
        sr_throttle_failed(&ledger, &usual, slot, end);
    assert_true(sr_throttle_failed(&ledger, &usual, 4, end));
    sr_throttle_taken_back(&ledger, &usual, 4, true, end + 1);
    assert_int_equal(sr_throttle_open(&ledger, &usual, end + 1), 0x10);
    assert_true(sr_throttle_failed(&ledger, &usual, 4, end + 2));
    assert_int_equal(sr_throttle_release(&ledger, &usual, end + 2),
                     end + 2 + 2 * usual.duration);
}

/* Nor with nothing else in the ledger that could remind of it. */
static void
test_taken_back_keeps_the_doubling(void **state)
{
    const struct sr_limits one = {1, 15 * MINUTE, 15 * MINUTE, SR_DAY, 0};
    struct sr_ledger ledger;
    sr_time end;

    (void)state;
    sr_ledger_init(&ledger);
    assert_true(sr_throttle_failed(&ledger, &one, 0, T0));
    end = sr_throttle_release(&ledger, &one, T0);
    assert_true(sr_throttle_failed(&ledger, &one, 0, end));
    sr_throttle_taken_back(&ledger, &one, 0, true, end + 1);
    assert_int_equal(sr_throttle_open(&ledger, &one, end + 1), 1);
    assert_true(sr_throttle_failed(&ledger, &one, 0, end + 2));
    assert_int_equal(sr_throttle_release(&ledger, &one, end + 2),
                     end + 2 + 30 * MINUTE);
}

static void
test_idle(void **state)
{
    struct sr_ledger ledger;

    (void)state;
    sr_ledger_init(&ledger);
    assert_true(sr_throttle_idle(&ledger, &usual, T0));
    sr_throttle_failed(&ledger, &usual, 0, T0);
    assert_false(sr_throttle_idle(&ledger, &usual, T0 + 899));
    assert_true(sr_throttle_idle(&ledger, &usual, T0 + 900));
}

static void
test_overflow(void **state)
{
    const struct sr_limits huge = {2, INT64_MAX, INT64_MAX, INT64_MAX, 0};
    struct sr_ledger ledger;

    (void)state;
    sr_ledger_init(&ledger);
    assert_int_equal(fail_all(&ledger, &huge, T0), 2);
    assert_int_equal(sr_throttle_release(&ledger, &huge, T0), SR_TIME_NEVER);
    assert_int_equal(sr_throttle_open(&ledger, &huge, SR_TIME_NEVER - 1), 0);
    sr_ledger_init(&ledger);
    ledger.level = UINT32_MAX;
    fail_all(&ledger, &usual, T0);
    assert_true(ledger.locked_until <= T0 + usual.duration_max);
    sr_throttle_failed(&ledger, &usual, 1000, T0); /* no such slot */
}

/*
 * The promise, for random histories: in any window no more than `attempts`
 * failures; and what release says is exactly when the next slot opens.
 */
static void
test_promise(void **state)
{
    enum { EVENTS = 4000 };
    static sr_time failures[EVENTS];

    (void)state;
    srandom(20);
    for (int round = 0; round < 50; round++) {
        const struct sr_limits limits = {1 + (unsigned)random() % 9,
                                         1 + random() % 1000,
                                         1 + random() % 500, 2000, 0};
        struct sr_ledger ledger;
        sr_time now = T0;
        size_t count = 0;

        sr_ledger_init(&ledger);
        for (int i = 0; i < EVENTS / 10; i++) {
            const uint64_t open = sr_throttle_open(&ledger, &limits, now);
            const sr_time next = sr_throttle_release(&ledger, &limits, now);

            if (open != 0) {
                assert_int_equal(next, now);
                sr_throttle_failed(&ledger, &limits,
                                   (unsigned)__builtin_ctzll(open), now);
                failures[count++] = now;
                if (count > limits.attempts)
                    assert_true(failures[count - 1 - limits.attempts] +
                                    limits.window <=
                                now);
            } else {
                assert_true(next > now);
                assert_int_equal(sr_throttle_open(&ledger, &limits, next - 1),
                                 0);
                assert_int_not_equal(sr_throttle_open(&ledger, &limits, next),
                                     0);
            }
            now += random() % 100;
        }
        assert_true(count > limits.attempts);
    }
}

/* Two that end at the same time cannot see each other, and take the same
 * number: a success does not undo the failure, nor the lockout that it began.
 */
static void
test_a_failure_beside_a_success(void **state)
{
    struct sr_record slot[2] = {{.seq = 4}};
    struct sr_record failed;
    struct sr_fold fold;

    (void)state;
    for (int first = 0; first < 2; first++) {
        sr_fold(slot, 1, 0, T0, &fold);
        slot[first] = sr_record_next(&fold, &slot[first], T0);
        failed = sr_record_next(&fold, &slot[1 - first], T0);
        assert_int_equal(slot[first].seq, failed.seq);
        sr_record_right(&slot[first]);
        assert_true(sr_record_fail(&failed, &fold,
                                   &(struct sr_limits){.attempts = 1,
                                                       .window = 900,
                                                       .duration = 900,
                                                       .duration_max = 900},
                                   0, T0));
        slot[1 - first] = failed;
        sr_fold(slot, 2, 0, T0, &fold);
        assert_int_equal(fold.ledger.failures, 1);
        assert_int_equal(fold.ledger.failed_at[1 - first], T0);
        assert_int_equal(fold.ledger.failed_at[first], 0);
        assert_int_equal(fold.ledger.locked_until, T0 + 900);
        memset(slot, 0, sizeof(slot));
        slot[0].seq = 4;
    }
}

static void
test_what_a_ledger_weighs(void **state)
{
    const struct sr_limits limits = {.attempts = 3,
                                     .window = 900,
                                     .duration = 900,
                                     .duration_max = SR_DAY,
                                     .limit = 3};
    struct sr_ledger ledger;

    (void)state;
    sr_ledger_init(&ledger);
    assert_int_equal(sr_throttle_weight(&ledger, &limits, T0), 0);
    for (unsigned slot = 0; slot < 2; slot++) {
        sr_throttle_failed(&ledger, &limits, slot, T0);
        assert_int_equal(sr_throttle_weight(&ledger, &limits, T0), slot + 1);
    }
    assert_int_equal(sr_throttle_weight(&ledger, &limits, T0 + 900), 0);
    sr_throttle_failed(&ledger, &limits, 2, T0);
    assert_int_equal(sr_throttle_weight(&ledger, &limits, T0),
                     SR_WEIGHT_LOCKED);
    assert_int_equal(sr_throttle_weight(&ledger, &limits, T0 + SR_DAY - 1),
                     SR_WEIGHT_LOCKED); /* at the limit */
    assert_int_equal(sr_throttle_weight(&ledger, &limits, T0 + 900 + SR_DAY),
                     1);
    ledger.failures = 0; /* as if no limit was reached */
    assert_int_equal(sr_throttle_weight(&ledger, &limits, T0 + 900), 1);
    assert_int_equal(sr_throttle_weight(&ledger, &limits, T0 + 900 + SR_DAY),
                     0);
}

/* As many slots are open as failures are left to the limit; at the limit none
 * is, for ever. */
static void
test_limit(void **state)
{
    struct sr_limits limits = {.attempts = 5,
                               .window = 900,
                               .duration = 900,
                               .duration_max = SR_DAY,
                               .limit = 7};
    const sr_time now = 1800000000;
    struct sr_ledger ledger = {.failures = 0};

    (void)state;
    for (unsigned failed = 0; failed <= 9; failed++) {
        const unsigned left = failed < 7 ? 7 - failed : 0;
        uint64_t open;

        ledger.failures = failed;
        open = sr_throttle_open(&ledger, &limits, now);
        assert_int_equal(__builtin_popcountll(open), left < 5 ? left : 5);
        assert_int_equal(open >> 5, 0);
        if (left == 0)
            assert_int_equal(sr_throttle_release(&ledger, &limits, now),
                             SR_TIME_NEVER);
        else
            assert_true(sr_throttle_release(&ledger, &limits, now) <= now);
    }
    limits.limit = 0;
    ledger.failures = 1000;
    assert_int_equal(sr_throttle_open(&ledger, &limits, now), 0x1f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots_are_consumed_one_by_one),
        cmocka_unit_test(test_window_passes_each_failure),
        cmocka_unit_test(test_long_window_outlasts_the_lockout),
        cmocka_unit_test(test_lockouts_double_up_to_the_longest),
        cmocka_unit_test(test_a_quiet_day_forgives),
        cmocka_unit_test(test_a_failure_breaks_the_quiet),
        cmocka_unit_test(test_not_throttled),
        cmocka_unit_test(test_attempts_lowered),
        cmocka_unit_test(test_all_64),
        cmocka_unit_test(test_taken_back),
        cmocka_unit_test(test_taken_back_keeps_the_doubling),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_a_failure_beside_a_success),
        cmocka_unit_test(test_what_a_ledger_weighs),
        cmocka_unit_test(test_promise),
        cmocka_unit_test(test_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
