/*
 * LDAP template: filters and DNs with a name put in, and which names and uids
 * an account of a directory can have.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_TEMPLATE_H
#define SR_POLICY_BACKEND_LDAP_TEMPLATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "policy/backend/ldap/entry.h"
#include "policy/config/settings.h"

/*
 * The filter with each %u replaced by the name, whose special characters are
 * escaped (RFC 4515).  A new string, or NULL when memory is out.
 */
char *sr_ldap_filter(const char *filter, const char *name);

/* The same for a DN (RFC 4514). */
char *sr_ldap_dn(const char *dn, const char *name);

/* The filter with each %u replaced by "*": for every account. */
char *sr_ldap_filter_all(const char *filter);

/* Whether no account of a directory can have this name: root's, one that is too
 * long, or one with control characters or bytes that are not UTF-8. */
bool sr_ldap_is_absurd(const char *name);

/* The uid in a value; false when it is not a uid that an account may have: not
 * a number, 0, or (uid_t)-1. */
bool sr_ldap_uid(const char *text, uid_t *uid);

/*
 * How many names of an entry `known_as` has as a part (sr_is_spelling()), if
 * the entry has that uid; *name is the last of them, and stays if there is
 * none.
 */
unsigned sr_ldap_names_like(const struct sr_backend_config *config, uid_t uid,
                            const char *known_as,
                            const struct sr_ldap_entry *entry,
                            const char **name);

#endif
