/*
 * Verify: whether a password is right, by Kerberos; and by the directory where
 * a KDC refuses an account without having verified it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_AD_VERIFY_H
#define SR_POLICY_BACKEND_AD_VERIFY_H

#include "policy/backend/ad/session.h"

/*
 * Verify a password of the account; NULL: a decoy, see backend.h.  RIGHT also
 * for an account that may not log in, so that the reason is shown to its
 * owner: it is in the facts.
 */
enum sr_verify_result sr_ad_verify(struct sr_ad_call *ad,
                                   struct sr_account *account,
                                   const char *password);

/*
 * Make `of_kdc` the account as KDCs know it: its entry is the principal.  False
 * when memory is out, or the account is not the one that was looked up.
 */
bool sr_ad_account_of_kdc(struct sr_ad_call *ad, struct sr_call *part,
                          const struct sr_account *account,
                          struct sr_account *of_kdc);

#endif
