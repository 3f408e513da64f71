/*
 * LDAP policies: the password policies of many accounts, each read once.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/policies.h"
#include "policy/backend/ldap/request.h"

const struct sr_ldap_entry *
sr_ldap_policies_find(const struct sr_ldap_policies *policies, const char *dn)
{
    for (size_t i = 0; i < policies->count; i++) {
        if (strcmp(policies->policy[i].dn, dn) == 0)
            return &policies->policy[i];
    }
    return NULL;
}

void
sr_ldap_policies_clear(struct sr_ldap_policies *policies)
{
    for (size_t i = 0; i < policies->count; i++)
        sr_ldap_entry_clear(&policies->policy[i]);
    free(policies->policy);
    memset(policies, 0, sizeof(*policies));
}

/* Read one; it has the DN as it was asked for. */
static int
read_policy(struct sr_ldap_session *session, const char *dn,
            struct sr_ldap_entry *policy)
{
    size_t count;
    int code;

    sr_ldap_answered(session);
    code = sr_ldap_search(session, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                          sr_ldap_policy_attributes, policy, 1, &count);
    /* The service need not be allowed to read it. */
    if (code != LDAP_SUCCESS && code != LDAP_INSUFFICIENT_ACCESS)
        return code;
    free(policy->dn);
    policy->dn = strdup(dn);
    return policy->dn == NULL ? LDAP_NO_MEMORY : LDAP_SUCCESS;
}

int
sr_ldap_policies_get(struct sr_ldap_policies *policies,
                     struct sr_ldap_session *session, const char *dn,
                     const struct sr_ldap_entry **policy)
{
    static const struct sr_ldap_entry none;
    struct sr_ldap_entry made = {0};
    struct sr_ldap_entry *grown;
    int code;

    *policy = dn == NULL ? &none : sr_ldap_policies_find(policies, dn);
    if (*policy != NULL)
        return LDAP_SUCCESS;
    code = read_policy(session, dn, &made);
    grown = code != LDAP_SUCCESS
                ? NULL
                : reallocarray(policies->policy, policies->count + 1,
                               sizeof(*grown));
    if (grown == NULL) {
        sr_ldap_entry_clear(&made);
        return code == LDAP_SUCCESS ? LDAP_NO_MEMORY : code;
    }
    policies->policy = grown;
    grown[policies->count] = made;
    *policy = &grown[policies->count++];
    return LDAP_SUCCESS;
}
