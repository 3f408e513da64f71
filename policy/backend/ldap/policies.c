/*
 * LDAP policies: finding and reading the policies of accounts, each once.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/backend/ldap/ad_values.h"
#include "policy/backend/ldap/policies.h"
#include "policy/backend/ldap/request.h"

static const struct sr_ldap_entry none;

void
sr_ldap_policies_list(bool is_ad, const struct sr_ldap_ds389_server *server,
                      const char *list[SR_LDAP_LIST_MAX])
{
    size_t count = sr_ldap_kind_list(is_ad, SR_LDAP_OF_POLICY, list, 0);

    if (server->limit_attribute[0] != '\0')
        count = sr_ldap_kind_append(list, count, server->limit_attribute);
    count = sr_ldap_kind_list(is_ad, SR_LDAP_OF_INACTIVE, list, count);
    sr_ldap_kind_list(is_ad, SR_LDAP_OF_DOMAIN, list, count);
}

int
sr_ldap_policies_get(struct sr_ldap_session *session,
                     struct sr_ldap_policies *policies, const char *dn,
                     const struct sr_ldap_entry **policy)
{
    const char *attributes[SR_LDAP_LIST_MAX];
    struct sr_ldap_entry made = {0};
    size_t count;
    int code;

    *policy = dn == NULL || dn[0] == '\0' ? &none
                                          : sr_ldap_policies_find(policies, dn);
    if (*policy == NULL && policies->is_complete)
        *policy = &none;
    if (*policy != NULL)
        return LDAP_SUCCESS;
    if (policies->count >= SR_LDAP_POLICIES_MAX) {
        sr_ldap_why(session, "there are more than %d policies",
                    SR_LDAP_POLICIES_MAX);
        *policy = &none;
        return LDAP_LOOP_DETECT;
    }
    sr_ldap_policies_list(session->config->type == SR_BACKEND_AD,
                          &policies->server, attributes);
    code = sr_ldap_search(session, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                          attributes, &made, 1, &count);
    /* The service need not be allowed to read it; a name that is no DN is of no
     * policy. */
    if (code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_INVALID_DN_SYNTAX)
        code = LDAP_SUCCESS;
    if (code == LDAP_SUCCESS) {
        free(made.dn);
        made.dn = strdup(dn);
        *policy =
            made.dn == NULL ? NULL : sr_ldap_policies_add(policies, &made);
        if (*policy == NULL)
            code = LDAP_NO_MEMORY;
    }
    sr_ldap_entry_clear(&made);
    return code;
}

/* The limit for all accounts, which the configuration of the plug-in has by
 * another name. */
static int
read_limit(struct sr_ldap_session *session, const char *dn,
           struct sr_ldap_ds389_server *server)
{
    const char *const attributes[] = {server->limit_attribute, NULL};
    struct sr_ldap_entry found = {0};
    const char *limit;
    size_t count;
    int code = sr_ldap_search(session, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                              attributes, &found, 1, &count);

    limit = sr_ldap_entry_first(&found, server->limit_attribute);
    if (limit != NULL &&
        sr_ldap_entry_add(&server->inactive, server->limit_attribute, limit,
                          strlen(limit)) != 0)
        code = LDAP_NO_MEMORY;
    sr_ldap_entry_clear(&found);
    return code;
}

int
sr_ldap_policies_server(struct sr_ldap_session *session,
                        struct sr_ldap_policies *policies)
{
    struct sr_ldap_entry found[SR_LDAP_DS389_ENTRIES] = {0};
    size_t count = 0;
    int code = sr_ldap_search(session, SR_LDAP_DS389_CONFIG, LDAP_SCOPE_SUBTREE,
                              SR_LDAP_DS389_FILTER, sr_ldap_ds389_config, found,
                              SR_LDAP_DS389_ENTRIES, &count);

    if (count > SR_LDAP_DS389_ENTRIES)
        count = SR_LDAP_DS389_ENTRIES;
    if (code == LDAP_NO_SUCH_OBJECT || code == LDAP_INSUFFICIENT_ACCESS)
        code = LDAP_SUCCESS;
    if (code == LDAP_SUCCESS &&
        sr_ldap_ds389_server(found, count, &policies->server) != 0)
        code = LDAP_NO_MEMORY;
    for (size_t i = 0; i < count && code == LDAP_SUCCESS; i++) {
        if (policies->server.limit_attribute[0] != '\0' &&
            sr_ldap_entry_first(&found[i], "limitAttrName") != NULL)
            code = read_limit(session, found[i].dn, &policies->server);
    }
    for (size_t i = 0; i < SR_LDAP_DS389_ENTRIES; i++)
        sr_ldap_entry_clear(&found[i]);
    return code;
}

/*
 * On 389 the policy that an entry names counts only where the server has such
 * policies switched on; where that cannot be read, no policy is known.  Of one
 * that is gone the policy for all takes the place.
 */
static int
choose_local(struct sr_ldap_session *session, struct sr_ldap_policies *policies,
             struct sr_ldap_view *view)
{
    const bool is_gone = view->policy->is_absent;

