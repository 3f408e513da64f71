/*
 * Secret input: reads a password from the standard input.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_SECRET_INPUT_H
#define SR_TOOLS_SECRET_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Read one line without its end into `out`, of at most size - 1 bytes; the rest
 * of a longer line is read and dropped.  On a terminal `prompt` is written to
 * standard error and what is typed is not shown.  *is_cut: the line
 * was longer, or had a NUL byte.  False at the end of the input.
 */
bool ctl_read_secret(const char *prompt, char *out, size_t size, bool *is_cut);

#endif
