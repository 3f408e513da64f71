/*
 * Name map: names, each once, with a value.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_NAME_MAP_H
#define SR_POLICY_UTIL_NAME_MAP_H

#include <stdint.h>

/* Zeroed at first. */
struct sr_name_map {
    void *root; /* see tsearch(3) */
};

struct sr_named {
    const char *name; /* the map's copy */
    intptr_t value;   /* -1 until the caller sets it */
};

/* The entry of a name, added where there is none.  NULL: out of memory. */
struct sr_named *sr_name_map_add(struct sr_name_map *map, const char *name);

/* The entry of a name; NULL: there is none. */
struct sr_named *sr_name_map_find(const struct sr_name_map *map,
                                  const char *name);

/* Free all entries. */
void sr_name_map_free(struct sr_name_map *map);

#endif
