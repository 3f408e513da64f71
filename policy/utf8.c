/*
 * UTF-8: decode and clean text that others wrote.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/utf8.h"

size_t
sr_utf8_next(const char *text, uint32_t *point)
{
    const unsigned char *at = (const unsigned char *)text;
    /* By length: the smallest value, so that no value has two spellings. */
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length;
    uint32_t value;

    if (at[0] < 0x80) {
        *point = at[0];
        return at[0] == 0 ? 0 : 1;
    }
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    value = at[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0; /* also stops at the end of the text */
        value = value << 6 | (at[i] & 0x3fU);
    }
    if (value < least[length] || value > 0x10ffff ||
        (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *point = value;
    return length;
}

bool
sr_utf8_is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
           (point >= 0x200e && point <= 0x200f) ||
           (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

void
sr_utf8_clean(const char *text, bool keep_lines, char *out, size_t size)
{
    size_t used = 0;

    while (*text != '\0') {
        uint32_t point = 0;
        size_t length = sr_utf8_next(text, &point);
        bool is_bad = length == 0 || (sr_utf8_is_control(point) &&
                                      !(keep_lines && point == '\n'));
        size_t need = is_bad ? 1 : length;

        if (need >= size - used)
            break;
        if (is_bad)
            out[used] = '?';
        else
            memcpy(out + used, text, length);
        used += need;
        text += length == 0 ? 1 : length;
    }
    out[used] = '\0';
}
