/*
 * Slots: who is verifying a password right now.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "policy/util/safe_open.h"
#include "policy/util/signal_guard.h"
#include "policy/throttle/slots.h"

#define LEDGER_SIZE ((off_t)(SR_ATTEMPTS_MAX * sizeof(sr_stamp)))
#define NAMES_AT    ((off_t)0)
#define SOURCES_AT  (NAMES_AT + (off_t)SR_NAME_BUCKETS * LEDGER_SIZE)
#define ACCOUNTS_AT (SOURCES_AT + (off_t)SR_SOURCE_BUCKETS * LEDGER_SIZE)
#define CLASSES     2

_Static_assert(sizeof(off_t) == 8, "the last uid's slots are 2 TiB away");

static off_t
place(const struct sr_ledger_key *key, unsigned slot)
{
    const off_t id = (off_t)key->id;
    off_t at = 0;

    switch (key->kind) {
    case SR_LEDGER_NAME:
        at = NAMES_AT + id * LEDGER_SIZE;
        break;
    case SR_LEDGER_SOURCE:
        at = SOURCES_AT + id * LEDGER_SIZE;
        break;
    case SR_LEDGER_ACCOUNT:
        at = ACCOUNTS_AT + (id * CLASSES + (off_t)key->class) * LEDGER_SIZE;
        break;
    }
    return at + (off_t)(slot * sizeof(sr_stamp));
}

/* 0, or why the directory cannot be trusted or made. */
static int
prepare_dir(const char *rundir)
{
    struct stat status;
    int error;

    if (lstat(rundir, &status) != 0) {
        if (errno != ENOENT)
            return -errno;
        error = sr_safe_make_dir(rundir);
        if (error != 0)
            return error;
        if (lstat(rundir, &status) != 0)
            return -errno;
    }
    return sr_safe_open_check(&status, S_IFDIR, 022) ? 0 : -EPERM;
}

int
sr_slots_open(const char *rundir)
{
    char path[PATH_MAX];
    struct stat status;
    int fd, error, size;

    if (rundir == NULL)
        rundir = SR_RUNDIR;
    size = snprintf(path, sizeof(path), "%s/slots", rundir);
    if (size < 0 || (size_t)size >= sizeof(path))
        return -ENAMETOOLONG;
    error = prepare_dir(rundir);
    if (error != 0)
        return error;
    fd = sr_safe_open(path, O_RDWR | O_CREAT, NULL);
    if (fd < 0)
        return fd;
    if (fstat(fd, &status) != 0)
        error = -errno;
    else if (!sr_safe_open_check(&status, S_IFREG, 077))
        error = -EPERM;
    if (error == 0)
        return fd;
    close(fd);
    return error;
}

/* Lock, unlock or ask about `length` bytes; 0 bytes: to the end. */
static int
lock(int fd, int command, short type, off_t start, off_t length)
{
    struct flock range = {
        .l_type = type,
        .l_whence = SEEK_SET,
        .l_start = start,
        .l_len = length,
        .l_pid = 0, /* F_OFD_* demands it */
    };

    return fcntl(fd, command, &range) == 0 ? 0 : -errno;
}

/* Who is in the way of locking [start, end); false when nobody is. */
static bool
find_holder(int fd, off_t start, off_t end, struct flock *found)
{
    *found = (struct flock){
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = start,
        .l_len = end - start,
    };
    return fcntl(fd, F_OFD_GETLK, found) == 0 && found->l_type != F_UNLCK;
}

int
sr_slots_take(int fd, const struct sr_ledger_key *key, unsigned slot)
{
    int error =
        lock(fd, F_OFD_SETLK, F_WRLCK, place(key, slot), sizeof(sr_stamp));

    if (error == 0)
        return 1;
    return error == -EAGAIN || error == -EACCES ? 0 : error;
}

