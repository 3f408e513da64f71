/*
 * LDAP describe: an account from its entry and its policy.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_DESCRIBE_H
#define SR_POLICY_BACKEND_LDAP_DESCRIBE_H

#include "policy/backend/ldap/session.h"

/* Names of one entry that are described: each costs what the entry costs.  The
 * state of all names of one with more is unknown, and why. */
#define SR_LDAP_NAMES_MAX      32
#define SR_LDAP_TOO_MANY_NAMES "its entry has too many names"

/* The attributes of an account that are asked for; some are named by the
 * configuration, others by that of the server, as far as the session has read
 * it.  The list is valid as long as the policies of the session. */
void sr_ldap_list_attributes(const struct sr_ldap_session *session,
                             const char *list[SR_LDAP_LIST_MAX]);

/*
 * The facts of the account `name` by its view.  False when the entry cannot be
 * that of an account, or has a value that cannot be read; the session's error
 * says why.
 */
bool sr_ldap_describe(struct sr_ldap_session *session,
                      const struct sr_backend *backend, const char *name,
                      const struct sr_rules *rules, struct sr_ldap_view *view,
                      struct sr_facts *facts);

/* Whether the entry has a uid below config->uid_min: then it is not an account.
 */
bool sr_ldap_is_system(const struct sr_backend_config *config,
                       const struct sr_ldap_entry *entry);

/* Reporting accounts to a visitor. */
struct sr_ldap_visit {
    struct sr_ldap_session *session;
    const struct sr_backend *backend;
    const struct sr_visitor *visitor;
    bool is_done; /* it wants no more */
};

/*
 * Report the account `name` of a view; `wrong` (or NULL) is why the account
 * cannot be looked up.  Returns NO_MEMORY, or OK.
 */
enum sr_status sr_ldap_visit(struct sr_ldap_visit *visit, const char *name,
                             struct sr_ldap_view *view, const char *wrong);

/*
 * Whether the entry has a uid that an account can have.  One without counts for
 * nothing beside an entry of the same name that has one.
 */
bool sr_ldap_has_uid(const struct sr_backend_config *config,
                     const struct sr_ldap_entry *entry);

#endif
