/*
 * Check nss: what is published, who may read it, and whether the rest of the
 * system sees it, and no more of it than it should.
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

/* The state groups themselves. */
void check_groups(struct findings *findings);

/* Whether the module can be loaded; `reason` says why not. */
bool check_module(char *reason, size_t size);

/* Whether there is a current snapshot. */
bool check_has_snapshot(sr_time now);

/* Check nsswitch.conf, the module, the state groups, the snapshots, the units,
 * what the C library answers, and the programs that cache it. */
void check_nss(const struct sr_config *config, sr_time now,
               struct findings *findings);

#endif
