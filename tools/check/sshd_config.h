/*
 * sshd_config: which options of sshd_config(5) reveal the state groups of
 * accounts to clients, and whether sshd asks PAM at all.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_SSHD_CONFIG_H
#define SR_TOOLS_CHECK_SSHD_CONFIG_H

#include "tools/check/findings.h"

#define SSHD_CONF   "/etc/ssh/sshd_config"
#define SSHD_FOLDER "/etc/ssh"

/*
 * Look through `file` and what it includes (relative names are below `folder`)
 * for options in a block "Match Group" of a state group that a client notices
 * before it has logged in: a client could find out the state of any account
 * from them.  A file that does not exist has none.
 */
void check_sshd(const char *file, const char *folder,
                struct findings *findings);

/*
 * For a host whose stack of sshd has the module: whether sshd asks PAM, and
 * uses the interactive authentication in which an expired password is changed.
 */
void check_sshd_pam(const char *file, const char *folder,
                    struct findings *findings);

#endif
