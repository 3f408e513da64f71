/*
 * LDAP template: filters and DNs with a name put in, and which names and uids
 * an account of a directory can have.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/syntax.h"
#include "policy/backend/ldap/template.h"
#include "policy/decide/facts.h"
#include "policy/util/spelling.h"
#include "policy/util/utf8.h"

/* The text with each %u replaced by the name, in which the `special` characters
 * are written by their number. */
static char *
put_name(const char *text, const char *name, const char *special)
{
    size_t size = 1;
    char *out, *at;

    for (const char *from = text; *from != '\0'; from++)
        size += strncmp(from, "%u", 2) == 0 ? 3 * strlen(name) : 1;
    out = malloc(size);
    at = out;
    for (const char *from = text; out != NULL && *from != '\0'; from++) {
        if (strncmp(from, "%u", 2) != 0) {
            *at++ = *from;
            continue;
        }
        from++;
        for (const unsigned char *c = (const void *)name; *c != '\0'; c++) {
            if (*c < 0x20 || *c >= 0x7f || strchr(special, *c) != NULL)
                at += sprintf(at, "\\%02x", *c);
            else
                *at++ = (char)*c;
        }
    }
    if (out != NULL)
        *at = '\0';
    return out;
}

char *
sr_ldap_filter(const char *filter, const char *name)
{
    return put_name(filter, name, "*()\\");
}

char *
sr_ldap_dn(const char *dn, const char *name)
{
    /* Some of them only at an end; by number they are right anywhere. */
    return put_name(dn, name, " \"#+,;<=>\\");
}

char *
sr_ldap_filter_all(const char *filter)
{
    char *out = strdup(filter);
    char *at = out, *found;

    while (at != NULL && (found = strstr(at, "%u")) != NULL) {
        *found = '*';
        memmove(found + 1, found + 2, strlen(found + 2) + 1);
        at = found + 1;
    }
    return out;
}

bool
sr_ldap_is_absurd(const char *name)
{
    uint32_t point;
    int status;

    /* Root is of this host, whatever a directory has by that name. */
    if (name[0] == '\0' || strlen(name) > SR_NAME_MAX ||
        strcmp(name, "root") == 0)
        return true;
    while ((status = sr_utf8_next(&name, &point)) > 0) {
        if (sr_utf8_is_control(point))
            return true;
    }
    return status < 0;
}

bool
sr_ldap_uid(const char *text, uid_t *uid)
{
    int64_t value;

    if (!sr_ldap_number(text, INT64_MAX, &value) || value <= 0 ||
        value >= UINT32_MAX)
        return false;
    *uid = (uid_t)value;
    return true;
}

unsigned
sr_ldap_names_like(const struct sr_backend_config *config, uid_t uid,
                   const char *known_as, const struct sr_ldap_entry *entry,
                   const char **name)
{
    const char *text = sr_ldap_entry_first(entry, config->uid_attribute);
    unsigned count = 0;
    size_t at = 0;
    uid_t own;

    if (text == NULL || !sr_ldap_uid(text, &own) || own != uid)
        return 0;
    while ((text = sr_ldap_entry_next(entry, config->name_attribute, &at)) !=
           NULL) {
        if (sr_ldap_is_absurd(text) || !sr_is_spelling(known_as, text))
            continue;
        *name = text;
        count++;
    }
    return count;
}
