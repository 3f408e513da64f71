/*
 * LDAP receive: waiting for responses, and decoding them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_RECEIVE_H
#define SR_POLICY_BACKEND_LDAP_RECEIVE_H

#include "policy/backend/ldap/session.h"

/*
 * Wait for the response to a request until `end`.  *message may be NULL
 * afterwards; free it with ldap_msgfree().  `answer` has its code and controls;
 * without a response the code is LDAP_TIMEOUT or LDAP_SERVER_DOWN.  A response
 * of more bytes than session->allowance is none, and the connection cannot be
 * used any more.
 */
void sr_ldap_receive(struct sr_ldap_session *session, int id, int64_t end,
                     struct sr_ldap_response *answer, LDAPMessage **message);

/* Turn a response of another kind than `kind` into LDAP_DECODING_ERROR. */
void sr_ldap_expect(LDAPMessage *message, int kind,
                    struct sr_ldap_response *answer);

/*
 * Copy an entry out of a message.  Attributes with options are left out; an
 * entry that has too many values, or cannot be decoded, is marked (is_cut).
 * Returns LDAP_SUCCESS or LDAP_NO_MEMORY; clear the entry in any case.
 */
int sr_ldap_entry_take(struct sr_ldap_session *session, LDAPMessage *message,
                       struct sr_ldap_entry *entry);

#endif
