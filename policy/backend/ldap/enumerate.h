/*
 * LDAP enumerate: every account of a directory, in one search.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_ENUMERATE_H
#define SR_POLICY_BACKEND_LDAP_ENUMERATE_H

#include "policy/backend/backend.h"

/* `enumerate` of struct sr_backend_ops. */
enum sr_status sr_ldap_enumerate(struct sr_call *call,
                                 const struct sr_visitor *visitor);

#endif
