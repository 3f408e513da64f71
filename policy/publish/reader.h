/*
 * Lookup: find what is published of one account.  Open, pread and close, and
 * readlink (perhaps fstat) where a delta may exist; nothing else, nothing is
 * kept, nothing is allocated, and less than 2 KiB of stack: the NSS door does
 * this in the processes of others.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_READER_H
#define SR_POLICY_PUBLISH_READER_H

#include "policy/publish/format.h"

/* Where the snapshots are; the version of their form is part of it. */
#define SR_PUBLISHED_DIR SR_NSSDIR "/v1"

/* The longest directory that can be given below. */
#define SR_READER_DIR_MAX 128

enum sr_found {
    SR_FOUND_IT,
    SR_FOUND_NOTHING, /* no such account is published */
    SR_FOUND_DENIED,  /* this process may not read it */
    SR_FOUND_BROKEN,  /* missing, damaged, or not of this time */
};

/*
 * On SR_FOUND_BROKEN errno says why: what the system said, EBADMSG for damage,
 * ESTALE for a snapshot that is not of this time.  Otherwise it is whatever it
 * becomes.
 */

struct sr_published {
    struct sr_header header;
    struct sr_payload payload; /* on SR_FOUND_IT */
    uint64_t sequence;         /* of the header, or of the delta */
};

/*
 * Find `name` in a view under `dir` (SR_PUBLISHED_DIR) at wall-clock time
 * `now`.  A delta that is newer than the snapshot counts before it.  The header
 * is filled in on IT and NOTHING only.
 */
enum sr_found sr_reader_find(const char *dir, enum sr_view view,
                             const char *name, sr_time now,
                             struct sr_published *out);

/* A place in a view that is being listed; all zero: before the first. */
struct sr_cursor {
    uint64_t sequence; /* of the snapshot that the place is in */
    uint32_t bucket;
    uint32_t index; /* of the entry in the bucket */
};

/*
 * The name of the entry at the cursor or, where there is none, of the next, to
 * which the cursor is moved; count up `index` to go on.  NOTHING behind the
 * last, and for a view that may not be listed.  A snapshot that was replaced
 * since the list began ends it: BROKEN with EAGAIN once, and then NOTHING, for
 * an entry has another place in each.  Deltas are not looked at.
 */
enum sr_found sr_reader_list(const char *dir, enum sr_view view, sr_time now,
                             struct sr_cursor *cursor,
                             char name[SR_SNAPSHOT_NAME_MAX + 1]);

/*
 * The group id that a name is given when no snapshot can be believed: see
 * sr_fallback_gid().  0 when there is none, or this process may not know.
 */
uint32_t sr_reader_fallback(const char *dir, const char *name);

/* Read exactly `size` bytes at `offset`, over interruptions.  False at the end
 * of the file, with EBADMSG, and on errors. */
bool sr_reader_read(int fd, uint64_t offset, void *bytes, size_t size);

/* The current time, in seconds, of the clock that needs no system call. */
sr_time sr_reader_now(void);

#endif
