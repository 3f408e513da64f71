/*
 * Record: the bytes of each thing that the store keeps.  Pure: bytes in,
 * structure out, and back.
 *
 * A record is: format version, payload, checksum.  Numbers are little-endian.
 * The checksum covers the key too, so that a record found under another key
 * does not pass.  It finds damage; against forgery there is the file's mode.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_STORE_RECORD_H
#define SR_POLICY_STORE_RECORD_H

#include "policy/store/store.h"

#define SR_RECORD_VERSION 1
/* Room for the longest record, a full history; the longest value that LMDB
 * keeps inside a page of 4096 bytes is longer. */
#define SR_RECORD_MAX 1960

enum sr_record_kind {
    SR_RECORD_HEAD = 'H',        /* one for the store */
    SR_RECORD_ACCOUNT = 'a',     /* ledger: uid, class */
    SR_RECORD_NAME = 'n',        /* ledger: bucket */
    SR_RECORD_SOURCE = 's',      /* ledger: bucket */
    SR_RECORD_MEMORY = 'm',      /* uid */
    SR_RECORD_NAME_MEMORY = 'w', /* bucket */
    SR_RECORD_TEMPORARY = 't',   /* uid */
    SR_RECORD_HISTORY = 'h',     /* uid */
};

struct sr_record_key {
    uint8_t bytes[6]; /* kind, id (big-endian), class */
    size_t size;
};

struct sr_record {
    uint8_t bytes[SR_RECORD_MAX];
    size_t size;
};

/* What the store keeps of itself. */
struct sr_head {
    uint8_t hash_key[16];
    struct sr_clock clock;
};

/* The key of a record; `id` and `class` as the kind needs them, else 0. */
struct sr_record_key sr_record_key(enum sr_record_kind kind, uint32_t id,
                                   unsigned class);

/* The key of a ledger's record. */
struct sr_record_key sr_record_ledger_key(const struct sr_ledger_key *key);

/* Add the checksum after a record's bytes, as each put below does. */
void sr_record_sum(struct sr_record *record, const struct sr_record_key *key);

/*
 * Each pair writes and reads one kind.  Reading answers SR_STORE_OK,
 * SR_STORE_DAMAGED or SR_STORE_VERSION, and leaves the structure empty on the
 * last two.
 */
void sr_record_put_head(struct sr_record *record,
                        const struct sr_record_key *key,
                        const struct sr_head *head);
enum sr_store_result sr_record_get_head(const struct sr_record_key *key,
                                        const void *bytes, size_t size,
                                        struct sr_head *head);
void sr_record_put_ledger(struct sr_record *record,
                          const struct sr_record_key *key,
                          const struct sr_ledger *ledger);
enum sr_store_result sr_record_get_ledger(const struct sr_record_key *key,
                                          const void *bytes, size_t size,
                                          struct sr_ledger *ledger);
void sr_record_put_memory(struct sr_record *record,
                          const struct sr_record_key *key,
                          const struct sr_memory *memory);
enum sr_store_result sr_record_get_memory(const struct sr_record_key *key,
                                          const void *bytes, size_t size,
                                          struct sr_memory *memory);
void sr_record_put_temporary(struct sr_record *record,
                             const struct sr_record_key *key,
                             const struct sr_temporary *temporary);
enum sr_store_result sr_record_get_temporary(const struct sr_record_key *key,
                                             const void *bytes, size_t size,
                                             struct sr_temporary *temporary);
void sr_record_put_history(struct sr_record *record,
                           const struct sr_record_key *key,
                           const struct sr_history *history);
enum sr_store_result sr_record_get_history(const struct sr_record_key *key,
                                           const void *bytes, size_t size,
                                           struct sr_history *history);

#endif
