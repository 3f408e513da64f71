/*
 * UTF-8: the little that cleaning and folding text needs.  Pure, and
 * independent of the process's locale, which is not ours.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTF8_H
#define SR_POLICY_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decode the character at `text` (NUL-terminated).  Returns its length in
 * bytes, or 0 when the bytes there are not valid UTF-8 or the text ends.
 */
size_t sr_utf8_next(const char *text, uint32_t *point);

/* True for control characters: C0, DEL, C1, and the line and paragraph
 * separators and direction marks that can forge or reorder a line. */
bool sr_utf8_is_control(uint32_t point);

/*
 * Copy `text` into `out` (size bytes with the end, at least 1): control
 * characters and invalid bytes become '?', and what does not fit is cut between
 * characters.  With `keep_lines` line ends stay.
 */
void sr_utf8_clean(const char *text, bool keep_lines, char *out, size_t size);

#endif
