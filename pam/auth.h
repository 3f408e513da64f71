/*
 * Auth: authenticate, alone and around another module.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_AUTH_H
#define SR_PAM_AUTH_H

#include "pam/context.h"

/* The work of pam_sm_authenticate(); returns its answer. */
int sr_authenticate(struct sr_pam_context *ctx);

#endif
