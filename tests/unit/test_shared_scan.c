/*
 * Unit tests of the ledgers that are read in one pass: each account finds its
 * own, whatever else there is, and what cannot be read changes nothing.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/throttle/shared_scan.h"

#define NOW      ((sr_time)1000000)
#define LIFETIME 12
#define NONE     SR_TIME_UNKNOWN

static const struct sr_limits usual = {5, 900, 900, 86400, 0};

static unsigned next_id;

static struct sr_shared_entry
entry(enum sr_shared_state state, sr_time at)
{
    struct sr_shared_entry made = {.state = state, .made = at, .changed = at};

    snprintf(made.id, sizeof(made.id), "%032x", ++next_id);
    return made;
}

/* So many failures of an account. */
static void
guess(struct sr_shared_scan *ledgers, const char *name, bool is_familiar,
      unsigned count)
{
    char ledger[SR_SHARED_LEDGER_SIZE];

    sr_shared_account(name, is_familiar, ledger);
    for (unsigned i = 0; i < count; i++) {
        const struct sr_shared_entry made = entry(SR_SHARED_FAILED, NOW - 100);

        assert_int_equal(sr_shared_scan_add(ledgers, ledger, &made),
                         SR_STATUS_OK);
    }
}

static int
setup(void **state)
{
    *state = sr_shared_scan_new(LIFETIME);
    next_id = 0;
    return *state == NULL;
}

static int
teardown(void **state)
{
    sr_shared_scan_free(*state);
    return 0;
}

static struct sr_lockouts
locks(void *ledgers, const char *name)
{
    struct sr_lockouts found;

    sr_shared_scan_locks(ledgers, name, &usual, NOW, &found);
    assert_true(found.is_known[0] && found.is_known[1]);
    return found;
}

static void
assert_locks(void *ledgers, const char *name, sr_time strangers,
             sr_time familiar)
{
    const struct sr_lockouts found = locks(ledgers, name);

    assert_int_equal(found.of[SR_CLASS_STRANGER].until, strangers);
    assert_int_equal(found.of[SR_CLASS_FAMILIAR].until, familiar);
}

static void
test_empty(void **state)
{
    sr_shared_scan_sort(*state);
    assert_locks(*state, "ann", NONE, NONE);
    assert_locks(NULL, "ann", NONE, NONE);
    sr_shared_scan_free(NULL);
}

static void
test_each_finds_its_own(void **state)
{
    /* Told of in turns. */
    for (unsigned i = 0; i < 5; i++) {
        guess(*state, "ann", false, 1);
        guess(*state, "bob", true, 1);
        if (i < 4)
            guess(*state, "cay", false, 1);
        guess(*state, "dan", i % 2 == 0, 2);
    }
    sr_shared_scan_sort(*state);
    assert_int_equal(sr_shared_scan_count(*state), 24);
    assert_locks(*state, "ann", NOW + 800, NONE);
    assert_locks(*state, "bob", NONE, NOW + 800);
    assert_locks(*state, "cay", NONE, NONE);
    assert_int_not_equal(locks(*state, "dan").of[SR_CLASS_FAMILIAR].until,
                         NONE);
    assert_int_equal(locks(*state, "dan").of[SR_CLASS_STRANGER].until, NONE);
    assert_locks(*state, "eve", NONE, NONE);
}

static void
test_by_the_limits_of_the_account(void **state)
{
    const struct sr_limits strict = {3, 900, 60, 86400, 0};
    const struct sr_limits off = {.attempts = 0};
    struct sr_lockouts found;

    guess(*state, "ann", false, 3);
    sr_shared_scan_sort(*state);
    assert_locks(*state, "ann", NONE, NONE);
    sr_shared_scan_locks(*state, "ann", &strict, NOW, &found);
    assert_int_not_equal(found.of[SR_CLASS_STRANGER].until, NONE);
    sr_shared_scan_locks(*state, "ann", &off, NOW, &found);
    assert_int_equal(found.of[SR_CLASS_STRANGER].until, NONE);
}

static void
test_what_is_told_twice_counts_once(void **state)
{
    char ledger[SR_SHARED_LEDGER_SIZE];
    struct sr_shared_entry twice = entry(SR_SHARED_PENDING, NOW - 2);

    sr_shared_account("ann", false, ledger);
    guess(*state, "ann", false, 3);
    sr_shared_scan_add(*state, ledger, &twice);
    twice.state = SR_SHARED_FAILED;
    twice.changed = NOW - 1;
    sr_shared_scan_add(*state, ledger, &twice);
    sr_shared_scan_sort(*state);
    assert_int_equal(sr_shared_scan_count(*state), 4);
    assert_locks(*state, "ann", NONE, NONE);
}

/* It had failed by what was told last, whichever came first. */
static void
test_the_later_counts(void **state)
{
    char ledger[SR_SHARED_LEDGER_SIZE];
    struct sr_shared_entry twice = entry(SR_SHARED_FAILED, NOW - 2);

    sr_shared_account("ann", false, ledger);
    guess(*state, "ann", false, 4);
    twice.changed = NOW - 1;
    sr_shared_scan_add(*state, ledger, &twice);
    twice.state = SR_SHARED_PENDING;
    twice.changed = NOW - 2;
    sr_shared_scan_add(*state, ledger, &twice);
    sr_shared_scan_sort(*state);
    assert_locks(*state, "ann", NOW - 1 + 900, NONE);
}

