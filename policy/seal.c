/*
 * Seal: has the database been changed since it was last checked?
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include "policy/seal.h"

#define SEAL_FORMAT 1

/* Of this host and boot only, so as the machine lays it out; without gaps. */
struct seal {
    uint64_t format;
    uint8_t boot_id[16];
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    int64_t changed;
    int64_t changed_ns;
};

static struct seal
make_seal(const struct stat *status, const uint8_t boot_id[16])
{
    struct seal seal = {
        .format = SEAL_FORMAT,
        .device = status->st_dev,
        .inode = status->st_ino,
        .size = (uint64_t)status->st_size,
        .changed = status->st_ctim.tv_sec,
        .changed_ns = status->st_ctim.tv_nsec,
    };

    memcpy(seal.boot_id, boot_id, sizeof(seal.boot_id));
    return seal;
}

static bool
is_known(const uint8_t boot_id[16])
{
    static const uint8_t none[16];

    return memcmp(boot_id, none, sizeof(none)) != 0;
}

void
sr_seal_set(int lock, const struct stat *status, const uint8_t boot_id[16])
{
    const struct seal seal = make_seal(status, boot_id);
    ssize_t written = 0;

    if (is_known(boot_id))
        written = pwrite(lock, &seal, sizeof(seal), 0);
    (void)written; /* a seal in part does not hold, and need not */
}

bool
sr_seal_holds(int lock, const struct stat *status, const uint8_t boot_id[16])
{
    const struct seal expect = make_seal(status, boot_id);
    struct seal found;

    return is_known(boot_id) &&
           pread(lock, &found, sizeof(found), 0) == (ssize_t)sizeof(found) &&
           memcmp(&found, &expect, sizeof(found)) == 0;
}
