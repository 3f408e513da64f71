/*
 * Domain: the domain controllers that are asked, by the configuration or by
 * DNS, and the names that the domain has in Kerberos and in the directory.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "policy/backend/ad/domain.h"
#include "policy/backend/krb5/keytab.h"
#include "policy/backend/krb5/session.h"

#define SERVERS_MAX 8
#define NETBIOS_MAX 15

static bool
add(struct sr_string_list *list, const char *text)
{
    return sr_string_list_add(list, text, strlen(text)) == 0;
}

/* ---- names */

/* "example.org" as "DC=example,DC=org"; NULL: out of memory, or not the name of
 * a domain. */
static char *
dn_of(const char *realm)
{
    const size_t length = strlen(realm);
    char *dn = malloc(4 * length + 1), *out = dn;
    bool begins = true;

    for (const char *at = realm; dn != NULL && *at != '\0'; at++) {
        if (*at != '.' && !isalnum((unsigned char)*at) && *at != '-' &&
            *at != '_') {
            free(dn);
            return NULL;
        }
        if (begins)
            out += sprintf(out, "%sDC=", at == realm ? "" : ",");
        begins = *at == '.';
        if (!begins)
            *out++ = (char)tolower((unsigned char)*at);
    }
    if (dn != NULL)
        *out = '\0';
    return dn;
}

/* NAME$, of the host if the keytab has it, else the first one. */
static char *
machine_account(krb5_context context, krb5_keytab keytab, const char *realm)
{
    krb5_principal found[SR_KRB5_PRINCIPALS_MAX];
    size_t count =
        sr_krb5_keytab_principals(context, keytab, NULL, realm, found);
    char host[256] = "", *name = NULL, *chosen = NULL;

    gethostname(host, sizeof(host) - 1);
    host[strcspn(host, ".")] = '\0';
    host[NETBIOS_MAX] = '\0';
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(host);

        if (krb5_unparse_name(context, found[i], &name) == 0 &&
            strchr(name, '/') == NULL && strstr(name, "$@") != NULL &&
            (chosen == NULL ||
             (strncasecmp(name, host, length) == 0 && name[length] == '$'))) {
            free(chosen);
            chosen = strdup(name);
        }
        krb5_free_unparsed_name(context, name);
        name = NULL;
        krb5_free_principal(context, found[i]);
    }
    return chosen;
}

/* The realm and this host's own name, by a session for Kerberos. */
static bool
find_names(const struct sr_backend_config *config, struct sr_ad_domain *domain,
           struct sr_error *error)
{
    const struct sr_backend backend = {.name = config->name, .config = config};
    void *state = NULL;
    struct sr_call call = {.backend = &backend, .state = &state};
    struct sr_krb5_session *session = sr_krb5_session_begin(&call);

    if (session == NULL) {
        *error = call.error;
        return false;
    }
    domain->realm = strdup(session->realm);
    for (char *at = domain->realm; at != NULL && *at != '\0'; at++) {
        /* It is the domain's name in capitals, and is often written as DNS has
         * that. */
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    }
    domain->dn = dn_of(session->realm);
    if (config->principal != NULL)
        domain->principal = strdup(config->principal);
    else if (session->keytab != NULL)
        domain->principal =
            machine_account(session->context, session->keytab, session->realm);
    sr_krb5_session_free(session);
    if (domain->realm != NULL && domain->dn != NULL)
        return true;
    sr_error_set(error, SR_ERROR_CONFIG,
                 "the realm is not the name of a "
                 "domain");
    return false;
}

/* ---- controllers */

/* One controller, by its host and how binds as users go there. */
static bool
add_controller(const struct sr_backend_config *config, const char *host,
               const char *uri, struct sr_ad_domain *domain)
{
    const bool is_address = strchr(host, ':') != NULL;
    char text[320];

    /* The bind by a ticket protects its connection itself: domain controllers
     * refuse it under TLS. */
    snprintf(text, sizeof(text), is_address ? "ldap://[%s]" : "ldap://%s",
             host);
    if (!add(&domain->host, host) || !add(&domain->bind, uri) ||
        !add(&domain->directory,
             config->identity == SR_IDENTITY_GSSAPI ? text : uri))
        return false;
    snprintf(text, sizeof(text), is_address ? "[%s]" : "%s", host);
    return add(&domain->kdc, text);
}

