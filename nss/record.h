/*
 * Record: one account as a reading of its backend found it, and the result of
 * the reading, as bytes that one process sends to another.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_RECORD_H
#define SR_NSS_RECORD_H

#include "policy/decide/throttle.h"
#include "policy/publish/payload.h"
#include "policy/util/error.h"

struct record {
    char name[SR_NAME_MAX + 1];  /* that it is published under */
    char other[SR_NAME_MAX + 1]; /* its other name here; empty: none is known */
    bool is_renamed; /* by the name service; the other name is the account's */
    bool is_exempt;
    struct sr_payload payload[SR_VIEW_COUNT]; /* size 0: not in this view */

    /* What the shared ledger said of it, if there is one. */
    bool is_counted;
    char account[SR_NAME_MAX + 1]; /* the name that its ledger is kept under */
    struct sr_limits limits;
    sr_time until[2];
};

/* How a reading ended. */
enum reading_end {
    READING_DONE,
    READING_AWAY,   /* the backend could not be asked; records may be missing */
    READING_FAILED, /* nothing may be published */
};

struct reading_result {
    enum reading_end end;
    uint32_t unknown;  /* accounts whose state could not be read */
    uint32_t nameless; /* accounts with a name that cannot be published */
    uint32_t unasked;  /* by names_skipped() */
    uint32_t renamed;  /* records that are */
    bool is_ledger_away;
    char reason[SR_ERROR_TEXT_SIZE + 64]; /* for AWAY and FAILED */
    char ledger_reason[SR_ERROR_TEXT_SIZE];
};

/* Room for either, encoded. */
#define RECORD_ROOM 1536

size_t record_encode(const struct record *record, uint8_t bytes[RECORD_ROOM]);
size_t record_encode_result(const struct reading_result *result,
                            uint8_t bytes[RECORD_ROOM]);

enum record_kind { RECORD_NONE, RECORD_ACCOUNT, RECORD_RESULT };

/*
 * Decode the first of `size` bytes into `record` or `result`; *used is how many
 * it takes.  NONE: the bytes are incomplete.
 */
enum record_kind record_decode(const uint8_t *bytes, size_t size, size_t *used,
                               struct record *record,
                               struct reading_result *result);

#endif
