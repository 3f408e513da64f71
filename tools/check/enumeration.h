/*
 * Check enumeration: whether all accounts of a directory can be read, by the
 * search that selfreset-publish makes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_ENUMERATION_H
#define SR_TOOLS_CHECK_ENUMERATION_H

#include "policy/backend/backend.h"
#include "policy/config/settings.h"
#include "tools/check/findings.h"

/* Read all accounts and report what cannot be read or published. */
void check_enumeration(const struct sr_config *config,
                       const struct sr_backend *backend,
                       struct findings *findings);

#endif
