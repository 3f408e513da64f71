/*
 * Limit: how often an answer of a gate may be wrong, and how often a code may
 * be asked for.
 *
 * A try is counted in the ledger of its gate and account; of a gate whose codes
 * can be guessed also in one for all such gates of the account, and in one for
 * all accounts of this host.  When the last is full, such gates are paused for
 * all: many guesses at many accounts look like few at each.  Gates whose codes
 * cannot be guessed are never paused for the sake of another one.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_LIMIT_H
#define SR_POLICY_RESET_LIMIT_H

#include "policy/reset/run.h"
#include "policy/throttle/attempt.h"

enum { SR_LIMIT_GATE, SR_LIMIT_ACCOUNT, SR_LIMIT_HOST, SR_LIMITS };

/* One try of a gate, while it is verified. */
struct sr_tries {
    struct sr_attempt *of[SR_LIMITS]; /* NULL: not counted there */
    enum sr_begin begun;
    unsigned which; /* not GO: of which ledger */
};

/* Begin: a slot of each ledger, or of none.  End with sr_limit_end(). */
void sr_limit_begin(struct sr_run *run, enum sr_gate_id gate,
                    struct sr_tries *tries);

/*
 * Settle them alike.  False: it could not be recorded, so that the answer does
 * not count.  *locked gets the limits whose lockout began, bit by number.
 */
bool sr_limit_settle(struct sr_tries *tries, enum sr_outcome outcome,
                     unsigned *locked);

/* When the lockout ends that refused the try; see sr_attempt_until(). */
sr_time sr_limit_until(const struct sr_tries *tries);

void sr_limit_end(struct sr_tries *tries);

/*
 * A code that the source of the run asks for by a channel, for this name, which
 * need not exist, and for all of them.  False: no more for now, after an event.
 * End it with whether it counts, which must not tell whether one was sent.
 */
struct sr_sends {
    struct sr_attempt *of[2];
};
bool sr_limit_send_begin(struct sr_run *run, enum sr_channel_id channel,
                         struct sr_sends *sends);
void sr_limit_send_end(struct sr_sends *sends, bool counts);

/* The ledgers' state for the tools: of the strangers' ones. */
enum sr_store_result sr_gate_standing(struct sr_store *store,
                                      const struct sr_identity *id,
                                      enum sr_gate_id gate,
                                      struct sr_standing *standing);

/* Empty the ledgers of a gate and its account. */
enum sr_store_result sr_gate_clear(struct sr_store *store,
                                   const struct sr_identity *id,
                                   enum sr_gate_id gate);

#endif
