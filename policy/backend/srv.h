/*
 * SRV: the hosts of a service by DNS (RFC 2782).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_SRV_H
#define SR_POLICY_BACKEND_SRV_H

#include <stddef.h>
#include <stdint.h>

struct sr_srv {
    char host[256];
    int port;
    int priority;
    int weight; /* among those of one priority */
};

/*
 * Ask DNS for the hosts of a service ("_kerberos._tcp.EXAMPLE.ORG") until the
 * deadline `end`.  They are sorted by priority, and those of one priority by
 * chance and their weights (RFC 2782); each port of a host is there once.
 * Returns how many were found, at most `most`.  0 with the errno ENOENT where
 * DNS has none, or EAGAIN where no name server answered.
 */
size_t sr_srv_find(const char *name, struct sr_srv *found, size_t most,
                   int64_t end);

/*
 * Take the hosts out of an answer of DNS (RFC 1035, 4), which may be cut off or
 * be no answer at all.  They are sorted by priority only.  Returns how many, at
 * most `most`: those of the first priorities.  Pure.
 */
size_t sr_srv_read(const unsigned char *answer, size_t size,
                   struct sr_srv *found, size_t most);

/*
 * Put those of one priority into a random order, in which each is before the
 * others as often as its weight says (RFC 2782).  A pure order by priority
 * stays when there are no random numbers.
 */
void sr_srv_spread(struct sr_srv *found, size_t count);

#endif
