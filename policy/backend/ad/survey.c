/*
 * AD survey: what the domain controllers are, whether the keys and the names of
 * this host are of use there, and what its identity may do, by trying.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/backend/ad/survey.h"
#include "policy/backend/krb5/survey.h"
#include "policy/backend/ldap/ad_values.h"
#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/request.h"
#include "policy/backend/ldap/template.h"
#include "policy/util/deadline.h"

#define UAC_DISABLED 0x2u
#define MUST_LOG_ON  0x2u

#define POLICY_HINTS "1.2.840.113556.1.4.2239"

/* Who must change: not the disabled, nor those whose password never expires. */
#define MUST_CHANGE                                                            \
    "(&(objectCategory=person)(objectClass=user)(pwdLastSet=0)"                \
    "(!(userAccountControl:1.2.840.113556.1.4.803:=2))"                        \
    "(!(userAccountControl:1.2.840.113556.1.4.803:=65536)))"

/* More accounts than this are not counted. */
#define COUNT_MAX 100

/* What an administrator's orders write, and what the facts are read from. */
static const char *const tried[] = {
    "pwdLastSet",          "lockoutTime", "userAccountControl",
    "accountExpires",      "logonHours",  "replPropertyMetaData",
    "nTSecurityDescriptor"};
#define TRIED_COUNT  (sizeof(tried) / sizeof(tried[0]))
#define WRITES_COUNT 3 /* so many of the first are written, */
#define ALWAYS_FIRST 5 /* and those from here on every account has */

static const struct sr_ldap_entry no_entry;

static void
copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from == NULL ? "" : from);
}

/* Search below the head of the domain.  Returns how many were found, or -1. */
static int
find(struct sr_ldap_session *session, const char *filter,
     const char *const *attributes, struct sr_ldap_entry *found, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; i < most; i++)
        found[i] = no_entry;
    if (sr_ldap_search(session, session->config->default_policy,
                       LDAP_SCOPE_SUBTREE, filter, attributes, found, most,
                       &count) != LDAP_SUCCESS)
        return -1;
    return (int)count;
}

static void
clear(struct sr_ldap_entry *entry, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sr_ldap_entry_clear(&entry[i]);
}

/* ---- the domain controllers */

/* Bind to one controller as this host. */
static void
try_controller(struct sr_ad_call *ad, size_t number, struct sr_survey *survey)
{
    struct sr_backend_config one = ad->session->directory_config;
    struct sr_string_list uri = {&one.uri.item[number], 1};
    struct sr_survey_uri *found = &survey->uri[survey->uri_count];
    void *state = NULL;
    struct sr_backend backend = ad->backend;
    struct sr_call call = {.backend = &backend, .state = &state};
    struct sr_ldap_session *session;

    if (survey->uri_count == SR_SURVEY_URIS)
        return;
    one.uri = uri;
    backend.config = &one;
    survey->uri_count++;
    copy(found->uri, sizeof(found->uri), uri.item[0]);
    session = sr_ldap_begin(&state, &call);
    if (session == NULL)
        return;
    found->is_answered = sr_ldap_as_service(session) == LDAP_SUCCESS;
    if (!found->is_answered)
        copy(found->why, sizeof(found->why), call.error.text);
    sr_ldap_end(session);
    sr_ldap_session_free(session, false);
}

static void
read_root(struct sr_ldap_session *session, struct sr_survey_ad *out)
{
    static const char *const attribute[] = {"supportedControl", "vendorName",
                                            NULL};
    struct sr_ldap_entry root = {0};
    const char *text;
    size_t count, at = 0;

    if (sr_ldap_search(session, "", LDAP_SCOPE_BASE, "(objectClass=*)",
                       attribute, &root, 1, &count) == LDAP_SUCCESS) {
        text = sr_ldap_entry_first(&root, "vendorName");
        out->is_samba = text != NULL && strncmp(text, "Samba", 5) == 0;
        out->has_hints = SR_NO;
        while ((text = sr_ldap_entry_next(&root, attribute[0], &at)) != NULL)
            if (strcmp(text, POLICY_HINTS) == 0)
                out->has_hints = SR_YES;
    }
    sr_ldap_entry_clear(&root);
}

/* ---- the rules of the domain */

