/*
 * Spelling: names that differ only by what a name service puts around or
 * between their parts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/util/spelling.h"

/* Whether a byte is in a part of a name, and not between two. */
static bool
is_in_part(unsigned char byte)
{
    return byte >= 0x80 || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

/* A byte of a part as it is compared. */
static char
fold(unsigned char byte)
{
    if (byte >= 0x80)
        return '?';
    return (char)(byte >= 'A' && byte <= 'Z' ? byte + 'a' - 'A' : byte);
}

bool
sr_spelling_parts(const char *name, char parts[SR_SPELLING_SIZE])
{
    size_t used = 0;
    unsigned count = 0;
    bool is_inside = false;

    for (; *name != '\0'; name++) {
        const unsigned char byte = (unsigned char)*name;

        if (!is_in_part(byte)) {
            is_inside = false;
            continue;
        }
        if (used + (is_inside ? 1 : 3) > SR_SPELLING_SIZE - 1 ||
            (!is_inside && ++count > SR_SPELLING_PARTS_MAX))
            return false;
        if (!is_inside) {
            parts[used++] = ':';
            parts[used++] = ':';
        }
        if (byte < 0x80 || parts[used - 1] != '?')
            parts[used++] = fold(byte);
        is_inside = true;
    }
    parts[used] = '\0';
    return used > 0;
}

bool
sr_is_spelling(const char *name, const char *of)
{
    char parts[SR_SPELLING_SIZE], other[SR_SPELLING_SIZE];
    const char *at = parts;
    size_t length;

    if (!sr_spelling_parts(name, parts) || !sr_spelling_parts(of, other))
        return false;
    length = strlen(other);
    while ((at = strstr(at, other)) != NULL && at[length] != '\0' &&
           at[length] != ':')
        at++;
    return at != NULL;
}
