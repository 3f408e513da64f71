/*
 * Known: the addresses that a directory has of an account, which are offered to
 * its owner to set up.
 *
 * They count for nothing until the owner has confirmed one by a code: a mailbox
 * or a number in a directory can be an old one, or written by another person.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_KNOWN_H
#define SR_POLICY_RESET_KNOWN_H

#include "policy/reset/enrolment.h"

#define SR_KNOWN_MAX 16

struct sr_known {
    bool is_whole;  /* these are all that the directory has */
    unsigned count; /* in its order, each in its one spelling and once */
    char address[SR_KNOWN_MAX][SR_ADDRESS_MAX];
};

/*
 * Read those of a channel: the attributes are reset.mail_attributes and
 * phone_attributes.  What is no address is left out, and none of the others.
 * None for what push messages are sent to, and for accounts of this host.
 */
void sr_known_read(const struct sr_transaction *txn, enum sr_channel_id channel,
                   struct sr_known *known);

/* Whether an address is among them; and whether the directory has certainly no
 * longer one that it had when it was confirmed. */
bool sr_known_has(const struct sr_known *known, const char *address);
bool sr_known_has_lost(const struct sr_known *known,
                       const struct sr_confirmation *confirmation,
                       const char *address);

#endif
