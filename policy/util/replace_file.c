/*
 * Replace file: what has to be done so that a file is replaced in one step, and
 * by one that belongs to the same.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "policy/util/replace_file.h"

static int
copy_attributes(int from, int to)
{
    char names[4096], value[4096];
    ssize_t size = flistxattr(from, names, sizeof(names));

    if (size < 0)
        return errno == ENOTSUP ? 0 : -errno;
    for (const char *name = names; name < names + size;
         name += strlen(name) + 1) {
        ssize_t length = fgetxattr(from, name, value, sizeof(value));

        if (length < 0 || fsetxattr(to, name, value, (size_t)length, 0) != 0)
            return -errno;
    }
    return 0;
}

int
sr_replace_file_copy_owner(int from, int to)
{
    struct stat status;

    if (fstat(from, &status) != 0 ||
        fchown(to, status.st_uid, status.st_gid) != 0 ||
        fchmod(to, status.st_mode & 07777) != 0)
        return -errno;
    return copy_attributes(from, to);
}

int
sr_replace_file_sync_folder(const char *path)
{
    char folder[PATH_MAX];
    char *slash;
    int fd, error;

    if ((size_t)snprintf(folder, sizeof(folder), "%s", path) >= sizeof(folder))
        return -ENAMETOOLONG;
    slash = strrchr(folder, '/');
    if (slash == NULL)
        return -EINVAL;
    slash[slash == folder] = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    error = fsync(fd) != 0 ? -errno : 0;
    close(fd);
    return error;
}

int
sr_replace_file(const char *aside, const char *path, const char *like)
{
    int from = open(like, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    int to = open(aside, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    int error = from < 0 || to < 0 ? -errno : 0;

    if (error == 0)
        error = sr_replace_file_copy_owner(from, to);
    if (error == 0 && (fsync(to) != 0 || rename(aside, path) != 0))
        error = -errno;
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return error == 0 ? sr_replace_file_sync_folder(path) : error;
}
