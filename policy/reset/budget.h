/*
 * Budget: how many messages this host sends by one channel in 24 hours, and how
 * many of them to one address, whichever accounts they are for.
 *
 * One file for each of both (account_file.h) in the store of self-service
 * reset.  A period begins with its first message.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_BUDGET_H
#define SR_POLICY_RESET_BUDGET_H

#include "policy/config/settings.h"
#include "policy/store/account_file.h"

enum sr_budget_result {
    SR_BUDGET_OK,
    SR_BUDGET_HOST,    /* used up by the host */
    SR_BUDGET_ADDRESS, /* by this address */
    SR_BUDGET_UNKNOWN  /* it cannot be read or written, so nothing is sent */
};

/* Take one message.  Notices may use twice as much as codes, so that codes that
 * strangers ask for do not use up the notice of a reset. */
enum sr_budget_result sr_budget_take(struct sr_store *store,
                                     const struct sr_reset_config *config,
                                     enum sr_channel_id channel,
                                     const char *address, bool is_code);

/* Messages of this host by a channel in the period of 24 hours that has not
 * ended. */
enum sr_store_result sr_budget_used(struct sr_store *store,
                                    enum sr_channel_id channel, unsigned *used);

/* What a file has; no padding. */
struct sr_budget {
    sr_time since[2]; /* ledger time: of an hour and of a day */
    int64_t count[2]; /* messages since then */
};

/* Count one message, unless one of the bounds (0: none) is reached.  Pure. */
bool sr_budget_count(struct sr_budget *budget, const unsigned bound[2],
                     sr_time now);

/* For the fuzz target: the kind of the file. */
extern const struct sr_account_file sr_budget_file;

#endif
