/*
 * Output: messages on standard output and standard error, in lines of at most
 * 72 columns.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdarg.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "policy/util/fold.h"
#include "policy/util/text.h"
#include "policy/util/utf8.h"
#include "tools/output.h"
#include "tools/words.h"

void
ctl_english(void)
{
    setlocale(LC_MESSAGES, "C");
}

char *
ctl_clean(const char *text)
{
    size_t size = strlen(text) + 1; /* nothing becomes longer */
    char *clean = malloc(size);

    if (clean != NULL)
        sr_utf8_clean(text, true, clean, size);
    return clean;
}

/* The words of a text with one space between, cleaned. */
static char *
clean_words(const char *text)
{
    char *clean = ctl_clean(text);
    char *put = clean;

    for (const char *at = clean; at != NULL; at += strcspn(at, " \n")) {
        at += strspn(at, " \n");
        if (*at == '\0')
            break;
        if (put != clean)
            *put++ = ' ';
        memmove(put, at, strcspn(at, " \n"));
        put += strcspn(at, " \n");
    }
    if (put != NULL)
        *put = '\0';
    return clean;
}

void
ctl_wrap(FILE *stream, const char *first, unsigned indent, const char *text)
{
    char *clean = clean_words(text);
    char *lines = clean == NULL
                      ? NULL
                      : sr_fold_text(clean, sr_fold_columns(first), indent);
    char *whole =
        sr_format("%s%s\n", first, lines == NULL ? _("Out of memory.") : lines);

    if (whole != NULL)
        fputs(whole, stream); /* one write(2) for stderr */
    free(whole);
    free(lines);
    free(clean);
}

int
ctl_pad(const char *text, int columns)
{
    return columns + (int)strlen(text) - (int)sr_fold_columns(text);
}

void
ctl_say_list(FILE *stream, const char *first, const char *format, va_list list)
{
    char *text = NULL;

    if (vasprintf(&text, _(format), list) < 0)
        text = NULL;
    fflush(stdout);
    ctl_wrap(stream, first, first[0] == '\0' ? 0 : 2,
             text == NULL ? _("Out of memory.") : text);
    free(text);
}

void
ctl_error(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    ctl_say_list(stderr, "selfresetctl: ", format, list);
    va_end(list);
}
