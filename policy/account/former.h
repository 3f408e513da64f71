/*
 * Former: the passwords of an account that were replaced on this host, by the
 * history of its memory.
 *
 * Active Directory binds a former password for an hour after a change.  Where a
 * bind may verify passwords in place of Kerberos, this host therefore remembers
 * the one that it has replaced, whatever length of the history is configured.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_FORMER_H
#define SR_POLICY_ACCOUNT_FORMER_H

#include "policy/account/account.h"
#include "policy/password/history.h"

/* Whether a bind may verify passwords of the account in place of Kerberos.  It
 * must be known. */
bool sr_former_matters(const struct sr_transaction *txn);

/* How many entries of the history are kept. */
unsigned sr_former_kept(const struct sr_transaction *txn);

/* Read the history.  NOT_FOUND: there is none, and *history is unchanged. */
enum sr_store_result sr_former_read(const struct sr_transaction *txn,
                                    struct sr_history *history);

/*
 * Whether it is a password that this host has replaced, by a change or by a
 * reset, which does not know it: within an hour of one, that is each password
 * but the one that was set then.  FAILED: the history could not be read or
 * compared with, or the password was changed elsewhere within that hour.
 */
enum sr_used sr_former_is(const struct sr_transaction *txn,
                          const char *password);

/* A reset has stored this password: remember it, where that matters. */
enum sr_store_result sr_former_note_reset(const struct sr_transaction *txn,
                                          const char *password);

#endif
