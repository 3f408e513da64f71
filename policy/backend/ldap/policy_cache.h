/*
 * LDAP policy cache: the policies that were read in a transaction, by their
 * DNs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_POLICY_CACHE_H
#define SR_POLICY_BACKEND_LDAP_POLICY_CACHE_H

#include "policy/backend/ldap/ds389.h"

/* No directory needs more; those of the accounts behind them are not read. */
#define SR_LDAP_POLICIES_MAX 1024

struct sr_ldap_policies {
    struct sr_ldap_entry **policy; /* each under the DN it was asked for by */
    size_t count;
    struct sr_ldap_ds389_server server;
    enum sr_tri is_samba; /* SR_UNKNOWN: not asked */
    bool is_complete;     /* what is not here is not to be read */
};

/* The policy of a DN if it was read, or NULL. */
const struct sr_ldap_entry *
sr_ldap_policies_find(const struct sr_ldap_policies *policies, const char *dn);

/* Move a policy into the cache; it is empty afterwards.  Returns it in the
 * cache, or NULL when memory is out. */
const struct sr_ldap_entry *
sr_ldap_policies_add(struct sr_ldap_policies *policies,
                     struct sr_ldap_entry *policy);

void sr_ldap_policies_clear(struct sr_ldap_policies *policies);

/* Whether both have the same policies with the same values. */
bool sr_ldap_policies_are_same(const struct sr_ldap_policies *one,
                               const struct sr_ldap_policies *other);

#endif
