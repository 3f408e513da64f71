/*
 * Collect: reads all accounts of one backend, with what this host remembers of
 * them and what all hosts have counted.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_COLLECT_H
#define SR_NSS_COLLECT_H

#include "nss/record.h"
#include "policy/config/settings.h"

/*
 * Call `take` for each account until it returns anything but 0; *result says
 * how it ended.  An account that cannot be read is passed on with an unknown
 * state; one whose name cannot be published is left out; both are printed and
 * counted.
 */
void collect(const struct sr_config *config, const char *backend,
             int (*take)(void *context, const struct record *record),
             void *context, struct reading_result *result);

#endif
