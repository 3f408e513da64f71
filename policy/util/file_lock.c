/*
 * Lock: an open-file-description lock, and a bounded wait for it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "policy/util/clock.h"
#include "policy/util/file_lock.h"

#define NAP_MAX 16 /* milliseconds */

#define NANOSECONDS 1000000 /* in a millisecond */

void
sr_nap(unsigned least, unsigned most)
{
    struct timespec length;
    int64_t whole;

    /* The clock's last digits are the dice. */
    clock_gettime(CLOCK_MONOTONIC, &length);
    whole = (int64_t)least * NANOSECONDS +
            length.tv_nsec / 1000 % 1000 * (most - least) * 1000;
    length.tv_sec = (time_t)(whole / (1000 * NANOSECONDS));
    length.tv_nsec = (long)(whole % (1000 * NANOSECONDS));
    nanosleep(&length, NULL);
}

static int
set(int fd, short type)
{
    struct flock whole = {.l_type = type, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

int
sr_file_lock_take(int fd, bool is_exclusive, unsigned wait_ms)
{
    const short type = is_exclusive ? F_WRLCK : F_RDLCK;
    const int64_t until = sr_clock_milliseconds() + wait_ms;
    int error = set(fd, type);

    for (unsigned most = 2; error == -EAGAIN;) {
        if (sr_clock_milliseconds() >= until)
            return error;
        sr_nap(1, most);
        most += most < NAP_MAX ? 1 : 0;
        error = set(fd, type);
    }
    return error;
}

void
sr_file_lock_give(int fd)
{
    set(fd, F_UNLCK);
}
