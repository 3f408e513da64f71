/*
 * Offer: codes that are sent, as a gate and to confirm an address.
 *
 * A code has 8 digits and is valid for 10 minutes and for 5 tries; a new one
 * replaces it.  channel.h says how many are sent.  A push message also has a
 * number of two digits that the dialogue shows: its code is right only in that
 * dialogue, so a message that another person's dialogue has caused is of no use
 * in one's own, nor the other way round.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_OFFER_H
#define SR_POLICY_RESET_OFFER_H

#include "policy/reset/run.h"

/*
 * Send a code to the addresses of the account, where it has the gate and may be
 * reset, and say that one is on its way if there is one: the same for every
 * name, and after the same time.
 */
void sr_offer(struct sr_run *run, enum sr_channel_id channel);

/* A code of a channel as it was typed, as its hash is made: with the dialogue's
 * number where the channel has one. */
void sr_offer_bind(const struct sr_run *run, enum sr_channel_id channel,
                   char code[SR_CODE_SIZE]);

/* Send a code to one address, for a user who is logged in, and ask for it;
 * true: it was typed. */
bool sr_offer_prove(struct sr_run *run, enum sr_channel_id channel,
                    const char *address);

#endif
