/*
 * Builder: makes a snapshot in memory; install.h writes it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_BUILDER_H
#define SR_POLICY_PUBLISH_BUILDER_H

#include "policy/publish/bucket.h"

/* How a snapshot is made and who may read it. */
struct sr_publish_how {
    uint64_t sequence; /* from before the first account was read */
    sr_time now;       /* wall clock */
    int64_t max_age;   /* seconds */
    uint64_t boot;     /* by sr_uptime_read(); 0: the wall clock alone counts */
    int64_t uptime;
    bool is_listed;
    bool is_public;               /* mode 0644 for the groups view */
    uint32_t gid[SR_GROUP_COUNT]; /* 0: no such group */
    unsigned wait_ms;             /* for the lock, each time */

    /* The file whose owner, group and mode the shadow view gets; NULL:
     * /etc/shadow. */
    const char *like;

    /*
     * Set the access list of an open file or directory of a view, whose mode is
     * set already, or remove a list that it should not have.  Returns 0 or a
     * negative errno.  NULL: no access lists are used.
     */
    int (*grant)(int fd, enum sr_view view, bool is_dir, bool is_public);
};

/* The entries of one view, in the order in which they were added: length of the
 * name, size of the payload, name with its end, payload. */
struct sr_table {
    uint8_t *bytes;
    size_t used;
    size_t capacity;
    uint64_t weight; /* bytes that the entries take in buckets */
    uint32_t count;
};

struct sr_builder {
    struct sr_publish_how how;
    sr_time since;        /* of the oldest facts, by the wall clock */
    int64_t uptime_since; /* and by the uptime */
    uint32_t aliases;     /* among the entries of the groups view */
    bool is_partial;      /* for the header */
    struct sr_table table[SR_VIEW_COUNT];
    struct sr_string_list exempt; /* but for root; owned */
};

/* Begin.  NULL: out of memory. */
struct sr_builder *sr_builder_new(const struct sr_publish_how *how);

/*
 * Add the payloads of an account, and for an account of a directory its alias
 * (sr_snapshot_alias()).  payload[SR_VIEW_SHADOW].size is 0 for an account that
 * does not belong to that view.  Of two accounts of the same name the first
 * counts.  Returns 0, ENOMEM, or EINVAL for a name that cannot be published.
 */
int sr_builder_add_payloads(struct sr_builder *build, const char *name,
                            const struct sr_payload payload[SR_VIEW_COUNT],
                            bool is_exempt);

/* Add the alias of another name of an account of a directory.  Returns 0 or
 * ENOMEM. */
int sr_builder_add_alias(struct sr_builder *build, const char *name);

/* The same as the first for facts: facts->name and facts->backend choose name
 * and views. */
int sr_builder_add(struct sr_builder *build, const struct sr_facts *facts,
                   const struct sr_rules *rules, bool is_exempt);

/*
 * Add to one view what is published already of a name, which may be an alias:
 * for an account whose backend cannot be asked now.  Returns the same.
 */
int sr_builder_keep(struct sr_builder *build, enum sr_view view,
                    const char *name, const struct sr_payload *payload);

/* The age of the oldest facts that were added by sr_builder_keep(): by the wall
 * clock and by the uptime.  Without this call they are of now. */
void sr_builder_set_since(struct sr_builder *build, sr_time since,
                          int64_t uptime);

/* How many accounts a view has; before the snapshot is laid out, names that
 * were added twice count twice. */
uint32_t sr_builder_count(const struct sr_builder *build, enum sr_view view);

void sr_builder_free(struct sr_builder *build);

/* A file in memory: the header, and the buckets behind its page. */
struct sr_image {
    struct sr_header header;
    struct sr_uptime uptime;
    uint8_t *buckets;
    size_t size;
};

/* Lay a view out, with a new key.  Returns 0 or a negative errno. */
int sr_builder_lay_out(const struct sr_builder *build, enum sr_view view,
                       struct sr_image *image);

void sr_image_free(struct sr_image *image);

#endif
