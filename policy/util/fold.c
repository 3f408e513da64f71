/*
 * Fold: see fold.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "policy/util/fold.h"
#include "policy/util/utf8.h"

#define COLUMNS_MAX 72

/*
 * Where a text without spaces can be cut: beside each wide character, but not
 * before what closes, ends or lengthens, nor behind what opens (JIS X 4051,
 * the least of its rules, and the marks of ASCII).
 */
static const char not_first[] =
    "、。，．・：；？！゛゜ヽヾゝゞ々ー）］｝」』】〉》〕〟’”…‥％"
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
    ".,:;?!)]}%'\"";
static const char not_last[] = "（［｛「『【〈《〔〝‘“([{";

/* A character of a text. */
struct glyph {
    const char *at;
    size_t length;    /* 0: the end */
    unsigned columns; /* 0: shown with the one before */
};

/* The next one; a byte that is not UTF-8 is in a column of its own, as in other
 * encodings.  The thread's locale knows the widths. */
static struct glyph
glyph_at(const char *at)
{
    struct glyph glyph = {at, 0, 1};
    uint32_t point = 0;
    const char *end = at;
    const int status = sr_utf8_next(&end, &point);

    glyph.length = status < 0 ? 1 : (size_t)(end - at);
    if (status > 0 && point >= 0x80) {
        const int columns = wcwidth((wchar_t)point);

        glyph.columns = columns < 0 ? 1 : (unsigned)columns;
    }
    return glyph;
}

static bool
is_one_of(const char *set, const struct glyph *glyph)
{
    return memmem(set, strlen(set), glyph->at, glyph->length) != NULL;
}

static bool
ends_word(const struct glyph *glyph)
{
    return glyph->length == 0 || *glyph->at == ' ' || *glyph->at == '\n';
}

/* Whether a line can end between two characters that follow each other. */
static bool
can_part(const struct glyph *first, const struct glyph *next)
{
    return (first->columns == 2 || next->columns == 2) && next->columns != 0 &&
           !ends_word(first) && !ends_word(next) &&
           !is_one_of(not_first, next) && !is_one_of(not_last, first);
}

/* Columns of what must stay in one line, from `at` on. */
static size_t
word_columns(const char *at)
{
    size_t columns = 0;
    struct glyph glyph = {at, 0, 0}, next = glyph_at(at);

    while (!ends_word(&next) && !can_part(&glyph, &next)) {
        columns += next.columns;
        glyph = next;
        next = glyph_at(next.at + next.length);
    }
    return columns;
}

/* End a line, and indent the next one. */
static char *
end_line(char *put, size_t indent)
{
    *put++ = '\n';
    return (char *)memset(put, ' ', indent) + indent;
}

/* Write `text` to `put`, in lines. */
static void
fold(const char *text, size_t column, size_t indent, char *put)
{
    struct glyph glyph = {text, 0, 0}, next = glyph_at(text);
    size_t within = indent;

    for (; next.length > 0; next = glyph_at(next.at + next.length)) {
        const bool is_space = *next.at == ' ';

        if (glyph.length == 0 || *glyph.at == '\n')
            within = indent + (strncmp(next.at, "- ", 2) == 0 ? 2 : 0);
        if ((is_space || can_part(&glyph, &next)) &&
            column + is_space + word_columns(next.at + is_space) >
                COLUMNS_MAX) {
            put = end_line(put, within);
            column = within;
        } else if (is_space) {
            *put++ = ' ';
            column++;
        }
        if (!is_space) {
            put = mempcpy(put, next.at, next.length);
            column = *next.at == '\n' ? 0 : column + next.columns;
        }
        glyph = next;
    }
    *put = '\0';
}

/* Let the thread know the widths of a text's characters; end_widths() ends
 * it. */
static locale_t
begin_widths(const char *text, locale_t *former)
{
    const locale_t locale =
        sr_utf8_is_ascii(text) ? (locale_t)0 : sr_utf8_locale();

    *former = uselocale(locale);
    return locale;
}

static void
end_widths(locale_t locale, locale_t former)
{
    uselocale(former);
    if (locale != (locale_t)0)
        freelocale(locale);
}

char *
sr_fold_text(const char *text, size_t first, size_t indent)
{
    /* Each byte may have a line's end and its indent before it. */
    char *out = malloc((4 + indent) * strlen(text) + 1);
    locale_t locale, former;

    if (out == NULL)
        return NULL;
    locale = begin_widths(text, &former);
    fold(text, first, indent, out);
    end_widths(locale, former);
    return out;
}

size_t
sr_fold_columns(const char *text)
{
    struct glyph glyph;
    locale_t former;
    const locale_t locale = begin_widths(text, &former);
    size_t columns = 0;

    for (glyph = glyph_at(text); glyph.length > 0;
         glyph = glyph_at(glyph.at + glyph.length))
        columns += glyph.columns;
    end_widths(locale, former);
    return columns;
}
