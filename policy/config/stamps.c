/*
 * Stamps: whether files and folders are still as they were when they were read.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/config/stamps.h"

#define COARSE 2 /* seconds: the ticks of the coarsest file system */

struct sr_stamp {
    char *path;
    bool is_there;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

void
sr_stamps_add(struct sr_stamps *stamps, const char *path,
              const struct stat *status)
{
    struct sr_stamp *grown =
        reallocarray(stamps->item, stamps->count + 1, sizeof(*grown));
    struct sr_stamp stamp = {.path = strdup(path), .is_there = status != NULL};

    if (grown != NULL)
        stamps->item = grown;
    if (grown == NULL || stamp.path == NULL) {
        free(stamp.path);
        stamps->is_unsure = true;
        return;
    }
    if (status != NULL) {
        stamp.device = status->st_dev;
        stamp.inode = status->st_ino;
        stamp.size = status->st_size;
        stamp.changed = status->st_ctim;
        if (status->st_ctim.tv_sec >= time(NULL) - COARSE)
            stamps->is_unsure = true;
    }
    grown[stamps->count++] = stamp;
}

static bool
is_current(const struct sr_stamp *stamp)
{
    struct stat now;

    if (lstat(stamp->path, &now) != 0)
        return !stamp->is_there && errno == ENOENT;
    return stamp->is_there && now.st_dev == stamp->device &&
           now.st_ino == stamp->inode && now.st_size == stamp->size &&
           now.st_ctim.tv_sec == stamp->changed.tv_sec &&
           now.st_ctim.tv_nsec == stamp->changed.tv_nsec;
}

bool
sr_stamps_are_current(const struct sr_stamps *stamps)
{
    bool are = !stamps->is_unsure;

    for (size_t i = 0; are && i < stamps->count; i++)
        are = is_current(&stamps->item[i]);
    return are;
}

void
sr_stamps_free(struct sr_stamps *stamps)
{
    for (size_t i = 0; i < stamps->count; i++)
        free(stamps->item[i].path);
    free(stamps->item);
    *stamps = (struct sr_stamps){.item = NULL};
}
