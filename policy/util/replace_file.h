/*
 * Replace file: what has to be done so that a file is replaced in one step, and
 * by one that belongs to the same.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_REPLACE_FILE_H
#define SR_POLICY_UTIL_REPLACE_FILE_H

#include <sys/stat.h>

/* Give an open file the owner, the mode, the labels and the access lists of
 * another one.  Returns 0 or a negative errno. */
int sr_replace_file_copy_owner(int from, int to);

/* Have the directory of `path` on disk, with the names in it.  Returns 0 or a
 * negative errno. */
int sr_replace_file_sync_folder(const char *path);

/*
 * Put the file `aside`, which is in the same directory, in place of `path`:
 * with the owner and all that of the file `like`, and on disk.  A failure
 * leaves `path` as it is, and `aside` to the caller.  Returns 0 or a negative
 * errno.
 */
int sr_replace_file(const char *aside, const char *path, const char *like);

#endif
