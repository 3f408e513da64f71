/*
 * Published: what the rest of the system sees of an account, and whether that
 * is current.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_PUBLISHED_H
#define SR_TOOLS_PUBLISHED_H

#include "policy/account/account.h"
#include "tools/command.h"
#include "tools/report.h"

/* A section of the report: the groups that are published of an account, and
 * those that its state comes to now. */
void report_published(struct report *report, const struct ctl *ctl,
                      const struct sr_transaction *txn);

#endif
