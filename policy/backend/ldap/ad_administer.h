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
 * service; see `administer` of struct sr_backend_ops.  Each is one modification,
 * which the server makes as a whole or not at all.  Members of the groups that
 * AdminSDHolder protects, nested ones too, and accounts with adminCount are
 * refused whatever the service may do.
 */
enum sr_write sr_ldap_ad_administer(struct sr_ldap_session *session,
                                    struct sr_account *account,
                                    enum sr_order order, const char *password,
                                    enum sr_refusal *refusal);

#endif
