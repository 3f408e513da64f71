/*
 * Commit: what is done once the proofs are complete: unlock, or a new password,
 * verified before it is said to be changed.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_COMMIT_H
#define SR_POLICY_RESET_COMMIT_H

#include "policy/reset/run.h"

/* Offer what is possible, and do it.  The account's proofs are complete. */
enum sr_reset_end sr_commit(struct sr_run *run);

#endif
