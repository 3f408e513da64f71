/*
 * Flow: self-service reset, from the first question to the last sentence.
 *
 * A flow talks to one person over the conversation that its caller passes in.
 * It asks all questions, shows all sentences, counts, sets passwords and sends
 * events; the caller has the terminal or the connection, and its deadline.
 *
 * What it needs: root's rights; this host's state (SR_STATEDIR) and /etc
 * writable, since local passwords are stored by chpasswd(8); the network, where
 * accounts are in a directory; and no lock that another login waits for.
 * Without [reset] enable = yes, or in a build --without-reset, each flow says
 * that it is switched off.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_FLOW_H
#define SR_POLICY_RESET_FLOW_H

#include "policy/reset/kind.h"
#include "policy/reset/talk.h"

/*
 * Run one flow.  `operand` may be NULL.  Whether the peer may have this kind
 * (RESET: root and the captive account) is the caller's decision.
 */
enum sr_reset_end sr_reset_flow(enum sr_reset_kind kind, const char *operand,
                                const struct sr_reset_peer *peer,
                                const struct sr_reset_talk *talk);

/* How ready an account is for a reset. */
enum sr_readiness {
    SR_READY,
    SR_READY_OVERDUE, /* but an address is to be confirmed again */
    SR_READY_NOT,     /* it lacks what the rules want */
};

/* That of the peer's account, for the line at a login that asks to enroll.
 * READY also where it cannot be found out, or where the account is not one for
 * self-service reset. */
enum sr_readiness sr_reset_readiness(const struct sr_reset_peer *peer);

#endif
