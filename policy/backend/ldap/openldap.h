/*
 * LDAP on OpenLDAP: accounts under the ppolicy overlay, slapo-ppolicy(5).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_OPENLDAP_H
#define SR_POLICY_BACKEND_LDAP_OPENLDAP_H

#include "policy/backend/backend.h"
#include "policy/backend/ldap/view.h"

extern const struct sr_ldap_attribute sr_ldap_openldap[];
extern const size_t sr_ldap_openldap_count;

/* Whether the entry or the policy show that the server is OpenLDAP. */
bool sr_ldap_openldap_is(const struct sr_ldap_view *view);

void sr_ldap_openldap_facts(struct sr_ldap_view *view, struct sr_facts *facts);

void sr_ldap_openldap_demands(struct sr_ldap_view *view,
                              struct sr_demands *demands);

/* Whether the policy enforces pwdReset; SR_UNKNOWN: it cannot be read. */
enum sr_tri sr_ldap_openldap_enforces_reset(struct sr_ldap_view *view);

#endif
