/*
 * LDAP sync: messages of content synchronisation (RFC 4533).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/sync.h"

#define REFRESH_AND_PERSIST 3

static void
free_ber(BerElement **ber)
{
    if (*ber != NULL)
        ber_free(*ber, 1);
}

int
sr_sync_request(struct berval *value)
{
    __attribute__((cleanup(free_ber))) BerElement *ber =
        ber_alloc_t(LBER_USE_DER);

    if (ber == NULL ||
        ber_printf(ber, "{e}", (ber_int_t)REFRESH_AND_PERSIST) < 0 ||
        ber_flatten2(ber, value, 1) < 0)
        return -1;
    return 0;
}

static bool
read_id(const struct berval *value, struct sr_sync_id *id)
{
    if (value->bv_len != sizeof(id->bytes))
        return false;
    memcpy(id->bytes, value->bv_val, sizeof(id->bytes));
    return true;
}

int
sr_sync_state(LDAPControl *const *controls, enum sr_sync_state *state,
              struct sr_sync_id *id)
{
    __attribute__((cleanup(free_ber))) BerElement *ber = NULL;
    LDAPControl *control = ldap_control_find(
        LDAP_CONTROL_SYNC_STATE, (LDAPControl **)(uintptr_t)controls, NULL);
    struct berval uuid = {0, NULL};
    ber_int_t number = -1;

    if (control == NULL || control->ldctl_value.bv_len == 0)
        return -1;
    ber = ber_init(&control->ldctl_value);
    if (ber == NULL || ber_scanf(ber, "{em", &number, &uuid) == LBER_ERROR ||
        number < SR_SYNC_PRESENT || number > SR_SYNC_DELETE ||
        !read_id(&uuid, id))
        return -1;
    *state = (enum sr_sync_state)number;
    return 0;
}

/* How each of them begins: a cookie, which is not kept, and a switch, which
 * keeps its value where it is absent. */
static bool
read_head(BerElement *ber, ber_tag_t tag, ber_int_t *value)
{
    struct berval cookie;
    ber_len_t length;

    if (ber_scanf(ber, "{") == LBER_ERROR)
        return false;
    if (ber_peek_tag(ber, &length) == LDAP_TAG_SYNC_COOKIE &&
        ber_scanf(ber, "m", &cookie) == LBER_ERROR)
        return false;
    return ber_peek_tag(ber, &length) != tag ||
           ber_scanf(ber, "b", value) != LBER_ERROR;
}

/* refreshDelete and refreshPresent: both parts of what was there, of which the
 * last says that it is. */
static enum sr_sync_news
read_refresh(BerElement *ber)
{
    ber_int_t is_done = 1;

    if (!read_head(ber, LDAP_TAG_REFRESHDONE, &is_done))
        return SR_SYNC_BROKEN;
    return is_done ? SR_SYNC_REFRESHED : SR_SYNC_NOTHING;
}

static enum sr_sync_news
copy_ids(BerVarray list, struct sr_sync_ids *ids)
{
    size_t count = 0;

    while (list != NULL && list[count].bv_val != NULL)
        count++;
    ids->item = calloc(count + 1, sizeof(*ids->item));
    if (ids->item == NULL)
        return SR_SYNC_BROKEN;
    for (; ids->count < count; ids->count++) {
        if (!read_id(&list[ids->count], &ids->item[ids->count])) {
            free(ids->item);
            memset(ids, 0, sizeof(*ids));
            return SR_SYNC_BROKEN;
        }
    }
    return SR_SYNC_GONE;
}

/* A set of entries: of those that are there, without a cookie of no interest,
 * or of those that are gone. */
static enum sr_sync_news
read_set(BerElement *ber, struct sr_sync_ids *ids)
{
    enum sr_sync_news news = SR_SYNC_NOTHING;
    ber_int_t is_gone = 0;
    BerVarray list = NULL;

    if (!read_head(ber, LDAP_TAG_REFRESHDELETES, &is_gone))
        return SR_SYNC_BROKEN;
    if (ber_scanf(ber, "[W]", &list) == LBER_ERROR)
        news = SR_SYNC_BROKEN;
    else if (is_gone)
        news = copy_ids(list, ids);
    ber_bvarray_free(list);
    return news;
}

enum sr_sync_news
sr_sync_info(const struct berval *value, struct sr_sync_ids *ids)
{
    __attribute__((cleanup(free_ber))) BerElement *ber = NULL;
    ber_len_t length;

    memset(ids, 0, sizeof(*ids));
    /* Of nothing at all liblber reads more than that. */
    if (value == NULL || value->bv_len == 0)
        return SR_SYNC_BROKEN;
    ber = ber_init((struct berval *)(uintptr_t)value);
    if (ber == NULL)
        return SR_SYNC_BROKEN;
    switch (ber_peek_tag(ber, &length)) {
    case LDAP_TAG_SYNC_NEW_COOKIE:
        return SR_SYNC_NOTHING;
    case LDAP_TAG_SYNC_REFRESH_DELETE:
    case LDAP_TAG_SYNC_REFRESH_PRESENT:
        return read_refresh(ber);
    case LDAP_TAG_SYNC_ID_SET:
        return read_set(ber, ids);
    default:
        return SR_SYNC_BROKEN;
    }
}

/* ---- names by entry */

struct node {
    struct sr_sync_id id; /* first: what is looked for has nothing else */
    struct sr_string_list names;
};

struct sr_sync_table {
    void *root;
};

static int
compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sr_sync_id));
}

static void
free_node(void *data)
{
    struct node *node = data;

    sr_string_list_free(&node->names);
    free(node);
}

struct sr_sync_table *
sr_sync_table_new(void)
{
    return calloc(1, sizeof(struct sr_sync_table));
}

void
sr_sync_table_free(struct sr_sync_table *table)
{
    if (table == NULL)
        return;
    tdestroy(table->root, free_node);
    free(table);
}

int
sr_sync_table_put(struct sr_sync_table *table, const struct sr_sync_id *id,
                  const struct sr_string_list *names,
                  struct sr_string_list *old)
{
    struct node *node = calloc(1, sizeof(*node));
    struct node **found;

    memset(old, 0, sizeof(*old));
    if (node == NULL)
        return -1;
    node->id = *id;
    found = tsearch(node, &table->root, compare);
    if (found == NULL || *found != node)
        free(node);
    if (found == NULL)
        return -1;
    *old = (*found)->names;
    (*found)->names = *names;
    return 0;
}

void
sr_sync_table_take(struct sr_sync_table *table, const struct sr_sync_id *id,
                   struct sr_string_list *old)
{
    struct node **found = tfind(id, &table->root, compare);
    struct node *node;

    memset(old, 0, sizeof(*old));
    if (found == NULL)
        return;
    node = *found;
    tdelete(id, &table->root, compare);
    *old = node->names;
    free(node);
}
