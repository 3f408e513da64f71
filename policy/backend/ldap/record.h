/*
 * LDAP record: a text that a directory keeps of one account for all hosts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_RECORD_H
#define SR_POLICY_BACKEND_LDAP_RECORD_H

#include "policy/backend/backend.h"

/* `record` and `records` of struct sr_backend_ops. */
enum sr_status sr_ldap_record(struct sr_call *call,
                              struct sr_record_request *request);
enum sr_status sr_ldap_records(struct sr_call *call,
                               struct sr_records_request *request);

#endif
