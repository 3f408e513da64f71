/*
 * LDAP server: what a server publishes about itself, and its certificate, as
 * pure functions that can be tested by themselves.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_ROOTDSE_H
#define SR_POLICY_BACKEND_LDAP_ROOTDSE_H

#include "policy/backend/ldap/entry.h"
#include "policy/backend/survey.h"

/* What is asked for of the root entry, ended by NULL. */
extern const char *const sr_ldap_root_attributes[];

/* The same of a policy, put into a list. */
#define SR_LDAP_POLICY_LIST 32
void sr_ldap_policy_attributes(const char *list[SR_LDAP_POLICY_LIST]);

/* The kind of a server, by its root entry (with no value: it is not shown). */
enum sr_server sr_ldap_server_kind(const struct sr_ldap_entry *root);

/* Put the contents of the root entry into the survey. */
void sr_ldap_server_root(const struct sr_ldap_entry *root,
                         struct sr_survey *survey);

/* Put the policy entry (with no value: it could not be read) into it. */
void sr_ldap_server_policy(const struct sr_ldap_entry *policy,
                           struct sr_survey_policy *out);

/*
 * Check all accounts: names that two have, uids that two have, and accounts
 * without a usable one.  Sorts the entries.
 */
void sr_ldap_server_accounts(struct sr_ldap_entry *account, size_t count,
                             const char *name_attribute,
                             const char *uid_attribute,
                             struct sr_survey *survey);

/*
 * When a certificate (DER) ends, in seconds.  Returns 0, or -1 when it is none.
 */
int sr_ldap_certificate_ends(const unsigned char *der, size_t size,
                             sr_time *ends);

/* Whether a certificate (DER) may be a server's: it lists no purposes
 * (extended key usage), or is for servers or for anything. */
bool sr_ldap_certificate_is_servers(const unsigned char *der, size_t size);

#endif
