/*
 * Backend section: what is missing in a backend's section, or wrong with it.
 *
 * Filters and DNs are parsed, so that an error in one is reported with its line
 * and not at the first login.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "policy/config/backend_section.h"
#include "policy/util/words.h"

/* Nested filters; recursion is bounded. */
#define DEPTH_MAX 32

/* A filter or a DN, and how far it has been read. */
struct reading {
    const char *at;
    size_t names; /* occurrences of %u */
};

static bool
is_hex(const char *at)
{
    return isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1]);
}

/* The length of an attribute's name, options and matching rules included. */
static size_t
attribute_length(const char *at)
{
    size_t length = 0;

    while (isalnum((unsigned char)at[length]) ||
           (at[length] != '\0' && strchr("-._;:", at[length]) != NULL))
        length++;
    return length;
}

/* ---- filters (RFC 4515) */

/* The value of an item, up to its bracket. */
static const char *
read_filter_value(struct reading *reading)
{
    for (;; reading->at++) {
        switch (*reading->at) {
        case ')':
            return NULL;
        case '\0':
            return N_LOG("has a filter with a bracket that is not closed");
        case '(':
            return N_LOG("has a filter with a bracket in a value");
        case '\\':
            if (!is_hex(reading->at + 1))
                return N_LOG(
                    "has a filter with a \\ without two hexadecimal digits "
                    "after it");
            reading->at += 2;
            break;
        case '%':
            if (reading->at[1] != 'u')
                return N_LOG("has a filter with a \"%\" other than that of %u");
            reading->names++;
            break;
        default:
            break;
        }
    }
}

/* "attribute=value", also with ~=, >=, <= and :=. */
static const char *
read_filter_item(struct reading *reading)
{
    size_t length = attribute_length(reading->at);

    if (length == 0)
        return N_LOG(
            "has a filter that is not (attribute=value), (&...), (|...) or "
            "(!...)");
    reading->at += length;
    if (*reading->at != '\0' && strchr("~<>", *reading->at) != NULL)
        reading->at++;
    if (*reading->at != '=')
        return N_LOG("has a filter with an attribute without =");
    reading->at++;
    return read_filter_value(reading);
}

static const char *read_filter(struct reading *reading, int depth);

/* The filters of a list, up to its closing bracket. */
static const char *
read_filters(struct reading *reading, bool is_one, int depth)
{
    const char *fault = NULL;
    size_t count = 0;

    while (fault == NULL && *reading->at == '(') {
        fault = read_filter(reading, depth);
        count++;
    }
    if (fault == NULL && (count == 0 || (is_one && count > 1)))
        fault = is_one
                    ? N_LOG("has a filter with a ! that is not of one filter")
                    : N_LOG("has a filter with nothing after & or |");
    return fault;
}

static const char *
read_filter(struct reading *reading, int depth)
{
    const char *fault;

    if (*reading->at != '(')
        return N_LOG("has a filter that does not begin with a bracket");
    if (depth == DEPTH_MAX)
        return N_LOG("has a filter with too many brackets");
    reading->at++;
    if (*reading->at != '\0' && strchr("&|!", *reading->at) != NULL) {
        bool is_one = *reading->at++ == '!';

        fault = read_filters(reading, is_one, depth + 1);
    } else {
        fault = read_filter_item(reading);
    }
    if (fault == NULL && *reading->at != ')')
        fault = *reading->at == '\0'
                    ? N_LOG("has a filter with a bracket that is not closed")
                    : N_LOG("has a filter with text between its brackets");
    if (fault == NULL)
        reading->at++;
    return fault;
}

static const char *
filter_fault(const char *filter)
{
    struct reading reading = {.at = filter == NULL ? "" : filter};
    const char *fault;

    if (strstr(reading.at, "%u") == NULL)
        return N_LOG("needs a filter with %u in it");
    fault = read_filter(&reading, 0);
    if (fault == NULL && *reading.at != '\0')
        fault = N_LOG("has a filter with text after its last bracket");
    return fault;
}

/* ---- DNs (RFC 4514), also as RFC 2253 (section 4) has servers accept them:
 * with quotes, semicolons, and spaces around = */

