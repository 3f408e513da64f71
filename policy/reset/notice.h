/*
 * Notice: what a user is informed of after something was done with the account,
 * and the queue of messages that are to be sent.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_NOTICE_H
#define SR_POLICY_RESET_NOTICE_H

#include "policy/reset/run.h"

enum sr_notice_kind {
    SR_NOTICE_RESET,
    SR_NOTICE_UNLOCK,
    SR_NOTICE_ADDED,   /* what: the gate */
    SR_NOTICE_REMOVED, /* what: the gate */
    SR_NOTICE_TICKET,
    SR_NOTICE_CONTACT_REFUSED, /* a request to the recovery contact */
    SR_NOTICE_KINDS
};

/* Queue a notice to each confirmed address of the account; by a call only where
 * there is no other.  Never fails the caller: an event says when it cannot be
 * queued. */
void sr_notice(struct sr_run *run, enum sr_notice_kind kind, const char *what);

/* The same to one address, such as one that is replaced. */
void sr_notice_to(struct sr_run *run, enum sr_notice_kind kind,
                  const char *what, enum sr_channel_id channel,
                  const char *address);

/* One message of a run. */
struct sr_letter {
    enum sr_channel_id channel;
    const char *address;
    const char *subject; /* of a mail */
    const char *body;    /* in the character set of the locale */
    bool is_code;
    int64_t life; /* seconds; then it is given up */
};

/*
 * Queue it, within the budget (budget.h).  False after an event.
 *
 * A mail has its usual headers.  The program of another channel gets lines
 * "To: ADDRESS", "Channel: sms", "Type: code" or "notice", "Reference: REF" and
 * "Language: de", an empty line and the text, all in UTF-8.
 */
bool sr_notice_queue(struct sr_run *run, const struct sr_letter *letter);

/* Begin to send what this run has queued, without waiting. */
void sr_notice_send(struct sr_run *run);

/* Wait for that, for this time at most. */
void sr_notice_wait(struct sr_run *run, int64_t wait_ms);

#endif
