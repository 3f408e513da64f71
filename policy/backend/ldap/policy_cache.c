/*
 * LDAP policy cache: the policies that were read in a transaction, by their
 * DNs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/policy_cache.h"

const struct sr_ldap_entry *
sr_ldap_policies_find(const struct sr_ldap_policies *policies, const char *dn)
{
    for (size_t i = 0; i < policies->count; i++) {
        if (strcmp(policies->policy[i]->dn, dn) == 0)
            return policies->policy[i];
    }
    return NULL;
}

const struct sr_ldap_entry *
sr_ldap_policies_add(struct sr_ldap_policies *policies,
                     struct sr_ldap_entry *policy)
{
    struct sr_ldap_entry *copy = malloc(sizeof(*copy));
    struct sr_ldap_entry **grown = reallocarray(
        policies->policy, policies->count + 1, sizeof(struct sr_ldap_entry *));

    if (grown != NULL)
        policies->policy = grown;
    if (grown == NULL || copy == NULL) {
        free(copy);
        return NULL;
    }
    *copy = *policy;
    memset(policy, 0, sizeof(*policy));
    policies->policy[policies->count++] = copy;
    return copy;
}

void
sr_ldap_policies_clear(struct sr_ldap_policies *policies)
{
    for (size_t i = 0; i < policies->count; i++) {
        sr_ldap_entry_clear(policies->policy[i]);
        free(policies->policy[i]);
    }
    free(policies->policy);
    sr_ldap_entry_clear(&policies->server.inactive);
    memset(policies, 0, sizeof(*policies));
}

static bool
is_same_entry(const struct sr_ldap_entry *one,
              const struct sr_ldap_entry *other)
{
    if (one->count != other->count || one->is_absent != other->is_absent)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        if (strcmp(one->value[i].attribute, other->value[i].attribute) != 0 ||
            one->value[i].size != other->value[i].size ||
            memcmp(one->value[i].text, other->value[i].text,
                   one->value[i].size) != 0)
            return false;
    }
    return true;
}

static bool
is_same_server(const struct sr_ldap_ds389_server *one,
               const struct sr_ldap_ds389_server *other)
{
    return one->has_local == other->has_local &&
           one->has_inactivity == other->has_inactivity &&
           sr_ldap_ds389_has_same_names(one, other) &&
           is_same_entry(&one->inactive, &other->inactive);
}

bool
sr_ldap_policies_are_same(const struct sr_ldap_policies *one,
                          const struct sr_ldap_policies *other)
{
    if (one->count != other->count ||
        !is_same_server(&one->server, &other->server))
        return false;
    for (size_t i = 0; i < one->count; i++) {
        const struct sr_ldap_entry *found =
            sr_ldap_policies_find(other, one->policy[i]->dn);

        if (found == NULL || !is_same_entry(one->policy[i], found))
            return false;
    }
    return true;
}