/* A value, up to the separator. */
static const char *
read_dn_value(struct reading *reading, bool takes_name)
{
    bool is_quoted = *(reading->at += strspn(reading->at, " ")) == '"';
    const char *start = reading->at += is_quoted;

    for (; *reading->at != '\0' &&
           strchr(is_quoted ? "\"" : ",;+", *reading->at) == NULL;
         reading->at++) {
        if (!is_quoted && strchr("\"<>", *reading->at) != NULL)
            return N_LOG("has a character that needs a \\ before it");
        if (*reading->at == '\\') {
            if (is_hex(reading->at + 1))
                reading->at++;
            else if (reading->at[1] == '\0' ||
                     strchr(" \"#+,;<=>\\", reading->at[1]) == NULL)
                return N_LOG("has a \\ before a character that needs none");
            reading->at++;
        } else if (takes_name && *reading->at == '%') {
            if (reading->at[1] != 'u')
                return N_LOG("has a \"%\" other than that of %u");
            reading->names++;
        }
    }
    if (reading->at == start)
        return N_LOG("has an attribute without a value");
    if (is_quoted && *reading->at == '\0')
        return N_LOG("has a quote that is not closed");
    reading->at += is_quoted;
    reading->at += is_quoted ? strspn(reading->at, " ") : 0;
    return strchr(",;+", *reading->at) == NULL
               ? N_LOG("has text behind a quote")
               : NULL;
}

/* "attribute=value,attribute=value"; takes_name: with %u in a value. */
static const char *
dn_fault(const char *dn, bool takes_name)
{
    struct reading reading = {.at = dn};
    const char *fault = NULL;

    while (fault == NULL) {
        size_t length;

        reading.at += strspn(reading.at, " ");
        length = attribute_length(reading.at);
        reading.at += length;
        reading.at += strspn(reading.at, " ");
        if (length == 0 || *reading.at != '=')
            return N_LOG("is not of the form attribute=value,attribute=value");
        reading.at++;
        fault = read_dn_value(&reading, takes_name);
        if (*reading.at == '\0')
            break;
        reading.at++;
    }
    if (fault == NULL && takes_name && reading.names == 0)
        fault = N_LOG("needs %u in the value of an attribute");
    return fault;
}

/* ---- the section */

static bool
has_uri(const struct sr_backend_config *backend, const char *scheme)
{
    for (size_t i = 0; i < backend->uri.count; i++) {
        if (strncasecmp(backend->uri.item[i], scheme, strlen(scheme)) == 0)
            return true;
    }
    return false;
}

/* Keys that go with an identity, present without it or missing with it. */
static const char *
identity_fault(const struct sr_backend_config *backend)
{
    const enum sr_read_as identity = backend->identity;
    bool is_simple = identity == SR_IDENTITY_SIMPLE;

    if (is_simple && (backend->bind_dn == NULL || backend->secret_file == NULL))
        return N_LOG(
            "has identity = simple, which needs bind_dn and secret_file");
    if (!is_simple &&
        (backend->bind_dn != NULL || backend->secret_file != NULL))
        return N_LOG(
            "has bind_dn or secret_file, which need identity = simple");
    if (identity == SR_IDENTITY_EXTERNAL && backend->cert_file == NULL &&
        strncasecmp(backend->uri.item[0], "ldapi://", 8) != 0)
        return N_LOG("has identity = external, which needs an ldapi:// uri or "
                     "cert_file");
    if ((backend->cert_file == NULL) != (backend->key_file == NULL))
        return N_LOG(
            "has one of cert_file and key_file, which need each other");
    if (identity != SR_IDENTITY_GSSAPI &&
        (backend->keytab != NULL || backend->principal != NULL))
        return N_LOG("has keytab or principal, which need identity = gssapi");
    if (identity != SR_IDENTITY_NONE && backend->user_dn != NULL)
        return N_LOG("has user_dn, which needs identity = none");
    if (identity == SR_IDENTITY_GSSAPI && has_uri(backend, "ldapi://"))
        return N_LOG(
            "has identity = gssapi and an ldapi:// uri, which has no host "
            "that a ticket could be for");
    if (identity == SR_IDENTITY_NONE && backend->lockout_base != NULL)
        return N_LOG("has lockout_base, which needs an identity");
    if (identity == SR_IDENTITY_NONE && backend->reset_base != NULL)
        return N_LOG("has reset_base, which needs an identity");
#ifndef HAVE_KRB5
    if (identity == SR_IDENTITY_GSSAPI)
        return N_LOG("has identity = gssapi, for which this program was built "
                     "without Kerberos");
#endif
    return NULL;
}

