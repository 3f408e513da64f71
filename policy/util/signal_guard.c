/*
 * Signal guard: keeps the user who started a process from stopping it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "policy/util/signal_guard.h"

#define UNCHANGED ((uid_t)-1)

int
sr_signal_guard_begin(struct sr_signal_guard *guard)
{
    uid_t saved_uid;
    sigset_t all;
    int error;

    sigfillset(&all);
    error = pthread_sigmask(SIG_SETMASK, &all, &guard->mask);
    if (error != 0)
        return -error;
    /* First set it to what it is: a uid that this user namespace does not know
     * could not be given back. */
    if (getresuid(&guard->real_uid, &guard->effective_uid, &saved_uid) != 0 ||
        (guard->effective_uid == 0 && guard->real_uid != 0 &&
         (setresuid(guard->real_uid, UNCHANGED, UNCHANGED) != 0 ||
          setresuid(0, UNCHANGED, UNCHANGED) != 0))) {
        error = errno;
        pthread_sigmask(SIG_SETMASK, &guard->mask, NULL);
        return -error;
    }
    guard->is_up = true;
    return 0;
}

void
sr_signal_guard_end(struct sr_signal_guard *guard)
{
    if (!guard->is_up)
        return;
    guard->is_up = false;
    /* First the uid: a handler must find the process as it knows it.  It could
     * be set before; should it fail all the same, the program must not run on
     * with root's. */
    if (guard->effective_uid == 0 && guard->real_uid != 0 &&
        setresuid(guard->real_uid, UNCHANGED, UNCHANGED) != 0)
        _exit(EXIT_FAILURE);
    pthread_sigmask(SIG_SETMASK, &guard->mask, NULL);
}

void
sr_signal_guard_lift_fsize(struct rlimit *before)
{
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    struct rlimit most;

    if (getrlimit(RLIMIT_FSIZE, before) != 0) {
        *before = none;
        return;
    }
    if (before->rlim_cur == RLIM_INFINITY ||
        setrlimit(RLIMIT_FSIZE, &none) == 0)
        return;
    most.rlim_cur = before->rlim_max;
    most.rlim_max = before->rlim_max;
    if (setrlimit(RLIMIT_FSIZE, &most) != 0)
        errno = EPERM; /* then the write will say EFBIG */
}

void
sr_signal_guard_restore_fsize(const struct rlimit *before)
{
    const struct timespec at_once = {0, 0};
    sigset_t fsize;

    if (before->rlim_cur == RLIM_INFINITY)
        return;
    sigemptyset(&fsize);
    sigaddset(&fsize, SIGXFSZ);
    while (sigtimedwait(&fsize, NULL, &at_once) == SIGXFSZ)
        continue;
    if (setrlimit(RLIMIT_FSIZE, before) != 0)
        errno = EPERM; /* lowering is always allowed */
}