    if (sr_ldap_entry_first(view->account, "pwdPolicySubentry") == NULL ||
        (policies->server.has_local == SR_YES && !is_gone))
        return LDAP_SUCCESS;
    view->policy = &none;
    if (policies->server.has_local == SR_UNKNOWN && !is_gone)
        return LDAP_SUCCESS;
    return sr_ldap_policies_get(session, policies,
                                session->config->default_policy, &view->policy);
}

/* The limit of the account policy plug-in, where it may be enabled. */
static int
find_inactive(struct sr_ldap_session *session,
              struct sr_ldap_policies *policies, struct sr_ldap_view *view)
{
    const struct sr_ldap_ds389_server *server = &policies->server;
    const char *attribute = sr_ldap_ds389_policy_attribute(server);
    const char *dn = sr_ldap_entry_first(view->account, attribute);
    const char *limit = "accountInactivityLimit";
    int code;

    view->inactive = NULL;
    if (server->has_inactivity == SR_NO)
        return LDAP_SUCCESS;
    if (server->limit_attribute[0] != '\0')
        view->limit_attribute = limit = server->limit_attribute;
    view->state_attribute =
        server->state_attribute[0] == '\0' ? NULL : server->state_attribute;
    view->other_attribute =
        server->other_attribute[0] == '\0' ? NULL : server->other_attribute;
    if (dn == NULL) {
        if (server->has_inactivity == SR_YES)
            view->inactive = &server->inactive;
        return LDAP_SUCCESS;
    }
    code = sr_ldap_policies_get(session, policies, dn, &view->inactive);
    /* The server refuses every login where there is no such policy.  One
     * without a limit counts only where that is certain. */
    if (code == LDAP_SUCCESS && server->has_inactivity == SR_YES &&
        view->inactive->count == 0)
        view->fault = attribute;
    else if (code == LDAP_SUCCESS && server->has_inactivity != SR_YES &&
             sr_ldap_entry_first(view->inactive, limit) == NULL)
        view->inactive = NULL;
    return code;
}

/* Whether the server is one of Samba, as far as that matters to an account: the
 * hours of its week are not of the usual size. */
static int
find_samba(struct sr_ldap_session *session, struct sr_ldap_policies *policies,
           struct sr_ldap_view *view)
{
    static const char *const attributes[] = {"vendorName", NULL};
    size_t at = 0, count;
    const struct sr_ldap_value *hours =
        sr_ldap_entry_value(view->account, "logonHours", &at);
    struct sr_ldap_entry root = {0};
    const char *vendor;
    int code = LDAP_SUCCESS;

    if (hours != NULL && policies->is_samba == SR_UNKNOWN &&
        !policies->is_complete &&
        sr_ad_limits_hours(hours->size, false) !=
            sr_ad_limits_hours(hours->size, true)) {
        code = sr_ldap_search(session, "", LDAP_SCOPE_BASE, "(objectClass=*)",
                              attributes, &root, 1, &count);
        vendor = sr_ldap_entry_first(&root, "vendorName");
        if (code == LDAP_SUCCESS)
            policies->is_samba =
                vendor != NULL && strstr(vendor, "Samba") != NULL ? SR_YES
                                                                  : SR_NO;
        sr_ldap_entry_clear(&root);
    }
    view->is_samba = policies->is_samba == SR_YES;
    return code;
}

int
sr_ldap_policies_of(struct sr_ldap_session *session,
                    struct sr_ldap_policies *policies,
                    struct sr_ldap_view *view)
{
    const char *dn =
        sr_ldap_policy_of(view->account, session->config->default_policy);
    int code;

    view->policy = &none;
    view->inactive = NULL;
    view->can_help = session->config->identity != SR_IDENTITY_NONE;
    view->is_ad = session->config->type == SR_BACKEND_AD;
    view->now = time(NULL);
    view->host = session->host;
    code = sr_ldap_policies_get(session, policies, dn, &view->policy);
    if (code == LDAP_SUCCESS && view->is_ad)
        code = sr_ldap_policies_get(
            session, policies, session->config->default_policy, &view->domain);
    if (code == LDAP_SUCCESS && view->is_ad)
        code = find_samba(session, policies, view);
    if (code != LDAP_SUCCESS || !sr_ldap_ds389_is(view))
        return code;
    if (!policies->server.is_read && !policies->is_complete)
        code = sr_ldap_policies_server(session, policies);
    if (code == LDAP_SUCCESS)
        code = choose_local(session, policies, view);
    if (code == LDAP_SUCCESS)
        code = find_inactive(session, policies, view);
    return code;
}

int
sr_ldap_policies_again(struct sr_ldap_session *session,
                       const struct sr_ldap_policies *old,
                       struct sr_ldap_policies *fresh)
{
    const struct sr_ldap_entry *policy;
    int code = LDAP_SUCCESS;

    if (old->server.is_read) /* names an attribute of the others */
        code = sr_ldap_policies_server(session, fresh);
    for (size_t i = 0; i < old->count && code == LDAP_SUCCESS; i++)
        code =
            sr_ldap_policies_get(session, fresh, old->policy[i]->dn, &policy);
    return code;
}
