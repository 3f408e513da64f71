/*
 * Slots: how many connections there may be at once, of each uid and in all.
 *
 * A slot is a byte of one file, locked by an open-file-description lock for as
 * long as the process lives that serves the connection.  No process of a user
 * can stop or keep alive a process that holds one; the kernel gives it back
 * however the holder ends.  So connections are counted alike by the processes
 * that an init starts and by those of --listen.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_HELPER_SLOTS_H
#define SR_HELPER_SLOTS_H

#include <sys/types.h>

#define SLOTS_EACH 4  /* of one uid; root has no such limit */
#define SLOTS_ALL  64 /* in all */
#define SLOTS_ROOT 16 /* of these, for root alone */

/*
 * Take a slot for a connection of this uid, in the file at `path`, which is
 * made where it is missing.  It is held until the process ends.  Returns NULL,
 * or why there is none.
 */
const char *slots_take(const char *path, uid_t uid);

#endif
