/*
 * Aside: a snapshot file that is written under another name and then renamed.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "policy/publish/aside.h"
#include "policy/util/file_lock.h"
#include "policy/util/io.h"
#include "policy/util/safe_open.h"

/* The mode of a view: of a file, or of a directory with search for all who may
 * read. */
static mode_t
view_mode(const struct sr_publish_how *how, const struct stat *like,
          enum sr_view view, bool is_dir)
{
    mode_t mode = how->is_public ? 0644 : 0640;

    if (view == SR_VIEW_SHADOW)
        mode = like->st_mode & 0644;
    return is_dir ? mode | 0700 | (mode & 044) >> 2 : mode;
}

int
sr_aside_set_access(const struct sr_publish_how *how, const struct stat *like,
                    enum sr_view view, bool is_dir, int fd)
{
    const mode_t mode = view_mode(how, like, view, is_dir);
    const uid_t owner = view == SR_VIEW_SHADOW ? like->st_uid : 0;
    const gid_t group = view == SR_VIEW_SHADOW ? like->st_gid : 0;
    struct stat status;

    if (fstat(fd, &status) != 0)
        return -errno;
    /* A process that is not root, in a directory of its own, changes no owner.
     */
    if (geteuid() == 0 && (status.st_uid != owner || status.st_gid != group) &&
        fchown(fd, owner, group) != 0)
        return -errno;
    if (fchmod(fd, mode) != 0)
        return -errno;
    return how->grant != NULL ? how->grant(fd, view, is_dir, how->is_public)
                              : 0;
}

int
sr_aside_open(const struct sr_publish_dir *dir, enum sr_view view,
              struct sr_aside *aside)
{
    uint64_t number;

    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return -EIO;
    snprintf(aside->name, sizeof(aside->name), "%s.%016llx",
             sr_publish_dir_snapshot_name(view), (unsigned long long)number);
    aside->fd = sr_safe_open_at(dir->dir, aside->name, O_RDWR | O_CREAT, NULL);
    return aside->fd < 0 ? aside->fd : sr_file_lock_take(aside->fd, true, 0);
}

void
sr_aside_drop(const struct sr_publish_dir *dir, struct sr_aside *aside)
{
    if (aside->fd >= 0) {
        if (aside->name[0] != '\0')
            unlinkat(dir->dir, aside->name, 0);
        close(aside->fd);
    }
    sr_image_free(&aside->image);
}

int
sr_aside_write(const struct sr_publish_how *how, const struct stat *like,
               enum sr_view view, const struct sr_aside *aside)
{
    const struct sr_image *image = &aside->image;
    uint8_t page[SR_SNAPSHOT_PAGE] = {0};
    int error = sr_aside_set_access(how, like, view, false, aside->fd);

    sr_header_encode(&image->header, page);
    sr_uptime_encode(&image->header, &image->uptime,
                     page + SR_SNAPSHOT_UPTIME_AT);
    if (error == 0)
        error = sr_write_all(aside->fd, page, sizeof(page));
    if (error == 0)
        error = sr_write_all(aside->fd, image->buckets, image->size);
    if (error == 0 && fsync(aside->fd) != 0)
        error = -errno;
    return error;
}

static int
sweep_one(void *context, enum sr_view view, const char *name)
{
    const struct sr_publish_dir *dir = context;
    const char *start = sr_publish_dir_snapshot_name(view);
    const size_t length = strlen(start);
    int fd;

    if (strncmp(name, start, length) != 0 || name[length] != '.')
        return 0;
    fd = sr_safe_open_at(dir->dir, name, O_RDWR, NULL);
    if (fd < 0)
        return 0;
    if (sr_file_lock_take(fd, true, 0) == 0)
        unlinkat(dir->dir, name, 0);
    close(fd);
    return 0;
}

int
sr_aside_sweep(const struct sr_publish_dir *dir, enum sr_view view)
{
    struct sr_publish_dir copy = *dir;

    return sr_publish_dir_each(dir->dir, view, sweep_one, &copy);
}
