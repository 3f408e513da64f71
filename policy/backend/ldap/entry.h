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

/* Whether one of the values of an attribute is this, byte for byte. */
bool sr_ldap_entry_has(const struct sr_ldap_entry *entry, const char *attribute,
                       const char *wanted);

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

/*
 * The DN with each %u replaced by the name, whose special characters are
 * escaped (RFC 4514).  A new string, or NULL when memory is out.
 */
char *sr_ldap_dn(const char *dn, const char *name);

/* The filter with each %u replaced by "*": for every account. */
char *sr_ldap_filter_all(const char *filter);

/* No name that an account of a directory can have: root's, one with control
 * characters, or what is no UTF-8. */
bool sr_ldap_is_absurd(const char *name);

/* The uid in a value; false when it is none that an account may have. */
bool sr_ldap_uid(const char *text, uid_t *uid);

/*
 * The DN of the policy of an entry: `preset`, which may be NULL, unless the
 * entry names one.
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

/* Who makes an account's password old. */
enum sr_ldap_kind {
    SR_LDAP_PLAIN,   /* nobody, as far as is known */
    SR_LDAP_PPOLICY, /* the server, by OpenLDAP's ppolicy */
    SR_LDAP_DS389,   /* the server, 389 Directory Server or a relative */
    SR_LDAP_SHADOW,  /* we do, by the shadow attributes; whoever changes the
                      * password has to write shadowLastChange */
};

/* The kind, by what the account and its policy show. */
enum sr_ldap_kind sr_ldap_kind(const struct sr_ldap_entry *account,
                               const struct sr_ldap_entry *policy);

/* Whether either shows that the server is 389 Directory Server or a relative.
 */
bool sr_ldap_is_ds389(const struct sr_ldap_entry *account,
                      const struct sr_ldap_entry *policy);

/* The name of a shadow attribute that counts and is no number of days; NULL
 * when there is none. */
const char *sr_ldap_shadow_fault(const struct sr_ldap_entry *account,
                                 const struct sr_ldap_entry *policy);

/*
 * What stands for the password in the account's fingerprint: something that
 * changes when the password does, where the server shows such a thing, behind
 * the DN.  A new string, or NULL when memory is out.
 */
char *sr_ldap_fingerprint(const struct sr_ldap_entry *account);

#endif
