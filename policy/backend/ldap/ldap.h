/*
 * LDAP backend: its operations, for the module and for backends that build on
 * it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_LDAP_H
#define SR_POLICY_BACKEND_LDAP_LDAP_H

#include "policy/backend/backend.h"

extern const struct sr_backend_ops sr_ldap_operations;

#endif
