/*
 * Commit: put a snapshot of both views in place.
 *
 * The files are written aside without the lock; it is held to make their names
 * and to exchange them for those in place.
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
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/publish/install.h"
#include "policy/publish/writer.h"
#include "policy/util/safe_open.h"
#include "policy/util/file_lock.h"

/* A file that is made aside: "groups.snap." and 16 hexadecimal digits. */
#define ASIDE_ROOM 32

struct aside {
    char name[ASIDE_ROOM];
    int fd; /* locked for as long as its writer lives; -1: none */
    struct sr_image image;
};

struct commit {
    struct sr_publish_dir place;
    const struct sr_builder *build;
    struct aside aside[SR_VIEW_COUNT];
    struct stat like; /* owner and mode of the shadow view */
    uint64_t sequence;
};

/* ---- owners and modes */

/* Who may read a view: a file's mode, and a directory's with search for whoever
 * may read. */
static mode_t
view_mode(const struct commit *commit, enum sr_view view, bool is_dir)
{
    mode_t mode = commit->build->how.is_public ? 0644 : 0640;

    if (view == SR_VIEW_SHADOW)
        mode = commit->like.st_mode & 0644;
    return is_dir ? mode | 0700 | (mode & 044) >> 2 : mode;
}

/* Give a file or directory its owner, mode and access list. */
static int
set_access(const struct commit *commit, enum sr_view view, bool is_dir, int fd)
{
    const struct sr_publish_how *how = &commit->build->how;
    const mode_t mode = view_mode(commit, view, is_dir);
    const uid_t owner = view == SR_VIEW_SHADOW ? commit->like.st_uid : 0;
    const gid_t group = view == SR_VIEW_SHADOW ? commit->like.st_gid : 0;
    struct stat status;

    if (fstat(fd, &status) != 0)
        return -errno;
    /* Who is not root, in a directory of his own, gives nothing away. */
    if (geteuid() == 0 && (status.st_uid != owner || status.st_gid != group) &&
        fchown(fd, owner, group) != 0)
        return -errno;
    if (fchmod(fd, mode) != 0)
        return -errno;
    return how->grant != NULL ? how->grant(fd, view, is_dir, how->is_public)
                              : 0;
}

/* ---- directories */

/* Make a directory for everybody to read, if it is missing. */
static int
make_open_dir(const char *path)
{
    if (mkdir(path, 0755) != 0)
        return errno == EEXIST ? 0 : -errno;
    return chmod(path, 0755) == 0 ? 0 : -errno; /* the umask took bits away */
}

/* The same, with those above it. */
static int
make_dirs(const char *dir)
{
    char parent[SR_READER_DIR_MAX + 1];
    const char *slash = strrchr(dir, '/');
    int error = make_open_dir(dir);

    if (error != -ENOENT || slash == NULL || slash == dir)
        return error;
    memcpy(parent, dir, (size_t)(slash - dir));
    parent[slash - dir] = '\0';
    error = make_dirs(parent);
    return error == 0 ? make_open_dir(dir) : error;
}

static int
make_delta_dirs(struct commit *commit)
{
    int error = 0;

    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        if (commit->place.deltas[view] < 0 &&
            mkdirat(commit->place.dir, sr_publish_dir_deltas_name(view),
                    0700) != 0 &&
            errno != EEXIST)
            return -errno;
    }
    error = sr_publish_dir_open_deltas(&commit->place);
    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = set_access(commit, view, true, commit->place.deltas[view]);
    return error;
}

/* Call for each entry of a directory, until one call fails. */
static int
each_entry(const struct commit *commit, enum sr_view view, int dir,
           int (*visit)(void *context, enum sr_view view, const char *name),
           void *context)
{
    const int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    int error = stream == NULL ? -errno : 0;

    (void)commit;
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

/* ---- files aside */

static int
open_aside(struct commit *commit, enum sr_view view)
{
    struct aside *aside = &commit->aside[view];
    uint64_t dice;

    if (getrandom(&dice, sizeof(dice), 0) != sizeof(dice))
        return -EIO;
    snprintf(aside->name, sizeof(aside->name), "%s.%016llx",
             sr_publish_dir_snapshot_name(view), (unsigned long long)dice);
    aside->fd =
        sr_safe_open_at(commit->place.dir, aside->name, O_RDWR | O_CREAT, NULL);
    return aside->fd < 0 ? aside->fd : sr_file_lock_take(aside->fd, true, 0);
}

static void
drop_aside(struct commit *commit)
{
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        struct aside *aside = &commit->aside[view];

        if (aside->fd >= 0) {
            if (aside->name[0] != '\0')
                unlinkat(commit->place.dir, aside->name, 0);
            close(aside->fd);
        }
        sr_image_free(&aside->image);
    }
}

