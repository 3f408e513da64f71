/*
 * Renew: recovery codes, made anew.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_RENEW_H
#define SR_POLICY_RESET_RENEW_H

#include "policy/reset/run.h"

/* Replace the recovery code that this run has used by a new one, and show it.
 */
void sr_renew_used(struct sr_run *run);

/* Make all codes anew and show them; true when they are stored.  They may be
 * used for a reset after `wait` seconds. */
bool sr_renew_all(struct sr_run *run, int64_t wait);

#endif
