/*
 * Snapshot: the form of the published state.  Bytes in, facts out, and back;
 * pure: no I/O, no clock, no allocation.  policy/publish/writer.h writes the
 * files, policy/publish/reader.h finds an account in them, and the NSS door
 * answers from it.
 *
 * What is published are facts, that is deadlines, and never a verdict: a reader
 * fills struct sr_facts and struct sr_rules from a payload and asks
 * sr_verdict(), so midnight needs no refresh.  No hash of a password and no
 * other secret is ever in it.
 *
 * A snapshot file is a header of one page and then buckets of 512 bytes, first
 * those that the hash of a name chooses, then those into which full ones
 * overflow.  Nothing in it changes once it is in place, but the mark of a
 * bucket, one byte that no checksum covers: it says that a delta may exist for
 * a name of this bucket, so that a reader need not look for one otherwise.
 * A delta is a symbolic link named after the account, whose target is the text
 * of one payload: rename(2) replaces it as a whole.
 *
 * Numbers are little-endian.  Every checksum is SipHash-2-4.  A reader takes
 * nothing on trust: sizes and offsets are bounded, names are compared in full.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_FORMAT_H
#define SR_POLICY_PUBLISH_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/decide/facts.h"
#include "policy/decide/rules.h"
#include "policy/publish/view.h"

#define SR_SNAPSHOT_VERSION 1

#define SR_SNAPSHOT_PAGE   4096 /* where the buckets begin */
#define SR_SNAPSHOT_HEADER 104  /* bytes of the page that mean something */
#define SR_SNAPSHOT_BUCKET 512
#define SR_SNAPSHOT_WALK   8 /* most buckets that one name is looked for in */

/* The longest name that is published: one that a file can be named after. */
#define SR_SNAPSHOT_NAME_MAX 255

/*
 * The two views.  The shadow view holds what shadow(5) tells of an account, for
 * accounts of directories; the groups view holds the deadlines and locks that
 * choose state groups, for every account.
 */
enum sr_view { SR_VIEW_GROUPS, SR_VIEW_SHADOW, SR_VIEW_COUNT };

/* "groups" or "shadow", as in the names of files; constant. */
const char *sr_view_name(enum sr_view view);

/* Whether an account belongs to a view: the shadow view is for those that have
 * no line in the local shadow file. */
bool sr_view_has(enum sr_view view, const struct sr_facts *facts);

struct sr_header {
    uint64_t sequence; /* wall clock in ns when the facts were gathered */
    sr_time created; /* seconds, wall clock; or when the oldest was gathered */
    sr_time not_after; /* not to be believed any more from here on */
    uint32_t buckets;  /* chosen by hash, at least 1 */
    uint32_t overflow; /* behind them */
    uint32_t count;    /* accounts */
    bool is_listed;    /* enumeration is allowed */
    uint8_t key[16];
    uint32_t gid[SR_GROUP_COUNT]; /* 0: the group does not exist here */
};

/* How far the clock may be behind `created`, in seconds: more than that means
 * that it was set back, or the file is not of this time. */
#define SR_SNAPSHOT_SKEW 300

void sr_header_encode(const struct sr_header *header,
                      uint8_t bytes[SR_SNAPSHOT_HEADER]);

/* Read a header.  False when it is not one of ours, of another version, or
 * damaged. */
bool sr_header_decode(const uint8_t *bytes, size_t size,
                      struct sr_header *header);

/* Whether a snapshot is to be believed at `now`. */
bool sr_header_is_current(const struct sr_header *header, sr_time now);

/* Bytes of a whole file with this header; 0 when that cannot be. */
uint64_t sr_header_file_size(const struct sr_header *header);

/*
 * Whether a name can be published at all: 1 to 255 bytes, neither "." nor "..",
 * no '/', no ':' and no control byte.  No name but these is ever looked up.
 */
bool sr_snapshot_name(const char *name);

/* ---- payloads: what is said of one account */

#define SR_PAYLOAD_MAX 82

struct sr_payload {
    uint8_t bytes[SR_PAYLOAD_MAX];
    size_t size;
};

/*
 * Distil facts and rules into what the view may tell.  The rules that have a
 * part in a login's verdict go along as facts: the warning period and the
 * minimum age become deadlines.  `is_exempt`: never given a negative group
 * (root, and the break-glass accounts).
 */
