/*
 * Armour: this host's own ticket, under which KDCs are asked by FAST.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_ARMOUR_H
#define SR_POLICY_BACKEND_KRB5_ARMOUR_H

#include "policy/backend/krb5/session.h"

/*
 * Get the armour of a session, as far as "fast" wants it: from the file in
 * which an earlier process left it, or by the keytab.  It is left for other
 * processes by those that root started.  False: there is none and must be one,
 * or no KDC replies; the session's error says why.
 */
bool sr_krb5_armour_get(struct sr_krb5_session *session);

/* Forget it, and what is stored of it. */
void sr_krb5_armour_drop(struct sr_krb5_session *session);

#endif
