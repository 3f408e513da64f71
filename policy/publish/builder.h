/*
 * Build, inside: a snapshot in memory, between the room where it is made and
 * the one where it is put in place.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_BUILDER_H
#define SR_POLICY_PUBLISH_BUILDER_H

#include "policy/publish/writer.h"

/* The accounts of one view, one behind the other: length of the name, size of
 * the payload, name with its end, payload. */
struct sr_table {
    uint8_t *bytes;
    size_t used;
    size_t room;
    uint64_t weight; /* bytes that the entries take in buckets */
    uint32_t count;
};

struct sr_build {
    struct sr_publish_how how;
    sr_time since; /* of the oldest facts */
    struct sr_table table[SR_VIEW_COUNT];
    struct sr_names exempt; /* but for root; owned */
};

/* What is written: the header, and the buckets that follow its page. */
struct sr_image {
    struct sr_header header;
    uint8_t *buckets;
    size_t size;
};

/* Lay a view out, under a key of its own.  Returns 0 or a negative errno. */
int sr_build_lay_out(const struct sr_build *build, enum sr_view view,
                     struct sr_image *image);

void sr_image_free(struct sr_image *image);

#endif
