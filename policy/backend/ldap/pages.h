/*
 * LDAP pages: searches that are answered in pages (RFC 2696).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_PAGES_H
#define SR_POLICY_BACKEND_LDAP_PAGES_H

#include "policy/backend/ldap/session.h"

/* The pages that were read, as they came: so they take the least memory. */
struct sr_ldap_pages {
    LDAPMessage **page;
    size_t count;
    size_t bytes; /* that were received for them */
    bool is_cut;  /* a limit of the server ended the search */
};

/* A search that is answered in pages. */
struct sr_ldap_paged {
    const char *base;
    int scope;
    const char *filter;
    const char *const *attributes;
    struct berval cookie; /* empty: before the first page, or after the last */
    int size;             /* of a page, in entries; 0: the usual one */
    int64_t end; /* a deadline for all pages; 0: each has that of a login */
};

/*
 * Request the next page on the connection at hand, and wait for it as long as
 * one login may take; or six of them, when all pages have a deadline.  Where
 * the server refuses the first one for its size, smaller ones are requested.
 * Returns an LDAP result code, and the page, which may be NULL, for
 * ldap_msgfree().
 */
int sr_ldap_next_page(struct sr_ldap_session *session,
                      struct sr_ldap_paged *paged,
                      struct sr_ldap_response *answer, LDAPMessage **page);
void sr_ldap_paged_end(struct sr_ldap_paged *paged);

/*
 * Read all entries below the base that a filter finds, with these attributes or
 * (NULL) all those of an account.  Each page has six times the time of a login,
 * and all have ten minutes.  Where the server refuses pages, all are asked for
 * at once; from one that goes away, the next one takes over from the beginning.
 * Returns an LDAP result code; on any but LDAP_SUCCESS the pages are
 * incomplete, and unless is_cut not to be used.  Clear them in any case.
 */
int sr_ldap_read_pages(struct sr_ldap_session *session, const char *filter,
                       const char *const *attributes,
                       struct sr_ldap_pages *pages);
void sr_ldap_pages_clear(struct sr_ldap_pages *pages);

#endif
