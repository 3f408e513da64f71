/*
 * Test of temporary passwords: their form, their length, their randomness, and
 * what happens when there are no random bytes.
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

#include "tools/password_gen.h"

/* Random bytes from a list, to see what each byte becomes. */
static unsigned char script[256];
static size_t script_size, script_at;

static bool
scripted(void *bytes, size_t size)
{
    assert_int_equal(size, 1);
    if (script_at == script_size)
        return false;
    *(unsigned char *)bytes = script[script_at++];
    return true;
}

static void
test_form(void **state)
{
    static const char shape[] = "Baba-Baba-99-Baba-Baba-99-Baba";
    char phrase[PHRASE_LENGTH_MAX + 1];

    (void)state;
    assert_true(phrase_make(phrase_getrandom, PHRASE_LENGTH_MIN + 1, phrase,
                            sizeof(phrase)));
    assert_int_equal(strlen(phrase), strlen(shape));
    for (size_t i = 0; shape[i] != '\0'; i++) {
        const char *set = shape[i] == 'B'   ? "BDFGHJKMNPRSTVWZ"
                          : shape[i] == 'b' ? "bdfghjkmnprstvwz"
                          : shape[i] == 'a' ? "aeiou"
                          : shape[i] == '9' ? "23456789"
                                            : "-";

        assert_non_null(strchr(set, phrase[i]));
    }
}

static void
test_length(void **state)
{
    char phrase[PHRASE_LENGTH_MAX + 1];

    (void)state;
    for (size_t least = 0; least <= PHRASE_LENGTH_MAX; least++) {
        assert_true(
            phrase_make(phrase_getrandom, least, phrase, sizeof(phrase)));
        assert_true(strlen(phrase) >= least);
        assert_true(strlen(phrase) >= PHRASE_LENGTH_MIN);
        assert_true(strlen(phrase) < least + 5 ||
                    strlen(phrase) == PHRASE_LENGTH_MIN);
    }
    assert_false(phrase_make(phrase_getrandom, PHRASE_LENGTH_MAX + 1, phrase,
                             sizeof(phrase)));
    assert_false(phrase_make(phrase_getrandom, 0, phrase, PHRASE_LENGTH_MIN));
    assert_true(
        phrase_make(phrase_getrandom, 0, phrase, PHRASE_LENGTH_MIN + 1));
}

/* Every character of the smallest sets is met, and no two phrases agree. */
static void
test_spread(void **state)
{
    unsigned seen[256] = {0};
    char phrase[64], other[64];

    (void)state;
    for (int i = 0; i < 500; i++) {
        assert_true(phrase_make(phrase_getrandom, 0, phrase, sizeof(phrase)));
        assert_true(phrase_make(phrase_getrandom, 0, other, sizeof(other)));
        assert_string_not_equal(phrase, other);
        for (const char *at = phrase; *at != '\0'; at++)
            seen[(unsigned char)*at]++;
    }
    /* 500 phrases have 4000 vowels, 2000 digits and 4000 consonants. */
    for (const char *at = "aeiou"; *at != '\0'; at++)
        assert_in_range(seen[(unsigned char)*at], 600, 1000);
    for (const char *at = "23456789"; *at != '\0'; at++)
        assert_in_range(seen[(unsigned char)*at], 150, 350);
    for (const char *at = "bdfghjkmnprstvwz"; *at != '\0'; at++)
        assert_in_range(seen[(unsigned char)*at], 60, 200);
}

/* 256 is no multiple of five: byte 255 would make the first vowel likelier. */
static void
test_no_bias(void **state)
{
    char phrase[64];

    (void)state;
    memset(script, 0, sizeof(script));
    script[1] = 255;
    script[2] = 254;
    script_at = 0;
    script_size = sizeof(script);
    assert_true(phrase_make(scripted, 0, phrase, sizeof(phrase)));
    assert_string_equal(phrase, "Buba-Baba-22-Baba-Baba-22");
}

static void
test_no_random(void **state)
{
    char phrase[64];

    (void)state;
    memset(script, 0, sizeof(script));
    memset(phrase, 'x', sizeof(phrase));
    script_at = 0;
    script_size = 10;
    assert_false(phrase_make(scripted, 0, phrase, sizeof(phrase)));
    for (size_t i = 0; i < sizeof(phrase); i++)
        assert_int_equal(phrase[i], 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),      cmocka_unit_test(test_length),
        cmocka_unit_test(test_spread),    cmocka_unit_test(test_no_bias),
        cmocka_unit_test(test_no_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
