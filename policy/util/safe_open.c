/*
 * Files: opens the few files that are root's own, safely in any process.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "policy/util/safe_open.h"

#define FIRST_FREE 3 /* after standard input, output and error */

int
sr_standard_fds_avoid(int fd, bool *found_low)
{
    int moved;

    if (fd < 0)
        return -errno;
    if (fd >= FIRST_FREE)
        return fd;
    if (found_low != NULL)
        *found_low = true;
    moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
    if (moved < 0)
        moved = -errno;
    close(fd);
    return moved;
}

static int
create(int dir, const char *path, int flags, bool *found_low)
{
    int fd = sr_standard_fds_avoid(openat(dir, path, flags | O_EXCL, 0600),
                                   found_low);
    int error;

    if (fd >= 0 && fchmod(fd, 0600) != 0) { /* the umask took bits away */
        error = -errno;
        close(fd);
        fd = error;
    }
    return fd;
}

int
sr_safe_open_at(int dir, const char *path, int flags, bool *found_low)
{
    int fd;

    /* What is no file, such as a FIFO, is refused later, and not waited for. */
    flags |= O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    fd = sr_standard_fds_avoid(openat(dir, path, flags & ~O_CREAT, 0),
                               found_low);
    if (fd != -ENOENT || (flags & O_CREAT) == 0)
        return fd;
    fd = create(dir, path, flags, found_low);
    if (fd == -EEXIST) /* another process was quicker */
        fd = sr_standard_fds_avoid(openat(dir, path, flags & ~O_CREAT, 0),
                                   found_low);
    return fd;
}

int
sr_safe_open(const char *path, int flags, bool *found_low)
{
    return sr_safe_open_at(AT_FDCWD, path, flags, found_low);
}

int
sr_safe_make_dir(const char *path, mode_t mode)
{
    if (mkdir(path, SR_SAFE_OF_ROOT) != 0)
        return errno == EEXIST ? 0 : -errno;
    return chmod(path, mode) == 0 ? 0 : -errno;
}

bool
sr_safe_open_check(const struct stat *status, mode_t kind, mode_t forbidden)
{
    return (status->st_mode & S_IFMT) == kind &&
           (status->st_mode & forbidden) == 0 &&
           (status->st_uid == 0 || status->st_uid == geteuid()) &&
           (kind == S_IFDIR || status->st_nlink <= 1);
}

int
sr_standard_fds_plug(void)
{
    int fd;

    /* A path descriptor to the root can neither be read nor written, and is
     * there even where /dev is not. */
    while ((fd = open("/", O_PATH | O_CLOEXEC)) >= 0 && fd < FIRST_FREE)
        ;
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}
