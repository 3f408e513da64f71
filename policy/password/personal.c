/*
 * Personal: is a password made of its owner's names?
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/password/personal.h"

/* Active Directory splits display names at these. */
#define SEPARATORS ",.-_ #\t"

#define WIPED __attribute__((cleanup(sr_points_wipe)))

/* A name or word as folded code points. */
static void
read_name(struct sr_points *points, const char *name, size_t length,
          locale_t locale)
{
    char text[SR_POINTS_MAX + 1];

    if (length > SR_POINTS_MAX)
        length = SR_POINTS_MAX;
    memcpy(text, name, length);
    text[length] = '\0';
    sr_points_read(points, text);
    sr_points_fold(points, locale);
}

static bool
is_letter(uint32_t point, locale_t locale)
{
    enum sr_kind kind = sr_point_kind(point, locale);

    return kind == SR_KIND_UPPER || kind == SR_KIND_LOWER ||
           kind == SR_KIND_LETTER;
}

static bool
has_letter(const struct sr_points *points, locale_t locale)
{
    for (size_t i = 0; i < points->count; i++) {
        if (is_letter(points->at[i], locale))
            return true;
    }
    return false;
}

static void
reverse(struct sr_points *points)
{
    for (size_t i = 0; i < points->count / 2; i++) {
        uint32_t *left = &points->at[i];
        uint32_t *right = &points->at[points->count - 1 - i];
        uint32_t saved = *left;

        *left = *right;
        *right = saved;
    }
}

static bool
contains(const struct sr_points *text, const struct sr_points *part)
{
    const size_t size = part->count * sizeof(part->at[0]);

    for (size_t i = 0; i + part->count <= text->count; i++) {
        if (memcmp(&text->at[i], part->at, size) == 0)
            return true;
    }
    return false;
}

static bool
contains_either_way(const struct sr_personal_in *in, struct sr_points *name)
{
    if (name->count < in->shortest || name->count == 0)
        return false;
    if (contains(in->folded, name))
        return true;
    if (!in->or_backwards)
        return false;
    reverse(name);
    return contains(in->folded, name);
}

bool
sr_personal_contains(const struct sr_personal_in *in, const char *name)
{
    struct sr_points points;

    read_name(&points, name, strlen(name), in->locale);
    return contains_either_way(in, &points);
}

bool
sr_personal_contains_word(const struct sr_personal_in *in, const char *gecos)
{
    struct sr_points word;
    size_t length;

    if (gecos == NULL)
        return false;
    for (; *gecos != '\0'; gecos += length) {
        gecos += strspn(gecos, SEPARATORS);
        length = strcspn(gecos, SEPARATORS);
        read_name(&word, gecos, length, in->locale);
        if (has_letter(&word, in->locale) && contains_either_way(in, &word))
            return true;
    }
    return false;
}

/* Remove the separators. */
static void
squeeze(struct sr_points *points)
{
    size_t used = 0;

    for (size_t i = 0; i < points->count; i++) {
        uint32_t point = points->at[i];

        if (point >= 0x80 || strchr(SEPARATORS, (int)point) == NULL)
            points->at[used++] = point;
    }
    points->count = used;
}

/* Remove what is before the first letter and after the last one. */
static void
strip(struct sr_points *points, locale_t locale)
{
    size_t first = 0;

    while (points->count > 0 &&
           !is_letter(points->at[points->count - 1], locale))
        points->count--;
    while (first < points->count && !is_letter(points->at[first], locale))
        first++;
    points->count -= first;
    memmove(points->at, points->at + first,
            points->count * sizeof(points->at[0]));
}

/* The text is the name, once or several times. */
static bool
is_made_of(const struct sr_points *text, const struct sr_points *name)
{
    if (name->count == 0 || text->count == 0 || text->count % name->count != 0)
        return false;
    for (size_t i = 0; i < text->count; i++) {
        if (text->at[i] != name->at[i % name->count])
            return false;
    }
    return true;
}

static bool
is_name(const struct sr_personal_in *in, const char *name, size_t length)
{
    WIPED struct sr_points text = *in->folded;
    struct sr_points points;

    read_name(&points, name, length, in->locale);
    squeeze(&points);
    squeeze(&text);
    if (is_made_of(&text, &points))
        return true;
    /* Both, because the name may end in digits, too. */
    strip(&text, in->locale);
    if (is_made_of(&text, &points))
        return true;
    strip(&points, in->locale);
    return is_made_of(&text, &points);
}

bool
sr_personal_is(const struct sr_personal_in *in, const char *name)
{
    return is_name(in, name, strlen(name));
}

bool
sr_personal_is_word(const struct sr_personal_in *in, const char *gecos)
{
    size_t length;

    if (gecos == NULL)
        return false;
    if (is_name(in, gecos, strcspn(gecos, ",")))
        return true;
    for (; *gecos != '\0'; gecos += length) {
        gecos += strspn(gecos, SEPARATORS);
        length = strcspn(gecos, SEPARATORS);
        if (is_name(in, gecos, length))
            return true;
    }
    return false;
}

bool
sr_personal_is_host(const struct sr_personal_in *in, const char *host)
{
    return host != NULL && (is_name(in, host, strlen(host)) ||
                            is_name(in, host, strcspn(host, ".")));
}
