/*
 * Ledger: the file of one ledger of attempts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/store/ledger.h"
#include "policy/util/file_lock.h"

#define MAGIC  "selfreset ledger"
#define FORMAT 1u
#define SECTOR sizeof(struct sr_record)
#define SLOTS  (SR_REFUSAL_SLOTS + SR_ATTEMPTS_MAX)

/* Where locks are: beyond any byte that is read or written, so that a lock is
 * in nobody's way on file systems that enforce them. */
#define LOCKS_AT ((off_t)1 << 30)

/* How often a record is read again that may just be being written. */
#define READS 4

struct header {
    char magic[16];
    uint32_t version;
    uint32_t count; /* slots for attempts that were written when it was made */
    uint32_t kind;
    uint32_t uid;
    char backend[16];
    char name[SR_NAME_MAX + 1];
    char source[SR_SOURCE_MAX];
    uint8_t reserved[512 - 16 - 16 - 16 - (SR_NAME_MAX + 1) - SR_SOURCE_MAX -
                     2 * 8];
    uint64_t tag; /* of the name or source; 0: none, or of an older version */
    uint64_t sum;
};
_Static_assert(sizeof(struct header) == 512, "the header is one sector");

/* The image of a file: header, refusals, attempts. */
struct image {
    struct header header;
    struct sr_record record[];
};
_Static_assert(sizeof(struct image) == 512, "no padding");

struct sr_ledger_file {
    struct sr_store *store;
    enum sr_store_place place;
    int fd;
    unsigned count;                 /* slots for attempts that the file has */
    unsigned attempts;              /* and that are wanted */
    const struct sr_limits *limits; /* while it is opened; to read NULL */
    bool is_new;
    bool is_read; /* the image was read when the file was opened, just now */
    bool is_overflow;
    uint64_t damaged;
    struct sr_ledger_file *also; /* the same ledger in the other place */
    struct stat status;
    uint32_t held[SLOTS]; /* epoch of the lock, plus one; 0: not held */
    struct sr_ledger_key key;
    uint64_t path_sum;
    unsigned room;       /* slots for attempts that the image can have */
    struct image *image; /* a login has two of them: no larger than needed */
};

/* ---- keys */

struct sr_ledger_key
sr_ledger_key_account(const struct sr_identity *id, enum sr_ledger_kind kind,
                      const char *source)
{
    static const char *const suffix[] = {
        [SR_LEDGER_STRANGERS] = "strangers",
        [SR_LEDGER_OWN] = "own",
    };
    struct sr_ledger_key key = {.kind = kind, .id = *id};
    char from[5 + 33] = "from-";

    if (kind == SR_LEDGER_FAMILIAR) {
        snprintf(key.source, sizeof(key.source), "%s", source);
        sr_store_digest(key.source, strlen(key.source), from + 5);
        from[5 + 16] = '\0';
    }
    sr_store_account_path(id, kind == SR_LEDGER_FAMILIAR ? from : suffix[kind],
                          key.path);
    return key;
}

/* The path of one of the places; the step is odd, so that no two of them are
 * the same. */
static void
set_place(struct sr_ledger_key *key, unsigned place)
{
    const uint64_t step = key->tag >> 32 | 1;

    snprintf(key->path, sizeof(key->path), "%s/%04x", key->folder,
             (unsigned)((key->tag + place * step) % key->files));
}

static enum sr_store_result
tagged_key(struct sr_store *store, const char *text, const char *folder,
           uint32_t files, struct sr_ledger_key *key)
{
    const enum sr_store_result result =
        sr_store_hash(store, text, strlen(text), &key->tag);

    key->folder = folder;
    key->files = files;
    set_place(key, 0);
    return result;
}

enum sr_store_result
sr_ledger_key_name(struct sr_store *store, const char *name,
                   struct sr_ledger_key *key)
{
    *key = (struct sr_ledger_key){.kind = SR_LEDGER_NAME};
    return tagged_key(store, name, "names", SR_NAME_LEDGERS, key);
}

/* The sources from which root comes to repair a host: they have a place of
 * their own, whatever users and peers do. */
static bool
is_always_kept(const char *text)
{
    return strcmp(text, "console") == 0 || strcmp(text, "pts") == 0 ||
           strcmp(text, "uid:0") == 0;
}

