/*
 * Sshdconf: what sshd_config(5) lets strangers learn from state groups.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_SSHD_CONFIG_H
#define SR_TOOLS_CHECK_SSHD_CONFIG_H

#include "tools/check/findings.h"

/*
 * Look through `file` and what it includes (relative names are below `folder`)
 * for options in a block "Match Group" of a state group that a client notices
 * before it has logged in: who connects could read the state of any account
 * from them.  A file that does not exist has none.
 */
void check_sshd(const char *file, const char *folder,
                struct findings *findings);

#endif
