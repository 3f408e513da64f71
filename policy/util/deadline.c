/*
 * Deadline: points in time until which an operation may wait.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "policy/util/deadline.h"

int64_t
sr_deadline_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
sr_deadline_left(int64_t end)
{
    const int64_t left = end - sr_deadline_now();

    return left > INT32_MAX ? INT32_MAX : left < 0 ? 0 : (int)left;
}

int
sr_deadline_await(int fd, short events, int64_t end)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int ready;

    do {
        ready = poll(&poll_fd, 1, sr_deadline_left(end));
    } while (ready < 0 && errno == EINTR);
    return ready > 0 ? 0 : ready == 0 ? -ETIMEDOUT : -errno;
}
