/*
 * Fuzz target of the helper's messages: any bytes are a message within its
 * bounds or none, and a message that is taken apart and put together again is
 * the same.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/wire/wire.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct sr_wire wire, copy;

static void
copy_texts(enum sr_wire_tag tag)
{
    const char *text;

    for (size_t i = 0; (text = sr_wire_text_at(&wire, tag, i)) != NULL; i++) {
        expect((const uint8_t *)text > wire.bytes &&
               (const uint8_t *)text + strlen(text) < wire.bytes + wire.size);
        expect(strlen(text) <= SR_WIRE_TEXT_MAX);
        sr_wire_put_text(&copy, tag, text);
    }
}

static void
copy_number(enum sr_wire_tag tag)
{
    const uint32_t number = sr_wire_number(&wire, tag, 1);

    if (number == sr_wire_number(&wire, tag, 2))
        sr_wire_put_number(&copy, tag, number);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > SR_WIRE_MAX)
        return 0;
    if (size > 0)
        memcpy(wire.bytes, bytes, size);
    wire.size = size;
    if (!sr_wire_check(&wire)) {
        sr_wire_wipe(&wire);
        return 0;
    }
    expect(wire.count <= SR_WIRE_FIELDS_MAX);
    sr_wire_begin(&copy, sr_wire_kind(&wire));
    for (unsigned tag = SR_WIRE_VERSION_NUMBER; tag < SR_WIRE_NUMBERS_END;
         tag++)
        copy_number((enum sr_wire_tag)tag);
    for (unsigned tag = SR_WIRE_TEXT; tag < SR_WIRE_TEXTS_END; tag++)
        copy_texts((enum sr_wire_tag)tag);
    expect(!copy.is_full && copy.size == wire.size && copy.count == wire.count);
    expect(sr_wire_check(&copy));
    sr_wire_wipe(&copy);
    sr_wire_wipe(&wire);
    for (size_t i = 0; i < size; i++)
        expect(wire.bytes[i] == 0);
    return 0;
}