void sr_payload_encode(enum sr_view view, const struct sr_facts *facts,
                       const struct sr_rules *rules, bool is_exempt,
                       struct sr_payload *payload);

/*
 * Read a payload.  The verdict on what comes out, for a login that nobody is
 * logged on for and by a service that spares nothing, is the verdict on what
 * went in, at any time; but of more than 32767 grace logins that many are told.
 * Name, uid and backend are left empty.  Encoded again, it is the same to the
 * byte.  False when the bytes are no payload.
 */
bool sr_payload_decode(const uint8_t *bytes, size_t size,
                       struct sr_facts *facts, struct sr_rules *rules,
                       bool *is_exempt);

/* ---- buckets */

/* The number of the first bucket to look for a name in. */
uint32_t sr_bucket_choose(const struct sr_header *header, const char *name);

/* Where a bucket starts in the file. */
uint64_t sr_bucket_offset(uint32_t number);

/* Make an empty bucket. */
void sr_bucket_clear(uint8_t bucket[SR_SNAPSHOT_BUCKET]);

/* Add an account.  False when there is no room left, which a name that can be
 * published always has in an empty bucket. */
bool sr_bucket_add(uint8_t bucket[SR_SNAPSHOT_BUCKET], const char *name,
                   const struct sr_payload *payload);

/* Say in which bucket the walk goes on (0: nowhere), and seal it: `number` is
 * its own. */
void sr_bucket_seal(const struct sr_header *header, uint32_t number,
                    uint32_t next, uint8_t bucket[SR_SNAPSHOT_BUCKET]);

/* Whether the bucket is the one of that number, whole and undamaged.  Nothing
 * of a bucket that is not may be looked at. */
bool sr_bucket_check(const struct sr_header *header, uint32_t number,
                     const uint8_t bucket[SR_SNAPSHOT_BUCKET]);

/* Where the walk goes on: the number of an overflow bucket, or 0. */
uint32_t sr_bucket_next(const uint8_t bucket[SR_SNAPSHOT_BUCKET]);

/* The mark, and where it stands in a bucket. */
#define SR_BUCKET_MARK (SR_SNAPSHOT_BUCKET - 1)

/* Find a name in a bucket that was checked: its payload within the bucket, and
 * *size; NULL when it is not there. */
const uint8_t *sr_bucket_find(const uint8_t bucket[SR_SNAPSHOT_BUCKET],
                              const char *name, size_t *size);

/*
 * The entry number `index` of a bucket that was checked, for enumeration: its
 * payload and *size, and its name, which is not ended by a zero byte.  NULL
 * behind the last.
 */
const uint8_t *sr_bucket_entry(const uint8_t bucket[SR_SNAPSHOT_BUCKET],
                               unsigned index, const char **name,
                               size_t *name_length, size_t *size);

/* ---- deltas */

/* Room for the text of a delta, with its end. */
#define SR_DELTA_TEXT (2 * SR_PAYLOAD_MAX + 48)

/*
 * The text of a delta: version, sequence (as in the header: the newer of delta
 * and snapshot counts), payload and checksum in hexadecimal digits.  A payload
 * of size 0 says that the account is gone.  The checksum covers the name.
 */
void sr_delta_encode(const char *name, uint64_t sequence,
                     const struct sr_payload *payload,
                     char text[SR_DELTA_TEXT]);

/* Read one of `size` bytes.  False when it is none, or another name's. */
bool sr_delta_decode(const char *name, const char *text, size_t size,
                     uint64_t *sequence, struct sr_payload *payload);

/* ---- the fallback, for when no snapshot can be believed */

/* Its name among the deltas; no account can have it. */
#define SR_FALLBACK_NAME ":fallback"
#define SR_FALLBACK_TEXT 1000 /* room for its text, with its end */

/*
 * The text: version, the ids of acct-state-unknown and acct-ok (0: none), and
 * the names of the exempt accounts, "1:999:998:root:breakglass:"; what is no
 * name of an account is left out.  False when the names have no room.
 */
bool sr_fallback_encode(uint32_t unknown, uint32_t ok,
                        const struct sr_string_list *exempt,
                        char text[SR_FALLBACK_TEXT]);

/*
 * What a name is given by a text of `size` bytes: the id of acct-ok for root
 * and the exempt, that of acct-state-unknown for any other name; 0 for none.
 */
uint32_t sr_fallback_gid(const char *text, size_t size, const char *name);

#endif
