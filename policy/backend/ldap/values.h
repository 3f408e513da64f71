/*
 * LDAP values: texts of an account's entry, such as its mail addresses.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_VALUES_H
#define SR_POLICY_BACKEND_LDAP_VALUES_H

#include "policy/backend/backend.h"

/* See struct sr_backend_ops. */
enum sr_status sr_ldap_values(struct sr_call *call,
                              const struct sr_account *account,
                              const struct sr_string_list *attributes,
                              size_t most, struct sr_string_list *values);

#endif
