/*
 * Output: messages on standard output and standard error, in lines of at most
 * 72 columns.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_OUTPUT_H
#define SR_TOOLS_OUTPUT_H

#include <stdarg.h>
#include <stdio.h>

/*
 * A copy of `text`, which may come from a directory or a user, without what a
 * terminal would interpret.  Line ends are kept.  NULL when out of memory; free
 * it.
 */
char *ctl_clean(const char *text);

/*
 * Write the words of `text` in lines of at most 72 columns: the first line
 * begins with `first`, each other one with `indent` spaces.  The message is
 * written at once, so that messages of several processes do not mix.
 */
void ctl_wrap(FILE *stream, const char *first, unsigned indent,
              const char *text);

/* For "%-*s": the width that fills so many columns with a text that may have
 * wide characters, or several bytes for one. */
int ctl_pad(const char *text, int columns);

/* A message, translated and wrapped, after what is on standard output already:
 * its first line begins with `first`. */
void ctl_say_list(FILE *stream, const char *first, const char *format,
                  va_list list) __attribute__((format(printf, 3, 0)));

/* The same on standard error, after the name of the program. */
void ctl_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
