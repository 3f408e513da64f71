/*
 * LDAP policies: finding and reading the policies of accounts, each once.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_POLICIES_H
#define SR_POLICY_BACKEND_LDAP_POLICIES_H

#include "policy/backend/ldap/session.h"

/*
 * Put the policies of an account into a view, reading those that the cache does
 * not have yet.  view->account is set by the caller.  A policy that does not
 * exist, or may not be read, has no values.  Returns an LDAP result code; or
 * LDAP_LOOP_DETECT when there are too many policies, which concerns this
 * account only: the session's error has the reason.
 */
int sr_ldap_policies_of(struct sr_ldap_session *session,
                        struct sr_ldap_policies *policies,
                        struct sr_ldap_view *view);

/* Read one policy, under the DN it is asked for by.  Returns an LDAP result
 * code. */
int sr_ldap_policies_get(struct sr_ldap_session *session,
                         struct sr_ldap_policies *policies, const char *dn,
                         const struct sr_ldap_entry **policy);

/* Read what holds for a whole server of 389; what may not be read stays
 * unknown.  Returns an LDAP result code. */
int sr_ldap_policies_server(struct sr_ldap_session *session,
                            struct sr_ldap_policies *policies);

/* Read again all policies that `old` has.  Returns an LDAP result code. */
int sr_ldap_policies_again(struct sr_ldap_session *session,
                           const struct sr_ldap_policies *old,
                           struct sr_ldap_policies *fresh);

/* The attributes of a policy that are asked for, of Active Directory or of a
 * server with this configuration, which has to last as long as the list. */
void sr_ldap_policies_list(bool is_ad,
                           const struct sr_ldap_ds389_server *server,
                           const char *list[SR_LDAP_LIST_MAX]);

#endif
