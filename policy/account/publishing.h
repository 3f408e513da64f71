/*
 * Publishing: after an event of an account, what the rest of the system sees of
 * it is written anew.  A failure is an event and never fails the call.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_PUBLISHING_H
#define SR_POLICY_ACCOUNT_PUBLISHING_H

#include "policy/account/account.h"

/* Publish the facts that were read, with what sr_transaction_recall() added. */
void sr_transaction_publish(struct sr_transaction *txn);

/* Recall again what this host remembers, then publish: the password was
 * changed. */
void sr_transaction_publish_change(struct sr_transaction *txn);

/*
 * A lockout has begun or ended, or has become known: the same, with `shared`,
 * what the attempt has read of the ledgers of all hosts.  For a name that
 * was not counted as an account (`is_known` false) the same work, without
 * effect.
 */
void sr_transaction_publish_lockout(const struct sr_transaction *txn,
                                    struct sr_lockouts shared, bool is_known);

#endif
