/*
 * Test of history: what is refused, how many hashes that takes, and what is
 * kept.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "count_crypt.h"
#include "policy/password/history.h"

#define START ((sr_time)1700000000)

static struct sr_history history;
static struct sr_history_probe probe;

/* A cheap method, so that a long history does not take long to make. */
static void
prefer(const char *method, unsigned long cost)
{
    preferred_method = method;
    preferred_cost = cost;
}

static int
setup(void **state)
{
    (void)state;
    memset(&history, 0, sizeof(history));
    prefer("$5$", 1000);
    return 0;
}

static enum sr_used
check(const char *password, unsigned remember, sr_time oldest)
{
    crypt_count = 0;
    return sr_history_check(&history, password, remember, oldest, &probe);
}

static void
use(const char *password, unsigned remember, sr_time oldest, sr_time now)
{
    (void)check(password, remember, oldest);
    assert_true(probe.is_valid);
    sr_history_record(&history, &probe, remember, oldest, now);
}

static void
use_many(int count, unsigned remember)
{
    char password[32];

    for (int i = 0; i < count; i++) {
        snprintf(password, sizeof(password), "password %d", i);
        use(password, remember, 0, START + i);
    }
}

static void
assert_all_zero(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++)
        assert_int_equal(at[i], 0);
}

static void
test_empty(void **state)
{
    (void)state;
    assert_int_equal(check("one", 24, 0), SR_USED_NO);
    assert_int_equal(crypt_count, 1);
    assert_true(probe.is_valid);
    assert_int_equal(strncmp(probe.salt, "$5$rounds=1000$", 15), 0);
    sr_history_record(&history, &probe, 24, 0, START);
    assert_int_equal(history.group[0].count, 1);
    assert_true(history.group[0].set_at[0] == START);
    assert_string_equal(history.group[0].salt, probe.salt);
    assert_int_equal(check("one", 24, 0), SR_USED_YES);
    assert_int_equal(check("One", 24, 0), SR_USED_NO);
    assert_int_equal(check("", 24, 0), SR_USED_NO);
}

/* The point of it all: the number of hashes does not grow. */
static void
test_one_hash(void **state)
{
    (void)state;
    use_many(24, 24);
    for (int i = 0; i < 24; i++) {
        char password[32];

        snprintf(password, sizeof(password), "password %d", i);
        assert_int_equal(check(password, 24, 0), SR_USED_YES);
        assert_int_equal(crypt_count, 1);
    }
    assert_int_equal(check("another", 24, 0), SR_USED_NO);
    assert_int_equal(crypt_count, 1);
}

static void
test_remember(void **state)
{
    (void)state;
    use_many(5, 3);
    assert_int_equal(history.group[0].count, 3);
    assert_int_equal(check("password 1", 3, 0), SR_USED_NO);
    assert_int_equal(check("password 2", 3, 0), SR_USED_YES);
    assert_int_equal(check("password 4", 3, 0), SR_USED_YES);
    /* Reduced: counts at once, and drops at the next change. */
    assert_int_equal(check("password 2", 2, 0), SR_USED_NO);
    assert_int_equal(check("password 3", 2, 0), SR_USED_YES);
    use("password 5", 2, 0, START + 5);
    assert_int_equal(history.group[0].count, 2);
    assert_int_equal(history.group[0].tag[2], 0);
    assert_true(history.group[0].set_at[2] == 0);
    assert_int_equal(check("password 3", 3, 0), SR_USED_NO);
}

static void
test_off(void **state)
{
    (void)state;
    use_many(3, 3);
    assert_int_equal(check("password 2", 0, 0), SR_USED_NO);
    assert_int_equal(crypt_count, 0);
    assert_false(probe.is_valid);
    sr_history_record(&history, &probe, 0, 0, START + 9);
    assert_all_zero(&history, sizeof(history));
}

static void
test_age(void **state)
{
    (void)state;
    use_many(4, 24);
    assert_int_equal(check("password 1", 24, START + 1), SR_USED_YES);
    assert_int_equal(check("password 1", 24, START + 2), SR_USED_NO);
    use("password 4", 24, START + 2, START + 4);
    assert_int_equal(history.group[0].count, 3);
    assert_int_equal(check("password 1", 24, 0), SR_USED_NO);
    assert_int_equal(check("password 2", 24, 0), SR_USED_YES);
    /* All of them too old: a record starts with nothing. */
    use("password 5", 24, START + 100, START + 101);
    assert_int_equal(history.group[0].count, 1);
    assert_int_equal(check("password 5", 24, 0), SR_USED_YES);
}

