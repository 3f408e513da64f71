/*
 * Directory administration: changes to accounts that a directory keeps, and the
 * messages about them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_DIRECTORY_ADMIN_H
#define SR_TOOLS_DIRECTORY_ADMIN_H

#include "tools/ctl.h"
#include "tools/report.h"

/* Whether the account's backend takes orders itself. */
bool directory_is(const struct sr_transaction *txn);

/*
 * Carry out an order (see struct sr_backend_ops).  Returns CTL_OK, or an exit
 * code after saying why.
 */
int directory_order(const struct sr_transaction *txn, enum sr_order order,
                    const char *password);

/* Whether the account is locked out by its backend; asked before the facts get
 * the lockout of this host. */
bool directory_is_locked(const struct ctl *ctl,
                         const struct sr_transaction *txn);

/* End that lockout. */
int directory_unlock(const struct ctl *ctl, const struct sr_transaction *txn);

/* In a report: what the backend is, and which facts it did not show. */
void directory_report(struct report *report, const struct sr_transaction *txn);

#endif
