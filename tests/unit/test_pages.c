/*
 * Unit tests of lookups: pages made by hand, right ones and wrong ones.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy/store/pages.h"

#define PAGE   4096u
#define NUMBER 7u
#define BRANCH 1u
#define LEAF   2u
#define HEADER 16u
#define NODE   8u

/* The page under construction. */
struct made {
    uint8_t bytes[PAGE];
    uint16_t count;
    uint16_t upper;
};

static void
put16(struct made *made, size_t at, uint16_t value)
{
    memcpy(made->bytes + at, &value, sizeof(value));
}

static void
make_page(struct made *made, uint16_t kind)
{
    const size_t number = NUMBER;

    memset(made, 0, sizeof(*made));
    memcpy(made->bytes, &number, sizeof(number));
    put16(made, 10, kind);
    made->upper = PAGE;
    put16(made, 12, HEADER);
    put16(made, 14, PAGE);
}

/* `half` is the size of the value that follows, or the child's number. */
static void
put_node(struct made *made, const char *key, uint32_t half, const char *value)
{
    const size_t size = NODE + strlen(key) + strlen(value);

    made->upper = (uint16_t)(made->upper - (size + 1) / 2 * 2);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    put16(made, made->upper, (uint16_t)half);
    put16(made, made->upper + 2u, (uint16_t)(half >> 16));
#else
    put16(made, made->upper, (uint16_t)(half >> 16));
    put16(made, made->upper + 2u, (uint16_t)half);
#endif
    put16(made, made->upper + 6u, (uint16_t)strlen(key));
    memcpy(made->bytes + made->upper + NODE, key, strlen(key));
    memcpy(made->bytes + made->upper + NODE + strlen(key), value,
           strlen(value));
    put16(made, HEADER + made->count * 2u, made->upper);
    made->count++;
    put16(made, 12, (uint16_t)(HEADER + made->count * 2u));
    put16(made, 14, made->upper);
}

static struct sr_pages_span
span(const char *text)
{
    return (struct sr_pages_span){text, text == NULL ? 0 : strlen(text)};
}

/* Look at the page as the last of two levels, or as the first. */
static bool
look(const struct made *made, bool is_leaf, const char *low, const char *high,
     const char *key, struct sr_pages_lookup *lookup)
{
    const struct sr_pages_tree tree = {PAGE, 3, 2};

    *lookup = (struct sr_pages_lookup){
        .number = NUMBER,
        .level = is_leaf ? 1 : 0,
        .low = span(low),
        .high = span(high),
    };
    return sr_pages_look(&tree, made->bytes, span(key), lookup);
}

static void
make_leaf(struct made *made)
{
    make_page(made, LEAF);
    put_node(made, "b", 3, "two");
    put_node(made, "d", 4, "four");
    put_node(made, "dd", 0, "");
}

static void
make_branch(struct made *made)
{
    make_page(made, BRANCH);
    put_node(made, "", 11, "");
    put_node(made, "f", 12, "");
    put_node(made, "k", 13, "");
}

static void
assert_span(struct sr_pages_span found, const char *text)
{
    assert_non_null(found.bytes);
    assert_int_equal(found.size, strlen(text));
    assert_memory_equal(found.bytes, text, strlen(text));
}

static void
test_leaf(void **state)
{
    static const char *const absent[] = {"a", "c", "de", "e", "bb"};
    struct sr_pages_lookup lookup;
    struct made made;

    (void)state;
    make_leaf(&made);
    assert_true(look(&made, true, NULL, NULL, "b", &lookup));
    assert_span(lookup.value, "two");
    assert_true(look(&made, true, "b", "e", "d", &lookup));
    assert_span(lookup.value, "four");
    assert_true(look(&made, true, NULL, NULL, "dd", &lookup));
    assert_span(lookup.value, "");
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        assert_true(look(&made, true, NULL, NULL, absent[i], &lookup));
        assert_null(lookup.value.bytes);
    }
}

