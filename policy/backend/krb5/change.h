/*
 * Change: a new password by the server for passwords (RFC 3244).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_CHANGE_H
#define SR_POLICY_BACKEND_KRB5_CHANGE_H

#include "policy/backend/krb5/session.h"

/*
 * Change a password, see backend.h.  Without the current one this is not
 * possible.  After anything but a clear answer the new password is verified,
 * with a KDC of the same host.
 */
enum sr_write sr_krb5_change(struct sr_krb5_session *session,
                             struct sr_account *account, const char *old,
                             const char *password, enum sr_refusal *refusal);

/*
 * The same for a principal, account->entry, by the ticket for a change that is
 * in session->changepw.  *is_final: the result needs no other proof, as nothing
 * was sent, or the answer came under the session's key.
 */
enum sr_write sr_krb5_change_by_ticket(struct sr_krb5_session *session,
                                       struct sr_account *account,
                                       const char *password,
                                       enum sr_refusal *refusal,
                                       bool *is_final);

/*
 * Whether passwords can be set by this host's key: the server is asked to set
 * one for a principal that does not exist.  DONE, REFUSED (it may not), FAILED.
 */
enum sr_write sr_krb5_admit(struct sr_krb5_session *session,
                            enum sr_refusal *refusal);

/* Set the password of an account, by the right of this host's key and without
 * the old one. */
enum sr_write sr_krb5_reset(struct sr_krb5_session *session,
                            struct sr_account *account, const char *password,
                            enum sr_refusal *refusal);

#endif
