/*
 * Attempt: one enclosed verification.  Take a slot, verify, settle, answer; the
 * answer leaves only after the outcome is on disk.
 *
 * A slot is a byte of RUNDIR/slots, held by an open-file-description lock while
 * a password is being verified, so that the kernel gives it back when the
 * process dies.  The byte itself is 1 while a verification runs in it: whoever
 * finds it 1 and not held has found a verification that died before it was
 * settled, and records it as a failure.  So no more than `attempts` passwords
 * are verified in a window, even when processes are killed between the check
 * and the record, and even when the store cannot be written.
 *
 * An attempt counts in the ledger of the account, or of the unknown name, and
 * in that of its source; from a familiar source in the account's alone.
 *
 * While an attempt is open the process is shielded: signals that can be blocked
 * are, and the real uid is root's, so that the user who started a set-user-ID
 * program cannot stop or kill it while it holds a slot.  (So ask for getuid()
 * before.)  A locked attempt holds no slot and has no shield between begin and
 * settle.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_THROTTLE_ATTEMPT_H
#define SR_POLICY_THROTTLE_ATTEMPT_H

#include "policy/decide/lockout.h"
#include "policy/decide/rules.h"
#include "policy/decide/source.h"
#include "policy/store/store.h"

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
    SR_OUTCOME_LOCKED,  /* locked out elsewhere: nothing was verified */
};

/* Who is tried, and from where. */
struct sr_subject {
    bool is_known;    /* an account of this host */
    uid_t uid;        /* when known */
    const char *name; /* as typed; used when not known */
    /* When known: the stored hash, by which a temporary password is recognised;
     * NULL: nobody asks for sr_attempt_temporary(). */
    const char *secret;
    const struct sr_source *source;
    const struct sr_rules *rules;
};

struct sr_attempt; /* opaque; one allocation */

/*
 * Begin.  `statedir` and `rundir` NULL: the built-in ones.  With `ahead` the
 * failure is recorded now, before the password is checked, and taken back by
 * settle(RIGHT) or settle(NEITHER): for stacks in which another module verifies
 * (guard and settle).  The shield is then not kept over the calls, only the
 * slot.  *attempt is always set to a valid object or NULL (out of memory, then
 * the answer is SR_BEGIN_FAILED).
 */
enum sr_begin sr_attempt_begin(const char *statedir, const char *rundir,
                               const struct sr_subject *subject, bool ahead,
                               struct sr_attempt **attempt);

/* What settle made of it. */
struct sr_settled {
    enum sr_store_result result; /* not OK: not recorded, answer unavailable */
    bool began_lockout;          /* of the account or name */
    bool began_source_lockout;
    bool ended_lockout; /* RIGHT: the account's, begun meanwhile or ahead */
    sr_time until_wall; /* of a lockout that began: its end, wall clock */
};

/*
 * Settle with an outcome, release the slots and lift the shield.  RIGHT clears
 * the account's ledger of this source class.  WRONG is recorded in the account
 * and in the source ledger, with its time and source, in one transaction that
 * is on disk on return.  When a WRONG cannot be recorded the slot byte stays 1,
 * so that it is consumed until the store can be written again.
 *
 * A locked attempt is settled too (WRONG): it is counted for the notice at the
 * next login, consumes nothing, and costs the same.  LOCKED makes one of an
 * attempt that was let go; it has held its slot until now.
 *
 * A RIGHT whose old failures cannot be cleared (disk full) is a RIGHT all the
 * same: what stays in the ledger refuses more, never less.
 */
struct sr_settled sr_attempt_settle(struct sr_attempt *attempt,
                                    enum sr_outcome outcome);

/*
 * What was recorded ahead, should settle never be called because another module
 * ended the stack.  Without `ahead`: no lockout.
 */
struct sr_settled sr_attempt_ahead(const struct sr_attempt *attempt);

/* SR_BEGIN_LOCKED: when the lockout ends, wall clock.  Otherwise unknown. */
sr_time sr_attempt_until(const struct sr_attempt *attempt);

