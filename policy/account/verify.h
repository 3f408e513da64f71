/*
 * Verify: one password of the account of a transaction, under the throttle.
 *
 * Every way to check a password goes through here: authenticate, the current
 * password of a change, and another module that verifies between guard and
 * settle.  The work is the same for a name that exists, one that does not, and
 * one that is locked out.  For such dummy work never the typed password is
 * compared but random bytes of its length: a name may be mistyped, and a
 * directory must not see the password of an account that is not its own.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_VERIFY_H
#define SR_POLICY_ACCOUNT_VERIFY_H

#include "policy/account/account.h"
#include "policy/account/verification.h"

enum sr_verified {
    SR_VERIFIED_RIGHT,
    SR_VERIFIED_WRONG,
    SR_VERIFIED_LOCKED,      /* locked out: nothing was verified */
    SR_VERIFIED_UNAVAILABLE, /* backend unreachable: nothing verified */
    SR_VERIFIED_BUSY,        /* too many attempts at once: not verified */
    SR_VERIFIED_UNRECORDED,  /* the attempt could not be recorded */
};

struct sr_verify_outcome {
    enum sr_verified verified;
    bool is_absent;     /* WRONG: there is no such account; nothing counted */
    bool is_by_source;  /* LOCKED: the source is, not the account */
    bool began_lockout; /* WRONG: this attempt has begun a lockout */
    sr_time until;      /* of either lockout: its end, wall clock */
};

/*
 * Verify `password`.  Records the attempt and sends the events; shows nothing
 * to the user, see sr_verify_message().  After SR_VERIFIED_RIGHT the facts know
 * of a temporary password.
 */
struct sr_verify_outcome sr_verify(struct sr_transaction *txn,
                                   const char *password);

/* Whether an empty password is verified like others: sr_rules_allow_empty().
 * Directories treat an empty password as none. */
bool sr_verify_may_be_empty(const struct sr_transaction *txn);

/*
 * What the user is shown: a lockout, where the configuration allows it, and
 * what prevented the verification; not that it was wrong.  A new
 * string; NULL: nothing.
 */
char *sr_verify_message(const struct sr_transaction *txn,
                        const struct sr_verify_outcome *result);

/*
 * Another module verifies, or may verify.  Record the failure ahead; it counts
 * unless sr_verify_confirm() follows.  RIGHT: continue, and *ahead is the
 * attempt, or NULL where there is nothing to count.  Free it with
 * sr_verification_free().
 */
struct sr_verify_outcome sr_verify_ahead(struct sr_transaction *txn,
                                         const char *password,
                                         struct sr_verification **ahead);

/*
 * The same for an account that no backend has, with the work of verifying:
 * WRONG instead of RIGHT, and *ahead set.
 */
struct sr_verify_outcome sr_verify_unknown(struct sr_transaction *txn,
                                           const char *password,
                                           struct sr_verification **ahead);

/* The other module's success is confirmed: take the failure back, and clear the
 * account's ledger of this source class. */
void sr_verify_confirm(struct sr_transaction *txn,
                       struct sr_verification *ahead);

/* It is not, and will not be: send the events of a lockout that it began, and
 * publish it. */
void sr_verify_let_stand(struct sr_transaction *txn,
                         struct sr_verification *ahead);

#endif
