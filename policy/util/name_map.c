/*
 * Name map: names, each once, with a value.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "policy/util/name_map.h"

static int
compare(const void *a, const void *b)
{
    return strcmp(((const struct sr_named *)a)->name,
                  ((const struct sr_named *)b)->name);
}

struct sr_named *
sr_name_map_find(const struct sr_name_map *map, const char *name)
{
    const struct sr_named wanted = {.name = name};
    struct sr_named **found = tfind(&wanted, &map->root, compare);

    return found == NULL ? NULL : *found;
}

struct sr_named *
sr_name_map_add(struct sr_name_map *map, const char *name)
{
    const size_t size = strlen(name) + 1;
    struct sr_named *found = sr_name_map_find(map, name), *made;

    if (found != NULL)
        return found;
    made = malloc(sizeof(*made) + size);
    if (made == NULL)
        return NULL;
    made->name = memcpy(made + 1, name, size);
    made->value = -1;
    if (tsearch(made, &map->root, compare) != NULL)
        return made;
    free(made);
    return NULL;
}

void
sr_name_map_free(struct sr_name_map *map)
{
    tdestroy(map->root, free);
    map->root = NULL;
}