static void
read_domain(struct sr_ldap_session *session, struct sr_survey_ad *out)
{
    static const char *const attribute[] = {"lockoutThreshold", "pwdProperties",
                                            NULL};
    struct sr_ldap_entry head = {0};
    const char *text;
    uint32_t bits;
    size_t count;

    out->threshold = 0;
    if (sr_ldap_search(session, session->config->default_policy,
                       LDAP_SCOPE_BASE, "(objectClass=*)", attribute, &head, 1,
                       &count) == LDAP_SUCCESS) {
        text = sr_ldap_entry_first(&head, "lockoutThreshold");
        if (text != NULL && !sr_ad_number(text, &out->threshold))
            out->threshold = 0;
        text = sr_ldap_entry_first(&head, "pwdProperties");
        if (text != NULL && sr_ad_bits(text, &bits))
            out->needs_logon = (bits & MUST_LOG_ON) != 0 ? SR_YES : SR_NO;
    }
    sr_ldap_entry_clear(&head);
}

static void
count_must_change(struct sr_ldap_session *session, struct sr_survey_ad *out)
{
    static const char *const attribute[] = {"sAMAccountName", NULL};
    struct sr_ldap_entry found[COUNT_MAX];
    int count = find(session, MUST_CHANGE, attribute, found, COUNT_MAX);

    if (count > 0) {
        out->must_change = (size_t)count;
        copy(out->must_change_name, sizeof(out->must_change_name),
             sr_ldap_entry_first(&found[0], attribute[0]));
    }
    clear(found, COUNT_MAX);
}

/* ---- the names of this host */

/* This host's own account, by the name that its key has. */
static void
read_account(struct sr_ldap_session *session, struct sr_survey_ad *out)
{
    static const char *const attribute[] = {"dNSHostName", "userAccountControl",
                                            "msDS-SupportedEncryptionTypes",
                                            NULL};
    struct sr_ldap_entry found = {0};
    char *filter = sr_ldap_filter("(sAMAccountName=%u)", out->name);
    const char *text;
    uint32_t bits;

    out->enctypes = -1;
    if (filter != NULL && find(session, filter, attribute, &found, 1) == 1) {
        copy(out->account, sizeof(out->account), found.dn);
        copy(out->fqdn, sizeof(out->fqdn),
             sr_ldap_entry_first(&found, "dNSHostName"));
        text = sr_ldap_entry_first(&found, "userAccountControl");
        out->is_disabled = text != NULL && sr_ad_bits(text, &bits) &&
                           (bits & UAC_DISABLED) != 0;
        text = sr_ldap_entry_first(&found, "msDS-SupportedEncryptionTypes");
        if (text != NULL && !sr_ad_number(text, &out->enctypes))
            out->enctypes = -1;
    }
    sr_ldap_entry_clear(&found);
    free(filter);
}

/* That which asks, and its security identifier. */
static void
read_identity(struct sr_ldap_session *session, struct sr_survey_ad *out)
{
    static const char *const attribute[] = {"sAMAccountName", "objectSid",
                                            NULL};
    const char *dn = session->config->identity == SR_IDENTITY_SIMPLE
                         ? session->config->bind_dn
                         : out->account;
    struct sr_ldap_entry entry = {0};
    const struct sr_ldap_value *sid;
    size_t count, at = 0;

    if (dn[0] != '\0' &&
        sr_ldap_search(session, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                       attribute, &entry, 1, &count) == LDAP_SUCCESS) {
        copy(out->identity, sizeof(out->identity),
             sr_ldap_entry_first(&entry, attribute[0]));
        sid = sr_ldap_entry_value(&entry, attribute[1], &at);
        if (sid != NULL)
            sr_ad_sid_text((const uint8_t *)sid->text, sid->size, out->sid,
                           sizeof(out->sid));
    }
    sr_ldap_entry_clear(&entry);
}

/* The first account that is not ours. */
static void
note_other(const struct sr_ldap_entry *entry, struct sr_survey_spn *spn)
{
    copy(spn->other, sizeof(spn->other),
         sr_ldap_entry_first(entry, "sAMAccountName"));
    copy(spn->spelling, sizeof(spn->spelling),
         sr_ldap_entry_spelling(entry, "servicePrincipalName", spn->name));
}

