/*
 * Unit tests of the ledger that hosts share: what it allows, in whatever order
 * its entries come together, and what of it can be pruned.
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

#include "policy/decide/shared_ledger.h"

#define T0       ((sr_time)1000000)
#define MINUTE   ((int64_t)60)
#define LIFETIME 12

static const struct sr_limits usual = {5, 15 * MINUTE, 15 * MINUTE,
                                       24 * 60 * MINUTE, 0};

static struct sr_shared_list list, room;
static struct sr_shared_judgement judgement;

static void
add(struct sr_shared_list *to, unsigned id, enum sr_shared_state state,
    sr_time at)
{
    struct sr_shared_entry *entry = &to->entry[to->count++];

    assert_true(to->count <= SR_SHARED_MAX);
    snprintf(entry->id, sizeof(entry->id), "%032x", id);
    entry->state = state;
    entry->made = at;
    entry->changed = at;
}

static const char *
id_of(unsigned id)
{
    static char text[SR_SHARED_ID_SIZE];

    snprintf(text, sizeof(text), "%032x", id);
    return text;
}

static enum sr_shared_answer
judge(const char *own, sr_time now)
{
    sr_shared_judge(&list, own, &usual, now, LIFETIME, &judgement);
    return judgement.answer;
}

static int
empty(void **state)
{
    (void)state;
    memset(&list, 0, sizeof(list));
    return 0;
}

static void
test_nothing_is_open_to_all(void **state)
{
    (void)state;
    assert_int_equal(judge(NULL, T0), SR_SHARED_GO);
    assert_int_equal(judgement.prunable, 0);
    add(&list, 1, SR_SHARED_PENDING, T0);
    assert_int_equal(judge(id_of(1), T0), SR_SHARED_GO);
    assert_true(judgement.has_own);
    assert_false(judgement.begins_lockout);
}

static void
test_the_last_slot(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        add(&list, i, SR_SHARED_FAILED, T0);
    add(&list, 9, SR_SHARED_PENDING, T0);
    assert_int_equal(judge(id_of(9), T0), SR_SHARED_GO);
    assert_int_equal(judgement.failures, 4);
    assert_int_equal(judgement.settled, 4);
    assert_true(judgement.begins_lockout);
    /* For another one there is no room, as long as it is there. */
    assert_int_equal(judge(NULL, T0), SR_SHARED_WAIT);
}

static void
test_locked(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        add(&list, i, SR_SHARED_FAILED, T0 + i);
    add(&list, 9, SR_SHARED_PENDING, T0 + 5);
    assert_int_equal(judge(id_of(9), T0 + 5), SR_SHARED_LOCKED);
    assert_int_equal(judgement.until, T0 + 4 + 15 * MINUTE);
    assert_int_equal(judge(NULL, T0 + 4 + 15 * MINUTE), SR_SHARED_GO);
}

static void
test_a_failure_counts_from_when_it_was_settled(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        add(&list, i, SR_SHARED_FAILED, T0);
        list.entry[i].changed = T0 + 8;
    }
    judge(NULL, T0 + 9);
    assert_int_equal(judgement.until, T0 + 8 + 15 * MINUTE);
}

static void
test_who_waits_and_who_gives_way(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 7; i++)
        add(&list, i, SR_SHARED_PENDING, T0);
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(judge(id_of(i), T0), SR_SHARED_WAIT);
        assert_int_equal(judgement.may_stay, i < 5);
    }
    assert_int_equal(judge(id_of(77), T0), SR_SHARED_WAIT);
    assert_false(judgement.may_stay);
}

static void
test_recorded_ahead(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        add(&list, i, SR_SHARED_AHEAD, T0);
    assert_int_equal(judge(NULL, T0 + 1), SR_SHARED_HELD);
    assert_int_equal(judgement.until, T0 + 1 + 15 * MINUTE);
    assert_int_equal(judge(id_of(0), T0 + 1), SR_SHARED_GO);
    assert_int_equal(judge(NULL, T0 + LIFETIME), SR_SHARED_LOCKED);
}

