/*
 * Check seen: whether the C library answers for real accounts what was
 * published of them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_NSS_SEEN_H
#define SR_TOOLS_CHECK_NSS_SEEN_H

#include "policy/util/time.h"
#include "tools/check/findings.h"

/*
 * Ask the C library for some accounts, each in a fresh process, and compare
 * state groups and shadow entries with what is published: for local accounts
 * and accounts of directories, each with and without a group by file, since a
 * line of nsswitch.conf(5) can lose the groups of only one of these kinds.
 */
void check_seen(sr_time now, struct findings *findings);

#endif
