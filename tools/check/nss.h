/*
 * Checknss: whether the rest of the system sees the published state, and sees
 * no more of it than it should.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_NSS_H
#define SR_TOOLS_CHECK_NSS_H

#include "policy/config/config.h"
#include "tools/check/findings.h"

#define NSSWITCH_FILE "/etc/nsswitch.conf"

/* Whether nsswitch.conf names our source, or something was published. */
bool check_nss_is_used(void);

/* Everything below, in this order. */
void check_nss(const struct sr_config *config, sr_time now,
               struct findings *findings);

/* ---- checkswitch.c: who is asked, and who remembers or repeats it */

/* The lines of nsswitch.conf(5). */
void check_switch(const char *text, struct findings *findings);

/* nscd, systemd-userdbd, sudo, sshd. */
void check_readers(struct findings *findings);

/* ---- checkview.c: what is published */

/* The state groups themselves. */
void check_groups(struct findings *findings);

/* Whether the module can be loaded; `reason` says why not. */
bool check_module(char *reason, size_t size);

/* Whether there is a snapshot that is believed. */
bool check_has_snapshot(sr_time now);

/* The snapshots: there, of this time, and readable by whom they should be. */
void check_snapshots(const struct sr_config *config, sr_time now,
                     struct findings *findings);

/* Local shadow lines that hide what is published of a directory's account. */
void check_masked(sr_time now, struct findings *findings);

/* The units that keep the snapshots fresh, where systemd runs. */
void check_units(struct findings *findings);

/* Whether rules see the groups, and sessions do not get them. */
void check_limit(struct findings *findings);

#endif
