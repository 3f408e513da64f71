/*
 * Utf8: text as code points: decoding, cleaning, folding case, and the kind of
 * each character.  Lengths and kinds are those of characters, not bytes.  The
 * texts can be passwords: every buffer is the caller's, to be wiped.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_UTF8_H
#define SR_POLICY_UTIL_UTF8_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most code points that are read: as many as a password has bytes. */
#define SR_POINTS_MAX 511

struct sr_points {
    size_t count;
    uint32_t at[SR_POINTS_MAX];
};

/* What a character counts as.  Currency signs, the space and the like are of
 * no kind, as in Active Directory. */
enum sr_kind {
    SR_KIND_NONE,
    SR_KIND_UPPER,
    SR_KIND_LOWER,
    SR_KIND_DIGIT,
    SR_KIND_SPECIAL, /* the marks that Active Directory lists */
    SR_KIND_LETTER,  /* a letter of a script without case */
    SR_KIND_COUNT
};

/*
 * Decode the code point at *text and go past it.  Returns 1, 0 at the end of
 * the string, or -1 for what is not UTF-8 (overlong forms, surrogates and
 * values beyond U+10FFFF included); then *text stays and *point is undefined.
 */
int sr_utf8_next(const char **text, uint32_t *point);

/* True for control and format characters (Unicode's Cc, Cf, Zl and Zp): they
 * begin lines, change the direction of writing or cannot be seen, so that a
 * text that has one does not read as what it is. */
bool sr_utf8_is_control(uint32_t point);

/* True for the two format characters that words of several scripts are spelt
 * with, for texts that the administrator has written. */
bool sr_utf8_is_joiner(uint32_t point);

/*
 * Copy `text` into `out` (size bytes with the end, at least 1): control
 * characters and invalid bytes become '?', and what does not fit is cut between
 * characters.  With `keep_lines` line ends stay.
 */
void sr_utf8_clean(const char *text, bool keep_lines, char *out, size_t size);

/*
 * The code points of text, at most SR_POINTS_MAX.  A byte that is not UTF-8
 * becomes a code point of its own that no text can have, so that old passwords
 * from other encodings can still be compared.
 */
void sr_points_read(struct sr_points *points, const char *text);

/* Whether a text has no byte above 127. */
bool sr_utf8_is_ascii(const char *text);

/* Overwrite all of it. */
void sr_points_wipe(struct sr_points *points);

/*
 * A locale that knows the letters of Unicode, whatever the process's locale is
 * (which is not touched).  Where the system has none, only ASCII's.  NULL when
 * out of memory.  Free it with freelocale(3).
 */
locale_t sr_utf8_locale(void);

/* Whether two texts of UTF-8 are the same but for the case of letters. */
bool sr_utf8_is_same_name(const char *one, const char *other);

/* The order of two texts by their code points, as strcmp(3), without the case
 * of letters; 0 where they are the same name.  The locale is from
 * sr_utf8_locale(). */
int sr_utf8_compare_names(const char *one, const char *other, locale_t locale);

/* Make every letter lower case. */
void sr_points_fold(struct sr_points *points, locale_t locale);

/* The kind of one character. */
enum sr_kind sr_point_kind(uint32_t point, locale_t locale);

#endif
