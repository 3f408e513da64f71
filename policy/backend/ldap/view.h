/*
 * LDAP view: the attributes of an account and of its policies, read by the
 * tables of the kinds of servers.
 *
 * An attribute that is absent has the default that the server documents; one
 * that is present and does not have its syntax is a fault, and nothing may
 * be concluded from the entry.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_VIEW_H
#define SR_POLICY_BACKEND_LDAP_VIEW_H

#include "policy/backend/ldap/entry.h"
#include "policy/decide/facts.h"

/* Where an attribute is. */
enum sr_ldap_where {
    SR_LDAP_OF_ACCOUNT,
    SR_LDAP_OF_POLICY,   /* the password policy */
    SR_LDAP_OF_INACTIVE, /* 389: the account policy, for inactivity */
    SR_LDAP_OF_DOMAIN,   /* Active Directory: the head of the domain */
};

/* One attribute of a kind of server. */
struct sr_ldap_attribute {
    const char *name;
    const char *alias; /* another name for it; NULL: none */
    enum sr_ldap_where where;
    int64_t preset; /* where an entry that is known does not have it: a number,
                       or 1 and 0 for a switch */
};

struct sr_ldap_view {
    const struct sr_ldap_entry *account;
    const struct sr_ldap_entry *policy;   /* without values: it is not known */
    const struct sr_ldap_entry *inactive; /* the same; may be NULL */
    const struct sr_ldap_entry *domain;   /* the same */
    /* 389: attributes of the account by which it is inactive, and the one of
     * the limit; NULL: the server's defaults. */
    const char *state_attribute, *other_attribute, *limit_attribute;

    sr_time now; /* for hours of the week, and locks that begin later */

    /* Active Directory, as it is configured: */
    bool is_ad;
    bool is_samba;    /* by what the server says of itself; only asked where it
                         matters */
    const char *host; /* the name of this one */

    /* Another identity than the owner can set a password by the old one, so
     * that the owner is not locked out when no login is left. */
    bool can_help;
    /* The owner has just bound: limits on idle accounts do not apply. */
    bool is_active;

    const char *fault; /* the first attribute with a value that is none, */
    const struct sr_ldap_entry *fault_of; /* of this entry; NULL: account */
};

/* Numbers above it are mistakes; sums of seconds must not overflow. */
#define SR_LDAP_NUMBER_MAX ((int64_t)36500 * 86400)

bool sr_ldap_view_has_policy(const struct sr_ldap_view *view);

/* The one value of an attribute as it is; NULL: absent.  Two are a fault. */
const char *sr_ldap_view_text(struct sr_ldap_view *view,
                              const struct sr_ldap_attribute *attribute);

/* The same, of any bytes. */
const struct sr_ldap_value *
sr_ldap_view_value(struct sr_ldap_view *view,
                   const struct sr_ldap_attribute *attribute);

/* Note a fault of an attribute, unless there is one already. */
void sr_ldap_view_fail(struct sr_ldap_view *view,
                       const struct sr_ldap_attribute *attribute);

/* SR_TIME_UNKNOWN: absent, or a fault. */
sr_time sr_ldap_view_time(struct sr_ldap_view *view,
                          const struct sr_ldap_attribute *attribute);

/* A count or seconds; -1: not known, or a fault. */
int64_t sr_ldap_view_number(struct sr_ldap_view *view,
                            const struct sr_ldap_attribute *attribute);

/* 389's seconds, which may have another unit; -1: the same. */
int64_t sr_ldap_view_duration(struct sr_ldap_view *view,
                              const struct sr_ldap_attribute *attribute);

/* Days of RFC 2307; -1: none, or a fault. */
int64_t sr_ldap_view_days(struct sr_ldap_view *view,
                          const struct sr_ldap_attribute *attribute);

/* SR_UNKNOWN: not known, or a fault. */
enum sr_tri sr_ldap_view_switch(struct sr_ldap_view *view,
                                const struct sr_ldap_attribute *attribute);

/* How many values an attribute has. */
int sr_ldap_view_count(const struct sr_ldap_view *view,
                       const struct sr_ldap_attribute *attribute);

/*
 * Logins that are left after the expiry, `limit` of the policy and `used` of
 * them; -1: not known.  That none is left bars the owner, unless can_help.
 */
int sr_ldap_view_grace(const struct sr_ldap_view *view, int64_t limit,
                       int64_t used);

#endif
