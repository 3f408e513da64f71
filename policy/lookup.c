/*
 * Lookup: find what is published of one account.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/lookup.h"

/* "DIR/groups.d/" and a name. */
#define PATH_ROOM (SR_LOOKUP_DIR_MAX + 16 + SR_SNAPSHOT_NAME_MAX + 1)

/* How often to look again when a snapshot is replaced meanwhile. */
#define LOOKS 8

/* Without stdio, which the NSS door has no use for. */
static void
make_path(char path[PATH_ROOM], const char *dir, enum sr_view view,
          const char *rest, const char *name)
{
    char *end = stpncpy(path, dir, SR_LOOKUP_DIR_MAX);

    *end++ = '/';
    end = stpcpy(end, sr_view_name(view));
    end = stpcpy(end, rest);
    stpcpy(end, name);
}

sr_time
sr_lookup_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec;
}

bool
sr_lookup_read(int fd, uint64_t offset, void *bytes, size_t size)
{
    char *at = bytes;

    while (size > 0) {
        ssize_t got = pread(fd, at, size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

static enum sr_found
open_snapshot(const char *dir, enum sr_view view, int *fd)
{
    char path[PATH_ROOM];

    make_path(path, dir, view, ".snap", "");
    do
        *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    while (*fd < 0 && errno == EINTR);
    if (*fd >= 0)
        return SR_FOUND_IT;
    return errno == EACCES ? SR_FOUND_DENIED : SR_FOUND_BROKEN;
}

static enum sr_found
read_header(int fd, sr_time now, struct sr_header *header)
{
    uint8_t bytes[SR_SNAPSHOT_HEADER];

    return sr_lookup_read(fd, 0, bytes, sizeof(bytes)) &&
                   sr_header_decode(bytes, sizeof(bytes), header) &&
                   sr_header_is_current(header, now)
               ? SR_FOUND_IT
               : SR_FOUND_BROKEN;
}

/* Walk the buckets of a name.  *mark: its first bucket bears one. */
static enum sr_found
walk(int fd, const struct sr_header *header, const char *name,
     struct sr_payload *payload, bool *mark)
{
    uint8_t bucket[SR_SNAPSHOT_BUCKET];
    uint32_t number = sr_bucket_choose(header, name);

    *mark = false;
    for (unsigned step = 0; step < SR_SNAPSHOT_WALK; step++) {
        const uint8_t *found;
        size_t size;

        if (!sr_lookup_read(fd, sr_bucket_offset(number), bucket,
                            sizeof(bucket)) ||
            !sr_bucket_check(header, number, bucket))
            return SR_FOUND_BROKEN;
        if (step == 0)
            *mark = bucket[SR_BUCKET_MARK] != 0;
        found = sr_bucket_find(bucket, name, &size);
        if (found != NULL && size <= sizeof(payload->bytes)) {
            memcpy(payload->bytes, found, size);
            payload->size = size;
            return SR_FOUND_IT;
        }
        number = sr_bucket_next(bucket);
        if (number == 0)
            return found == NULL ? SR_FOUND_NOTHING : SR_FOUND_BROKEN;
    }
    return SR_FOUND_BROKEN;
}

/* Whether another snapshot has taken the place of an open one. */
static bool
is_replaced(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && status.st_nlink == 0;
}

/* What a delta makes of what was found.  *is_over: there is none any more,
 * since it went into a snapshot that is newer than this one. */
static enum sr_found
apply_delta(const char *dir, enum sr_view view, const char *name, int fd,
            enum sr_found found, struct sr_published *out, bool *is_over)
{
    struct sr_payload payload;
    char path[PATH_ROOM];
    char text[SR_DELTA_TEXT];
    uint64_t sequence;
    ssize_t size;

    make_path(path, dir, view, ".d/", name);
    size = readlink(path, text, sizeof(text));
    if (size < 0 && errno != ENOENT)
        return SR_FOUND_BROKEN;
    if (size < 0) {
        *is_over = is_replaced(fd);
        return found;
    }
    if (!sr_delta_decode(name, text, (size_t)size, &sequence, &payload))
        return SR_FOUND_BROKEN;
    if (sequence <= out->header.sequence)
        return found;
    out->payload = payload;
    out->sequence = sequence;
    return payload.size == 0 ? SR_FOUND_NOTHING : SR_FOUND_IT;
}

/* Look into the snapshot that is in place, and for a delta. */
static enum sr_found
look(const char *dir, enum sr_view view, const char *name, sr_time now,
     struct sr_published *out, bool *is_over)
{
    enum sr_found found;
    bool mark = false;
    int fd;

    *is_over = false;
    found = open_snapshot(dir, view, &fd);
    if (found != SR_FOUND_IT)
        return found;
    found = read_header(fd, now, &out->header);
    if (found == SR_FOUND_IT) {
        out->sequence = out->header.sequence;
        found = walk(fd, &out->header, name, &out->payload, &mark);
    }
    if (mark && found != SR_FOUND_BROKEN)
        found = apply_delta(dir, view, name, fd, found, out, is_over);
    close(fd);
    return found;
}

enum sr_found
sr_lookup(const char *dir, enum sr_view view, const char *name, sr_time now,
          struct sr_published *out)
{
    enum sr_found found = SR_FOUND_NOTHING;
    bool is_over = sr_snapshot_name(name);

    /* Snapshots do not come so fast that a reader is overtaken twice. */
    for (unsigned i = 0; is_over && i < LOOKS; i++)
        found = look(dir, view, name, now, out, &is_over);
    return found;
}

uint32_t
sr_lookup_fallback(const char *dir, const char *name)
{
    char text[SR_FALLBACK_TEXT];
    char path[PATH_ROOM];
    ssize_t size;

    make_path(path, dir, SR_VIEW_GROUPS, ".d/", SR_FALLBACK_NAME);
    size = readlink(path, text, sizeof(text));
    return size < 0 ? 0 : sr_fallback_gid(text, (size_t)size, name);
}