/* A new cost begins a new group; the old one still counts, at one hash more. */
static void
test_new_cost(void **state)
{
    (void)state;
    use_many(3, 24);
    prefer("$5$", 2000);
    assert_int_equal(check("password 0", 24, 0), SR_USED_YES);
    assert_int_equal(crypt_count, 2);
    use("newer", 24, 0, START + 10);
    assert_int_equal(strncmp(history.group[0].salt, "$5$rounds=2000$", 15), 0);
    assert_int_equal(strncmp(history.group[1].salt, "$5$rounds=1000$", 15), 0);
    assert_int_equal(history.group[0].count, 1);
    assert_int_equal(history.group[1].count, 3);
    assert_int_equal(check("newer", 24, 0), SR_USED_YES);
    assert_int_equal(crypt_count, 1);
    assert_int_equal(check("password 0", 24, 0), SR_USED_YES);
    assert_int_equal(crypt_count, 2);
    assert_int_equal(check("another", 24, 0), SR_USED_NO);
    assert_int_equal(crypt_count, 2);
    /* What counts is the newest of both groups together. */
    assert_int_equal(check("password 1", 3, 0), SR_USED_YES);
    assert_int_equal(check("password 0", 3, 0), SR_USED_NO);
    assert_int_equal(check("password 2", 1, 0), SR_USED_NO);
    assert_int_equal(crypt_count, 1);
    use("newest", 24, 0, START + 11);
    assert_int_equal(check("password 2", 1, 0), SR_USED_NO);
    /* Only old entries in the old group: no second hash. */
    assert_int_equal(check("password 2", 24, START + 5), SR_USED_NO);
    assert_int_equal(crypt_count, 1);
}

static void
test_third_cost(void **state)
{
    (void)state;
    use("first", 24, 0, START);
    prefer("$5$", 2000);
    use("second", 24, 0, START + 1);
    prefer("$6$", 1000);
    assert_int_equal(check("second", 24, 0), SR_USED_YES);
    assert_int_equal(check("first", 24, 0), SR_USED_NO);
    assert_int_equal(crypt_count, 2);
    use("third", 24, 0, START + 2);
    assert_int_equal(strncmp(history.group[1].salt, "$5$rounds=2000$", 15), 0);
    assert_int_equal(check("third", 24, 0), SR_USED_YES);
    assert_int_equal(check("second", 24, 0), SR_USED_YES);
    /* The old group empties and goes, its salt with it. */
    use("fourth", 2, 0, START + 3);
    assert_int_equal(history.group[0].count, 2);
    assert_all_zero(&history.group[1], sizeof(history.group[1]));
}

/* Setting the same password again and again pushes no other one out. */
static void
test_again(void **state)
{
    (void)state;
    use_many(3, 3);
    for (int i = 0; i < 5; i++)
        use("password 1", 3, 0, START + 10 + i);
    assert_int_equal(history.group[0].count, 3);
    assert_true(history.group[0].set_at[0] == START + 14);
    assert_int_equal(check("password 0", 3, 0), SR_USED_YES);
    assert_int_equal(check("password 2", 3, 0), SR_USED_YES);
}

static void
test_most(void **state)
{
    (void)state;
    use_many(SR_HISTORY_MAX + 3, 1000);
    assert_int_equal(history.group[0].count, SR_HISTORY_MAX);
    assert_int_equal(check("password 2", 1000, 0), SR_USED_NO);
    assert_int_equal(check("password 3", 1000, 0), SR_USED_YES);
    assert_int_equal(crypt_count, 1);
}

/* Another process recorded a first password in the meantime. */
static void
test_meanwhile(void **state)
{
    struct sr_history_probe mine;

    (void)state;
    assert_int_equal(check("mine", 24, 0), SR_USED_NO);
    mine = probe;
    use("other", 24, 0, START);
    sr_history_record(&history, &mine, 24, 0, START + 1);
    assert_int_equal(check("mine", 24, 0), SR_USED_YES);
    assert_int_equal(check("other", 24, 0), SR_USED_YES);
}

/* A method that the system has dropped must not stop every change. */
static void
test_lost_method(void **state)
{
    (void)state;
    use("one", 24, 0, START);
    strcpy(history.group[0].salt, "$99$lost$");
    assert_int_equal(check("one", 24, 0), SR_USED_NO);
    assert_int_equal(crypt_count, 1);
    use("two", 24, 0, START + 1);
    assert_int_equal(check("two", 24, 0), SR_USED_YES);
    assert_int_equal(check("three", 24, 0), SR_USED_NO);
}

