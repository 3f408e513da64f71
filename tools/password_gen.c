/*
 * Phrase: a temporary password that can be read over the phone.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "tools/password_gen.h"

/* Sixteen consonants, five vowels, eight digits: 4, 2.3 and 3 bits each. */
static const char consonants[] = "bdfghjkmnprstvwz";
static const char vowels[] = "aeiou";
static const char digits[] = "23456789";

#define WORD_SIZE 5 /* four letters and the separator */

bool
phrase_getrandom(void *bytes, size_t size)
{
    ssize_t got;

    do {
        got = getrandom(bytes, size, 0);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)size;
}

/* One of the set's characters, each as likely: bytes beyond the last whole
 * multiple of the set are thrown away. */
static bool
pick(phrase_random random, const char *set, char *out)
{
    unsigned count = (unsigned)strlen(set);
    unsigned char byte;

    do {
        if (!random(&byte, 1))
            return false;
    } while (byte >= 256 / count * count);
    *out = set[byte % count];
    byte = 0;
    return true;
}

static bool
put(phrase_random random, char **at, const char *shape)
{
    for (; *shape != '\0'; shape++, (*at)++) {
        bool is_right = true;

        if (*shape == '-')
            **at = '-';
        else if (*shape == '9')
            is_right = pick(random, digits, *at);
        else if (*shape == 'a')
            is_right = pick(random, vowels, *at);
        else
            is_right = pick(random, consonants, *at);
        if (!is_right)
            return false;
        if (*shape == 'B')
            **at = (char)(**at - 'a' + 'A');
    }
    return true;
}

bool
phrase_make(phrase_random random, size_t least, char *out, size_t size)
{
    static const char shape[] = "Baba-Baba-99-Baba-Baba-99";
    size_t words = 0;
    char *at = out;
    bool is_made;

    if (least > PHRASE_LENGTH_MIN)
        words = (least - PHRASE_LENGTH_MIN + WORD_SIZE - 1) / WORD_SIZE;
    if (least > PHRASE_LENGTH_MAX ||
        size <= PHRASE_LENGTH_MIN + words * WORD_SIZE)
        return false;
    is_made = put(random, &at, shape);
    for (; is_made && words > 0; words--)
        is_made = put(random, &at, "-Baba");
    *at = '\0';
    if (!is_made)
        explicit_bzero(out, size);
    return is_made;
}
