/*
 * Seal: has the store's file been looked through since it was last written?
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stddef.h>
#include <string.h>

#include "policy/util/siphash.h"
#include "policy/store/seal.h"

static uint64_t
sum_of(const struct sr_seal *seal)
{
    static const uint8_t key[16] = "selfreset: seal";

    return sr_siphash(key, seal, offsetof(struct sr_seal, sum));
}

void
sr_seal_make(struct sr_seal *seal, const struct stat *status,
             const uint8_t boot_id[16])
{
    memset(seal, 0, sizeof(*seal));
    memcpy(seal->boot_id, boot_id, sizeof(seal->boot_id));
    seal->device = status->st_dev;
    seal->inode = status->st_ino;
    seal->size = (uint64_t)status->st_size;
    seal->modified.seconds = status->st_mtim.tv_sec;
    seal->modified.nanoseconds = status->st_mtim.tv_nsec;
    seal->changed.seconds = status->st_ctim.tv_sec;
    seal->changed.nanoseconds = status->st_ctim.tv_nsec;
    seal->sum = sum_of(seal);
}

bool
sr_seal_fits(const struct sr_seal *seal, const struct stat *status,
             const uint8_t boot_id[16])
{
    static const uint8_t none[16];
    struct sr_seal fitting;

    sr_seal_make(&fitting, status, boot_id);
    return memcmp(boot_id, none, sizeof(none)) != 0 &&
           memcmp(seal, &fitting, sizeof(fitting)) == 0;
}
