/*
 * LDAP GSSAPI: the bind of the service by a Kerberos ticket (RFC 4752).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_GSSAPI_H
#define SR_POLICY_BACKEND_LDAP_GSSAPI_H

#include "policy/backend/ldap/session.h"

/*
 * Bind as the service by GSSAPI until `end`, on the connection to a host.
 * answer->code is an LDAP result code; on any but LDAP_SUCCESS the session's
 * error says why.
 */
void sr_ldap_gssapi(struct sr_ldap_session *session, int64_t end,
                    struct sr_ldap_response *answer);

#endif