static bool
list_configured(const struct sr_backend_config *config,
                struct sr_ad_domain *domain)
{
    bool is_added = true;

    for (size_t i = 0; i < config->uri.count && is_added; i++) {
        LDAPURLDesc *url = NULL;

        is_added =
            ldap_url_parse(config->uri.item[i], &url) == LDAP_URL_SUCCESS &&
            url->lud_host != NULL &&
            add_controller(config, url->lud_host, config->uri.item[i], domain);
        ldap_free_urldesc(url);
    }
    return is_added;
}

/* Add what DNS has under a name, without those that are known already. */
static bool
list_found(const struct sr_backend_config *config, const char *name,
           int64_t end, struct sr_ad_domain *domain)
{
    struct sr_srv found[SERVERS_MAX];
    size_t count = sr_srv_find(name, found, SERVERS_MAX, end);
    bool is_added = true;

    for (size_t i = 0; i < count && is_added; i++) {
        char uri[320];

        if (sr_string_list_has(&domain->host, found[i].host) ||
            domain->host.count >= SERVERS_MAX)
            continue;
        snprintf(uri, sizeof(uri), "ldaps://%.255s", found[i].host);
        is_added = add_controller(config, found[i].host, uri, domain);
    }
    return is_added;
}

static bool
find_controllers(const struct sr_backend_config *config, int64_t end,
                 struct sr_ad_domain *domain, struct sr_error *error)
{
    char name[512];
    bool is_added = true;

    if (config->uri.count > 0) {
        is_added = list_configured(config, domain);
    } else {
        snprintf(name, sizeof(name), "_ldap._tcp.%s._sites.dc._msdcs.%s",
                 config->site == NULL ? "" : config->site, domain->realm);
        if (config->site != NULL)
            is_added = list_found(config, name, end, domain);
        snprintf(name, sizeof(name), "_ldap._tcp.dc._msdcs.%s", domain->realm);
        is_added = is_added && list_found(config, name, end, domain);
    }
    if (!is_added)
        sr_error_set(error, SR_ERROR_CONFIG, "\"uri\" cannot be used");
    else if (domain->host.count == 0)
        sr_error_set(error, SR_ERROR_UNREACHABLE,
                     "DNS has no domain controllers of %s (%s)", domain->realm,
                     name);
    return is_added && domain->host.count > 0;
}

bool
sr_ad_domain_find(const struct sr_backend_config *config, int64_t end,
                  struct sr_ad_domain *domain, struct sr_error *error)
{
    sr_ad_domain_clear(domain);
    return find_names(config, domain, error) &&
           find_controllers(config, end, domain, error);
}

void
sr_ad_domain_clear(struct sr_ad_domain *domain)
{
    free(domain->realm);
    free(domain->dn);
    free(domain->principal);
    sr_string_list_free(&domain->host);
    sr_string_list_free(&domain->directory);
    sr_string_list_free(&domain->bind);
    sr_string_list_free(&domain->kdc);
    *domain = (struct sr_ad_domain){0};
}

/* Move an item to the front. */
static void
move_up(struct sr_string_list *list, size_t at)
{
    char *item = list->item[at];

    memmove(&list->item[1], &list->item[0], at * sizeof(item));
    list->item[0] = item;
}

void
sr_ad_domain_prefer(struct sr_ad_domain *domain, const char *host)
{
    for (size_t i = 1; i < domain->host.count; i++) {
        if (strcasecmp(domain->host.item[i], host) != 0)
            continue;
        move_up(&domain->host, i);
        move_up(&domain->directory, i);
        move_up(&domain->bind, i);
        move_up(&domain->kdc, i);
    }
}

bool
sr_ad_domain_pdc(const struct sr_ad_domain *domain, int64_t end, char host[256])
{
    struct sr_srv found;
    char name[512];

    snprintf(name, sizeof(name), "_ldap._tcp.pdc._msdcs.%s", domain->realm);
    if (sr_srv_find(name, &found, 1, end) == 0)
        return false;
    memcpy(host, found.host, sizeof(found.host));
    return true;
}