/* The same where only the characters of the salt are wrong. */
static void
test_bad_salt(void **state)
{
    (void)state;
    use("one", 24, 0, START);
    strcpy(history.group[0].salt, "$5$rounds=1000$bad:salt");
    assert_int_equal(check("one", 24, 0), SR_USED_NO);
    assert_true(probe.is_valid);
    memset(history.group[0].salt, 'a', sizeof(history.group[0].salt));
    memcpy(history.group[0].salt, "$5$rounds=1000$", 15);
    history.group[0].count = 'a'; /* goes on like the salt */
    assert_int_equal(check("one", 24, 0), SR_USED_NO);
    assert_non_null(memchr(probe.salt, '\0', sizeof(probe.salt)));
}

/* The newest group's entries can be the first to go, when a clock was wrong. */
static void
test_only_older(void **state)
{
    (void)state;
    use_many(2, 24);
    history.group[1] = history.group[0];
    memset(&history.group[0], 0, sizeof(history.group[0]));
    assert_int_equal(check("password 1", 24, 0), SR_USED_YES);
    assert_int_equal(crypt_count, 2);
    use("newest", 24, 0, START + 9);
    assert_int_equal(check("newest", 24, 0), SR_USED_YES);
    assert_int_equal(check("password 0", 24, 0), SR_USED_YES);
}

/* Nonsense in the record neither reads beyond it nor is believed. */
static void
test_nonsense(void **state)
{
    (void)state;
    memset(&history, 0xff, sizeof(history));
    assert_int_equal(check("one", 24, 0), SR_USED_NO);
    use("one", 24, 0, START);
    assert_int_equal(history.group[0].count, 1);
    assert_int_equal(check("one", 24, 0), SR_USED_YES);
}

static void
test_failure(void **state)
{
    static char longest[512], beyond[513];

    (void)state;
    memset(longest, 'a', 511);
    memset(beyond, 'a', 512);
    use(longest, 24, 0, START);
    assert_int_equal(check(longest, 24, 0), SR_USED_YES);
    assert_int_equal(check(beyond, 24, 0), SR_USED_FAILED);
    assert_false(probe.is_valid);
    prefer("$99$", 0);
    assert_int_equal(check("one", 24, 0), SR_USED_FAILED);
    assert_false(probe.is_valid);
}

/* The newest entry, whatever group it is in. */
static void
test_last(void **state)
{
    (void)state;
    assert_int_equal(sr_history_last(&history), SR_TIME_UNKNOWN);
    use("one", 5, 0, START);
    assert_int_equal(sr_history_last(&history), START);
    use("two", 1, 0, START + 7);
    assert_int_equal(sr_history_last(&history), START + 7);
    prefer("$5$", 2000);
    use("three", 5, 0, START + 9);
    assert_int_equal(sr_history_last(&history), START + 9);
}

/* The newest entry, another one, or none; by one hash for each method. */
static void
test_find(void **state)
{
    (void)state;
    assert_int_equal(sr_history_find(&history, "one"), SR_HISTORY_ABSENT);
    use("one", 5, 0, START);
    assert_int_equal(sr_history_find(&history, "one"), SR_HISTORY_NEWEST);
    use("two", 5, 0, START + 1);
    assert_int_equal(sr_history_find(&history, "one"), SR_HISTORY_EARLIER);
    assert_int_equal(sr_history_find(&history, "two"), SR_HISTORY_NEWEST);
    prefer("$5$", 2000);
    use("three", 5, 0, START + 2);
    assert_int_equal(sr_history_find(&history, "one"), SR_HISTORY_EARLIER);
    assert_int_equal(sr_history_find(&history, "two"), SR_HISTORY_EARLIER);
    assert_int_equal(sr_history_find(&history, "three"), SR_HISTORY_NEWEST);
    assert_int_equal(sr_history_find(&history, "four"), SR_HISTORY_ABSENT);
    /* One of before is the newest again. */
    use("one", 5, 0, START + 3);
    assert_int_equal(sr_history_find(&history, "one"), SR_HISTORY_NEWEST);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(test_empty),      TEST(test_one_hash),    TEST(test_remember),
        TEST(test_off),        TEST(test_age),         TEST(test_new_cost),
        TEST(test_third_cost), TEST(test_again),       TEST(test_most),
        TEST(test_meanwhile),  TEST(test_lost_method), TEST(test_bad_salt),
        TEST(test_only_older), TEST(test_nonsense),    TEST(test_failure),
        TEST(test_last),       TEST(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
