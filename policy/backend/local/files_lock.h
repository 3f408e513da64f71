/*
 * Files lock: the lock of lckpwdf(3), which every program holds that writes the
 * files of accounts.  vipw(8) holds it as long as its editor is open.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LOCAL_FILES_LOCK_H
#define SR_POLICY_BACKEND_LOCAL_FILES_LOCK_H

#include <stdbool.h>

#include "policy/util/error.h"

/*
 * Wait until no other process holds the lock, `wait_ms` at most.  It is not
 * taken: pam_unix(8) does that, and asks for a hundred times 15 seconds where
 * it cannot.  False: it is held; the error is SR_ERROR_BUSY and names the
 * holder, where that is a process of this namespace.  A lock file that is
 * missing or cannot be opened is not held.
 */
bool sr_local_wait_for_files(unsigned wait_ms, struct sr_error *error);

#endif
