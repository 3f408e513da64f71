/*
 * Utf8: text as code points: decoding, folding case, and the kind of each
 * character.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>
#include <strings.h>
#include <wctype.h>

#include "policy/util/utf8.h"

/* Bytes that are not UTF-8 become code points that no text has: surrogates,
 * which cannot be encoded. */
#define STRAY_BYTE 0xdc00u

/* One row for each length of a sequence. */
static const struct form {
    uint8_t mask, lead; /* byte & mask == lead */
    uint8_t length;
    uint32_t least; /* a smaller value has a shorter form */
} forms[] = {
    {0x80, 0x00, 1, 0x0},
    {0xe0, 0xc0, 2, 0x80},
    {0xf0, 0xe0, 3, 0x800},
    {0xf8, 0xf0, 4, 0x10000},
};

static const struct form *
find_form(uint8_t lead)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if ((lead & forms[i].mask) == forms[i].lead)
            return &forms[i];
    }
    return NULL;
}

int
sr_utf8_next(const char **text, uint32_t *point)
{
    const uint8_t *at = (const uint8_t *)*text;
    const struct form *form = find_form(at[0]);
    uint32_t value;

    if (at[0] == '\0')
        return 0;
    if (form == NULL)
        return -1;
    value = (uint8_t)(at[0] & ~form->mask);
    for (size_t i = 1; i < form->length; i++) {
        /* The NUL at the end is no continuation byte, so this stops there. */
        if ((at[i] & 0xc0) != 0x80)
            return -1;
        value = (value << 6) | (at[i] & 0x3f);
    }
    if (value < form->least || value > 0x10ffff ||
        (value >= 0xd800 && value <= 0xdfff))
        return -1;
    *point = value;
    *text += form->length;
    return 1;
}

/* The general categories Cc, Cf, Zl and Zp of Unicode 16, and what of the same
 * blocks is reserved for characters of this kind. */
static const struct {
    uint32_t first, last;
} controls[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},
    {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},
    {0x070f, 0x070f},   {0x0890, 0x0891},   {0x08e2, 0x08e2},
    {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool
sr_utf8_is_control(uint32_t point)
{
    bool is_control = false;

    for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
        is_control = is_control ||
                     (point >= controls[i].first && point <= controls[i].last);
    return is_control;
}

bool
sr_utf8_is_joiner(uint32_t point)
{
    return point == 0x200c || point == 0x200d;
}

void
sr_utf8_clean(const char *text, bool keep_lines, char *out, size_t size)
{
    size_t used = 0;

    while (*text != '\0') {
        const char *next = text;
        uint32_t point = 0;
        bool is_bad = sr_utf8_next(&next, &point) < 0;
        size_t need;

        if (is_bad)
            next++;
        else
            is_bad =
                sr_utf8_is_control(point) && !(keep_lines && point == '\n');
        need = is_bad ? 1 : (size_t)(next - text);
        if (need >= size - used)
            break;
        memcpy(out + used, is_bad ? "?" : text, need);
        used += need;
        text = next;
    }
    out[used] = '\0';
}

void
sr_points_read(struct sr_points *points, const char *text)
{
    uint32_t point = 0;
    int status;

    points->count = 0;
    while (points->count < SR_POINTS_MAX &&
           (status = sr_utf8_next(&text, &point)) != 0) {
        if (status < 0)
            point = STRAY_BYTE + (uint8_t)*text++;
        points->at[points->count++] = point;
    }
    explicit_bzero(&point, sizeof(point));
}

bool
sr_utf8_is_ascii(const char *text)
{
    while ((signed char)*text > 0)
        text++;
    return *text == '\0';
}

void
sr_points_wipe(struct sr_points *points)
{
    explicit_bzero(points, sizeof(*points));
}

locale_t
sr_utf8_locale(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

    return locale != (locale_t)0 ? locale
                                 : newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
}

/* The next code point without case; a byte that is not UTF-8 is one of its own,
 * and a sign that is none of ASCII does not become one (the Kelvin sign). */
static uint32_t
next_folded(const char **text, locale_t locale)
{
    uint32_t point = 0, folded;

    if (sr_utf8_next(text, &point) < 0)
        return STRAY_BYTE + (uint8_t) * (*text)++;
    folded = (uint32_t)towlower_l((wint_t)point, locale);
    return point >= 0x80 && folded < 0x80 ? point : folded;
}

int
sr_utf8_compare_names(const char *one, const char *other, locale_t locale)
{
    uint32_t a, b;

    do {
        a = next_folded(&one, locale);
        b = next_folded(&other, locale);
    } while (a == b && a != 0);
    return (a > b) - (a < b);
}

bool
sr_utf8_is_same_name(const char *one, const char *other)
{
    locale_t locale;
    bool is_same;

    if (strcasecmp(one, other) == 0)
        return true;
    if (sr_utf8_is_ascii(one) || sr_utf8_is_ascii(other))
        return false;
    locale = sr_utf8_locale();
    if (locale == (locale_t)0)
        return false;
    is_same = sr_utf8_compare_names(one, other, locale) == 0;
    freelocale(locale);
    return is_same;
}

void
sr_points_fold(struct sr_points *points, locale_t locale)
{
    for (size_t i = 0; i < points->count; i++)
        points->at[i] = (uint32_t)towlower_l((wint_t)points->at[i], locale);
}

/* Active Directory's list; neither the space nor currency signs but "$". */
static bool
is_special(uint32_t point)
{
    return point > 0 && point < 0x80 &&
           strchr("~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/", (int)point) != NULL;
}

enum sr_kind
sr_point_kind(uint32_t point, locale_t locale)
{
    const wint_t wide = (wint_t)point;

    if (point >= '0' && point <= '9')
        return SR_KIND_DIGIT;
    if (is_special(point))
        return SR_KIND_SPECIAL;
    if (iswupper_l(wide, locale))
        return SR_KIND_UPPER;
    if (iswlower_l(wide, locale))
        return SR_KIND_LOWER;
    /* The C library counts the digits of other scripts as letters. */
    if (iswalpha_l(wide, locale))
        return SR_KIND_LETTER;
    return SR_KIND_NONE;
}
