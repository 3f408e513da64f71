/*
 * Files: opens the few files that are root's own, safely in any process.
 *
 * The caller's umask, its closed standard descriptors and any link or file that
 * another user may have put at the path are all taken for hostile.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_SAFE_OPEN_H
#define SR_POLICY_UTIL_SAFE_OPEN_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * Open `path` with open(2) flags, never through a link, closed on exec, and as
 * descriptor 3 or higher.  With O_CREAT the file is made 0600 whatever the
 * umask.  `found_low` (may be NULL) gets true when one of 0, 1, 2 is closed.
 * Returns the descriptor or a negative errno.
 */
int sr_safe_open(const char *path, int flags, bool *found_low);

/* The same, with `path` relative to the directory `dir`. */
int sr_safe_open_at(int dir, const char *path, int flags, bool *found_low);

/*
 * Make a directory of that mode, whatever the umask.  One that exists is no
 * error, and keeps its mode.  Returns 0 or a negative errno.
 */
int sr_safe_make_dir(const char *path, mode_t mode);

/* The mode of RUNDIR, where users reach the helper's sockets, and of all other
 * directories. */
#define SR_SAFE_OF_ALL  0755
#define SR_SAFE_OF_ROOT 0700

/*
 * Whether only root, or the process's own user, can have made and can change
 * it: `kind` is S_IFDIR or S_IFREG, `forbidden` the mode bits that must
 * be clear.  A file has one name at most; it has none when another process has
 * replaced it since it was opened.
 */
bool sr_safe_open_check(const struct stat *status, mode_t kind,
                        mode_t forbidden);

/*
 * Fill the closed ones among descriptors 0, 1, 2, so that a library that opens
 * files by itself gets none of them.  Returns 0 or a negative errno.
 */
int sr_standard_fds_plug(void);

/*
 * Replace a new descriptor that is 0, 1 or 2, which the caller had closed, by
 * one that is 3 or higher and closed on exec.  found_low, if not NULL, is set
 * then.  A negative descriptor is that of a call that failed.  Returns the
 * descriptor or a negative errno.
 */
int sr_standard_fds_avoid(int fd, bool *found_low);

#endif
