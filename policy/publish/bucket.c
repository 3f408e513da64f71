/*
 * Bucket: 512 bytes of a snapshot that hold the entries of some accounts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/publish/bucket.h"
#include "policy/util/bytes.h"
#include "policy/util/siphash.h"

/* Sum, number, next, bytes used; then entries; then the mark.  An entry: length
 * of the name, size of the payload, name, payload. */

enum {
    BUCKET_SUM = 0,
    BUCKET_NUMBER = 8,
    BUCKET_NEXT = 12,
    BUCKET_USED = 16,
    BUCKET_ENTRIES = 18
};

#define ENTRY_HEAD 2

_Static_assert(BUCKET_ENTRIES + ENTRY_HEAD + SR_SNAPSHOT_NAME_MAX +
                       SR_PAYLOAD_MAX <=
                   SR_BUCKET_MARK,
               "the longest entry has room in an empty bucket");

uint32_t
sr_bucket_choose(const struct sr_header *header, const char *name)
{
    uint64_t hash = sr_siphash(header->key, name, strlen(name));

    /* The upper half, scaled: as even as the remainder, without a division. */
    return (uint32_t)((hash >> 32) * header->buckets >> 32);
}

uint64_t
sr_bucket_offset(uint32_t number)
{
    return SR_SNAPSHOT_PAGE + (uint64_t)number * SR_SNAPSHOT_BUCKET;
}

void
sr_bucket_clear(uint8_t bucket[SR_SNAPSHOT_BUCKET])
{
    memset(bucket, 0, SR_SNAPSHOT_BUCKET);
    sr_put16(bucket + BUCKET_USED, BUCKET_ENTRIES);
}

bool
sr_bucket_add(uint8_t bucket[SR_SNAPSHOT_BUCKET], const char *name,
              const struct sr_payload *payload)
{
    const size_t length = strlen(name);
    const size_t used = sr_get16(bucket + BUCKET_USED);
    const size_t end = used + ENTRY_HEAD + length + payload->size;
    uint8_t *at = bucket + used;

    /* The length is stored in one byte. */
    if (length > SR_SNAPSHOT_NAME_MAX || end > SR_BUCKET_MARK)
        return false;
    at[0] = (uint8_t)length;
    at[1] = (uint8_t)payload->size;
    memcpy(at + ENTRY_HEAD, name, length);
    memcpy(at + ENTRY_HEAD + length, payload->bytes, payload->size);
    sr_put16(bucket + BUCKET_USED, (uint16_t)end);
    return true;
}

static uint64_t
bucket_sum(const struct sr_header *header, const uint8_t *bucket)
{
    return sr_siphash(header->key, bucket + BUCKET_NUMBER,
                      SR_BUCKET_MARK - BUCKET_NUMBER);
}

void
sr_bucket_seal(const struct sr_header *header, uint32_t number, uint32_t next,
               uint8_t bucket[SR_SNAPSHOT_BUCKET])
{
    sr_put32(bucket + BUCKET_NUMBER, number);
    sr_put32(bucket + BUCKET_NEXT, next);
    sr_put64(bucket + BUCKET_SUM, bucket_sum(header, bucket));
}

bool
sr_bucket_check(const struct sr_header *header, uint32_t number,
                const uint8_t bucket[SR_SNAPSHOT_BUCKET])
{
    const size_t used = sr_get16(bucket + BUCKET_USED);
    const uint32_t next = sr_bucket_next(bucket);

    return sr_get64(bucket + BUCKET_SUM) == bucket_sum(header, bucket) &&
           sr_get32(bucket + BUCKET_NUMBER) == number &&
           used >= BUCKET_ENTRIES && used <= SR_BUCKET_MARK &&
           (next == 0 || (next >= header->buckets &&
                          next - header->buckets < header->overflow));
}

uint32_t
sr_bucket_next(const uint8_t bucket[SR_SNAPSHOT_BUCKET])
{
    return sr_get32(bucket + BUCKET_NEXT);
}

/* Whether a whole entry starts at `at`, within the bytes used. */
static bool
has_entry(const uint8_t *bucket, size_t at)
{
    const size_t used = sr_get16(bucket + BUCKET_USED);

    return used - at >= ENTRY_HEAD &&
           used - at - ENTRY_HEAD >= (size_t)bucket[at] + bucket[at + 1];
}

static size_t
entry_size(const uint8_t *entry)
{
    return ENTRY_HEAD + (size_t)entry[0] + entry[1];
}

const uint8_t *
sr_bucket_find(const uint8_t bucket[SR_SNAPSHOT_BUCKET], const char *name,
               size_t *size)
{
    const size_t length = strlen(name);

    for (size_t at = BUCKET_ENTRIES; has_entry(bucket, at);
         at += entry_size(bucket + at)) {
        const uint8_t *entry = bucket + at;

        if (entry[0] == length &&
            memcmp(entry + ENTRY_HEAD, name, length) == 0) {
            *size = entry[1];
            return entry + ENTRY_HEAD + length;
        }
    }
    return NULL;
}

const uint8_t *
sr_bucket_entry(const uint8_t bucket[SR_SNAPSHOT_BUCKET], unsigned index,
                const char **name, size_t *name_length, size_t *size)
{
    size_t at = BUCKET_ENTRIES;

    for (; has_entry(bucket, at); at += entry_size(bucket + at)) {
        const uint8_t *entry = bucket + at;

        if (index-- > 0)
            continue;
        *name = (const char *)entry + ENTRY_HEAD;
        *name_length = entry[0];
        *size = entry[1];
        return entry + ENTRY_HEAD + entry[0];
    }
    return NULL;
}