static void
test_a_host_that_died_has_failed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        add(&list, i, SR_SHARED_PENDING, T0);
    assert_int_equal(judge(NULL, T0 + LIFETIME - 1), SR_SHARED_WAIT);
    assert_int_equal(judge(NULL, T0 + LIFETIME), SR_SHARED_LOCKED);
    /* It can have been verified until then. */
    assert_int_equal(judgement.until, T0 + LIFETIME + 15 * MINUTE);
}

static void
test_times_of_the_future(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        add(&list, i, SR_SHARED_FAILED, T0 + 100 * MINUTE);
    assert_int_equal(judge(NULL, T0), SR_SHARED_LOCKED);
    assert_int_equal(judgement.until, T0 + 15 * MINUTE);
}

static void
test_a_list_that_is_cut(void **state)
{
    (void)state;
    /* What was left out is older, and takes nothing away. */
    add(&list, 1, SR_SHARED_PENDING, T0);
    list.is_cut = true;
    assert_int_equal(judge(id_of(1), T0), SR_SHARED_GO);
    assert_int_equal(judgement.prunable, 0);
}

static void
test_not_throttled(void **state)
{
    const struct sr_limits none = {0, 1, 1, 1, 0};

    (void)state;
    for (unsigned i = 0; i < 9; i++)
        add(&list, i, SR_SHARED_FAILED, T0);
    sr_shared_judge(&list, NULL, &none, T0, LIFETIME, &judgement);
    assert_int_equal(judgement.answer, SR_SHARED_GO);
    assert_int_equal(judgement.prunable, 0);
}

/* Failures, one at a time when one is let go: the ledger of one host says the
 * same at any time. */
static void
test_as_a_ledger_of_one_host(void **state)
{
    struct sr_ledger ledger;
    sr_time now = T0;
    unsigned failed = 0;

    (void)state;
    sr_ledger_init(&ledger);
    for (unsigned i = 0; i < 900; i++) {
        const uint64_t open = sr_throttle_open(&ledger, &usual, now);

        if (list.count == SR_SHARED_MAX)
            break;
        assert_int_equal(judge(NULL, now) == SR_SHARED_GO, open != 0);
        if (open == 0)
            assert_int_equal(judgement.until,
                             sr_throttle_release(&ledger, &usual, now));
        if (open != 0 && random() % 3 == 0) {
            add(&list, i, SR_SHARED_FAILED, now);
            sr_throttle_failed(&ledger, &usual, (unsigned)__builtin_ctzll(open),
                               now);
            failed++;
        }
        now += random() % 400;
    }
    assert_true(failed > 100);
}

static void
shuffle(struct sr_shared_list *what)
{
    for (size_t i = what->count; i > 1; i--) {
        const size_t other = (size_t)random() % i;
        struct sr_shared_entry entry = what->entry[i - 1];

        what->entry[i - 1] = what->entry[other];
        what->entry[other] = entry;
    }
}

/* Failures of several hosts, some more than allowed and some at one time. */
static void
make_some(struct sr_shared_list *what, unsigned count)
{
    sr_time now = T0;

    what->count = 0;
    for (unsigned i = 0; i < count; i++) {
        add(what, (unsigned)random(), (enum sr_shared_state)(random() % 3),
            now);
        if (random() % 3 == 0)
            now += random() % (random() % 2 == 0 ? 20 : 3000);
    }
}

static void
test_any_order_says_the_same(void **state)
{
    static struct sr_shared_list other;
    struct sr_shared_judgement first, second;

    (void)state;
    for (unsigned round = 0; round < 100; round++) {
        make_some(&list, 1 + (unsigned)random() % 60);
        const sr_time now = list.entry[list.count - 1].made + random() % 2000;

        other = list;
        shuffle(&other);
        sr_shared_judge(&list, NULL, &usual, now, LIFETIME, &first);
        sr_shared_judge(&other, NULL, &usual, now, LIFETIME, &second);
        assert_memory_equal(&first, &second, sizeof(first));
        for (size_t i = 0; i < list.count; i++)
            assert_string_equal(list.entry[i].id, other.entry[i].id);
    }
}

