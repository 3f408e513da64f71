/*
 * Fuzz target: the bytes that the store reads back: records of each kind, and
 * the database file that they lie in.
 *
 * The first byte chooses; the rest is the record, or the file.  A record is
 * also given the checksum that it needs, or else nothing would get past that.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/util/crypt.h"
#include "policy/store/pages.h"
#include "policy/store/record.h"

#define PAGE 4096

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A structure that was read must be written back as the same record. */
static void
expect_same(const struct sr_record *record, const void *bytes, size_t size)
{
    if (record->size != size || memcmp(record->bytes, bytes, size) != 0)
        abort();
}

static void
read_record(enum sr_record_kind kind, const void *bytes, size_t size)
{
    const struct sr_record_key key = sr_record_key(kind, 1000, 1);
    union {
        struct sr_head head;
        struct sr_ledger ledger;
        struct sr_memory memory;
        struct sr_temporary temporary;
        struct sr_history history;
    } got;
    struct sr_record record;

    switch (kind) {
    case SR_RECORD_HEAD:
        if (sr_record_get_head(&key, bytes, size, &got.head) != SR_STORE_OK)
            return;
        sr_record_put_head(&record, &key, &got.head);
        expect_same(&record, bytes, size);
        break;
    case SR_RECORD_MEMORY:
        if (sr_record_get_memory(&key, bytes, size, &got.memory) == SR_STORE_OK)
            sr_record_put_memory(&record, &key, &got.memory);
        break;
    case SR_RECORD_TEMPORARY:
        if (sr_record_get_temporary(&key, bytes, size, &got.temporary) !=
            SR_STORE_OK)
            return;
        sr_record_put_temporary(&record, &key, &got.temporary);
        expect_same(&record, bytes, size);
        break;
    case SR_RECORD_HISTORY:
        if (sr_record_get_history(&key, bytes, size, &got.history) ==
            SR_STORE_OK)
            sr_record_put_history(&record, &key, &got.history);
        break;
    default:
        if (sr_record_get_ledger(&key, bytes, size, &got.ledger) == SR_STORE_OK)
            sr_record_put_ledger(&record, &key, &got.ledger);
        break;
    }
}

/* The same bytes with a version and a checksum that are right. */
static void
read_as_ours(enum sr_record_kind kind, const uint8_t *bytes, size_t size)
{
    const struct sr_record_key key = sr_record_key(kind, 1000, 1);
    struct sr_record record;

    if (size + 9 > sizeof(record.bytes))
        return;
    record.bytes[0] = SR_RECORD_VERSION;
    if (size > 0)
        memcpy(record.bytes + 1, bytes, size);
    record.size = size + 1;
    sr_record_sum(&record, &key);
    read_record(kind, record.bytes, record.size);
}

/* Fuzzers find page boundaries badly: two bytes say where the next piece goes
 * in a file of zeros, two how long it is. */
static void
read_pages(const uint8_t *bytes, size_t size)
{
    static uint8_t image[8 * PAGE];

    memset(image, 0, sizeof(image));
    while (size > 4) {
        const size_t at = (bytes[0] | (size_t)bytes[1] << 8) % sizeof(image);
        size_t length = bytes[2] | (size_t)bytes[3] << 8;

        bytes += 4;
        size -= 4;
        if (length > size)
            length = size;
        if (length > sizeof(image) - at)
            length = sizeof(image) - at;
        memcpy(image + at, bytes, length);
        bytes += length;
        size -= length;
    }
    sr_pages_check(image, sizeof(image));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const enum sr_record_kind kinds[] = {
        SR_RECORD_HEAD,      SR_RECORD_ACCOUNT, SR_RECORD_MEMORY,
        SR_RECORD_TEMPORARY, SR_RECORD_HISTORY,
    };
    uint8_t *exact;

    if (size == 0)
        return 0;
    /* A copy of the exact size, so that reading past its end is seen. */
    exact = malloc(size - 1 > 0 ? size - 1 : 1);
    if (exact == NULL)
        return 0;
    memcpy(exact, bytes + 1, size - 1);
    switch (bytes[0] % 8) {
    case 6:
        read_pages(exact, size - 1);
        break;
    case 7:
        sr_pages_check(exact, size - 1);
        break;
    case 5:
        read_record(SR_RECORD_ACCOUNT, exact, size - 1);
        break;
    default:
        read_as_ours(kinds[bytes[0] % 5], exact, size - 1);
        break;
    }
    free(exact);
    return 0;
}
