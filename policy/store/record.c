/*
 * Record: the bytes of each thing that the store keeps.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/util/siphash.h"
#include "policy/store/record.h"

#define CHECKSUM_SIZE 8
#define HISTORY_SIZE                                                           \
    (1 + SR_HISTORY_GROUPS *                                                   \
             (1 + (SR_HISTORY_SALT_SIZE - 1) + 1 + SR_HISTORY_MAX * (4 + 8)))

_Static_assert(1 + HISTORY_SIZE + CHECKSUM_SIZE <= SR_RECORD_MAX,
               "the longest record has room");

/* ---- keys */

struct sr_record_key
sr_record_key(enum sr_record_kind kind, uint32_t id, unsigned class)
{
    struct sr_record_key key = {{(uint8_t)kind}, 1};

    if (kind == SR_RECORD_HEAD)
        return key;
    for (int shift = 24; shift >= 0; shift -= 8)
        key.bytes[key.size++] = (uint8_t)(id >> shift);
    if (kind == SR_RECORD_ACCOUNT)
        key.bytes[key.size++] = (uint8_t) class;
    return key;
}

struct sr_record_key
sr_record_ledger_key(const struct sr_ledger_key *key)
{
    enum sr_record_kind kind = SR_RECORD_ACCOUNT;

    if (key->kind == SR_LEDGER_NAME)
        kind = SR_RECORD_NAME;
    else if (key->kind == SR_LEDGER_SOURCE)
        kind = SR_RECORD_SOURCE;
    return sr_record_key(kind, key->id, (unsigned)key->class);
}

/* ---- writing */

static void
put_bytes(struct sr_record *record, const void *bytes, size_t size)
{
    memcpy(record->bytes + record->size, bytes, size);
    record->size += size;
}

static void
put_number(struct sr_record *record, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        record->bytes[record->size++] = (uint8_t)(number >> (8 * i));
}

static void
put_time(struct sr_record *record, sr_time when)
{
    put_number(record, (uint64_t)when, 8);
}

/* A text with its length before it. */
static void
put_text(struct sr_record *record, const char *text, size_t room)
{
    const size_t size = strnlen(text, room - 1);

    put_number(record, size, 1);
    put_bytes(record, text, size);
}

static uint64_t
checksum(const struct sr_record_key *key, const void *bytes, size_t size)
{
    static const uint8_t ours[16] = "selfreset record";
    uint8_t mixed[16];

    memcpy(mixed, ours, sizeof(mixed));
    for (size_t i = 0; i < key->size; i++)
        mixed[i] ^= key->bytes[i];
    mixed[15] ^= (uint8_t)key->size;
    return sr_siphash(mixed, bytes, size);
}

static void
start(struct sr_record *record)
{
    record->size = 0;
    put_number(record, SR_RECORD_VERSION, 1);
}

void
sr_record_sum(struct sr_record *record, const struct sr_record_key *key)
{
    put_number(record, checksum(key, record->bytes, record->size),
               CHECKSUM_SIZE);
}

/* ---- reading */

struct reader {
    const uint8_t *at;
    size_t left;
    bool is_short;
};

static void
take_bytes(struct reader *reader, void *bytes, size_t size)
{
    if (size > reader->left) {
        reader->is_short = true;
        memset(bytes, 0, size);
        return;
    }
    memcpy(bytes, reader->at, size);
    reader->at += size;
    reader->left -= size;
}

