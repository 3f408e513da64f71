/*
 * Words: see words.h.
 *
 * A cause is English where it comes into being, since logs have it too: by then
 * it may have become a part of another one, and values are in it.  It is taken
 * apart again by the formats that it can have been made with.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/words.h"

#define VALUES_MAX 8 /* of one format */

/* The formats of policy/, from the template of the catalogues. */
static const char *const formats[] = {
#include "tools/causes.h"
};

/* What libldap says, in English always: ldap_err2string(3). */
__attribute__((unused)) static const char *const of_libldap[] = {
    N_("Can't contact LDAP server"),
    N_("Timed out"),
    N_("Connect error"),
    N_("Bad parameter to an ldap routine"),
    N_("Decoding error"),
    N_("Operations error"),
    N_("Protocol error"),
    N_("Time limit exceeded"),
    N_("Size limit exceeded"),
    N_("Administrative limit exceeded"),
    N_("Confidentiality required"),
    N_("Strong(er) authentication required"),
    N_("No such attribute"),
    N_("Undefined attribute type"),
    N_("Constraint violation"),
    N_("No such object"),
    N_("Invalid DN syntax"),
    N_("Inappropriate authentication"),
    N_("Invalid credentials"),
    N_("Insufficient access"),
    N_("Server is busy"),
    N_("Server is unavailable"),
    N_("Server is unwilling to perform"),
    N_("Object class violation"),
    N_("Already exists"),
    N_("Referral"),
    N_("Unknown authentication method"),
    N_("Critical extension is unavailable"),
};

/* A value in a cause. */
struct value {
    const char *at;
    size_t length;
};

/* The length of what stands for a value in a format ("%s", "%2$s", "%04o"), and
 * its number; 0 where there is none. */
static size_t
placeholder(const char *at, unsigned *number)
{
    size_t length = 1;
    char *end;

    *number = 0;
    if (at[0] != '%' || at[1] == '%')
        return 0;
    if (isdigit((unsigned char)at[1]) && at[1] != '0') {
        *number = (unsigned)strtoul(at + 1, &end, 10);
        if (*end == '$')
            length = (size_t)(end + 1 - at);
        else
            *number = 0;
    }
    length += strspn(at + length, "0123456789.*l");
    return at[length] == '\0' ? 0 : length + 1;
}

/*
 * Whether a text can have been made with a format, and the values.  A format
 * that ends with ": " is only the beginning of a text.
 */
static bool
is_made_with(const char *format, const char *text, struct value *value,
             unsigned left)
{
    unsigned number;
    size_t length;
    bool is_number, is_made = false;

    for (; (length = placeholder(format, &number)) == 0; format++, text++) {
        if (*format == '\0') {
            *value = (struct value){text, strlen(text)};
            return *text == '\0' ||
                   (left > 0 && format[-1] == ' ' && format[-2] == ':');
        }
        if (*format != *text || *text == '\0')
            return false;
    }
    if (left < 2)
        return false;
    is_number = strchr("udo", format[length - 1]) != NULL;
    for (const char *end = text; !is_made; end++) {
        *value = (struct value){text, (size_t)(end - text)};
        is_made = is_made_with(format + length, end, value + 1, left - 1);
        if (*end == '\0' || (is_number && strchr("-0123456789", *end) == NULL))
            break;
    }
    return is_made;
}

/* How many characters of a format are its own. */
static size_t
own_length(const char *format)
{
    size_t own = 0, length;
    unsigned number;

    while (*format != '\0') {
        length = placeholder(format, &number);
        own += length == 0;
        format += length == 0 ? 1 : length;
    }
    return own;
}

static void
put_value(FILE *out, const struct value *value)
{
    char *text = strndup(value->at, value->length);

    if (text != NULL)
        fputs(ctl_words(text), out);
    free(text);
}

/* The translation of a format with its values; NULL when out of memory. */
static char *
compose(const char *format, const struct value *value)
{
    const size_t end = strlen(format);
    const bool is_beginning = end > 1 && strcmp(format + end - 2, ": ") == 0;
    const char *at = dgettext(CTL_WORDS, format);
    unsigned number, next = 0;
    size_t size, length;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    while (*at != '\0') {
        length = placeholder(at, &number);
        if (length > 0)
            put_value(out, &value[number > 0 ? number - 1 : next++]);
        else
            fputc(*at, out);
        at += length == 0 ? 1 : length;
    }
    if (is_beginning) {
        for (next = 0; *format != '\0'; format += length == 0 ? 1 : length) {
            length = placeholder(format, &number);
            next += length > 0;
        }
        put_value(out, &value[next]);
    }
    fclose(out);
    return text;
}

/* The cause in the language of the terminal.  It is kept until the end. */
static const char *
translate_cause(const char *text)
{
    static struct kept {
        struct kept *next;
        char *text;
    } * kept;
    struct value value[VALUES_MAX], best[VALUES_MAX];
    const char *format = NULL;
    struct kept *new;

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if ((format == NULL || own_length(formats[i]) > own_length(format)) &&
            is_made_with(formats[i], text, value, VALUES_MAX)) {
            format = formats[i];
            memcpy(best, value, sizeof(best));
        }
    }
    new = format == NULL ? NULL : malloc(sizeof(*new));
    if (new == NULL)
        return text;
    *new = (struct kept){kept, compose(format, best)};
    kept = new;
    return new->text == NULL ? text : new->text;
}

const char *
ctl_words(const char *text)
{
    const char *found = text;

    if (text[0] != '\0')
        found = dgettext(CTL_WORDS, text);
    if (found == text && text[0] != '\0')
        found = dgettext("libc", text);
    /* The header of the catalogue: in English there is none. */
    if (found == text && dgettext(CTL_WORDS, "")[0] != '\0')
        found = translate_cause(text);
    return found;
}
