/*
 * Members: whether accounts are in groups, for very many accounts: each group
 * is looked up once, and its members are kept.
 *
 * What sr_config_member_nss() finds out of one account by asking for all its
 * groups is found here by asking for each group that the configuration names.
 * The answers are the same wherever a group's entry names its members.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_MEMBERS_H
#define SR_POLICY_CONFIG_MEMBERS_H

#include <sys/types.h>

struct sr_members;

/* Begin, with no group.  NULL: out of memory. */
struct sr_members *sr_members_new(void);
void sr_members_free(struct sr_members *members);

/* One question, for struct sr_member of policy/config/config.h. */
struct sr_members_ask {
    struct sr_members *members;
    gid_t primary; /* of the account; (gid_t)-1 when unknown */
};

/* is_member of struct sr_member; the context is a struct sr_members_ask. */
int sr_members_is_member(void *context, const char *user, const char *group);

#endif
