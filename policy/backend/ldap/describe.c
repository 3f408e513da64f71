/*
 * LDAP describe: an account from its entry and its policy.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/ad.h"
#include "policy/backend/ldap/describe.h"
#include "policy/backend/ldap/self_read.h"
#include "policy/backend/ldap/template.h"

void
sr_ldap_list_attributes(const struct sr_ldap_session *session,
                        const char *list[SR_LDAP_LIST_MAX])
{
    const struct sr_backend_config *config = session->config;
    const struct sr_ldap_ds389_server *server = &session->policies.server;
    const char *const own[] = {server->state_attribute, server->other_attribute,
                               server->policy_attribute};
    const bool is_ad = config->type == SR_BACKEND_AD;
    size_t count = 0;

    list[count++] = config->name_attribute;
    list[count++] = config->uid_attribute;
    list[count++] = "gidNumber";
    list[count++] = "modifyTimestamp";
    list[count++] = "gecos";
    list[count++] = "cn";
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (own[i][0] != '\0' &&
            strcmp(own[i], SR_LDAP_DS389_NO_ATTRIBUTE) != 0)
            count = sr_ldap_kind_append(list, count, own[i]);
    }
    count = sr_ldap_kind_list(is_ad, SR_LDAP_OF_ACCOUNT, list, count);
    /* The head of the domain is found by the same search. */
    if (is_ad)
        count = sr_ldap_kind_list(is_ad, SR_LDAP_OF_POLICY, list, count);
    if (is_ad)
        sr_ldap_kind_list(is_ad, SR_LDAP_OF_DOMAIN, list, count);
}

/* Add what the entry has to the facts; false when it is malformed. */
static bool
read_facts(struct sr_ldap_session *session, struct sr_ldap_view *view,
           struct sr_facts *facts)
{
    const char *dn = view->account->dn;

    if (view->fault == NULL)
        view->fault = sr_ldap_kind_facts(view, facts);
    if (view->fault == NULL)
        return true;
    if (view->fault_of != NULL && view->fault_of->dn != NULL)
        dn = view->fault_of->dn;
    sr_ldap_why(session, "%s of %s cannot be read", view->fault, dn);
    return false;
}

/* The uid that the name service has for an account of Active Directory: by its
 * name, or where it knows qualified names only, as of sssd on a host that
 * realmd has joined, by that of its domain. */
static bool
find_mapped_uid(const char *dn, const char *name, uid_t *uid)
{
    char qualified[SR_NAME_MAX + 1];
    char *domain = NULL;
    bool is_found = sr_ldap_self_read_uid(name, uid);

    if (!is_found && ldap_dn2domain(dn, &domain) == 0 && domain != NULL &&
        snprintf(qualified, sizeof(qualified), "%s@%s", name, domain) <
            (int)sizeof(qualified))
        is_found = sr_ldap_self_read_uid(qualified, uid);
    ldap_memfree(domain);
    return is_found;
}

/* The uid of the entry, or where it need not have one (Active Directory) that
 * of the name service; false, and the session's error says why, when there is
 * none. */
static bool
find_uid(struct sr_ldap_session *session, const struct sr_ldap_entry *entry,
         const char *name, uid_t *uid)
{
    const char *attribute = session->config->uid_attribute;
    const char *text = sr_ldap_entry_first(entry, attribute);

    if (text != NULL ? sr_ldap_uid(text, uid)
                     : session->config->type == SR_BACKEND_AD &&
                           find_mapped_uid(entry->dn, name, uid) &&
                           *uid >= session->config->uid_min)
        return true;
    sr_ldap_why(session, "the entry has no usable %s%s", attribute,
                text == NULL && session->config->type == SR_BACKEND_AD
                    ? ", and the name service has no account of the name"
                    : "");
    session->error->code = SR_ERROR_NO_UID;
    return false;
}

bool
sr_ldap_describe(struct sr_ldap_session *session,
                 const struct sr_backend *backend, const char *name,
                 const struct sr_rules *rules, struct sr_ldap_view *view,
                 struct sr_facts *facts)
{
    sr_facts_init(facts);
    if (view->account->is_cut || view->policy->is_cut) {
        sr_ldap_why(session, "%s or its policy has too many values",
                    view->account->dn);
        return false;
    }
    if (!find_uid(session, view->account, name, &facts->uid))
        return false;
    facts->answered = SR_YES;
    snprintf(facts->name, sizeof(facts->name), "%s", name);
    snprintf(facts->backend, sizeof(facts->backend), "%s", backend->name);
    if (!read_facts(session, view, facts))
        return false;
    if (view->is_ad)
        sr_ldap_ad_temporary(view, rules->temporary_lifetime, facts);
    return true;
}

bool
sr_ldap_is_system(const struct sr_backend_config *config,
                  const struct sr_ldap_entry *entry)
{
    const char *text = sr_ldap_entry_first(entry, config->uid_attribute);
    uid_t uid;

    return text != NULL && sr_ldap_uid(text, &uid) && uid < config->uid_min;
}

bool
sr_ldap_has_uid(const struct sr_backend_config *config,
                const struct sr_ldap_entry *entry)
{
    const char *text = sr_ldap_entry_first(entry, config->uid_attribute);
    uid_t uid;

    /* Of Active Directory the name service may have one. */
    return text == NULL ? config->type == SR_BACKEND_AD
                        : sr_ldap_uid(text, &uid);
}

static gid_t
group_of(const struct sr_ldap_entry *entry)
{
    const char *text = sr_ldap_entry_first(entry, "gidNumber");
    uid_t group;

    return text != NULL && sr_ldap_uid(text, &group) ? group : (gid_t)-1;
}

/* Name and uid only. */
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
sr_ldap_visit(struct sr_ldap_visit *visit, const char *name,
              struct sr_ldap_view *view, const char *wrong)
{
    struct sr_ldap_session *session = visit->session;
    const struct sr_visitor *visitor = visit->visitor;
    struct sr_account account = {.backend = *visit->backend,
                                 .verifier = *visit->backend,
                                 .is_insecure = session->is_insecure};
    struct sr_rules rules;

    memset(&rules, 0, sizeof(rules));
    if (visitor->find_rules(visitor->groups, name, group_of(view->account),
                            &rules) != 0)
        wrong = "the groups of the account cannot be read";
    if (wrong == NULL && !sr_ldap_describe(session, visit->backend, name,
                                           &rules, view, &account.facts)) {
        /* Accounts of a domain that nobody can become here are none. */
        if (view->is_ad && session->error->code == SR_ERROR_NO_UID)
            return SR_STATUS_OK;
        wrong = session->error->text;
    }
    if (wrong != NULL) {
        describe_unavailable(
            visit->backend, name,
            sr_ldap_entry_first(view->account, session->config->uid_attribute),
            &account.facts);
        visit->is_done = visitor->account(visitor->context, &account, &rules,
                                          SR_STATUS_UNAVAILABLE, wrong) != 0;
        return SR_STATUS_OK;
    }
    account.secret = sr_ldap_fingerprint(view->account);
    if (account.secret == NULL)
        return SR_STATUS_NO_MEMORY;
    account.entry = view->account->dn;
    sr_ldap_kind_demands(view, &account.demands);
    visit->is_done = visitor->account(visitor->context, &account, &rules,
                                      SR_STATUS_OK, NULL) != 0;
    free(account.secret);
    return SR_STATUS_OK;
}
