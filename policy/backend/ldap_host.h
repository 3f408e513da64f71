/*
 * LDAP host: from a host's name to a socket that is connected, and which
 * servers kept somebody waiting in vain a moment ago.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_HOST_H
#define SR_POLICY_BACKEND_LDAP_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds until `end`, by sr_ldap_clock(); 0 when it has passed. */
int sr_ldap_left(int64_t end);

/*
 * Connect to a port of a host, or to a socket of this host, until `end`.  The
 * socket does not block.  Returns the descriptor (3 or higher, closed on exec)
 * or a negative errno; -ETIMEDOUT when the time was up.
 */
int sr_ldap_host_connect(const char *host, int port, int64_t end);
int sr_ldap_local_connect(const char *path, int64_t end);

/* Send and receive so many bytes until `end`.  Returns 0 or a negative errno.
 */
int sr_ldap_host_send(int fd, const void *bytes, size_t size, int64_t end);
int sr_ldap_host_receive(int fd, void *bytes, size_t size, int64_t end);

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

/*
 * What this host remembers of a server, for a short time and until it is
 * booted: that it kept a login waiting in vain.  Only what root started may
 * say so.
 */
bool sr_ldap_was_silent(const char *uri);
void sr_ldap_remember_silent(const char *uri, bool is_silent);

#endif
