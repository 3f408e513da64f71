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
 * Every account: rules and facts that together keep somebody out, or that
 * contradict each other.  Root among them.
 */
void check_accounts(const struct sr_config *config, sr_time now,
                    struct findings *findings);

#endif
