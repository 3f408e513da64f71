/*
 * LDAP name of: the name that a directory has for the account with a uid.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/name_of.h"
#include "policy/backend/ldap/request.h"
#include "policy/backend/ldap/session.h"
#include "policy/backend/ldap/template.h"

/* Accounts with one uid; with more none of them is meant for certain. */
#define FOUND_MAX 8

/* The only name that is a part of `known_as`; a uid alone does not say whose it
 * is, since another source of the name service may have it, too. */
static enum sr_status
choose(struct sr_ldap_session *session, uid_t uid, const char *known_as,
       const struct sr_ldap_entry *found, size_t count, const char **name)
{
    unsigned similar = 0;

    for (size_t i = 0; i < count && i < FOUND_MAX; i++)
        similar +=
            sr_ldap_names_like(session->config, uid, known_as, &found[i], name);
    if (count <= FOUND_MAX && similar <= 1)
        return similar == 1 ? SR_STATUS_OK : SR_STATUS_UNKNOWN_NAME;
    sr_ldap_why(session, "several names have the uid %lu", (unsigned long)uid);
    return SR_STATUS_AMBIGUOUS;
}

/* The filter of all accounts, with a uid.  NULL: out of memory. */
static char *
make_filter(const struct sr_backend_config *config, uid_t uid)
{
    char *all = sr_ldap_filter_all(config->filter);
    char *filter = NULL;

    if (all == NULL || asprintf(&filter, "(&%s(%s=%lu))", all,
                                config->uid_attribute, (unsigned long)uid) < 0)
        filter = NULL;
    free(all);
    return filter;
}

static enum sr_status
find(struct sr_ldap_session *session, uid_t uid, const char *known_as,
     char name[SR_NAME_MAX + 1])
{
    const struct sr_backend_config *config = session->config;
    const char *const attributes[] = {config->name_attribute,
                                      config->uid_attribute, NULL};
    struct sr_ldap_entry found[FOUND_MAX] = {0};
    const char *chosen = NULL;
    enum sr_status status = SR_STATUS_UNAVAILABLE;
    char *filter = make_filter(config, uid);
    size_t count = 0;
    int code = LDAP_NO_MEMORY;

    if (filter != NULL)
        code = sr_ldap_search(session, config->base, LDAP_SCOPE_SUBTREE, filter,
                              attributes, found, FOUND_MAX, &count);
    if (code == LDAP_SUCCESS)
        status = choose(session, uid, known_as, found, count, &chosen);
    else if (code == LDAP_NO_MEMORY)
        status = SR_STATUS_NO_MEMORY;
    if (status == SR_STATUS_OK)
        memcpy(name, chosen, strlen(chosen) + 1);
    for (size_t i = 0; i < FOUND_MAX; i++)
        sr_ldap_entry_clear(&found[i]);
    free(filter);
    return status;
}

enum sr_status
sr_ldap_name_of(struct sr_call *call, uid_t uid, const char *known_as,
                char name[SR_NAME_MAX + 1])
{
    const struct sr_backend_config *config = call->backend->config;
    struct sr_ldap_session *session;
    enum sr_status status;

    if (uid == (uid_t)-1 || uid < config->uid_min ||
        (config->user_dn != NULL && config->type != SR_BACKEND_AD))
        return SR_STATUS_UNKNOWN_NAME;
    session = sr_ldap_begin(call->state, call);
    if (session == NULL)
        return SR_STATUS_NO_MEMORY;
    status = find(session, uid, known_as, name);
    sr_ldap_end(session);
    return status;
}
