/*
 * Signal guard: keeps the user who started a process from stopping it while it
 * holds a lock that all processes need.
 *
 * A set-user-ID program belongs, for kill(2), to the user who started it: he
 * could stop it in the middle and hold up every login of the host.  Under the
 * guard every signal that can be blocked is blocked, and a set-user-ID program
 * has root's real uid, so that the user's SIGSTOP and SIGKILL are refused.
 * (The freezer of a control group that was delegated to a user stays; waits for
 * a lock are bounded because of that.)
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_SIGNAL_GUARD_H
#define SR_POLICY_UTIL_SIGNAL_GUARD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct sr_signal_guard {
    bool is_up;
    sigset_t mask;  /* of the thread before */
    uid_t real_uid; /* of the process before */
    uid_t effective_uid;
};

/*
 * Begin it.  Returns 0, or a negative errno when the real uid of a
 * set-user-ID program cannot be changed; then nothing is changed.
 */
int sr_signal_guard_begin(struct sr_signal_guard *guard);

/* Lower it: everything is as it was before.  Not raised: no-op.  A process
 * whose real uid cannot be given back is ended. */
void sr_signal_guard_end(struct sr_signal_guard *guard);

/*
 * Lift RLIMIT_FSIZE as far as this process may; `before` gets what was.  Only
 * under a signal guard, which blocks SIGXFSZ.
 */
void sr_signal_guard_lift_fsize(struct rlimit *before);

/* Put RLIMIT_FSIZE back, and throw away a SIGXFSZ that came meanwhile. */
void sr_signal_guard_restore_fsize(const struct rlimit *before);

#endif
