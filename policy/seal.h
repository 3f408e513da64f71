/*
 * Seal: has the database been changed since it was last checked?
 *
 * Checking every page is cheap while the store is small, and takes milliseconds
 * once strangers have flooded it.  So whoever has checked and written the
 * database leaves in the lock file what the kernel says of it then; as long as
 * that is so, in the same boot, nobody has written to it since.  A disk that
 * changes bits by itself is found at the first use after a boot.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_SEAL_H
#define SR_POLICY_SEAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * Seal a database in this state, under its exclusive lock; `lock` is the lock
 * file, `boot_id` of this boot.  Should it fail, the next one checks again.
 */
void sr_seal_set(int lock, const struct stat *status,
                 const uint8_t boot_id[16]);

/* Whether the database is in the state in which it was sealed. */
bool sr_seal_holds(int lock, const struct stat *status,
                   const uint8_t boot_id[16]);

#endif
