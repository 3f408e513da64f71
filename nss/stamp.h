/*
 * Stamp: whether the local files that a run reads have changed since it began.
 *
 * A unit that starts a run for each change starts none for a change during a
 * run, so the run itself finds out whether it has to be repeated.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_STAMP_H
#define SR_NSS_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>

#define STAMP_FILES 10

struct stamp {
    struct stat status[STAMP_FILES];
    bool is_recent; /* a file was written within a tick of the clock */
};

/* Note the state of all files.  Waits for the next tick of the clock when one
 * was written within the last. */
void stamp_take(struct stamp *stamp);

/*
 * Whether a file may have changed since.  Times of files have the resolution of
 * the kernel's clock tick, so a file that was written within a tick of
 * stamp_take() counts as changed.
 */
bool stamp_is_old(const struct stamp *stamp);

#endif
