/*
 * Text: formatted strings and lists of strings.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    text = sr_format_list(pattern, arguments);
    va_end(arguments);
    return text;
}

char *
sr_format_list(const char *pattern, va_list arguments)
{
    va_list again;
    char *text = NULL;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, pattern, again);
    va_end(again);
    if (length >= 0)
        text = malloc((size_t)length + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)length + 1, pattern, arguments);
    return text;
}

bool
sr_string_list_has(const struct sr_string_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->item[i], name) == 0)
            return true;
    }
    return false;
}

int
sr_string_list_add(struct sr_string_list *list, const char *item, size_t length)
{
    char **grown = reallocarray(list->item, list->count + 1, sizeof(*grown));

    if (grown == NULL)
        return ENOMEM;
    list->item = grown;
    grown[list->count] = strndup(item, length);
    if (grown[list->count] == NULL)
        return ENOMEM;
    list->count++;
    return 0;
}

void
sr_string_list_free(struct sr_string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->item[i]);
    free(list->item);
    *list = (struct sr_string_list){NULL, 0};
}