static void
drop_first(struct sr_shared_list *what, size_t count)
{
    what->count -= count;
    memmove(&what->entry[0], &what->entry[count],
            what->count * sizeof(what->entry[0]));
}

/* From here on one ledger is pruned whenever it is judged, and the other never;
 * the attempts are those that it lets go. */
static size_t
go_on(struct sr_shared_list *pruned, struct sr_shared_list *whole,
      const struct sr_limits *limits, sr_time now)
{
    struct sr_shared_judgement ours, theirs;
    size_t dropped = 0;

    for (unsigned i = 0; i < 150; i++) {
        sr_shared_judge(pruned, NULL, limits, now, LIFETIME, &ours);
        sr_shared_judge(whole, NULL, limits, now, LIFETIME, &theirs);
        assert_int_equal(ours.answer, theirs.answer);
        assert_int_equal(ours.failures, theirs.failures);
        if (theirs.answer == SR_SHARED_LOCKED)
            assert_int_equal(ours.until, theirs.until);
        assert_true(ours.prunable <= SR_SHARED_PRUNE);
        drop_first(pruned, ours.prunable);
        dropped += ours.prunable;
        if (ours.answer == SR_SHARED_GO) {
            const unsigned id = (unsigned)random();

            add(pruned, id, SR_SHARED_FAILED, now);
            add(whole, id, SR_SHARED_FAILED, now);
        }
        now += random() % (limits->duration_max * 3 / (1 + random() % 40) + 2);
    }
    return dropped;
}

static void
test_pruning_changes_nothing(void **state)
{
    static struct sr_shared_list whole;
    size_t dropped = 0;

    (void)state;
    for (unsigned round = 0; round < 25; round++) {
        const int64_t duration = 1 + random() % 2000;
        const struct sr_limits limits = {1 + (unsigned)random() % 8,
                                         1 + random() % 2000, duration,
                                         duration * (1 + random() % 60), 0};

        make_some(&list, (unsigned)random() % 40);
        for (size_t i = 0; i < list.count; i++)
            list.entry[i].state = SR_SHARED_FAILED;
        whole = list;
        dropped += go_on(&list, &whole, &limits, T0 + 60000);
    }
    assert_true(dropped > 150);
}

/* Three began a lockout that is over, and two came in it from another server.
 * With fewer of the three these would begin one. */
static void
test_pruning_brings_no_lockout_back(void **state)
{
    const struct sr_limits limits = {3, 900, 900, SR_DAY, 0};

    (void)state;
    list.count = 0;
    for (unsigned id = 0; id < 5; id++)
        add(&list, id, SR_SHARED_FAILED, id < 3 ? T0 : T0 + 600);
    sr_shared_judge(&list, NULL, &limits, T0 + 1000, LIFETIME, &judgement);
    assert_int_equal(judgement.answer, SR_SHARED_GO);
    assert_int_equal(judgement.prunable, 0);
}

/* Whoever goes on guessing leaves no more than so many entries. */
static void
test_pruning_bounds_the_ledger(void **state)
{
    sr_time now = T0;
    size_t most = 0;

    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        if (judge(NULL, now) == SR_SHARED_GO) {
            drop_first(&list, judgement.prunable);
            add(&list, i, SR_SHARED_FAILED, now);
        } else {
            now = judgement.until;
        }
        if (list.count > most)
            most = list.count;
    }
    /* Eight lengths, from a quarter of an hour to a day, and one more. */
    assert_true(most <= 5 * 9);
    /* A day later nothing of it counts. */
    now += 3 * SR_DAY;
    while (list.count > 0) {
        assert_int_equal(judge(NULL, now), SR_SHARED_GO);
        assert_true(judgement.prunable > 0);
        drop_first(&list, judgement.prunable);
    }
}

/* ---- the protocol: hosts in any order of steps, some of which die */

#define HOSTS 40

enum step { IDLE, ADDED, GAVE_WAY, GOES, DEAD };

struct host {
    enum step step;
    char id[SR_SHARED_ID_SIZE];
};