/* A file aside that nobody has locked was left by one who was killed. */
static int
sweep_one(void *context, enum sr_view view, const char *name)
{
    const struct commit *commit = context;
    const char *start = sr_publish_dir_snapshot_name(view);
    const size_t length = strlen(start);
    int fd;

    if (strncmp(name, start, length) != 0 || name[length] != '.')
        return 0;
    fd = sr_safe_open_at(commit->place.dir, name, O_RDWR, NULL);
    if (fd < 0)
        return 0;
    if (sr_file_lock_take(fd, true, 0) == 0)
        unlinkat(commit->place.dir, name, 0);
    close(fd);
    return 0;
}

static int
write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t done = write(fd, bytes, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -ENOSPC;
        bytes += done;
        size -= (size_t)done;
    }
    return 0;
}

static int
write_aside(const struct commit *commit, enum sr_view view)
{
    const struct aside *aside = &commit->aside[view];
    uint8_t page[SR_SNAPSHOT_PAGE] = {0};
    int error = set_access(commit, view, false, aside->fd);

    sr_header_encode(&aside->image.header, page);
    if (error == 0)
        error = write_all(aside->fd, page, sizeof(page));
    if (error == 0)
        error = write_all(aside->fd, aside->image.buckets, aside->image.size);
    if (error == 0 && fsync(aside->fd) != 0)
        error = -errno;
    return error;
}

/* ---- the exchange, under the lock */

/* A sequence that lies in the future was there before the clock was set back:
 * what is put in place now is newer. */
static void
pass(struct commit *commit, uint64_t sequence)
{
    if (sequence > commit->sequence && sequence > sr_publish_sequence())
        commit->sequence = sequence + 1;
}

static int
pass_delta(void *context, enum sr_view view, const char *name)
{
    struct commit *commit = context;
    struct sr_payload payload;

    pass(commit, sr_publish_dir_delta(&commit->place, view, name, &payload));
    return 0;
}

/* Find the sequence.  *is_older: what is in place is newer. */
static int
find_sequence(struct commit *commit, bool *is_older)
{
    struct sr_header header;
    int error = 0;

    commit->sequence = commit->build->how.sequence;
    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++) {
        const int fd =
            sr_publish_dir_open_snapshot(&commit->place, view, &header);

        if (fd >= 0) {
            close(fd);
            pass(commit, header.sequence);
            *is_older = *is_older || header.sequence > commit->sequence;
        }
        error = each_entry(commit, view, commit->place.deltas[view], pass_delta,
                           commit);
    }
    return error;
}

/* Names in a directory of deltas that are no account's. */
static bool
is_ours(const char *name)
{
    return strcmp(name, SR_FALLBACK_NAME) == 0;
}

static int
mark_delta(void *context, enum sr_view view, const char *name)
{
    struct commit *commit = context;
    const struct aside *aside = &commit->aside[view];
    struct sr_payload payload;

    if (is_ours(name) || sr_publish_dir_delta(&commit->place, view, name,
                                              &payload) <= commit->sequence)
        return 0;
    return sr_publish_dir_mark(aside->fd, &aside->image.header, name);
}

static int
drop_delta(void *context, enum sr_view view, const char *name)
{
    struct commit *commit = context;
    struct sr_payload payload;

    if (!is_ours(name) && sr_publish_dir_delta(&commit->place, view, name,
                                               &payload) <= commit->sequence)
        unlinkat(commit->place.deltas[view], name, 0);
    return 0;
}

/* Set the header and the marks right, and rename. */
static int
exchange(struct commit *commit, enum sr_view view)
{
    struct aside *aside = &commit->aside[view];
    uint8_t bytes[SR_SNAPSHOT_HEADER];
    int error = 0;

    if (aside->image.header.sequence != commit->sequence) {
        aside->image.header.sequence = commit->sequence;
        sr_header_encode(&aside->image.header, bytes);
        if (pwrite(aside->fd, bytes, sizeof(bytes), 0) !=
                (ssize_t)sizeof(bytes) ||
            fsync(aside->fd) != 0)
            error = errno != 0 ? -errno : -EIO;
    }
    if (error == 0)
        error = each_entry(commit, view, commit->place.deltas[view], mark_delta,
                           commit);
    if (error == 0 &&
        renameat(commit->place.dir, aside->name, commit->place.dir,
                 sr_publish_dir_snapshot_name(view)) != 0)
        error = -errno;
    if (error != 0)
        return error;
    aside->name[0] = '\0';
    sr_publish_dir_drop_aside(&commit->place, view);
    return each_entry(commit, view, commit->place.deltas[view], drop_delta,
                      commit);
}