void
sr_slots_give(int fd, const struct sr_ledger_key *key, unsigned slot)
{
    lock(fd, F_OFD_SETLK, F_UNLCK, place(key, slot), sizeof(sr_stamp));
}

void
sr_slots_close(int fd)
{
    if (fd < 0)
        return;
    lock(fd, F_OFD_SETLK, F_UNLCK, 0, 0);
    close(fd);
}

uint64_t
sr_slots_held(int fd, const struct sr_ledger_key *key, uint64_t mask)
{
    uint64_t held = 0;
    const off_t end = place(key, SR_ATTEMPTS_MAX);
    unsigned slot = 0;

    /* Mostly nobody holds any, and one question for the whole range says so. */
    while (slot < SR_ATTEMPTS_MAX) {
        struct flock found;
        off_t after;

        if (!find_holder(fd, place(key, slot), end, &found))
            break;
        after = found.l_len != 0 ? found.l_start + found.l_len : end;
        /* Neighbours held by one process are told as one range. */
        for (; slot < SR_ATTEMPTS_MAX; slot++) {
            const off_t at = place(key, slot);

            if (at >= after)
                break;
            if (at >= found.l_start)
                held |= (uint64_t)1 << slot;
        }
    }
    return held & mask;
}

int
sr_slots_read(int fd, const struct sr_ledger_key *key, unsigned slot,
              sr_stamp *stamp)
{
    ssize_t size;

    *stamp = 0; /* beyond the end of the file: never used */
    size = pread(fd, stamp, sizeof(*stamp), place(key, slot));
    if (size < 0)
        return -errno;
    return size == 0 || size == (ssize_t)sizeof(*stamp) ? 0 : -EIO;
}

static int
write_stamp(int fd, off_t at, sr_stamp stamp)
{
    ssize_t size = pwrite(fd, &stamp, sizeof(stamp), at);

    if (size < 0)
        return -errno;
    return size == (ssize_t)sizeof(stamp) ? 0 : -EIO;
}

int
sr_slots_write(int fd, const struct sr_ledger_key *key, unsigned slot,
               sr_stamp stamp)
{
    const off_t at = place(key, slot);
    struct rlimit before;
    int error;

    error = write_stamp(fd, at, stamp);
    if (error != -EFBIG)
        return error;
    /* The file is sparse and its offsets are large, so that even a generous
     * limit of the caller may be in the way. */
    sr_signal_guard_lift_fsize(&before);
    error = write_stamp(fd, at, stamp);
    sr_signal_guard_restore_fsize(&before);
    return error;
}

static void
wipe_stamps(int slots, const struct sr_ledger_key *key)
{
    for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
        sr_stamp stamp = 0;

        if (sr_slots_read(slots, key, slot, &stamp) != 0 || stamp == 0 ||
            sr_slots_take(slots, key, slot) != 1)
            continue;
        sr_slots_write(slots, key, slot, 0);
        sr_slots_give(slots, key, slot);
    }
}

void
sr_slots_forget(const struct sr_ledger_key *first, uint32_t count)
{
    struct sr_ledger_key key = *first;
    struct sr_signal_guard shield;
    int slots;

    if (sr_signal_guard_begin(&shield) != 0)
        return;
    slots = sr_slots_open(NULL);
    for (uint32_t i = 0; slots >= 0 && i < count; i++, key.id++)
        wipe_stamps(slots, &key);
    sr_slots_close(slots);
    sr_signal_guard_end(&shield);
}

sr_stamp
sr_slots_stamp(sr_time now)
{
    const sr_stamp stamp = (sr_stamp)((uint64_t)now & UINT32_MAX);

    return stamp != 0 ? stamp : 1;
}

sr_time
sr_slots_time(sr_stamp stamp, sr_time now)
{
    const sr_time age = (sr_time)(sr_stamp)((sr_stamp)(uint64_t)now - stamp);
    const sr_time began = now - age;

    return began > 0 ? began : 1;
}
