/*
 * LDAP scan: all entries below a place, page by page, of which only what the
 * caller takes is kept.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SCAN_H
#define SR_POLICY_BACKEND_LDAP_SCAN_H

#include "policy/backend/ldap/entry.h"
#include "policy/backend/ldap/pages.h"

/*
 * Read the pages of a search as the service, and pass each entry on, until one
 * of these calls does not return SR_STATUS_OK, which is returned then.  An
 * entry that is too large has is_cut.  All of it may take a minute; on
 * UNAVAILABLE the error of the session says why.
 */
enum sr_status sr_ldap_scan(
    struct sr_ldap_session *session, struct sr_ldap_paged *paged,
    enum sr_status (*take)(void *context, const struct sr_ldap_entry *entry),
    void *context);

#endif
