/*
 * Lock: an exclusive or shared open-file-description lock on a whole file, and
 * a wait for it that is bounded.
 *
 * The kernel releases the lock when the process dies.  Neither signals nor
 * threads can end a wait in a process that is not ours, so the lock is asked
 * for again and again, at growing, uneven intervals.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_FILE_LOCK_H
#define SR_POLICY_UTIL_FILE_LOCK_H

#include <stdbool.h>

/*
 * Take the lock, exclusive or shared, waiting `wait_ms` at most; 0 asks once.
 * Returns 0, -EAGAIN when it was not had in time, or another negative errno.
 */
int sr_file_lock_take(int fd, bool is_exclusive, unsigned wait_ms);

/* Give it back. */
void sr_file_lock_give(int fd);

/* Sleep from `least` to less than `most` milliseconds, unevenly, so that not
 * all who wait wake at once. */
void sr_nap(unsigned least, unsigned most);

#endif
