/*
 * Mail: codes by mail, as a gate and to confirm an address.
 *
 * A code has 8 digits and is valid for 10 minutes and for 5 tries; a new one
 * replaces it.  To one account no more than one mail in a minute, 5 in an hour
 * and 10 in a day are sent.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_MAIL_H
#define SR_POLICY_RESET_MAIL_H

#include "policy/reset/run.h"

/*
 * Send a code to the addresses of the account, where it has the gate and may be
 * reset.  The caller says that one is on its way if there is one: the same for
 * every name, and after the same time.
 */
void sr_mail_offer(struct sr_run *run);

/* Ask for an address and have it confirmed by a code; true: it is stored.  The
 * gate may be used for a reset after `wait` seconds. */
bool sr_mail_add(struct sr_run *run, int64_t wait);

/* Whether one more mail may be sent now. */
bool sr_mail_may_send(const struct sr_enrolment *enrolment, sr_time now,
                      bool is_own);

/* Whether an address is of one of the domains, or below one. */
bool sr_mail_is_of(const char *address, const struct sr_string_list *domains);

#endif
