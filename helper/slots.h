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

#include <stdbool.h>
#include <sys/types.h>

#define SLOTS_EACH    4  /* of one uid; root has no such limit */
#define SLOTS_CAPTIVE 32 /* of the captive account, which is many people */
#define SLOTS_SOURCE  4  /* of these, from one source */
#define SLOTS_NETWORK 8  /* and from one network: /24 of IPv4, /48 of IPv6 */
#define SLOTS_ALL     64 /* in all */
#define SLOTS_ROOT    16 /* of these, for root alone */

/*
 * Take a slot for a connection of this uid, in the file at `path`, which is
 * made where it is missing.  It is held until the process ends.  `is_captive`
 * is asked of a uid that has more than others may have.  Returns NULL, or why
 * there is none.
 */
const char *slots_take(const char *path, uid_t uid,
                       bool (*is_captive)(uid_t uid));

/* The same, besides, for a connection of the captive account from this source,
 * in the form of policy/decide/source.h, and from its network; a source without
 * an address is its own network.  Few of many sources share slots. */
const char *slots_take_source(const char *path, const char *source);

#endif
