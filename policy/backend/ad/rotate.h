/*
 * Rotate: a new secret for the identity by which this host asks the domain: the
 * keys of its own account, or the password of a service account.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_AD_ROTATE_H
#define SR_POLICY_BACKEND_AD_ROTATE_H

#include "policy/backend/ad/session.h"

/* As in struct sr_backend_ops. */
enum sr_write sr_ad_rotate(struct sr_ad_call *ad, bool is_trial);

#endif
