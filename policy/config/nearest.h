/*
 * Nearest: which known word was probably meant by an unknown one.  Pure.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_NEAREST_H
#define SR_POLICY_CONFIG_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/config/errors.h"

/* More than any two words that nearest compares differ by. */
#define SR_NEAREST_NEVER 100u

/*
 * In how many places two words differ: letters that are missing, too many,
 * wrong or swapped with their neighbour.  Case does not count, and "-" is "_".
 * SR_NEAREST_NEVER when they differ in more than a third of the longer one.
 */
unsigned sr_nearest_distance(const char *a, const char *b);

/* Whether they are nearer to each other than *best, which is then set. */
bool sr_nearest_is(const char *a, const char *b, unsigned *best);

/*
 * What replaces a key of pam_faillock, pam_pwquality, pam_pwhistory or
 * login.defs, as a sentence in the language of `errors`.  False: it is none of
 * them.
 */
bool sr_nearest_foreign(const struct sr_config_errors *errors, const char *name,
                        char *out, size_t size);

#endif
