/*
 * LDAP administer: orders of an administrator, carried out as the service.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_ADMINISTER_H
#define SR_POLICY_BACKEND_LDAP_ADMINISTER_H

#include "policy/backend/backend.h"

/* `administer` of struct sr_backend_ops. */
enum sr_write sr_ldap_administer(struct sr_call *call,
                                 struct sr_account *account,
                                 enum sr_order order, const char *password,
                                 enum sr_refusal *refusal);

#endif
