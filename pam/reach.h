/*
 * Reach: whether this process, one with root's rights, can do what a call may
 * need: read shadow, write what this host remembers, use the network.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_REACH_H
#define SR_PAM_REACH_H

#include "policy/config/settings.h"

/* By the kernel's answer about files and network devices; nothing is opened and
 * no peer is asked. */
bool sr_reach(const struct sr_config *config);

#endif
