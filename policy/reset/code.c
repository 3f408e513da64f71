/*
 * Code: random codes for people, in Crockford's base 32.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "policy/reset/code.h"
#include "policy/util/crypt.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool
sr_code_make(char out[SR_CODE_SIZE], size_t length, size_t group)
{
    uint8_t dice[SR_CODE_SIZE];
    size_t at = 0;

    if (getrandom(dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (group > 0 && i > 0 && i % group == 0)
            out[at++] = '-';
        out[at++] = alphabet[dice[i] % 32];
    }
    out[at] = '\0';
    explicit_bzero(dice, sizeof(dice));
    return true;
}

bool
sr_code_make_digits(char out[SR_CODE_SIZE], size_t length)
{
    size_t at = 0;

    while (at < length) {
        uint8_t dice;

        if (getrandom(&dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
            return false;
        if (dice < 250) /* above, the low digits would be more likely */
            out[at++] = (char)('0' + dice % 10);
    }
    out[at] = '\0';
    return true;
}

bool
sr_code_read(const char *typed, size_t length, char out[SR_CODE_SIZE])
{
    size_t at = 0;

    for (; *typed != '\0'; typed++) {
        char letter = (char)toupper((unsigned char)*typed);

        if (letter == ' ' || letter == '-')
            continue;
        letter = letter == 'O'                    ? '0'
                 : letter == 'I' || letter == 'L' ? '1'
                                                  : letter;
        if (strchr(alphabet, letter) == NULL || at >= length)
            return false;
        out[at++] = letter;
    }
    out[at] = '\0';
    return at == length;
}

int
sr_code_hash(const char *code, char hash[SR_HASH_MAX])
{
    char setting[SR_HASH_MAX];

    return sr_crypt_setting(setting, sizeof(setting)) == 0
               ? sr_crypt_hash(code, setting, hash, SR_HASH_MAX)
               : -1;
}

bool
sr_code_is_equal(const char *a, const char *b)
{
    volatile unsigned char differ = a[0] == '\0';

    for (size_t i = 0; i < SR_HASH_MAX; i++) /* both are filled with zeros */
        differ |= (unsigned char)(a[i] ^ b[i]);
    return differ == 0;
}
