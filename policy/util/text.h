/*
 * Text: formatted strings and lists of strings.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_TEXT_H
#define SR_POLICY_UTIL_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* As snprintf(3), for files that may not include <stdio.h>. */
int sr_text_print(char *text, size_t size, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));

/* As asprintf(3): returns a new string, or NULL when out of memory. */
char *sr_format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* As vasprintf(3), which leaves parts of a long text in freed memory; this does
 * not, so it is for texts that may have a secret.  NULL: out of memory. */
char *sr_format_list(const char *pattern, va_list arguments)
    __attribute__((format(printf, 1, 0)));

/* A list of strings, which belong to it unless its owner says otherwise. */
struct sr_string_list {
    char **item;
    size_t count;
};

/* Whether one of the strings equals `name`. */
bool sr_string_list_has(const struct sr_string_list *list, const char *name);

/* Append a copy of the first `length` bytes of `item`.  Returns 0 or ENOMEM. */
int sr_string_list_add(struct sr_string_list *list, const char *item,
                       size_t length);

/* Free the strings and the list; it is empty afterwards. */
void sr_string_list_free(struct sr_string_list *list);

#endif
