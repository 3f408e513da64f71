/*
 * Test of the JSON writer: what it writes is JSON, whatever it is given.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/json.h"

/* Write one string at the top and compare the whole document. */
static void
assert_string(const char *text, const char *expected)
{
    struct json json;
    char *out = NULL;
    size_t size;
    FILE *stream = open_memstream(&out, &size);

    json_begin(&json, stream);
    json_string(&json, NULL, text);
    fclose(stream);
    assert_string_equal(out, expected);
    free(out);
}

static void
test_escapes(void **state)
{
    (void)state;
    assert_string("", "\"\"");
    assert_string(NULL, "null");
    assert_string("plain / text", "\"plain / text\"");
    assert_string("a\"b\\c", "\"a\\\"b\\\\c\"");
    assert_string("\n\t\x01\x1f\x7f", "\"\\n\\u0009\\u0001\\u001f\\u007f\"");
    /* U+0085, U+061C, U+202E and U+E0041, as UTF-16. */
    assert_string("\xc2\x85\xd8\x9c\xe2\x80\xae\xf3\xa0\x81\x81",
                  "\"\\u0085\\u061c\\u202e\\udb40\\udc41\"");
}

static void
test_utf8(void **state)
{
    (void)state;
    assert_string("\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91",
                  "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91\"");
    /* A byte alone, one cut short by the end, overlong, a surrogate, beyond
     * the last character: each wrong byte becomes U+FFFD. */
#define BAD "\xef\xbf\xbd"
    assert_string("a\xff"
                  "b",
                  "\"a" BAD "b\"");
    assert_string("\xe2\x82", "\"" BAD BAD "\"");
    assert_string("\xc0\xaf", "\"" BAD BAD "\"");
    assert_string("\xed\xa0\x80", "\"" BAD BAD BAD "\"");
    assert_string("\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\"");
}

static void
test_structure(void **state)
{
    struct json json;
    char *out = NULL;
    size_t size;
    FILE *stream = open_memstream(&out, &size);

    (void)state;
    json_begin(&json, stream);
    json_object(&json, NULL);
    json_array(&json, "empty");
    json_end(&json);
    json_array(&json, "list");
    json_number(&json, NULL, INT64_MIN);
    json_bool(&json, NULL, true);
    json_object(&json, NULL);
    json_null(&json, "a\"");
    json_end(&json);
    json_end(&json);
    json_string(&json, "last", "x");
    json_end(&json);
    fclose(stream);
    assert_string_equal(out, "{\n"
                             "  \"empty\": [],\n"
                             "  \"list\": [\n"
                             "    -9223372036854775808,\n"
                             "    true,\n"
                             "    {\n"
                             "      \"a\\\"\": null\n"
                             "    }\n"
                             "  ],\n"
                             "  \"last\": \"x\"\n"
                             "}\n");
    free(out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_structure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
