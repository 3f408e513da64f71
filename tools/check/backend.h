/*
 * Check backend: what a directory is, which rights it gives, and what is wrong
 * with it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_BACKEND_H
#define SR_TOOLS_CHECK_BACKEND_H

#include "tools/command.h"

/*
 * "check --backend NAME".  `test` (or NULL) is the account on whose entry the
 * rights are tried; has_password: its password is asked for.  is_nagios: one
 * line, see ctl_findings_nagios().  Returns the exit code.
 */
int ctl_check_backend(struct ctl *ctl, const char *name, const char *test,
                      bool has_password, bool is_nagios);

#endif
