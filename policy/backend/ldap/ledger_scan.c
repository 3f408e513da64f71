/*
 * LDAP ledgers: all entries that hosts have added for accounts.
 *
 * For enumerating callers. Of a page only what `take` stores.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <time.h>

#include "policy/backend/ldap/ledger_entry.h"
#include "policy/backend/ldap/ledger_scan.h"
#include "policy/backend/ldap/scan.h"

/* Unknown names, decoys and the key belong to no account.  The class is
 * what servers have an index of. */
#define FILTER "(&(objectClass=device)(|(serialNumber=s-*)(serialNumber=f-*)))"

static enum sr_status
take_entry(void *context, const struct sr_ldap_entry *found)
{
    struct sr_shared_request *request = context;
    const char *ledger = sr_ldap_entry_first(found, "serialNumber");
    struct sr_shared_entry entry;

    if (ledger != NULL && sr_ldap_ledger_is_account(ledger) &&
        sr_ldap_ledger_entry(found, (sr_time)time(NULL), &entry))
        return request->take(request->context, ledger, &entry);
    /* What cannot be read is skipped. */
    if (request->garbage++ == 0)
        snprintf(request->garbage_name, sizeof(request->garbage_name), "%s",
                 found->dn);
    return SR_STATUS_OK;
}

enum sr_status
sr_ldap_ledger_scan(struct sr_ldap_session *session,
                    struct sr_shared_request *request)
{
    struct sr_ldap_paged paged = {
        .base = session->config->lockout_base,
        .scope = LDAP_SCOPE_ONELEVEL,
        .filter = FILTER,
        .attributes = sr_ldap_ledger_scan_attributes,
    };

    return sr_ldap_scan(session, &paged, take_entry, request);
}