/* Which key of type = ldap only there is. */
static const char *
foreign_key(const struct sr_backend_config *backend)
{
    if (backend->user_dn != NULL)
        return "user_dn";
    if (backend->default_policy != NULL)
        return "default_policy";
    if (backend->lockout_base != NULL)
        return "lockout_base";
    if (backend->reset_base != NULL)
        return "reset_base";
    return NULL;
}

/* ---- type = krb5 */

/* Which key of a directory is there. */
static const char *
directory_key(const struct sr_backend_config *backend)
{
    if (backend->uri.count > 0)
        return "uri";
    if (backend->base != NULL)
        return "base";
    if (backend->identity != SR_IDENTITY_NONE)
        return "identity";
    if (backend->bind_dn != NULL)
        return "bind_dn";
    if (backend->secret_file != NULL)
        return "secret_file";
    if (backend->user_dn != NULL)
        return "user_dn";
    if (backend->ca_file != NULL || backend->ca_directory != NULL)
        return backend->ca_file != NULL ? "ca_file" : "ca_directory";
    if (backend->cert_file != NULL || backend->key_file != NULL)
        return backend->cert_file != NULL ? "cert_file" : "key_file";
    return foreign_key(backend);
}

/* "yes", "no", or a cache of a type that another process of the user finds. */
static bool
is_ccache(const char *text)
{
    static const char *const type[] = {
        "FILE:/", "DIR:/", "KEYRING:persistent:", "KEYRING:user:", "KCM:"};

    if (text == NULL || strcmp(text, "yes") == 0 || strcmp(text, "no") == 0)
        return text != NULL;
    for (size_t i = 0; i < sizeof(type) / sizeof(type[0]); i++) {
        if (strncmp(text, type[i], strlen(type[i])) == 0 &&
            text[strlen(type[i])] != '\0')
            return true;
    }
    return false;
}

/* Whether each "%" begins a variable that is replaced. */
static bool
has_known_variables(const char *text)
{
    static const char *const known[] = {"%%", "%{uid}", "%{user}"};

    for (text = strchr(text, '%'); text != NULL; text = strchr(text, '%')) {
        size_t length = 0;

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            if (strncmp(text, known[i], strlen(known[i])) == 0)
                length = strlen(known[i]);
        }
        if (length == 0)
            return false;
        text += length;
    }
    return true;
}

/* The keys of Kerberos that each type has that gets tickets. */
static const char *
ticket_fault(const struct sr_backend_config *backend, const char **key)
{
    *key = "ccache";
    if (!is_ccache(backend->ccache))
        return N_LOG("is none of yes, no, FILE:/PATH, DIR:/PATH, KCM:NAME, "
                     "KEYRING:persistent:NAME and KEYRING:user:NAME");
    if (!has_known_variables(backend->ccache))
        return N_LOG("has a variable other than %{uid}, %{user} and %%");
    *key = "fast";
    if (backend->fast == SR_FAST_DEMAND && !backend->verify)
        return N_LOG("= demand needs verify = yes");
    *key = "keytab";
    if (backend->keytab != NULL && backend->keytab[0] != '/')
        return N_LOG("is not a path that begins with /");
    return NULL;
}

static const char *
krb5_fault(const struct sr_backend_config *backend, const char **key)
{
    const char *fault;

    *key = directory_key(backend);
    if (*key != NULL)
        return N_LOG("needs type = ldap");
    *key = "user_principal";
    if (backend->user_principal == NULL ||
        strstr(backend->user_principal, "%u") == NULL)
        return N_LOG("needs %u for the name");
    fault = ticket_fault(backend, key);
    if (fault != NULL)
        return fault;
#ifndef HAVE_KRB5
    *key = "type";
    return N_LOG("is krb5, for which this program was built without Kerberos");
#endif
    *key = NULL;
    return NULL;
}

/* ---- type = ad */