static uint64_t
take_number(struct reader *reader, size_t size)
{
    uint8_t bytes[8] = {0};
    uint64_t number = 0;

    take_bytes(reader, bytes, size);
    for (size_t i = size; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return number;
}

static sr_time
take_time(struct reader *reader)
{
    return (sr_time)take_number(reader, 8);
}

static void
take_text(struct reader *reader, char *text, size_t room)
{
    const size_t size = (size_t)take_number(reader, 1);

    if (size >= room) {
        reader->is_short = true;
        return;
    }
    take_bytes(reader, text, size);
    text[size] = '\0';
}

/* Check version and checksum, and stand before the payload. */
static enum sr_store_result
open_record(struct reader *reader, const struct sr_record_key *key,
            const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    struct reader sum;

    if (size < 1 + CHECKSUM_SIZE || size > SR_RECORD_MAX)
        return SR_STORE_DAMAGED;
    /* A newer format may have another checksum, so its number comes first. */
    if (at[0] > SR_RECORD_VERSION)
        return SR_STORE_VERSION;
    sum = (struct reader){at + size - CHECKSUM_SIZE, CHECKSUM_SIZE, false};
    if (at[0] != SR_RECORD_VERSION ||
        take_number(&sum, CHECKSUM_SIZE) !=
            checksum(key, bytes, size - CHECKSUM_SIZE))
        return SR_STORE_DAMAGED;
    *reader = (struct reader){at + 1, size - 1 - CHECKSUM_SIZE, false};
    return SR_STORE_OK;
}

/* Every byte must have been wanted, and every wanted byte been there. */
static enum sr_store_result
close_record(const struct reader *reader)
{
    return reader->is_short || reader->left != 0 ? SR_STORE_DAMAGED
                                                 : SR_STORE_OK;
}

/* ---- the kinds */

void
sr_record_put_head(struct sr_record *record, const struct sr_record_key *key,
                   const struct sr_head *head)
{
    start(record);
    put_bytes(record, head->hash_key, sizeof(head->hash_key));
    put_bytes(record, head->clock.boot_id, sizeof(head->clock.boot_id));
    put_time(record, head->clock.offset);
    put_time(record, head->clock.latest);
    sr_record_sum(record, key);
}

enum sr_store_result
sr_record_get_head(const struct sr_record_key *key, const void *bytes,
                   size_t size, struct sr_head *head)
{
    enum sr_store_result result;
    struct reader reader;

    memset(head, 0, sizeof(*head));
    result = open_record(&reader, key, bytes, size);
    if (result != SR_STORE_OK)
        return result;
    take_bytes(&reader, head->hash_key, sizeof(head->hash_key));
    take_bytes(&reader, head->clock.boot_id, sizeof(head->clock.boot_id));
    head->clock.offset = take_time(&reader);
    head->clock.latest = take_time(&reader);
    result = close_record(&reader);
    if (result != SR_STORE_OK)
        memset(head, 0, sizeof(*head));
    return result;
}

/* Failures are kept as the seconds before the last of them: half the room. */
void
sr_record_put_ledger(struct sr_record *record, const struct sr_record_key *key,
                     const struct sr_ledger *ledger)
{
    sr_time last = 0;
    uint64_t mask = 0;

    for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
        if (ledger->failed_at[slot] > last)
            last = ledger->failed_at[slot];
    }
    for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
        const sr_time at = ledger->failed_at[slot];

        if (at > 0 && last - at <= UINT32_MAX) /* else older than 136 years */
            mask |= (uint64_t)1 << slot;
    }
    start(record);
    put_number(record, ledger->level, 4);
    put_time(record, ledger->locked_until);
    put_time(record, last);
    put_number(record, mask, 8);
    for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
        if ((mask >> slot & 1) != 0)
            put_number(record, (uint64_t)(last - ledger->failed_at[slot]), 4);
    }
    sr_record_sum(record, key);
}

enum sr_store_result
sr_record_get_ledger(const struct sr_record_key *key, const void *bytes,
                     size_t size, struct sr_ledger *ledger)
{
    enum sr_store_result result;
    struct reader reader;
    uint64_t mask;
    sr_time last;

    sr_ledger_init(ledger);
    result = open_record(&reader, key, bytes, size);
    if (result != SR_STORE_OK)
        return result;
    ledger->level = (uint32_t)take_number(&reader, 4);
    ledger->locked_until = take_time(&reader);
    last = take_time(&reader);
    mask = take_number(&reader, 8);
    for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
        sr_time before;

        if ((mask >> slot & 1) == 0)
            continue;
        before = (sr_time)take_number(&reader, 4);
        if (last <= before) /* 0 would be a free slot */
            reader.is_short = true;
        else
            ledger->failed_at[slot] = last - before;
    }
    result = close_record(&reader);
    if (ledger->locked_until < 0)
        result = SR_STORE_DAMAGED;
    if (result != SR_STORE_OK)
        sr_ledger_init(ledger);
    return result;
}

