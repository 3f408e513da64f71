/*
 * LDAP self read: accounts that a directory shows to their owners only.
 *
 * Where no identity is configured, a template gives the DN of a name,
 * and the name service that there is such an account.  Its facts are known once
 * its owner has bound and the own entry was read.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SELF_READ_H
#define SR_POLICY_BACKEND_LDAP_SELF_READ_H

#include "policy/backend/ldap/session.h"

/* Whether a code means that an anonymous search was refused, which does not
 * show whether the entry exists. */
bool sr_ldap_self_read_hides(int code);

/* The uid that the name service has for a name; false: none, or root's. */
bool sr_ldap_self_read_uid(const char *name, uid_t *uid);

/*
 * Put an account into session->known of which only the DN is known, and the uid
 * that the name service has for the name.
 */
enum sr_status sr_ldap_self_read_close(struct sr_ldap_session *session,
                                       const struct sr_backend *backend,
                                       const char *name);

/*
 * Whether the entry has this uid; one that shows none is given it.  False,
 * with the session's error set, when it has another.
 */
bool sr_ldap_self_read_matches(struct sr_ldap_session *session, uid_t uid,
                               struct sr_ldap_entry *entry);

#endif