/* Of a known account: which of its two ledgers the attempt is counted in. */
enum sr_source_class sr_attempt_counted(const struct sr_attempt *attempt);

/* SR_BEGIN_LOCKED: true when it is the source that is locked out. */
bool sr_attempt_by_source(const struct sr_attempt *attempt);

/*
 * The end of the temporary password that is in use, wall clock, as it was when
 * the attempt began; unknown when there is none.  Says what
 * sr_temporary_until() says, without opening the store again.
 */
sr_time sr_attempt_temporary(const struct sr_attempt *attempt);

/* SR_BEGIN_FAILED: why. */
enum sr_store_result sr_attempt_error(const struct sr_attempt *attempt);

/*
 * Free; an attempt that was not settled is abandoned: slots are released, and
 * it counts as a failure (the slot byte stays, or it was recorded ahead).  With
 * `forget` (a process copy, PAM_DATA_SILENT) descriptors are closed and nothing
 * else is done.  NULL is allowed.
 */
void sr_attempt_free(struct sr_attempt *attempt, bool forget);

/*
 * Fill in the throttle's part of the facts (locked, locked_until, locked_why)
 * for an account and a source, without taking a slot.  Runs in the transaction
 * that is open, or in one of its own.  Without a source (NULL) the later
 * lockout of the account's two ledgers counts.  A lock by an administrator that
 * is in the facts stays.  A store that was never written says "not locked"; one
 * that cannot be read is an error.
 */
enum sr_store_result sr_attempt_facts(struct sr_store *store,
                                      const struct sr_source *source,
                                      const struct sr_rules *rules,
                                      struct sr_facts *facts);

/*
 * Until when this host has locked out the two sides of an account, for
 * sr_lockout_everywhere().  The owner's own sessions, which have begun already,
 * are no familiar source.  Where nobody else counts, and strangers are not
 * locked out, the other side is not looked at.  Inside a transaction.
 */
enum sr_store_result sr_attempt_sides(struct sr_store *store, uid_t uid,
                                      const struct sr_rules *rules,
                                      struct sr_class_lockouts *sides);

/*
 * When the temporary password of an account ends, wall clock; unknown when it
 * has none.  A record of another stored hash than `secret` has ended, and is
 * none.  Inside a transaction.
 */
enum sr_store_result sr_temporary_until(struct sr_store *store, uid_t uid,
                                        const char *secret,
                                        sr_time *until_wall);

/*
 * Which of the account's ledgers counts for a source: familiar when it is the
 * owner's own session, or was seen at a login within rules->familiar.  Inside a
 * transaction.
 */
enum sr_store_result sr_attempt_class(struct sr_store *store, uid_t uid,
                                      const struct sr_source *source,
                                      const struct sr_rules *rules,
                                      enum sr_source_class *class);

/*
 * A login succeeded from `source`: remember it as familiar (written only when
 * its record is older than a day), and hand out and clear the notice of failed
 * attempts since the last login.  `before` may be NULL.
 */
enum sr_store_result sr_attempt_logged_in(const char *statedir, uid_t uid,
                                          const struct sr_source *source,
                                          const struct sr_rules *rules,
                                          struct sr_memory *before);

/* The limits that rules set for an account (is_root: uid 0) and for a source.
 */
struct sr_limits sr_attempt_account_limits(const struct sr_rules *rules,
                                           bool is_root);
struct sr_limits sr_attempt_source_limits(const struct sr_rules *rules);

/* rules->wait for sr_store_open(). */
unsigned sr_attempt_wait_ms(const struct sr_rules *rules);

/* Ledger keys.  The hashes need a transaction, see sr_store_hash(). */
struct sr_ledger_key sr_ledger_key_account(uid_t uid,
                                           enum sr_source_class class);
enum sr_store_result sr_ledger_key_name(struct sr_store *store,
                                        const char *name,
                                        struct sr_ledger_key *key);
enum sr_store_result sr_ledger_key_source(struct sr_store *store,
                                          const char *text,
                                          struct sr_ledger_key *key);

#endif
