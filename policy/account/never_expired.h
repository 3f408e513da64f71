/*
 * Never expired: passwords that did not expire before an administrator demanded
 * a change of them.
 *
 * Active Directory does not demand it of a password that never expires, so the
 * demand takes that away; this host remembers it, and restores it after the
 * change.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_NEVER_EXPIRED_H
#define SR_POLICY_ACCOUNT_NEVER_EXPIRED_H

#include "policy/account/account.h"

/* Whether the order takes that away from the account, which must be known. */
bool sr_never_expired_ends(const struct sr_transaction *txn,
                           enum sr_order order);

/* Remember that, before the order is carried out; or forget it. */
enum sr_store_result sr_never_expired_note(const struct sr_transaction *txn,
                                           bool is_noted);

/*
 * Restore it where it is remembered: the password was changed, or the demand
 * withdrawn.  An event says what came of it; what fails is tried again after
 * the next change.  The account must just have been looked up.
 */
void sr_never_expired_restore(const struct sr_transaction *txn);

#endif
