/*
 * Place: the directory that published state is in, as its writers use it: what
 * is in it, the lock, the marks, and the links that are deltas.  policy/
 * publish.h says what it is for.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_DIRECTORY_H
#define SR_POLICY_PUBLISH_DIRECTORY_H

#include <sys/resource.h>

#include "policy/publish/reader.h"
#include "policy/util/signal_guard.h"

enum sr_publish_result {
    SR_PUBLISH_OK,
    SR_PUBLISH_UNCHANGED, /* what is published says so already, or is newer */
    SR_PUBLISH_OFF,       /* nothing is published on this host */
    SR_PUBLISH_BUSY,      /* the lock was not had in time */
    SR_PUBLISH_FULL,      /* disk full, quota, RLIMIT_FSIZE */
    SR_PUBLISH_FAILED,    /* anything else; `reason` says what */
};

struct sr_publish_dir {
    int dir;
    int lock;
    int deltas[SR_VIEW_COUNT]; /* the directories; -1: not there */
    bool is_locked;
    struct sr_signal_guard shield;
    struct rlimit fsize;
};

/*
 * Open the directory and the directories of deltas that are there.  It must be
 * root's, or the process's own user's, and writable by nobody else.  Returns 0,
 * or a negative errno (-ENOENT: nothing is published); close it in any case.
 */
int sr_publish_dir_open(struct sr_publish_dir *place, const char *dir);

/* Open the directories of deltas, or those that are there by now.  Returns 0 or
 * a negative errno. */
int sr_publish_dir_open_deltas(struct sr_publish_dir *place);

/* Raise the shield and take the lock.  Returns 0, -EAGAIN when the lock was not
 * had in time, or another negative errno. */
int sr_publish_dir_lock(struct sr_publish_dir *place, unsigned wait_ms);

/* Give the lock back and lower the shield.  Not locked: no-op. */
void sr_publish_dir_unlock(struct sr_publish_dir *place);

void sr_publish_dir_close(struct sr_publish_dir *place);

/* "groups.snap" or "groups.d"; constant. */
const char *sr_publish_dir_snapshot_name(enum sr_view view);
const char *sr_publish_dir_deltas_name(enum sr_view view);

/*
 * Open a view's snapshot to read it and to set marks, and read its header.
 * Returns the descriptor, or a negative errno; -EBADMSG when it is no snapshot.
 */
int sr_publish_dir_open_snapshot(const struct sr_publish_dir *place,
                                 enum sr_view view, struct sr_header *header);

/* Set the mark of a name's bucket.  Returns 0 or a negative errno. */
int sr_publish_dir_mark(int snapshot, const struct sr_header *header,
                        const char *name);

/* Read a name's delta; the sequence, or 0 when there is none that is whole. */
uint64_t sr_publish_dir_delta(const struct sr_publish_dir *place,
                              enum sr_view view, const char *name,
                              struct sr_payload *payload);

/* Put a link in place, aside first.  Under the lock.  Returns 0 or a negative
 * errno. */
int sr_publish_dir_put_link(const struct sr_publish_dir *place,
                            enum sr_view view, const char *name,
                            const char *text);

/* Remove what was put aside by one who was killed.  Under the lock. */
void sr_publish_dir_drop_aside(const struct sr_publish_dir *place,
                               enum sr_view view);

/* What an errno, positive or negative, comes to; `reason` is filled in. */
enum sr_publish_result sr_publish_dir_judge(int error, const char *what,
                                            char *reason, size_t size);

#endif