static void
take_back(const char *id)
{
    for (size_t i = 0; i < list.count; i++) {
        if (strcmp(list.entry[i].id, id) == 0) {
            list.entry[i] = list.entry[--list.count];
            return;
        }
    }
}

static void
settle(const char *id, sr_time now)
{
    for (size_t i = 0; i < list.count; i++) {
        if (strcmp(list.entry[i].id, id) == 0) {
            list.entry[i].state = SR_SHARED_FAILED;
            list.entry[i].changed = now;
        }
    }
}

/* One step of one host.  Returns whether it verified a password. */
static bool
step(struct host *host, unsigned id, sr_time now)
{
    static struct sr_shared_list seen;
    bool verified = false;

    switch (host->step) {
    case IDLE:
        add(&list, id, SR_SHARED_PENDING, now);
        snprintf(host->id, sizeof(host->id), "%s", id_of(id));
        host->step = ADDED;
        break;
    case ADDED:
        seen = list;
        sr_shared_judge(&seen, host->id, &usual, now, LIFETIME, &judgement);
        if (judgement.answer == SR_SHARED_GO) {
            host->step = GOES;
        } else if (!judgement.may_stay) {
            take_back(host->id);
            host->step = GAVE_WAY;
        }
        break;
    case GAVE_WAY:
        seen = list;
        sr_shared_judge(&seen, NULL, &usual, now, LIFETIME, &judgement);
        if (judgement.answer == SR_SHARED_GO)
            host->step = IDLE;
        break;
    case GOES:
        verified = true;
        if (random() % 8 == 0) {
            host->step = DEAD;
        } else {
            settle(host->id, now);
            host->step = IDLE;
        }
        break;
    case DEAD:
        break;
    }
    return verified;
}

static void
test_no_more_are_verified(void **state)
{
    unsigned exact = 0;

    (void)state;
    for (unsigned round = 0; round < 15; round++) {
        struct host host[HOSTS] = {{IDLE, ""}};
        unsigned verified = 0;

        list.count = 0;
        for (unsigned i = 0; i < 5000; i++)
            verified +=
                step(&host[random() % HOSTS], round * 5000 + i, T0 + i / 500);
        assert_true(verified <= usual.attempts);
        exact += verified == usual.attempts;
    }
    assert_int_equal(exact, 15);
}

/* ---- names */

