/*
 * Padata: what a KDC adds to an error: the state of an account of Active
 * Directory, and what keys are made with.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/backend/krb5/padata.h"
#include "policy/util/bytes.h"

#define PA_PW_SALT     3
#define PA_ETYPE_INFO2 19

/* Tags of DER. */
#define TAG_INTEGER  0x02
#define TAG_OCTETS   0x04
#define TAG_STRING   0x1B
#define TAG_SEQUENCE 0x30
#define TAG_0        0xA0
#define TAG_1        0xA1
#define TAG_2        0xA2

struct der {
    const uint8_t *at;
    size_t size;
};

/* Take the element with this tag off the front of `from`. */
static bool
take(struct der *from, uint8_t tag, struct der *content)
{
    size_t head = 2, length;

    if (from->size < 2 || from->at[0] != tag)
        return false;
    length = from->at[1];
    if (length > 0x80 && length <= 0x84) {
        size_t digits = length - 0x80;

        if (from->size < head + digits)
            return false;
        length = 0;
        for (size_t i = 0; i < digits; i++)
            length = length << 8 | from->at[head + i];
        head += digits;
    } else if (length >= 0x80) {
        return false;
    }
    if (length > from->size - head)
        return false;
    *content = (struct der){from->at + head, length};
    from->at += head + length;
    from->size -= head + length;
    return true;
}

/* The value of the first element of METHOD-DATA with this type. */
static bool
find(const uint8_t *bytes, size_t size, uint8_t wanted, struct der *found)
{
    struct der data = {bytes, size}, list, element;

    if (!take(&data, TAG_SEQUENCE, &list))
        return false;
    while (take(&list, TAG_SEQUENCE, &element)) {
        struct der type, number, value;

        if (!take(&element, TAG_1, &type) ||
            !take(&type, TAG_INTEGER, &number) ||
            !take(&element, TAG_2, &value) || !take(&value, TAG_OCTETS, found))
            return false;
        if (number.size == 1 && number.at[0] == wanted)
            return true;
    }
    return false;
}

uint32_t
sr_krb5_ntstatus(const uint8_t *bytes, size_t size)
{
    struct der octets;

    return find(bytes, size, PA_PW_SALT, &octets) && octets.size >= 4
               ? sr_get32(octets.at)
               : 0;
}

/* Take an element with this tag out of one that may be absent.  False: it is
 * there, and malformed or too long. */
static bool
take_optional(struct der *entry, uint8_t outer, uint8_t inner, uint8_t *out,
              size_t most, size_t *size)
{
    struct der part, content;

    *size = 0;
    if (!take(entry, outer, &part))
        return true;
    if (!take(&part, inner, &content) || content.size > most)
        return false;
    memcpy(out, content.at, content.size);
    *size = content.size;
    return true;
}

/* Read an entry of ETYPE-INFO2. */
static bool
read_etype(struct der *entry, struct sr_krb5_etype *out)
{
    struct der part, content;

    *out = (struct sr_krb5_etype){0};
    if (!take(entry, TAG_0, &part) || !take(&part, TAG_INTEGER, &content) ||
        content.size != 1)
        return false; /* private types have negative or larger numbers */
    out->etype = content.at[0];
    return take_optional(entry, TAG_1, TAG_STRING, out->salt, sizeof(out->salt),
                         &out->size) &&
           take_optional(entry, TAG_2, TAG_OCTETS, out->params,
                         sizeof(out->params), &out->params_size) &&
           entry->size == 0;
}

bool
sr_krb5_etypes(const uint8_t *bytes, size_t size, struct sr_krb5_etypes *out)
{
    struct der octets, list, entry;

    out->count = 0;
    if (!find(bytes, size, PA_ETYPE_INFO2, &octets) ||
        !take(&octets, TAG_SEQUENCE, &list))
        return false;
    while (out->count < SR_KRB5_ETYPES_MAX &&
           take(&list, TAG_SEQUENCE, &entry)) {
        if (read_etype(&entry, &out->of[out->count]))
            out->count++;
    }
    return out->count > 0;
}
