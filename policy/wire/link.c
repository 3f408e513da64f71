/*
 * Link: one connection with selfreset-helper, from either end.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/util/deadline.h"
#include "policy/util/safe_open.h"
#include "policy/wire/link.h"

/* Connect; the kernel waits while the helper's queue is full. */
static int
connect_within(int fd, const struct sockaddr_un *address, int64_t end)
{
    int result;

    do {
        const int left = sr_deadline_left(end);
        const struct timeval limit = {left / 1000, left % 1000 * 1000 + 1};

        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        result =
            connect(fd, (const struct sockaddr *)address, sizeof(*address));
    } while (result != 0 && errno == EINTR && sr_deadline_left(end) > 0);
    return result == 0 ? 0 : errno == EAGAIN ? -ETIMEDOUT : -errno;
}

int
sr_link_connect(const char *path, int64_t end)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, result;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = sr_standard_fds_avoid(
        socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), NULL);
    if (fd < 0)
        return fd;
    result = connect_within(fd, &address, end);
    if (result != 0) {
        close(fd);
        return result;
    }
    return fd;
}

bool
sr_link_may_trust(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return geteuid() != 0 ||
           (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
            peer.uid == 0);
}

int
sr_link_send(int fd, const struct sr_wire *wire, int64_t end)
{
    ssize_t sent;
    int result;

    if (wire->is_full)
        return -EMSGSIZE;
    do {
        result = sr_deadline_await(fd, POLLOUT, end);
        if (result != 0)
            return result;
        sent = send(fd, wire->bytes, wire->size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && (errno == EINTR || errno == EAGAIN));
    if (sent < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    return 0;
}

int
sr_link_receive(int fd, struct sr_wire *wire, int64_t end)
{
    struct iovec bytes = {wire->bytes, sizeof(wire->bytes)};
    struct msghdr header = {.msg_iov = &bytes, .msg_iovlen = 1};
    ssize_t got;
    int result;

    sr_wire_wipe(wire);
    do {
        result = sr_deadline_await(fd, POLLIN, end);
        if (result != 0)
            return result;
        got = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        /* A peer that has left something unread; what it had said before comes
         * next. */
    } while (got < 0 &&
             (errno == EINTR || errno == EAGAIN || errno == ECONNRESET));
    if (got < 0)
        return -errno;
    if (got == 0)
        return -EPIPE; /* an empty packet is as good as the end */
    wire->size = (size_t)got;
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
        !sr_wire_check(wire)) {
        sr_wire_wipe(wire);
        return -EPROTO;
    }
    return 0;
}

bool
sr_link_is_dead(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    return poll(&poll_fd, 1, 0) != 0;
}
