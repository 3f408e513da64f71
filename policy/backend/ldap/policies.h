/*
 * LDAP policies: the password policies of many accounts, each read once.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_POLICIES_H
#define SR_POLICY_BACKEND_LDAP_POLICIES_H

#include "policy/backend/ldap/session.h"

struct sr_ldap_policies {
    struct sr_ldap_entry *policy; /* its dn is the one it was asked for by */
    size_t count;
};

/*
 * The policy of a DN (NULL: none), which is read when it is asked for the first
 * time; one that does not exist, or may not be read, is empty.  Returns an LDAP
 * result code.
 */
int sr_ldap_policies_get(struct sr_ldap_policies *policies,
                         struct sr_ldap_session *session, const char *dn,
                         const struct sr_ldap_entry **policy);

/* The policy of a DN if it was read, or NULL. */
const struct sr_ldap_entry *
sr_ldap_policies_find(const struct sr_ldap_policies *policies, const char *dn);

void sr_ldap_policies_clear(struct sr_ldap_policies *policies);

#endif
