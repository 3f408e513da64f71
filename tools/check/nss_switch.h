/*
 * Check nsswitch: which lines of nsswitch.conf(5) ask for the published state,
 * and which programs cache or repeat the answer.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_NSS_SWITCH_H
#define SR_TOOLS_CHECK_NSS_SWITCH_H

#include "tools/check/findings.h"

/* The lines of nsswitch.conf(5). */
void check_switch(const char *text, struct findings *findings);

/* nscd, systemd-userdbd, sudo, sshd. */
void check_readers(struct findings *findings);

#endif
