/*
 * Builder: makes a snapshot in memory.
 *
 * Entries are first stored in the order in which they are added.  When all are
 * known, the number of buckets is chosen, and each entry is copied into the
 * bucket that its hash chooses.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/publish/builder.h"

/* An entry of a table before its name, and with the name's end. */
#define ENTRY_HEAD 2

/* Buckets are filled to three fifths on the average, so that few overflow. */
#ifndef BUCKET_FILL
#define BUCKET_FILL (SR_SNAPSHOT_BUCKET * 3 / 5)
#endif

/* How often the buckets are doubled when a chain gets too long. */
#define TRIES 10

struct sr_builder *
sr_builder_new(const struct sr_publish_how *how)
{
    struct sr_builder *build = calloc(1, sizeof(*build));

    if (build == NULL)
        return NULL;
    build->how = *how;
    build->since = how->now;
    build->uptime_since = how->uptime;
    return build;
}

void
sr_builder_set_since(struct sr_builder *build, sr_time since, int64_t uptime)
{
    build->since = since;
    build->uptime_since = uptime;
}

void
sr_builder_free(struct sr_builder *build)
{
    if (build == NULL)
        return;
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++)
        free(build->table[view].bytes);
    sr_string_list_free(&build->exempt);
    free(build);
}

uint32_t
sr_builder_count(const struct sr_builder *build, enum sr_view view)
{
    return build->table[view].count -
           (view == SR_VIEW_GROUPS ? build->aliases : 0);
}

/* ---- accounts */

/* Make room for one more entry of `size` bytes. */
static uint8_t *
reserve(struct sr_table *table, size_t size)
{
    size_t capacity = table->capacity;
    uint8_t *grown;

    if (capacity - table->used >= size)
        return table->bytes + table->used;
    capacity = capacity == 0 ? 65536 : capacity * 2;
    grown = realloc(table->bytes, capacity);
    if (grown == NULL)
        return NULL;
    table->bytes = grown;
    table->capacity = capacity;
    return grown + table->used;
}

static int
add_entry(struct sr_table *table, const char *name,
          const struct sr_payload *payload)
{
    const size_t length = strlen(name);
    const size_t size = ENTRY_HEAD + length + 1 + payload->size;
    uint8_t *at = table->count < UINT32_MAX ? reserve(table, size) : NULL;

    if (at == NULL)
        return ENOMEM;
    at[0] = (uint8_t)length;
    at[1] = (uint8_t)payload->size;
    memcpy(at + ENTRY_HEAD, name, length + 1);
    memcpy(at + ENTRY_HEAD + length + 1, payload->bytes, payload->size);
    table->used += size;
    table->weight += size - 1;
    table->count++;
    return 0;
}

int
sr_builder_add_alias(struct sr_builder *build, const char *name)
{
    char alias[SR_SNAPSHOT_NAME_MAX + 1];
    struct sr_payload payload;

    sr_payload_of_alias(&payload);
    /* The state of a name without one is unknown in any case. */
    return sr_snapshot_alias(name, alias)
               ? sr_builder_keep(build, SR_VIEW_GROUPS, alias, &payload)
               : 0;
}

int
sr_builder_add_payloads(struct sr_builder *build, const char *name,
                        const struct sr_payload payload[SR_VIEW_COUNT],
                        bool is_exempt)
{
    int error = sr_snapshot_name(name) ? 0 : EINVAL;

    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++) {
        if (payload[view].size > 0)
            error = add_entry(&build->table[view], name, &payload[view]);
    }
    if (error == 0 && payload[SR_VIEW_SHADOW].size > 0)
        error = sr_builder_add_alias(build, name);
    if (error == 0 && is_exempt && strcmp(name, "root") != 0)
        error = sr_string_list_add(&build->exempt, name, strlen(name));
    return error;
}

int
sr_builder_add(struct sr_builder *build, const struct sr_facts *facts,
               const struct sr_rules *rules, bool is_exempt)
{
    struct sr_payload payload[SR_VIEW_COUNT];

    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        payload[view].size = 0;
        if (sr_view_has(view, facts))
            sr_payload_encode(view, facts, rules, is_exempt, &payload[view]);
    }
    return sr_builder_add_payloads(build, facts->name, payload, is_exempt);
}

int
sr_builder_keep(struct sr_builder *build, enum sr_view view, const char *name,
                const struct sr_payload *payload)
{
    const bool is_alias = sr_snapshot_is_alias(name);
    int error;

    if (!is_alias && !sr_snapshot_name(name))
        return EINVAL;
    error = add_entry(&build->table[view], name, payload);
    if (error == 0 && is_alias)
        build->aliases++;
    return error;
}

/* ---- buckets */

static uint8_t *
bucket_at(const struct sr_image *image, uint32_t number)
{
    return image->buckets + (size_t)number * SR_SNAPSHOT_BUCKET;
}

/* Append an empty bucket to a chain. */
static int
append_bucket(struct sr_image *image, uint32_t number, uint32_t *next)
{
    struct sr_header *header = &image->header;
    uint8_t *grown;

    *next = header->buckets + header->overflow;
    if (*next == UINT32_MAX)
        return ENOMEM;
    if (image->size < ((size_t)*next + 1) * SR_SNAPSHOT_BUCKET) {
        const size_t size =
            image->size + image->size / 8 + (size_t)8 * SR_SNAPSHOT_BUCKET;

        grown = realloc(image->buckets, size);
        if (grown == NULL)
            return ENOMEM;
        image->buckets = grown;
        image->size = size;
    }
    header->overflow++;
    sr_bucket_clear(bucket_at(image, *next));
    /* This bucket stores the number of the next one. */
    sr_bucket_seal(header, number, *next, bucket_at(image, number));
    return 0;
}

