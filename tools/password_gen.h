/*
 * Phrase: a temporary password that can be read over the phone.  Pure, but for
 * the random bytes it asks for.
 *
 * "Bafu-Kiro-47-Memo-Nati-82": syllables that can be spoken, digits in pairs.
 * No character can be taken for another one: neither l, 1 and I nor O and 0,
 * and no c, q, x or y, which are spelled in more than one way.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_PASSWORD_GEN_H
#define SR_TOOLS_PASSWORD_GEN_H

#include <stdbool.h>
#include <stddef.h>

/* The shortest phrase has four words and four digits: 62 bits, 25 characters.
 * Each further word adds 12 bits and 5 characters. */
#define PHRASE_LENGTH_MIN 25
#define PHRASE_LENGTH_MAX 240

/* Fills `bytes` with random bytes; false when there are none to be had. */
typedef bool (*phrase_random)(void *bytes, size_t size);

/*
 * Make a phrase of at least `least` characters and of no fewer than
 * PHRASE_LENGTH_MIN.  Returns false when `out` or PHRASE_LENGTH_MAX is too
 * short for it, or random bytes failed; `out` then is wiped.
 */
bool phrase_make(phrase_random random, size_t least, char *out, size_t size);

/* Random bytes by getrandom(2). */
bool phrase_getrandom(void *bytes, size_t size);

#endif
