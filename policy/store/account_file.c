/*
 * Account file: a file of the store that has one thing that this host keeps of
 * one account.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "policy/store/account_file.h"
#include "policy/util/file_lock.h"

#define WAIT_MS  1000 /* for one process that has the lock */
#define QUEUE_MS 5000 /* for all that have it one after another */
#define TRIES    32

/* What is before the body in a file; behind it is the sum. */
struct head {
    char magic[16];
    uint32_t version;
    uint32_t uid;
    char backend[16];
    char name[SR_NAME_MAX + 1];
    uint8_t reserved[7];
    struct sr_clock clock;
};
_Static_assert(offsetof(struct head, clock) % 8 == 0 &&
                   sizeof(struct head) % 8 == 0,
               "no padding");

/* Room for a file. */
union file {
    struct head head;
    uint8_t bytes[sizeof(struct head) + SR_ACCOUNT_FILE_MAX + sizeof(uint64_t)];
};

/* Where one account's file is, and what was read of it. */
struct place {
    struct sr_store *store;
    const struct sr_account_file *kind;
    const struct sr_identity *id;
    char path[SR_STORE_PATH_MAX];
    int fd; /* -1: there is none */
    struct stat status;
    struct sr_clock clock;
};

static struct place
place_of(struct sr_store *store, const struct sr_account_file *kind,
         const struct sr_identity *id)
{
    struct place place = {.store = store, .kind = kind, .id = id, .fd = -1};

    sr_store_account_path(id, kind->suffix, place.path);
    return place;
}

static void
leave(struct place *place)
{
    if (place->fd >= 0)
        close(place->fd);
    place->fd = -1;
}

/* Bytes of a file before its sum, by those of its structure. */
static size_t
summed_size(size_t size)
{
    return sizeof(struct head) + size;
}

static uint64_t
sum_of(const union file *file, size_t size, const char *path)
{
    return sr_store_sum(sr_store_sum_of_path(path), 0, file, summed_size(size));
}

/* Whether the bytes are a file of a version that is read, of any account; its
 * structure is made one of this version. */
static enum sr_store_result
judge(union file *file, ssize_t size, const struct sr_account_file *kind,
      const char *path)
{
    uint8_t *const body = file->bytes + sizeof(file->head);
    size_t body_size;
    uint64_t sum;

    if (size < (ssize_t)offsetof(struct head, backend) ||
        memcmp(file->head.magic, kind->magic, sizeof(file->head.magic)) != 0)
        return SR_STORE_DAMAGED;
    body_size = sr_account_file_size(kind, file->head.version);
    if (body_size == 0)
        return SR_STORE_VERSION;
    if (size != (ssize_t)(summed_size(body_size) + sizeof(sum)))
        return SR_STORE_DAMAGED;
    memcpy(&sum, file->bytes + summed_size(body_size), sizeof(sum));
    if (sum != sum_of(file, body_size, path))
        return SR_STORE_DAMAGED;
    memset(body + body_size, 0, kind->size - body_size);
    return kind->is_sound(body) && sr_clock_is_sound(&file->head.clock)
               ? SR_STORE_OK
               : SR_STORE_DAMAGED;
}

static bool
is_of(const struct head *head, const struct sr_identity *id)
{
    return head->uid == id->uid && strcmp(head->name, id->name) == 0 &&
           strcmp(head->backend, id->backend) == 0;
}

static void
set_time(struct place *place, struct sr_account_time *time)
{
    const struct sr_reading *reading = sr_store_clock(place->store);

    time->now = sr_clock_now(&place->clock, reading, &time->is_new_boot);
    time->wall = reading->wall;
}

/* Read what the open file has. */
static enum sr_store_result
read_file(struct place *place, void *body)
{
    enum sr_store_result result;
    union file file;
    ssize_t size = pread(place->fd, &file, sizeof(file), 0);

    if (size < 0)
        return sr_store_judge(place->store, errno);
    result = judge(&file, size, place->kind, place->path);
    if (result == SR_STORE_DAMAGED) {
        sr_store_set_aside(place->store, SR_STORE_SAVED, place->path);
        result = SR_STORE_NOT_FOUND;
    } else if (result == SR_STORE_OK && !is_of(&file.head, place->id)) {
        result = SR_STORE_NOT_FOUND;
    } else if (result == SR_STORE_OK) {
        memcpy(body, file.bytes + sizeof(file.head), place->kind->size);
        place->clock = file.head.clock;
    }
    explicit_bzero(&file, sizeof(file));
    return result;
}

/* Open and read.  The file stays open. */
static enum sr_store_result
enter(struct place *place, bool write, void *body)
{
    enum sr_store_result result;

    memset(body, 0, place->kind->size);
    memset(&place->clock, 0, sizeof(place->clock));
    result =
        sr_store_file(place->store, SR_STORE_SAVED, place->path,
                      write ? O_RDWR : O_RDONLY, &place->fd, &place->status);
    if (result == SR_STORE_OK && !write)
        result = read_file(place, body);
    return result;
}

