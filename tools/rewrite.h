/*
 * Rewrite: replaces a system file in one step, with all that belongs to it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_REWRITE_H
#define SR_TOOLS_REWRITE_H

#include <limits.h>
#include <sys/stat.h>

/* A file that was read to be written. */
struct rewrite {
    char path[PATH_MAX]; /* of the file itself, links followed */
    struct stat status;  /* as it was read */
    char *text;
};

/*
 * Read a file of root's; links are followed.  Returns NULL, or a sentence that
 * says why not.  End it with rewrite_end(), or take the text.
 */
const char *rewrite_read(const char *path, struct rewrite *file);

/*
 * Put `text` in its place: written aside with the same owner, mode and extended
 * attributes, synced, and renamed.  Refused where others than root can write
 * the file or its folder, and when the file is not the one that was read.
 * Returns NULL, or a sentence that says why not.
 */
const char *rewrite_replace(const struct rewrite *file, const char *text);

/*
 * Make a file of mode 0644 with this text, or replace one, in the same way.
 */
const char *rewrite_make(const char *path, const char *text);

/*
 * Keep what was read beside the file, under its name with `ending` added, in
 * the same way.  An older file of that name is replaced.
 */
const char *rewrite_keep(const struct rewrite *file, const char *ending);

/* For __attribute__((cleanup)). */
void rewrite_end(struct rewrite *file);

#endif
