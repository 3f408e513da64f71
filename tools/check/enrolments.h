/*
 * Enrolments: whether a directory can keep them for all hosts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_ENROLMENTS_H
#define SR_TOOLS_CHECK_ENROLMENTS_H

#include "policy/backend/backend.h"
#include "tools/check/findings.h"

/* Report what of that cannot be done below reset_base, by adding, changing and
 * deleting a record that is no account's. `is_wanted`: reset.store is ldap. */
void check_enrolments(const struct sr_backend *backend,
                      struct sr_connections *connections, bool is_wanted,
                      struct findings *findings);

#endif
