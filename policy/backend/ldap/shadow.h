/*
 * LDAP shadow: the shadow attributes of RFC 2307, which no server enforces.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SHADOW_H
#define SR_POLICY_BACKEND_LDAP_SHADOW_H

#include "policy/backend/ldap/view.h"

extern const struct sr_ldap_attribute sr_ldap_shadow[];
extern const size_t sr_ldap_shadow_count;

/* Whether the entry has ages of the password among them. */
bool sr_ldap_shadow_is(const struct sr_ldap_view *view);

/* ages: also those of the password, which the server does not age itself; the
 * end of the account counts in any case. */
void sr_ldap_shadow_facts(struct sr_ldap_view *view, bool ages,
                          struct sr_facts *facts);

#endif
