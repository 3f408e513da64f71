/*
 * Trust: whether a ticket comes from a KDC that knows a key of this host.
 *
 * Somebody who answers in a KDC's place can make a ticket for any password; but
 * not one that this host can decrypt.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_TRUST_H
#define SR_POLICY_BACKEND_KRB5_TRUST_H

#include "policy/backend/krb5/session.h"

enum sr_krb5_trust {
    SR_KRB5_TRUSTED,
    SR_KRB5_NOT_TRUSTED, /* the session's error says why */
    SR_KRB5_NOT_REACHED, /* no KDC replied in between */
};

/*
 * Verify a ticket-granting ticket: get a ticket for a host/ entry of the keytab
 * by it, and decrypt that.  Entries that do not work do no harm beside one that
 * does.
 */
enum sr_krb5_trust sr_krb5_trust_verify(struct sr_krb5_session *session,
                                        krb5_creds *tgt);

/*
 * Try one principal of the keytab.  `cache` has the ticket-granting ticket;
 * *code is libkrb5's error.
 */
enum sr_krb5_trust sr_krb5_trust_try(struct sr_krb5_session *session,
                                     krb5_ccache cache, krb5_principal client,
                                     krb5_principal server,
                                     krb5_error_code *code);

/* The number of the key that a ticket for `server` has, by a ticket-granting
 * one.  False: none is given, and the session's error says why. */
bool sr_krb5_trust_kvno(struct sr_krb5_session *session, krb5_creds *tgt,
                        krb5_principal server, krb5_kvno *kvno);

#endif
