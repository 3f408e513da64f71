/*
 * Test of names and utf8: words of the GECOS field, derivatives of a name, the
 * decoding of UTF-8 and the kinds of characters.
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

#include "policy/password/personal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static locale_t locale;
static struct sr_points folded;

static struct sr_personal_in
in(const char *password, size_t shortest, bool or_backwards)
{
    sr_points_read(&folded, password);
    sr_points_fold(&folded, locale);
    return (struct sr_personal_in){&folded, locale, shortest, or_backwards};
}

static void
test_words(void **state)
{
    static const struct {
        const char *gecos, *password;
        bool found;
    } cases[] = {
        {"Erin Hagens,,,", "Hagens2024!", true},
        {"Erin Hagens,,,", "xxERINxx", true},
        {"Erin M. Hagens", "MMMMMMM", false}, /* M is too short */
        {"Erin Hagens", "Hagen2024!", false}, /* parts of words are not */
        {"Hagens,Erin", "hagens", true},
        {"Hagens.Erin", "xerinx", true},
        {"Hagens-Erin", "xerinx", true},
        {"Hagens_Erin", "xerinx", true},
        {"Hagens#Erin", "xerinx", true},
        {"Hagens\tErin", "xerinx", true},
        {"Hagens/Erin", "xerinx", false},
        {"Hagens/Erin", "xhagens/ERINx", true},
        {"Erin,Room 12,555-1234", "x5551234", false},
        {"Erin,Room 12,555-1234", "x555", false},
        {"Erin,R2D2", "r2d2", true},
        {"J\u00fcrgen M\u00fcller", "xM\u00dcLLERx", true},
        {"\u0416\u0435\u043d\u044f", "x\u0436\u0415\u041d\u042fx", true},
        /* three characters are four bytes here, two are four there */
        {"J\u00fcr", "xj\u00dcrx", true},
        {"\u00fc\u00fc", "x\u00fc\u00fcx", false},
        {"", "x", false},
        {",,,", "x", false},
        {" Erin ", "erin", true},
        {"Erin Hagens", "", false},
        {"Erin Hagens", "eri", false},
        {NULL, "erin", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct sr_personal_in look = in(cases[i].password, 3, false);

        if (sr_personal_contains_word(&look, cases[i].gecos) != cases[i].found)
            fail_msg("\"%s\" in \"%s\"", cases[i].gecos, cases[i].password);
    }
}

static void
test_contains(void **state)
{
    struct sr_personal_in look = in("xx-eHAGens-", 3, false);

    (void)state;
    assert_true(sr_personal_contains(&look, "ehagens"));
    assert_true(sr_personal_contains(&look, "Ehagens"));
    assert_true(sr_personal_contains(&look, "xx-ehagens-"));
    assert_false(sr_personal_contains(&look, "xx-ehagens-x"));
    assert_false(sr_personal_contains(&look, "xx"));
    assert_true(sr_personal_contains(&look, "xx-"));
    assert_false(sr_personal_contains(&look, "snegahe"));
    look = in("xx-eHAGens-", 4, true);
    assert_true(sr_personal_contains(&look, "snegahe"));
    assert_true(sr_personal_contains(&look, "ehagens"));
    assert_false(sr_personal_contains(&look, "xx-"));
    look = in("xx", 0, false);
    assert_false(sr_personal_contains(&look, ""));
}

