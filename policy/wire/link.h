/*
 * Link: one connection with selfreset-helper, from either end, on which no wait
 * exceeds a deadline.
 *
 * A deadline `end` is a time of sr_deadline_now().  Descriptors that a peer
 * sends along are never taken over.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_WIRE_LINK_H
#define SR_POLICY_WIRE_LINK_H

#include "policy/wire/wire.h"

/* Where the helper listens, under the directory of what does not survive a
 * reboot. */
#define SR_LINK_NAME "helper"

/* And where for the dialogues of self-service reset, which write more of the
 * system than calls do and run in another sandbox. */
#define SR_LINK_RESET "dialogues"

/* How long it may take to be heard, in milliseconds; and to be answered, which
 * is longer than the longest `wait` and `timeout` of selfreset.conf(5). */
#define SR_LINK_HEARD_MS    10000
#define SR_LINK_ANSWERED_MS 600000

/*
 * Connect to the helper.  Returns a descriptor, 3 or higher and closed on exec,
 * or a negative errno: -ENOENT or -ECONNREFUSED when none listens.
 */
int sr_link_connect(const char *path, int64_t end);

/* Whether root listens there, or this process is not root's: root's secrets go
 * to root only, wherever the name of a socket leads. */
bool sr_link_may_trust(int fd);

/* Send a message.  Returns 0 or a negative errno; -EPIPE when the peer is gone,
 * -EMSGSIZE when the message was full. */
int sr_link_send(int fd, const struct sr_wire *wire, int64_t end);

/*
 * Receive one message and check it.  Returns 0 or a negative errno: -EPIPE when
 * the peer is gone, -ETIMEDOUT, -EPROTO when it is no message.
 */
int sr_link_receive(int fd, struct sr_wire *wire, int64_t end);

/* Whether the peer is gone, or has sent what was not requested. */
bool sr_link_is_dead(int fd);

#endif
