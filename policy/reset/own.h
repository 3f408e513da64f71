/*
 * Own: the flows of a user who is logged in, about the own account: set up a
 * gate, show, renew the codes, remove, report.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_OWN_H
#define SR_POLICY_RESET_OWN_H

#include "policy/reset/kind.h"
#include "policy/reset/run.h"

/* Run one of them for the account of the peer's uid. */
enum sr_reset_end sr_own(struct sr_run *run, enum sr_reset_kind kind,
                         const char *operand);

#endif
