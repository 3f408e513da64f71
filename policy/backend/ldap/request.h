/*
 * LDAP requests: searches and changes over a session.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_REQUEST_H
#define SR_POLICY_BACKEND_LDAP_REQUEST_H

#include "policy/backend/ldap/session.h"

/*
 * Search, as the service unless session->by_owner.  The entries are put into
 * `found`, at most `most`; *count is how many there are, at most one more
 * than that.  Returns an LDAP result code.  An entry (LDAP_SCOPE_BASE) that
 * does not exist is not an error but *count 0, and found[0] is_absent; a base
 * that does not exist is one: a directory without its base, or one that hides
 * it, does not show which accounts it has.
 */
int sr_ldap_search(struct sr_ldap_session *session, const char *base, int scope,
                   const char *filter, const char *const *attributes,
                   struct sr_ldap_entry *found, size_t most, size_t *count);

/*
 * Change the password of `dn` on the connection as it is bound, by the
 * operation for that (RFC 3062), or where the server has none by modifying
 * userPassword.  old may be NULL.  Sent once and never again.
 */
void sr_ldap_change(struct sr_ldap_session *session, const char *dn,
                    const char *old, const char *password,
                    struct sr_ldap_response *answer);

/* Take the answer to what was sent on the connection as `id`; `code` says
 * whether it was. */
void sr_ldap_conclude(struct sr_ldap_session *session, int code, int id,
                      struct sr_ldap_response *answer);

/* Any other modification, on the connection as it is bound.  Sent once and
 * never again. */
void sr_ldap_modify(struct sr_ldap_session *session, const char *dn,
                    LDAPMod **change, LDAPControl **controls,
                    struct sr_ldap_response *answer);

/* Replace all values of an attribute by one. */
void sr_ldap_replace(struct sr_ldap_session *session, const char *dn,
                     const char *attribute, const char *value,
                     struct sr_ldap_response *answer);

/* A value that no attribute of days or counts has. */
#define SR_LDAP_NO_NUMBER "-77"

/*
 * Try to delete `value` of an attribute, which the entry does not have: so
 * nothing is changed.  The time that takes is no part of a login.
 */
void sr_ldap_try_write(struct sr_ldap_session *session, const char *dn,
                       const char *attribute, const char *value,
                       struct sr_ldap_response *answer);

/*
 * Whether the identity that is bound may write an attribute, by trying to
 * delete `value`, which the entry does not have: so nothing is changed.
 * SR_UNKNOWN when the server's answer shows neither.
 */
enum sr_tri sr_ldap_may_write(struct sr_ldap_session *session, const char *dn,
                              const char *attribute, const char *value);

#endif
