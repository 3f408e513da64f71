/*
 * Listen: the socket of the helper.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <poll.h>
#include <unistd.h>

#include "helper/listen.h"
#include "policy/util/deadline.h"
#include "policy/util/file_lock.h"
#include "policy/wire/link.h"

/* Make the socket, to which all users may connect. One without a listener is
 * removed.  Returns it or a negative errno. */
static int
make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, other, result = 0;
    mode_t mask;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    other = sr_link_connect(path, sr_deadline_now() + 1000);
    if (other >= 0)
        close(other);
    if (other >= 0 || (other != -ENOENT && other != -ECONNREFUSED))
        return other >= 0 ? -EADDRINUSE : other;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    unlink(path);
    mask = umask(0111);
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, SOMAXCONN) != 0)
        result = -errno;
    umask(mask);
    if (result != 0)
        close(fd);
    return result != 0 ? result : fd;
}

/* In the process of one connection. */
static void
serve_one(int fd, const struct pollfd *ready, void (*serve)(int fd))
{
    sigset_t none;

    for (size_t i = 0; i <= LISTEN_PATHS; i++)
        close(ready[i].fd);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    serve(fd);
    _exit(0);
}

/* Take one connection.  What is short now will not be for long. */
static void
take(const struct pollfd *ready, int listener, void (*serve)(int fd))
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    pid_t child;

    if (fd < 0) {
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
            sr_nap(50, 100);
        return;
    }
    child = fork();
    if (child == 0)
        serve_one(fd, ready, serve);
    close(fd);
    if (child < 0)
        sr_nap(50, 100);
}

/* Take connections until a signal comes: the first descriptor is that of
 * signals. */
static void
take_all(struct pollfd *ready, void (*serve)(int fd))
{
    while ((ready[0].revents & POLLIN) == 0) {
        if (poll(ready, 1 + LISTEN_PATHS, -1) <= 0)
            continue;
        for (size_t i = 1; i <= LISTEN_PATHS; i++) {
            if (ready[i].revents != 0)
                take(ready, ready[i].fd, serve);
        }
    }
}

/* The signals that end it, as a descriptor or a negative errno. */
static int
open_signals(void)
{
    sigset_t stop;
    int fd;

    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    signal(SIGCHLD, SIG_IGN); /* the kernel buries them */
    fd = signalfd(-1, &stop, SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int
helper_listen(const char *const paths[LISTEN_PATHS], void (*serve)(int fd))
{
    struct pollfd ready[1 + LISTEN_PATHS];
    int result = 0;

    for (size_t i = 0; i <= LISTEN_PATHS; i++)
        ready[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    for (size_t i = 0; i < LISTEN_PATHS && result == 0; i++) {
        ready[i + 1].fd = make_socket(paths[i]);
        result = ready[i + 1].fd < 0 ? ready[i + 1].fd : 0;
    }
    if (result == 0) {
        ready[0].fd = open_signals();
        result = ready[0].fd < 0 ? ready[0].fd : 0;
    }
    if (result == 0)
        take_all(ready, serve);
    for (size_t i = 0; i < LISTEN_PATHS; i++) {
        if (ready[i + 1].fd >= 0)
            unlink(paths[i]);
    }
    for (size_t i = 0; i <= LISTEN_PATHS; i++) {
        if (ready[i].fd >= 0)
            close(ready[i].fd);
    }
    return result;
}
