/*
 * LDAP server: what a server publishes about itself, and its certificate.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/backend/ldap/rootdse.h"
#include "policy/backend/ldap/syntax.h"
#include "policy/backend/ldap/template.h"
#include "policy/util/utf8.h"
#include "policy/util/words.h"

const char *const sr_ldap_root_attributes[] = {
    "objectClass", "supportedControl", "supportedExtension",
    "vendorName",  "vendorVersion",    NULL,
};

static bool
has(const struct sr_ldap_entry *entry, const char *attribute,
    const char *wanted)
{
    const char *value;
    size_t at = 0;

    while ((value = sr_ldap_entry_next(entry, attribute, &at)) != NULL) {
        if (strcasecmp(value, wanted) == 0)
            return true;
    }
    return false;
}

enum sr_server
sr_ldap_server_kind(const struct sr_ldap_entry *root)
{
    const char *vendor = sr_ldap_entry_first(root, "vendorName");

    if (has(root, "objectClass", "OpenLDAProotDSE"))
        return SR_SERVER_OPENLDAP;
    return vendor != NULL && strstr(vendor, "389") != NULL ? SR_SERVER_389
                                                           : SR_SERVER_OTHER;
}

void
sr_ldap_server_root(const struct sr_ldap_entry *root, struct sr_survey *survey)
{
    const char *vendor = sr_ldap_entry_first(root, "vendorName");
    const char *version = sr_ldap_entry_first(root, "vendorVersion");

    survey->has_ppolicy =
        has(root, "supportedControl", LDAP_CONTROL_PASSWORDPOLICYREQUEST);
    survey->has_password_operation =
        has(root, "supportedExtension", LDAP_EXOP_MODIFY_PASSWD);
    survey->has_sync = has(root, "supportedControl", LDAP_CONTROL_SYNC);
    survey->server = sr_ldap_server_kind(root);
    switch (survey->server) {
    case SR_SERVER_OPENLDAP:
        snprintf(survey->name, sizeof(survey->name), "OpenLDAP");
        break;
    case SR_SERVER_389:
        snprintf(survey->name, sizeof(survey->name), "%s",
                 version == NULL ? "389 Directory Server" : version);
        break;
    case SR_SERVER_OTHER:
        snprintf(survey->name, sizeof(survey->name), "%s%s%s",
                 vendor == NULL ? N_LOG("an unknown server") : vendor,
                 version == NULL ? "" : " ", version == NULL ? "" : version);
        break;
    }
}

/* ---- the policy */

/* The members of a policy, and the attributes that hold them: OpenLDAP's or, as
 * 389 has its own names, that. */
#define NUMBER(member) offsetof(struct sr_survey_policy, member), false
#define TRUTH(member)  offsetof(struct sr_survey_policy, member), true

static const struct member {
    size_t offset;
    bool is_truth;
    const char *attribute[2];
} members[] = {
    {NUMBER(max_age), {"pwdMaxAge", "passwordMaxAge"}},
    {NUMBER(warning), {"pwdExpireWarning", "passwordWarning"}},
    {NUMBER(min_age), {"pwdMinAge", "passwordMinAge"}},
    {NUMBER(grace), {"pwdGraceAuthNLimit", "passwordGraceLimit"}},
    {NUMBER(min_length), {"pwdMinLength", "passwordMinLength"}},
    {NUMBER(history), {"pwdInHistory", "passwordInHistory"}},
    {NUMBER(max_failures), {"pwdMaxFailure", "passwordMaxFailure"}},
    {NUMBER(lock_duration), {"pwdLockoutDuration", "passwordLockoutDuration"}},
    {TRUTH(locks), {"pwdLockout", "passwordLockout"}},
    {TRUTH(must_change), {"pwdMustChange", "passwordMustChange"}},
    {TRUTH(safe_modify), {"pwdSafeModify"}},
    {TRUTH(user_change), {"pwdAllowUserChange", "passwordChange"}},
    {TRUTH(tells_changes), {"passwordTrackUpdateTime"}},
    {NUMBER(temporary_uses), {"passwordTPRMaxUse"}},
    {NUMBER(temporary_lifetime), {"passwordTPRDelayExpireAt"}},
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))
_Static_assert(2 * MEMBERS + 2 <= SR_LDAP_POLICY_LIST, "the list has room");

void
sr_ldap_policy_attributes(const char *list[SR_LDAP_POLICY_LIST])
{
    size_t count = 0;

    /* Every policy has it: so it is known whether it can be read. */
    list[count++] = "pwdAttribute";
    for (size_t i = 0; i < 2 * MEMBERS; i++) {
        if (members[i / 2].attribute[i % 2] != NULL)
            list[count++] = members[i / 2].attribute[i % 2];
    }
    list[count] = NULL;
}

