/*
 * Format: a printed text of one's own, for sentences that are put together.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_TEXT_H
#define SR_POLICY_UTIL_TEXT_H

#include <stddef.h>

/* As snprintf(3), for files that include nothing that can do I/O. */
int sr_text_print(char *text, size_t size, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));

/* As asprintf(3): a new string, or NULL when memory is out. */
char *sr_format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

#endif
