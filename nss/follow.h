/*
 * Follow: publishes all accounts, and then what changes in directories.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_FOLLOW_H
#define SR_NSS_FOLLOW_H

#include "policy/config/settings.h"

/*
 * Publish until one of `signals` (a signalfd, non-blocking) comes.  Returns its
 * number, or a negative errno.
 */
int follow(const struct sr_config *config, int signals, bool is_verbose);

#endif
