/*
 * LDAP name of: the name that a directory has for the account with a uid.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_NAME_OF_H
#define SR_POLICY_BACKEND_LDAP_NAME_OF_H

#include "policy/backend/backend.h"

/*
 * As name_of() of struct sr_account_ops.  UNKNOWN_NAME also for a uid of the
 * system, and where accounts are found by their DN only (user_dn).
 */
enum sr_status sr_ldap_name_of(struct sr_call *call, uid_t uid,
                               const char *known_as,
                               char name[SR_NAME_MAX + 1]);

#endif
