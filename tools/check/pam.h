/*
 * PAM: whether the stacks of this host, and sshd, let the module do its work.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_PAM_H
#define SR_TOOLS_CHECK_PAM_H

#include "policy/config/config.h"
#include "tools/check/findings.h"

/* Check all stacks, the configurations that they name, sshd_config(5), and the
 * units of systemd that ask PAM in a sandbox.
 * `config` may be NULL: what depends on it is not asked then. */
void check_pam(const struct sr_config *config, struct findings *findings);

#endif
