/*
 * Reach: whether this process can do what a call may need.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pam/reach.h"

/* By the rights that count for opening it, and by what is mounted read-only. */
static bool
may(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/* Whether a directory can be written, or made in the one above it that is
 * there. */
static bool
may_write_below(const char *directory)
{
    char path[PATH_MAX];
    char *slash;

    snprintf(path, sizeof(path), "%s", directory);
    while (!may(path, W_OK | X_OK)) {
        slash = strrchr(path, '/');
        if (errno != ENOENT || slash == NULL || slash == path)
            return false;
        *slash = '\0';
    }
    return true;
}

/* Whether sockets of the network may be made. */
static bool
has_sockets(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* Whether there is a device besides the loopback one, which is all that a
 * network namespace begins with.  Who may not ask is taken to have one. */
static bool
has_network(void)
{
    struct ifaddrs *all = NULL;
    bool is_found = false;

    if (!has_sockets())
        return false;
    if (getifaddrs(&all) != 0)
        return true;
    for (const struct ifaddrs *one = all; one != NULL && !is_found;
         one = one->ifa_next)
        is_found = (one->ifa_flags & (IFF_UP | IFF_LOOPBACK)) == IFF_UP;
    freeifaddrs(all);
    return is_found;
}

bool
sr_reach(const struct sr_config *config)
{
    const struct sr_string_list *names = &config->backends;
    const bool has_local = sr_string_list_has(names, "local");

    if (!may_write_below(SR_STATEDIR) ||
        (has_local && !may("/etc/shadow", R_OK) && errno != ENOENT))
        return false;
    return names->count == (has_local ? 1u : 0u) || has_network();
}
