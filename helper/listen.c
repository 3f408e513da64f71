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
serve_one(int fd, int listener, int signals, void (*serve)(int fd))
{
    sigset_t none;

    close(listener);
    close(signals);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    serve(fd);
    _exit(0);
}

/* Take one connection.  What is short now will not be for long. */
static void
take(int listener, int signals, void (*serve)(int fd))
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
        serve_one(fd, listener, signals, serve);
    close(fd);
    if (child < 0)
        sr_nap(50, 100);
}

int
helper_listen(const char *path, void (*serve)(int fd))
{
    struct pollfd ready[2] = {{.events = POLLIN}, {.events = POLLIN}};
    sigset_t stop;
    int listener = make_socket(path);
    int signals;

    if (listener < 0)
        return listener;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    signal(SIGCHLD, SIG_IGN); /* the kernel buries them */
    signals = signalfd(-1, &stop, SFD_CLOEXEC);
    ready[0].fd = signals;
    ready[1].fd = listener;
    while (signals >= 0 && (ready[0].revents & POLLIN) == 0) {
        if (poll(ready, 2, -1) > 0 && ready[1].revents != 0)
            take(listener, signals, serve);
    }
    unlink(path);
    close(listener);
    if (signals < 0)
        return -errno;
    close(signals);
    return 0;
}
