/*
 * Spelling: names that differ only by what a name service puts around or
 * between their parts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_SPELLING_H
#define SR_POLICY_UTIL_SPELLING_H

#include <stdbool.h>

/* Room for the parts of a name, and the most of them. */
#define SR_SPELLING_SIZE      256
#define SR_SPELLING_PARTS_MAX 8

/*
 * The parts of a name, which are the runs of other characters than ASCII
 * punctuation, space and control characters: each behind "::", ASCII letters in
 * lower case, each run of other characters than ASCII as one '?'.  False: it
 * has none, or too many or too long ones.
 */
bool sr_spelling_parts(const char *name, char parts[SR_SPELLING_SIZE]);

/* Whether a name is `of` in another spelling, as far as both show: it has all
 * parts of the other, one behind the other. */
bool sr_is_spelling(const char *name, const char *of);

#endif
