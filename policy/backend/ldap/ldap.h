/*
 * LDAP backend: its operations, for the module and for backends that build on
 * it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_LDAP_H
#define SR_POLICY_BACKEND_LDAP_LDAP_H

#include "policy/backend/ldap/session.h"

extern const struct sr_backend_ops sr_ldap_operations;

/* The password of the account that was looked up last was changed: forget what
 * that has made obsolete.  What the account is now is read later. */
void sr_ldap_password_changed(struct sr_ldap_session *session, sr_time now);

#endif
