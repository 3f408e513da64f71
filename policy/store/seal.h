/*
 * Seal: has the store's file been looked through since it was last written?
 *
 * Looking through every page (pages.h) before each use costs more than the hash
 * of a password once the store has some megabytes.  So whoever has checked the
 * file, or has just written it, leaves a seal in the lock file: the boot, the
 * file's identity, size and times.  As long as it fits nobody has written the
 * file since, and it is not looked through again in this boot.
 *
 * The file's times may have the grain of the kernel's tick, and a seal is left
 * right after a write.  Whoever writes through the store seals anew or, when he
 * is killed, leaves a sound tree; only a stranger's write in place within that
 * tick would not be seen.  To wait the tick out would mean to look through the
 * whole file again and again just while strangers flood it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_STORE_SEAL_H
#define SR_POLICY_STORE_SEAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct sr_seal {
    uint8_t boot_id[16];
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    struct {
        int64_t seconds;
        int64_t nanoseconds;
    } modified, changed;
    uint64_t sum; /* of what is above; keeps half-written seals apart */
};

/* The seal of a file in this boot. */
void sr_seal_make(struct sr_seal *seal, const struct stat *status,
                  const uint8_t boot_id[16]);

/*
 * Whether `seal` is the seal of the file as it is.  A boot id of zeros (the
 * kernel does not tell) never fits.
 */
bool sr_seal_fits(const struct sr_seal *seal, const struct stat *status,
                  const uint8_t boot_id[16]);

#endif
