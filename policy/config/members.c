/*
 * Members: whether accounts are in groups, for very many accounts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/account_rules.h"
#include "policy/config/members.h"

#define BUFFER_MAX ((size_t)16 << 20) /* a group with a million members */

/* A group; its members are sorted by name. */
struct entry {
    char *name;
    enum sr_tri exists; /* unknown: it could not be looked up */
    gid_t gid;
    char *bytes; /* what the names point into */
    char **member;
    size_t count;
};

struct sr_members {
    const struct sr_config *config;
    const char *service;
    struct entry *item;
    size_t count;
};

struct sr_members *
sr_members_new(const struct sr_config *config, const char *service)
{
    struct sr_members *members = calloc(1, sizeof(*members));

    if (members != NULL) {
        members->config = config;
        members->service = service;
    }
    return members;
}

void
sr_members_free(struct sr_members *members)
{
    if (members == NULL)
        return;
    for (size_t i = 0; i < members->count; i++) {
        free(members->item[i].name);
        free(members->item[i].bytes);
        free(members->item[i].member);
    }
    free(members->item);
    free(members);
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Copy and sort the members of a group that was found. */
static int
copy_members(struct entry *entry, const struct group *group)
{
    while (group->gr_mem[entry->count] != NULL)
        entry->count++;
    entry->member = calloc(entry->count + 1, sizeof(*entry->member));
    if (entry->member == NULL)
        return ENOMEM;
    memcpy(entry->member, group->gr_mem, entry->count * sizeof(*entry->member));
    qsort(entry->member, entry->count, sizeof(*entry->member), compare);
    entry->gid = group->gr_gid;
    return 0;
}

static void
look_up(struct entry *entry)
{
    struct group group, *found = NULL;
    int error = ERANGE;

    for (size_t size = 4096; error == ERANGE && size <= BUFFER_MAX; size *= 4) {
        free(entry->bytes);
        entry->bytes = malloc(size);
        error = entry->bytes == NULL ? ENOMEM
                                     : getgrnam_r(entry->name, &group,
                                                  entry->bytes, size, &found);
    }
    if (found != NULL && copy_members(entry, &group) == 0)
        entry->exists = SR_YES;
    else if (found == NULL && (error == 0 || error == ENOENT || error == ESRCH))
        entry->exists = SR_NO;
}

/* The entry of a group, which is looked up once.  NULL: out of memory. */
static const struct entry *
find_group(struct sr_members *members, const char *name)
{
    struct entry *grown;

    for (size_t i = 0; i < members->count; i++) {
        if (strcmp(members->item[i].name, name) == 0)
            return &members->item[i];
    }
    grown =
        realloc(members->item, (members->count + 1) * sizeof(*members->item));
    if (grown == NULL)
        return NULL;
    members->item = grown;
    grown += members->count;
    memset(grown, 0, sizeof(*grown));
    grown->name = strdup(name);
    if (grown->name == NULL)
        return NULL;
    members->count++;
    look_up(grown);
    return grown;
}

int
sr_members_is_member(void *context, const char *user, const char *group)
{
    const struct sr_members_ask *ask = context;
    const struct entry *entry = find_group(ask->members, group);

    if (entry == NULL || entry->exists == SR_UNKNOWN)
        return SR_UNKNOWN;
    if (entry->exists == SR_NO)
        return SR_NO;
    if (entry->gid == ask->primary ||
        bsearch(&user, entry->member, entry->count, sizeof(*entry->member),
                compare) != NULL)
        return SR_YES;
    return SR_NO;
}

int
sr_members_rules(void *members, const char *name, gid_t group,
                 struct sr_rules *rules)
{
    struct sr_members_ask ask = {members, group};
    const struct sr_member member = {name, sr_members_is_member, &ask};

    return sr_config_rules(ask.members->config, &member, ask.members->service,
                           rules);
}
