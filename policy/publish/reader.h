/*
 * Reader: finds what is published of one account.  It makes the calls open,
 * pread and close, and readlink (perhaps fstat) where a delta may exist; it
 * keeps nothing, allocates nothing, and uses less than 2 KiB of stack, because
 * the NSS module runs it in the processes of other programs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_READER_H
#define SR_POLICY_PUBLISH_READER_H

#include "policy/publish/bucket.h"
#include "policy/publish/delta.h"

/* Where the snapshots are; the version of their form is part of it. */
#define SR_PUBLISHED_DIR SR_NSSDIR "/v1"

/* The longest directory that can be given below. */
#define SR_READER_DIR_MAX 128

enum sr_found {
    SR_FOUND_IT,
    SR_FOUND_NOTHING, /* no such account is published */
    SR_FOUND_DENIED,  /* this process may not read it */
    SR_FOUND_BROKEN,  /* missing, damaged, too old or from the future */
};

/*
 * On SR_FOUND_BROKEN errno is the cause: the system's own, EBADMSG for damage,
 * ESTALE for a snapshot that is too old or from the future.  With every other
 * result it is undefined.
 */

struct sr_published {
    struct sr_header header;
    struct sr_payload payload; /* on SR_FOUND_IT */
    uint64_t sequence;         /* of the header, or of the delta */
    bool is_alias; /* on NOTHING: a directory has an account whose name could be
                    * spelled so, or may have it and it cannot be published */
};

/*
 * Find `name` in a view under `dir` (SR_PUBLISHED_DIR) at wall-clock time
 * `now`.  A delta that is newer than the snapshot replaces its entry.  The
 * header is filled in on IT and NOTHING only.
 */
enum sr_found sr_reader_find(const char *dir, enum sr_view view,
                             const char *name, sr_time now,
                             struct sr_published *out);

/* A position in a view that is being listed; all zero: before the first. */
struct sr_cursor {
    uint64_t sequence; /* of the snapshot */
    uint32_t bucket;
    uint32_t index; /* of the entry in the bucket */
};

/*
 * The name of the entry at the cursor or, where there is none, of the next one,
 * to which the cursor is moved; the caller increments `index` to continue.
 * NOTHING behind the last, and for a view that may not be listed.  When the
 * snapshot was replaced since the list began, entries have other positions:
 * BROKEN with EAGAIN once, and then NOTHING.  Deltas are not listed.
 */
enum sr_found sr_reader_list(const char *dir, enum sr_view view, sr_time now,
                             struct sr_cursor *cursor,
                             char name[SR_SNAPSHOT_NAME_MAX + 1]);

/* ---- for programs that look at a whole snapshot */

/* Open a view's snapshot and read its header; the caller closes *fd.  On any
 * result but IT nothing is open. */
enum sr_found sr_reader_open(const char *dir, enum sr_view view, int *fd,
                             struct sr_header *header);

/* Whether an open snapshot is current at `now`, by the wall clock or by the
 * uptime. */
bool sr_reader_is_current(int fd, const struct sr_header *header, sr_time now);

/* Read the uptime behind the header of an open snapshot.  False when it has
 * none. */
bool sr_reader_uptime(int fd, const struct sr_header *header,
                      struct sr_uptime *uptime);

/*
 * Call `visit` with the name of each entry of an open snapshot, aliases too,
 * until it returns anything but 0, which is then returned.  Damaged buckets are
 * left out.
 */
int sr_reader_each(int fd, const struct sr_header *header,
                   int (*visit)(void *context, const char *name),
                   void *context);

/*
 * The group id for a name when no snapshot is current: see sr_fallback_gid().
 * 0 when there is none, or this process may not read it.
 */
uint32_t sr_reader_fallback(const char *dir, const char *name);

/* Read exactly `size` bytes at `offset`, over interruptions.  False at the end
 * of the file, with EBADMSG, and on errors. */
bool sr_reader_read(int fd, uint64_t offset, void *bytes, size_t size);

/* The current time, in seconds, of the clock that needs no system call. */
sr_time sr_reader_now(void);

#endif
