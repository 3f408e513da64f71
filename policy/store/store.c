/*
 * Store: the directory in which this host keeps its state, and how files in it
 * are found, made and replaced.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "policy/store/store.h"
#include "policy/util/bytes.h"
#include "policy/util/file_lock.h"
#include "policy/util/safe_open.h"
#include "policy/util/signal_guard.h"
#include "policy/util/siphash.h"
#include "policy/util/words.h"

#define PLACES    2
#define KEY       "key"
#define TMP       "tmp"
#define ASIDE     "damaged"
#define UNSAVED   "unsaved"
#define OLD       "data.mdb"
#define OLD_LOCK  "lock"
#define OLD_ASIDE "data.mdb.old"

struct key_file {
    uint8_t key[16];
    uint64_t sum;
};

struct sr_store {
    const char *dir;
    const char *run;
    enum sr_store_mode mode;
    enum sr_store_result no_write;
    int fd[PLACES]; /* -1: not there */
    bool knows_boot;
    bool has_key;
    int error;
    uint8_t key[16];
    struct sr_reading reading;
    char damaged[SR_STORE_PATH_MAX];
};

static const char *const folders[] = {"accounts", "names", "sources",
                                      "here",     TMP,     ASIDE};

const char *
sr_store_strerror(enum sr_store_result result)
{
    switch (result) {
    case SR_STORE_OK:
        return N_LOG("no error");
    case SR_STORE_NOT_FOUND:
        return N_LOG("there is no record");
    case SR_STORE_BUSY:
        return N_LOG("another process is writing the same file");
    case SR_STORE_FULL:
        return N_LOG("the disk is full, or a limit on the size of files holds");
    case SR_STORE_READ_ONLY:
        return N_LOG("the file system is read-only");
    case SR_STORE_DAMAGED:
        return N_LOG("a file of the state is damaged");
    case SR_STORE_VERSION:
        return N_LOG("the state was written by another version");
    case SR_STORE_UNSAFE:
        return N_LOG("the owner or the mode of the state is unsafe");
    case SR_STORE_AWAY:
        return N_LOG("the directory that keeps the enrolment cannot be asked");
    case SR_STORE_SEALED:
        return N_LOG("the enrolment is of another key or version");
    case SR_STORE_FAILED:
        break;
    }
    return N_LOG("the state could not be used");
}

/* ---- errors */

enum sr_store_result
sr_store_judge(struct sr_store *store, int error)
{
    store->error = error < 0 ? -error : error;
    switch (store->error) {
    case 0:
        return SR_STORE_OK;
    case ENOENT:
        return SR_STORE_NOT_FOUND;
    case EAGAIN:
        return SR_STORE_BUSY;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        store->no_write = SR_STORE_FULL;
        return SR_STORE_FULL;
    case EROFS:
        store->no_write = SR_STORE_READ_ONLY;
        return SR_STORE_READ_ONLY;
    case EPERM:
    case ELOOP:
    case ENOTDIR:
        return SR_STORE_UNSAFE;
    default:
        return SR_STORE_FAILED;
    }
}

int
sr_store_errno(const struct sr_store *store)
{
    return store == NULL ? 0 : store->error;
}

enum sr_store_result
sr_store_no_write(const struct sr_store *store)
{
    return store->no_write;
}

void
sr_store_note_damage(struct sr_store *store, const char *path)
{
    snprintf(store->damaged, sizeof(store->damaged), "%s", path);
}

const char *
sr_store_damage(const struct sr_store *store)
{
    return store->damaged[0] == '\0' ? NULL : store->damaged;
}

/* ---- directories */

/* Open a directory that only root can have made; a negative errno. */
static int
open_dir(const char *path, mode_t forbidden)
{
    struct stat status;
    int fd = sr_safe_open(path, O_RDONLY | O_DIRECTORY, NULL);

    if (fd < 0 || (fstat(fd, &status) == 0 &&
                   sr_safe_open_check(&status, S_IFDIR, forbidden)))
        return fd;
    close(fd);
    return -EPERM;
}

static int
make_dir(const char *path, mode_t mode)
{
    const mode_t forbidden = mode == SR_SAFE_OF_ALL ? 022 : 077;
    int fd = open_dir(path, forbidden);
    int error;

    if (fd != -ENOENT)
        return fd;
    error = sr_safe_make_dir(path, mode);
    return error == 0 ? open_dir(path, forbidden) : error;
}

