/*
 * Checknss: whether the rest of the system sees the published state, and sees
 * no more of it than it should.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_NSS_H
#define SR_TOOLS_CHECK_NSS_H

#include "policy/config/settings.h"
#include "tools/check/findings.h"

/* Whether nsswitch.conf names our source, or something was published. */
bool check_nss_is_used(void);

/* Everything below, in this order. */
void check_nss(const struct sr_config *config, sr_time now,
               struct findings *findings);

#endif
