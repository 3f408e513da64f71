/*
 * Membership: the groups of an account, by the name service.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_MEMBERSHIP_H
#define SR_POLICY_CONFIG_MEMBERSHIP_H

#include "policy/decide/facts.h"

/* is_member of struct sr_member, by getgrouplist(3) and getgrnam_r(3); context
 * is unused. */
int sr_config_member_nss(void *context, const char *user, const char *group);

#endif
