/*
 * LDAP describe: an account from its entry and its policy.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/describe.h"

void
sr_ldap_list_attributes(const struct sr_backend_config *config,
                        const char *list[SR_LDAP_ATTRIBUTES_MAX])
{
    size_t count = 0;

    list[count++] = config->name_attribute;
    list[count++] = config->uid_attribute;
    list[count++] = "gidNumber";
    list[count++] = "modifyTimestamp";
    for (size_t i = 0; sr_ldap_account_attributes[i] != NULL &&
                       count < SR_LDAP_ATTRIBUTES_MAX - 1;
         i++)
        list[count++] = sr_ldap_account_attributes[i];
    list[count] = NULL;
}

bool
sr_ldap_describe(struct sr_ldap_session *session,
                 const struct sr_backend *backend, const char *name,
                 const struct sr_ldap_entry *entry,
                 const struct sr_ldap_entry *policy, struct sr_facts *facts)
{
    const char *uid =
        sr_ldap_entry_get(entry, session->config->uid_attribute, 0);
    const char *fault;

    sr_facts_init(facts);
    if (uid == NULL || !sr_ldap_uid(uid, &facts->uid)) {
        sr_ldap_why(session, "the entry has no usable %s",
                    session->config->uid_attribute);
        return false;
    }
    facts->answered = SR_YES;
    snprintf(facts->name, sizeof(facts->name), "%s", name);
    snprintf(facts->backend, sizeof(facts->backend), "%s", backend->name);
    fault = sr_ldap_shadow_fault(entry, policy);
    if (fault != NULL) {
        sr_ldap_why(session, "%s of %s is no number of days", fault, entry->dn);
        return false;
    }
    sr_ldap_entry_facts(entry, policy,
                        session->config->identity != SR_IDENTITY_NONE, facts);
    return true;
}

static gid_t
group_of(const struct sr_ldap_entry *entry)
{
    const char *text = sr_ldap_entry_get(entry, "gidNumber", 0);
    uid_t group;

    return text != NULL && sr_ldap_uid(text, &group) ? group : (gid_t)-1;
}

/* Only that it is there. */
static void
describe_unavailable(const struct sr_backend *backend, const char *name,
                     const char *uid, struct sr_facts *facts)
{
    sr_facts_init(facts);
    if (uid == NULL || !sr_ldap_uid(uid, &facts->uid))
        facts->uid = (uid_t)-1;
    snprintf(facts->name, sizeof(facts->name), "%s", name);
    snprintf(facts->backend, sizeof(facts->backend), "%s", backend->name);
}

enum sr_status
sr_ldap_visit(struct sr_ldap_session *session, const struct sr_backend *backend,
              const struct sr_visitor *visitor, const char *name,
              const struct sr_ldap_entry *entry,
              const struct sr_ldap_entry *policy, const char *wrong,
              bool *is_done)
{
    struct sr_account account = {.backend = *backend,
                                 .is_insecure = session->is_insecure};
    struct sr_rules rules;

    memset(&rules, 0, sizeof(rules));
    if (visitor->rules(visitor->context, name, group_of(entry), &rules) != 0)
        wrong = "the groups of the account cannot be read";
    if (wrong == NULL && !sr_ldap_describe(session, backend, name, entry,
                                           policy, &account.facts))
        wrong = session->error->text;
    if (wrong != NULL) {
        describe_unavailable(
            backend, name,
            sr_ldap_entry_get(entry, session->config->uid_attribute, 0),
            &account.facts);
        *is_done = visitor->account(visitor->context, &account, &rules,
                                    SR_STATUS_UNAVAILABLE, wrong) != 0;
        return SR_STATUS_OK;
    }
    account.secret = sr_ldap_fingerprint(entry);
    if (account.secret == NULL)
        return SR_STATUS_NO_MEMORY;
    account.entry = entry->dn;
    sr_ldap_policy_demands(policy, &account.demands);
    *is_done = visitor->account(visitor->context, &account, &rules,
                                SR_STATUS_OK, NULL) != 0;
    free(account.secret);
    return SR_STATUS_OK;
}
