/*
 * Tests of utf8: decoding against the encoder of every code point, and
 * cleaning.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "policy/util/utf8.h"

static size_t
encode(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

/* The length of the character that text begins with; 0: none, or not UTF-8. */
static size_t
next(const char *text, uint32_t *point)
{
    const char *at = text;

    return sr_utf8_next(&at, point) == 1 ? (size_t)(at - text) : 0;
}

static void
test_every_code_point(void **state)
{
    (void)state;
    for (uint32_t point = 1; point < 0x120000; point++) {
        bool is_valid = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        char text[8] = {0};
        size_t length = encode(point, text);
        uint32_t decoded = 0;
        size_t got = next(text, &decoded);

        if (got != (is_valid ? length : 0) || (is_valid && decoded != point))
            fail_msg("U+%04X: %zu, U+%04X", point, got, decoded);
        text[length - 1] = '\0'; /* cut short */
        if (length > 1 && next(text, &decoded) != 0)
            fail_msg("U+%04X is taken when cut", point);
    }
}

static void
test_invalid(void **state)
{
    static const char *const text[] = {
        "",
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\xaf",
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xfe",
        "\xff",
        "\xc3(",
        "\xe2\x82(",
    };
    uint32_t point;

    (void)state;
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
        assert_int_equal(next(text[i], &point), 0);
}

static void
clean(const char *text, bool keep_lines, size_t size, const char *expected)
{
    char out[64];

    memset(out, 'X', sizeof(out));
    sr_utf8_clean(text, keep_lines, out, size);
    assert_string_equal(out, expected);
    assert_int_equal(out[size], 'X');
}

static void
test_clean(void **state)
{
    (void)state;
    clean("abc \xc3\xa9\xe2\x82\xac", false, 32, "abc \xc3\xa9\xe2\x82\xac");
    clean("a\nb\tc\x1b[2J\x7f", false, 32, "a?b?c?[2J?");
    clean("a\nb\r", true, 32, "a\nb?");
    clean("a\xff"
          "b\xc3",
          false, 32, "a?b?");
    clean("a\xc2\x85"
          "b",
          false, 32, "a?b"); /* C1 next line */
    clean("a\xe2\x80\xae"
          "b",
          false, 32, "a?b"); /* right to left */
    clean("abcdef", false, 4, "abc");
    clean("ab\xc3\xa9", false, 4, "ab"); /* not half a letter */
    clean("ab\xc3\xa9", false, 5, "ab\xc3\xa9");
    clean("abc", false, 1, "");
}

/* Against what Unicode says of each: some of each row, and beside it. */
static void
test_control(void **state)
{
    static const uint32_t yes[] = {
        0x0,     0x1f,    0x7f,    0x9f,    0xad,    0x600,  0x605,
        0x61c,   0x6dd,   0x70f,   0x890,   0x8e2,   0x180e, 0x200b,
        0x200e,  0x200f,  0x2028,  0x2029,  0x202a,  0x202e, 0x2060,
        0x2066,  0x2069,  0x206f,  0xfeff,  0xfff9,  0xfffb, 0x110bd,
        0x13430, 0x1bca0, 0x1d173, 0xe0001, 0xe0020, 0xe007f};
    static const uint32_t no[] = {' ',    '~',    0xa0,   0xac,   0xae,
                                  0x5ff,  0x606,  0x61b,  0x61d,  0x2010,
                                  0x2027, 0x202f, 0x205f, 0x2070, 0xfffd,
                                  0xe9,   0x20ac, 0x4e2d, 0x1f600};

    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(sr_utf8_is_control(yes[i]));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_false(sr_utf8_is_control(no[i]));
    clean("a\xd8\x9c"
          "b\xe2\x80\x8d\xf3\xa0\x80\xa1",
          false, 32, "a?b??");
}

/* Names as directories and name services spell them. */
static void
test_same_name(void **state)
{
    static const struct {
        const char *one, *other;
        bool is_same;
    } row[] = {
        {"", "", true},
        {"ann", "ANN", true},
        {"ann", "anna", false},
        {"J\u00d6RG", "j\u00f6rg", true},
        {"J\u00d6RG", "jorg", false},
        {"j\u00f6rg", "j\u00f6rgen", false},
        {"\u0416\u0430\u043d", "\u0436\u0410\u041d", true},
        {"\u540d\u524d", "\u540d\u524d", true},
        {"\u540d\u524d", "\u540d\u5f8c", false},
        {"a\xff", "A\xff", true}, /* by bytes */
        {"\u00e4\xff", "\u00c4\xff", true},
        {"k", "\u212a", false}, /* the Kelvin sign */
        {"\u00e4k", "\u00c4\u212a", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        assert_int_equal(sr_utf8_is_same_name(row[i].one, row[i].other),
                         row[i].is_same);
        assert_int_equal(sr_utf8_is_same_name(row[i].other, row[i].one),
                         row[i].is_same);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_same_name),
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
