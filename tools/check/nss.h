/*
 * Check nss: whether the rest of the system sees the published state, and no
 * more of it than it should.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_NSS_H
#define SR_TOOLS_CHECK_NSS_H

#include "policy/config/settings.h"
#include "tools/check/findings.h"

/* Whether nsswitch.conf names selfreset, or something was published. */
bool check_nss_is_used(void);

/* Whether the groups line of nsswitch.conf names selfreset. */
bool check_nss_is_enabled(void);

/* Check nsswitch.conf, the module, the state groups, the snapshots, the units,
 * what the C library answers, and the programs that cache it. */
void check_nss(const struct sr_config *config, sr_time now,
               struct findings *findings);

#endif
