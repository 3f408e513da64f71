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

/* What an account's own change of its password depends on. */
struct sr_ldap_ad_own {
    bool is_group_managed; /* gMSA: the domain controllers set it */
    enum sr_tri cannot_change;
    sr_time may_change_from; /* by the domain's minimum age */
};

/* Find the account that a filter finds.  False: it could not be searched for.
 */
bool sr_ldap_ad_own(struct sr_ldap_session *session, const char *filter,
                    struct sr_ldap_ad_own *own);

/* Change the password of the entry that the service is bound as, by the old
 * one. */
enum sr_write sr_ldap_ad_change_own(struct sr_ldap_session *session,
                                    const char *dn, const char *old,
                                    const char *password,
                                    enum sr_refusal *refusal);

#endif
