/*
 * Sandbox: services of systemd that ask PAM where the state cannot be written,
 * and so need selfreset-helper.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_SANDBOX_H
#define SR_TOOLS_CHECK_SANDBOX_H

#include "tools/check/findings.h"

/* Where systemd looks for units on this host, in its order. */
extern const char *const sandbox_folders[];

/*
 * Find units with ProtectSystem=strict whose program is linked with libpam, and
 * that may not write `state`, the folder of the module's state.  `folders` ends
 * with NULL; drop-ins are read from all of them.
 */
void check_sandboxes(const char *const *folders, const char *state,
                     struct findings *findings);

#endif