enum sr_store_result
sr_account_file_get(struct sr_store *store, const struct sr_account_file *kind,
                    const struct sr_identity *id, void *body,
                    struct sr_account_time *time)
{
    struct place place = place_of(store, kind, id);
    enum sr_store_result result = enter(&place, false, body);

    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND)
        set_time(&place, time);
    leave(&place);
    return result;
}

/* ---- changing */

/* Lock the file that the name leads to.  Another process that has the lock
 * replaces the file when it is done; then the wait begins anew, so that a queue
 * of changes is waited for and a process that is stopped is not.  Without the
 * lock write_file() finds out whether another process was quicker, but not in
 * its very last step. */
static enum sr_store_result
lock_current(struct place *place, int64_t queue_until, void *body)
{
    const int64_t most = place->kind->is_exclusive ? QUEUE_MS : WAIT_MS;

    for (;;) {
        const int64_t left = queue_until - sr_clock_milliseconds();
        enum sr_store_result result = enter(place, true, body);
        int error;

        if (result != SR_STORE_OK)
            return result;
        error = sr_file_lock_take(place->fd, true,
                                  (unsigned)(left < 0      ? 0
                                             : left > most ? most
                                                           : left));
        if (place->kind->is_exclusive && (left <= 0 || error != 0))
            return SR_STORE_BUSY;
        if (left <= 0 || sr_store_is_same(place->store, SR_STORE_SAVED,
                                          place->path, &place->status))
            return read_file(place, body);
        leave(place);
    }
}

static enum sr_store_result
write_file(struct place *place, const void *body)
{
    const size_t summed = summed_size(place->kind->size);
    enum sr_store_result result;
    union file file;
    uint64_t sum;

    memset(&file.head, 0, sizeof(file.head));
    memcpy(file.head.magic, place->kind->magic, sizeof(file.head.magic));
    file.head.version = place->kind->version;
    file.head.uid = place->id->uid;
    memcpy(file.head.backend, place->id->backend, sizeof(file.head.backend));
    memcpy(file.head.name, place->id->name, sizeof(file.head.name));
    file.head.clock = place->clock;
    memcpy(file.bytes + sizeof(file.head), body, place->kind->size);
    sum = sum_of(&file, place->kind->size, place->path);
    memcpy(file.bytes + summed, &sum, sizeof(sum));
    /* Another process may have made the first file, or have waited for this one
     * too long and replaced the file. */
    result = sr_store_put(place->store, SR_STORE_SAVED, place->path, &file,
                          summed + sizeof(sum), true, place->fd >= 0,
                          place->fd >= 0 ? &place->status : NULL);
    explicit_bzero(&file, sizeof(file));
    return result;
}

enum sr_store_result
sr_account_file_change(struct sr_store *store,
                       const struct sr_account_file *kind,
                       const struct sr_identity *id, void *body,
                       bool (*change)(void *context, void *body,
                                      const struct sr_account_time *time),
                       void *context)
{
    const int64_t queue_until = sr_clock_milliseconds() + QUEUE_MS;
    struct place place = place_of(store, kind, id);
    struct sr_account_time time;
    enum sr_store_result result = SR_STORE_NOT_FOUND;

    for (int i = 0; i < TRIES && result == SR_STORE_NOT_FOUND; i++) {
        result = lock_current(&place, queue_until, body);
        if (result != SR_STORE_OK && result != SR_STORE_NOT_FOUND)
            break;
        set_time(&place, &time);
        if (change(context, body, &time))
            result = write_file(&place, body);
        else
            result = SR_STORE_OK;
        leave(&place);
    }
    if (result == SR_STORE_NOT_FOUND) /* others were quicker each time */
        result = SR_STORE_BUSY;
    leave(&place);
    explicit_bzero(body, kind->size);
    return result;
}

enum sr_store_result
sr_account_file_check(struct sr_store *store,
                      const struct sr_account_file *kind, const char *path,
                      void *body)
{
    enum sr_store_result result;
    union file file;
    ssize_t size;
    int fd;

    result = sr_store_file(store, SR_STORE_SAVED, path, O_RDONLY, &fd, NULL);
    if (result != SR_STORE_OK)
        return result;
    size = pread(fd, &file, sizeof(file), 0);
    close(fd);
    result = size < 0 ? sr_store_judge(store, errno)
                      : judge(&file, size, kind, path);
    if (result == SR_STORE_OK && body != NULL)
        memcpy(body, file.bytes + sizeof(file.head), kind->size);
    explicit_bzero(&file, sizeof(file));
    return result;
}
