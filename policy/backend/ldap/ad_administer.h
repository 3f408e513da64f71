/*
 * LDAP administer, on Active Directory: orders of an administrator.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_AD_ADMINISTER_H
#define SR_POLICY_BACKEND_LDAP_AD_ADMINISTER_H

#include "policy/backend/ldap/session.h"

/*
 * Carry out an order for the account that the session has looked up, as the
 * service; see `administer` of struct sr_backend_ops.  Each is one
 * modification, which the server makes as a whole or not at all.  Members of
 * the groups that AdminSDHolder protects, nested ones too, and accounts with
 * adminCount are refused whatever the service may do.
 */
enum sr_write sr_ldap_ad_administer(struct sr_ldap_session *session,
                                    struct sr_account *account,
                                    enum sr_order order, const char *password,
                                    enum sr_refusal *refusal);

/* Whether the account that a filter finds is a group managed service account
 * (gMSA), whose password the domain controllers set.  SR_UNKNOWN: it could not
 * be searched for. */
enum sr_tri sr_ldap_ad_is_group_managed(struct sr_ldap_session *session,
                                        const char *filter);

/* Change the password of the entry that the service is bound as, by the old
 * one. */
enum sr_write sr_ldap_ad_change_own(struct sr_ldap_session *session,
                                    const char *dn, const char *old,
                                    const char *password,
                                    enum sr_refusal *refusal);

#endif