static void
test_is(void **state)
{
    static const struct {
        const char *name, *password;
        bool is;
    } cases[] = {
        {"ehagens", "ehagens", true},
        {"ehagens", "EHAGENS", true},
        {"ehagens", "ehagens2024", true},
        {"ehagens", "123ehagens!!!", true},
        {"ehagens", "ehagensehagens", true},
        {"ehagens", "Ehagens-Ehagens-99", true},
        {"ehagens", "e.hagens", true},
        {"e-hagens", "ehagens1", true},
        {"ehagens", "ehagensehagen", false},
        {"ehagens", "xehagens", false},
        {"ehagens", "ehagensx2024", false},
        {"ehagens", "hagens", false},
        {"user01", "user01", true},
        {"user01", "USER01USER01", true},
        {"user01", "user2024", true}, /* but for digits, the same name */
        {"12345678", "12345678", true},
        {"12345678", "1234567812345678", true},
        {"12345678", "87654321", false},
        {"a", "aaaaaaaaaaaaaaa", true},
        {"", "", false},
        {"", "2024", false},
        {"---", "2024", false},
        {"m\u00fcller", "M\u00dcLLER2024", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct sr_personal_in look = in(cases[i].password, 99, false);

        if (sr_personal_is(&look, cases[i].name) != cases[i].is)
            fail_msg("\"%s\" as \"%s\"", cases[i].name, cases[i].password);
    }
}

static void
test_is_word(void **state)
{
    struct sr_personal_in look = in("ErinHagens2024", 0, false);

    (void)state;
    assert_true(sr_personal_is_word(&look, "Erin Hagens,,,"));
    assert_false(sr_personal_is_word(&look, "Hagens, Erin"));
    assert_false(sr_personal_is_word(&look, "Erin,Hagens"));
    assert_false(sr_personal_is_word(&look, NULL));
    assert_false(sr_personal_is_word(&look, ""));
    look = in("hagens99", 0, false);
    assert_true(sr_personal_is_word(&look, "Erin Hagens,,,"));
    assert_true(sr_personal_is_word(&look, ",,,Hagens"));
    look = in("Host.Example.org1", 0, false);
    assert_true(sr_personal_is_host(&look, "host.example.org"));
    look = in("hosthost", 0, false);
    assert_true(sr_personal_is_host(&look, "host.example.org"));
    assert_true(sr_personal_is_host(&look, "host"));
    assert_false(sr_personal_is_host(&look, "example.org"));
    assert_false(sr_personal_is_host(&look, NULL));
}

/* Longer than any buffer here. */
static void
test_long(void **state)
{
    static char name[2000], password[512];
    struct sr_personal_in look;

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    memset(password, 'n', sizeof(password) - 1);
    look = in(password, 3, true);
    assert_int_equal(folded.count, 511);
    assert_true(sr_personal_contains(&look, name));
    assert_true(sr_personal_is(&look, name));
    password[510] = 'x';
    look = in(password, 3, true);
    assert_false(sr_personal_contains(&look, name));
}

static void
test_decode(void **state)
{
    static const char *const wrong[] = {
        "\x80",         "\xbf",         "\xc0\x80",         "\xc1\xbf",
        "\xc3",         "\xc3x",        "\xe0\x80\x80",     "\xe0\x9f\xbf",
        "\xe2\x82",     "\xed\xa0\x80", "\xed\xbf\xbf",     "\xf0\x80\x80\x80",
        "\xf0\x9f\x98", "\xf8",         "\xf4\x90\x80\x80", "\xff",
    };
    static const struct {
        const char *text;
        uint32_t point;
    } right[] = {
        {"a", 'a'},
        {"\x7f", 0x7f},
        {"\xc2\x80", 0x80},
        {"\xdf\xbf", 0x7ff},
        {"\xe0\xa0\x80", 0x800},
        {"\xed\x9f\xbf", 0xd7ff},
        {"\xee\x80\x80", 0xe000},
        {"\xef\xbf\xbf", 0xffff},
        {"\xf0\x90\x80\x80", 0x10000},
        {"\xf4\x8f\xbf\xbf", 0x10ffff},
    };
    uint32_t point = 0;
    const char *at;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        at = wrong[i];
        assert_int_equal(sr_utf8_next(&at, &point), -1);
        assert_ptr_equal(at, wrong[i]);
    }
    for (size_t i = 0; i < COUNT(right); i++) {
        at = right[i].text;
        assert_int_equal(sr_utf8_next(&at, &point), 1);
        assert_int_equal(point, right[i].point);
        assert_int_equal(sr_utf8_next(&at, &point), 0);
    }
}

/* Old passwords may be of any encoding; two that differ stay different. */
static void
test_stray_bytes(void **state)
{
    struct sr_points one, other;

    (void)state;
    sr_points_read(&one, "M\xfcller");
    sr_points_read(&other, "M\xfdller");
    assert_int_equal(one.count, 6);
    assert_int_not_equal(one.at[1], other.at[1]);
    sr_points_wipe(&one);
    assert_int_equal(one.count, 0);
    assert_int_equal(one.at[0], 0);
}

static void
test_kinds(void **state)
{
    static const struct {
        uint32_t point;
        enum sr_kind kind;
    } cases[] = {
        {'A', SR_KIND_UPPER},    {'Z', SR_KIND_UPPER},
        {'a', SR_KIND_LOWER},    {'z', SR_KIND_LOWER},
        {'0', SR_KIND_DIGIT},    {'9', SR_KIND_DIGIT},
        {0xc4, SR_KIND_UPPER},   {0xe4, SR_KIND_LOWER},
        {0xdf, SR_KIND_LOWER},   {0x3a9, SR_KIND_UPPER},
        {0x3c9, SR_KIND_LOWER},  {0x416, SR_KIND_UPPER},
        {0x436, SR_KIND_LOWER},  {0x6f22, SR_KIND_LETTER},
        {0x5d0, SR_KIND_LETTER}, {0x20ac, SR_KIND_NONE},
        {0xa3, SR_KIND_NONE},    {' ', SR_KIND_NONE},
        {'\t', SR_KIND_NONE},    {0, SR_KIND_NONE},
        {0x1f600, SR_KIND_NONE}, {0xdcff, SR_KIND_NONE},
    };
    const char *special = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/";

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (sr_point_kind(cases[i].point, locale) != cases[i].kind)
            fail_msg("U+%04X is %d", cases[i].point,
                     sr_point_kind(cases[i].point, locale));
    }
    for (; *special != '\0'; special++)
        assert_int_equal(sr_point_kind((uint32_t)*special, locale),
                         SR_KIND_SPECIAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words), cmocka_unit_test(test_contains),
        cmocka_unit_test(test_is),    cmocka_unit_test(test_is_word),
        cmocka_unit_test(test_long),  cmocka_unit_test(test_decode),
        cmocka_unit_test(test_kinds), cmocka_unit_test(test_stray_bytes),
    };
    int status;

    locale = sr_utf8_locale();
    if (locale == (locale_t)0)
        return 1;
    status = cmocka_run_group_tests(tests, NULL, NULL);
    freelocale(locale);
    return status;
}
