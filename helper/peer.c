/*
 * Peer: the process at the other end of a connection.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/peer.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* The uid that represents those without a number here. */
static uid_t
overflow_uid(void)
{
    unsigned long uid = 65534;
    FILE *file = fopen("/proc/sys/kernel/overflowuid", "re");

    if (file == NULL)
        return (uid_t)uid;
    if (fscanf(file, "%lu", &uid) != 1)
        uid = 65534;
    fclose(file);
    return (uid_t)uid;
}

/* Real and effective uid of the process whose entry of /proc this is. */
static bool
read_uids(int directory, uid_t *real_uid, uid_t *effective_uid)
{
    int fd = openat(directory, "status", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
    unsigned long real, effective;
    char line[256];
    bool is_found = false;

    if (file == NULL && fd >= 0)
        close(fd);
    while (file != NULL && !is_found && fgets(line, sizeof(line), file) != NULL)
        is_found = sscanf(line, "Uid: %lu %lu", &real, &effective) == 2;
    if (file != NULL)
        fclose(file);
    if (is_found) {
        *real_uid = (uid_t)real;
        *effective_uid = (uid_t)effective;
    }
    return is_found;
}

/* Whether the peer has ended, as far as the kernel can be asked. */
static bool
has_ended(int fd)
{
    int pidfd = -1;
    socklen_t size = sizeof(pidfd);
    struct pollfd ready = {.events = POLLIN};
    bool is_over;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) != 0)
        return errno != ENOPROTOOPT;
    ready.fd = pidfd;
    is_over = poll(&ready, 1, 0) != 0;
    close(pidfd);
    return is_over;
}

/* Hold on to the peer's entry of /proc, if it is the peer's. */
static void
find_process(int fd, const struct ucred *credentials, struct peer *peer)
{
    char path[32];
    uid_t effective_uid;
    uid_t real_uid;

    snprintf(path, sizeof(path), "/proc/%ld", (long)credentials->pid);
    peer->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (peer->directory < 0)
        return;
    if (!read_uids(peer->directory, &real_uid, &effective_uid) ||
        effective_uid != credentials->uid || has_ended(fd)) {
        peer_end(peer);
        return;
    }
    peer->served.real_uid = real_uid;
    snprintf(peer->process, sizeof(peer->process), "self/fd/%d",
             peer->directory);
    peer->served.process = peer->process;
}

bool
peer_find(int fd, struct peer *peer)
{
    struct ucred credentials;
    socklen_t size = sizeof(credentials);

    memset(peer, 0, sizeof(*peer));
    peer->directory = -1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 ||
        credentials.uid == (uid_t)-1 || credentials.uid == overflow_uid())
        return false;
    peer->served.uid = credentials.uid;
    /* Unless it is known: a user without a number, who is no administrator and
     * in no session. */
    peer->served.real_uid = (uid_t)-1;
    peer->served.process = "none";
    if (credentials.pid > 0)
        find_process(fd, &credentials, peer);
    return true;
}

void
peer_end(struct peer *peer)
{
    if (peer->directory >= 0)
        close(peer->directory);
    peer->directory = -1;
}
