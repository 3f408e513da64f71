/*
 * Format: a printed text of one's own, for sentences that are put together.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_TEXT_H
#define SR_POLICY_UTIL_TEXT_H

/* As asprintf(3): a new string, or NULL when memory is out. */
char *sr_format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

#endif
