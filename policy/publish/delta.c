/*
 * Delta: the target of a symbolic link that holds one payload, or the fallback.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/publish/delta.h"
#include "policy/util/bytes.h"
#include "policy/util/siphash.h"

/* A text that is written up to the end of its buffer. */
struct text {
    char *at;
    size_t left; /* without the byte for the end */
    bool is_full;
};

static void
put_char(struct text *text, char c)
{
    if (text->left == 0) {
        text->is_full = true;
        return;
    }
    *text->at++ = c;
    text->left--;
}

static void
put_text(struct text *text, const char *from)
{
    for (; *from != '\0'; from++)
        put_char(text, *from);
}

static void
put_hex(struct text *text, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        put_char(text, digits[bytes[i] >> 4]);
        put_char(text, digits[bytes[i] & 15]);
    }
}

static void
put_decimal(struct text *text, uint32_t number)
{
    if (number >= 10)
        put_decimal(text, number / 10);
    put_char(text, (char)('0' + number % 10));
}

static int
digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
take_hex(const char *text, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* A delta: "1.", then in hexadecimal digits sequence, checksum and payload. */
#define DELTA_START "1."
#define DELTA_HEAD  16

_Static_assert(sizeof(DELTA_START) + 2 * (DELTA_HEAD + SR_PAYLOAD_MAX) <=
                   SR_DELTA_TEXT,
               "the longest delta has room");

static uint64_t
delta_sum(const char *name, uint64_t sequence, const struct sr_payload *payload)
{
    static const uint8_t label[16] = "selfreset delta";
    uint8_t key[16];

    memcpy(key, label, sizeof(key));
    sr_put64(key, sr_get64(key) ^ sequence);
    sr_put64(key + 8,
             sr_get64(key + 8) ^ sr_siphash(label, name, strlen(name)));
    return sr_siphash(key, payload->bytes, payload->size);
}

void
sr_delta_encode(const char *name, uint64_t sequence,
                const struct sr_payload *payload, char out[SR_DELTA_TEXT])
{
    struct text text = {out, SR_DELTA_TEXT - 1, false};
    uint8_t head[DELTA_HEAD];

    sr_put64(head, sequence);
    sr_put64(head + 8, delta_sum(name, sequence, payload));
    put_text(&text, DELTA_START);
    put_hex(&text, head, sizeof(head));
    put_hex(&text, payload->bytes, payload->size);
    *text.at = '\0';
}

bool
sr_delta_decode(const char *name, const char *text, size_t size,
                uint64_t *sequence, struct sr_payload *payload)
{
    const size_t start = sizeof(DELTA_START) - 1;
    uint8_t head[DELTA_HEAD];

    if (size < start + 2 * DELTA_HEAD || size >= SR_DELTA_TEXT ||
        (size - start) % 2 != 0 || memcmp(text, DELTA_START, start) != 0 ||
        !take_hex(text + start, head, sizeof(head)))
        return false;
    payload->size = (size - start) / 2 - DELTA_HEAD;
    if (payload->size > sizeof(payload->bytes) ||
        !take_hex(text + start + 2 * DELTA_HEAD, payload->bytes, payload->size))
        return false;
    *sequence = sr_get64(head);
    return sr_get64(head + 8) == delta_sum(name, *sequence, payload);
}

bool
sr_fallback_encode(uint32_t unknown, uint32_t ok,
                   const struct sr_string_list *exempt,
                   char out[SR_FALLBACK_TEXT])
{
    struct text text = {out, SR_FALLBACK_TEXT - 1, false};

    put_text(&text, "1:");
    put_decimal(&text, unknown);
    put_char(&text, ':');
    put_decimal(&text, ok);
    put_char(&text, ':');
    for (size_t i = 0; i < exempt->count; i++) {
        if (!sr_snapshot_name(exempt->item[i]))
            continue; /* a colon in it would make two names */
        put_text(&text, exempt->item[i]);
        put_char(&text, ':');
    }
    *text.at = '\0';
    return !text.is_full;
}

/* The number before the next colon; false when there is none. */
static bool
take_decimal(const char **at, const char *end, uint32_t *number)
{
    uint64_t value = 0;
    const char *from = *at;

    while (*at < end && **at >= '0' && **at <= '9' && value <= UINT32_MAX)
        value = value * 10 + (uint64_t)(*(*at)++ - '0');
    if (*at == from || *at == end || **at != ':' || value > UINT32_MAX)
        return false;
    (*at)++;
    *number = (uint32_t)value;
    return true;
}

uint32_t
sr_fallback_gid(const char *text, size_t size, const char *name)
{
    const char *at = text, *const end = text + size;
    const size_t length = strlen(name);
    uint32_t version, unknown, ok;

    if (!take_decimal(&at, end, &version) || version != 1 ||
        !take_decimal(&at, end, &unknown) || !take_decimal(&at, end, &ok))
        return 0;
    if (strcmp(name, "root") == 0)
        return ok;
    while (at < end) {
        const char *colon = memchr(at, ':', (size_t)(end - at));

        if (colon == NULL)
            break;
        if ((size_t)(colon - at) == length && memcmp(at, name, length) == 0)
            return ok;
        at = colon + 1;
    }
    return unknown;
}
