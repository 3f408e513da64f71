/*
 * Picture: a text as a QR code of plain characters, for an app's camera.
 *
 * By libqrencode (ISO/IEC 18004), with the least correction of errors, since a
 * screen has none and the code has to fit on it.  Light modules are written as
 * characters and dark ones as spaces: most terminals are dark, and apps read
 * both.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_PICTURE_H
#define SR_POLICY_RESET_PICTURE_H

#include <stdbool.h>

#define SR_PICTURE_COLUMNS 72
/* Bytes of a line with its end; a character of UTF-8 has up to 3. */
#define SR_PICTURE_LINE (3 * SR_PICTURE_COLUMNS + 1)

/* Whether this build can make them. */
bool sr_picture_is_there(void);

/*
 * Pass the lines of the picture of a text on, one after the other; no line
 * begins or ends with a space.  `is_utf8`: by half blocks, of which one is two
 * modules; otherwise by "##" for one.  False: it needs more than 72 columns, or
 * cannot be made.
 */
bool sr_picture(const char *text, bool is_utf8,
                void (*take)(void *context, const char *line), void *context);

#endif