static const char *
ad_identity_fault(const struct sr_backend_config *backend)
{
    const bool is_simple = backend->identity == SR_IDENTITY_SIMPLE;

    if (!is_simple && backend->identity != SR_IDENTITY_GSSAPI)
        return N_LOG("has type = ad, which needs identity = gssapi or simple");
    if (is_simple != (backend->bind_dn != NULL) ||
        is_simple != (backend->secret_file != NULL))
        return N_LOG(
            "has one of identity = simple, bind_dn and secret_file, which "
            "need each other");
    return has_uri(backend, "ldapi://")
               ? N_LOG("has type = ad and an ldapi:// uri, which is no domain "
                       "controller")
               : NULL;
}

static const char *
ad_fault(const struct sr_backend_config *backend, const char **key)
{
    const char *fault = ad_identity_fault(backend);

    if (fault != NULL)
        return fault;
    *key = foreign_key(backend);
    if (*key != NULL)
        return N_LOG("does not go with type = ad");
    *key = "name_attribute";
    if (backend->name_attribute == NULL || backend->uid_attribute == NULL)
        return N_LOG("needs a value, as uid_attribute does");
    fault = ticket_fault(backend, key);
    if (fault != NULL)
        return fault;
    *key = "auth";
    if (backend->auth == SR_AUTH_KRB5_LDAP && backend->insecure)
        return N_LOG("= krb5 ldap needs insecure = no");
    *key = "bind_dn";
    if (backend->bind_secret == SR_BIND_SECRET_MANAGED &&
        backend->bind_dn != NULL)
        fault = dn_fault(backend->bind_dn, false);
    if (fault != NULL)
        return fault;
    *key = "base";
    fault = backend->base == NULL ? NULL : dn_fault(backend->base, false);
    if (fault == NULL) {
        *key = "filter";
        fault = filter_fault(backend->filter);
    }
#ifndef HAVE_KRB5
    if (fault == NULL) {
        *key = "type";
        fault =
            N_LOG("is ad, for which this program was built without Kerberos");
    }
#endif
    return fault;
}

/* Which key of Kerberos a directory has. */
static const char *
krb5_key(const struct sr_backend_config *backend)
{
    if (backend->realm != NULL)
        return "realm";
    if (backend->kdc.count > 0)
        return "kdc";
    return NULL;
}

/* Which key of Active Directory another one has. */
static const char *
ad_key(const struct sr_backend_config *backend)
{
    if (backend->site != NULL)
        return "site";
    if (backend->auth != SR_AUTH_KRB5)
        return "auth";
    if (backend->bind_secret != SR_BIND_SECRET_FIXED)
        return "bind_secret";
    return backend->reset_history ? NULL : "reset_history";
}

const char *
sr_config_backend_fault(const struct sr_backend_config *backend,
                        const char **key)
{
    const struct {
        const char *key, *value;
        bool takes_name;
    } dn[] = {{"base", backend->base, false},
              {"default_policy", backend->default_policy, false},
              {"lockout_base", backend->lockout_base, false},
              {"reset_base", backend->reset_base, false},
              {"user_dn", backend->user_dn, true}};
    const char *fault;

    *key = NULL;
    if (backend->type == SR_BACKEND_AD)
        return ad_fault(backend, key);
    *key = ad_key(backend);
    if (*key != NULL)
        return N_LOG("needs type = ad");
    if (backend->type == SR_BACKEND_KRB5)
        return krb5_fault(backend, key);
    *key = krb5_key(backend);
    if (*key != NULL)
        return N_LOG("needs type = krb5 or ad");
    if (backend->uri.count == 0)
        return N_LOG("needs a uri");
    if (backend->base == NULL)
        return N_LOG("needs a base");
    if (backend->name_attribute == NULL || backend->uid_attribute == NULL)
        return N_LOG("needs a name_attribute and a uid_attribute");
    fault = identity_fault(backend);
    if (fault != NULL)
        return fault;
    *key = "filter";
    fault = filter_fault(backend->filter);
    for (size_t i = 0; fault == NULL && i < sizeof(dn) / sizeof(dn[0]); i++) {
        *key = dn[i].key;
        if (dn[i].value != NULL)
            fault = dn_fault(dn[i].value, dn[i].takes_name);
    }
    if (fault == NULL && backend->keytab != NULL && backend->keytab[0] != '/') {
        *key = "keytab";
        fault = N_LOG("is not a path that begins with /");
    }
    return fault;
}
