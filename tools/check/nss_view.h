/*
 * Check view: what is published, who may read it, and whether rules see it
 * while sessions do not carry it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_NSS_VIEW_H
#define SR_TOOLS_CHECK_NSS_VIEW_H

#include "policy/config/config.h"
#include "tools/check/findings.h"

/* The state groups themselves. */
void check_groups(struct findings *findings);

/* Whether the module can be loaded; `reason` says why not. */
bool check_module(char *reason, size_t size);

/* Whether there is a current snapshot. */
bool check_has_snapshot(sr_time now);

/* Whether the snapshots exist, are current, and may be read by nobody else. */
void check_snapshots(const struct sr_config *config, sr_time now,
                     struct findings *findings);

/* Local shadow lines that hide the published entry of a directory's account. */
void check_masked(sr_time now, struct findings *findings);

/* Whether the units are enabled, where systemd runs. */
void check_units(struct findings *findings);

/* Whether rules see the groups, and sessions do not get them. */
void check_limit(struct findings *findings);

#endif
