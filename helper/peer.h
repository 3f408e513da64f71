/*
 * Peer: the process at the other end of a connection, by what the kernel says
 * of it and never by what it says itself.
 *
 * SO_PEERCRED is what the process was when it connected: its effective uid, as
 * this process's user namespace knows it.  So root of a user namespace is the
 * user who made it, and a connection that is handed on to another process, or
 * to a program that runs with more rights, stays that of the process that made
 * it.  A uid that has no meaning here is shown as the overflow uid ("nobody"),
 * for whom nothing is done.
 *
 * The real uid and the session are read from /proc.  The number of a process
 * that has ended may have been given to another one; where the kernel has
 * SO_PEERPIDFD (Linux 6.5) that is found out.  Before, the process that has the
 * number now must have the same effective uid, which leaves to an attacker the
 * session of a user whose processes he controls already, and only where that
 * user is logged on.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_HELPER_PEER_H
#define SR_HELPER_PEER_H

#include <stdbool.h>

#include "pam/served.h"

struct peer {
    struct sr_served_peer served;
    char process[32]; /* "self/fd/N": its entry of /proc, held open */
    int directory;    /* that descriptor, or -1 */
};

/*
 * Find out who has connected.  False when it is not known, or is the overflow
 * uid.  A process that has ended is known by its uid, and proves no session.
 */
bool peer_find(int fd, struct peer *peer);

void peer_end(struct peer *peer);

#endif