enum sr_store_result
sr_ledger_key_source(struct sr_store *store, const char *text,
                     struct sr_ledger_key *key)
{
    *key = (struct sr_ledger_key){.kind = SR_LEDGER_SOURCE};
    if (is_always_kept(text)) {
        snprintf(key->path, sizeof(key->path), "here/%s", text);
        return SR_STORE_OK;
    }
    return sr_source_is_here(text)
               ? tagged_key(store, text, "here", SR_HERE_LEDGERS, key)
               : tagged_key(store, text, "sources", SR_SOURCE_LEDGERS, key);
}

/* ---- sectors */

static uint64_t
sum_of(const struct sr_ledger_file *file, unsigned sector, const void *bytes)
{
    return sr_store_sum(file->path_sum, sector, bytes,
                        SECTOR - sizeof(uint64_t));
}

/* The sector of a slot; refusals come first. */
static unsigned
sector_of(unsigned slot)
{
    return slot >= SR_ATTEMPTS_MAX ? 1 + slot - SR_ATTEMPTS_MAX
                                   : 1 + SR_REFUSAL_SLOTS + slot;
}

static struct sr_record *
record_at(struct image *image, unsigned slot)
{
    return slot >= SR_ATTEMPTS_MAX ? &image->record[slot - SR_ATTEMPTS_MAX]
                                   : &image->record[SR_REFUSAL_SLOTS + slot];
}

static bool
is_blank(const void *bytes)
{
    static const uint8_t zeros[SECTOR];

    return memcmp(bytes, zeros, sizeof(zeros)) == 0;
}

/* Whether a record checks out.  A slot that was not made with the file and was
 * never used has no bytes. */
static bool
is_sound(const struct sr_ledger_file *file, const struct sr_record *record,
         unsigned slot)
{
    if (slot < SR_ATTEMPTS_MAX && slot >= file->image->header.count &&
        is_blank(record))
        return true;
    return record->sum == sum_of(file, sector_of(slot), record) &&
           sr_record_is_sound(record);
}

/* ---- locks */

static off_t
lock_at(unsigned slot, uint32_t epoch)
{
    return LOCKS_AT + (off_t)epoch * SLOTS + slot;
}

static int
set_lock(int fd, int command, short type, off_t at)
{
    struct flock byte = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};

    if (fcntl(fd, command, &byte) != 0)
        return -errno;
    return command == F_OFD_GETLK && byte.l_type != F_UNLCK ? 1 : 0;
}

static bool
is_held_by_another(const struct sr_ledger_file *file, unsigned slot,
                   uint32_t epoch)
{
    return set_lock(file->fd, F_OFD_GETLK, F_WRLCK, lock_at(slot, epoch)) == 1;
}

int
sr_ledger_take(struct sr_ledger_file *file, unsigned slot, bool is_stuck)
{
    const uint32_t epoch =
        record_at(file->image, slot)->epoch + (is_stuck ? 1 : 0);
    const int error =
        set_lock(file->fd, F_OFD_SETLK, F_WRLCK, lock_at(slot, epoch));

    if (error == 0)
        file->held[slot] = epoch + 1;
    if (error == 0)
        return 1;
    return error == -EAGAIN || error == -EACCES ? 0 : error;
}

void
sr_ledger_give(struct sr_ledger_file *file, unsigned slot)
{
    if (file->held[slot] != 0)
        set_lock(file->fd, F_OFD_SETLK, F_UNLCK,
                 lock_at(slot, file->held[slot] - 1));
    file->held[slot] = 0;
}

/* ---- reading */

/* Bytes of an image with so many slots for attempts. */
static size_t
size_of_image(unsigned slots)
{
    return SECTOR * (1 + SR_REFUSAL_SLOTS + slots);
}

/* Slots for attempts of a file of that many bytes. */
static unsigned
slots_of(size_t size)
{
    const size_t slots =
        size < size_of_image(0) ? 0 : (size - size_of_image(0)) / SECTOR;

    return slots < SR_ATTEMPTS_MAX ? (unsigned)slots : SR_ATTEMPTS_MAX;
}

/* Make the image as large as that many slots for attempts need, and one record
 * larger: a file that has more than was expected fills that.  Records move. */
