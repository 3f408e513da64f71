/*
 * Unit tests of the entries in which all hosts count failures.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "policy/backend/ldap/ledger_entry.h"

#define ID "00112233445566778899aabbccddeeff"

/* The host's time. */
#define NOW ((sr_time)1795324030)

/* One entry of four attributes; NULL leaves one out. */
static bool
read_one(const char *id, const char *description, const char *made,
         const char *changed, struct sr_shared_entry *out)
{
    struct sr_ldap_entry entry = {0};
    const char *const value[] = {id, description, made, changed};
    bool is_read;

    for (size_t i = 0; i < 4; i++) {
        if (value[i] != NULL)
            assert_int_equal(sr_ldap_entry_add(&entry,
                                               sr_ldap_ledger_attributes[i],
                                               value[i], strlen(value[i])),
                             0);
    }
    is_read = sr_ldap_ledger_entry(&entry, NOW, out);
    sr_ldap_entry_clear(&entry);
    return is_read;
}

static void
test_entries(void **state)
{
    struct sr_shared_entry entry;

    (void)state;
    for (int i = 0; i <= SR_SHARED_FAILED; i++) {
        assert_true(read_one(ID, sr_ldap_ledger_state((enum sr_shared_state)i),
                             "20261122050652Z", "20261122050702Z", &entry));
        assert_int_equal(entry.state, i);
        assert_string_equal(entry.id, ID);
        assert_int_equal(entry.made, 1795324012);
        assert_int_equal(entry.changed, 1795324022);
    }
}

static void
test_later_versions_have_failed(void **state)
{
    static const char *const text[] = {"2 pending", "1 pending, somehow", "",
                                       "pending", "1 paused"};
    struct sr_shared_entry entry;

    (void)state;
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        assert_true(read_one(ID, text[i], "20261122050652Z", NULL, &entry));
        assert_int_equal(entry.state, SR_SHARED_FAILED);
        assert_int_equal(entry.changed, entry.made);
    }
}

static void
test_strangers(void **state)
{
    const char *made = "20261122050652Z";
    const char *ahead = "20261123050712Z"; /* a day and two seconds */
    struct sr_shared_entry entry;

    (void)state;
    assert_false(read_one("selfreset", "1 key", made, made, &entry));
    assert_false(read_one(ID "0", "1 failed", made, made, &entry));
    assert_false(read_one("00112233445566778899aabbccddee,c", "1 failed", made,
                          made, &entry));
    assert_false(read_one("00112233445566778899AABBCCDDEEFF", "1 failed", made,
                          made, &entry));
    assert_false(read_one(NULL, "1 failed", made, made, &entry));
    assert_false(read_one(ID, NULL, made, made, &entry));
    assert_false(read_one(ID, "1 failed", NULL, made, &entry));
    assert_false(read_one(ID, "1 failed", "now", made, &entry));
    assert_false(read_one(ID, "1 failed", ahead, ahead, &entry));
    assert_false(read_one(ID, "1 failed", made, ahead, &entry));
    assert_true(read_one(ID, "1 failed", made, "now", &entry));
    assert_int_equal(entry.changed, entry.made);
}

static void
test_keys(void **state)
{
    static const char *const wrong[] = {
        "",
        "1 key ",
        "2 key 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
        "1 key 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5", /* too short */
        "1 key 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
        "1 key 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5g"};
    uint8_t key[SR_SHARED_KEY_SIZE], again[SR_SHARED_KEY_SIZE];
    char text[SR_LDAP_LEDGER_KEY_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(i * 37 + 11);
    sr_ldap_ledger_write_key(key, text);
    assert_true(sr_ldap_ledger_read_key(text, again));
    assert_memory_equal(key, again, sizeof(key));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(sr_ldap_ledger_read_key(wrong[i], again));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_later_versions_have_failed),
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
