/*
 * LDAP known: the entries that there were when a directory was read last, with
 * the names of their accounts; so that entries that have gone are found from a
 * list of those that exist.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_DN_INDEX_H
#define SR_POLICY_BACKEND_LDAP_DN_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/decide/rules.h"

struct sr_ldap_dn_index;

/* None is known.  NULL: out of memory. */
struct sr_ldap_dn_index *sr_ldap_dn_index_new(void);
void sr_ldap_dn_index_free(struct sr_ldap_dn_index *known);

/* How many entries are known. */
size_t sr_ldap_dn_index_count(const struct sr_ldap_dn_index *known);

/* Begin a reading of all entries: none has been seen in it yet. */
void sr_ldap_dn_index_begin(struct sr_ldap_dn_index *known);

/* What was seen of an entry. */
struct sr_ldap_seen {
    struct sr_string_list old; /* that it had; the caller's */
    bool is_new;               /* it was not known */
    bool is_same;              /* its content is what it was */
};

/*
 * See an entry, which has these names now, and this content (a hash; 0: that
 * was not read, and stays as it is).  The names are the table's then; when
 * memory is out (-1) they are the caller's.
 */
int sr_ldap_dn_index_see(struct sr_ldap_dn_index *known, const char *dn,
                         struct sr_string_list *names, uint64_t content,
                         struct sr_ldap_seen *seen);

/*
 * End a reading of all: an entry that was not seen in it is gone.  Its names
 * are the caller's; false when there is no other one.
 */
bool sr_ldap_dn_index_take_unseen(struct sr_ldap_dn_index *known,
                                  struct sr_string_list *old);

#endif
