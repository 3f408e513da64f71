/*
 * Ccache: the ticket of a login in a cache of its user, for the session.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_CCACHE_H
#define SR_POLICY_BACKEND_KRB5_CCACHE_H

#include "policy/backend/krb5/session.h"

/* See struct sr_credential_ops. */
enum sr_status sr_krb5_ccache_hand_over(struct sr_krb5_session *session,
                                        const struct sr_account *account,
                                        char **handle);
enum sr_status sr_krb5_ccache_establish(struct sr_krb5_session *session,
                                        const struct sr_account *account,
                                        const struct sr_credential_want *want,
                                        char **name);
void sr_krb5_ccache_drop(const struct sr_account *account, const char *handle);
enum sr_status sr_krb5_ccache_destroy(struct sr_krb5_session *session,
                                      const struct sr_account *account,
                                      gid_t gid, const char *name);

#endif
