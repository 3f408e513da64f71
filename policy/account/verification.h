/*
 * Verification: one verification, counted by this host and, where it is
 * configured, by a directory for all hosts (lockout.store = ldap).
 *
 * This host's own ledger (attempt.h) comes first and always counts: both must
 * allow an attempt.  It also bounds how many attempts for a name this host has
 * under way in the directory.  Then the entry of the attempt is added and the
 * shared ledger evaluated, see shared_ledger.h.  A directory that cannot be
 * asked locks no account out: the host counts alone, and reports that.
 *
 * The work is the same for a name that exists, for one that does not, and for
 * one that is locked out, here or there: one entry is added, the ledger is read
 * once, and the entry is changed or deleted.  Who is locked out by this host
 * does it on a decoy, since those who are under way there have no bound.
 *
 * The source's ledger and the familiar sources are kept on this host. Accounts
 * of this host, and root, are counted here only.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_VERIFICATION_H
#define SR_POLICY_ACCOUNT_VERIFICATION_H

#include "policy/throttle/attempt.h"
#include "policy/throttle/shared_ledger.h"

struct sr_verification; /* opaque */

/*
 * Begin, as sr_attempt_begin() does.  *verification is valid or NULL (out of
 * memory: SR_BEGIN_FAILED).
 */
enum sr_begin sr_verification_begin(const char *statedir, const char *rundir,
                                    const struct sr_subject *subject,
                                    const struct sr_shared_ledger *way,
                                    bool ahead,
                                    struct sr_verification **verification);

/*
 * Settle, as sr_attempt_settle() does.  A failure that cannot be settled in the
 * directory is one when its time is over; failures that a success cannot delete
 * stay: stricter, never laxer.
 */
struct sr_settled sr_verification_settle(struct sr_verification *verification,
                                         const struct sr_shared_ledger *way,
                                         enum sr_outcome outcome);

/* Of the host's own part: the results of sr_attempt_*(). */
const struct sr_attempt *
sr_verification_attempt(const struct sr_verification *e);

/* SR_BEGIN_LOCKED: when the lockout ends, wall clock. */
sr_time sr_verification_until(const struct sr_verification *verification);

/*
 * What has become known of the lockouts of the shared ledger on the account: of
 * the side that the attempt was counted on; of both, when the directory could
 * not be asked; of none, when there was nothing to find out.  After settle it
 * is as settle left it.
 */
struct sr_lockouts
sr_verification_locks(const struct sr_verification *verification);

/* Whether the shared ledger locks out the side that the attempt was counted on.
 */
bool
sr_verification_by_shared_ledger(const struct sr_verification *verification);

/*
 * Why the directory could not be read or written, or NULL. Returned once for
 * each call of begin and settle.
 */
const char *sr_verification_trouble(struct sr_verification *verification);

/* The backend that counts, for sr_shared_ledger_open_by_name(); NULL: none. */
const char *sr_verification_backend(const struct sr_verification *verification);

/* Free, as sr_attempt_free() does; nothing is sent.  NULL is allowed. */
void sr_verification_free(struct sr_verification *verification, bool forget);

#endif
