/*
 * Output: messages on standard output and standard error, in lines of at most
 * 72 columns.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/util/utf8.h"
#include "tools/output.h"

#define COLUMNS 72

char *
ctl_clean(const char *text)
{
    size_t size = strlen(text) + 1; /* nothing becomes longer */
    char *clean = malloc(size);

    if (clean != NULL)
        sr_utf8_clean(text, true, clean, size);
    return clean;
}

/* Columns of a word; one for each character is close enough here. */
static unsigned
width_of(const char *word, size_t size)
{
    unsigned width = 0;

    for (size_t i = 0; i < size; i++)
        width += ((unsigned char)word[i] & 0xc0) != 0x80;
    return width;
}

static void
wrap(FILE *stream, const char *first, unsigned indent, const char *text)
{
    unsigned column = width_of(first, strlen(first));
    bool at_start = true;

    fputs(first, stream);
    for (;;) {
        size_t size;
        unsigned width;

        text += strspn(text, " \n");
        size = strcspn(text, " \n");
        if (size == 0)
            break;
        width = width_of(text, size);
        if (!at_start && column + 1 + width > COLUMNS) {
            fprintf(stream, "\n%*s", (int)indent, "");
            column = indent;
            at_start = true;
        }
        if (!at_start) {
            fputc(' ', stream);
            column++;
        }
        fwrite(text, 1, size, stream);
        column += width;
        text += size;
        at_start = false;
    }
    fputc('\n', stream);
}

void
ctl_wrap(FILE *stream, const char *first, unsigned indent, const char *text)
{
    char *clean = ctl_clean(text);
    char *whole = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&whole, &size);

    if (memory != NULL) {
        wrap(memory, first, indent, clean == NULL ? "Out of memory." : clean);
        if (fclose(memory) == 0)
            fwrite(whole, 1, size, stream); /* one write(2) for stderr */
    }
    free(whole);
    free(clean);
}

void
ctl_say_list(FILE *stream, const char *first, const char *format, va_list list)
{
    char *text = NULL;

    if (vasprintf(&text, format, list) < 0)
        text = NULL;
    fflush(stdout);
    ctl_wrap(stream, first, first[0] == '\0' ? 0 : 2,
             text == NULL ? "Out of memory." : text);
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
