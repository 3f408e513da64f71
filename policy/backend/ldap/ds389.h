/*
 * LDAP on 389: accounts of 389 Directory Server and its relatives.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_DS389_H
#define SR_POLICY_BACKEND_LDAP_DS389_H

#include "policy/backend/backend.h"
#include "policy/backend/ldap/view.h"

/* In several attributes: at once, or until an administrator acts. */
#define SR_LDAP_DS389_EPOCH "19700101000000Z"

extern const struct sr_ldap_attribute sr_ldap_ds389[];
extern const size_t sr_ldap_ds389_count;

/* What holds for the whole server. */
struct sr_ldap_ds389_server {
    bool is_read;
    enum sr_tri has_local;         /* policies of subtrees and users count */
    enum sr_tri has_inactivity;    /* the account policy plug-in is enabled */
    struct sr_ldap_entry inactive; /* its limit for all accounts, if any */
    /* The attributes that the plug-in is configured with, those of an account
     * and that of a policy; empty: its defaults. */
    char state_attribute[64], other_attribute[64], policy_attribute[64];
    char limit_attribute[64];
};

/* The attribute that names the account policy of an account. */
const char *
sr_ldap_ds389_policy_attribute(const struct sr_ldap_ds389_server *server);

/* Whether attributes of an account count that are the default of no server. */
bool sr_ldap_ds389_has_names(const struct sr_ldap_ds389_server *server);

/* Whether on both the same attributes count. */
bool sr_ldap_ds389_has_same_names(const struct sr_ldap_ds389_server *one,
                                  const struct sr_ldap_ds389_server *other);

/* In altStateAttrName: there is none. */
#define SR_LDAP_DS389_NO_ATTRIBUTE "1.1"

/* The search in cn=config that finds it, and what is to be found. */
#define SR_LDAP_DS389_CONFIG "cn=config"
#define SR_LDAP_DS389_FILTER                                                   \
    "(|(nsslapd-pwpolicy-local=*)(nsslapd-pluginInitfunc=acct_policy_init)"    \
    "(alwaysRecordLogin=*)(stateAttrName=*)(altStateAttrName=*)"               \
    "(specAttrName=*)(limitAttrName=*)(accountInactivityLimit=*))"
#define SR_LDAP_DS389_ENTRIES 8
extern const char *const sr_ldap_ds389_config[];

/* Put together what was found.  `server` is empty at first; clear it. */
int sr_ldap_ds389_server(const struct sr_ldap_entry *found, size_t count,
                         struct sr_ldap_ds389_server *server);

/* Whether the entry or the policy show that the server is 389. */
bool sr_ldap_ds389_is(const struct sr_ldap_view *view);

/* Whether the server itself ages the password; SR_UNKNOWN: the policy cannot be
 * read and the entry does not say. */
enum sr_tri sr_ldap_ds389_ages(struct sr_ldap_view *view);

void sr_ldap_ds389_facts(struct sr_ldap_view *view, struct sr_facts *facts);

void sr_ldap_ds389_demands(struct sr_ldap_view *view,
                           struct sr_demands *demands);

/* Whether the policy enforces a change after a reset; SR_UNKNOWN: it cannot be
 * read. */
enum sr_tri sr_ldap_ds389_enforces_reset(struct sr_ldap_view *view);

/* The attribute of the last login. */
const char *sr_ldap_ds389_state_attribute(const struct sr_ldap_view *view);

/* Whether the password is a temporary one of the server's own (TPR). */
bool sr_ldap_ds389_is_temporary(struct sr_ldap_view *view);

/*
 * When the password expires by the server's own count.  SR_TIME_UNKNOWN where
 * the entry does not show when the password was changed: without a value the
 * server counts from the next login.
 */
sr_time sr_ldap_ds389_expiry(struct sr_ldap_view *view);

#endif
