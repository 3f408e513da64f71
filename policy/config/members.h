/*
 * Members: whether accounts are in groups, for very many accounts: each group
 * is looked up once.
 *
 * sr_config_member_nss() asks for all groups of one account; this asks for the
 * members of each group that the configuration names.  The answers agree where
 * the entry of a group lists all its members.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_MEMBERS_H
#define SR_POLICY_CONFIG_MEMBERS_H

#include "policy/config/settings.h"

struct sr_members;

/* No group is known at first.  `service` may be NULL.  NULL: out of memory. */
struct sr_members *sr_members_new(const struct sr_config *config,
                                  const char *service);
void sr_members_free(struct sr_members *members);

/* The context of sr_members_is_member() for one account. */
struct sr_members_ask {
    struct sr_members *members;
    gid_t primary; /* of the account; (gid_t)-1 when unknown */
};

/* is_member of struct sr_member (account_rules.h); the context is a struct
 * sr_members_ask. */
int sr_members_is_member(void *context, const char *user, const char *group);

/* sr_config_rules() of an account with this primary group, for the service;
 * `members` is a struct sr_members.  See struct sr_visitor. */
int sr_members_rules(void *members, const char *name, gid_t group,
                     struct sr_rules *rules);

#endif
