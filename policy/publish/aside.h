/*
 * Aside: a snapshot file that is written under another name and then renamed.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_ASIDE_H
#define SR_POLICY_PUBLISH_ASIDE_H

#include <sys/stat.h>

#include "policy/publish/builder.h"
#include "policy/publish/directory.h"

/* "groups.snap." and 16 hexadecimal digits. */
#define SR_ASIDE_NAME 32

struct sr_aside {
    char name[SR_ASIDE_NAME]; /* empty: renamed already */
    int fd; /* locked until its writer has ended; -1: there is no file */
    struct sr_image image;
};

/*
 * Set owner, mode and access list of a file or directory of a view.  `like` is
 * the status of the file whose owner, group and mode the shadow view gets.
 * Returns 0 or a negative errno.
 */
int sr_aside_set_access(const struct sr_publish_how *how,
                        const struct stat *like, enum sr_view view, bool is_dir,
                        int fd);

/* Create the file and lock it.  Returns 0 or a negative errno. */
int sr_aside_open(const struct sr_publish_dir *dir, enum sr_view view,
                  struct sr_aside *aside);

/* Write the image, with owner and mode, and sync it.  Returns 0 or a negative
 * errno. */
int sr_aside_write(const struct sr_publish_how *how, const struct stat *like,
                   enum sr_view view, const struct sr_aside *aside);

/* Remove the file, unless it was renamed, and free the image. */
void sr_aside_drop(const struct sr_publish_dir *dir, struct sr_aside *aside);

/* Remove the files of writers that were killed: those that no process has
 * locked. Under the lock of the directory.  Returns 0 or a negative errno. */
int sr_aside_sweep(const struct sr_publish_dir *dir, enum sr_view view);

#endif
