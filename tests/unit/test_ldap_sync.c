/*
 * Tests of what content synchronisation says.  The bytes are written by hand
 * from RFC 4533.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/backend/ldap/sync.h"

#define UUID_A "AAAAAAAAAAAAAAAA"
#define UUID_B "BBBBBBBBBBBBBBBB"
#define VALUE(text)                                                            \
    &(const struct berval)                                                     \
    {                                                                          \
        sizeof(text) - 1, (char *)(uintptr_t)(text)                            \
    }

static int
state_of(const char *bytes, size_t size, enum sr_sync_state *state,
         struct sr_sync_id *id)
{
    LDAPControl control = {.ldctl_oid =
                               (char *)(uintptr_t)LDAP_CONTROL_SYNC_STATE,
                           .ldctl_value = {size, (char *)(uintptr_t)bytes}};
    LDAPControl *controls[] = {&control, NULL};

    return sr_sync_state(controls, state, id);
}

static void
test_request(void **state)
{
    struct berval value;

    (void)state;
    assert_int_equal(sr_sync_request(&value), 0);
    assert_int_equal(value.bv_len, 5);
    assert_memory_equal(value.bv_val, "\x30\x03\x0a\x01\x03", 5);
    ber_memfree(value.bv_val);
}

static void
test_state(void **state)
{
    static const char modify[] = "\x30\x15\x0a\x01\x02\x04\x10" UUID_A;
    static const char with_cookie[] =
        "\x30\x18\x0a\x01\x03\x04\x10" UUID_B "\x04\x01z";
    static const char beyond[] = "\x30\x15\x0a\x01\x04\x04\x10" UUID_A;
    static const char short_id[] = "\x30\x08\x0a\x01\x02\x04\x03"
                                   "AAA";
    enum sr_sync_state what;
    struct sr_sync_id id;

    (void)state;
    assert_int_equal(state_of(modify, sizeof(modify) - 1, &what, &id), 0);
    assert_int_equal(what, SR_SYNC_MODIFY);
    assert_memory_equal(id.bytes, UUID_A, 16);
    assert_int_equal(state_of(with_cookie, sizeof(with_cookie) - 1, &what, &id),
                     0);
    assert_int_equal(what, SR_SYNC_DELETE);
    assert_memory_equal(id.bytes, UUID_B, 16);
    assert_int_equal(state_of(beyond, sizeof(beyond) - 1, &what, &id), -1);
    assert_int_equal(state_of(short_id, sizeof(short_id) - 1, &what, &id), -1);
    for (size_t size = 0; size < sizeof(modify) - 1; size++)
        assert_int_equal(state_of(modify, size, &what, &id), -1);
    assert_int_equal(sr_sync_state(NULL, &what, &id), -1);
}

static void
test_info(void **state)
{
    struct sr_sync_ids ids;

    (void)state;
    assert_int_equal(sr_sync_info(VALUE("\x80\x01z"), &ids), SR_SYNC_NOTHING);
    /* The end is said, or is so unless something else is. */
    assert_int_equal(sr_sync_info(VALUE("\xa2\x00"), &ids), SR_SYNC_REFRESHED);
    assert_int_equal(sr_sync_info(VALUE("\xa1\x06\x04\x01z\x01\x01\xff"), &ids),
                     SR_SYNC_REFRESHED);
    assert_int_equal(sr_sync_info(VALUE("\xa2\x03\x01\x01\x00"), &ids),
                     SR_SYNC_NOTHING);
    assert_int_equal(sr_sync_info(VALUE("\xa7\x00"), &ids), SR_SYNC_BROKEN);
    assert_int_equal(sr_sync_info(VALUE(""), &ids), SR_SYNC_BROKEN);
    assert_int_equal(sr_sync_info(NULL, &ids), SR_SYNC_BROKEN);
}

static void
test_sets(void **state)
{
    struct sr_sync_ids ids;

    (void)state;
    assert_int_equal(
        sr_sync_info(VALUE("\xa3\x29\x01\x01\xff\x31\x24\x04\x10" UUID_A
                           "\x04\x10" UUID_B),
                     &ids),
        SR_SYNC_GONE);
    assert_int_equal(ids.count, 2);
    assert_memory_equal(ids.item[0].bytes, UUID_A, 16);
    assert_memory_equal(ids.item[1].bytes, UUID_B, 16);
    free(ids.item);
    /* Those that are there. */
    assert_int_equal(
        sr_sync_info(VALUE("\xa3\x14\x31\x12\x04\x10" UUID_A), &ids),
        SR_SYNC_NOTHING);
    assert_int_equal(ids.count, 0);
    /* One id is none. */
    assert_int_equal(sr_sync_info(VALUE("\xa3\x08\x01\x01\xff\x31\x03\x04\x01"
                                        "A"),
                                  &ids),
                     SR_SYNC_BROKEN);
    assert_null(ids.item);
}

static struct sr_string_list
names_of(const char *one)
{
    struct sr_string_list names = {calloc(1, sizeof(char *)), 1};

    names.item[0] = strdup(one);
    return names;
}

static void
expect_names(struct sr_string_list *old, const char *one)
{
    assert_int_equal(old->count, 1);
    assert_string_equal(old->item[0], one);
    free(old->item[0]);
    free(old->item);
}

static void
test_table(void **state)
{
    struct sr_sync_table *table = sr_sync_table_new();
    const struct sr_sync_id a = {UUID_A}, b = {UUID_B};
    struct sr_string_list names = names_of("ann"), old;

    (void)state;
    assert_int_equal(sr_sync_table_put(table, &a, &names, &old), 0);
    assert_int_equal(old.count, 0);
    names = names_of("bob");
    assert_int_equal(sr_sync_table_put(table, &b, &names, &old), 0);
    assert_int_equal(old.count, 0);
    names = names_of("anna");
    assert_int_equal(sr_sync_table_put(table, &a, &names, &old), 0);
    expect_names(&old, "ann");
    sr_sync_table_take(table, &b, &old);
    expect_names(&old, "bob");
    sr_sync_table_take(table, &b, &old);
    assert_int_equal(old.count, 0);
    sr_sync_table_free(table); /* and anna */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request), cmocka_unit_test(test_state),
        cmocka_unit_test(test_info),    cmocka_unit_test(test_sets),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