/* The folders of a place that is new, or that was made by an older version. */
static int
make_folders(int dir)
{
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        if (mkdirat(dir, folders[i], 0700) != 0) {
            if (errno != EEXIST)
                return -errno;
        } else if (fchmodat(dir, folders[i], 0700, 0) != 0) {
            return -errno;
        }
    }
    return 0;
}

/* RUNDIR/unsaved; what is asked about it when it is not there is no error. */
static int
open_unsaved(struct sr_store *store, bool write)
{
    char path[PATH_MAX];
    const char *run = store->run;
    int error;

    if (snprintf(path, sizeof(path), "%s/" UNSAVED, run) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    if (write) {
        error = make_dir(run, SR_SAFE_OF_ALL);
        if (error < 0)
            return error;
        close(error);
        return make_dir(path, SR_SAFE_OF_ROOT);
    }
    return open_dir(path, 077);
}

int
sr_store_dir(struct sr_store *store, enum sr_store_place place, bool write)
{
    int fd = store->fd[place], error;

    if (fd >= 0 || !write)
        return fd;
    fd = place == SR_STORE_SAVED ? make_dir(store->dir, SR_SAFE_OF_ROOT)
                                 : open_unsaved(store, true);
    if (fd < 0)
        return fd;
    error = make_folders(fd);
    if (error != 0) {
        close(fd);
        return error;
    }
    store->fd[place] = fd;
    return fd;
}

/* Open RUNDIR/unsaved where there is one: it has to be counted, too. */
static enum sr_store_result
find_unsaved(struct sr_store *store)
{
    int fd = open_unsaved(store, false);

    if (fd == -ENOENT)
        return SR_STORE_OK;
    if (fd < 0)
        return sr_store_judge(store, fd);
    store->fd[SR_STORE_UNSAVED] = fd;
    return SR_STORE_OK;
}

static enum sr_store_result
find_saved(struct sr_store *store)
{
    int fd = open_dir(store->dir, 077);

    if (fd == -ENOENT && store->mode == SR_STORE_WRITE)
        fd = sr_store_dir(store, SR_STORE_SAVED, true);
    if (fd < 0) {
        enum sr_store_result result = sr_store_judge(store, fd);

        /* Nothing can be saved; RUNDIR will do. */
        return store->no_write != SR_STORE_OK ? SR_STORE_OK : result;
    }
    store->fd[SR_STORE_SAVED] = fd;
    return SR_STORE_OK;
}

enum sr_store_result
sr_store_open(const char *dir, const char *run, enum sr_store_mode mode,
              struct sr_store **store)
{
    struct sr_store *opened = calloc(1, sizeof(*opened));
    enum sr_store_result result;

    *store = NULL;
    if (opened == NULL)
        return SR_STORE_FAILED;
    opened->dir = dir != NULL ? dir : SR_STATEDIR;
    opened->run = run != NULL ? run : SR_RUNDIR;
    opened->mode = mode;
    opened->fd[SR_STORE_SAVED] = -1;
    opened->fd[SR_STORE_UNSAVED] = -1;
    result = find_saved(opened);
    if (result == SR_STORE_OK ||
        (result == SR_STORE_NOT_FOUND && mode == SR_STORE_READ)) {
        enum sr_store_result unsaved = find_unsaved(opened);

        if (unsaved != SR_STORE_OK)
            result = unsaved;
        else if (opened->fd[SR_STORE_UNSAVED] >= 0)
            result = SR_STORE_OK;
    }
    if (result == SR_STORE_OK)
        *store = opened;
    else
        sr_store_close(opened);
    return result;
}

void
sr_store_close(struct sr_store *store)
{
    if (store == NULL)
        return;
    for (int i = 0; i < PLACES; i++) {
        if (store->fd[i] >= 0)
            close(store->fd[i]);
    }
    explicit_bzero(store->key, sizeof(store->key));
    free(store);
}

bool
sr_store_has_old(const struct sr_store *store)
{
    const int dir = store->fd[SR_STORE_SAVED];

    return dir >= 0 && faccessat(dir, OLD, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

enum sr_store_result
sr_store_set_old_aside(struct sr_store *store)
{
    const int dir = store->fd[SR_STORE_SAVED];

    if (renameat(dir, OLD, dir, OLD_ASIDE) != 0 || fsync(dir) != 0)
        return sr_store_judge(store, errno);
    unlinkat(dir, OLD_LOCK, 0);
    return SR_STORE_OK;
}

/* ---- clocks, names and hashes */

const struct sr_reading *
sr_store_clock(struct sr_store *store)
{
    if (store->knows_boot) {
        sr_clock_read_again(&store->reading);
    } else {
        sr_clock_read(&store->reading);
        store->knows_boot = true;
    }
    return &store->reading;
}

/* SipHash under keys that are no secret: two halves of 128 bits. */
static uint64_t
plain_hash(uint8_t which, const void *bytes, size_t size)
{
    const uint8_t key[16] = {'s', 'e', 'l', 'f', 'r', 'e', 's', 'e',
                             't', ' ', 's', 't', 'a', 't', 'e', which};

    return sr_siphash(key, bytes, size);
}

void
sr_store_digest(const void *bytes, size_t size, char digits[33])
{
    snprintf(digits, 33, "%016" PRIx64 "%016" PRIx64,
             plain_hash(1, bytes, size), plain_hash(2, bytes, size));
}

void
sr_store_account_path(const struct sr_identity *id, const char *suffix,
                      char path[SR_STORE_PATH_MAX])
{
    char text[sizeof(id->backend) + sizeof(id->name) + 1];
    char digits[33];
    int size;

    /* No backend's name has a slash. */
    size = snprintf(text, sizeof(text), "%s/%s", id->backend, id->name);
    sr_store_digest(text, (size_t)size, digits);
    snprintf(path, SR_STORE_PATH_MAX, "accounts/%s.%s", digits, suffix);
}

uint64_t
sr_store_sum_of_path(const char *path)
{
    return plain_hash(3, path, strlen(path));
}

uint64_t
sr_store_sum(uint64_t path, uint32_t at, const void *bytes, size_t size)
{
    static const uint8_t zeros[512];
    const uint8_t *begin = bytes;
    uint64_t parts[4] = {path, at};

    /* Without the words at the end that are zero: most of a record is reserved,
     * and a login sums many. */
    for (size_t words = size / 8; words > 0;) {
        const size_t part =
            words > 2 * sizeof(zeros) / 8 ? sizeof(zeros) : (words + 1) / 2 * 8;

        if (memcmp(begin + size - part, zeros, part) == 0) {
            size -= part;
            words -= part / 8;
        } else if (part == 8) {
            break;
        } else {
            words = part / 8; /* what is left of the end is not zero */
        }
    }
    parts[2] = size;
    parts[3] = plain_hash(4, bytes, size);
    return plain_hash(5, parts, sizeof(parts));
}

static uint64_t
sum_of_key(const struct key_file *file)
{
    return sr_store_sum(sr_store_sum_of_path(KEY), 0, file->key,
                        sizeof(file->key));
}

static bool
read_key(struct sr_store *store, enum sr_store_place place)
{
    struct key_file file;
    ssize_t size;
    int fd;

    if (store->fd[place] < 0 ||
        sr_store_file(store, place, KEY, O_RDONLY, &fd, NULL) != SR_STORE_OK)
        return false;
    size = read(fd, &file, sizeof(file));
    close(fd);
    if (size != (ssize_t)sizeof(file) || file.sum != sum_of_key(&file)) {
        /* Another one is made: and other ledgers of names and
         * sources. */
        sr_store_set_aside(store, place, KEY);
        return false;
    }
    memcpy(store->key, file.key, sizeof(store->key));
    store->has_key = true;
    return true;
}

static enum sr_store_result
make_key(struct sr_store *store, enum sr_store_place place)
{
    struct key_file file;
    enum sr_store_result result;

    if (getrandom(file.key, sizeof(file.key), 0) != (ssize_t)sizeof(file.key))
        return sr_store_judge(store, EIO);
    file.sum = sum_of_key(&file);
    result =
        sr_store_put(store, place, KEY, &file, sizeof(file), true, false, NULL);
    if (result == SR_STORE_NOT_FOUND) /* another process was quicker */
        result = SR_STORE_OK;
    explicit_bzero(&file, sizeof(file));
    if (result == SR_STORE_OK && !read_key(store, place))
        result = SR_STORE_FAILED;
    return result;
}

enum sr_store_result
sr_store_hash(struct sr_store *store, const void *bytes, size_t size,
              uint64_t *hash)
{
    enum sr_store_result result = SR_STORE_OK;

    if (!store->has_key && !read_key(store, SR_STORE_SAVED) &&
        !read_key(store, SR_STORE_UNSAVED)) {
        if (store->mode == SR_STORE_READ)
            return SR_STORE_NOT_FOUND;
        result = make_key(store, SR_STORE_SAVED);
        if (result != SR_STORE_OK && store->no_write != SR_STORE_OK)
            result = make_key(store, SR_STORE_UNSAVED);
    }
    if (result == SR_STORE_OK)
        *hash = sr_siphash(store->key, bytes, size);
    return result;
}

/* ---- files that are being made */

/* Remove a file in tmp/ that no process holds: its maker has ended. */
static void
sweep_one(int dir, const char *name)
{
    char path[SR_STORE_PATH_MAX];
    int fd;

    if (name[0] == '.' ||
        snprintf(path, sizeof(path), TMP "/%s", name) >= (int)sizeof(path))
        return;
    fd = sr_safe_open_at(dir, path, O_RDWR, NULL);
    if (fd < 0)
        return;
    if (sr_file_lock_take(fd, true, 0) == 0)
        unlinkat(dir, path, 0);
    close(fd);
}

static void
each_entry(int dir, const char *folder, void (*each)(int dir, const char *))
{
    int fd = sr_safe_open_at(dir, folder, O_RDONLY | O_DIRECTORY, NULL);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (entries == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(entries)) != NULL)
        each(dir, entry->d_name);
    closedir(entries);
}

/* ---- files */

enum sr_store_result
sr_store_file(struct sr_store *store, enum sr_store_place place,
              const char *path, int flags, int *fd, struct stat *status)
{
    const int dir = store->fd[place];
    struct stat own;

    if (dir < 0)
        return SR_STORE_NOT_FOUND;
    if (status == NULL)
        status = &own;
    *fd = sr_safe_open_at(dir, path, flags, NULL);
    if (*fd < 0)
        return sr_store_judge(store, *fd);
    if (fstat(*fd, status) == 0 && status->st_nlink == 2) {
        /* Its maker may have died between two steps of put_in_place(). */
        each_entry(dir, TMP, sweep_one);
        fstat(*fd, status);
    }
    if (sr_safe_open_check(status, S_IFREG, 077))
        return SR_STORE_OK;
    close(*fd);
    *fd = -1;
    return sr_store_judge(store, EPERM);
}

static bool
leads_to(int dir, const char *path, const struct stat *status)
{
    struct stat now;

    return fstatat(dir, path, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           now.st_ino == status->st_ino && now.st_dev == status->st_dev;
}

bool
sr_store_is_same(struct sr_store *store, enum sr_store_place place,
                 const char *path, const struct stat *status)
{
    return leads_to(store->fd[place], path, status);
}

static int
write_all(int fd, const uint8_t *bytes, size_t size, off_t at)
{
    while (size > 0) {
        ssize_t written = pwrite(fd, bytes, size, at);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        bytes += written;
        size -= (size_t)written;
        at += written;
    }
    return 0;
}

int
sr_store_write(int fd, const void *bytes, size_t size, off_t at)
{
    struct rlimit before;
    int error = write_all(fd, bytes, size, at);

    if (error != -EFBIG)
        return error;
    sr_signal_guard_lift_fsize(&before);
    error = write_all(fd, bytes, size, at);
    sr_signal_guard_restore_fsize(&before);
    return error;
}

/* Make a file in tmp/ and lock it, so that it is not swept. */
static int
make_temporary(int dir, char path[SR_STORE_PATH_MAX])
{
    for (int i = 0; i < 8; i++) {
        struct stat status;
        uint64_t dice;
        int fd;

        if (getrandom(&dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
            return -EIO;
        snprintf(path, SR_STORE_PATH_MAX, TMP "/%016" PRIx64, dice);
        fd = sr_safe_open_at(dir, path, O_RDWR | O_CREAT | O_EXCL, NULL);
        if (fd < 0)
            return fd;
        /* Until it is locked another process may remove it. */
        if (sr_file_lock_take(fd, true, 0) == 0 && fstat(fd, &status) == 0 &&
            status.st_nlink > 0)
            return fd;
        close(fd);
    }
    return -EAGAIN;
}

static int
sync_folder(int dir, const char *path)
{
    char folder[SR_STORE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    int fd, error = 0;

    snprintf(folder, sizeof(folder), "%.*s",
             slash == NULL ? 1 : (int)(slash - path),
             slash == NULL ? "." : path);
    fd = sr_safe_open_at(dir, folder, O_RDONLY | O_DIRECTORY, NULL);
    if (fd < 0)
        return fd;
    if (fsync(fd) != 0)
        error = -errno;
    close(fd);
    return error;
}

static int
put_in_place(int dir, const char *from, const char *path, bool replaces)
{
    if (renameat2(dir, from, dir, path, replaces ? 0 : RENAME_NOREPLACE) == 0)
        return 0;
    if (replaces || errno != EINVAL)
        return -errno;
    /* A file system without that flag. */
    if (linkat(dir, from, dir, path, 0) != 0)
        return -errno;
    return unlinkat(dir, from, 0) == 0 ? 0 : -errno;
}

static int
put_file(int dir, const char *path, const void *bytes, size_t size,
         bool is_synced, bool replaces, const struct stat *current)
{
    char from[SR_STORE_PATH_MAX];
    int error, fd;

    each_entry(dir, TMP, sweep_one);
    fd = make_temporary(dir, from);
    if (fd < 0)
        return fd;
    error = sr_store_write(fd, bytes, size, 0);
    if (error == 0 && is_synced && fsync(fd) != 0)
        error = -errno;
    if (error == 0 && current != NULL && !leads_to(dir, path, current))
        error = -EEXIST;
    if (error == 0)
        error = put_in_place(dir, from, path, replaces);
    if (error != 0)
        unlinkat(dir, from, 0);
    close(fd);
    if (error == 0 && is_synced)
        error = sync_folder(dir, path);
    return error;
}

enum sr_store_result
sr_store_put(struct sr_store *store, enum sr_store_place place,
             const char *path, const void *bytes, size_t size, bool is_synced,
             bool replaces, const struct stat *current)
{
    struct sr_signal_guard guard;
    int error = sr_signal_guard_begin(&guard);
    int dir;

    if (error != 0)
        return sr_store_judge(store, error);
    dir = sr_store_dir(store, place, true);
    error = dir;
    if (dir >= 0)
        error = put_file(dir, path, bytes, size, is_synced, replaces, current);
    if (error == -ENOENT && dir >= 0) { /* from before there were folders */
        error = make_folders(dir);
        if (error == 0)
            error =
                put_file(dir, path, bytes, size, is_synced, replaces, current);
    }
    sr_signal_guard_end(&guard);
    if (error == -EEXIST && (!replaces || current != NULL))
        return SR_STORE_NOT_FOUND;
    return sr_store_judge(store, error);
}

int
sr_store_sync_folder(struct sr_store *store, enum sr_store_place place,
                     const char *path)
{
    return sync_folder(store->fd[place], path);
}

enum sr_store_result
sr_store_drop(struct sr_store *store, enum sr_store_place place,
              const char *path)
{
    const int dir = store->fd[place];

    if (dir < 0 || unlinkat(dir, path, 0) == 0 || errno == ENOENT)
        return SR_STORE_OK;
    return sr_store_judge(store, errno);
}

void
sr_store_set_aside(struct sr_store *store, enum sr_store_place place,
                   const char *path)
{
    const char *slash = strrchr(path, '/');
    char to[SR_STORE_PATH_MAX];

    sr_store_note_damage(store, path);
    snprintf(to, sizeof(to), ASIDE "/%.*s", SR_STORE_PATH_MAX - 16,
             slash == NULL ? path : slash + 1);
    if (renameat(store->fd[place], path, store->fd[place], to) != 0)
        unlinkat(store->fd[place], path, 0);
}

/* ---- all files of a folder */

enum sr_store_result
sr_store_each(struct sr_store *store, const char *folder,
              void (*each)(void *context, const char *path), void *context)
{
    char path[SR_STORE_PATH_MAX];
    const struct dirent *entry;
    DIR *entries;
    int fd;

    if (store->fd[SR_STORE_SAVED] < 0)
        return SR_STORE_OK;
    fd = sr_safe_open_at(store->fd[SR_STORE_SAVED], folder,
                         O_RDONLY | O_DIRECTORY, NULL);
    if (fd == -ENOENT)
        return SR_STORE_OK;
    entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        if (fd >= 0)
            close(fd);
        return sr_store_judge(store, fd < 0 ? fd : errno);
    }
    while ((entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] != '.' &&
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) <
                (int)sizeof(path))
            each(context, path);
    }
    closedir(entries);
    return SR_STORE_OK;
}

static void
drop_one(void *context, const char *path)
{
    sr_store_drop(context, SR_STORE_SAVED, path);
    sr_store_drop(context, SR_STORE_UNSAVED, path);
}

enum sr_store_result
sr_store_drop_sources(struct sr_store *store)
{
    enum sr_store_result result =
        sr_store_each(store, "sources", drop_one, store);

    if (result == SR_STORE_OK)
        result = sr_store_each(store, "here", drop_one, store);
    return result == SR_STORE_OK ? store->no_write : result;
}
