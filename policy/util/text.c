/*
 * Format: a printed text of one's own.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>

#include "policy/util/text.h"

int
sr_text_print(char *text, size_t size, const char *pattern, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, pattern);
    length = vsnprintf(text, size, pattern, arguments);
    va_end(arguments);
    return length;
}

char *
sr_format(const char *pattern, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, pattern);
    if (vasprintf(&text, pattern, arguments) < 0)
        text = NULL;
    va_end(arguments);
    return text;
}
