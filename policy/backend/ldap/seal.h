/*
 * LDAP seal: the layer of a bind by GSSAPI that encrypts what follows (RFC
 * 4752, RFC 4422 3.7).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SEAL_H
#define SR_POLICY_BACKEND_LDAP_SEAL_H

#include <gssapi/gssapi.h>

#include "policy/backend/ldap/session.h"

/* The most that the server may put into one token. */
#define SR_LDAP_SEAL_MAX ((size_t)1 << 20)

/* Weaker layers are refused: below it is what is no better than DES or RC4. */
#define SR_LDAP_SEAL_SSF_LEAST 128

/* The strength of a context in bits; 0: not known. */
unsigned sr_ldap_seal_strength(gss_ctx_id_t context);

/*
 * Encrypt from now on what is sent and received on the session's connection.
 * `most`: what the server takes in one token.  The context is taken over, and
 * deleted with the connection.  Returns an LDAP result code.
 */
int sr_ldap_seal(struct sr_ldap_session *session, gss_ctx_id_t *context,
                 size_t most);

#endif
