/*
 * Check accounts: accounts whose facts and rules contradict each other, or
 * together keep the user out.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_ACCOUNTS_H
#define SR_TOOLS_CHECK_ACCOUNTS_H

#include "policy/config/config.h"
#include "tools/check/findings.h"

/*
 * Check every account, root included, for rules and facts that together make a
 * login impossible, or that contradict each other, and for empty passwords.
 * Whether a hash is that of an empty password is tried for two seconds in all,
 * or with tries_all without a limit.  Returns how many hashes were not tried.
 */
size_t check_accounts(const struct sr_config *config, sr_time now,
                      bool tries_all, struct findings *findings);

#endif
