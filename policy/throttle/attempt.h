/*
 * Attempt: one throttled verification of a password: take a slot, verify,
 * settle, answer.  The answer leaves only after the outcome is on disk.
 *
 *   struct sr_attempt *attempt;
 *   if (sr_attempt_begin(NULL, NULL, &subject, false, &attempt) == SR_BEGIN_GO)
 *       settled = sr_attempt_settle(attempt, is_right ? SR_OUTCOME_RIGHT
 *                                                     : SR_OUTCOME_WRONG);
 *   sr_attempt_free(attempt, false);
 *
 * To begin, the two ledgers that count are read (the account's, or the unknown
 * name's; and the source's, unless the attempt comes from a session or
 * source of the account's own): a free slot of each is locked, read again, and
 * marked as taken.  A wrong password leaves the slot marked as failed; a right
 * one clears the account's ledger.  A process that dies in between leaves its
 * slot marked as taken, which is a failure.  So no more than `attempts`
 * passwords are verified in a window, whenever processes are stopped, frozen or
 * killed; and since nothing but slots is locked, such a process costs no other
 * login anything but one slot of the same ledger.
 *
 * A verification that takes longer than SR_VERIFICATION_MAX has failed and its
 * answer is not given.  Where every slot is held by processes that no longer
 * move (no record of theirs is younger than the window), a slot is taken from
 * one of them.
 *
 * While an attempt is open the process has a signal guard: signals that can be
 * blocked are, and the real uid is root's (so ask for getuid() before).  It
 * keeps a user from spending slots of his own for nothing; nothing depends on
 * it.  A locked attempt holds no slot and has no guard between begin and
 * settle.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_THROTTLE_ATTEMPT_H
#define SR_POLICY_THROTTLE_ATTEMPT_H

#include "policy/throttle/query.h"

enum sr_begin {
    SR_BEGIN_GO,     /* verify, then settle */
    SR_BEGIN_LOCKED, /* locked out: do the same work, verify nothing */
    SR_BEGIN_BUSY,   /* every slot in use for too long: nothing was counted */
    SR_BEGIN_FAILED, /* the state cannot be read or written: fail closed */
};

enum sr_outcome {
    SR_OUTCOME_RIGHT,
    SR_OUTCOME_WRONG,
    SR_OUTCOME_NEITHER, /* outage, cancel, probe: counts for nothing */
    SR_OUTCOME_LOCKED,  /* locked out by a shared ledger: nothing verified */
};

/* Which account is tried, and from where. */
struct sr_subject {
    bool is_known;         /* an account of this host */
    struct sr_identity id; /* when known; otherwise only its name counts */
    /* When known: the stored hash, by which a temporary password is recognised;
     * NULL: sr_attempt_temporary() is not called. */
    const char *secret;
    const struct sr_source *source; /* an empty text: no source, and no ledger
                                       of it */
    const struct sr_rules *rules;
};

struct sr_attempt; /* opaque */

/*
 * Begin.  `statedir` and `rundir` NULL: the built-in ones.  With `ahead` the
 * failure is recorded now, before the password is checked, and taken back by
 * settle(RIGHT) or settle(NEITHER), which may come from a later call of the
 * same PAM handle: for stacks in which another module verifies (guard).  The
 * signal guard is then not kept over the calls, only the slot.  Freeing without
 * settle leaves the failure.  *attempt is always set to a valid object or NULL
 * (out of memory, then the answer is SR_BEGIN_FAILED).
 */
enum sr_begin sr_attempt_begin(const char *statedir, const char *rundir,
                               const struct sr_subject *subject, bool ahead,
                               struct sr_attempt **attempt);

/* The result of settling. */
struct sr_settled {
    enum sr_store_result result; /* not OK: not recorded, answer unavailable */
    bool is_late;                /* RIGHT, but too late: it is no success */
    bool began_lockout;          /* of the account or name */
    bool began_source_lockout;
    bool ended_lockout; /* RIGHT: the account's, begun meanwhile or ahead */
    sr_time until_wall; /* of a lockout that began: its end, wall clock */
};

/*
 * Settle with an outcome, release the slots and end the signal guard.  RIGHT
 * clears the account's ledger of this class of source, and syncs nothing.
 * WRONG is recorded in both ledgers and the account's is on disk on return
 * (the source's where no account's counts).  A WRONG that cannot be recorded
 * leaves its slot marked as taken, so that it is a failure all the same.
 *
 * A locked attempt is settled too (WRONG): it is counted for the notice at the
 * next login, consumes nothing, and costs the same.  LOCKED turns a GO into a
 * locked attempt.
 *
 * A RIGHT whose old failures cannot be cleared (disk full) is a RIGHT all the
 * same: what stays in the ledger refuses more, never less.  One that is_late
 * is no success.
 */
struct sr_settled sr_attempt_settle(struct sr_attempt *attempt,
                                    enum sr_outcome outcome);

/*
 * What was recorded ahead, should settle never be called because another module
 * ended the stack.  Without `ahead`: no lockout.
 */
struct sr_settled sr_attempt_ahead(const struct sr_attempt *attempt);

/* SR_BEGIN_LOCKED: when the lockout ends, wall clock; SR_TIME_NEVER: when an
 * administrator ends it.  Otherwise unknown. */
sr_time sr_attempt_until(const struct sr_attempt *attempt);

/* Of a known account: which class of its ledgers the attempt is counted in. */
enum sr_source_class sr_attempt_counted(const struct sr_attempt *attempt);

/* SR_BEGIN_LOCKED: true when it is the source that is locked out. */
bool sr_attempt_by_source(const struct sr_attempt *attempt);

/*
 * The end of the temporary password that is in use, wall clock, as it was when
 * the attempt began; unknown when there is none.
 */
sr_time sr_attempt_temporary(const struct sr_attempt *attempt);

/* SR_BEGIN_FAILED: why. */
enum sr_store_result sr_attempt_error(const struct sr_attempt *attempt);

/* A file of the state that was found damaged meanwhile, once; NULL: none. */
const char *sr_attempt_damage(const struct sr_attempt *attempt);

/*
 * Free; an attempt that was not settled is abandoned: its slot is released and
 * stays a failure.  With `forget` (a process copy, PAM_DATA_SILENT) descriptors
 * are closed and nothing else is done.  NULL is allowed.
 */
void sr_attempt_free(struct sr_attempt *attempt, bool forget);

#endif
