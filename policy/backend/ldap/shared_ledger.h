/*
 * LDAP shared ledger: failed attempts of all hosts, as entries of a directory.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SHARED_LEDGER_H
#define SR_POLICY_BACKEND_LDAP_SHARED_LEDGER_H

#include "policy/backend/backend.h"

/* `shared_ledger` of struct sr_backend_ops. */
enum sr_status sr_ldap_shared_ledger(struct sr_call *call,
                                     struct sr_shared_request *request);

#endif
