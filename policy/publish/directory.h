/*
 * Directory: the published state on disk, for programs that write it: its
 * files, its lock, the marks, and the links that are deltas.
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
    SR_PUBLISH_UNCHANGED, /* the same, or newer state, is published already */
    SR_PUBLISH_OFF,       /* this host does not publish */
    SR_PUBLISH_BUSY,      /* the lock was not obtained in time */
    SR_PUBLISH_FULL,      /* disk full, quota, RLIMIT_FSIZE */
    SR_PUBLISH_FAILED,    /* any other cause, in `reason` */
};

struct sr_publish_dir {
    int dir;
    int lock;
    int deltas[SR_VIEW_COUNT]; /* directories; negative: not open */
    bool is_locked;
    struct sr_signal_guard guard;
    struct rlimit fsize;
};

/*
 * Open the directory and those directories of deltas that exist.  Each must
 * belong to root or to the process's own user, and not be writable by others.
 * Returns 0, or a negative errno (-ENOENT: nothing is published); the caller
 * closes it in any case.
 */
int sr_publish_dir_open(struct sr_publish_dir *dir, const char *path);

/* Open those directories of deltas that exist and are not open yet.  Returns 0
 * or a negative errno. */
int sr_publish_dir_open_deltas(struct sr_publish_dir *dir);

/*
 * Begin the signal guard and take the lock, waiting for `wait_ms` at most.
 * Returns 0, -EAGAIN when the lock was not obtained in time, or another
 * negative errno.  A caller that waits for more than five seconds, which a
 * program that users can stop must not, takes the lock from a holder that does
 * not move; put_link() of that holder then fails.
 */
int sr_publish_dir_lock(struct sr_publish_dir *dir, unsigned wait_ms);

/* Release the lock and end the signal guard.  Does nothing when not locked. */
void sr_publish_dir_unlock(struct sr_publish_dir *dir);

void sr_publish_dir_close(struct sr_publish_dir *dir);

/* "groups.snap" or "groups.d"; constant. */
const char *sr_publish_dir_snapshot_name(enum sr_view view);
const char *sr_publish_dir_deltas_name(enum sr_view view);

/*
 * Open a view's snapshot for reading and for setting marks, and read its
 * header.  Returns the descriptor, or a negative errno; -EBADMSG when it is no
 * snapshot.
 */
int sr_publish_dir_open_snapshot(const struct sr_publish_dir *dir,
                                 enum sr_view view, struct sr_header *header);

/* Set the mark of a name's bucket.  Returns 0 or a negative errno. */
int sr_publish_dir_mark(int snapshot, const struct sr_header *header,
                        const char *name);

/* Call `visit` for each entry of a directory until a call returns anything but
 * 0, which is then returned; or a negative errno. */
int sr_publish_dir_each(int at, enum sr_view view,
                        int (*visit)(void *context, enum sr_view view,
                                     const char *name),
                        void *context);

/* Read the delta of a name.  Returns its sequence; 0 when there is none or it
 * is damaged. */
uint64_t sr_publish_dir_delta(const struct sr_publish_dir *dir,
                              enum sr_view view, const char *name,
                              struct sr_payload *payload);

/* Make a link under another name and rename it.  Under the lock.  Returns 0 or
 * a negative errno. */
int sr_publish_dir_put_link(const struct sr_publish_dir *dir, enum sr_view view,
                            const char *name, const char *text);

/* Remove the link of a writer that was killed before its rename.  Under the
 * lock. */
void sr_publish_dir_drop_aside(const struct sr_publish_dir *dir,
                               enum sr_view view);

/* The result for an errno, positive or negative; `reason` is filled in on
 * FAILED. */
enum sr_publish_result sr_publish_dir_result(int error, const char *what,
                                             char *reason, size_t size);

#endif
