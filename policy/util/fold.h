/*
 * Fold: texts in lines of at most 72 columns, as a terminal shows them: a wide
 * character has two columns, a combining one none.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_FOLD_H
#define SR_POLICY_UTIL_FOLD_H

#include <stddef.h>

/*
 * A new string with the text in lines; NULL when out of memory.  Line ends of
 * the text stay.  `first` columns of the first line are taken, and each line
 * that is added begins with `indent` spaces, and two more in an item of a list
 * ("- ...").  The thread's locale does not count.
 */
char *sr_fold_text(const char *text, size_t first, size_t indent);

/* The columns of a text of one line. */
size_t sr_fold_columns(const char *text);

#endif
