/*
 * Wire: the messages between selfreset-helper and the programs that ask it, as
 * bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/util/bytes.h"
#include "policy/wire/wire.h"

#define FIELD_HEAD 3u /* tag and length */

static bool
is_number_tag(unsigned tag)
{
    return tag >= SR_WIRE_VERSION_NUMBER && tag < SR_WIRE_NUMBERS_END;
}

static bool
is_text_tag(unsigned tag)
{
    return tag >= SR_WIRE_TEXT && tag < SR_WIRE_TEXTS_END;
}

static bool
may_repeat(unsigned tag)
{
    return tag == SR_WIRE_ARGUMENT || tag == SR_WIRE_VARIABLE;
}

/* ---- writing */

void
sr_wire_begin(struct sr_wire *wire, enum sr_wire_kind kind)
{
    sr_wire_wipe(wire);
    wire->bytes[0] = (uint8_t)kind;
    wire->size = 1;
}

/* Append a field of `size` bytes with nothing in it yet; NULL: no room. */
static uint8_t *
put(struct sr_wire *wire, enum sr_wire_tag tag, size_t size)
{
    uint8_t *at = wire->bytes + wire->size;

    if (wire->count == SR_WIRE_FIELDS_MAX ||
        FIELD_HEAD + size > SR_WIRE_MAX - wire->size) {
        wire->is_full = true;
        return NULL;
    }
    at[0] = (uint8_t)tag;
    sr_put16(at + 1, (uint16_t)size);
    wire->size += FIELD_HEAD + size;
    wire->count++;
    return at + FIELD_HEAD;
}

void
sr_wire_put_number(struct sr_wire *wire, enum sr_wire_tag tag, uint32_t number)
{
    uint8_t *at = put(wire, tag, sizeof(number));

    if (at != NULL)
        sr_put32(at, number);
}

void
sr_wire_hello(struct sr_wire *wire)
{
    sr_wire_begin(wire, SR_WIRE_HELLO);
    sr_wire_put_number(wire, SR_WIRE_VERSION_NUMBER, SR_WIRE_VERSION);
}

void
sr_wire_put_text(struct sr_wire *wire, enum sr_wire_tag tag, const char *text)
{
    size_t length;
    uint8_t *at;

    if (text == NULL)
        return;
    length = strnlen(text, SR_WIRE_TEXT_MAX);
    at = put(wire, tag, length + 1);
    if (at == NULL)
        return;
    memcpy(at, text, length);
    at[length] = '\0';
}

/* ---- reading */

struct field {
    unsigned tag;
    const uint8_t *value;
    size_t size;
};

/* The field at *offset, which then is that of the next; false at the end of the
 * message, or of what is of its form. */
static bool
next(const struct sr_wire *wire, size_t *offset, struct field *field)
{
    const uint8_t *at = wire->bytes + *offset;
    const size_t left = wire->size - *offset;

    if (left < FIELD_HEAD)
        return false;
    field->tag = at[0];
    field->value = at + FIELD_HEAD;
    field->size = sr_get16(at + 1);
    if (field->size > left - FIELD_HEAD)
        return false;
    *offset += FIELD_HEAD + field->size;
    return true;
}

/* Whether a value is of its tag's form. */
static bool
is_sound(const struct field *field)
{
    if (is_number_tag(field->tag))
        return field->size == sizeof(uint32_t);
    return is_text_tag(field->tag) && field->size > 0 &&
           field->size <= SR_WIRE_TEXT_MAX + 1 &&
           memchr(field->value, '\0', field->size) ==
               field->value + field->size - 1;
}

bool
sr_wire_check(struct sr_wire *wire)
{
    bool seen[SR_WIRE_TEXTS_END] = {false};
    struct field field;
    size_t offset = 1;

    wire->count = 0;
    if (wire->size == 0 || wire->size > SR_WIRE_MAX ||
        wire->bytes[0] < SR_WIRE_HELLO || wire->bytes[0] >= SR_WIRE_KINDS_END)
        return false;
    while (next(wire, &offset, &field)) {
        if (!is_sound(&field) || (seen[field.tag] && !may_repeat(field.tag)) ||
            ++wire->count > SR_WIRE_FIELDS_MAX)
            return false;
        seen[field.tag] = true;
    }
    return offset == wire->size;
}

enum sr_wire_kind
sr_wire_kind(const struct sr_wire *wire)
{
    return (enum sr_wire_kind)wire->bytes[0];
}

/* The field of this tag number `index`. */
static bool
find(const struct sr_wire *wire, enum sr_wire_tag tag, size_t index,
     struct field *field)
{
    size_t offset = 1;

    while (next(wire, &offset, field)) {
        if (field->tag == (unsigned)tag && index-- == 0)
            return true;
    }
    return false;
}

uint32_t
sr_wire_number(const struct sr_wire *wire, enum sr_wire_tag tag,
               uint32_t absent)
{
    struct field field;

    return find(wire, tag, 0, &field) ? sr_get32(field.value) : absent;
}

const char *
sr_wire_text_at(const struct sr_wire *wire, enum sr_wire_tag tag, size_t index)
{
    struct field field;

    return find(wire, tag, index, &field) ? (const char *)field.value : NULL;
}

const char *
sr_wire_text(const struct sr_wire *wire, enum sr_wire_tag tag)
{
    return sr_wire_text_at(wire, tag, 0);
}

void
sr_wire_wipe(struct sr_wire *wire)
{
    explicit_bzero(wire->bytes,
                   wire->size < SR_WIRE_MAX ? wire->size : SR_WIRE_MAX);
    wire->size = wire->count = 0;
    wire->is_full = false;
}
