/*
 * Deadline: points in time until which an operation may wait.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_DEADLINE_H
#define SR_POLICY_UTIL_DEADLINE_H

#include <stdint.h>

/* Now, as milliseconds of CLOCK_BOOTTIME, which runs on while the host is
 * suspended and which cannot be set. */
int64_t sr_deadline_now(void);

/* Milliseconds until `end`, as poll(2) takes them; 0 when it has passed. */
int sr_deadline_left(int64_t end);

/* Wait until a descriptor is ready for `events` of poll(2).  Returns 0 or a
 * negative errno; -ETIMEDOUT when the deadline passed. */
int sr_deadline_await(int fd, short events, int64_t end);

#endif
