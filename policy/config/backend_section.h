/*
 * Backend section: what is missing in a backend's section, or wrong with it.
 * Pure.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_BACKEND_SECTION_H
#define SR_POLICY_CONFIG_BACKEND_SECTION_H

#include "policy/config/settings.h"

/*
 * What is wrong, as the end of a sentence that begins with the backend; or
 * NULL.  *key is the key whose value is wrong by itself, or NULL.
 */
const char *sr_config_backend_fault(const struct sr_backend_config *backend,
                                    const char **key);

#endif
