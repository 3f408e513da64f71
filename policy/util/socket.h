/*
 * Socket: stream connections on which no wait exceeds a deadline.
 *
 * A deadline `end` is a time of sr_deadline_now().
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_SOCKET_H
#define SR_POLICY_UTIL_SOCKET_H

#include <stddef.h>
#include <stdint.h>

/*
 * Connect to a TCP port of a host, trying its addresses in turn, or to a Unix
 * socket.  Returns a non-blocking descriptor, 3 or higher and closed on exec,
 * or a negative errno; -ETIMEDOUT when the deadline passed.
 */
int sr_socket_connect_host(const char *host, int port, int64_t end);
int sr_socket_connect_unix(const char *path, int64_t end);

/*
 * The same for datagrams (UDP), to the first address of a host.  Nothing is
 * sent before the exchange.
 */
int sr_socket_connect_datagram(const char *host, int port, int64_t end);

/*
 * Send one datagram and receive one, of at most *size bytes; *size gets its
 * length.  Nothing is sent again.  Returns 0 or a negative errno;
 * -ECONNREFUSED: it was not received.
 */
int sr_socket_exchange_datagram(int fd, const void *request, size_t length,
                                void *reply, size_t *size, int64_t end);

/* Send and receive exactly so many bytes.  Return 0 or a negative errno. */
int sr_socket_send(int fd, const void *bytes, size_t size, int64_t end);
int sr_socket_receive(int fd, void *bytes, size_t size, int64_t end);

/*
 * The seconds to wait for one name server so that `servers` of them can be
 * asked `questions` questions each before the deadline.  At least 1, which is
 * the shortest wait that the C library knows.
 */
int sr_socket_resolver_seconds(int servers, int questions, int64_t end);

#endif
