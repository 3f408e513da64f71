/*
 * UTF-8: how long the character at a place is.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdint.h>

#include "tools/utf8.h"

size_t
utf8_size(const char *text)
{
    /* The least value that needs so many bytes; less is overlong. */
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)text;
    uint32_t value;
    size_t size;

    if (at[0] < 0x80)
        return 1;
    if ((at[0] & 0xe0) == 0xc0)
        size = 2;
    else if ((at[0] & 0xf0) == 0xe0)
        size = 3;
    else if ((at[0] & 0xf8) == 0xf0)
        size = 4;
    else
        return 0;
    value = at[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0; /* also the end of the string */
        value = value << 6 | (at[i] & 0x3f);
    }
    if (value < least[size] || value > 0x10ffff ||
        (value >= 0xd800 && value <= 0xdfff))
        return 0;
    return size;
}
