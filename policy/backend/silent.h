/*
 * Silent: which servers have lately kept a login of this host waiting.
 *
 * The next logins ask such a server after the others.  A record lasts for a
 * minute and not beyond a boot.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_SILENT_H
#define SR_POLICY_BACKEND_SILENT_H

#include <stdbool.h>

bool sr_silent_is(const char *server);

/* Record or forget it.  Not for a process that a user has started (is_by_user
 * of struct sr_call): he can stop it, and time passes. */
void sr_silent_set(const char *server, bool is_silent);

#endif
