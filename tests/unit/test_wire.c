/*
 * Unit tests of the messages between selfreset-helper and those that ask it.
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

#include "policy/wire/wire.h"

static struct sr_wire wire;

static void
test_round_trip(void **state)
{
    (void)state;
    sr_wire_begin(&wire, SR_WIRE_CALL);
    sr_wire_put_number(&wire, SR_WIRE_FLAGS, 0x8000fedcu);
    sr_wire_put_text(&wire, SR_WIRE_USER, "ann");
    sr_wire_put_text(&wire, SR_WIRE_TTY, NULL);
    sr_wire_put_text(&wire, SR_WIRE_RHOST, "");
    sr_wire_put_text(&wire, SR_WIRE_ARGUMENT, "debug");
    sr_wire_put_text(&wire, SR_WIRE_ARGUMENT, "backend=corp");
    assert_false(wire.is_full);
    assert_true(sr_wire_check(&wire));
    assert_int_equal(wire.count, 5);
    assert_int_equal(sr_wire_kind(&wire), SR_WIRE_CALL);
    assert_int_equal(sr_wire_number(&wire, SR_WIRE_FLAGS, 1), 0x8000fedcu);
    assert_int_equal(sr_wire_number(&wire, SR_WIRE_CODE, 77), 77);
    assert_string_equal(sr_wire_text(&wire, SR_WIRE_USER), "ann");
    assert_string_equal(sr_wire_text(&wire, SR_WIRE_RHOST), "");
    assert_null(sr_wire_text(&wire, SR_WIRE_TTY));
    assert_string_equal(sr_wire_text_at(&wire, SR_WIRE_ARGUMENT, 1),
                        "backend=corp");
    assert_null(sr_wire_text_at(&wire, SR_WIRE_ARGUMENT, 2));
}

/* A secret is nowhere in it any more. */
static void
test_wipe(void **state)
{
    (void)state;
    sr_wire_begin(&wire, SR_WIRE_ANSWER);
    sr_wire_put_text(&wire, SR_WIRE_TEXT, "correct horse");
    assert_non_null(memmem(wire.bytes, sizeof(wire.bytes), "horse", 5));
    sr_wire_begin(&wire, SR_WIRE_HELLO);
    assert_null(memmem(wire.bytes, sizeof(wire.bytes), "horse", 5));
    assert_false(wire.is_full);
    sr_wire_wipe(&wire);
    assert_int_equal(wire.size, 0);
    assert_false(sr_wire_check(&wire));
}

/* A text that is too long is cut; a field too many is left out, and said. */
static void
test_bounds(void **state)
{
    static char text[SR_WIRE_TEXT_MAX + 100];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    sr_wire_begin(&wire, SR_WIRE_SAY);
    sr_wire_put_text(&wire, SR_WIRE_TEXT, text);
    assert_true(sr_wire_check(&wire));
    assert_int_equal(strlen(sr_wire_text(&wire, SR_WIRE_TEXT)),
                     SR_WIRE_TEXT_MAX);
    for (size_t i = 0; i < SR_WIRE_FIELDS_MAX && !wire.is_full; i++)
        sr_wire_put_text(&wire, SR_WIRE_VARIABLE, text);
    assert_true(wire.is_full);
    assert_true(wire.size <= SR_WIRE_MAX);
    assert_true(sr_wire_check(&wire));
    sr_wire_begin(&wire, SR_WIRE_CALL);
    for (size_t i = 0; i < SR_WIRE_FIELDS_MAX; i++)
        sr_wire_put_text(&wire, SR_WIRE_ARGUMENT, "");
    assert_false(wire.is_full);
    assert_true(sr_wire_check(&wire));
    sr_wire_put_text(&wire, SR_WIRE_ARGUMENT, "");
    assert_true(wire.is_full);
    assert_int_equal(wire.count, SR_WIRE_FIELDS_MAX);
}

#define BYTES(text)                                                            \
    {                                                                          \
        text, sizeof(text) - 1                                                 \
    }

static void
test_not_messages(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        BYTES("\000"),                                 /* no kind */
        BYTES("\011"),                                 /* an unknown one */
        BYTES("\001\001\004\000\001\000\000"),         /* the value is short */
        BYTES("\001\001\004\000\001\000\000\000\000"), /* a byte is left */
        BYTES("\001\001\003\000\001\000\000"), /* a number of three bytes */
        BYTES("\001\001\005\000\001\000\000\000\000"), /* and of five */
        BYTES("\001\001\377\377\001\000\000\000"),     /* a huge length */
        BYTES("\001\000\004\000\001\000\000\000"),     /* tags that are none */
        BYTES("\001\007\004\000\001\000\000\000"),
        BYTES("\001\017\001\000\000"),
        BYTES("\001\035\001\000\000"),
        BYTES("\001\377\001\000\000"),
        BYTES("\003\020\000\000"), /* a text without its end */
        BYTES("\003\020\001\000x"),
        BYTES("\003\020\003\000x\000\000"),            /* with an end within */
        BYTES("\003\020\001\000\000\020\001\000\000"), /* twice */
        BYTES("\001\001\004"),                         /* half a head */
    };
    static const uint8_t good[] = {1, 1, 4, 0, 1, 0, 0, 0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memcpy(wire.bytes, cases[i].bytes, cases[i].size);
        wire.size = cases[i].size;
        assert_false(sr_wire_check(&wire));
    }
    memcpy(wire.bytes, good, sizeof(good));
    wire.size = sizeof(good);
    assert_true(sr_wire_check(&wire));
    assert_int_equal(sr_wire_number(&wire, SR_WIRE_VERSION_NUMBER, 0), 1);
    wire.bytes[0] = SR_WIRE_FLOW;
    assert_true(sr_wire_check(&wire));
    wire.size = SR_WIRE_MAX + 1;
    assert_false(sr_wire_check(&wire));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_not_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
