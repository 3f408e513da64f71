/*
 * Unit tests of the clock: ledger time over boots and changed clocks.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "policy/util/clock.h"

static struct sr_reading
reading(int boot, sr_time boottime, sr_time wall)
{
    struct sr_reading made = {.boottime = boottime, .wall = wall};

    memset(made.boot_id, boot, sizeof(made.boot_id));
    return made;
}

static sr_time
now_at(struct sr_clock *clock, int boot, sr_time boottime, sr_time wall,
       bool expect_new)
{
    const struct sr_reading made = reading(boot, boottime, wall);
    bool is_new = !expect_new;
    const sr_time now = sr_clock_now(clock, &made, &is_new);

    assert_int_equal(is_new, expect_new);
    assert_int_equal(clock->latest, now);
    return now;
}

static void
test_first_use_is_the_wall_clock(void **state)
{
    struct sr_clock clock = {.latest = 0};

    (void)state;
    assert_int_equal(now_at(&clock, 1, 50, 1000000, true), 1000000);
    assert_int_equal(clock.offset, 999950);
}

static void
test_wall_clock_moves_nothing_within_a_boot(void **state)
{
    struct sr_clock clock = {.latest = 0};

    (void)state;
    now_at(&clock, 1, 50, 1000000, true);
    assert_int_equal(now_at(&clock, 1, 60, 5, false), 1000010);
    assert_int_equal(now_at(&clock, 1, 61, 9000000, false), 1000011);
}

static void
test_reboot_with_the_clock_set_back(void **state)
{
    struct sr_clock clock = {.latest = 0};

    (void)state;
    now_at(&clock, 1, 50, 1000000, true);
    now_at(&clock, 1, 150, 1000100, false);
    assert_int_equal(now_at(&clock, 2, 10, 4000, true), 1000100);
    assert_int_equal(now_at(&clock, 2, 17, 4007, false), 1000107);
}

static void
test_reboot_takes_the_time_that_passed(void **state)
{
    struct sr_clock clock = {.latest = 0};

    (void)state;
    now_at(&clock, 1, 50, 1000000, true);
    assert_int_equal(now_at(&clock, 2, 10, 1003600, true), 1003600);
}

static void
test_boottime_that_goes_back_stands_still(void **state)
{
    struct sr_clock clock = {.latest = 0};

    (void)state;
    now_at(&clock, 1, 5000, 1000000, true);
    assert_int_equal(now_at(&clock, 1, 100, 1000000, false), 1000000);
    assert_int_equal(now_at(&clock, 1, 4999, 1000000, false), 1000000);
    assert_int_equal(now_at(&clock, 1, 5001, 1000000, false), 1000001);
    /* Two time namespaces in turn must not push it forward. */
    for (int i = 0; i < 10; i++) {
        now_at(&clock, 1, 100, 1000000, false);
        assert_int_equal(now_at(&clock, 1, 5001, 1000000, false), 1000001);
    }
}

static void
test_unknown_boot_is_taken_for_the_recorded_one(void **state)
{
    struct sr_clock clock = {.latest = 0};

    (void)state;
    now_at(&clock, 7, 100, 1000000, true);
    assert_int_equal(now_at(&clock, 0, 160, 2000000, false), 1000060);
    assert_int_equal(now_at(&clock, 0, 3, 2000000, false), 1000060);
    memset(&clock, 0, sizeof(clock));
    now_at(&clock, 0, 100, 1000000, true); /* even the first one unknown */
    assert_int_equal(now_at(&clock, 0, 101, 1, false), 1000001);
}

static void
test_extremes(void **state)
{
    struct sr_clock clock = {.latest = 0};

    (void)state;
    assert_int_equal(now_at(&clock, 1, 50, -5, true), 1);
    memset(&clock, 0, sizeof(clock));
    assert_int_equal(now_at(&clock, 1, 1, SR_TIME_NEVER - 1, true),
                     SR_TIME_NEVER - 1);
    assert_int_equal(now_at(&clock, 1, 100, 0, false), SR_TIME_NEVER - 1);
    clock.offset = INT64_MIN;
    clock.latest = 77;
    assert_int_equal(now_at(&clock, 1, 100, 0, false), 77);
}

static void
test_to_wall(void **state)
{
    (void)state;
    assert_int_equal(sr_clock_to_wall(150, 100, 9000), 9050);
    assert_int_equal(sr_clock_to_wall(50, 100, 9000), 8950);
    assert_int_equal(sr_clock_to_wall(SR_TIME_NEVER, 100, 9000), SR_TIME_NEVER);
    assert_int_equal(sr_clock_to_wall(SR_TIME_UNKNOWN, 100, 9000),
                     SR_TIME_UNKNOWN);
    assert_int_equal(sr_clock_to_wall(5, SR_TIME_UNKNOWN, 9000),
                     SR_TIME_UNKNOWN);
    assert_int_equal(sr_clock_to_wall(5, 1, SR_TIME_UNKNOWN), SR_TIME_UNKNOWN);
    assert_true(SR_TIME_IS_SET(
        sr_clock_to_wall(SR_TIME_NEVER - 1, -5, SR_TIME_NEVER - 1)));
}

static void
test_read(void **state)
{
    static const uint8_t none[16];
    struct sr_reading first, second;

    (void)state;
    assert_int_equal(sr_clock_read(&first), 0);
    assert_int_equal(sr_clock_read(&second), 0);
    assert_true(first.boottime > 0);
    assert_true(second.boottime >= first.boottime);
    assert_true(first.wall > 1700000000);
    assert_memory_not_equal(first.boot_id, none, sizeof(none));
    assert_memory_equal(first.boot_id, second.boot_id, sizeof(none));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_use_is_the_wall_clock),
        cmocka_unit_test(test_wall_clock_moves_nothing_within_a_boot),
        cmocka_unit_test(test_reboot_with_the_clock_set_back),
        cmocka_unit_test(test_reboot_takes_the_time_that_passed),
        cmocka_unit_test(test_boottime_that_goes_back_stands_still),
        cmocka_unit_test(test_unknown_boot_is_taken_for_the_recorded_one),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_to_wall),
        cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
