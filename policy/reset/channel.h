/*
 * Channel: what the ways by which codes are sent have in common: mail, SMS,
 * calls and push messages.
 *
 * To one account no more than one message in a minute is sent by a channel; of
 * mails 5 in an hour and 10 in a day, of SMS and calls 3 and 5, of push
 * messages 3 and 10.  What users ask for, logged in, is counted apart.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_CHANNEL_H
#define SR_POLICY_RESET_CHANNEL_H

#include "policy/reset/enrolment.h"

/* Whether one more message may be sent now; and note one. */
bool sr_channel_may_send(const struct sr_enrolment *enrolment,
                         enum sr_channel_id channel, sr_time now, bool is_own);
/* The same of a code for an address of the owner, who is logged in: in a minute
 * one to prove who it is, and one to confirm each address. */
bool sr_channel_may_prove(const struct sr_enrolment *enrolment,
                          enum sr_channel_id channel, sr_time now);
void sr_channel_note(struct sr_enrolment *enrolment, enum sr_channel_id channel,
                     sr_time now, bool is_own);

/*
 * An address as it was typed, in its one spelling: of mail see
 * sr_queue_is_address(), a number see sr_number_read(); what push messages are
 * sent to is 1 to 127 visible characters of ASCII, the first no "-".  False: it
 * is none, and `out` is empty.
 */
bool sr_channel_read(enum sr_channel_id channel, const char *typed,
                     char out[SR_ADDRESS_MAX]);

/* Whether the configuration lets messages be sent there. */
bool sr_channel_is_allowed(const struct sr_reset_config *config,
                           enum sr_channel_id channel, const char *address);

/* Whether two addresses are one: without regard to case. */
bool sr_channel_is_same(const char *a, const char *b);

/* An address for its owner to recognise; empty: it is not shown. */
void sr_channel_mask(enum sr_channel_id channel, const char *address,
                     char out[SR_ADDRESS_MAX]);

/* Whether a mail address is of one of the domains, or below one. */
bool sr_channel_is_of(const char *address,
                      const struct sr_string_list *domains);

#endif
