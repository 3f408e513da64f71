/*
 * LDAP sync: messages of content synchronisation (RFC 4533), as pure functions
 * that can be tested by themselves, and the names of the entries by what such a
 * server calls them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SYNC_H
#define SR_POLICY_BACKEND_LDAP_SYNC_H

#include <ldap.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/decide/rules.h"

/* An entryUUID. */
struct sr_sync_id {
    uint8_t bytes[16];
};

/* What happened to an entry. */
enum sr_sync_state {
    SR_SYNC_PRESENT,
    SR_SYNC_ADD,
    SR_SYNC_MODIFY,
    SR_SYNC_DELETE,
};

/* What a message without an entry means. */
enum sr_sync_news {
    SR_SYNC_NOTHING,   /* a cookie, or what is of no interest without one */
    SR_SYNC_REFRESHED, /* every entry has been sent */
    SR_SYNC_GONE,      /* the entries of `ids` are gone */
    SR_SYNC_BROKEN,    /* cannot be understood */
};

struct sr_sync_ids {
    struct sr_sync_id *item;
    size_t count;
};

/*
 * The value of the request: everything that is there, and then what changes.
 * It has no cookie, so that neither side has to keep a state.  Returns 0,
 * or -1 when memory is out; free it with ber_memfree().
 */
int sr_sync_request(struct berval *value);

/* The state in the controls of an entry (ended by NULL; may be NULL).  Returns
 * 0, or -1 when there is none that can be understood. */
int sr_sync_state(LDAPControl *const *controls, enum sr_sync_state *state,
                  struct sr_sync_id *id);

/* The value of an intermediate response.  `ids` is filled in on GONE; free its
 * items. */
enum sr_sync_news sr_sync_info(const struct berval *value,
                               struct sr_sync_ids *ids);

/* ---- names by entry */

struct sr_sync_table;

struct sr_sync_table *sr_sync_table_new(void);
void sr_sync_table_free(struct sr_sync_table *table);

/*
 * Have `names` known for an entry, instead of *old, which are the caller's
 * then; so are `names` when memory is out (-1).
 */
int sr_sync_table_put(struct sr_sync_table *table, const struct sr_sync_id *id,
                      const struct sr_string_list *names,
                      struct sr_string_list *old);

/* Forget an entry; its names are the caller's. */
void sr_sync_table_take(struct sr_sync_table *table,
                        const struct sr_sync_id *id,
                        struct sr_string_list *old);

#endif
