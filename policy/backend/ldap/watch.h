/*
 * LDAP watch: changes in a directory as they are made.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_WATCH_H
#define SR_POLICY_BACKEND_LDAP_WATCH_H

#include "policy/backend/backend.h"

extern const struct sr_watch_ops sr_ldap_watch;

#endif
