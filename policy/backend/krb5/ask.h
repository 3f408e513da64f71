/*
 * Ask: initial tickets for accounts, under FAST where that is possible.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_ASK_H
#define SR_POLICY_BACKEND_KRB5_ASK_H

#include "policy/backend/krb5/session.h"

/*
 * Get an initial ticket for an account: for a service or NULL, with a password
 * or NULL (see initial.h).  Under FAST when the configuration and the keytab
 * allow it.  Armour that the KDC does not accept any more is replaced once.
 */
void sr_krb5_ask(struct sr_krb5_session *session, krb5_principal client,
                 const char *service, const char *password,
                 struct sr_krb5_initial *initial);

#endif