/* -1: it is absent, or is no number. */
static int64_t
number(const char *text)
{
    int64_t value;

    return text != NULL && sr_ldap_duration(text, INT64_MAX, &value) ? value
                                                                     : -1;
}

void
sr_ldap_server_policy(const struct sr_ldap_entry *policy,
                      struct sr_survey_policy *out)
{
    out->is_read = policy->count > 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        void *at = (char *)out + members[i].offset;
        const char *text = sr_ldap_entry_first(policy, members[i].attribute[0]);

        if (text == NULL && members[i].attribute[1] != NULL)
            text = sr_ldap_entry_first(policy, members[i].attribute[1]);
        if (!members[i].is_truth)
            *(int64_t *)at = number(text);
        else if (text != NULL)
            *(enum sr_tri *)at =
                strcasecmp(text, "true") == 0 || strcasecmp(text, "on") == 0
                    ? SR_YES
                    : SR_NO;
        else
            *(enum sr_tri *)at = SR_UNKNOWN;
    }
}

/* ---- all accounts */

struct sorted {
    const char *name;
    uid_t uid; /* (uid_t)-1: none of use */
    size_t entry;
};

static int
by_name(const void *left, const void *right, void *locale)
{
    const struct sorted *a = left, *b = right;

    return sr_utf8_compare_names(a->name, b->name, locale);
}

static int
by_uid(const void *left, const void *right)
{
    const struct sorted *a = left, *b = right;

    return (a->uid > b->uid) - (a->uid < b->uid);
}

/* One row for each name of each entry; returns how many. */
static size_t
fill_rows(const struct sr_ldap_entry *account, size_t count,
          const char *name_attribute, const char *uid_attribute,
          struct sorted *row)
{
    size_t rows = 0;

    for (size_t i = 0; i < count; i++) {
        const char *uid = sr_ldap_entry_first(&account[i], uid_attribute);
        uid_t value = (uid_t)-1;
        const char *name;
        size_t at = 0;

        if (uid != NULL && !sr_ldap_uid(uid, &value))
            value = (uid_t)-1;
        while ((name = sr_ldap_entry_next(&account[i], name_attribute, &at)) !=
               NULL)
            row[rows++] = (struct sorted){name, value, i};
    }
    return rows;
}

/* Names that differ in case only are one: a directory finds both. */
static void
find_twice_name(struct sorted *row, size_t rows, struct sr_survey *survey)
{
    const locale_t locale = sr_utf8_locale();

    if (locale == (locale_t)0)
        return;
    qsort_r(row, rows, sizeof(*row), by_name, locale);
    for (size_t i = 1; i < rows && survey->twice[0] == '\0'; i++) {
        const char *one = row[i - 1].name, *other = row[i].name;

        if (sr_utf8_compare_names(one, other, locale) != 0 ||
            row[i - 1].entry == row[i].entry)
            continue;
        snprintf(survey->twice, sizeof(survey->twice),
                 strcmp(one, other) == 0 ? "%.32s" : "%.32s, %.32s", one,
                 other);
    }
    freelocale(locale);
}

static void
find_twice(struct sorted *row, size_t rows, struct sr_survey *survey)
{
    find_twice_name(row, rows, survey);
    qsort(row, rows, sizeof(*row), by_uid);
    for (size_t i = 1; i < rows && survey->twice_uid[0] == '\0'; i++) {
        if (row[i].uid != (uid_t)-1 && row[i - 1].uid == row[i].uid &&
            row[i - 1].entry != row[i].entry)
            snprintf(survey->twice_uid, sizeof(survey->twice_uid),
                     "%.32s, %.32s", row[i - 1].name, row[i].name);
    }
}

void
sr_ldap_server_accounts(struct sr_ldap_entry *account, size_t count,
                        const char *name_attribute, const char *uid_attribute,
                        struct sr_survey *survey)
{
    size_t values = 0, rows;
    struct sorted *row;

    for (size_t i = 0; i < count; i++)
        values += account[i].count;
    survey->accounts = count;
    row = calloc(values + 1, sizeof(*row));
    if (row == NULL) {
        survey->is_cut = true;
        return;
    }
    rows = fill_rows(account, count, name_attribute, uid_attribute, row);
    for (size_t i = 0; i < rows && survey->no_uid[0] == '\0'; i++) {
        if (row[i].uid == (uid_t)-1)
            snprintf(survey->no_uid, sizeof(survey->no_uid), "%s", row[i].name);
    }
    find_twice(row, rows, survey);
    free(row);
}

