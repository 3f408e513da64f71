/*
 * Account: may this account be used now?
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_ACCOUNT_H
#define SR_PAM_ACCOUNT_H

#include "pam/context.h"

/* The work of pam_sm_acct_mgmt(); returns its answer. */
int sr_account(struct sr_pam_context *ctx);

#endif
