/*
 * Carry over: keeps what was published of accounts whose backend cannot be
 * asked now.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_CARRY_OVER_H
#define SR_NSS_CARRY_OVER_H

#include "policy/config/settings.h"
#include "policy/publish/builder.h"

/*
 * Add to a snapshot what is published under `dir` of names that were not added
 * (of two entries of a name the first counts), at `how->now`.  Accounts whose
 * facts are older than nss.max_age are added with an unknown state.  Returns 0
 * or a negative errno.
 */
int carry_over(const struct sr_config *config, const char *dir,
               const struct sr_publish_how *how, struct sr_builder *build);

#endif
