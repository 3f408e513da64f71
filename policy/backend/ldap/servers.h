/*
 * LDAP servers: those that "uri" names, and those that DNS has where it names
 * none ("ldap:///").
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SERVERS_H
#define SR_POLICY_BACKEND_LDAP_SERVERS_H

#include "policy/backend/ldap/session.h"

/*
 * Find the servers of this transaction, once.  "ldap:///" stands for those of
 * the SRV records (RFC 2782) of _ldap._tcp in the domain that the dc= parts of
 * "base" name, "ldaps:///" for those of _ldaps._tcp, in the order of their
 * priority.  Returns an LDAP result code; LDAP_SERVER_DOWN where there is none,
 * and the error says why.
 */
int sr_ldap_find_servers(struct sr_ldap_session *session);

#endif
