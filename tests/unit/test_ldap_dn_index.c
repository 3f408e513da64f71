/*
 * Known: who was there, and who is gone.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/backend/ldap/dn_index.h"

/* See an entry with up to two names.  Returns whether it was new; what it was
 * called before is in `before`. */
static bool
see(struct sr_ldap_dn_index *known, const char *dn, const char *one,
    const char *other, char before[64])
{
    struct sr_string_list names = {0};
    struct sr_ldap_seen seen;

    names.item = calloc(2, sizeof(*names.item));
    assert_non_null(names.item);
    if (one != NULL)
        names.item[names.count++] = strdup(one);
    if (other != NULL)
        names.item[names.count++] = strdup(other);
    assert_int_equal(sr_ldap_dn_index_see(known, dn, &names, 0, &seen), 0);
    assert_null(names.item);
    before[0] = '\0';
    for (size_t i = 0; i < seen.old.count; i++)
        snprintf(before + strlen(before), 64 - strlen(before), "%s ",
                 seen.old.item[i]);
    sr_string_list_free(&seen.old);
    return seen.is_new;
}

/* The names of the next who is gone, or "-". */
static const char *
gone(struct sr_ldap_dn_index *known, char text[64])
{
    struct sr_string_list old;
    bool is_any = sr_ldap_dn_index_take_unseen(known, &old);

    snprintf(text, 64, "%s", is_any ? "" : "-");
    for (size_t i = 0; i < old.count; i++)
        snprintf(text + strlen(text), 64 - strlen(text), "%s ", old.item[i]);
    sr_string_list_free(&old);
    return text;
}

static void
test_gone(void **state)
{
    struct sr_ldap_dn_index *known = sr_ldap_dn_index_new();
    char text[64];

    (void)state;
    assert_non_null(known);
    assert_string_equal(gone(known, text), "-");
    sr_ldap_dn_index_begin(known);
    assert_true(see(known, "cn=a", "ann", NULL, text));
    assert_string_equal(text, "");
    assert_true(see(known, "cn=b", "bob", "rob", text));
    assert_true(see(known, "cn=c", NULL, NULL, text));
    assert_int_equal(sr_ldap_dn_index_count(known), 3);
    assert_string_equal(gone(known, text), "-");
    /* Who is seen between two readings was seen. */
    sr_ldap_dn_index_begin(known);
    assert_false(see(known, "cn=a", "anna", NULL, text));
    assert_string_equal(text, "ann ");
    assert_true(see(known, "cn=d", "dan", NULL, text));
    assert_false(see(known, "cn=c", "carol", NULL, text));
    assert_string_equal(text, "");
    assert_string_equal(gone(known, text), "bob rob ");
    assert_string_equal(gone(known, text), "-");
    assert_int_equal(sr_ldap_dn_index_count(known), 3);
    assert_true(see(known, "cn=b", "bob", NULL, text));
    sr_ldap_dn_index_free(known);
}

/* Whether an entry's content is what it was. */
static bool
is_same(struct sr_ldap_dn_index *known, const char *dn, uint64_t content)
{
    struct sr_string_list names = {0};
    struct sr_ldap_seen seen;

    assert_int_equal(sr_ldap_dn_index_see(known, dn, &names, content, &seen),
                     0);
    sr_string_list_free(&seen.old);
    return seen.is_same;
}

static void
test_content(void **state)
{
    struct sr_ldap_dn_index *known = sr_ldap_dn_index_new();

    (void)state;
    assert_false(is_same(known, "cn=a", 7));
    assert_true(is_same(known, "cn=a", 7));
    assert_true(is_same(known, "cn=a", 0));
    assert_true(is_same(known, "cn=a", 7));
    assert_false(is_same(known, "cn=a", 8));
    assert_false(is_same(known, "cn=a", 7));
    assert_false(is_same(known, "cn=b", 7));
    sr_ldap_dn_index_free(known);
}

static void
test_many(void **state)
{
    struct sr_ldap_dn_index *known = sr_ldap_dn_index_new();
    char dn[32], text[64];
    unsigned count = 0;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        snprintf(dn, sizeof(dn), "cn=%d", i * 7919 % 3000);
        assert_true(see(known, dn, dn + 3, NULL, text));
    }
    sr_ldap_dn_index_begin(known);
    for (int i = 0; i < 3000; i += 3) {
        snprintf(dn, sizeof(dn), "cn=%d", i);
        assert_false(see(known, dn, dn + 3, NULL, text));
        assert_int_equal(atoi(text), i);
    }
    while (strcmp(gone(known, text), "-") != 0) {
        assert_int_not_equal(atoi(text) % 3, 0);
        count++;
    }
    assert_int_equal(count, 2000);
    assert_int_equal(sr_ldap_dn_index_count(known), 1000);
    /* The list is whole from either end. */
    sr_ldap_dn_index_begin(known);
    for (count = 0; strcmp(gone(known, text), "-") != 0; count++)
        assert_int_equal(atoi(text) % 3, 0);
    assert_int_equal(count, 1000);
    assert_int_equal(sr_ldap_dn_index_count(known), 0);
    sr_ldap_dn_index_free(known);
    sr_ldap_dn_index_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
