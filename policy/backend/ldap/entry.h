/*
 * LDAP entry: the values that were read of one entry.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_ENTRY_H
#define SR_POLICY_BACKEND_LDAP_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

/* More values, or bytes of them, than any entry of an account or a policy
 * needs.  What exceeds them is left out, and the entry is marked. */
#define SR_LDAP_VALUES_MAX 1024
#define SR_LDAP_BYTES_MAX  ((size_t)128 * 1024)

struct sr_ldap_value {
    char *attribute;
    char *text; /* of `size` bytes, and a NUL behind them */
    size_t size;
};

struct sr_ldap_entry {
    char *dn; /* NULL: there is no entry */
    struct sr_ldap_value *value;
    size_t count, room;
    size_t bytes;
    bool is_cut;    /* it has more values than are kept */
    bool is_absent; /* the server says that there is none of this DN */
};

/*
 * Add a copy of a value.  Returns 0 or -1 (out of memory).
 */
int sr_ldap_entry_add(struct sr_ldap_entry *entry, const char *attribute,
                      const char *text, size_t length);

/* Free the contents of an entry, which is empty afterwards. */
void sr_ldap_entry_clear(struct sr_ldap_entry *entry);

/*
 * The first value of an attribute as text, or NULL.  Here and below one with a
 * NUL byte is a text that no syntax allows and no name is.
 */
const char *sr_ldap_entry_first(const struct sr_ldap_entry *entry,
                                const char *attribute);

/* The next value of an attribute, from *at on, which is 0 at first; or NULL. */
const char *sr_ldap_entry_next(const struct sr_ldap_entry *entry,
                               const char *attribute, size_t *at);

/* The same, of any bytes. */
const struct sr_ldap_value *
sr_ldap_entry_value(const struct sr_ldap_entry *entry, const char *attribute,
                    size_t *at);

/* The value of an attribute that is `name` byte for byte, else the first that
 * differs from it in the case of letters only, else NULL. */
const char *sr_ldap_entry_spelling(const struct sr_ldap_entry *entry,
                                   const char *attribute, const char *name);

#endif
