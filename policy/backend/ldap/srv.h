/*
 * LDAP SRV: the hosts of a service, as DNS knows them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SRV_H
#define SR_POLICY_BACKEND_LDAP_SRV_H

#include <stddef.h>
#include <stdint.h>

/* A service of a realm, as DNS knows it. */
struct sr_ldap_srv {
    char host[256];
    int port;
    int priority;
};

/* Ask DNS for the hosts of a service ("_kerberos._tcp.EXAMPLE.ORG"), the first
 * to be tried first.  Returns how many there are, at most `most`. */
size_t sr_ldap_srv_find(const char *name, struct sr_ldap_srv *found,
                        size_t most, int64_t end);

#endif
