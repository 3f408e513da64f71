/*
 * Verify: whether a password is right, by an initial ticket.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_VERIFY_H
#define SR_POLICY_BACKEND_KRB5_VERIFY_H

#include "policy/backend/krb5/session.h"

/*
 * Verify a password of the account; NULL: a decoy, see backend.h.  When it is
 * right the account gets the facts, and the session keeps the ticket; for an
 * expired password that is one for a change.
 */
enum sr_verify_result sr_krb5_verify(struct sr_krb5_session *session,
                                     struct sr_account *account,
                                     const char *password);

/*
 * Get a ticket for a change with the current password.  TICKET: it is in
 * session->changepw.  *expires is the time that the KDC says of the password;
 * 0: it says none.
 */
enum sr_krb5_answer sr_krb5_verify_for_change(struct sr_krb5_session *session,
                                              const struct sr_account *account,
                                              const char *password,
                                              int64_t *expires);

/* Verify a password that was just set: only by a ticket-granting ticket, which
 * the session keeps.  WRONG is counted by the KDC. */
enum sr_verify_result sr_krb5_verify_new(struct sr_krb5_session *session,
                                         struct sr_account *account,
                                         const char *password);

#endif
