/*
 * Stamp: whether the local files that a run reads have changed since it began.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdint.h>
#include <string.h>
#include <time.h>

#include "nss/stamp.h"

/* The longest tick of a kernel is 10 ms. */
#define RECENT_MS 20

static const char *const file[STAMP_FILES] = {
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    SR_CONFIG_FILE,
    SR_CONFIG_FILE ".d",
    "/run/security/selfreset.conf",
    "/run/security/selfreset.conf.d",
    SR_VENDORDIR "/selfreset.conf",
    SR_VENDORDIR "/selfreset.conf.d",
};

static int64_t
to_ms(const struct timespec *when)
{
    return (int64_t)when->tv_sec * 1000 + when->tv_nsec / 1000000;
}

/* A file that cannot be read has a status of zeros. */
static void
read_status(size_t index, struct stat *status)
{
    if (stat(file[index], status) != 0)
        memset(status, 0, sizeof(*status));
}

/* Read all; returns whether one was written within a tick. */
static bool
read_all(struct stamp *stamp)
{
    bool is_recent = false;
    struct timespec now;
    int64_t age;

    clock_gettime(CLOCK_REALTIME, &now);
    for (size_t i = 0; i < STAMP_FILES; i++) {
        read_status(i, &stamp->status[i]);
        age = to_ms(&now) - to_ms(&stamp->status[i].st_ctim);
        is_recent = is_recent || (age > -RECENT_MS && age < RECENT_MS);
    }
    return is_recent;
}

void
stamp_take(struct stamp *stamp)
{
    const struct timespec tick = {.tv_nsec = RECENT_MS * 1000000L};

    stamp->is_recent = read_all(stamp);
    if (stamp->is_recent) {
        nanosleep(&tick, NULL);
        stamp->is_recent = read_all(stamp);
    }
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size &&
           memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim)) == 0;
}

bool
stamp_is_old(const struct stamp *stamp)
{
    bool is_old = stamp->is_recent;

    for (size_t i = 0; i < STAMP_FILES; i++) {
        struct stat now;

        read_status(i, &now);
        is_old = is_old || !is_same(&stamp->status[i], &now);
    }
    return is_old;
}
