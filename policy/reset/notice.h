/*
 * Notice: what a user is informed of by mail after something was done with the
 * account, and the queue of messages that are to be sent.
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
    SR_NOTICE_KINDS
};

/* Queue a notice to each confirmed address of the account.  Never fails the
 * caller: an event says when it cannot be queued. */
void sr_notice(struct sr_run *run, enum sr_notice_kind kind, const char *what);

/* Queue one message of the run, for `life` seconds; false after an event. */
bool sr_notice_queue(struct sr_run *run, const char *address,
                     const char *subject, const char *body, bool is_code,
                     int64_t life);

/* Begin to send what this run has queued, without waiting. */
void sr_notice_send(struct sr_run *run);

/* Wait for that, for this time at most. */
void sr_notice_wait(struct sr_run *run, int64_t wait_ms);

#endif