/* Whether the name is in this bucket or one behind it in the chain. */
static bool
is_in_chain(const struct sr_image *image, uint32_t number, const char *name)
{
    size_t size;

    do {
        if (sr_bucket_find(bucket_at(image, number), name, &size) != NULL)
            return true;
        number = sr_bucket_next(bucket_at(image, number));
    } while (number != 0);
    return false;
}

/* Copy one entry into the first bucket of its chain that has room.  Returns
 * EAGAIN when the chain would become too long. */
static int
place_entry(struct sr_image *image, uint32_t number, const char *name,
            const struct sr_payload *payload)
{
    if (is_in_chain(image, number, name))
        return 0;
    for (unsigned step = 1;; step++) {
        uint32_t next;
        int error = 0;

        if (sr_bucket_add(bucket_at(image, number), name, payload)) {
            if (!sr_snapshot_is_alias(name))
                image->header.count++;
            return 0;
        }
        next = sr_bucket_next(bucket_at(image, number));
        if (next == 0 && step == SR_SNAPSHOT_WALK)
            return EAGAIN;
        if (next == 0)
            error = append_bucket(image, number, &next);
        if (error != 0)
            return error;
        number = next;
    }
}

static int
place_all(const struct sr_table *table, struct sr_image *image,
          const uint32_t *number)
{
    const uint8_t *at = table->bytes;
    struct sr_payload payload;

    for (uint32_t i = 0; i < table->count; i++) {
        const char *name = (const char *)at + ENTRY_HEAD;
        int error;

        /* The buckets are in no order: prefetch some. */
        if (i + 8 < table->count)
            __builtin_prefetch(bucket_at(image, number[i + 8]), 1);
        payload.size = at[1];
        memcpy(payload.bytes, name + at[0] + 1, payload.size);
        error = place_entry(image, number[i], name, &payload);
        if (error != 0)
            return error;
        at += ENTRY_HEAD + (size_t)at[0] + 1 + at[1];
    }
    return 0;
}

static void
choose_all(const struct sr_table *table, const struct sr_header *header,
           uint32_t *number)
{
    const uint8_t *at = table->bytes;

    for (uint32_t i = 0; i < table->count; i++) {
        number[i] = sr_bucket_choose(header, (const char *)at + ENTRY_HEAD);
        at += ENTRY_HEAD + (size_t)at[0] + 1 + at[1];
    }
}

static int
draw_key(uint8_t key[16])
{
    ssize_t got;

    do
        got = getrandom(key, 16, 0);
    while (got < 0 && errno == EINTR);
    return got == 16 ? 0 : EIO;
}

/* Lay out a table with a number of buckets. */
static int
lay_out(const struct sr_table *table, uint32_t buckets, struct sr_image *image,
        uint32_t *number)
{
    struct sr_header *header = &image->header;
    int error = draw_key(header->key);

    header->buckets = buckets;
    header->overflow = 0;
    header->count = 0;
    image->size = (size_t)buckets * SR_SNAPSHOT_BUCKET;
    image->buckets = error == 0 ? malloc(image->size) : NULL;
    if (image->buckets == NULL)
        return error != 0 ? error : ENOMEM;
    for (uint32_t i = 0; i < buckets; i++)
        sr_bucket_clear(bucket_at(image, i));
    choose_all(table, header, number);
    error = place_all(table, image, number);
    if (error != 0)
        return error;
    image->size = ((size_t)buckets + header->overflow) * SR_SNAPSHOT_BUCKET;
    for (uint32_t i = 0; i < buckets + header->overflow; i++)
        sr_bucket_seal(header, i, sr_bucket_next(bucket_at(image, i)),
                       bucket_at(image, i));
    return 0;
}

int
sr_builder_lay_out(const struct sr_builder *build, enum sr_view view,
                   struct sr_image *image)
{
    const struct sr_table *table = &build->table[view];
    uint64_t buckets = table->weight / BUCKET_FILL + 1;
    uint32_t *number = calloc(table->count + UINT64_C(1), sizeof(*number));
    int error = number == NULL ? ENOMEM : EAGAIN;

    memset(image, 0, sizeof(*image));
    image->header.sequence = build->how.sequence;
    image->header.created = build->since;
    image->header.not_after = build->how.now + build->how.max_age;
    image->header.is_listed = build->how.is_listed;
    image->header.is_partial = build->is_partial;
    image->uptime = (struct sr_uptime){build->how.boot, build->uptime_since,
                                       build->how.uptime + build->how.max_age};
    memcpy(image->header.gid, build->how.gid, sizeof(image->header.gid));
    for (unsigned i = 0; error == EAGAIN && i < TRIES; i++, buckets *= 2) {
        sr_image_free(image);
        error = buckets <= UINT32_MAX / 2
                    ? lay_out(table, (uint32_t)buckets, image, number)
                    : ENOMEM;
    }
    free(number);
    if (error != 0)
        sr_image_free(image);
    return -error;
}

void
sr_image_free(struct sr_image *image)
{
    free(image->buckets);
    image->buckets = NULL;
}
