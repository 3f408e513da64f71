/*
 * Address: what codes are sent to, as its owner sets it up and confirms it
 * again.
 *
 * An address serves for reset.reconfirm from the last code that its owner has
 * typed, then for reset.reconfirm_grace while he is asked to confirm it again,
 * and not any more after that, since mailboxes and numbers get other owners.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_ADDRESS_H
#define SR_POLICY_RESET_ADDRESS_H

#include "policy/reset/run.h"

/* Ask for an address, with those that the directory has as a proposal, and have
 * it confirmed by a code; true: it is stored.  The gate may be used for a reset
 * after `wait` seconds. */
bool sr_address_add(struct sr_run *run, enum sr_channel_id channel,
                    int64_t wait);

/* Ask to confirm again what is overdue or lapsed, or what the directory has no
 * longer; true: at least one was confirmed.  The gate of one that has lapsed
 * may be used for a reset after `wait` seconds, as one that is set up anew: it
 * may have another owner by now. */
bool sr_address_confirm(struct sr_run *run, int64_t wait);

/* Say which addresses a channel has, and which are to be confirmed again. */
void sr_address_show(struct sr_run *run, const struct sr_enrolment *enrolment,
                     enum sr_channel_id channel, sr_time wall);

#endif
