/*
 * LDAP connect: from an URI to a connection on which every wait has an end.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_CONNECT_H
#define SR_POLICY_BACKEND_LDAP_CONNECT_H

#include "policy/backend/ldap/session.h"

/*
 * Connect to config->uri.item[uri], with TLS where the URI and the
 * configuration demand it, until `end`.  Returns an LDAP result code; on
 * LDAP_SUCCESS the session has the connection.
 */
int sr_ldap_connect(struct sr_ldap_session *session, size_t uri, int64_t end);

#endif
