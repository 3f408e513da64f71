/*
 * LDAP device: entries in which a directory keeps what hosts share.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>

#include "policy/backend/ldap/device.h"
#include "policy/backend/ldap/request.h"

char *
sr_ldap_device_name(const char *base, const char *id)
{
    char *dn;

    return asprintf(&dn, "cn=%s,%s", id, base) < 0 ? NULL : dn;
}

void
sr_ldap_device_add(struct sr_ldap_session *session, const char *dn,
                   const char *id, const char *serial_number,
                   const char *description, struct sr_ldap_response *answer)
{
    const char *text[][2] = {{"device", NULL},
                             {id, NULL},
                             {serial_number, NULL},
                             {description, NULL}};
    const char *const attribute[] = {"objectClass", "cn", "serialNumber",
                                     "description"};
    LDAPMod mod[4], *all[5] = {NULL};
    int code, sent = 0;

    for (size_t i = 0; i < 4; i++) {
        mod[i] = (LDAPMod){.mod_op = LDAP_MOD_ADD,
                           .mod_type = (char *)(uintptr_t)attribute[i],
                           .mod_values = (char **)(uintptr_t)text[i]};
        all[i] = &mod[i];
    }
    code = ldap_add_ext(session->ld, dn, all, NULL, NULL, &sent);
    sr_ldap_conclude(session, code, sent, answer);
}

enum sr_status
sr_ldap_device_failed(struct sr_ldap_session *session, const char *base,
                      const char *what, const struct sr_ldap_response *answer)
{
    if (answer->code == LDAP_NO_MEMORY)
        return SR_STATUS_NO_MEMORY;
    if (answer->code == LDAP_NO_SUCH_OBJECT)
        sr_ldap_why(session, "%s, to %s: there is no such entry", base, what);
    else if (!sr_ldap_response_is_away(answer->code) ||
             !sr_error_has_text(session->error))
        sr_ldap_why_response(session, answer, "%s, to %s: ", base, what);
    return SR_STATUS_UNAVAILABLE;
}
