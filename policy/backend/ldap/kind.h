/*
 * LDAP kind: which kind of server an account is on, and what its entry and its
 * policy contain.
 *
 * Active Directory is configured; other servers are distinguished by the
 * attributes that they show: those of OpenLDAP's ppolicy overlay, those of 389
 * Directory Server, and the shadow attributes of RFC 2307, which no server
 * enforces.  All that differs between them is in the file of the kind:
 * openldap.c, ds389.c, ad.c, shadow.c.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_KIND_H
#define SR_POLICY_BACKEND_LDAP_KIND_H

#include "policy/backend/backend.h"
#include "policy/backend/ldap/view.h"

enum sr_ldap_kind {
    SR_LDAP_PLAIN,   /* nothing ages the password, as far as is known */
    SR_LDAP_PPOLICY, /* the server does, by OpenLDAP's ppolicy */
    SR_LDAP_DS389,   /* the server does: 389 Directory Server or a relative */
    SR_LDAP_SHADOW,  /* this host does, by the shadow attributes; a change has
                        to write shadowLastChange */
    SR_LDAP_AD,      /* the server does: Active Directory */
};

/* Attributes of an account or a policy that are asked for, the NULL at the end
 * included; those of the configuration are added. */
#define SR_LDAP_LIST_MAX 56

/* Append the attributes of Active Directory, or of all other kinds, to a list
 * of `count`; returns the new count.  The list is ended by NULL. */
size_t sr_ldap_kind_list(bool is_ad, enum sr_ldap_where where,
                         const char *list[SR_LDAP_LIST_MAX], size_t count);

/* Append one, unless the list has it; returns the new count.  The list is not
 * ended. */
size_t sr_ldap_kind_append(const char *list[SR_LDAP_LIST_MAX], size_t count,
                           const char *name);

/* The kind of server of the account. */
enum sr_ldap_kind sr_ldap_kind(struct sr_ldap_view *view);

/*
 * Add to the facts what the view contains.  Returns the name of an attribute
 * that counts and whose value does not have its syntax, or NULL; the facts are
 * not to be used then.
 */
const char *sr_ldap_kind_facts(struct sr_ldap_view *view,
                               struct sr_facts *facts);

/* The kind by which a change of the password can be demanded;
 * SR_LDAP_PLAIN: by none. */
enum sr_ldap_kind sr_ldap_kind_of_demand(struct sr_ldap_view *view);

/* What the policy of a view demands of a new password. */
void sr_ldap_kind_demands(const struct sr_ldap_view *view,
                          struct sr_demands *demands);

/*
 * The DN of the password policy of an account: `preset`, which may be NULL,
 * unless the entry names one.
 */
const char *sr_ldap_policy_of(const struct sr_ldap_entry *account,
                              const char *preset);

/*
 * The fingerprint of the password: the DN, and what changes when the password
 * does, as far as the server shows such a thing.  A new string, or NULL when
 * memory is out.
 */
char *sr_ldap_fingerprint(const struct sr_ldap_entry *account);

#endif
