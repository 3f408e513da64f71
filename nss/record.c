/*
 * Record: one account as a reading of its backend found it.
 *
 * Both processes run the same program, so numbers and structures are copied as
 * they are.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "nss/record.h"

/* In front of each: what follows, and how long each part is. */
struct head {
    uint16_t size; /* of everything */
    uint8_t kind;
    uint8_t is_renamed;
    uint8_t is_exempt;
    uint8_t is_counted;
    uint8_t name_size; /* without its end */
    uint8_t other_size;
    uint8_t payload_size[SR_VIEW_COUNT];
};

_Static_assert(sizeof(struct head) + sizeof(struct record) <= RECORD_ROOM &&
                   sizeof(struct head) + sizeof(struct reading_result) <=
                       RECORD_ROOM,
               "everything has room");

static uint8_t *
put(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static const uint8_t *
take(const uint8_t *at, void *bytes, size_t size)
{
    memcpy(bytes, at, size);
    return at + size;
}

size_t
record_encode(const struct record *record, uint8_t bytes[RECORD_ROOM])
{
    struct head head = {.kind = RECORD_ACCOUNT,
                        .is_renamed = record->is_renamed,
                        .is_exempt = record->is_exempt,
                        .is_counted = record->is_counted,
                        .name_size = (uint8_t)strlen(record->name),
                        .other_size = (uint8_t)strlen(record->other)};
    uint8_t *at = bytes + sizeof(head);

    at = put(at, record->name, head.name_size);
    at = put(at, record->other, head.other_size);
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        head.payload_size[view] = (uint8_t)record->payload[view].size;
        at = put(at, record->payload[view].bytes, record->payload[view].size);
    }
    if (record->is_counted) {
        at = put(at, record->account, sizeof(record->account));
        at = put(at, &record->limits, sizeof(record->limits));
        at = put(at, record->until, sizeof(record->until));
    }
    head.size = (uint16_t)(at - bytes);
    memcpy(bytes, &head, sizeof(head));
    return head.size;
}

size_t
record_encode_result(const struct reading_result *result,
                     uint8_t bytes[RECORD_ROOM])
{
    const struct head head = {
        .kind = RECORD_RESULT,
        .size = (uint16_t)(sizeof(struct head) + sizeof(*result))};

    put(put(bytes, &head, sizeof(head)), result, sizeof(*result));
    return head.size;
}

static void
decode_account(const struct head *head, const uint8_t *at,
               struct record *record)
{
    memset(record, 0, sizeof(*record));
    record->is_renamed = head->is_renamed != 0;
    record->is_exempt = head->is_exempt != 0;
    record->is_counted = head->is_counted != 0;
    at = take(at, record->name, head->name_size);
    at = take(at, record->other, head->other_size);
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        record->payload[view].size = head->payload_size[view];
        at = take(at, record->payload[view].bytes, head->payload_size[view]);
    }
    if (record->is_counted) {
        at = take(at, record->account, sizeof(record->account));
        at = take(at, &record->limits, sizeof(record->limits));
        take(at, record->until, sizeof(record->until));
    }
}

enum record_kind
record_decode(const uint8_t *bytes, size_t size, size_t *used,
              struct record *record, struct reading_result *result)
{
    struct head head;

    if (size < sizeof(head))
        return RECORD_NONE;
    memcpy(&head, bytes, sizeof(head));
    if (size < head.size)
        return RECORD_NONE;
    *used = head.size;
    if (head.kind == RECORD_ACCOUNT)
        decode_account(&head, bytes + sizeof(head), record);
    else
        memcpy(result, bytes + sizeof(head), sizeof(*result));
    return (enum record_kind)head.kind;
}
