/*
 * NTSTATUS: the state that a KDC of Active Directory adds to an error.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdbool.h>

#include "policy/backend/krb5/ntstatus.h"
#include "policy/util/bytes.h"

#define PA_PW_SALT 3

/* Tags of DER. */
#define TAG_INTEGER  0x02
#define TAG_OCTETS   0x04
#define TAG_SEQUENCE 0x30
#define TAG_TYPE     0xA1 /* [1] of PA-DATA */
#define TAG_VALUE    0xA2 /* [2] */

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

uint32_t
sr_krb5_ntstatus(const uint8_t *bytes, size_t size)
{
    struct der data = {bytes, size}, list, element;

    if (!take(&data, TAG_SEQUENCE, &list))
        return 0;
    while (take(&list, TAG_SEQUENCE, &element)) {
        struct der type, number, value, octets;

        if (!take(&element, TAG_TYPE, &type) ||
            !take(&type, TAG_INTEGER, &number) ||
            !take(&element, TAG_VALUE, &value) ||
            !take(&value, TAG_OCTETS, &octets))
            return 0;
        if (number.size == 1 && number.at[0] == PA_PW_SALT && octets.size >= 4)
            return sr_get32(octets.at);
    }
    return 0;
}