void
sr_record_put_memory(struct sr_record *record, const struct sr_record_key *key,
                     const struct sr_memory *memory)
{
    start(record);
    put_number(record, memory->failed, 4);
    put_time(record, memory->failed_last);
    put_text(record, memory->failed_from, sizeof(memory->failed_from));
    for (size_t i = 0; i < SR_FAMILIAR_MAX; i++) {
        if (memory->familiar[i].seen == 0)
            continue;
        put_number(record, memory->familiar[i].source, 8);
        put_time(record, memory->familiar[i].seen);
    }
    sr_record_sum(record, key);
}

enum sr_store_result
sr_record_get_memory(const struct sr_record_key *key, const void *bytes,
                     size_t size, struct sr_memory *memory)
{
    enum sr_store_result result;
    struct reader reader;

    memset(memory, 0, sizeof(*memory));
    result = open_record(&reader, key, bytes, size);
    if (result != SR_STORE_OK)
        return result;
    memory->failed = (uint32_t)take_number(&reader, 4);
    memory->failed_last = take_time(&reader);
    take_text(&reader, memory->failed_from, sizeof(memory->failed_from));
    for (size_t i = 0; i < SR_FAMILIAR_MAX && reader.left > 0; i++) {
        memory->familiar[i].source = take_number(&reader, 8);
        memory->familiar[i].seen = take_time(&reader);
    }
    result = close_record(&reader);
    if (result != SR_STORE_OK)
        memset(memory, 0, sizeof(*memory));
    return result;
}

void
sr_record_put_temporary(struct sr_record *record,
                        const struct sr_record_key *key,
                        const struct sr_temporary *temporary)
{
    start(record);
    put_number(record, temporary->fingerprint, 8);
    put_time(record, temporary->issued);
    put_time(record, temporary->until);
    sr_record_sum(record, key);
}

enum sr_store_result
sr_record_get_temporary(const struct sr_record_key *key, const void *bytes,
                        size_t size, struct sr_temporary *temporary)
{
    enum sr_store_result result;
    struct reader reader;

    memset(temporary, 0, sizeof(*temporary));
    result = open_record(&reader, key, bytes, size);
    if (result != SR_STORE_OK)
        return result;
    temporary->fingerprint = take_number(&reader, 8);
    temporary->issued = take_time(&reader);
    temporary->until = take_time(&reader);
    result = close_record(&reader);
    if (result != SR_STORE_OK)
        memset(temporary, 0, sizeof(*temporary));
    return result;
}

void
sr_record_put_history(struct sr_record *record, const struct sr_record_key *key,
                      const struct sr_history *history)
{
    start(record);
    for (size_t g = 0; g < SR_HISTORY_GROUPS; g++) {
        const struct sr_history_group *group = &history->group[g];
        const uint32_t count =
            group->count < SR_HISTORY_MAX ? group->count : SR_HISTORY_MAX;

        put_text(record, group->salt, sizeof(group->salt));
        put_number(record, count, 1);
        for (uint32_t i = 0; i < count; i++) {
            put_number(record, group->tag[i], 4);
            put_time(record, group->set_at[i]);
        }
    }
    sr_record_sum(record, key);
}

enum sr_store_result
sr_record_get_history(const struct sr_record_key *key, const void *bytes,
                      size_t size, struct sr_history *history)
{
    enum sr_store_result result;
    struct reader reader;

    memset(history, 0, sizeof(*history));
    result = open_record(&reader, key, bytes, size);
    if (result != SR_STORE_OK)
        return result;
    for (size_t g = 0; g < SR_HISTORY_GROUPS; g++) {
        struct sr_history_group *group = &history->group[g];

        take_text(&reader, group->salt, sizeof(group->salt));
        group->count = (uint32_t)take_number(&reader, 1);
        if (group->count > SR_HISTORY_MAX) {
            reader.is_short = true;
            break;
        }
        for (uint32_t i = 0; i < group->count; i++) {
            group->tag[i] = (uint32_t)take_number(&reader, 4);
            group->set_at[i] = take_time(&reader);
        }
    }
    result = close_record(&reader);
    if (result != SR_STORE_OK)
        memset(history, 0, sizeof(*history));
    return result;
}
