/*
 * Published: snapshots, deltas and fallbacks made by the pure part of the
 * policy alone, for tests, fuzzers and drivers.  What is made here may be
 * anything: old, listed, damaged, or of accounts that do not exist.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TESTS_PUBLISHED_H
#define SR_TESTS_PUBLISHED_H

#include "policy/publish/bucket.h"
#include "policy/publish/delta.h"

/* A snapshot in the making.  Change the header as you like before finishing,
 * but for the key and the numbers of buckets. */
struct published {
    struct sr_header header;
    uint8_t *buckets; /* of SR_SNAPSHOT_BUCKET bytes each */
    uint32_t *next;
};

/* Begin one that was created at `now` and lasts a day, with so many buckets to
 * choose from; the state groups are 801 and so on. */
void published_begin(struct published *made, uint32_t buckets, sr_time now);
#define PUBLISHED_GID(group) (801u + (group))

void published_add(struct published *made, const char *name,
                   const struct sr_payload *payload);

/* Say that a delta may exist for a name. */
void published_mark(struct published *made, const char *name);

/* The bytes of the file, from malloc(3), and *size.  The end of `made`. */
uint8_t *published_finish(struct published *made, size_t *size);

/*
 * Facts that make a verdict at `now`: "ok", "expiring", "expired",
 * "must-change", "locked" for good, "locked-out" for a while, "disabled",
 * "unknown".  False for another word.
 */
bool published_state(const char *state, sr_time now, struct sr_facts *facts,
                     struct sr_rules *rules);

/* The payload of such facts. */
struct sr_payload published_payload(enum sr_view view, const char *state,
                                    sr_time now, bool is_exempt);

/* ---- files; each returns false with errno */

/* DIR/groups.d and DIR/shadow.d. */
bool published_make_dirs(const char *dir);

/* Write aside, then rename: DIR/groups.snap or DIR/shadow.snap. */
bool published_put(const char *dir, enum sr_view view, const uint8_t *bytes,
                   size_t size);

/* The same for a text among the deltas. */
bool published_put_text(const char *dir, enum sr_view view, const char *name,
                        const char *text);

/* The delta of an account. */
bool published_put_delta(const char *dir, enum sr_view view, const char *name,
                         uint64_t sequence, const struct sr_payload *payload);

#endif