/* ---- the certificate */

struct der {
    const unsigned char *at, *end;
};

/* Take one value off the front: its tag, and what is in it. */
static int
der_take(struct der *from, struct der *inside)
{
    size_t length = 0, bytes;
    int tag;

    if (from->end - from->at < 2)
        return -1;
    tag = *from->at++;
    bytes = *from->at++;
    if (bytes < 0x80) {
        length = bytes;
        bytes = 0;
    } else {
        bytes -= 0x80;
    }
    if (bytes > 4 || (size_t)(from->end - from->at) < bytes)
        return -1;
    for (; bytes > 0; bytes--)
        length = length << 8 | *from->at++;
    if ((size_t)(from->end - from->at) < length)
        return -1;
    inside->at = from->at;
    inside->end = from->at + length;
    from->at += length;
    return tag;
}

enum {
    DER_SEQUENCE = 0x30,
    DER_VERSION = 0xa0, /* [0], which need not be there */
    DER_UTC = 0x17,
    DER_GENERALIZED = 0x18,
};

/* A time of a certificate: two digits of the year mean 1950 to 2049. */
static int
der_time(int tag, const struct der *value, sr_time *when)
{
    char text[32];
    int size = (int)(value->end - value->at);
    const char *century = "";

    if ((tag != DER_UTC && tag != DER_GENERALIZED) || size < 2 || size > 20)
        return -1;
    if (tag == DER_UTC)
        century = value->at[0] >= '5' ? "19" : "20";
    snprintf(text, sizeof(text), "%s%.*s", century, size,
             (const char *)value->at);
    return sr_ldap_time(text, when);
}

int
sr_ldap_certificate_ends(const unsigned char *der, size_t size, sr_time *ends)
{
    struct der all = {der, der + size};
    struct der certificate, body, part;
    int tag;

    if (der_take(&all, &certificate) != DER_SEQUENCE ||
        der_take(&certificate, &body) != DER_SEQUENCE)
        return -1;
    tag = der_take(&body, &part);
    if (tag == DER_VERSION)
        tag = der_take(&body, &part);
    /* That was the number; the algorithm, the issuer, the validity. */
    for (int i = 0; i < 3 && tag >= 0; i++)
        tag = der_take(&body, &part);
    if (tag != DER_SEQUENCE)
        return -1;
    body = part;
    if (der_take(&body, &part) < 0)
        return -1;
    tag = der_take(&body, &part);
    return tag < 0 ? -1 : der_time(tag, &part, ends);
}

/* ---- what a certificate is for */

/* Whether an element is this object identifier. */
static bool
is_oid(int tag, const struct der *value, const char *oid, size_t size)
{
    return tag == 0x06 && (size_t)(value->end - value->at) == size &&
           memcmp(value->at, oid, size) == 0;
}

/* The purposes of an extended key usage: for servers, or for anything. */
static bool
has_server_purpose(struct der octets)
{
    static const char server[] = "\x2b\x06\x01\x05\x05\x07\x03\x01";
    static const char any[] = "\x55\x1d\x25\x00";
    struct der list, purpose;
    int tag;

    if (der_take(&octets, &list) != DER_SEQUENCE)
        return false;
    while ((tag = der_take(&list, &purpose)) >= 0) {
        if (is_oid(tag, &purpose, server, sizeof(server) - 1) ||
            is_oid(tag, &purpose, any, sizeof(any) - 1))
            return true;
    }
    return false;
}

bool
sr_ldap_certificate_is_servers(const unsigned char *der, size_t size)
{
    static const char usage[] = "\x55\x1d\x25"; /* id-ce-extKeyUsage */
    struct der all = {der, der + size};
    struct der body, part, list, extension, oid, octets;
    int tag;

    if (der_take(&all, &part) != DER_SEQUENCE ||
        der_take(&part, &body) != DER_SEQUENCE)
        return false;
    do /* up to the extensions, [3] */
        tag = der_take(&body, &part);
    while (tag >= 0 && tag != 0xa3);
    if (tag < 0 || der_take(&part, &list) != DER_SEQUENCE)
        return true; /* without extensions it is for anything */
    while (der_take(&list, &extension) == DER_SEQUENCE) {
        tag = der_take(&extension, &oid);
        if (!is_oid(tag, &oid, usage, sizeof(usage) - 1))
            continue;
        tag = der_take(&extension, &octets);
        if (tag == 0x01) /* critical */
            tag = der_take(&extension, &octets);
        return tag == 0x04 && has_server_purpose(octets);
    }
    return true;
}
