/*
 * LDAP ticket: a Kerberos ticket of the service for one server, in memory and
 * within a deadline.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_TICKET_H
#define SR_POLICY_BACKEND_LDAP_TICKET_H

#include <krb5.h>

#include "policy/backend/ldap/session.h"

struct sr_ldap_ticket {
    krb5_context context;
    krb5_ccache cache; /* in the memory of this process */
    krb5_principal client;
    krb5_principal server; /* ldap/HOST */
    char *cache_name;      /* "MEMORY:..." */
    char *server_name;
};

/*
 * Get a ticket for the LDAP server on `host` by the configuration's keytab,
 * until `end`.  Returns an LDAP result code; on any but LDAP_SUCCESS the reason
 * is said.  LDAP_CONNECT_ERROR: there is none for this host.  End the ticket in
 * any case.
 */
int sr_ldap_ticket_get(struct sr_ldap_session *link, const char *host,
                       int64_t end, struct sr_ldap_ticket *ticket);
void sr_ldap_ticket_end(struct sr_ldap_ticket *ticket);

#endif
