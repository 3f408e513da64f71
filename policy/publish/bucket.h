/*
 * Bucket: 512 bytes of a snapshot that hold the entries of some accounts.
 * Pure.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_BUCKET_H
#define SR_POLICY_PUBLISH_BUCKET_H

#include "policy/publish/payload.h"

#define SR_SNAPSHOT_WALK 8 /* most buckets of the chain of one name */

/* Offset of the mark in a bucket. */
#define SR_BUCKET_MARK (SR_SNAPSHOT_BUCKET - 1)

/* The number of the first bucket in the chain of a name. */
uint32_t sr_bucket_choose(const struct sr_header *header, const char *name);

/* Where a bucket starts in the file. */
uint64_t sr_bucket_offset(uint32_t number);

/* Make an empty bucket. */
void sr_bucket_clear(uint8_t bucket[SR_SNAPSHOT_BUCKET]);

/* Add an entry.  False when there is no room left; an empty bucket has room for
 * every entry. */
bool sr_bucket_add(uint8_t bucket[SR_SNAPSHOT_BUCKET], const char *name,
                   const struct sr_payload *payload);

/* Store the number of the next bucket of the chain (0: none) and the checksum;
 * `number` is the bucket's own. */
void sr_bucket_seal(const struct sr_header *header, uint32_t number,
                    uint32_t next, uint8_t bucket[SR_SNAPSHOT_BUCKET]);

/* Whether the bucket is the one of that number, whole and undamaged.  The
 * functions below may be called only for a bucket that is. */
bool sr_bucket_check(const struct sr_header *header, uint32_t number,
                     const uint8_t bucket[SR_SNAPSHOT_BUCKET]);

/* The number of the next bucket of the chain, an overflow bucket, or 0. */
uint32_t sr_bucket_next(const uint8_t bucket[SR_SNAPSHOT_BUCKET]);

/* Find a name: its payload within the bucket, and *size; NULL when it is not in
 * this bucket. */
const uint8_t *sr_bucket_find(const uint8_t bucket[SR_SNAPSHOT_BUCKET],
                              const char *name, size_t *size);

/* The entry number `index`: its payload and *size, and its name, which is not
 * ended by a zero byte.  NULL behind the last. */
const uint8_t *sr_bucket_entry(const uint8_t bucket[SR_SNAPSHOT_BUCKET],
                               unsigned index, const char **name,
                               size_t *name_length, size_t *size);

#endif