/* Beside the groups view stands what holds when it cannot be believed. */
static int
put_fallback(const struct commit *commit, bool *is_cut)
{
    const struct sr_publish_how *how = &commit->build->how;
    struct sr_string_list names = commit->build->exempt;
    char text[SR_FALLBACK_TEXT];

    while (!sr_fallback_encode(how->gid[SR_GROUP_UNKNOWN],
                               how->gid[SR_GROUP_OK], &names, text)) {
        *is_cut = true;
        names.count--;
    }
    return sr_publish_dir_put_link(&commit->place, SR_VIEW_GROUPS,
                                   SR_FALLBACK_NAME, text);
}

static int
exchange_all(struct commit *commit, bool *is_older, bool *is_cut)
{
    int error = find_sequence(commit, is_older);

    if (error == 0 && !*is_older)
        error = put_fallback(commit, is_cut);
    for (enum sr_view view = 0;
         error == 0 && !*is_older && view < SR_VIEW_COUNT; view++)
        error = exchange(commit, view);
    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = each_entry(commit, view, commit->place.dir, sweep_one, commit);
    return error;
}

static int
sync_all(const struct commit *commit)
{
    int error = fsync(commit->place.dir) != 0 ? -errno : 0;

    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = fsync(commit->place.deltas[view]) != 0 ? -errno : 0;
    return error;
}

/* ---- all of it */

static int
write_both(struct commit *commit)
{
    int error = sr_publish_dir_lock(&commit->place, commit->build->how.wait_ms);
    struct sr_signal_guard shield;
    struct rlimit fsize;

    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = open_aside(commit, view);
    sr_publish_dir_unlock(&commit->place);
    if (error == 0)
        error = sr_signal_guard_begin(&shield);
    if (error != 0)
        return error;
    sr_signal_guard_lift_fsize(&fsize);
    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = write_aside(commit, view);
    sr_signal_guard_restore_fsize(&fsize);
    sr_signal_guard_end(&shield);
    return error;
}

static int
prepare(struct commit *commit, const char *dir)
{
    const char *like = commit->build->how.like;
    int error = 0;

    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++)
        commit->aside[view].fd = -1;
    if (stat(like != NULL ? like : "/etc/shadow", &commit->like) != 0)
        memset(&commit->like, 0, sizeof(commit->like));
    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error =
            sr_builder_lay_out(commit->build, view, &commit->aside[view].image);
    if (error == 0)
        error = make_dirs(dir);
    if (error != 0) {
        commit->place.dir = -1;
        return error;
    }
    error = sr_publish_dir_open(&commit->place, dir);
    if (error == 0 && fchmod(commit->place.dir, 0755) != 0)
        error = -errno;
    return error == 0 ? make_delta_dirs(commit) : error;
}

enum sr_publish_result
sr_builder_commit(struct sr_builder *build, const char *dir, char *reason,
                  size_t size)
{
    struct commit commit = {.build = build};
    bool is_older = false, is_cut = false;
    int error;

    if (size > 0)
        reason[0] = '\0';
    if (strlen(dir) > SR_READER_DIR_MAX)
        return sr_publish_dir_judge(ENAMETOOLONG, dir, reason, size);
    error = prepare(&commit, dir);
    if (error == 0)
        error = write_both(&commit);
    if (error == 0)
        error = sr_publish_dir_lock(&commit.place, build->how.wait_ms);
    if (error == 0)
        error = exchange_all(&commit, &is_older, &is_cut);
    sr_publish_dir_unlock(&commit.place);
    if (error == 0 && !is_older)
        error = sync_all(&commit);
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++)
        build->table[view].count = commit.aside[view].image.header.count;
    drop_aside(&commit);
    if (commit.place.dir >= 0)
        sr_publish_dir_close(&commit.place);
    if (error == 0 && is_cut)
        snprintf(reason, size,
                 "the names of the exempt accounts have no room in %s",
                 SR_FALLBACK_NAME);
    return error == 0 && is_older
               ? SR_PUBLISH_UNCHANGED
               : sr_publish_dir_judge(error, dir, reason, size);
}
