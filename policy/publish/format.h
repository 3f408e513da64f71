/*
 * Format: the files of the published state, and the header of a snapshot.
 * Bytes in, structures out, and back; pure: no I/O, no clock, no allocation.
 *
 * A snapshot file is a header of one page and buckets of 512 bytes behind it
 * (bucket.h): first those that the hash of a name chooses, then those into
 * which full ones overflow.  An entry of a bucket is a name and a payload
 * (payload.h).  After it was installed nothing in a snapshot changes except the
 * mark of a bucket, one byte that no checksum covers.  A mark says that deltas
 * (delta.h) may exist for names of this bucket; without it a reader need not
 * look for one.
 *
 * Facts are published, that is deadlines, never a verdict: a reader decodes
 * struct sr_facts and struct sr_rules from a payload and calls sr_verdict(), so
 * nothing has to be published at midnight.  No hash of a password and no other
 * secret is ever in these files.
 *
 * Numbers are little-endian.  Every checksum is SipHash-2-4.  A reader trusts
 * nothing: sizes and offsets are bounded, names are compared in full.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_FORMAT_H
#define SR_POLICY_PUBLISH_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/decide/facts.h"
#include "policy/publish/view.h"

#define SR_SNAPSHOT_VERSION 2

#define SR_SNAPSHOT_PAGE   4096 /* offset of the first bucket */
#define SR_SNAPSHOT_HEADER 104  /* bytes of the encoded header */
#define SR_SNAPSHOT_BUCKET 512  /* bytes of a bucket */

/* The longest name that is published: the longest name of a file. */
#define SR_SNAPSHOT_NAME_MAX 255

/*
 * The two views.  The shadow view holds the fields of shadow(5), for accounts
 * of directories; the groups view holds the deadlines and locks that choose
 * state groups, for every account.
 */
enum sr_view { SR_VIEW_GROUPS, SR_VIEW_SHADOW, SR_VIEW_COUNT };

/* "groups" or "shadow", as in the names of files; constant. */
const char *sr_view_name(enum sr_view view);

/* Whether an account belongs to a view: the shadow view is for accounts
 * without a line in the local shadow file. */
bool sr_view_has(enum sr_view view, const struct sr_facts *facts);

/* ---- names */

/*
 * Whether a name can be published: 1 to 255 bytes, neither "." nor "..", no
 * '/', no ':' and no control byte.  The state of other names is unknown.
 */
bool sr_snapshot_name(const char *name);

/*
 * The alias of a name, the same for all spellings that a name service might
 * take for one account: its parts, by sr_spelling_parts().  No account can have
 * such a name.  An entry of the groups view under an alias says that a
 * directory has an account whose name could be spelled so: a name with the same
 * parts, or with more before or behind them (a domain, by whatever separator),
 * is then in an unknown state rather than in none.  False for a name that
 * cannot be published, that has no parts, or too many or too long ones: its
 * state is unknown.
 */
bool sr_snapshot_alias(const char *name, char alias[SR_SNAPSHOT_NAME_MAX + 1]);

/* The next part of an alias, or NULL. */
char *sr_snapshot_next_part(char *part);

/* Whether a name of an entry is an alias. */
bool sr_snapshot_is_alias(const char *name);

/* ---- the header */

struct sr_header {
    uint64_t sequence; /* wall clock in ns before the facts were read */
    sr_time created;   /* seconds, wall clock, of the oldest facts */
    sr_time not_after; /* the first second when it is too old */
    uint32_t buckets;  /* chosen by hash, at least 1 */
    uint32_t overflow; /* behind them */
    uint32_t count;    /* accounts */
    bool is_listed;    /* enumeration is allowed */
    bool is_partial;   /* accounts are missing, or may have other names: each
                        * name that is not found may be of one */
    uint8_t key[16];
    uint32_t gid[SR_GROUP_COUNT]; /* 0: the group does not exist here */
};

/* How far the clock may be behind `created`, in seconds; further back means
 * that it was set back, or that the file was made at another time. */
#define SR_SNAPSHOT_SKEW 300

void sr_header_encode(const struct sr_header *header,
                      uint8_t bytes[SR_SNAPSHOT_HEADER]);

/* Read a header.  False for bytes that are no header of this version, or
 * damaged. */
bool sr_header_decode(const uint8_t *bytes, size_t size,
                      struct sr_header *header);

/* Whether a snapshot is current by the wall clock, at `now`. */
bool sr_header_is_current(const struct sr_header *header, sr_time now);

/* Bytes of a whole file with this header; 0 when there can be none. */
uint64_t sr_header_file_size(const struct sr_header *header);

/* ---- the age by the uptime */

/*
 * The same age by the time that the host was running since its boot, for hosts
 * whose wall clock is set or stops during a suspend.  It follows the header,
 * with a checksum of its own.  Seconds of CLOCK_MONOTONIC.
 */
struct sr_uptime {
    uint64_t boot; /* identifies one boot of the kernel; 0: not known */
    int64_t since; /* of the oldest facts */
    int64_t until; /* the first second when the snapshot is too old */
};

#define SR_SNAPSHOT_UPTIME_AT SR_SNAPSHOT_HEADER /* offset in the file */
#define SR_SNAPSHOT_UPTIME    32                 /* bytes */

void sr_uptime_encode(const struct sr_header *header,
                      const struct sr_uptime *uptime,
                      uint8_t bytes[SR_SNAPSHOT_UPTIME]);

/* False for bytes that are none, are damaged or belong to another header. */
bool sr_uptime_decode(const struct sr_header *header,
                      const uint8_t bytes[SR_SNAPSHOT_UPTIME],
                      struct sr_uptime *uptime);

/* Whether a snapshot is current after `seconds` of the boot `boot`. */
bool sr_uptime_is_current(const struct sr_uptime *uptime, uint64_t boot,
                          int64_t seconds);

#endif