static void
find_owners(struct sr_ldap_session *session, const struct sr_survey_ad *ad,
            struct sr_survey_spn *spn)
{
    static const char *const attribute[] = {"sAMAccountName",
                                            "servicePrincipalName", NULL};
    struct sr_ldap_entry found[4];
    char *filter = sr_ldap_filter("(servicePrincipalName=%u)", spn->name);
    int count =
        filter == NULL ? -1 : find(session, filter, attribute, found, 4);

    for (int i = 0; i < count && i < 4; i++) {
        if (strcasecmp(found[i].dn, ad->account) == 0)
            spn->is_ours = true;
        else if (spn->other[0] == '\0')
            note_other(&found[i], spn);
    }
    spn->count = count < 0 ? 0 : (size_t)count;
    if (filter != NULL)
        clear(found, 4);
    free(filter);
}

static void
add_name(struct sr_survey_ad *out, const char *name)
{
    struct sr_survey_spn *spn = &out->spn[out->spn_count];

    for (size_t i = 0; i < out->spn_count; i++) {
        if (strcasecmp(out->spn[i].name + 5, name) == 0)
            return;
    }
    if (name[0] == '\0' || out->spn_count == SR_SURVEY_SPNS)
        return;
    snprintf(spn->name, sizeof(spn->name), "host/%.255s", name);
    out->spn_count++;
}

/* The names that this host should have: its short one, its full one, and those
 * of the keytab. */
static void
list_names(const struct sr_survey_krb5 *krb5, struct sr_survey_ad *out)
{
    char name[256];

    copy(name, sizeof(name), out->name);
    name[strcspn(name, "$")] = '\0';
    add_name(out, name);
    add_name(out, out->fqdn);
    for (size_t i = 0; i < krb5->key_count; i++) {
        if (!krb5->key[i].is_host)
            continue;
        copy(name, sizeof(name), krb5->key[i].principal + 5);
        name[strcspn(name, "@")] = '\0';
        add_name(out, name);
    }
}

/* DNS both ways: the name has an address, and the address this name. */
static void
try_dns(struct sr_survey_ad *out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char name[NI_MAXHOST], address[NI_MAXHOST];
    int error;

    if (out->fqdn[0] == '\0')
        return;
    error = getaddrinfo(out->fqdn, NULL, &hints, &list);
    if (error != 0)
        snprintf(out->dns_why, sizeof(out->dns_why), "it has no address: %s",
                 gai_strerror(error));
    for (const struct addrinfo *at = list;
         at != NULL && out->dns_why[0] == '\0'; at = at->ai_next) {
        if (getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof(address),
                        NULL, 0, NI_NUMERICHOST) != 0)
            continue;
        error = getnameinfo(at->ai_addr, at->ai_addrlen, name, sizeof(name),
                            NULL, 0, NI_NAMEREQD);
        if (error != 0)
            snprintf(out->dns_why, sizeof(out->dns_why),
                     "its address %.60s has no name: %.80s", address,
                     gai_strerror(error));
        else if (strcasecmp(name, out->fqdn) != 0)
            snprintf(out->dns_why, sizeof(out->dns_why),
                     "its address %.60s has the name %.100s", address, name);
    }
    if (list != NULL)
        freeaddrinfo(list);
}

/* ---- what may be done with the test entry */

static bool
has_value(const struct sr_ldap_entry *entry, const char *attribute,
          const char *value)
{
    const char *text;
    size_t at = 0;

    while ((text = sr_ldap_entry_next(entry, attribute, &at)) != NULL) {
        if (strcasecmp(text, value) == 0)
            return true;
    }
    return false;
}

/*
 * The right to reset a password, by trying to set one that is none: unicodePwd
 * takes quoted UTF-16 only, and rights are looked at first.
 */
static enum sr_tri
may_reset(struct sr_ldap_session *session, const char *dn)
{
    struct sr_ldap_response answer;

    sr_ldap_replace(session, dn, "unicodePwd", "\"", &answer);
    switch (answer.code) {
    case LDAP_CONSTRAINT_VIOLATION:
    case LDAP_UNWILLING_TO_PERFORM:
        return SR_YES;
    case LDAP_INSUFFICIENT_ACCESS:
        return SR_NO;
    default:
        return SR_UNKNOWN;
    }
}

