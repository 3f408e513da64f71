/*
 * LDAP all: reading every account of a directory, page by page (RFC 2696), and
 * their policies, each once.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_ENUMERATE_H
#define SR_POLICY_BACKEND_LDAP_ENUMERATE_H

#include "policy/backend/ldap/session.h"

/* Of an account; some are named by the configuration. */
#define SR_LDAP_ATTRIBUTES_MAX 44

/* What was read, as it came: so it takes the least room. */
struct sr_ldap_pages {
    LDAPMessage **page;
    size_t count;
};

/* Policies by the DNs by which accounts name them. */
struct sr_ldap_policies {
    struct sr_ldap_entry *policy; /* dn: as it was asked for */
    size_t count;
};

/* The attributes of an account, with those that the configuration names. */
void sr_ldap_list_attributes(const struct sr_backend_config *config,
                             const char *list[SR_LDAP_ATTRIBUTES_MAX]);

/*
 * The facts that an entry and its policy are for an account of that name.
 * False, and the reason is said, when the entry cannot be one of an account.
 */
bool sr_ldap_describe(struct sr_ldap_session *link,
                      const struct sr_backend *backend, const char *name,
                      const struct sr_ldap_entry *entry,
                      const struct sr_ldap_entry *policy,
                      struct sr_facts *facts);

/* A search that is answered in pages. */
struct sr_ldap_paged {
    const char *base;
    int scope;
    const char *filter;
    const char *const *attributes;
    struct berval cookie; /* empty: before the first page, or behind the last */
};

/*
 * Ask for the next page, on the connection at hand, and wait for it as long as
 * one login may take.  Returns an LDAP result code, and the page, which may be
 * NULL, for ldap_msgfree().
 */
int sr_ldap_next_page(struct sr_ldap_session *link, struct sr_ldap_paged *paged,
                      struct sr_ldap_response *answer, LDAPMessage **page);
void sr_ldap_paged_end(struct sr_ldap_paged *paged);

/*
 * Read all entries that a filter finds below the base, with these attributes,
 * or (NULL) all that an account has.  Each page has the time of a login.
 * Returns an LDAP result code; on any but LDAP_SUCCESS the pages are not all,
 * and not to be used.  Clear them in any case.
 */
int sr_ldap_read_pages(struct sr_ldap_session *link, const char *filter,
                       const char *const *attributes,
                       struct sr_ldap_pages *pages);
void sr_ldap_pages_clear(struct sr_ldap_pages *pages);

/*
 * The policy of a DN (NULL: none), which is read when it is met for the first
 * time; one that is not there, or may not be read, is empty.  Returns an LDAP
 * result code.
 */
int sr_ldap_policies_get(struct sr_ldap_policies *policies,
                         struct sr_ldap_session *link, const char *dn,
                         const struct sr_ldap_entry **policy);

/* The policy of a DN, if it was read. */
const struct sr_ldap_entry *
sr_ldap_policies_find(const struct sr_ldap_policies *policies, const char *dn);

void sr_ldap_policies_clear(struct sr_ldap_policies *policies);

/*
 * Tell a visitor what an entry and its policy say of an account of that name;
 * `wrong` (or NULL) is why the account cannot be asked.  Returns NO_MEMORY, or
 * OK; *is_done: the visitor has had enough.
 */
enum sr_status sr_ldap_tell(struct sr_ldap_session *link,
                            const struct sr_backend *backend,
                            const struct sr_visitor *visitor, const char *name,
                            const struct sr_ldap_entry *entry,
                            const struct sr_ldap_entry *policy,
                            const char *wrong, bool *is_done);

/* enumerate() of struct sr_backend_ops. */
enum sr_status sr_ldap_enumerate(struct sr_call *call,
                                 const struct sr_visitor *visitor);

/* ---- watch.c */
extern const struct sr_watch_ops sr_ldap_watch;

#endif
