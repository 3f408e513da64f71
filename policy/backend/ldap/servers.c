/*
 * LDAP servers: those that "uri" names, and those that DNS has where it names
 * none ("ldap:///").
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <ldap.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/backend/ldap/servers.h"
#include "policy/backend/srv.h"
#include "policy/util/words.h"

#define FOUND_MAX 16

/* "ldap" or "ldaps" where the URI has no host; else NULL. */
static const char *
scheme_of(const char *uri)
{
    static const char *const scheme[] = {"ldap", "ldaps"};

    for (size_t i = 0; i < sizeof(scheme) / sizeof(scheme[0]); i++) {
        const size_t length = strlen(scheme[i]);

        if (strncasecmp(uri, scheme[i], length) == 0 &&
            strcmp(uri + length, ":///") == 0)
            return scheme[i];
    }
    return NULL;
}

/* Add the servers that DNS has for a scheme. */
static int
add_found(struct sr_ldap_session *session, const char *scheme)
{
    struct sr_srv found[FOUND_MAX];
    char *domain = NULL, name[320], uri[320];
    size_t count;
    int code = LDAP_SUCCESS;

    if (ldap_dn2domain(session->config->base, &domain) != 0 || domain == NULL ||
        domain[0] == '\0') {
        ldap_memfree(domain);
        sr_ldap_why(session,
                    "%s:/// needs a base with the parts of a domain "
                    "(dc=example,dc=org)",
                    scheme);
        return LDAP_SERVER_DOWN;
    }
    snprintf(name, sizeof(name), "_%s._tcp.%s", scheme, domain);
    ldap_memfree(domain);
    count = sr_srv_find(name, found, FOUND_MAX, sr_ldap_last_moment(session));
    if (count == 0) {
        sr_ldap_why(session,
                    errno == ENOENT ? "DNS has no servers for %s"
                                    : N_LOG("DNS does not answer for %s"),
                    name);
        code = LDAP_SERVER_DOWN;
    }
    for (size_t i = 0; i < count && code == LDAP_SUCCESS; i++) {
        snprintf(uri, sizeof(uri), "%s://%.255s:%d", scheme, found[i].host,
                 found[i].port);
        if (sr_string_list_add(&session->found, uri, strlen(uri)) != 0)
            code = LDAP_NO_MEMORY;
    }
    return code;
}

int
sr_ldap_find_servers(struct sr_ldap_session *session)
{
    const struct sr_string_list *uris = &session->config->uri;
    bool is_asked_for = false;
    int code = LDAP_SUCCESS;

    for (size_t i = 0; i < uris->count; i++)
        is_asked_for = is_asked_for || scheme_of(uris->item[i]) != NULL;
    if (!is_asked_for || session->found.count > 0)
        return LDAP_SUCCESS;
    for (size_t i = 0; i < uris->count && code != LDAP_NO_MEMORY; i++) {
        const char *scheme = scheme_of(uris->item[i]);

        if (scheme != NULL)
            code = add_found(session, scheme);
        else if (sr_string_list_add(&session->found, uris->item[i],
                                    strlen(uris->item[i])) != 0)
            code = LDAP_NO_MEMORY;
    }
    if (code != LDAP_NO_MEMORY && session->found.count > 0)
        return LDAP_SUCCESS;
    sr_string_list_free(&session->found);
    return code;
}
