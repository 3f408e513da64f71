/*
 * Memory: what this host remembers of one account besides its ledgers.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "policy/store/memory.h"
#include "policy/util/file_lock.h"
#include "policy/util/siphash.h"

#define MAGIC     "selfreset memory"
#define FORMAT    1u
#define BODY_SIZE offsetof(struct sr_memory, now)
#define WAIT_MS   1000 /* for one process that has the lock */
#define QUEUE_MS  5000 /* for all that have it one after another */
#define TRIES     32

struct file {
    char magic[16];
    uint32_t version;
    uint32_t uid;
    char backend[16];
    char name[SR_NAME_MAX + 1];
    uint8_t reserved[7];
    struct sr_clock clock;
    uint8_t body[BODY_SIZE];
    uint64_t sum;
};
_Static_assert(offsetof(struct file, clock) % 8 == 0 && BODY_SIZE % 8 == 0,
               "no padding");
_Static_assert(sizeof(struct file) <= 4096, "one block");

/* Where one account's memory is, and what was read of it. */
struct place {
    struct sr_store *store;
    const struct sr_identity *id;
    char path[SR_STORE_PATH_MAX];
    int fd; /* -1: there is none */
    struct stat status;
    struct sr_clock clock;
};

static struct place
place_of(struct sr_store *store, const struct sr_identity *id)
{
    struct place place = {.store = store, .id = id, .fd = -1};

    sr_store_account_path(id, "memory", place.path);
    return place;
}

static void
leave(struct place *place)
{
    if (place->fd >= 0)
        close(place->fd);
    place->fd = -1;
}

/* Whether every text ends and every number can be one; the sum finds damage,
 * but not what another program has written. */
static bool
is_sound(const struct sr_memory *memory)
{
    for (size_t i = 0; i < SR_FAMILIAR_MAX; i++) {
        const struct sr_familiar *entry = &memory->familiar[i];

        if (memchr(entry->source, '\0', sizeof(entry->source)) == NULL ||
            !sr_time_is_sound(entry->seen))
            return false;
    }
    for (size_t i = 0; i < SR_HISTORY_GROUPS; i++) {
        const struct sr_history_group *group = &memory->history.group[i];

        if (memchr(group->salt, '\0', sizeof(group->salt)) == NULL ||
            group->count > SR_HISTORY_MAX)
            return false;
    }
    return sr_time_is_sound(memory->temporary.issued) &&
           sr_time_is_sound(memory->temporary.until);
}

/* Whether the bytes are a file of this version, of any account. */
static enum sr_store_result
judge(const struct file *file, ssize_t size, const char *path)
{
    struct sr_memory memory;
    bool is_good;

    if (size < (ssize_t)offsetof(struct file, backend) ||
        memcmp(file->magic, MAGIC, sizeof(file->magic)) != 0)
        return SR_STORE_DAMAGED;
    if (file->version > FORMAT)
        return SR_STORE_VERSION;
    if (size != (ssize_t)sizeof(*file) ||
        file->sum != sr_store_sum(sr_store_sum_of_path(path), 0, file,
                                  sizeof(*file) - sizeof(file->sum)))
        return SR_STORE_DAMAGED;
    memcpy(&memory, file->body, BODY_SIZE);
    is_good = is_sound(&memory) && sr_clock_is_sound(&file->clock);
    explicit_bzero(&memory, sizeof(memory));
    return is_good ? SR_STORE_OK : SR_STORE_DAMAGED;
}

static bool
is_of(const struct file *file, const struct sr_identity *id)
{
    return file->uid == id->uid && strcmp(file->name, id->name) == 0 &&
           strcmp(file->backend, id->backend) == 0;
}

static void
set_now(struct place *place, struct sr_memory *memory)
{
    const struct sr_reading *reading = sr_store_clock(place->store);

    memory->now = sr_clock_now(&place->clock, reading, &memory->is_new_boot);
    memory->wall = reading->wall;
}

/* Read what the open file has. */
static enum sr_store_result
read_file(struct place *place, struct sr_memory *memory)
{
    enum sr_store_result result;
    struct file file;
    ssize_t size = pread(place->fd, &file, sizeof(file), 0);

    if (size < 0)
        return sr_store_judge(place->store, errno);
    result = judge(&file, size, place->path);
    if (result == SR_STORE_DAMAGED) {
        sr_store_set_aside(place->store, SR_STORE_SAVED, place->path);
        result = SR_STORE_NOT_FOUND;
    } else if (result == SR_STORE_OK && !is_of(&file, place->id)) {
        result = SR_STORE_NOT_FOUND;
    } else if (result == SR_STORE_OK) {
        memcpy(memory, file.body, BODY_SIZE);
        place->clock = file.clock;
    }
    explicit_bzero(&file, sizeof(file));
    return result;
}

/* Open and read.  The file stays open. */
static enum sr_store_result
enter(struct place *place, bool write, struct sr_memory *memory)
{
    enum sr_store_result result;

    memset(memory, 0, sizeof(*memory));
    memset(&place->clock, 0, sizeof(place->clock));
    result =
        sr_store_file(place->store, SR_STORE_SAVED, place->path,
                      write ? O_RDWR : O_RDONLY, &place->fd, &place->status);
    if (result == SR_STORE_OK && !write)
        result = read_file(place, memory);
    return result;
}

