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

/* Strangers and familiar sources by the host, by all hosts, and what comes of
 * them with and without a familiar source. */
static const struct {
    const char *what;
    sr_time host[2], shared[2], with, without;
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

static struct sr_lockout
until(sr_time when)
{
    return when == NONE ? sr_lockout_none()
                        : sr_lockout_until(when, SR_LOCK_WHY_THROTTLE);
}

static struct sr_lockouts
known(const sr_time when[2])
{
    return (struct sr_lockouts){.of = {until(when[0]), until(when[1])},
                                .is_known = {true, true}};
}

static sr_time
everywhere(const struct sr_lockouts *host, const struct sr_lockouts *shared,
           sr_time claimed)
{
    const struct sr_lockout found =
        sr_lockout_everywhere(host, shared, until(claimed));

    return sr_lockout_is(&found) ? found.until : NONE;
}

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const struct sr_lockouts shared = known(row[i].shared);
        struct sr_lockouts host = known(row[i].host);

        host.has_familiar = true;
        if (everywhere(&host, &shared, NONE) != row[i].with)
            fail_msg("%s, with a familiar source", row[i].what);
        host.has_familiar = false;
        if (everywhere(&host, &shared, NONE) != row[i].without)
            fail_msg("%s, without one", row[i].what);
    }
}

static void
test_what_was_not_asked_for(void **state)
{
    struct sr_lockouts host = sr_lockouts_none();
    struct sr_lockouts shared = sr_lockouts_unknown();

    (void)state;
    /* Nothing is claimed: the host's own is the floor. */
    assert_int_equal(everywhere(&host, &shared, NONE), NONE);
    host.of[0] = until(50);
    assert_int_equal(everywhere(&host, &shared, NONE), 50);
    /* What was found out before stays. */
    assert_int_equal(everywhere(&host, &shared, 100), 100);
    host.of[0] = until(150);
    assert_int_equal(everywhere(&host, &shared, 100), 150);
    /* A login from a familiar source says nothing of strangers. */
    host.of[0] = sr_lockout_none();
    shared.is_known[1] = true;
    assert_int_equal(everywhere(&host, &shared, 100), 100);
    /* But where there is such a source, somebody can come in. */
    host.has_familiar = true;
    assert_int_equal(everywhere(&host, &shared, 100), NONE);
    shared.of[1] = until(70);
    assert_int_equal(everywhere(&host, &shared, 100), 70);
    /* Strangers were asked for, and can come in. */
    shared = sr_lockouts_unknown();
    shared.is_known[0] = true;
    assert_int_equal(everywhere(&host, &shared, 100), NONE);
    shared.of[0] = until(200);
    assert_int_equal(everywhere(&host, &shared, 100), 100);
}

/* The latest end holds, an end that is not known longer than any, and an
 * administrator's lock longer than all, in whatever order they are merged. */
static void
test_merge(void **state)
{
    const struct sr_lockout order[] = {
        sr_lockout_none(),
        sr_lockout_until(100, SR_LOCK_WHY_THROTTLE),
        sr_lockout_until(200, SR_LOCK_WHY_DIRECTORY),
        sr_lockout_until(SR_TIME_UNKNOWN, SR_LOCK_WHY_DIRECTORY),
        sr_lockout_until(SR_TIME_NEVER, SR_LOCK_WHY_ADMIN),
    };

    (void)state;
    for (size_t a = 0; a < 5; a++) {
        for (size_t b = 0; b < 5; b++) {
            const struct sr_lockout merged =
                sr_lockout_merge(order[a], order[b]);
            const struct sr_lockout weaker =
                sr_lockout_earlier(order[a], order[b]);
            const struct sr_lockout *most = &order[a > b ? a : b];
            const struct sr_lockout *least = &order[a < b ? a : b];

            assert_int_equal(merged.until, most->until);
            assert_int_equal(merged.why, most->why);
            assert_int_equal(weaker.until, least->until);
            assert_int_equal(weaker.why, least->why);
        }
    }
}

/* A lock goes into facts and comes back. */
static void
test_facts(void **state)
{
    static const struct {
        enum sr_lock locked;
        sr_time facts_until, until;
    } rows[] = {
        {SR_LOCK_NO, NONE, NONE},
        {SR_LOCK_UNTIL, 100, 100},
        {SR_LOCK_UNTIL, SR_TIME_UNKNOWN, SR_TIME_UNKNOWN},
        {SR_LOCK_ADMIN, SR_TIME_UNKNOWN, SR_TIME_NEVER},
    };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct sr_facts facts, again;
        struct sr_lockout lockout;

        sr_facts_init(&facts);
        facts.locked = rows[i].locked;
        facts.locked_until = rows[i].facts_until;
        facts.locked_why = rows[i].locked == SR_LOCK_NO ? SR_LOCK_WHY_NONE
                                                        : SR_LOCK_WHY_DIRECTORY;
        lockout = sr_lockout_of(&facts);
        assert_int_equal(lockout.until, rows[i].until);
        sr_facts_init(&again);
        sr_lockout_set(&again, &lockout);
        assert_int_equal(again.locked, facts.locked);
        assert_int_equal(again.locked_until, facts.locked_until);
        assert_int_equal(again.locked_why, facts.locked_why);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_what_was_not_asked_for),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_facts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
