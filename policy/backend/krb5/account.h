/*
 * Account: an account of the name service that has a principal.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_ACCOUNT_H
#define SR_POLICY_BACKEND_KRB5_ACCOUNT_H

#include "policy/backend/krb5/session.h"

/*
 * Make session->known the account of this name, with unknown facts.
 * UNKNOWN_NAME: the name service has no such account, its uid is below
 * min_uid, or no principal can have the name.
 */
enum sr_status sr_krb5_account_find(struct sr_krb5_session *session,
                                    const char *backend, const char *name);

/*
 * The same for an account that another backend has found: `principal` is in the
 * realm of the session, or names its own.
 */
enum sr_status sr_krb5_account_adopt(struct sr_krb5_session *session,
                                     const struct sr_facts *facts,
                                     const char *principal);

/* Make a principal of a name by "user_principal".  NULL: not possible. */
krb5_principal sr_krb5_account_principal(struct sr_krb5_session *session,
                                         const char *name);

/* Enter what a KDC answered at the time `now` into facts. */
void sr_krb5_account_facts(const struct sr_krb5_initial *initial, sr_time now,
                           struct sr_facts *facts);

/* Enter why a KDC refuses an account: SR_KRB5_CLIENT_ENDED or _REVOKED with a
 * status of padata.h; 0 is an administrator's lock. */
void sr_krb5_account_refused(enum sr_krb5_answer answer, uint32_t status,
                             sr_time now, struct sr_facts *facts);

/* A new struct sr_account of what is known; NULL: out of memory. */
struct sr_account *sr_krb5_account_make(const struct sr_krb5_session *session,
                                        const struct sr_backend *backend);

/* The password was changed: `secret` becomes another one. */
bool sr_krb5_account_renew_secret(struct sr_krb5_known *known);

#endif
