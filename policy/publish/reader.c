/*
 * Reader: finds what is published of one account.
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

#include "policy/publish/reader.h"
#include "policy/publish/uptime.h"

/* "DIR/groups.d/" and a name. */
#define PATH_ROOM (SR_READER_DIR_MAX + 16 + SR_SNAPSHOT_NAME_MAX + 1)

/* Paths and buckets are large: the functions that have them on the stack are
 * not inlined, so that only one of them is there at a time. */
#define APART __attribute__((noinline))

/* How often a lookup starts again because the snapshot was replaced. */
#define ATTEMPTS 8

/* Without stdio, for the NSS module.  The room is enough for the longest `dir`
 * and the longest name. */
static void
make_path(char *path, const char *dir, enum sr_view view, const char *rest,
          const char *name)
{
    const size_t length = strnlen(dir, SR_READER_DIR_MAX);
    char *end = path + length;

    memcpy(path, dir, length);
    *end++ = '/';
    end = stpcpy(end, sr_view_name(view));
    end = stpcpy(end, rest);
    stpcpy(end, name);
}

sr_time
sr_reader_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec;
}

bool
sr_reader_read(int fd, uint64_t offset, void *bytes, size_t size)
{
    char *at = bytes;

    while (size > 0) {
        ssize_t got = pread(fd, at, size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EBADMSG; /* shorter than its header says */
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

static APART enum sr_found
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
damaged(void)
{
    errno = EBADMSG;
    return SR_FOUND_BROKEN;
}

bool
sr_reader_uptime(int fd, const struct sr_header *header,
                 struct sr_uptime *uptime)
{
    uint8_t bytes[SR_SNAPSHOT_UPTIME];

    return sr_reader_read(fd, SR_SNAPSHOT_UPTIME_AT, bytes, sizeof(bytes)) &&
           sr_uptime_decode(header, bytes, uptime) && uptime->boot != 0;
}

static bool
is_current_by_uptime(int fd, const struct sr_header *header)
{
    struct sr_uptime uptime;
    uint64_t boot;
    int64_t seconds;

    return sr_reader_uptime(fd, header, &uptime) &&
           sr_uptime_read(&boot, &seconds) &&
           sr_uptime_is_current(&uptime, boot, seconds);
}

/* The uptime is asked only when the wall clock says no: it costs an open(2). */
bool
sr_reader_is_current(int fd, const struct sr_header *header, sr_time now)
{
    return sr_header_is_current(header, now) ||
           is_current_by_uptime(fd, header);
}

static enum sr_found
read_header(int fd, struct sr_header *header)
{
    uint8_t bytes[SR_SNAPSHOT_HEADER];

    if (!sr_reader_read(fd, 0, bytes, sizeof(bytes)))
        return SR_FOUND_BROKEN;
    return sr_header_decode(bytes, sizeof(bytes), header) ? SR_FOUND_IT
                                                          : damaged();
}

enum sr_found
sr_reader_open(const char *dir, enum sr_view view, int *fd,
               struct sr_header *header)
{
    enum sr_found found = open_snapshot(dir, view, fd);

    if (found != SR_FOUND_IT)
        return found;
    found = read_header(*fd, header);
    if (found != SR_FOUND_IT)
        close(*fd);
    return found;
}

/* The same, for a snapshot that is current. */
static enum sr_found
open_current(const char *dir, enum sr_view view, sr_time now, int *fd,
             struct sr_header *header)
{
    enum sr_found found = sr_reader_open(dir, view, fd, header);

    if (found != SR_FOUND_IT || sr_reader_is_current(*fd, header, now))
        return found;
    close(*fd);
    errno = ESTALE;
    return SR_FOUND_BROKEN;
}

static enum sr_found
read_bucket(int fd, const struct sr_header *header, uint32_t number,
            uint8_t bucket[SR_SNAPSHOT_BUCKET])
{
    if (!sr_reader_read(fd, sr_bucket_offset(number), bucket,
                        SR_SNAPSHOT_BUCKET))
        return SR_FOUND_BROKEN;
    return sr_bucket_check(header, number, bucket) ? SR_FOUND_IT : damaged();
}

/* Search the chain of a name.  *mark: its first bucket has the mark. */
static APART enum sr_found
walk(int fd, const struct sr_header *header, const char *name,
     struct sr_payload *payload, bool *mark)
{
    uint8_t bucket[SR_SNAPSHOT_BUCKET];
    uint32_t number = sr_bucket_choose(header, name);

    *mark = false;
    for (unsigned step = 0; step < SR_SNAPSHOT_WALK; step++) {
        const uint8_t *found;
        size_t size;

        if (read_bucket(fd, header, number, bucket) != SR_FOUND_IT)
            return SR_FOUND_BROKEN;
        if (step == 0)
            *mark = bucket[SR_BUCKET_MARK] != 0;
        found = sr_bucket_find(bucket, name, &size);
        if (found != NULL && size > sizeof(payload->bytes))
            return damaged();
        if (found != NULL) {
            memcpy(payload->bytes, found, size);
            payload->size = size;
            return SR_FOUND_IT;
        }
        number = sr_bucket_next(bucket);
        if (number == 0)
            return SR_FOUND_NOTHING;
    }
    return damaged();
}

/* The text of a delta; as readlink(2).  Apart, so that the path is off the
 * stack when the text is decoded. */
static APART ssize_t
read_delta(const char *dir, enum sr_view view, const char *name,
           char text[SR_DELTA_TEXT])
{
    char path[PATH_ROOM];

    make_path(path, dir, view, ".d/", name);
    return readlink(path, text, SR_DELTA_TEXT);
}

/* Replace what was found by a newer delta.  *is_missing: there is no delta. */
static APART enum sr_found
apply_delta(const char *dir, enum sr_view view, enum sr_found found,
            const char *name, struct sr_published *out, bool *is_missing)
{
    struct sr_payload payload;
    char text[SR_DELTA_TEXT];
    uint64_t sequence;
    ssize_t size = read_delta(dir, view, name, text);

    *is_missing = size < 0 && errno == ENOENT;
    if (*is_missing)
        return found;
    if (size < 0)
        return errno == EACCES ? SR_FOUND_DENIED : SR_FOUND_BROKEN;
    if (!sr_delta_decode(name, text, (size_t)size, &sequence, &payload))
        return damaged();
    if (sequence <= out->header.sequence)
        return found;
    out->payload = payload;
    out->sequence = sequence;
    return payload.size == 0 ? SR_FOUND_NOTHING : SR_FOUND_IT;
}

static bool
is_replaced(int fd)
{
    struct stat file;

    return fstat(fd, &file) == 0 && file.st_nlink == 0;
}

/*
 * Find a name in an open snapshot.  *is_late: its delta is gone because a newer
 * snapshot than the one that was read contains it; without another attempt the
 * caller would see the state before the change.
 */
static enum sr_found
find_in(int fd, const char *dir, enum sr_view view, const char *name,
        struct sr_published *out, bool *is_late)
{
    bool mark, is_missing = false;
    enum sr_found found;

    out->sequence = out->header.sequence;
    found = walk(fd, &out->header, name, &out->payload, &mark);
    if (mark && found != SR_FOUND_BROKEN)
        found = apply_delta(dir, view, found, name, out, &is_missing);
    *is_late = *is_late || (is_missing && is_replaced(fd));
    return found;
}

/* The same for each run of parts of the name's alias; payloads of aliases say
 * nothing.  IT also for a name without alias, and where not all are here. */
static APART enum sr_found
find_alias(int fd, const char *dir, enum sr_view view, const char *name,
           struct sr_published *out, bool *is_late)
{
    char alias[SR_SNAPSHOT_NAME_MAX + 1];
    enum sr_found found = SR_FOUND_NOTHING;

    if (out->header.is_partial || !sr_snapshot_alias(name, alias))
        return SR_FOUND_IT;
    for (char *part = alias; part != NULL && found == SR_FOUND_NOTHING;
         part = sr_snapshot_next_part(part)) {
        char *end = part;

        do {
            end = sr_snapshot_next_part(end);
            if (end != NULL)
                *end = '\0';
            found = find_in(fd, dir, view, part, out, is_late);
            if (end != NULL)
                *end = ':';
        } while (end != NULL && found == SR_FOUND_NOTHING);
    }
    return found;
}

static enum sr_found
find_once(const char *dir, enum sr_view view, const char *name, sr_time now,
          struct sr_published *out, bool *is_late)
{
    enum sr_found found, alias;
    int fd;

    *is_late = false;
    out->is_alias = false;
    found = open_current(dir, view, now, &fd, &out->header);
    if (found != SR_FOUND_IT)
        return found;
    if (!sr_snapshot_name(name)) {
        out->is_alias = true;
        close(fd);
        return SR_FOUND_NOTHING;
    }
    found = find_in(fd, dir, view, name, out, is_late);
    /* A delta that says that the account is gone is an answer. */
    if (found == SR_FOUND_NOTHING && view == SR_VIEW_GROUPS &&
        out->sequence == out->header.sequence) {
        alias = find_alias(fd, dir, view, name, out, is_late);
        out->is_alias = alias == SR_FOUND_IT;
        if (alias == SR_FOUND_BROKEN)
            found = alias;
    }
    close(fd);
    return found;
}

enum sr_found
sr_reader_find(const char *dir, enum sr_view view, const char *name,
               sr_time now, struct sr_published *out)
{
    enum sr_found found;
    bool is_late;

    for (unsigned i = 0; i < ATTEMPTS; i++) {
        found = find_once(dir, view, name, now, out, &is_late);
        if (!is_late)
            break;
    }
    return found;
}

/* The entry at the cursor or the next, in an open snapshot. */
static APART enum sr_found
list_entry(int fd, const struct sr_header *header, struct sr_cursor *cursor,
           char name[SR_SNAPSHOT_NAME_MAX + 1])
{
    const uint32_t end = header->buckets + header->overflow;
    uint8_t bucket[SR_SNAPSHOT_BUCKET];
    const char *found;
    size_t length, size;

    for (; cursor->bucket < end; cursor->bucket++, cursor->index = 0) {
        if (read_bucket(fd, header, cursor->bucket, bucket) != SR_FOUND_IT)
            return SR_FOUND_BROKEN;
        if (sr_bucket_entry(bucket, cursor->index, &found, &length, &size) ==
            NULL)
            continue;
        memcpy(name, found, length);
        name[length] = '\0';
        return SR_FOUND_IT;
    }
    return SR_FOUND_NOTHING;
}

enum sr_found
sr_reader_list(const char *dir, enum sr_view view, sr_time now,
               struct sr_cursor *cursor, char name[SR_SNAPSHOT_NAME_MAX + 1])
{
    struct sr_header header;
    enum sr_found found;
    int fd;

    found = open_current(dir, view, now, &fd, &header);
    if (found != SR_FOUND_IT)
        return found;
    if (!header.is_listed) {
        found = SR_FOUND_NOTHING;
    } else if (cursor->sequence != 0 && cursor->sequence != header.sequence) {
        cursor->sequence = header.sequence;
        cursor->bucket = UINT32_MAX;
        found = SR_FOUND_BROKEN;
        errno = EAGAIN;
    } else {
        cursor->sequence = header.sequence;
        found = list_entry(fd, &header, cursor, name);
    }
    close(fd);
    return found;
}

static int
visit_bucket(const uint8_t bucket[SR_SNAPSHOT_BUCKET],
             int (*visit)(void *context, const char *name), void *context)
{
    char name[SR_SNAPSHOT_NAME_MAX + 1];
    const char *found;
    size_t length, size;
    int result = 0;

    for (unsigned i = 0; result == 0 && sr_bucket_entry(bucket, i, &found,
                                                        &length, &size) != NULL;
         i++) {
        memcpy(name, found, length);
        name[length] = '\0';
        result = visit(context, name);
    }
    return result;
}

int
sr_reader_each(int fd, const struct sr_header *header,
               int (*visit)(void *context, const char *name), void *context)
{
    const uint32_t end = header->buckets + header->overflow;
    uint8_t bucket[SR_SNAPSHOT_BUCKET];
    int result = 0;

    for (uint32_t i = 0; result == 0 && i < end; i++) {
        if (read_bucket(fd, header, i, bucket) == SR_FOUND_IT)
            result = visit_bucket(bucket, visit, context);
    }
    return result;
}

uint32_t
sr_reader_fallback(const char *dir, const char *name)
{
    char text[SR_FALLBACK_TEXT];
    char path[PATH_ROOM - SR_SNAPSHOT_NAME_MAX + sizeof(SR_FALLBACK_NAME)];
    ssize_t size;

    make_path(path, dir, SR_VIEW_GROUPS, ".d/", SR_FALLBACK_NAME);
    size = readlink(path, text, sizeof(text));
    /* A text that fills the buffer was truncated. */
    return size < 0 || size == sizeof(text)
               ? 0
               : sr_fallback_gid(text, (size_t)size, name);
}
