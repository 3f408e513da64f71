/*
 * Shadow: the local shadow file, which shadow's own programs write for us.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_SHADOW_H
#define SR_TOOLS_SHADOW_H

#include <stdbool.h>

#include "policy/decide/facts.h"

/* What a change here can alter, to be put back when it fails half way. */
struct shadow_line {
    char *hash;   /* wiped by shadow_free() */
    long changed; /* day of the last change; -1: the field is empty */
};

/*
 * Read a name's line of the file itself: an account that a directory provides
 * has none.  CTL_OK, or an exit code after saying why.  Free the line whatever
 * the result.
 */
int shadow_find(const char *name, struct shadow_line *line);

/* The same, where a name without a line is no error: its hash is NULL. */
int shadow_read(const char *name, struct shadow_line *line);

/* Wipe and free. */
void shadow_free(struct shadow_line *line);

/* Write the hash, by chpasswd(8).  0, or -1 after saying why. */
int shadow_set_hash(const char *name, const char *hash);

/* Write the day of the last change, by chage(1); -1 empties the field. */
int shadow_set_changed(const char *name, long day);

/* The day of shadow(5) that a time is in. */
long shadow_day(sr_time when);

#endif
