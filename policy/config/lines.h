/*
 * Lines: splits the bytes of a configuration file into sections, keys and
 * continuation lines.  Pure; no line is too long.
 *
 *   # or ; at the beginning of a line: a comment.  After a space and outside of
 *          double quotes they end the line.
 *   [NAME] a section.
 *   K = V  a key and its value (":" is taken for "=").
 *   An indented line after a key continues its value.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_LINES_H
#define SR_POLICY_CONFIG_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum sr_line_kind {
    SR_LINE_END,     /* there are no more lines */
    SR_LINE_SECTION, /* `text` is what is between the brackets */
    SR_LINE_KEY,     /* `name` and `text` */
    SR_LINE_MORE,    /* `text` continues the value of the last key */
    SR_LINE_FAULT,   /* `text` is what is wrong; `name` is the line, or "" */
};

/* Strings are without spaces around them, and point into the bytes; NULL at the
 * end. */
struct sr_line {
    enum sr_line_kind kind;
    unsigned number; /* from 1 */
    char *name;
    const char *text;
};

struct sr_lines {
    char *at, *end;
    unsigned number;
    bool has_key; /* since the section began */
};

/* Begin with `size` bytes, which are changed; bytes[size] must exist. */
void sr_lines_begin(struct sr_lines *lines, char *bytes, size_t size);

/* The next line that is neither empty nor a comment. */
struct sr_line sr_lines_next(struct sr_lines *lines);

#endif
