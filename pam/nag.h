/*
 * Nag: the line at a login that asks a user to set up self-service reset.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_NAG_H
#define SR_PAM_NAG_H

#include "pam/context.h"

/*
 * Where the configuration wants it (reset.nag): have a user informed who has
 * not set up enough for a reset.  selfreset-helper knows; where it does not
 * answer at once, nothing is said.
 */
void sr_nag(struct sr_pam_context *ctx);

#endif
