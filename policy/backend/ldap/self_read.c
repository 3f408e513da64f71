/*
 * LDAP self read: accounts that a directory shows to their owners only.
 *
 * Where no identity is configured, a template gives the DN of a name,
 * and the name service that there is such an account.  Its state is known once
 * its owner has bound and the own entry was read.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/self_read.h"
#include "policy/backend/ldap/template.h"
#include "policy/util/deadline.h"

#define ENTRY_MAX (1 << 20) /* no line of passwd(5) is longer */

/* The name service's entry.  Returns 0, ENOENT or another errno. */
static int
find_uid(const char *name, uid_t *uid)
{
    struct passwd entry, *found = NULL;
    size_t size = 1024;
    char *buffer = NULL, *grown;
    int error;

    do {
        size *= 2;
        grown = realloc(buffer, size);
        if (grown == NULL) {
            error = ENOMEM;
            break;
        }
        buffer = grown;
        error = getpwnam_r(name, &entry, buffer, size, &found);
    } while (error == ERANGE && size < ENTRY_MAX);
    if (found != NULL)
        *uid = entry.pw_uid;
    else if (error == 0)
        error = ENOENT;
    free(buffer);
    return error;
}

bool
sr_ldap_self_read_uid(const char *name, uid_t *uid)
{
    /* Root is an account of this host. */
    return find_uid(name, uid) == 0 && *uid != 0 && *uid != (uid_t)-1;
}

bool
sr_ldap_self_read_hides(int code)
{
    switch (code) {
    case LDAP_OPERATIONS_ERROR: /* "bind first" */
    case LDAP_STRONG_AUTH_REQUIRED:
    case LDAP_INAPPROPRIATE_AUTH:
    case LDAP_INVALID_DN_SYNTAX: /* no name that it could have */
    case LDAP_INSUFFICIENT_ACCESS:
    case LDAP_UNWILLING_TO_PERFORM:
        return true;
    default:
        return false;
    }
}

enum sr_status
sr_ldap_self_read_close(struct sr_ldap_session *session,
                        const struct sr_backend *backend, const char *name)
{
    static const struct sr_ldap_entry none;
    struct sr_ldap_cached *known = &session->known;
    struct sr_facts *facts = &known->facts;

    sr_facts_init(facts);
    if (!sr_ldap_self_read_uid(name, &facts->uid))
        return SR_STATUS_UNKNOWN_NAME;
    snprintf(facts->name, sizeof(facts->name), "%s", name);
    snprintf(facts->backend, sizeof(facts->backend), "%s", backend->name);
    sr_ldap_entry_clear(&known->entry);
    known->entry.dn = sr_ldap_dn(session->config->user_dn, name);
    if (known->entry.dn == NULL)
        return SR_STATUS_NO_MEMORY;
    known->view =
        (struct sr_ldap_view){.account = &known->entry, .policy = &none};
    known->fingerprint = sr_ldap_fingerprint(&known->entry);
    known->name = strdup(name);
    known->kind = SR_LDAP_PLAIN;
    known->at = sr_deadline_now();
    known->is_closed = true;
    return known->fingerprint == NULL || known->name == NULL
               ? SR_STATUS_NO_MEMORY
               : SR_STATUS_OK;
}

bool
sr_ldap_self_read_matches(struct sr_ldap_session *session, uid_t uid,
                          struct sr_ldap_entry *entry)
{
    const char *attribute = session->config->uid_attribute;
    const char *value = sr_ldap_entry_first(entry, attribute);
    char text[16];
    uid_t own;

    if (value == NULL) {
        snprintf(text, sizeof(text), "%u", (unsigned)uid);
        return sr_ldap_entry_add(entry, attribute, text, strlen(text)) == 0;
    }
    if (!sr_ldap_uid(value, &own) || own != uid) {
        sr_ldap_why(session,
                    "%s of the entry is not the uid of the name service",
                    attribute);
        return false;
    }
    return true;
}
