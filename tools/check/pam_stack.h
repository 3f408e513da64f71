/*
 * Checkstack: stacks that would bypass or break the module.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_PAM_STACK_H
#define SR_TOOLS_CHECK_PAM_STACK_H

#include "tools/check/findings.h"
#include "tools/check/pam_config.h"

/* Called with the value of each conf= that a line of ours has. */
typedef void (*check_conf)(void *context, const char *file);

/*
 * Check every service of `folder` (and of `next_folder`, or NULL).  `module`
 * is where pam_selfreset.so is installed; NULL: not asked.  needs_logon: some
 * password may be changed only in a session of its owner.
 */
void check_stacks(const char *folder, const char *next_folder,
                  const char *module, bool needs_logon, check_conf conf,
                  void *context, struct findings *findings);

#endif
