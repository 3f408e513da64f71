/*
 * I/O: reading and writing as many bytes as are wanted.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <unistd.h>

#include "policy/util/io.h"

int
sr_write_all(int fd, const void *bytes, size_t size)
{
    for (const char *at = bytes; size > 0;) {
        const ssize_t done = TEMP_FAILURE_RETRY(write(fd, at, size));

        if (done <= 0)
            return done < 0 ? -errno : -ENOSPC;
        at += done;
        size -= (size_t)done;
    }
    return 0;
}

ssize_t
sr_read_all(int fd, void *bytes, size_t size)
{
    size_t have = 0;
    ssize_t got = 1;

    while (have < size && got > 0) {
        got = TEMP_FAILURE_RETRY(read(fd, (char *)bytes + have, size - have));
        have += got > 0 ? (size_t)got : 0;
    }
    return got < 0 ? -errno : (ssize_t)have;
}
