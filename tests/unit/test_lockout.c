/*
 * Unit tests of the lockout that holds from every source: two sides, and two
 * keepers of each.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "policy/decide/lockout.h"

#define NONE SR_TIME_UNKNOWN

/* Strangers and familiar sources by the host, by the fleet, and what comes of
 * them with and without a familiar source. */
static const struct {
    const char *what;
    sr_time host[2], fleet[2], with, without;
} row[] = {
    {"nobody", {NONE, NONE}, {NONE, NONE}, NONE, NONE},
    {"here", {100, NONE}, {NONE, NONE}, NONE, 100},
    {"there", {NONE, NONE}, {100, NONE}, NONE, 100},
    {"familiar only, here", {NONE, 100}, {NONE, NONE}, NONE, NONE},
    {"familiar only, there", {NONE, NONE}, {NONE, 100}, NONE, NONE},
    {"both here", {100, 200}, {NONE, NONE}, 100, 100},
    {"both there", {NONE, NONE}, {200, 100}, 100, 200},
    {"one side here, the other there", {100, NONE}, {NONE, 200}, 100, 100},
    {"and the other way round", {NONE, 100}, {200, NONE}, 100, 200},
    {"the later of one side", {100, 100}, {200, 300}, 200, 200},
    /* Neither the earlier nor the later of two finished answers, which are 100
     * and 150: until 300 nobody comes in. */
    {"crossed", {100, 300}, {400, 150}, 300, 400},
    {"for good", {SR_TIME_NEVER, 5}, {NONE, NONE}, 5, SR_TIME_NEVER},
};

static struct sr_shared_locks
known(const sr_time until[2])
{
    return (struct sr_shared_locks){{true, true}, {until[0], until[1]}};
}

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sr_class_lockouts host = {{row[i].host[0], row[i].host[1]},
                                         true};
        const struct sr_shared_locks fleet = known(row[i].fleet);

        if (sr_lockout_everywhere(&host, &fleet, NONE) != row[i].with)
            fail_msg("%s, with a familiar source", row[i].what);
        host.has_familiar = false;
        if (sr_lockout_everywhere(&host, &fleet, NONE) != row[i].without)
            fail_msg("%s, without one", row[i].what);
    }
}

static void
test_what_was_not_asked_for(void **state)
{
    struct sr_class_lockouts host = {{NONE, NONE}, false};
    struct sr_shared_locks fleet = {.is_known = {false, false}};

    (void)state;
    /* Nothing is claimed: the host's own is the floor. */
    assert_int_equal(sr_lockout_everywhere(&host, &fleet, NONE), NONE);
    host.until[0] = 50;
    assert_int_equal(sr_lockout_everywhere(&host, &fleet, NONE), 50);
    /* What was found out before stays. */
    assert_int_equal(sr_lockout_everywhere(&host, &fleet, 100), 100);
    host.until[0] = 150;
    assert_int_equal(sr_lockout_everywhere(&host, &fleet, 100), 150);
    /* A login from a familiar source says nothing of strangers. */
    host.until[0] = NONE;
    fleet.is_known[1] = true;
    fleet.until[1] = NONE;
    assert_int_equal(sr_lockout_everywhere(&host, &fleet, 100), 100);
    /* But where there is such a source, somebody can come in. */
    host.has_familiar = true;
    assert_int_equal(sr_lockout_everywhere(&host, &fleet, 100), NONE);
    fleet.until[1] = 70;
    assert_int_equal(sr_lockout_everywhere(&host, &fleet, 100), 70);
    /* Strangers were asked for, and can come in. */
    fleet = (struct sr_shared_locks){{true, false}, {NONE, 0}};
    assert_int_equal(sr_lockout_everywhere(&host, &fleet, 100), NONE);
    fleet.until[0] = 200;
    assert_int_equal(sr_lockout_everywhere(&host, &fleet, 100), 100);
}

static void
test_none(void **state)
{
    struct sr_shared_locks fleet;
    const struct sr_class_lockouts host = {{10, NONE}, false};

    (void)state;
    sr_shared_locks_none(&fleet);
    assert_int_equal(sr_lockout_everywhere(&host, &fleet, 100), 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_what_was_not_asked_for),
        cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
