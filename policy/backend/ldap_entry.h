/*
 * LDAP entries: what the attributes of an account, and of its password policy,
 * say, as pure functions that can be tested by themselves.
 *
 * Servers are told apart by the attributes they serve: those of OpenLDAP's
 * ppolicy, those of 389 Directory Server, and the shadow attributes of RFC 2307
 * that no server looks at itself.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_ENTRY_H
#define SR_POLICY_BACKEND_LDAP_ENTRY_H

#include <stddef.h>

#include "policy/backend/backend.h"

struct sr_ldap_value {
    char *attribute;
    char *text; /* ends at its first NUL */
};

/* What was read of an entry. */
struct sr_ldap_entry {
    char *dn; /* NULL: there is none */
    struct sr_ldap_value *value;
    size_t count;
};

/* The attributes that are asked for, ended by NULL; of an account those that
 * the configuration names come on top. */
extern const char *const sr_ldap_account_attributes[];
extern const char *const sr_ldap_policy_attributes[];

/* Add a copy of a value.  Returns 0 or -1 (out of memory). */
int sr_ldap_entry_add(struct sr_ldap_entry *entry, const char *attribute,
                      const char *text, size_t length);

/* Free what is in an entry, which is empty then. */
void sr_ldap_entry_clear(struct sr_ldap_entry *entry);

/* The value number `index` of an attribute, or NULL. */
const char *sr_ldap_entry_get(const struct sr_ldap_entry *entry,
                              const char *attribute, size_t index);

/*
 * A time as LDAP writes it (RFC 4517, generalized time) in seconds.  Returns 0
 * or -1.  A time before 1970 is 0: nothing here is as old, and servers write
 * such times to mean "not at all".
 */
int sr_ldap_time(const char *text, sr_time *when);

/*
 * The filter with each %u replaced by the name, whose special characters are
 * escaped (RFC 4515).  A new string, or NULL when memory is out.
 */
char *sr_ldap_filter(const char *filter, const char *name);

/* The filter with each %u replaced by "*": for every account. */
char *sr_ldap_filter_all(const char *filter);

/* No name that an account can have. */
bool sr_ldap_is_absurd(const char *name);

/* The uid in a value; false when it is none that an account may have. */
bool sr_ldap_uid(const char *text, uid_t *uid);

/*
 * Whether the facts depend on a policy entry, and on which: its DN, or NULL.
 * `preset` is the policy of entries that name none.
 */
const char *sr_ldap_policy_of(const struct sr_ldap_entry *account,
                              const char *preset);

/*
 * Add what the entry and its policy (with no value: not known) say to the
 * facts.  can_help: somebody else than the owner can set a new password by the
 * old one, so that the owner is not lost when no login is left.
 */
void sr_ldap_entry_facts(const struct sr_ldap_entry *account,
                         const struct sr_ldap_entry *policy, bool can_help,
                         struct sr_facts *facts);

/* What the policy demands of a new password. */
void sr_ldap_policy_demands(const struct sr_ldap_entry *policy,
                            struct sr_demands *demands);

/* Whether the ageing of the account is that of its shadow attributes, so that
 * whoever changes the password has to write shadowLastChange. */
bool sr_ldap_is_shadow(const struct sr_ldap_entry *account,
                       const struct sr_ldap_entry *policy);

/*
 * What stands for the password in the account's fingerprint: something that
 * changes when the password does, where the server shows such a thing, behind
 * the DN.  A new string, or NULL when memory is out.
 */
char *sr_ldap_fingerprint(const struct sr_ldap_entry *account);

#endif
