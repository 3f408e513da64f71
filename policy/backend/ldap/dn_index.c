/*
 * LDAP known: the entries that there were, by their DNs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/dn_index.h"

struct node {
    char *dn; /* first: what is looked for has nothing else */
    struct node *next, *previous;
    struct sr_string_list names;
    uint64_t content;
    bool is_seen;
};

/* A tree to find an entry in, and a list of all. */
struct sr_ldap_dn_index {
    void *root;
    struct node *first;
    size_t count;
};

static int
compare(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->dn, ((const struct node *)b)->dn);
}

static void
free_node(void *data)
{
    struct node *node = data;

    sr_string_list_free(&node->names);
    free(node->dn);
    free(node);
}

struct sr_ldap_dn_index *
sr_ldap_dn_index_new(void)
{
    return calloc(1, sizeof(struct sr_ldap_dn_index));
}

void
sr_ldap_dn_index_free(struct sr_ldap_dn_index *known)
{
    if (known == NULL)
        return;
    tdestroy(known->root, free_node);
    free(known);
}

size_t
sr_ldap_dn_index_count(const struct sr_ldap_dn_index *known)
{
    return known->count;
}

void
sr_ldap_dn_index_begin(struct sr_ldap_dn_index *known)
{
    for (struct node *node = known->first; node != NULL; node = node->next)
        node->is_seen = false;
}

/* The entry of a DN, which is made where there is none. */
static struct node *
find_or_make(struct sr_ldap_dn_index *known, const char *dn, bool *is_new)
{
    struct node *node = calloc(1, sizeof(*node));
    struct node **found = NULL;

    if (node != NULL)
        node->dn = strdup(dn);
    if (node != NULL && node->dn != NULL)
        found = tsearch(node, &known->root, compare);
    *is_new = found != NULL && *found == node;
    if (!*is_new) {
        if (node != NULL)
            free(node->dn);
        free(node);
        return found == NULL ? NULL : *found;
    }
    node->next = known->first;
    if (node->next != NULL)
        node->next->previous = node;
    known->first = node;
    known->count++;
    return node;
}

int
sr_ldap_dn_index_see(struct sr_ldap_dn_index *known, const char *dn,
                     struct sr_string_list *names, uint64_t content,
                     struct sr_ldap_seen *seen)
{
    struct node *node;

    memset(seen, 0, sizeof(*seen));
    node = find_or_make(known, dn, &seen->is_new);
    if (node == NULL)
        return -1;
    seen->is_same = content == 0 || content == node->content;
    seen->old = node->names;
    if (content != 0)
        node->content = content;
    node->names = *names;
    node->is_seen = true;
    memset(names, 0, sizeof(*names));
    return 0;
}

bool
sr_ldap_dn_index_take_unseen(struct sr_ldap_dn_index *known,
                             struct sr_string_list *old)
{
    struct node *node = known->first;

    memset(old, 0, sizeof(*old));
    while (node != NULL && node->is_seen)
        node = node->next;
    if (node == NULL)
        return false;
    tdelete(node, &known->root, compare);
    if (node->next != NULL)
        node->next->previous = node->previous;
    if (node->previous != NULL)
        node->previous->next = node->next;
    else
        known->first = node->next;
    known->count--;
    *old = node->names;
    memset(&node->names, 0, sizeof(node->names));
    free_node(node);
    return true;
}
