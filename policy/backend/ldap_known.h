/*
 * LDAP known: the entries that there were when a directory was read last, with
 * the names of their accounts; so that who is gone is found by who is there.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_KNOWN_H
#define SR_POLICY_BACKEND_LDAP_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/rules.h"

struct sr_ldap_names;

/* None is known.  NULL: out of memory. */
struct sr_ldap_names *sr_ldap_names_new(void);
void sr_ldap_names_free(struct sr_ldap_names *known);

/* How many entries are known. */
size_t sr_ldap_names_count(const struct sr_ldap_names *known);

/* Begin a reading of all: nobody has been seen in it yet. */
void sr_ldap_names_begin(struct sr_ldap_names *known);

/*
 * See an entry, which has these names now.  They are the table's then, and *old
 * are the caller's; when memory is out (-1) both are the caller's.  *is_new: it
 * was not known.
 */
int sr_ldap_names_see(struct sr_ldap_names *known, const char *dn,
                      struct sr_names *names, struct sr_names *old,
                      bool *is_new);

/*
 * End a reading of all: an entry that was not seen in it is gone.  Its names
 * are the caller's; false when there is no other one.
 */
bool sr_ldap_names_take_unseen(struct sr_ldap_names *known,
                               struct sr_names *old);

/* Free names. */
void sr_ldap_names_clear(struct sr_names *names);

#endif