static bool
make_room(struct sr_ledger_file *file, unsigned slots)
{
    struct image *grown;

    if (file->image != NULL && slots <= file->room)
        return true;
    grown = realloc(file->image, size_of_image(slots + 1));
    if (grown == NULL)
        return false;
    file->image = grown;
    file->room = slots;
    return true;
}

/* When a file was last written, by its own ledger time. */
static sr_time
written_at(const struct sr_ledger_file *file, const struct sr_reading *reading,
           sr_time now)
{
    const sr_time age = reading->wall - file->status.st_mtime;

    if (age <= 0 || age >= now)
        return age <= 0 ? now : 1;
    return now - age;
}

/* How many slots are read: those that the file has, should have, or is to
 * have. */
static unsigned
reach(const struct sr_ledger_file *file)
{
    unsigned most = file->attempts;

    if (file->image->header.count > most)
        most = file->image->header.count;
    if (file->count > most)
        most = file->count;
    /* The header may have been damaged since it was checked. */
    return most < SR_ATTEMPTS_MAX ? most : SR_ATTEMPTS_MAX;
}

static int
read_image(struct sr_ledger_file *file)
{
    size_t size = 0;

    for (;;) {
        const size_t room = size_of_image(file->room + 1);
        uint8_t *to = (uint8_t *)file->image;
        ssize_t got = pread(file->fd, to + size, room - size, (off_t)size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        size += (size_t)got;
        if (size == room && file->room < SR_ATTEMPTS_MAX) {
            if (!make_room(file, SR_ATTEMPTS_MAX))
                return -ENOMEM;
        } else if (got == 0 || (size % SECTOR == 0 &&
                                size >= (size_t)file->status.st_size)) {
            break;
        }
    }
    /* What is cut off is no blank slot, unless it was never written. */
    file->count = slots_of(size);
    memset((uint8_t *)file->image + size / SECTOR * SECTOR, 0,
           (size + SECTOR - 1) / SECTOR * SECTOR - size / SECTOR * SECTOR);
    return make_room(file, reach(file)) ? 0 : -ENOMEM;
}

/* Read one record again: it may just be being written. */
static bool
read_again(struct sr_ledger_file *file, unsigned slot)
{
    struct sr_record *record = record_at(file->image, slot);

    for (int i = 0; i < READS; i++) {
        if (pread(file->fd, record, SECTOR,
                  (off_t)(sector_of(slot) * SECTOR)) == (ssize_t)SECTOR &&
            is_sound(file, record, slot))
            return true;
        if (i > 1)
            sr_nap(1, 2);
    }
    memset(record, 0, SECTOR);
    return false;
}

/* Find records that do not check out.  One that another process holds is being
 * written. */
static void
find_damage(struct sr_ledger_file *file, uint64_t *held)
{
    file->damaged = 0;
    for (unsigned slot = 0; slot < reach(file); slot++) {
        if (slot >= file->count)
            memset(&file->image->record[SR_REFUSAL_SLOTS + slot], 0, SECTOR);
        if (is_sound(file, &file->image->record[SR_REFUSAL_SLOTS + slot],
                     slot) ||
            read_again(file, slot))
            continue;
        if (is_held_by_another(file, slot, 0))
            *held |= (uint64_t)1 << slot;
        file->damaged |= (uint64_t)1 << slot;
    }
    for (unsigned i = 0; i < SR_REFUSAL_SLOTS; i++) {
        if (!is_sound(file, &file->image->record[i], SR_ATTEMPTS_MAX + i))
            memset(&file->image->record[i], 0, SECTOR);
    }
}

/* Whether a slot is in use, by a record of an attempt that has not ended. */
static bool
is_in_use(const struct sr_record *record)
{
    return record->state == SR_RECORD_TAKEN || record->state == SR_RECORD_AHEAD;
}

/*
 * Whether the attempt of a slot's record still holds the slot.  One that has
 * ended since the record was read has written another one: it is read again, so
 * that an attempt that ended well does not count as one that died.
 */
static bool
is_under_way(struct sr_ledger_file *file, unsigned slot)
{
    struct sr_record *record = record_at(file->image, slot);

    while (is_in_use(record)) {
        const struct sr_record before = *record;

        if (is_held_by_another(file, slot, record->epoch))
            return true;
        if (!read_again(file, slot))
            *record = before;
        if (record->seq == before.seq)
            break;
    }
    return false;
}

/* Which slots that may still be in use are held. */
static uint64_t
find_holders(struct sr_ledger_file *file, uint64_t own)
{
    uint64_t held = own;

    for (unsigned slot = 0; slot < reach(file); slot++) {
        if ((own >> slot & 1) == 0 && is_under_way(file, slot))
            held |= (uint64_t)1 << slot;
    }
    return held;
}

/* Damaged records are failures of the time when the file was last written. */
static void
judge_damage(struct sr_ledger_file *file, uint64_t held, sr_time at,
             uint64_t right)
{
    for (unsigned slot = 0; slot < reach(file); slot++) {
        if ((file->damaged >> slot & 1) == 0)
            continue;
        file->image->record[SR_REFUSAL_SLOTS + slot] = (struct sr_record){
            .seq = right + 1,
            .right = right,
            .time = at,
            .state =
                (held >> slot & 1) != 0 ? SR_RECORD_TAKEN : SR_RECORD_FAILED,
            .fails = 1,
        };
    }
    file->damaged &= ~held;
}

static enum sr_store_result
read_one(struct sr_ledger_file *file, uint64_t own, struct sr_fold *fold,
         sr_time *now)
{
    const struct sr_reading *reading = sr_store_clock(file->store);
    const int error = file->fd < 0 || file->is_read ? 0 : read_image(file);
    uint64_t held = 0, right = 0;
    struct sr_clock clock;
    unsigned count;

    file->is_read = false;
    if (error != 0)
        return sr_store_judge(file->store, error);
    if (file->fd >= 0)
        find_damage(file, &held);
    count = reach(file);
    clock = sr_fold_clock(file->image->record, SR_REFUSAL_SLOTS + count);
    *now = sr_clock_now(&clock, reading, NULL);
    if (file->damaged != 0) {
        for (unsigned slot = 0; slot < count; slot++) {
            if (file->image->record[SR_REFUSAL_SLOTS + slot].right > right)
                right = file->image->record[SR_REFUSAL_SLOTS + slot].right;
        }
        judge_damage(file, held, written_at(file, reading, *now), right);
        sr_store_note_damage(file->store, file->key.path);
    }
    if (file->fd >= 0)
        held |= find_holders(file, own);
    sr_fold(file->image->record + SR_REFUSAL_SLOTS, count, held, *now, fold);
    sr_fold_refusals(file->image->record, SR_REFUSAL_SLOTS, fold);
    fold->clock = clock;
    return SR_STORE_OK;
}

enum sr_store_result
sr_ledger_read(struct sr_ledger_file *file, uint64_t own, struct sr_fold *fold,
               sr_time *now)
{
    enum sr_store_result result = read_one(file, own, fold, now);
    struct sr_fold other;
    sr_time then;

    if (result != SR_STORE_OK || file->also == NULL)
        return result;
    result = read_one(file->also, 0, &other, &then);
    if (result == SR_STORE_OK)
        sr_fold_merge(fold, &other, then - *now);
    return result;
}

uint64_t
sr_ledger_damaged(const struct sr_ledger_file *file)
{
    return file->damaged;
}

const struct sr_record *
sr_ledger_record(const struct sr_ledger_file *file, unsigned slot)
{
    return record_at(file->image, slot);
}

/* ---- making a file */

static void
make_header(struct sr_ledger_file *file, unsigned count)
{
    const struct sr_ledger_key *key = &file->key;
    struct header *header = &file->image->header;

    memset(header, 0, sizeof(*header));
    memcpy(header->magic, MAGIC, sizeof(header->magic));
    header->version = FORMAT;
    header->count = count;
    header->kind = key->kind;
    if (key->kind <= SR_LEDGER_FAMILIAR)
        header->uid = key->id.uid;
    memcpy(header->backend, key->id.backend, sizeof(header->backend));
    memcpy(header->name, key->id.name, sizeof(header->name));
    memcpy(header->source, key->source, sizeof(header->source));
    header->tag = key->tag;
    header->sum = sum_of(file, 0, header);
}

/* A whole new file: `total` failures so far; `failed_at` not 0: all slots have
 * failed then.  Returns its size; 0: out of memory. */
static size_t
make_image(struct sr_ledger_file *file, unsigned count, uint32_t total,
           sr_time failed_at)
{
    struct sr_clock clock = {.latest = 0};

    if (count > SR_ATTEMPTS_MAX)
        count = SR_ATTEMPTS_MAX;
    if (!make_room(file, count))
        return 0;
    sr_clock_now(&clock, sr_store_clock(file->store), NULL);
    make_header(file, count);
    memset(file->image->record, 0, (SR_REFUSAL_SLOTS + count) * SECTOR);
    file->image->record[0].total = total;
    for (unsigned slot = 0; failed_at != 0 && slot < count; slot++) {
        file->image->record[SR_REFUSAL_SLOTS + slot].seq = 1;
        file->image->record[SR_REFUSAL_SLOTS + slot].time = failed_at;
        file->image->record[SR_REFUSAL_SLOTS + slot].clock = clock;
        file->image->record[SR_REFUSAL_SLOTS + slot].state = SR_RECORD_FAILED;
        file->image->record[SR_REFUSAL_SLOTS + slot].fails = 1;
    }
    for (unsigned i = 0; i < SR_REFUSAL_SLOTS; i++)
        file->image->record[i].sum = sum_of(
            file, sector_of(SR_ATTEMPTS_MAX + i), &file->image->record[i]);
    for (unsigned slot = 0; slot < count; slot++)
        file->image->record[SR_REFUSAL_SLOTS + slot].sum =
            sum_of(file, sector_of(slot),
                   &file->image->record[SR_REFUSAL_SLOTS + slot]);
    file->count = count;
    return size_of_image(count);
}

/* ---- opening */

enum header_state { SOUND, ANOTHERS, BROKEN, NEWER };

static enum header_state
judge_header(const struct sr_ledger_file *file)
{
    const struct header *header = &file->image->header;
    const struct sr_ledger_key *key = &file->key;

    if (memcmp(header->magic, MAGIC, sizeof(header->magic)) != 0)
        return BROKEN;
    if (header->version > FORMAT)
        return NEWER;
    if (header->sum != sum_of(file, 0, header) ||
        header->count > SR_ATTEMPTS_MAX)
        return BROKEN;
    if (key->kind <= SR_LEDGER_FAMILIAR &&
        (header->uid != key->id.uid ||
         strcmp(header->name, key->id.name) != 0 ||
         strcmp(header->backend, key->id.backend) != 0 ||
         strcmp(header->source, key->source) != 0))
        return ANOTHERS;
    if (key->kind > SR_LEDGER_FAMILIAR && header->tag != key->tag)
        return ANOTHERS;
    return SOUND;
}

static enum sr_store_result
open_fd(struct sr_ledger_file *file, bool write)
{
    enum sr_store_result result;
    int error;

    result = sr_store_file(file->store, file->place, file->key.path,
                           write ? O_RDWR : O_RDONLY, &file->fd, &file->status);
    if (result != SR_STORE_OK)
        return result;
    error = make_room(file, slots_of((size_t)file->status.st_size))
                ? read_image(file)
                : -ENOMEM;
    file->is_read = error == 0;
    if (error == 0)
        return SR_STORE_OK;
    close(file->fd);
    file->fd = -1;
    return sr_store_judge(file->store, error);
}

static void
close_fd(struct sr_ledger_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

/* Put a new file in place and open it. */
static enum sr_store_result
make_file(struct sr_ledger_file *file, sr_time failed_at, bool replaces)
{
    const size_t size = make_image(file, file->attempts, 0, failed_at);
    enum sr_store_result result =
        size == 0 ? sr_store_judge(file->store, ENOMEM)
                  : sr_store_put(file->store, file->place, file->key.path,
                                 file->image, size, false, replaces, NULL);

    if (result == SR_STORE_NOT_FOUND) /* another process was quicker */
        result = SR_STORE_OK;
    if (result == SR_STORE_OK)
        result = open_fd(file, true);
    file->is_new = true;
    return result;
}

/* A file that cannot be read is one whose every slot failed at its last write.
 */
static enum sr_store_result
mend_file(struct sr_ledger_file *file, bool write)
{
    const struct sr_reading *reading = sr_store_clock(file->store);
    struct sr_clock clock = {.latest = 0};
    const sr_time now = sr_clock_now(&clock, reading, NULL);
    const sr_time at = written_at(file, reading, now);

    close_fd(file);
    if (!write) {
        sr_store_note_damage(file->store, file->key.path);
        /* Without a descriptor: the image is all. */
        return make_image(file, SR_ATTEMPTS_MAX, 0, at) > 0
                   ? SR_STORE_OK
                   : sr_store_judge(file->store, ENOMEM);
    }
    sr_store_set_aside(file->store, file->place, file->key.path);
    return make_file(file, at, false);
}

/* Open the file at the key's path.  *is_anothers: it is open, but belongs to
 * another account, name or source. */
static enum sr_store_result
open_path(struct sr_ledger_file *file, bool write, bool *is_anothers)
{
    const enum sr_store_result result = open_fd(file, write);

    *is_anothers = false;
    if (result != SR_STORE_OK)
        return result;
    switch (judge_header(file)) {
    case SOUND:
        break;
    case NEWER:
        return SR_STORE_VERSION;
    case BROKEN:
        return mend_file(file, write);
    case ANOTHERS:
        *is_anothers = true;
        break;
    }
    return SR_STORE_OK;
}

/* A ledger whose path is its own. */
static enum sr_store_result
open_only_place(struct sr_ledger_file *file, bool write)
{
    bool is_anothers;
    enum sr_store_result result = open_path(file, write, &is_anothers);

    if (result == SR_STORE_NOT_FOUND && write)
        return make_file(file, 0, false);
    if (result != SR_STORE_OK || !is_anothers)
        return result;
    close_fd(file);
    return write ? make_file(file, 0, true) : SR_STORE_NOT_FOUND;
}

/* What another one's file that is open would lose if it were replaced. */
static unsigned
weight_of(struct sr_ledger_file *file)
{
    struct sr_fold fold;
    sr_time now;

    if (read_one(file, 0, &fold, &now) != SR_STORE_OK || fold.busy != 0 ||
        fold.ahead != 0)
        return SR_WEIGHT_LOCKED; /* in use */
    return sr_throttle_weight(&fold.ledger, file->limits, now);
}

/* Where a ledger is, or is to be made. */
struct found {
    bool is_open;    /* it is the file that is open */
    bool is_there;   /* another one's file is to be replaced */
    unsigned place;  /* SR_PLACES: there is none */
    unsigned weight; /* of what is replaced */
};

static void
move_to(struct sr_ledger_file *file, unsigned place)
{
    set_place(&file->key, place);
    file->path_sum = sr_store_sum_of_path(file->key.path);
}

/* Look at the places in their order.  A file is never removed alone, so that
 * nothing is beyond the first that is not there. */
static enum sr_store_result
find_place(struct sr_ledger_file *file, bool write, struct found *found)
{
    enum sr_store_result result;
    bool is_anothers;

    *found = (struct found){.place = SR_PLACES, .weight = SR_WEIGHT_LOCKED};
    for (unsigned place = 0; place < SR_PLACES; place++) {
        unsigned weight = 0;

        move_to(file, place);
        result = open_path(file, write, &is_anothers);
        found->is_open = result == SR_STORE_OK && !is_anothers;
        if (found->is_open ||
            (result != SR_STORE_OK && result != SR_STORE_NOT_FOUND))
            return result;
        if (is_anothers && write)
            weight = weight_of(file);
        close_fd(file);
        if (weight < found->weight) {
            found->place = place;
            found->weight = weight;
            found->is_there = is_anothers;
        }
        if (!is_anothers)
            break;
    }
    return SR_STORE_OK;
}

/* In a flood of attempts another process may have taken the place first. */
#define TURNS 8

static enum sr_store_result
open_tagged(struct sr_ledger_file *file, bool write)
{
    enum sr_store_result result;
    struct found found;

    for (int turn = 0; turn < TURNS; turn++) {
        result = find_place(file, write, &found);
        if (result != SR_STORE_OK || found.is_open)
            return result;
        if (!write)
            return SR_STORE_NOT_FOUND;
        if (found.place == SR_PLACES)
            break;
        move_to(file, found.place);
        result = make_file(file, 0, found.is_there);
        if (result != SR_STORE_OK || judge_header(file) == SOUND)
            return result;
        close_fd(file);
    }
    file->is_overflow = true;
    file->key.tag = 0;
    snprintf(file->key.path, sizeof(file->key.path), "%s/overflow",
             file->key.folder);
    file->path_sum = sr_store_sum_of_path(file->key.path);
    return open_only_place(file, true);
}

static struct sr_ledger_file *
new_file(struct sr_store *store, const struct sr_ledger_key *key,
         enum sr_store_place place, const struct sr_limits *limits)
{
    const unsigned attempts = limits == NULL ? 0 : limits->attempts;
    struct sr_ledger_file *file = calloc(1, sizeof(*file));

    if (file == NULL)
        return NULL;
    file->store = store;
    file->place = place;
    file->fd = -1;
    file->key = *key;
    file->path_sum = sr_store_sum_of_path(key->path);
    file->limits = limits;
    file->attempts = attempts < SR_ATTEMPTS_MAX ? attempts : SR_ATTEMPTS_MAX;
    if (!make_room(file, file->attempts)) {
        free(file);
        return NULL;
    }
    memset(file->image, 0, size_of_image(file->attempts));
    return file;
}

/* Open one place; *file is NULL on any result but OK. */
static enum sr_store_result
open_place(struct sr_store *store, const struct sr_ledger_key *key,
           enum sr_store_place place, bool write,
           const struct sr_limits *limits, struct sr_ledger_file **file)
{
    enum sr_store_result result;

    *file = NULL;
    if (!write && sr_store_dir(store, place, false) < 0)
        return SR_STORE_NOT_FOUND;
    *file = new_file(store, key, place, limits);
    if (*file == NULL)
        return sr_store_judge(store, ENOMEM);
    result = key->folder == NULL ? open_only_place(*file, write)
                                 : open_tagged(*file, write);
    (*file)->limits = NULL;
    if (result != SR_STORE_OK) {
        sr_ledger_close(*file);
        *file = NULL;
    }
    return result;
}

enum sr_store_result
sr_ledger_open(struct sr_store *store, const struct sr_ledger_key *key,
               const struct sr_limits *limits, struct sr_ledger_file **file)
{
    const bool write = limits != NULL;
    enum sr_store_result result, other;
    struct sr_ledger_file *also = NULL;

    *file = NULL;
    result = write && sr_store_no_write(store) != SR_STORE_OK
                 ? sr_store_no_write(store)
                 : open_place(store, key, SR_STORE_SAVED, write, limits, file);
    if (result == SR_STORE_OK || (!write && result == SR_STORE_NOT_FOUND)) {
        other = open_place(store, key, SR_STORE_UNSAVED, false, limits, &also);
        if (result == SR_STORE_NOT_FOUND) {
            *file = also;
            return other;
        }
    } else if (write && sr_store_no_write(store) != SR_STORE_OK) {
        result = open_place(store, key, SR_STORE_UNSAVED, true, limits, file);
        other = open_place(store, key, SR_STORE_SAVED, false, limits, &also);
    } else {
        return result;
    }
    if (result == SR_STORE_OK && other == SR_STORE_OK)
        (*file)->also = also;
    else if (result == SR_STORE_OK && other != SR_STORE_NOT_FOUND) {
        sr_ledger_close(*file);
        *file = NULL;
        result = other;
    }
    return result;
}

bool
sr_ledger_is_overflow(const struct sr_ledger_file *file)
{
    return file->is_overflow;
}

static void
free_file(struct sr_ledger_file *file)
{
    close_fd(file);
    free(file->image);
    free(file);
}

void
sr_ledger_close(struct sr_ledger_file *file)
{
    if (file == NULL)
        return;
    /* Closing alone would leave the locks to a process that was forked
     * meanwhile. */
    for (unsigned slot = 0; slot < SLOTS; slot++)
        sr_ledger_give(file, slot);
    sr_ledger_close(file->also);
    free_file(file);
}

void
sr_ledger_forget(struct sr_ledger_file *file)
{
    if (file == NULL)
        return;
    sr_ledger_forget(file->also);
    free_file(file);
}

/* ---- writing */

enum sr_store_result
sr_ledger_write(struct sr_ledger_file *file, unsigned slot,
                struct sr_record *record)
{
    const unsigned sector = sector_of(slot);
    int error;

    if (file->held[slot] != 0)
        record->epoch = file->held[slot] - 1;
    record->sum = sum_of(file, sector, record);
    error = sr_store_write(file->fd, record, SECTOR, (off_t)(sector * SECTOR));
    return error == 0 ? SR_STORE_OK : sr_store_judge(file->store, error);
}

enum sr_store_result
sr_ledger_sync(struct sr_ledger_file *file)
{
    int error = 0;

    if ((file->is_new ? fsync(file->fd) : fdatasync(file->fd)) != 0)
        error = errno;
    if (error == 0 && file->is_new)
        error = sr_store_sync_folder(file->store, file->place, file->key.path);
    return sr_store_judge(file->store, error);
}

bool
sr_ledger_is_current(const struct sr_ledger_file *file)
{
    return sr_store_is_same(file->store, file->place, file->key.path,
                            &file->status);
}

enum sr_store_result
sr_ledger_unsaved(const struct sr_ledger_file *file)
{
    if (file->place == SR_STORE_SAVED)
        return SR_STORE_OK;
    return sr_store_no_write(file->store);
}

/* ---- clearing and checking */

/* Replace what is in a place by an empty ledger. */
static enum sr_store_result
clear_place(struct sr_store *store, const struct sr_ledger_key *key,
            enum sr_store_place place, bool *found)
{
    enum sr_store_result result;
    struct sr_ledger_file *file;
    struct sr_fold fold;
    size_t size;
    sr_time now;

    result = open_place(store, key, place, false, NULL, &file);
    if (result == SR_STORE_NOT_FOUND)
        return SR_STORE_OK;
    if (result != SR_STORE_OK)
        return result;
    memset(&fold, 0, sizeof(fold));
    if (read_one(file, 0, &fold, &now) != SR_STORE_OK)
        fold.notice.failed = 0;
    if (fold.ledger.failures != 0 || fold.lock_seq != 0 || fold.dead != 0)
        *found = true;
    size = make_image(file, file->image->header.count, fold.notice.failed, 0);
    result = size == 0 ? sr_store_judge(store, ENOMEM)
                       : sr_store_put(store, place, file->key.path, file->image,
                                      size, true, true, NULL);
    sr_ledger_close(file);
    return result;
}

enum sr_store_result
sr_ledger_clear(struct sr_store *store, const struct sr_ledger_key *key,
                bool *found)
{
    bool any = false;
    enum sr_store_result result = clear_place(store, key, SR_STORE_SAVED, &any);

    if (result == SR_STORE_OK)
        result = clear_place(store, key, SR_STORE_UNSAVED, &any);
    if (found != NULL)
        *found = any;
    return result;
}

/* Open a file by its path, whosever it is.  *file is for sr_ledger_close() on
 * any result; NULL: out of memory. */
static enum sr_store_result
open_any(struct sr_store *store, const char *path, struct sr_ledger_file **file)
{
    struct sr_ledger_key key = {.kind = SR_LEDGER_NAME};
    enum sr_store_result result;
    uint64_t held = 0;

    snprintf(key.path, sizeof(key.path), "%s", path);
    *file = new_file(store, &key, SR_STORE_SAVED, NULL);
    if (*file == NULL)
        return SR_STORE_FAILED;
    result = open_fd(*file, false);
    if (result == SR_STORE_OK) {
        const enum header_state state = judge_header(*file);

        if (state == SOUND || state == ANOTHERS)
            find_damage(*file, &held);
        if (state == NEWER)
            result = SR_STORE_VERSION;
        else if (state == BROKEN || ((*file)->damaged & ~held) != 0)
            result = SR_STORE_DAMAGED;
    }
    return result;
}

enum sr_store_result
sr_ledger_look(struct sr_store *store, const char *path, struct sr_fold *fold,
               sr_time *now)
{
    struct sr_ledger_file *file;
    enum sr_store_result result = open_any(store, path, &file);

    if (result == SR_STORE_OK)
        result = read_one(file, 0, fold, now);
    sr_ledger_close(file);
    return result;
}

enum sr_store_result
sr_ledger_check(struct sr_store *store, const char *path)
{
    struct sr_ledger_file *file;
    const enum sr_store_result result = open_any(store, path, &file);

    sr_ledger_close(file);
    return result;
}
