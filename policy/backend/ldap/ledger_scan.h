/*
 * LDAP ledger scan: all entries of all shared ledgers, page by page.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_LEDGER_SCAN_H
#define SR_POLICY_BACKEND_LDAP_LEDGER_SCAN_H

#include "policy/backend/ldap/session.h"

/* Carry out SR_SHARED_ALL. */
enum sr_status sr_ldap_ledger_scan(struct sr_ldap_session *session,
                                   struct sr_shared_request *request);

#endif
