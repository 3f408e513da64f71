/*
 * LDAP describe: an account from its entry and its policy.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_DESCRIBE_H
#define SR_POLICY_BACKEND_LDAP_DESCRIBE_H

#include "policy/backend/ldap/session.h"

/* Attributes of an account, the NULL at the end included; some are named by the
 * configuration. */
#define SR_LDAP_ATTRIBUTES_MAX 44

void sr_ldap_list_attributes(const struct sr_backend_config *config,
                             const char *list[SR_LDAP_ATTRIBUTES_MAX]);

/*
 * The facts of the account `name` by its entry and policy.  False when the
 * entry cannot be that of an account; the session's error says why.
 */
bool sr_ldap_describe(struct sr_ldap_session *session,
                      const struct sr_backend *backend, const char *name,
                      const struct sr_ldap_entry *entry,
                      const struct sr_ldap_entry *policy,
                      struct sr_facts *facts);

/*
 * Report the account `name` of an entry and its policy to a visitor; `wrong`
 * (or NULL) is why the account cannot be looked up.  Returns NO_MEMORY, or OK;
 * *is_done: the visitor wants no more.
 */
enum sr_status sr_ldap_visit(struct sr_ldap_session *session,
                             const struct sr_backend *backend,
                             const struct sr_visitor *visitor, const char *name,
                             const struct sr_ldap_entry *entry,
                             const struct sr_ldap_entry *policy,
                             const char *wrong, bool *is_done);

#endif
