/*
 * Build, inside: a snapshot in memory, between the room where it is made and
 * the one where it is put in place.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_BUILDER_H
#define SR_POLICY_PUBLISH_BUILDER_H

#include "policy/publish/format.h"

/* How a snapshot is made and who may read it. */
struct sr_publish_how {
    uint64_t sequence; /* from before the first account was gathered */
    sr_time now;       /* wall clock */
    int64_t max_age;   /* seconds */
    bool is_listed;
    bool is_public;               /* the groups view: 0644 */
    uint32_t gid[SR_GROUP_COUNT]; /* 0: no such group */
    unsigned wait_ms;             /* for the lock, each time */

    /* The file whose owner, group and mode the shadow view gets; NULL:
     * /etc/shadow. */
    const char *like;

    /*
     * Set the access list of an open file or directory of a view, which has its
     * mode already, or take one away that it should not have.  Returns 0 or a
     * negative errno.  NULL: there are none.
     */
    int (*grant)(int fd, enum sr_view view, bool is_dir, bool is_public);
};

/* The accounts of one view, one behind the other: length of the name, size of
 * the payload, name with its end, payload. */
struct sr_table {
    uint8_t *bytes;
    size_t used;
    size_t room;
    uint64_t weight; /* bytes that the entries take in buckets */
    uint32_t count;
};

struct sr_builder {
    struct sr_publish_how how;
    sr_time since; /* of the oldest facts */
    struct sr_table table[SR_VIEW_COUNT];
    struct sr_string_list exempt; /* but for root; owned */
};

/* Begin.  NULL: out of memory. */
struct sr_builder *sr_builder_new(const struct sr_publish_how *how);

/*
 * Add an account: facts->name and facts->backend say where it belongs.  Of two
 * of the same name the first counts.  Returns 0, ENOMEM, or EINVAL for a name
 * that cannot be published.
 */
int sr_builder_add(struct sr_builder *build, const struct sr_facts *facts,
                   const struct sr_rules *rules, bool is_exempt);

/*
 * Add to one view what is published of a name already: for an account whose
 * backend cannot be asked now.  Returns as sr_builder_add().
 */
int sr_builder_keep(struct sr_builder *build, enum sr_view view,
                    const char *name, const struct sr_payload *payload);

/* The time of the oldest facts among those that were kept; without this call,
 * now. */
void sr_builder_set_since(struct sr_builder *build, sr_time since);

/* How many accounts a view has; before the commit, names that were added twice
 * count twice. */
uint32_t sr_builder_count(const struct sr_builder *build, enum sr_view view);

void sr_builder_free(struct sr_builder *build);

/* What is written: the header, and the buckets that follow its page. */
struct sr_image {
    struct sr_header header;
    uint8_t *buckets;
    size_t size;
};

/* Lay a view out, under a key of its own.  Returns 0 or a negative errno. */
int sr_builder_lay_out(const struct sr_builder *build, enum sr_view view,
                       struct sr_image *image);

void sr_image_free(struct sr_image *image);

#endif
