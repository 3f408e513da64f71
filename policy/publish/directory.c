/*
 * Place: the directory that published state is in.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/util/safe_open.h"
#include "policy/util/file_lock.h"
#include "policy/publish/directory.h"

#define LOCK_FILE "lock"

/* A link that is not in place yet; no account can have the name. */
#define LINK_ASIDE ":new"

const char *
sr_publish_dir_snapshot_name(enum sr_view view)
{
    return view == SR_VIEW_SHADOW ? "shadow.snap" : "groups.snap";
}

const char *
sr_publish_dir_deltas_name(enum sr_view view)
{
    return view == SR_VIEW_SHADOW ? "shadow.d" : "groups.d";
}

/* Open a directory that nobody else can write to. */
static int
open_dir(int at, const char *name)
{
    struct stat status;
    int fd = sr_safe_open_at(at, name, O_RDONLY | O_DIRECTORY, NULL);
    int error = 0;

    if (fd < 0)
        return fd;
    if (fstat(fd, &status) != 0)
        error = -errno;
    else if (!sr_safe_open_check(&status, S_IFDIR, 022))
        error = -EPERM;
    if (error == 0)
        return fd;
    close(fd);
    return error;
}

int
sr_publish_dir_open_deltas(struct sr_publish_dir *place)
{
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        if (place->deltas[view] >= 0)
            continue;
        place->deltas[view] =
            open_dir(place->dir, sr_publish_dir_deltas_name(view));
        if (place->deltas[view] < 0 && place->deltas[view] != -ENOENT)
            return place->deltas[view];
    }
    return 0;
}

int
sr_publish_dir_open(struct sr_publish_dir *place, const char *dir)
{
    memset(place, 0, sizeof(*place));
    place->lock = -1;
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++)
        place->deltas[view] = -1;
    place->dir = open_dir(AT_FDCWD, dir);
    return place->dir < 0 ? place->dir : sr_publish_dir_open_deltas(place);
}

int
sr_publish_dir_lock(struct sr_publish_dir *place, unsigned wait_ms)
{
    struct stat status;
    int error = sr_signal_guard_begin(&place->shield);

    if (error != 0)
        return error;
    sr_signal_guard_lift_fsize(&place->fsize);
    place->is_locked = true;
    if (place->lock < 0)
        place->lock =
            sr_safe_open_at(place->dir, LOCK_FILE, O_RDWR | O_CREAT, NULL);
    if (place->lock < 0)
        error = place->lock;
    else if (fstat(place->lock, &status) != 0)
        error = -errno;
    else if (!sr_safe_open_check(&status, S_IFREG, 077))
        error = -EPERM;
    else
        error = sr_file_lock_take(place->lock, true, wait_ms);
    if (error != 0)
        sr_publish_dir_unlock(place);
    return error;
}

void
sr_publish_dir_unlock(struct sr_publish_dir *place)
{
    if (!place->is_locked)
        return;
    place->is_locked = false;
    if (place->lock >= 0)
        sr_file_lock_give(place->lock);
    sr_signal_guard_restore_fsize(&place->fsize);
    sr_signal_guard_end(&place->shield);
}

void
sr_publish_dir_close(struct sr_publish_dir *place)
{
    sr_publish_dir_unlock(place);
    if (place->lock >= 0)
        close(place->lock);
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        if (place->deltas[view] >= 0)
            close(place->deltas[view]);
    }
    if (place->dir >= 0)
        close(place->dir);
}

int
sr_publish_dir_open_snapshot(const struct sr_publish_dir *place,
                             enum sr_view view, struct sr_header *header)
{
    uint8_t bytes[SR_SNAPSHOT_HEADER];
    struct stat status;
    int fd, error = -EBADMSG;

    fd = sr_safe_open_at(place->dir, sr_publish_dir_snapshot_name(view), O_RDWR,
                         NULL);
    if (fd < 0)
        return fd;
    if (fstat(fd, &status) == 0 && sr_safe_open_check(&status, S_IFREG, 022) &&
        sr_reader_read(fd, 0, bytes, sizeof(bytes)) &&
        sr_header_decode(bytes, sizeof(bytes), header) &&
        sr_header_file_size(header) == (uint64_t)status.st_size)
        return fd;
    close(fd);
    return error;
}

int
sr_publish_dir_mark(int snapshot, const struct sr_header *header,
                    const char *name)
{
    const off_t at = (off_t)sr_bucket_offset(sr_bucket_choose(header, name)) +
                     SR_BUCKET_MARK;
    const uint8_t mark = 1;
    uint8_t before = 0;

    /* Most are there already: then no page gets dirty. */
    if (pread(snapshot, &before, 1, at) == 1 && before == mark)
        return 0;
    if (pwrite(snapshot, &mark, 1, at) == 1)
        return 0;
    return errno != 0 ? -errno : -EIO;
}

uint64_t
sr_publish_dir_delta(const struct sr_publish_dir *place, enum sr_view view,
                     const char *name, struct sr_payload *payload)
{
    char text[SR_DELTA_TEXT];
    uint64_t sequence;
    ssize_t size = readlinkat(place->deltas[view], name, text, sizeof(text));

    if (size < 0 ||
        !sr_delta_decode(name, text, (size_t)size, &sequence, payload))
        return 0;
    return sequence;
}

int
sr_publish_dir_put_link(const struct sr_publish_dir *place, enum sr_view view,
                        const char *name, const char *text)
{
    const int dir = place->deltas[view];
    int error;

    if (symlinkat(text, dir, LINK_ASIDE) != 0) {
        if (errno != EEXIST)
            return -errno;
        sr_publish_dir_drop_aside(place, view);
        if (symlinkat(text, dir, LINK_ASIDE) != 0)
            return -errno;
    }
    if (renameat(dir, LINK_ASIDE, dir, name) == 0)
        return 0;
    error = -errno;
    sr_publish_dir_drop_aside(place, view);
    return error;
}

void
sr_publish_dir_drop_aside(const struct sr_publish_dir *place, enum sr_view view)
{
    unlinkat(place->deltas[view], LINK_ASIDE, 0);
}

enum sr_publish_result
sr_publish_dir_judge(int error, const char *what, char *reason, size_t size)
{
    error = abs(error);
    switch (error) {
    case 0:
        return SR_PUBLISH_OK;
    case EAGAIN:
        return SR_PUBLISH_BUSY;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SR_PUBLISH_FULL;
    case EOPNOTSUPP:
        snprintf(reason, size,
                 "%s: this file system keeps no access list, which polkitd "
                 "needs to read what is published.  Use one that does, or set "
                 "view = public under [nss]",
                 what);
        return SR_PUBLISH_FAILED;
    default:
        snprintf(reason, size, "%s: %s", what, strerror(error));
        return SR_PUBLISH_FAILED;
    }
}
