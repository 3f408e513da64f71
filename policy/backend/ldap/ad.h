/*
 * LDAP on AD: accounts of Active Directory, by Windows or Samba.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_AD_H
#define SR_POLICY_BACKEND_LDAP_AD_H

#include "policy/backend/backend.h"
#include "policy/backend/ldap/view.h"

extern const struct sr_ldap_attribute sr_ldap_ad[];
extern const size_t sr_ldap_ad_count;

/*
 * Attributes that every account has are a fault when they are absent: the
 * service may not read them, and nothing is known of the account.  view->now
 * and view->host are set.
 */
void sr_ldap_ad_facts(struct sr_ldap_view *view, struct sr_facts *facts);

/* Rules of the domain, or of the password settings object; hidden ones demand
 * nothing that is known. */
void sr_ldap_ad_demands(struct sr_ldap_view *view, struct sr_demands *demands);

/*
 * A password that must be changed is temporary: it lapses so many seconds after
 * it was set, or the change was demanded, whichever was later (the stamps in
 * replPropertyMetaData, which guessing and edits do not move).  Nothing is
 * entered when neither stamp can be read.
 */
void sr_ldap_ad_temporary(struct sr_ldap_view *view, int64_t lifetime,
                          struct sr_facts *facts);

/* What changes whenever the password does: pwdLastSet and how often the
 * password was written, as far as that can be read.  `out` has `size` bytes. */
void sr_ldap_ad_password_mark(const struct sr_ldap_entry *account, char *out,
                              size_t size);

#endif
