/*
 * Change: a new password by the domain controller's server for passwords.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_AD_CHANGE_H
#define SR_POLICY_BACKEND_AD_CHANGE_H

#include "policy/backend/ad/session.h"

/* As in struct sr_account_ops. */
enum sr_write sr_ad_change(struct sr_ad_call *ad, struct sr_account *account,
                           const char *old, const char *password,
                           enum sr_refusal *refusal);

#endif
