/*
 * UTF-8: how long the character at a place is.  Pure.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_UTF8_H
#define SR_TOOLS_UTF8_H

#include <stddef.h>

/*
 * The bytes of the character at `text`, which is not at its end: 1 to 4, or 0
 * when it is not UTF-8 (overlong, a surrogate, beyond U+10FFFF, cut short).
 */
size_t utf8_size(const char *text);

#endif
