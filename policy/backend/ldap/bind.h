/*
 * LDAP bind: choosing a server, and binding there.
 *
 * Servers are tried in their order until one answers or the time is up; those
 * that lately kept a login waiting come last.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_BIND_H
#define SR_POLICY_BACKEND_LDAP_BIND_H

#include "policy/backend/ldap/session.h"

/* What the name of a secret_file has added for the next password, while that is
 * put in place of the one before ("bind_secret = managed"). */
#define SR_LDAP_SECRET_NEW ".new"

/* Connect and bind as the service, unless it is bound already.  Returns an LDAP
 * result code. */
int sr_ldap_as_service(struct sr_ldap_session *session);

/*
 * Connect and bind as `dn`.  The answer of one server ends it.  A negative or
 * another code that does not concern the password: see
 * sr_ldap_response_verify().
 */
void sr_ldap_as_user(struct sr_ldap_session *session, const char *dn,
                     const char *password, struct sr_ldap_response *answer);

/*
 * After an operation that can be repeated has failed with `code`: whether to do
 * it again, on a new connection or on the next server.
 */
bool sr_ldap_may_repeat(struct sr_ldap_session *session, int code);

/*
 * Leave a server that takes no changes: the others of the list are asked for
 * the rest of the transaction.  False when there is none left.
 */
bool sr_ldap_leave_server(struct sr_ldap_session *session);

/*
 * The deadline for the current server.  The last one has all the time that is
 * left; each before it a part, the smaller the more servers follow.
 */
int64_t sr_ldap_server_moment(const struct sr_ldap_session *session,
                              size_t uri);

#endif
