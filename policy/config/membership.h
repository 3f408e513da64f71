/*
 * Membership: the groups of an account, by the name service; groups of this
 * host.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_MEMBERSHIP_H
#define SR_POLICY_CONFIG_MEMBERSHIP_H

#include "policy/decide/facts.h"

/* is_member of struct sr_member, by getgrouplist(3) and getgrnam_r(3); context
 * is unused. */
int sr_config_member_nss(void *context, const char *user, const char *group);

/* Whether a group is one of /etc/group.  False also when that cannot be
 * read. */
bool sr_config_is_group_here(const char *group);

#endif
