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

/* The names that the account with a uid could have. */
struct choice {
    const char *known_as;
    const char *name;    /* the last */
    const char *similar; /* the last that is a part of known_as */
    unsigned names, similars;
};

static void
consider(struct choice *choice, const struct sr_backend_config *config,
         uid_t uid, const struct sr_ldap_entry *entry)
{
    const char *text = sr_ldap_entry_first(entry, config->uid_attribute);
    size_t at = 0;
    uid_t own;

    if (text == NULL || !sr_ldap_uid(text, &own) || own != uid)
        return;
    while ((text = sr_ldap_entry_next(entry, config->name_attribute, &at)) !=
           NULL) {
        if (sr_ldap_is_absurd(text))
            continue;
        choice->name = text;
        choice->names++;
        if (strcasestr(choice->known_as, text) == NULL)
            continue;
        choice->similar = text;
        choice->similars++;
    }
}

static enum sr_status
choose(struct sr_ldap_session *session, uid_t uid,
       const struct sr_ldap_entry *found, size_t count, struct choice *choice)
{
    for (size_t i = 0; i < count && i < FOUND_MAX; i++)
        consider(choice, session->config, uid, &found[i]);
    if (choice->similars == 1)
        choice->name = choice->similar;
    if (choice->names == 0 && count <= FOUND_MAX)
        return SR_STATUS_UNKNOWN_NAME;
    if (count <= FOUND_MAX && (choice->similars == 1 ||
                               (choice->similars == 0 && choice->names == 1)))
        return SR_STATUS_OK;
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
    struct choice choice = {.known_as = known_as};
    enum sr_status status = SR_STATUS_UNAVAILABLE;
    char *filter = make_filter(config, uid);
    size_t count = 0;
    int code = LDAP_NO_MEMORY;

    if (filter != NULL)
        code = sr_ldap_search(session, config->base, LDAP_SCOPE_SUBTREE, filter,
                              attributes, found, FOUND_MAX, &count);
    if (code == LDAP_SUCCESS)
        status = choose(session, uid, found, count, &choice);
    else if (code == LDAP_NO_MEMORY)
        status = SR_STATUS_NO_MEMORY;
    if (status == SR_STATUS_OK)
        memcpy(name, choice.name, strlen(choice.name) + 1);
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