static void
test_what_is_no_ledger_is_passed_over(void **state)
{
    static const char *const ledger[] = {
        "",
        "s-",
        "key",
        "n-0001",
        "d-0001",
        "s-2ad4bb23d0e198ac84074c8bd51bb01",
        "s-2ad4bb23d0e198ac84074c8bd51bb0111",
        "s-2AD4BB23D0E198AC84074C8BD51BB011",
        "x-2ad4bb23d0e198ac84074c8bd51bb011",
        "s:2ad4bb23d0e198ac84074c8bd51bb011",
    };
    struct sr_shared_entry made = entry(SR_SHARED_FAILED, NOW - 1);

    for (size_t i = 0; i < sizeof(ledger) / sizeof(ledger[0]); i++)
        assert_int_equal(sr_shared_scan_add(*state, ledger[i], &made),
                         SR_STATUS_OK);
    strcpy(made.id, "short");
    assert_int_equal(
        sr_shared_scan_add(*state, "s-2ad4bb23d0e198ac84074c8bd51bb011", &made),
        SR_STATUS_OK);
    assert_int_equal(sr_shared_scan_count(*state), 0);
    guess(*state, "ann", false, 5);
    sr_shared_scan_sort(*state);
    assert_locks(*state, "ann", NOW + 800, NONE);
}

static void
test_one_ledger_without_end(void **state)
{
    guess(*state, "ann", false, 3 * SR_SHARED_MAX);
    guess(*state, "bob", false, 5);
    sr_shared_scan_sort(*state);
    assert_int_not_equal(locks(*state, "ann").of[SR_CLASS_STRANGER].until,
                         NONE);
    assert_locks(*state, "bob", NOW + 800, NONE);
}

static void
test_there_is_an_end(void **state)
{
    char ledger[SR_SHARED_LEDGER_SIZE];
    const struct sr_shared_entry made = entry(SR_SHARED_FAILED, NOW);

    sr_shared_account("ann", false, ledger);
    for (size_t i = 0; i < SR_SHARED_SCAN_MAX; i++)
        assert_int_equal(sr_shared_scan_add(*state, ledger, &made),
                         SR_STATUS_OK);
    assert_int_equal(sr_shared_scan_add(*state, ledger, &made),
                     SR_STATUS_UNAVAILABLE);
}

static void
test_the_clock_of_the_server(void **state)
{
    struct sr_lockouts found;

    guess(*state, "ann", false, 5); /* which is ahead by an hour */
    sr_shared_scan_sort(*state);
    sr_shared_scan_locks(*state, "ann", &usual, NOW - 3600, &found);
    assert_int_equal(found.of[SR_CLASS_STRANGER].until, NOW - 3600 + 900);
    /* The same entries, an hour later. */
    sr_shared_scan_locks(*state, "ann", &usual, NOW + 3600, &found);
    assert_int_equal(found.of[SR_CLASS_STRANGER].until, NONE);
}

/* ---- reading */

static struct {
    enum sr_status answer;
    unsigned entries;
} server;

static enum sr_status
serve(struct sr_call *call, struct sr_shared_request *request)
{
    char ledger[SR_SHARED_LEDGER_SIZE];
    enum sr_status ask = SR_STATUS_OK;

    assert_int_equal(request->what, SR_SHARED_ALL);
    sr_shared_account("ann", false, ledger);
    for (unsigned i = 0; i < server.entries && ask == SR_STATUS_OK; i++) {
        const struct sr_shared_entry made = entry(SR_SHARED_FAILED, NOW - 100);

        ask = request->take(request->context, ledger, &made);
    }
    if (server.answer != SR_STATUS_OK)
        sr_error_set(&call->error, SR_ERROR_OTHER, "cut");
    return ask != SR_STATUS_OK ? ask : server.answer;
}

static void
test_reading(void **state)
{
    static const struct sr_backend_ops ops = {.type = "fake",
                                              .shared_ledger = serve};
    static const struct sr_backend_config section = {.timeout = 10};
    const struct sr_shared_ledger way = {
        .is_there = true,
        .backend = {.name = "corp", .ops = &ops, .config = &section},
    };
    struct sr_shared_scan *ledgers;
    char reason[64] = "";

    (void)state;
    server.entries = 5;
    server.answer = SR_STATUS_OK;
    assert_int_equal(
        sr_shared_scan_read(&way, &ledgers, reason, sizeof(reason)),
        SR_STATUS_OK);
    assert_locks(ledgers, "ann", NOW + 800, NONE);
    sr_shared_scan_free(ledgers);
    /* What was told before it broke off is not taken for all. */
    server.answer = SR_STATUS_UNAVAILABLE;
    assert_int_equal(
        sr_shared_scan_read(&way, &ledgers, reason, sizeof(reason)),
        SR_STATUS_UNAVAILABLE);
    assert_null(ledgers);
    assert_string_equal(reason, "cut");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_each_finds_its_own),
        TEST(test_by_the_limits_of_the_account),
        TEST(test_what_is_told_twice_counts_once),
        TEST(test_the_later_counts),
        TEST(test_what_is_no_ledger_is_passed_over),
        TEST(test_one_ledger_without_end),
        TEST(test_there_is_an_end),
        TEST(test_the_clock_of_the_server),
        TEST(test_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
