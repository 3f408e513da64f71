/*
 * Number: telephone numbers in the international form of ITU-T E.164.
 *
 * A number is "+", the country's code, which does not begin with 0, and the
 * national number: 8 to 15 digits in all.  Nothing is guessed: a number without
 * "+", with an extension or with the "(0)" of national notation is none.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_NUMBER_H
#define SR_POLICY_UTIL_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/util/text.h"

/* Bytes of a number, its "+" and its end included. */
#define SR_NUMBER_MAX 17

/*
 * Read a number as it was typed.  Single spaces, "-" and "." between digits are
 * left out; anything else that is no digit is refused, and so are digits of
 * other scripts.  On false `out` is empty.
 */
bool sr_number_read(const char *typed, char out[SR_NUMBER_MAX]);

/* Write a number so that its owner knows it and no other person can call it:
 * the first two and the last two digits ("+49********67"). */
void sr_number_mask(const char *number, char out[SR_NUMBER_MAX]);

/* Whether the first `length` bytes of an item are a prefix: "+" and 1 to 15
 * digits, of which the first is not 0; with "!" before it, one that is refused.
 */
bool sr_number_is_prefix(const char *item, size_t length);

/* Whether the longest prefix of the list that the number begins with allows it;
 * of two that are as long, the one that refuses.  False: none fits. */
bool sr_number_is_allowed(const char *number,
                          const struct sr_string_list *prefixes);

#endif
