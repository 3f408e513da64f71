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

/*
 * How many seconds one name server may be waited for, so that all of them are,
 * for so many questions, within the time that is left.  The C library counts in
 * seconds, and waits for none of them less than one.
 */
int sr_ldap_host_patience(int servers, int questions, int64_t end);

/*
 * What this host remembers of a server, for a short time and until it is
 * booted: that it kept a login waiting in vain.  Only what root started may
 * say so.
 */
bool sr_ldap_was_silent(const char *uri);
void sr_ldap_remember_silent(const char *uri, bool is_silent);

#endif