enum sr_store_result
sr_memory_get(struct sr_store *store, const struct sr_identity *id,
              struct sr_memory *memory)
{
    struct place place = place_of(store, id);
    enum sr_store_result result = enter(&place, false, memory);

    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND)
        set_now(&place, memory);
    leave(&place);
    return result;
}

/* ---- changing */

/* Lock the file that the name leads to.  Another process that has the lock
 * replaces the file when it is done; then the wait begins anew, so that a queue
 * of changes is waited for and a process that is stopped is not.  Without the
 * lock write_file() finds out whether another process was quicker. */
static enum sr_store_result
lock_current(struct place *place, int64_t queue_until, struct sr_memory *memory)
{
    for (;;) {
        const int64_t left = queue_until - sr_clock_milliseconds();
        enum sr_store_result result = enter(place, true, memory);

        if (result != SR_STORE_OK)
            return result;
        sr_file_lock_take(place->fd, true,
                          (unsigned)(left < 0         ? 0
                                     : left > WAIT_MS ? WAIT_MS
                                                      : left));
        if (left <= 0 || sr_store_is_same(place->store, SR_STORE_SAVED,
                                          place->path, &place->status))
            return read_file(place, memory);
        leave(place);
    }
}

static enum sr_store_result
write_file(struct place *place, const struct sr_memory *memory)
{
    struct file file = {.version = FORMAT, .uid = place->id->uid};
    enum sr_store_result result;

    memcpy(file.magic, MAGIC, sizeof(file.magic));
    memcpy(file.backend, place->id->backend, sizeof(file.backend));
    memcpy(file.name, place->id->name, sizeof(file.name));
    file.clock = place->clock;
    memcpy(file.body, memory, BODY_SIZE);
    file.sum = sr_store_sum(sr_store_sum_of_path(place->path), 0, &file,
                            sizeof(file) - sizeof(file.sum));
    /* Another process may have made the first file, or have waited for this one
     * too long and replaced the file. */
    result = sr_store_put(place->store, SR_STORE_SAVED, place->path, &file,
                          sizeof(file), true, place->fd >= 0,
                          place->fd >= 0 ? &place->status : NULL);
    explicit_bzero(&file, sizeof(file));
    return result;
}

static bool
make_salt(struct sr_memory *memory)
{
    static const uint8_t none[sizeof(memory->salt)];

    return memcmp(memory->salt, none, sizeof(none)) != 0 ||
           getrandom(memory->salt, sizeof(none), 0) == (ssize_t)sizeof(none);
}

enum sr_store_result
sr_memory_change(struct sr_store *store, const struct sr_identity *id,
                 bool (*change)(void *context, struct sr_memory *memory),
                 void *context)
{
    const int64_t queue_until = sr_clock_milliseconds() + QUEUE_MS;
    struct place place = place_of(store, id);
    enum sr_store_result result;
    struct sr_memory memory;

    for (int i = 0; i < TRIES; i++) {
        result = lock_current(&place, queue_until, &memory);
        if (result != SR_STORE_OK && result != SR_STORE_NOT_FOUND)
            break;
        set_now(&place, &memory);
        if (!make_salt(&memory))
            result = sr_store_judge(store, EIO);
        else if (change(context, &memory))
            result = write_file(&place, &memory);
        else
            result = SR_STORE_OK;
        leave(&place);
        if (result != SR_STORE_NOT_FOUND)
            break;
    }
    if (result == SR_STORE_NOT_FOUND) /* others were quicker each time */
        result = SR_STORE_BUSY;
    leave(&place);
    explicit_bzero(&memory, sizeof(memory));
    return result;
}

/* ---- what is in it */

uint64_t
sr_memory_fingerprint(const struct sr_memory *memory, const char *secret)
{
    return sr_siphash(memory->salt, secret, strlen(secret));
}

sr_time
sr_memory_temporary(const struct sr_memory *memory, const char *secret)
{
    const struct sr_temporary *temporary = &memory->temporary;

    if (temporary->until == 0 ||
        temporary->fingerprint !=
            sr_memory_fingerprint(memory, secret == NULL ? "" : secret))
        return SR_TIME_UNKNOWN;
    return sr_clock_to_wall(temporary->until, memory->now, memory->wall);
}

struct sr_familiar *
sr_memory_familiar(struct sr_memory *memory, const char *source,
                   int64_t lifetime)
{
    for (size_t i = 0; i < SR_FAMILIAR_MAX; i++) {
        struct sr_familiar *entry = &memory->familiar[i];

        if (entry->seen != 0 && memory->now - entry->seen < lifetime &&
            strncmp(entry->source, source, sizeof(entry->source)) == 0)
            return entry;
    }
    return NULL;
}

enum sr_store_result
sr_memory_check(struct sr_store *store, const char *path)
{
    enum sr_store_result result;
    struct file file;
    ssize_t size;
    int fd;

    result = sr_store_file(store, SR_STORE_SAVED, path, O_RDONLY, &fd, NULL);
    if (result != SR_STORE_OK)
        return result;
    size = pread(fd, &file, sizeof(file), 0);
    close(fd);
    result = size < 0 ? sr_store_judge(store, errno) : judge(&file, size, path);
    explicit_bzero(&file, sizeof(file));
    return result;
}