static void
test_branch(void **state)
{
    struct sr_pages_lookup lookup;
    struct made made;

    (void)state;
    make_branch(&made);
    assert_true(look(&made, false, "a", "z", "b", &lookup));
    assert_int_equal(lookup.number, 11);
    assert_int_equal(lookup.level, 1);
    assert_span(lookup.low, "a");
    assert_span(lookup.high, "f");
    assert_true(look(&made, false, "a", "z", "f", &lookup));
    assert_int_equal(lookup.number, 12);
    assert_span(lookup.low, "f");
    assert_span(lookup.high, "k");
    assert_true(look(&made, false, "a", "z", "p", &lookup));
    assert_int_equal(lookup.number, 13);
    assert_span(lookup.low, "k");
    assert_span(lookup.high, "z");
    assert_null(lookup.value.bytes);
}

/* A page of another place in the tree would hide what is looked for. */
static void
test_keys_out_of_place(void **state)
{
    struct sr_pages_lookup lookup;
    struct made made;

    (void)state;
    make_leaf(&made);
    assert_false(look(&made, true, "c", NULL, "d", &lookup));
    assert_false(look(&made, true, NULL, "d", "b", &lookup));
    assert_false(look(&made, true, NULL, "dd", "b", &lookup));
    make_branch(&made);
    assert_false(look(&made, false, "f", NULL, "g", &lookup));
    assert_false(look(&made, false, NULL, "k", "b", &lookup));
    make_page(&made, LEAF);
    put_node(&made, "d", 1, "x");
    put_node(&made, "b", 1, "y");
    assert_false(look(&made, true, NULL, NULL, "b", &lookup));
    make_page(&made, LEAF);
    put_node(&made, "b", 1, "x");
    put_node(&made, "b", 1, "y");
    assert_false(look(&made, true, "b", NULL, "b", &lookup));
    make_page(&made, LEAF);
    put_node(&made, "", 1, "x");
    assert_false(look(&made, true, NULL, NULL, "b", &lookup));
}

static void
test_other_pages(void **state)
{
    struct sr_pages_lookup lookup;
    struct made made;

    (void)state;
    make_branch(&made);
    assert_false(look(&made, true, NULL, NULL, "b", &lookup));
    make_leaf(&made);
    assert_false(look(&made, false, NULL, NULL, "b", &lookup));
    made.bytes[0] ^= 1; /* its number */
    assert_false(look(&made, true, NULL, NULL, "b", &lookup));
    make_page(&made, LEAF); /* nothing in it */
    assert_false(look(&made, true, NULL, NULL, "b", &lookup));
    make_page(&made, BRANCH);
    put_node(&made, "", 11, "");
    assert_false(look(&made, false, NULL, NULL, "b", &lookup));
}

/* Offsets and sizes that point out of the page; valgrind and the sanitizers see
 * what is read. */
static void
test_out_of_bounds(void **state)
{
    static const struct {
        size_t at;
        uint16_t value;
    } wrong[] = {
        {12, 15},           /* the offsets end in the header */
        {12, 19},           /* in half an offset */
        {12, PAGE},         /* behind the nodes */
        {14, PAGE + 2},     /* the nodes begin after the page */
        {HEADER, PAGE - 6}, /* a node that has no room for its header */
        {HEADER, 0xfffe},   {HEADER, HEADER}, /* before the nodes */
    };
    struct sr_pages_lookup lookup;
    struct made made;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        make_leaf(&made);
        put16(&made, wrong[i].at, wrong[i].value);
        assert_false(look(&made, true, NULL, NULL, "b", &lookup));
    }
    make_page(&made, LEAF);
    put_node(&made, "b", 4, "two"); /* one byte longer than the page is */
    assert_false(look(&made, true, NULL, NULL, "b", &lookup));
    make_page(&made, LEAF);
    put_node(&made, "b", PAGE, "two");
    assert_false(look(&made, true, NULL, NULL, "b", &lookup));
    make_page(&made, LEAF);
    put_node(&made, "b", UINT32_MAX, "two");
    assert_false(look(&made, true, NULL, NULL, "b", &lookup));
    make_page(&made, LEAF);
    put_node(&made, "b", 3, "two");
    put16(&made, made.upper + 6u, 600); /* longer than a key can be */
    assert_false(look(&made, true, NULL, NULL, "b", &lookup));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaf),
        cmocka_unit_test(test_branch),
        cmocka_unit_test(test_keys_out_of_place),
        cmocka_unit_test(test_other_pages),
        cmocka_unit_test(test_out_of_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
