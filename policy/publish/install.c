/*
 * Install: puts a snapshot of both views in place.
 *
 * The files are written aside without the lock of the directory.  The lock is
 * held while they are created and while they replace the old ones.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/publish/aside.h"
#include "policy/publish/delta.h"
#include "policy/publish/install.h"
#include "policy/publish/writer.h"
#include "policy/util/words.h"

struct install {
    struct sr_publish_dir dir;
    const struct sr_builder *build;
    struct sr_aside aside[SR_VIEW_COUNT];
    struct stat like; /* owner and mode of the shadow view */
    uint64_t sequence;
};

/* ---- directories */

/* Make a directory that all users may read, if it is missing. */
static int
make_open_dir(const char *path)
{
    if (mkdir(path, 0755) != 0)
        return errno == EEXIST ? 0 : -errno;
    return chmod(path, 0755) == 0 ? 0 : -errno; /* the umask cleared bits */
}

/* The same, with its parents. */
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
make_delta_dirs(struct install *install)
{
    int error = 0;

    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        if (install->dir.deltas[view] < 0 &&
            mkdirat(install->dir.dir, sr_publish_dir_deltas_name(view), 0700) !=
                0 &&
            errno != EEXIST)
            return -errno;
    }
    error = sr_publish_dir_open_deltas(&install->dir);
    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = sr_aside_set_access(&install->build->how, &install->like, view,
                                    true, install->dir.deltas[view]);
    return error;
}

/* ---- the exchange, under the lock */

/* Take a sequence that is newer than the wall clock for one from before the
 * clock was set back: this snapshot gets a newer one. */
static void
raise_above(struct install *install, uint64_t sequence)
{
    if (sequence > install->sequence && sequence > sr_publish_sequence())
        install->sequence = sequence + 1;
}

static int
raise_above_delta(void *context, enum sr_view view, const char *name)
{
    struct install *install = context;
    struct sr_payload payload;

    raise_above(install,
                sr_publish_dir_delta(&install->dir, view, name, &payload));
    return 0;
}

/* Choose the sequence.  *is_older: the installed snapshot is newer. */
static int
find_sequence(struct install *install, bool *is_older)
{
    struct sr_header header;
    int error = 0;

    install->sequence = install->build->how.sequence;
    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++) {
        const int fd =
            sr_publish_dir_open_snapshot(&install->dir, view, &header);

        if (fd >= 0) {
            close(fd);
            raise_above(install, header.sequence);
            *is_older = *is_older || header.sequence > install->sequence;
        }
        error = sr_publish_dir_each(install->dir.deltas[view], view,
                                    raise_above_delta, install);
    }
    return error;
}

static bool
is_fallback(const char *name)
{
    return strcmp(name, SR_FALLBACK_NAME) == 0;
}

static int
mark_delta(void *context, enum sr_view view, const char *name)
{
    struct install *install = context;
    const struct sr_aside *aside = &install->aside[view];
    struct sr_payload payload;

    if (is_fallback(name) ||
        sr_publish_dir_delta(&install->dir, view, name, &payload) <=
            install->sequence)
        return 0;
    return sr_publish_dir_mark(aside->fd, &aside->image.header, name);
}

static int
drop_delta(void *context, enum sr_view view, const char *name)
{
    struct install *install = context;
    struct sr_payload payload;

    if (!is_fallback(name) &&
        sr_publish_dir_delta(&install->dir, view, name, &payload) <=
            install->sequence)
        unlinkat(install->dir.deltas[view], name, 0);
    return 0;
}

/* Write the sequence and the marks, and rename. */
static int
exchange(struct install *install, enum sr_view view)
{
    struct sr_aside *aside = &install->aside[view];
    uint8_t bytes[SR_SNAPSHOT_HEADER];
    int error = 0;

    if (aside->image.header.sequence != install->sequence) {
        aside->image.header.sequence = install->sequence;
        sr_header_encode(&aside->image.header, bytes);
        if (pwrite(aside->fd, bytes, sizeof(bytes), 0) !=
                (ssize_t)sizeof(bytes) ||
            fsync(aside->fd) != 0)
            error = errno != 0 ? -errno : -EIO;
    }
    if (error == 0)
        error = sr_publish_dir_each(install->dir.deltas[view], view, mark_delta,
                                    install);
    if (error == 0 && renameat(install->dir.dir, aside->name, install->dir.dir,
                               sr_publish_dir_snapshot_name(view)) != 0)
        error = -errno;
    if (error != 0)
        return error;
    aside->name[0] = '\0';
    sr_publish_dir_drop_aside(&install->dir, view);
    return sr_publish_dir_each(install->dir.deltas[view], view, drop_delta,
                               install);
}

