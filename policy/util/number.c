/*
 * Number: telephone numbers in the international form of ITU-T E.164.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/util/number.h"

#define DIGITS_LEAST 8
#define DIGITS_MOST  15
#define SHOWN        2 /* digits at either end */

static bool
is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* "+" and the first digit of a country's code. */
static bool
has_begin(const char *text)
{
    return text[0] == '+' && is_digit(text[1]) && text[1] != '0';
}

bool
sr_number_read(const char *typed, char out[SR_NUMBER_MAX])
{
    size_t at = 0;
    bool is_good;

    memset(out, 0, SR_NUMBER_MAX);
    is_good = has_begin(typed);
    out[at++] = '+';
    for (const char *byte = typed + 1; is_good && *byte != '\0'; byte++) {
        if (is_digit(*byte) && at <= DIGITS_MOST)
            out[at++] = *byte;
        else /* one mark, between two digits */
            is_good = strchr(" -.", *byte) != NULL && is_digit(byte[-1]) &&
                      is_digit(byte[1]);
    }
    is_good = is_good && at > DIGITS_LEAST;
    if (!is_good)
        explicit_bzero(out, SR_NUMBER_MAX);
    return is_good;
}

void
sr_number_mask(const char *number, char out[SR_NUMBER_MAX])
{
    const size_t length = strnlen(number, SR_NUMBER_MAX - 1);

    memset(out, 0, SR_NUMBER_MAX);
    for (size_t i = 0; i < length; i++)
        out[i] = i <= SHOWN || i + SHOWN >= length ? number[i] : '*';
}

bool
sr_number_is_prefix(const char *item, size_t length)
{
    const size_t sign = length > 0 && item[0] == '!';

    if (length < sign + 2 || length > sign + 1 + DIGITS_MOST ||
        !has_begin(item + sign))
        return false;
    for (size_t i = sign + 1; i < length; i++) {
        if (!is_digit(item[i]))
            return false;
    }
    return true;
}

bool
sr_number_is_allowed(const char *number, const struct sr_string_list *prefixes)
{
    size_t longest = 0;
    bool is_allowed = false;

    for (size_t i = 0; i < prefixes->count; i++) {
        const bool refuses = prefixes->item[i][0] == '!';
        const char *prefix = prefixes->item[i] + refuses;
        const size_t length = strlen(prefix);

        if (length < longest || strncmp(number, prefix, length) != 0)
            continue;
        is_allowed = !refuses && (length > longest || is_allowed);
        longest = length;
    }
    return is_allowed;
}
