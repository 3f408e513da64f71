/*
 * Directory: the published state on disk, for programs that write it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/publish/delta.h"
#include "policy/publish/directory.h"
#include "policy/util/error.h"
#include "policy/util/file_lock.h"
#include "policy/util/safe_open.h"

#define LOCK_FILE "lock"

/* The lock is held for a few milliseconds.  Logins hold it too, and a user can
 * stop his own for ever: after that long a program that waits
 * (selfreset-publish and selfresetctl, which no user can stop) removes it. */
#define STUCK_MS 5000

/* A link before it is renamed; no account can have the name. */
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

/* Open a directory that no other user can write to. */
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
sr_publish_dir_open_deltas(struct sr_publish_dir *dir)
{
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        if (dir->deltas[view] >= 0)
            continue;
        dir->deltas[view] =
            open_dir(dir->dir, sr_publish_dir_deltas_name(view));
        if (dir->deltas[view] < 0 && dir->deltas[view] != -ENOENT)
            return dir->deltas[view];
    }
    return 0;
}

int
sr_publish_dir_open(struct sr_publish_dir *dir, const char *path)
{
    memset(dir, 0, sizeof(*dir));
    dir->lock = -1;
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++)
        dir->deltas[view] = -1;
    dir->dir = open_dir(AT_FDCWD, path);
    return dir->dir < 0 ? dir->dir : sr_publish_dir_open_deltas(dir);
}

static int
open_lock(struct sr_publish_dir *dir)
{
    struct stat status;

    dir->lock = sr_safe_open_at(dir->dir, LOCK_FILE, O_RDWR | O_CREAT, NULL);
    if (dir->lock < 0)
        return dir->lock;
    if (fstat(dir->lock, &status) != 0)
        return -errno;
    return sr_safe_open_check(&status, S_IFREG, 077) ? 0 : -EPERM;
}

static void
close_lock(struct sr_publish_dir *dir)
{
    if (dir->lock >= 0)
        close(dir->lock);
    dir->lock = -1;
}

/* Whether the lock is that of the file which the name leads to. */
static bool
is_current(const struct sr_publish_dir *dir)
{
    struct stat ours, there;

    return fstat(dir->lock, &ours) == 0 &&
           fstatat(dir->dir, LOCK_FILE, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* Take the lock of the file that is there now. */
static int
take_current(struct sr_publish_dir *dir, unsigned wait_ms)
{
    for (;;) {
        int error = dir->lock < 0 ? open_lock(dir) : 0;

        if (error == 0)
            error = sr_file_lock_take(dir->lock, true, wait_ms);
        if (error != 0 || is_current(dir))
            return error;
        close_lock(dir);
    }
}

/* Remove the lock of a holder that does not move.  One process does at a time,
 * so that the lock that is made next is not removed. */
static void
drop_stuck(struct sr_publish_dir *dir)
{
    if (flock(dir->dir, LOCK_EX | LOCK_NB) != 0)
        return;
    if (is_current(dir))
        unlinkat(dir->dir, LOCK_FILE, 0);
    close_lock(dir);
    flock(dir->dir, LOCK_UN);
}

int
sr_publish_dir_lock(struct sr_publish_dir *dir, unsigned wait_ms)
{
    const unsigned first = wait_ms < STUCK_MS ? wait_ms : STUCK_MS;
    int error = sr_signal_guard_begin(&dir->guard);

    if (error != 0)
        return error;
    sr_signal_guard_lift_fsize(&dir->fsize);
    dir->is_locked = true;
    error = take_current(dir, first);
    if (error == -EAGAIN && wait_ms > STUCK_MS) {
        drop_stuck(dir);
        error = take_current(dir, wait_ms - STUCK_MS);
    }
    if (error != 0)
        sr_publish_dir_unlock(dir);
    return error;
}

void
sr_publish_dir_unlock(struct sr_publish_dir *dir)
{
    if (!dir->is_locked)
        return;
    dir->is_locked = false;
    if (dir->lock >= 0)
        sr_file_lock_give(dir->lock);
    sr_signal_guard_restore_fsize(&dir->fsize);
    sr_signal_guard_end(&dir->guard);
}

void
sr_publish_dir_close(struct sr_publish_dir *dir)
{
    sr_publish_dir_unlock(dir);
    close_lock(dir);
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        if (dir->deltas[view] >= 0)
            close(dir->deltas[view]);
    }
    if (dir->dir >= 0)
        close(dir->dir);
}

int
sr_publish_dir_open_snapshot(const struct sr_publish_dir *dir,
                             enum sr_view view, struct sr_header *header)
{
    uint8_t bytes[SR_SNAPSHOT_HEADER];
    struct stat status;
    int fd, error = -EBADMSG;

    fd = sr_safe_open_at(dir->dir, sr_publish_dir_snapshot_name(view), O_RDWR,
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

    /* Most marks are set already: then no page is made dirty. */
    if (pread(snapshot, &before, 1, at) == 1 && before == mark)
        return 0;
    if (pwrite(snapshot, &mark, 1, at) == 1)
        return 0;
    return errno != 0 ? -errno : -EIO;
}

int
sr_publish_dir_each(int at, enum sr_view view,
                    int (*visit)(void *context, enum sr_view view,
                                 const char *name),
                    void *context)
{
    const int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    int error = stream == NULL ? -errno : 0;

    while (error == 0 && (errno = 0, entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            error = visit(context, view, entry->d_name);
    }
    if (error == 0)
        error = -errno;
    if (stream != NULL)
        closedir(stream);
    else if (fd >= 0)
        close(fd);
    return error;
}

uint64_t
sr_publish_dir_delta(const struct sr_publish_dir *dir, enum sr_view view,
                     const char *name, struct sr_payload *payload)
{
    char text[SR_DELTA_TEXT];
    uint64_t sequence;
    ssize_t size = readlinkat(dir->deltas[view], name, text, sizeof(text));

    if (size < 0 ||
        !sr_delta_decode(name, text, (size_t)size, &sequence, payload))
        return 0;
    return sequence;
}

int
sr_publish_dir_put_link(const struct sr_publish_dir *dir, enum sr_view view,
                        const char *name, const char *text)
{
    const int at = dir->deltas[view];
    int error;

    if (symlinkat(text, at, LINK_ASIDE) != 0) {
        if (errno != EEXIST)
            return -errno;
        sr_publish_dir_drop_aside(dir, view);
        if (symlinkat(text, at, LINK_ASIDE) != 0)
            return -errno;
    }
    /* The lock was taken from this process while it was stopped. */
    if (!is_current(dir))
        return -EAGAIN;
    if (renameat(at, LINK_ASIDE, at, name) == 0)
        return 0;
    error = -errno;
    sr_publish_dir_drop_aside(dir, view);
    return error;
}

void
sr_publish_dir_drop_aside(const struct sr_publish_dir *dir, enum sr_view view)
{
    unlinkat(dir->deltas[view], LINK_ASIDE, 0);
}

enum sr_publish_result
sr_publish_dir_result(int error, const char *what, char *reason, size_t size)
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
                 "%s: this file system has no access lists, which polkitd "
                 "needs to read what is published.  Use one that does, or set "
                 "view = public under [nss]",
                 what);
        return SR_PUBLISH_FAILED;
    default:
        snprintf(reason, size, "%s: %s", what, sr_strerror(error));
        return SR_PUBLISH_FAILED;
    }
}