/* Install the link that is read when the groups view is not current. */
static int
put_fallback(const struct install *install, bool *is_cut)
{
    const struct sr_publish_how *how = &install->build->how;
    struct sr_string_list names = install->build->exempt;
    char text[SR_FALLBACK_TEXT];

    while (!sr_fallback_encode(how->gid[SR_GROUP_UNKNOWN],
                               how->gid[SR_GROUP_OK], &names, text)) {
        *is_cut = true;
        names.count--;
    }
    return sr_publish_dir_put_link(&install->dir, SR_VIEW_GROUPS,
                                   SR_FALLBACK_NAME, text);
}

static int
exchange_all(struct install *install, bool *is_older, bool *is_cut)
{
    int error = find_sequence(install, is_older);

    if (error == 0 && !*is_older)
        error = put_fallback(install, is_cut);
    for (enum sr_view view = 0;
         error == 0 && !*is_older && view < SR_VIEW_COUNT; view++)
        error = exchange(install, view);
    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = sr_aside_sweep(&install->dir, view);
    return error;
}

static int
sync_all(const struct install *install)
{
    int error = fsync(install->dir.dir) != 0 ? -errno : 0;

    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = fsync(install->dir.deltas[view]) != 0 ? -errno : 0;
    return error;
}

static int
write_both(struct install *install)
{
    int error = sr_publish_dir_lock(&install->dir, install->build->how.wait_ms);
    struct sr_signal_guard guard;
    struct rlimit fsize;

    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = sr_aside_open(&install->dir, view, &install->aside[view]);
    sr_publish_dir_unlock(&install->dir);
    if (error == 0)
        error = sr_signal_guard_begin(&guard);
    if (error != 0)
        return error;
    sr_signal_guard_lift_fsize(&fsize);
    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = sr_aside_write(&install->build->how, &install->like, view,
                               &install->aside[view]);
    sr_signal_guard_restore_fsize(&fsize);
    sr_signal_guard_end(&guard);
    return error;
}

static int
prepare(struct install *install, const char *dir)
{
    const char *like = install->build->how.like;
    int error = 0;

    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++)
        install->aside[view].fd = -1;
    if (stat(like != NULL ? like : "/etc/shadow", &install->like) != 0)
        memset(&install->like, 0, sizeof(install->like));
    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = sr_builder_lay_out(install->build, view,
                                   &install->aside[view].image);
    if (error == 0)
        error = make_dirs(dir);
    if (error != 0) {
        install->dir.dir = -1;
        return error;
    }
    error = sr_publish_dir_open(&install->dir, dir);
    if (error == 0 && fchmod(install->dir.dir, 0755) != 0)
        error = -errno;
    return error == 0 ? make_delta_dirs(install) : error;
}

enum sr_publish_result
sr_builder_commit(struct sr_builder *build, const char *dir, char *reason,
                  size_t size)
{
    struct install install = {.build = build};
    bool is_older = false, is_cut = false;
    int error;

    if (size > 0)
        reason[0] = '\0';
    if (strlen(dir) > SR_READER_DIR_MAX)
        return sr_publish_dir_result(ENAMETOOLONG, dir, reason, size);
    error = prepare(&install, dir);
    if (error == 0)
        error = write_both(&install);
    if (error == 0)
        error = sr_publish_dir_lock(&install.dir, build->how.wait_ms);
    if (error == 0)
        error = exchange_all(&install, &is_older, &is_cut);
    sr_publish_dir_unlock(&install.dir);
    if (error == 0 && !is_older)
        error = sync_all(&install);
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++)
        build->table[view].count = install.aside[view].image.header.count;
    build->aliases = 0; /* the counts above are without them */
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++)
        sr_aside_drop(&install.dir, &install.aside[view]);
    if (install.dir.dir >= 0)
        sr_publish_dir_close(&install.dir);
    if (error == 0 && is_cut)
        snprintf(reason, size,
                 N_LOG("the names of the exempt accounts have no room in %s"),
                 SR_FALLBACK_NAME);
    return error == 0 && is_older
               ? SR_PUBLISH_UNCHANGED
               : sr_publish_dir_result(error, dir, reason, size);
}
