/*
 * Test of old state: what is read of an older version's database, and what
 * becomes of it.
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

#include "tools/old_state.h"

/* Written by that version: see old_state.dump in tests/system, too. */
#define START "VERSION=3\nformat=bytevalue\ntype=btree\nHEADER=END\n"
#define HEAD                                                                   \
    " 48\n 0101080f161d242b323940474e555c636a010203000000000000000000000000"   \
    "00803bb16a00000000c086fd6a00000000870edb95be81891a\n"
#define LEDGER                                                                 \
    " 6100000bb900\n 0101000000005786f400000000c086fd6a0000000001000000000000" \
    "0000000000b6b5e67dd8b71520\n"
#define HISTORY                                                                \
    " 6800000bb9\n 011d2479246a395424724f7563594d58536b77544a64717361502f7445" \
    "5a2e02a511a9928144ee6a000000003eaa73ee8044ee6a0000000000001f949506713beb" \
    "c8\n"
#define TEMPORARY                                                              \
    " 7400000bb9\n 01a14eb4eed03dad82c086fd6a00000000005786f400000000dc1304fb" \
    "3832005c\n"
#define STOP "DATA=END\n"
#define HASH                                                                   \
    "$5$rounds=1000$oldstate$Z9z3/uvRT7fPTd/AErq6V5qNc.pY1pFqhdvefZFTi64"
#define ISSUED ((sr_time)1795000000)
#define UNTIL  ((sr_time)4102444800)

static struct old_state old;

static void
parse(const char *dump)
{
    char copy[4096];
    FILE *stream;

    old_state_free(&old);
    snprintf(copy, sizeof(copy), "%s", dump);
    stream = fmemopen(copy, strlen(copy), "r");
    assert_non_null(stream);
    old_state_read(stream, &old);
    fclose(stream);
}

static int
teardown(void **state)
{
    (void)state;
    old_state_free(&old);
    return 0;
}

static void
test_reads_what_it_takes_over(void **state)
{
    (void)state;
    parse(START HEAD LEDGER HISTORY TEMPORARY STOP);
    assert_true(old.is_whole);
    assert_true(old.has_head);
    assert_int_equal(old.damaged, 0);
    assert_int_equal(old.clock.offset, 1790000000);
    assert_int_equal(old.clock.latest, ISSUED);
    assert_non_null(old.first);
    assert_true(old.first->is_history);
    assert_int_equal(old.first->uid, 3001);
    assert_int_equal(old.first->history.group[0].count, 2);
    assert_int_equal(old.first->history.group[0].set_at[0], 1794000001);
    assert_int_equal(old.first->history.group[1].count, 0);
    assert_non_null(old.first->next);
    assert_false(old.last->is_history);
    assert_int_equal(old.last->temporary.issued, ISSUED);
    assert_int_equal(old.last->temporary.until, UNTIL);
    assert_null(old.first->next->next);
}

static void
test_a_dump_without_its_end_is_not_whole(void **state)
{
    (void)state;
    parse("");
    assert_false(old.is_whole);
    parse(START HEAD HISTORY);
    assert_false(old.is_whole);
    parse(START " 48\n" STOP); /* a key without a value */
    assert_false(old.is_whole);
}

/* Each digit of a record matters, and of its key. */
static void
test_damage_costs_its_record(void **state)
{
    const char *const records[] = {HEAD, HISTORY, TEMPORARY};

    (void)state;
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        const size_t value = strcspn(records[i], "\n") + 2;

        for (size_t at = value; records[i][at + 1] != '\0'; at++) {
            char record[512], dump[1024];

            snprintf(record, sizeof(record), "%s", records[i]);
            record[at] = record[at] == '0' ? '1' : '0';
            snprintf(dump, sizeof(dump), START "%s" STOP, record);
            parse(dump);
            assert_true(old.is_whole);
            assert_int_equal(old.damaged, 1);
            assert_null(old.first);
            assert_false(old.has_head);
        }
    }
    parse(START " 6800000bba" /* of another uid */
                " 011d2479246a395424724f75\n" STOP);
    assert_null(old.first);
}

static void
test_histories_are_added_once(void **state)
{
    struct sr_history history, before;
    struct sr_history newer = {.group[0] = {.salt = "$5$new", .count = 1}};

    (void)state;
    parse(START HEAD HISTORY STOP);
    memset(&history, 0, sizeof(history));
    assert_true(old_state_add_history(&history, &old.first->history));
    assert_memory_equal(&history, &old.first->history, sizeof(history));
    assert_false(old_state_add_history(&history, &old.first->history));
    /* Behind what has been recorded since. */
    history = newer;
    assert_true(old_state_add_history(&history, &old.first->history));
    assert_memory_equal(&history.group[0], &newer.group[0],
                        sizeof(newer.group[0]));
    assert_int_equal(history.group[1].count, 2);
    before = history;
    assert_false(old_state_add_history(&history, &old.first->history));
    assert_memory_equal(&history, &before, sizeof(before));
}

static void
test_a_temporary_password_keeps_its_end(void **state)
{
    const struct sr_temporary *temporary;
    /* A new boot: 1000 seconds after the last record. */
    const struct sr_reading reading = {
        .boot_id = {9}, .boottime = 50, .wall = ISSUED + 1000};
    struct sr_memory memory = {.now = 77000, .wall = ISSUED + 1000};

    (void)state;
    parse(START HEAD TEMPORARY STOP);
    temporary = &old.first->temporary;
    assert_false(
        old_state_add_temporary(&memory, &old, temporary, "another", &reading));
    assert_false(
        old_state_add_temporary(&memory, &old, temporary, NULL, &reading));
    assert_int_equal(memory.temporary.until, 0);
    assert_true(
        old_state_add_temporary(&memory, &old, temporary, HASH, &reading));
    assert_int_equal(sr_memory_temporary(&memory, HASH), UNTIL);
    assert_int_equal(memory.temporary.issued, 76000);
    assert_int_equal(sr_memory_temporary(&memory, "another"), SR_TIME_UNKNOWN);
    assert_false(
        old_state_add_temporary(&memory, &old, temporary, HASH, &reading));
    /* Within the boot of the record its own clock counts, not the wall's. */
    memset(&memory, 0, sizeof(memory));
    memory.now = 77000;
    memcpy(old.clock.boot_id, reading.boot_id, sizeof(reading.boot_id));
    old.clock.offset = ISSUED;
    assert_true(
        old_state_add_temporary(&memory, &old, temporary, HASH, &reading));
    assert_int_equal(memory.temporary.issued, 77000 - 50);
}

static void
test_without_its_key_no_temporary_password_is_known(void **state)
{
    const struct sr_reading reading = {.wall = ISSUED};
    struct sr_memory memory = {.now = ISSUED};

    (void)state;
    parse(START TEMPORARY STOP);
    assert_non_null(old.first);
    assert_false(old_state_add_temporary(&memory, &old, &old.first->temporary,
                                         HASH, &reading));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_it_takes_over),
        cmocka_unit_test(test_a_dump_without_its_end_is_not_whole),
        cmocka_unit_test(test_damage_costs_its_record),
        cmocka_unit_test(test_histories_are_added_once),
        cmocka_unit_test(test_a_temporary_password_keeps_its_end),
        cmocka_unit_test(test_without_its_key_no_temporary_password_is_known),
    };

    return cmocka_run_group_tests_name("old_state", tests, NULL, teardown);
}