static void
test_names(void **state)
{
    const uint8_t key[SR_SHARED_KEY_SIZE] = {1},
                  other[SR_SHARED_KEY_SIZE] = {2};
    char first[SR_SHARED_LEDGER_SIZE], second[SR_SHARED_LEDGER_SIZE];
    char tag[SR_SHARED_TAG_SIZE];
    unsigned same = 0;

    (void)state;
    sr_shared_account("ann", false, first);
    sr_shared_account("ann", true, second);
    assert_string_not_equal(first, second);
    sr_shared_account("Ann", false, second);
    assert_string_not_equal(first, second);
    /* What any server takes for a serialNumber, and compares. */
    assert_int_equal(strspn(first, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                     strlen(first));
    assert_true(strlen(first) < SR_SHARED_LEDGER_SIZE - 1);
    for (unsigned i = 0; i < 1000; i++) {
        char name[16];

        snprintf(name, sizeof(name), "name%u", i);
        sr_shared_name(key, name, first, tag);
        assert_int_equal(strlen(tag), SR_SHARED_TAG_SIZE - 1);
        assert_int_equal(strtoul(tag, NULL, 16) % SR_SHARED_BUCKETS,
                         strtoul(first + 2, NULL, 16));
        sr_shared_name(other, name, second, tag);
        assert_true(strtoul(first + 2, NULL, 16) < SR_SHARED_BUCKETS);
        same += strcmp(first, second) == 0;
    }
    assert_true(same < 20);
}

/* ---- buckets */

#define LIFETIME 12

/* Failures of one name, one second apart. */
static void
add_name(unsigned name, unsigned failures, sr_time first)
{
    for (unsigned i = 0; i < failures; i++) {
        struct sr_shared_entry *entry = &list.entry[list.count++];

        *entry = (struct sr_shared_entry){
            .state = SR_SHARED_FAILED, .made = first + i, .changed = first + i};
        snprintf(entry->id, sizeof(entry->id), "%08x%024x", name, i);
    }
}

static const struct sr_limits three = {
    .attempts = 3, .window = 900, .duration = 900, .duration_max = 86400};

/* What was tried with other names of a bucket is not counted. */
static void
test_gather(void **state)
{

    (void)state;
    memset(&list, 0, sizeof(list));
    add_name(7, 3, 1000);
    add_name(5, 2, 1000);
    add_name(9, 3, 1000);
    assert_int_equal(sr_shared_gather(&list, "00000005"), 8);
    assert_int_equal(list.count, 2);
    sr_shared_judge(&list, NULL, &three, 1010, LIFETIME, &judgement);
    assert_int_equal(judgement.answer, SR_SHARED_GO);
    assert_int_equal(judgement.failures, 2);
    list.count = 8;
    assert_int_equal(sr_shared_gather(&list, "00000009"), 8);
    sr_shared_judge(&list, NULL, &three, 1010, LIFETIME, &judgement);
    assert_int_equal(judgement.answer, SR_SHARED_LOCKED);
    for (size_t i = 3; i < 8; i++) /* each name's together */
        assert_true(i == 3 ||
                    strcmp(list.entry[i - 1].id, list.entry[i].id) < 0);
}

/* The name that weighs least gives way, and one that is locked out never. */
static void
test_evict(void **state)
{
    bool is_full = true;

    (void)state;
    memset(&list, 0, sizeof(list));
    for (unsigned name = 1; name < SR_SHARED_PLACES; name++)
        add_name(name, 3, 1000);
    assert_int_equal(sr_shared_evict(list.entry, list.count, &three, 1010,
                                     LIFETIME, &room, &is_full),
                     0);
    assert_false(is_full);
    add_name(SR_SHARED_PLACES, 2, 1000);
    add_name(SR_SHARED_PLACES + 1, 1, 1000);
    assert_int_equal(sr_shared_evict(list.entry, list.count, &three, 1010,
                                     LIFETIME, &room, &is_full),
                     1);
    assert_string_equal(list.entry[0].id, "00000009000000000000000000000000");
    /* Of those that stay nothing is lost. */
    assert_int_equal(sr_shared_evict(list.entry + 1, list.count - 1, &three,
                                     1010, LIFETIME, &room, &is_full),
                     2);
    assert_true(strncmp(list.entry[1].id, "00000008", 8) == 0);
    assert_true(strncmp(list.entry[2].id, "00000008", 8) == 0);
    assert_false(is_full);
}

static void
test_full_bucket(void **state)
{
    bool is_full = false;

    (void)state;
    memset(&list, 0, sizeof(list));
    for (unsigned name = 0; name < SR_SHARED_PLACES; name++)
        add_name(name, 3, 1000);
    assert_int_equal(sr_shared_evict(list.entry, list.count, &three, 1010,
                                     LIFETIME, &room, &is_full),
                     0);
    assert_true(is_full);
    /* The lockouts are over. */
    assert_int_equal(sr_shared_evict(list.entry, list.count, &three, 2000,
                                     LIFETIME, &room, &is_full),
                     3);
    assert_false(is_full);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, empty)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_is_open_to_all),
        TEST(test_the_last_slot),
        TEST(test_locked),
        TEST(test_a_failure_counts_from_when_it_was_settled),
        TEST(test_who_waits_and_who_gives_way),
        TEST(test_recorded_ahead),
        TEST(test_a_host_that_died_has_failed),
        TEST(test_times_of_the_future),
        TEST(test_a_list_that_is_cut),
        TEST(test_not_throttled),
        TEST(test_as_a_ledger_of_one_host),
        TEST(test_any_order_says_the_same),
        TEST(test_pruning_changes_nothing),
        TEST(test_pruning_brings_no_lockout_back),
        TEST(test_pruning_bounds_the_ledger),
        TEST(test_no_more_are_verified),
        TEST(test_names),
        TEST(test_gather),
        TEST(test_evict),
        TEST(test_full_bucket),
    };

    srandom(2003);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
