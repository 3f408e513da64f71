/*
 * Socket: stream connections on which no wait exceeds a deadline.
 *
 * The C library waits for name servers as long as resolv.conf(5) says, which is
 * longer than a login may take.  The limits are in a structure of each thread,
 * which is changed here for the time of one look-up.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/util/deadline.h"
#include "policy/util/safe_open.h"
#include "policy/util/socket.h"

/* Wait until a connect that was begun is done.  Returns 0 or an errno. */
static int
await_connect(int fd, int64_t end)
{
    socklen_t size = sizeof(int);
    int error = -sr_deadline_await(fd, POLLOUT, end), found = 0;

    if (error != 0)
        return error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &found, &size) != 0)
        return errno;
    return found;
}

/* Returns the socket or a negative errno. */
static int
open_socket(int family, int type, const struct sockaddr *address,
            socklen_t size, int64_t end)
{
    int fd = sr_standard_fds_avoid(
        socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), NULL);
    int on = 1, error = 0;

    if (fd < 0)
        return fd;
    if (family != AF_UNIX && type == SOCK_STREAM)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, address, size) != 0)
        error = errno == EINPROGRESS ? await_connect(fd, end) : errno;
    if (error != 0) {
        close(fd);
        return -error;
    }
    return fd;
}

int
sr_socket_connect_unix(const char *path, int64_t end)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (path == NULL || path[0] != '/' ||
        strlen(path) >= sizeof(address.sun_path))
        return -EINVAL;
    strcpy(address.sun_path, path);
    return open_socket(AF_UNIX, SOCK_STREAM, (const struct sockaddr *)&address,
                       sizeof(address), end);
}

int
sr_socket_send(int fd, const void *bytes, size_t size, int64_t end)
{
    const char *at = bytes;
    int error = 0;

    while (size > 0 && error == 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            error = -sr_deadline_await(fd, POLLOUT, end);
        else if (sent < 0 && errno != EINTR)
            error = errno;
        at += sent > 0 ? sent : 0;
        size -= sent > 0 ? (size_t)sent : 0;
    }
    return -error;
}

int
sr_socket_receive(int fd, void *bytes, size_t size, int64_t end)
{
    char *at = bytes;
    int error = 0;

    while (size > 0 && error == 0) {
        ssize_t got = recv(fd, at, size, 0);

        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            error = -sr_deadline_await(fd, POLLIN, end);
        else if (got < 0 && errno != EINTR)
            error = errno;
        else if (got == 0)
            error = ECONNRESET;
        at += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return -error;
}

/* ---- names */

int
sr_socket_resolver_seconds(int servers, int questions, int64_t end)
{
    int asked = questions * (servers > 0 ? servers : 1);
    int seconds = sr_deadline_left(end) / 1000 / asked;

    return seconds < 1 ? 1 : seconds;
}

static int
look_up(const char *host, const char *service, int flags,
        struct addrinfo **list)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = flags};

    *list = NULL;
    return getaddrinfo(host, service, &hints, list);
}

/*
 * Have the resolver of this thread ready, and what resolv.conf(5) says by now
 * read: the C library does not look whether it has changed once something else
 * was changed.  An address needs no look-up.
 */
static bool
prepare_resolver(void)
{
    struct hostent entry, *found;
    char buffer[512];
    int error;

    gethostbyname_r("127.0.0.1", &entry, buffer, sizeof(buffer), &found,
                    &error);
    return (_res.options & RES_INIT) != 0;
}

/* The addresses of a name, with the resolver of this thread bounded. */
static int
look_up_name(const char *host, const char *service, int64_t end,
             struct addrinfo **list)
{
    bool is_ready = prepare_resolver();
    int retry = _res.retry, retrans = _res.retrans, status;

    if (is_ready) {
        /* The name as it is, and with the first domain of the search list. */
        int bound = sr_socket_resolver_seconds(_res.nscount, 2, end);

        _res.retry = 1;
        _res.retrans = bound < retrans ? bound : retrans;
    }
    status = look_up(host, service, AI_ADDRCONFIG, list);
    if (is_ready) {
        _res.retry = retry;
        _res.retrans = retrans;
    }
    return status;
}

/* The addresses of a host share the time. */
static int
connect_host(const char *host, int port, int type, int64_t end)
{
    struct addrinfo *list = NULL;
    char service[12];
    int count = 0, fd = -EHOSTUNREACH;

    snprintf(service, sizeof(service), "%d", port);
    if (host == NULL || host[0] == '\0')
        return -EHOSTUNREACH;
    if (look_up(host, service, AI_NUMERICHOST, &list) != 0 &&
        look_up_name(host, service, end, &list) != 0)
        return sr_deadline_left(end) == 0 ? -ETIMEDOUT : -EHOSTUNREACH;
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next)
        count++;
    for (const struct addrinfo *at = list; at != NULL && fd < 0;
         at = at->ai_next, count--)
        fd = open_socket(at->ai_family, type, at->ai_addr, at->ai_addrlen,
                         sr_deadline_now() + sr_deadline_left(end) / count);
    freeaddrinfo(list);
    return fd;
}

int
sr_socket_connect_host(const char *host, int port, int64_t end)
{
    return connect_host(host, port, SOCK_STREAM, end);
}

int
sr_socket_connect_datagram(const char *host, int port, int64_t end)
{
    return connect_host(host, port, SOCK_DGRAM, end);
}

int
sr_socket_exchange_datagram(int fd, const void *request, size_t length,
                            void *reply, size_t *size, int64_t end)
{
    ssize_t got = send(fd, request, length, MSG_NOSIGNAL);
    int error;

    if (got < 0)
        return -errno;
    do {
        error = -sr_deadline_await(fd, POLLIN, end);
        got = error == 0 ? recv(fd, reply, *size, 0) : -1;
        if (error == 0 && got < 0)
            error = errno;
    } while (got < 0 && (error == EAGAIN || error == EINTR));
    *size = got < 0 ? 0 : (size_t)got;
    return got < 0 ? -error : 0;
}
