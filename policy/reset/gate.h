/*
 * Gate: one way to prove who it is, and one try of it under the throttle of
 * recovery.
 *
 * Each gate of an account has ledgers of its own, by class of source, in the
 * store of self-service reset: 5 wrong answers in an hour lock it for 24 hours
 * (codes of 50 bits and more: 10, for an hour), and 50 (100) in all until the
 * gate is set up anew or a reset is completed by it.  A right answer clears
 * nothing; only a completed reset clears the ledgers of the gates it used.  A
 * name that cannot be reset is counted, asked and answered in the same way.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_GATE_H
#define SR_POLICY_RESET_GATE_H

#include "policy/reset/run.h"

/* Of a menu: "a code from your authenticator app". */
const char *sr_gate_text(enum sr_gate_id gate);

/* Ask which one of the gates of a mask; SR_GATE_COUNT: there is none, or the
 * person is gone. */
enum sr_gate_id sr_gate_choose(struct sr_run *run, unsigned mask,
                               const char *question);

/*
 * Ask for a proof and check it; says whether it was accepted.  The answer
 * leaves no earlier than the configuration's lockout.delay.  A code that is
 * right is used up.  False also when the person is gone.
 */
bool sr_gate_try(struct sr_run *run, enum sr_gate_id gate);

/* Say that a gate is set up, and serves for a reset in `wait` seconds. */
void sr_gate_say_usable(struct sr_run *run, int64_t wait);

#endif
