/*
 * Contradictions: values that are right by themselves and wrong together.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_CONTRADICTIONS_H
#define SR_POLICY_CONFIG_CONTRADICTIONS_H

#include "policy/config/errors.h"
#include "policy/config/settings.h"

/* Add an error for each, at the last line that takes part in it. */
void sr_contradictions_find(const struct sr_config *config,
                            struct sr_config_errors *errors);

/*
 * Resolve the contradictions of an account that is in several groups, each
 * right by itself: a lockout becomes longer, a greatest length is dropped.
 */
void sr_contradictions_resolve(struct sr_rules *rules);

#endif