static void
try_rights(struct sr_ldap_session *session, struct sr_survey *survey)
{
    const char *attribute[TRIED_COUNT + 2] = {"allowedAttributesEffective"};
    struct sr_ldap_entry entry = {0};
    size_t count = 0, at;

    for (size_t i = 0; i < TRIED_COUNT; i++)
        attribute[i + 1] = tried[i];
    attribute[TRIED_COUNT + 1] = NULL;
    if (sr_ldap_search(session, survey->test_dn, LDAP_SCOPE_BASE,
                       "(objectClass=*)", attribute, &entry, 1,
                       &count) != LDAP_SUCCESS ||
        count != 1)
        return;
    for (size_t i = 0; i < TRIED_COUNT; i++) {
        struct sr_survey_right *right = &survey->right[i];

        at = 0;
        right->attribute = tried[i];
        right->is_known = SR_YES;
        right->is_shut = i >= WRITES_COUNT;
        if (sr_ldap_entry_value(&entry, tried[i], &at) != NULL)
            right->sees = SR_YES;
        else /* other attributes may be absent */
            right->sees = i < ALWAYS_FIRST ? SR_UNKNOWN : SR_NO;
        right->self_writes = SR_UNKNOWN;
        right->writes =
            has_value(&entry, attribute[0], tried[i]) ? SR_YES : SR_NO;
    }
    survey->right[TRIED_COUNT] = (struct sr_survey_right){
        .attribute = "unicodePwd",
        .is_known = SR_YES,
        .sees = SR_NO, /* nobody does */
        .self_writes = SR_UNKNOWN,
        .writes = has_value(&entry, attribute[0], "unicodePwd")
                      ? SR_YES
                      : may_reset(session, survey->test_dn),
    };
    survey->right_count = TRIED_COUNT + 1;
    sr_ldap_entry_clear(&entry);
}

/* ---- all of it */

static void
look_around(struct sr_ldap_session *session, struct sr_survey *survey)
{
    struct sr_survey_ad *out = &survey->ad;

    read_root(session, out);
    if (survey->is_brief)
        return;
    read_domain(session, out);
    if (out->needs_logon == SR_YES)
        count_must_change(session, out);
    if (out->name[0] != '\0')
        read_account(session, out);
    read_identity(session, out);
    list_names(&survey->krb5, out);
    for (size_t i = 0; i < out->spn_count; i++)
        find_owners(session, out, &out->spn[i]);
    try_dns(out);
    if (survey->test_dn[0] != '\0')
        try_rights(session, survey);
}

static void
try_directory(struct sr_ad_call *ad, struct sr_survey *survey)
{
    struct sr_survey_ad *out = &survey->ad;
    struct sr_call *part = sr_ad_directory(ad);
    struct sr_ldap_session *session;

    part->deadline = 0; /* that of a login is no limit here */
    session = sr_ldap_begin(part->state, part);
    if (session == NULL)
        return;
    out->is_read = sr_ldap_as_service(session) == LDAP_SUCCESS ? SR_YES : SR_NO;
    if (out->is_read == SR_YES) {
        look_around(session, survey);
        if (survey->used[0] == '\0')
            copy(survey->used, sizeof(survey->used),
                 session->config->uri.item[session->uri]);
    } else {
        copy(out->why, sizeof(out->why), part->error.text);
    }
    sr_ldap_end(session);
}

void
sr_ad_survey(struct sr_ad_call *ad, struct sr_survey *survey)
{
    const struct sr_ad_domain *domain = &ad->session->domain;
    const char *test = survey->test;
    struct sr_call *part = sr_ad_kdc(ad);
    struct sr_krb5_session *session = sr_krb5_session_begin(part);

    copy(survey->ad.domain, sizeof(survey->ad.domain), domain->realm);
    for (char *at = survey->ad.domain; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    copy(survey->ad.name, sizeof(survey->ad.name), domain->principal);
    survey->ad.name[strcspn(survey->ad.name, "@")] = '\0';
    if (session != NULL) {
        survey->test = NULL; /* the directory finds accounts */
        sr_krb5_survey(session, ad->backend.name, survey);
        survey->test = test;
    }
    snprintf(survey->name, sizeof(survey->name), "Active Directory %.60s",
             survey->ad.domain);
    for (size_t i = 0; i < domain->directory.count &&
                       (!survey->is_brief || survey->tries_servers);
         i++)
        try_controller(ad, i, survey);
    try_directory(ad, survey);
}
