/*
 * Store: what this host must remember, in LMDB.
 *
 * Each transaction takes the lock, checks the file (pages.h, unless it is
 * sealed: seal.h), and lets all of it go at its end.  So nothing of LMDB lives
 * longer than the lock, and the file is never used in a state that was not
 * checked.  LMDB writes; to read a few records, its pages are looked into here,
 * which is less work than to have LMDB open and map them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "policy/util/siphash.h"
#include "policy/util/safe_open.h"
#include "policy/util/file_lock.h"
#include "policy/store/pages.h"
#include "policy/store/record.h"
#include "policy/store/seal.h"
#include "policy/util/signal_guard.h"
#include "policy/store/store.h"

#define LOCK_FILE "lock"
#define DATA_FILE "data.mdb"
#define NEW_FILE  "data.new"

/*
 * What strangers can make the store grow to: 32768 buckets with a full ledger
 * of 64 failures each (291 bytes, and 16 of key and node) are 10 MB, 16384
 * memories of 100 bytes are 1.6 MB; with every page half empty 23.4 MB.  The
 * map is at least that, and always twice the file, so that the accounts of the
 * host, about 1 KB each, find room however many they are.
 */
#define MAP_SIZE_MIN ((size_t)32 << 20)

/* A short write by LMDB leaves no errno; less room than this is "full". */
#define ROOM_MIN ((uint64_t)1 << 20)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* A part of the file that was read; kept to the transaction's end. */
struct part {
    struct part *next;
    off_t offset;
    size_t size;
    uint8_t bytes[];
};

struct sr_store {
    char dir[PATH_MAX - sizeof("/" DATA_FILE)];
    unsigned wait_ms;
    int lock;                      /* -1: nothing was ever written */
    enum sr_store_result no_write; /* not OK: why writes are refused */
    bool found_low;                /* one of descriptors 0 to 2 is closed */
    bool is_shielded;              /* by the caller */
    bool knows_boot;               /* the reading has its id */
    int error;

    /* The transaction. */
    bool is_open;
    bool is_write;
    bool exists; /* there is a database */
    bool is_new_boot;
    bool has_clock; /* to be recorded */
    struct sr_signal_guard shield;
    struct rlimit fsize;
    size_t file_size;
    struct sr_reading reading; /* of the clocks, at its beginning */
    struct sr_seal seal;       /* the last one that was read */

    /* To read. */
    int data; /* -1: LMDB reads */
    struct sr_pages_tree tree;
    struct part *parts;

    /* To write. */
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    struct sr_head head;
};

static const struct sr_record_key head_key = {{SR_RECORD_HEAD}, 1};

const char *
sr_store_strerror(enum sr_store_result result)
{
    switch (result) {
    case SR_STORE_OK:
        return "no error";
    case SR_STORE_NOT_FOUND:
        return "there is no record";
    case SR_STORE_BUSY:
        return "another process keeps the store locked";
    case SR_STORE_FULL:
        return "the disk is full, or a limit on the size of files holds";
    case SR_STORE_READ_ONLY:
        return "the file system is read-only";
    case SR_STORE_DAMAGED:
        return "the store is damaged";
    case SR_STORE_VERSION:
        return "the store was written by a newer version";
    case SR_STORE_UNSAFE:
        return "the owner or the mode of the store is unsafe";
    case SR_STORE_FAILED:
        break;
    }
    return "the store could not be used";
}

/* ---- errors */

/* What an errno or an LMDB code comes to; keeps it for sr_store_errno(). */
static enum sr_store_result
judge(struct sr_store *store, int error)
{
    store->error = error;
    switch (error) {
    case 0:
        return SR_STORE_OK;
    case MDB_NOTFOUND:
        return SR_STORE_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
        return SR_STORE_FULL;
    case EROFS:
    case EPERM: /* root, of a file that is immutable */
        return SR_STORE_READ_ONLY;
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_BAD_VALSIZE:
        return SR_STORE_DAMAGED;
    default:
        return SR_STORE_FAILED;
    }
}

static bool
is_denied(int error)
{
    return error == -EROFS || error == -EACCES || error == -EPERM;
}

static bool
is_full(int error)
{
    return error == -ENOSPC || error == -EDQUOT;
}

/* ---- open and close */

static void
make_path(const struct sr_store *store, const char *name,
          char path[static PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", store->dir, name);
}

/* The directory is there and safe; or it is not, and need not be. */
static enum sr_store_result
check_dir(struct sr_store *store, enum sr_store_mode mode, bool *is_there)
{
    struct stat status;
    int error;

    *is_there = lstat(store->dir, &status) == 0;
    if (!*is_there && errno == ENOENT && mode == SR_STORE_WRITE) {
        error = sr_safe_make_dir(store->dir);
        if (is_full(error) || error == -EROFS) {
            store->no_write = judge(store, -error);
            return SR_STORE_OK;
        }
        if (error != 0)
            return judge(store, -error);
        *is_there = lstat(store->dir, &status) == 0;
    }
    if (!*is_there)
        return errno == ENOENT && mode == SR_STORE_READ ? SR_STORE_OK
                                                        : judge(store, errno);
    return sr_safe_open_check(&status, S_IFDIR, 077) ? SR_STORE_OK
                                                     : SR_STORE_UNSAFE;
}

/* Without a lock file there must be no data either. */
static enum sr_store_result
check_absent(struct sr_store *store)
{
    char path[PATH_MAX];
    struct stat status;

    make_path(store, DATA_FILE, path);
    if (lstat(path, &status) != 0 && errno == ENOENT)
        return SR_STORE_OK;
    return judge(store, ENOLCK);
}

static enum sr_store_result
open_lock(struct sr_store *store, enum sr_store_mode mode)
{
    char path[PATH_MAX];
    struct stat status;
    int fd = -EROFS;

    make_path(store, LOCK_FILE, path);
    if (mode == SR_STORE_WRITE) {
        fd = sr_safe_open(path, O_RDWR | O_CREAT, &store->found_low);
        if (is_denied(fd))
            store->no_write = SR_STORE_READ_ONLY;
        else if (is_full(fd))
            store->no_write = SR_STORE_FULL;
    }
    if (is_denied(fd) || is_full(fd))
        fd = sr_safe_open(path, O_RDONLY, &store->found_low);
    if (fd == -ENOENT)
        return check_absent(store);
    if (fd < 0)
        return judge(store, -fd);
    store->lock = fd;
    if (fstat(fd, &status) != 0)
        return judge(store, errno);
    return sr_safe_open_check(&status, S_IFREG, 077) ? SR_STORE_OK
                                                     : SR_STORE_UNSAFE;
}

enum sr_store_result
sr_store_open(const char *dir, enum sr_store_mode mode, unsigned wait_ms,
              struct sr_store **store)
{
    struct sr_store *opened = calloc(1, sizeof(*opened));
    enum sr_store_result result;
    bool is_there = false;
    int size;

    *store = NULL;
    if (opened == NULL)
        return SR_STORE_FAILED;
    opened->lock = -1;
    opened->data = -1;
    opened->wait_ms = wait_ms;
    opened->no_write = mode == SR_STORE_READ ? SR_STORE_READ_ONLY : SR_STORE_OK;
    size = snprintf(opened->dir, sizeof(opened->dir), "%s",
                    dir != NULL ? dir : SR_STATEDIR);
    if (size < 0 || (size_t)size >= sizeof(opened->dir))
        result = SR_STORE_FAILED;
    else
        result = check_dir(opened, mode, &is_there);
    if (result == SR_STORE_OK && is_there)
        result = open_lock(opened, mode);
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
    sr_store_abort(store);
    if (store->lock >= 0)
        close(store->lock);
    explicit_bzero(store, sizeof(*store)); /* the key of the hashes */
    free(store);
}

int
sr_store_errno(const struct sr_store *store)
{
    return store->error;
}

bool
sr_store_is_read_only(const struct sr_store *store)
{
    return store->no_write == SR_STORE_READ_ONLY;
}

void
sr_store_set_guarded(struct sr_store *store)
{
    store->is_shielded = true;
}

bool
sr_store_is_new_boot(const struct sr_store *store)
{
    return store->is_new_boot;
}

/* ---- the lock */

static enum sr_store_result
take_lock(struct sr_store *store, bool write)
{
    const int error = sr_file_lock_take(store->lock, write, store->wait_ms);

    return error == -EAGAIN ? SR_STORE_BUSY : judge(store, -error);
}

/* ---- the file */

static enum sr_store_result
check_image(struct sr_store *store, int fd, size_t size)
{
    enum sr_pages_result sound;
    void *image;

    if (size == 0)
        return SR_STORE_DAMAGED;
    image = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (image == MAP_FAILED)
        return judge(store, errno);
    /* Read it now: later a bad sector would be a signal.  A kernel that does
     * not know how is no reason to refuse. */
    if (madvise(image, size, MADV_POPULATE_READ) != 0 && errno == EFAULT) {
        munmap(image, size);
        return judge(store, EIO);
    }
    sound = sr_pages_check(image, size);
    munmap(image, size);
    if (sound == SR_PAGES_NO_MEMORY)
        return judge(store, ENOMEM);
    return sound == SR_PAGES_DAMAGED ? SR_STORE_DAMAGED : SR_STORE_OK;
}

/* Whether the file is sealed, and so need not be looked through. */
static bool
is_sealed(struct sr_store *store, const struct stat *status)
{
    struct sr_seal *seal = &store->seal;

    /* The seal that fitted in the transaction before may still do so. */
    return sr_seal_fits(seal, status, store->reading.boot_id) ||
           (pread(store->lock, seal, sizeof(*seal), 0) == sizeof(*seal) &&
            sr_seal_fits(seal, status, store->reading.boot_id));
}

/* Seal the file.  Only where it is being written anyway, and a seal that could
 * not be left costs the next one a look. */
static void
put_seal(const struct sr_store *store, const struct stat *status)
{
    struct sr_seal seal;

    if (!store->is_write)
        return;
    sr_seal_make(&seal, status, store->reading.boot_id);
    if (pwrite(store->lock, &seal, sizeof(seal), 0) != sizeof(seal))
        return;
}

/* OK, NOT_FOUND, or what is wrong with the data file.  To read, it stays open.
 */
static enum sr_store_result
check_file(struct sr_store *store)
{
    enum sr_store_result result;
    char path[PATH_MAX];
    struct stat status;
    int fd;

    make_path(store, DATA_FILE, path);
    fd = sr_safe_open(path, O_RDONLY, &store->found_low);
    if (fd == -ENOENT)
        return SR_STORE_NOT_FOUND;
    if (fd == -ELOOP)
        return SR_STORE_UNSAFE;
    if (fd < 0)
        return judge(store, -fd);
    if (fstat(fd, &status) != 0) {
        result = judge(store, errno);
    } else if (!sr_safe_open_check(&status, S_IFREG, 077)) {
        result = SR_STORE_UNSAFE;
    } else {
        store->file_size = (size_t)status.st_size;
        result = SR_STORE_OK;
        if (!is_sealed(store, &status)) {
            result = check_image(store, fd, store->file_size);
            if (result == SR_STORE_OK)
                put_seal(store, &status);
        }
    }
    if (result == SR_STORE_OK && !store->is_write)
        store->data = fd;
    else
        close(fd);
    return result;
}

/* ---- to read */

static enum sr_store_result
read_part(struct sr_store *store, off_t offset, size_t size)
{
    struct part *part = malloc(sizeof(*part) + size);
    ssize_t got;

    if (part == NULL)
        return judge(store, ENOMEM);
    got = pread(store->data, part->bytes, size, offset);
    part->next = store->parts;
    part->offset = offset;
    part->size = got > 0 ? (size_t)got : 0;
    store->parts = part;
    return judge(store, got < 0 ? errno : 0);
}

/* A page of a part that was read, or NULL. */
static const void *
find_page(const struct sr_store *store, off_t offset)
{
    const off_t end = offset + (off_t)store->tree.page_size;

    for (struct part *part = store->parts; part != NULL; part = part->next) {
        if (offset >= part->offset && end <= part->offset + (off_t)part->size)
            return part->bytes + (offset - part->offset);
    }
    return NULL;
}

static enum sr_store_result
get_page(struct sr_store *store, size_t number, const void **page)
{
    const size_t size = store->tree.page_size;
    enum sr_store_result result = SR_STORE_OK;
    off_t offset;

    if (number >= store->file_size / size)
        return SR_STORE_DAMAGED;
    offset = (off_t)(number * size);
    *page = find_page(store, offset);
    if (*page == NULL) {
        result = read_part(store, offset, size);
        *page = find_page(store, offset);
    }
    return result == SR_STORE_OK && *page == NULL ? SR_STORE_DAMAGED : result;
}

static enum sr_store_result
look_up(struct sr_store *store, const struct sr_record_key *key, MDB_val *value)
{
    const struct sr_pages_span name = {key->bytes, key->size};
    struct sr_pages_lookup lookup = {.number = store->tree.root};

    while (lookup.level < store->tree.depth) {
        enum sr_store_result result;
        const void *page;

        result = get_page(store, lookup.number, &page);
        if (result != SR_STORE_OK)
            return result;
        if (!sr_pages_look(&store->tree, page, name, &lookup))
            return SR_STORE_DAMAGED;
    }
    if (lookup.value.bytes == NULL)
        return SR_STORE_NOT_FOUND;
    /* Nobody writes through it, but LMDB's type cannot say so. */
    value->mv_data = (void *)(uintptr_t)lookup.value.bytes;
    value->mv_size = lookup.value.size;
    return SR_STORE_OK;
}

static void
end_reading(struct sr_store *store)
{
    while (store->parts != NULL) {
        struct part *part = store->parts;

        store->parts = part->next;
        explicit_bzero(part->bytes, part->size); /* the key of the hashes */
        free(part);
    }
    if (store->data >= 0)
        close(store->data);
    store->data = -1;
}

/* A data version that we do not know is left to LMDB. */
static enum sr_store_result
begin_reading(struct sr_store *store, bool *with_lmdb)
{
    const size_t size =
        store->file_size < SR_PAGES_START ? store->file_size : SR_PAGES_START;
    enum sr_store_result result;
    enum sr_pages_result found;

    result = read_part(store, 0, size);
    if (result != SR_STORE_OK)
        return result;
    found = sr_pages_find_tree(store->parts->bytes, store->parts->size,
                               &store->tree);
    *with_lmdb = found == SR_PAGES_FOREIGN;
    if (*with_lmdb)
        end_reading(store);
    return found == SR_PAGES_DAMAGED ? SR_STORE_DAMAGED : SR_STORE_OK;
}

/* ---- to write */

static size_t
map_size(size_t file_size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t twice = (file_size * 2 + page - 1) / page * page;

    return twice > MAP_SIZE_MIN ? twice : MAP_SIZE_MIN;
}

/* Map `name` and begin LMDB's transaction.  Returns its code. */
static int
begin_lmdb(struct sr_store *store, const char *name, bool write)
{
    const unsigned mode = write ? 0 : MDB_RDONLY;
    const int plugs = store->found_low ? sr_standard_fds_plug() : 0;
    char path[PATH_MAX];
    mdb_filehandle_t fd;
    int error;

    if (plugs < 0)
        return -plugs;
    make_path(store, name, path);
    error = mdb_env_create(&store->env);
    if (error == 0)
        error = mdb_env_set_mapsize(store->env, map_size(store->file_size));
    if (error == 0)
        error =
            mdb_env_open(store->env, path,
                         MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS | mode, 0600);
    if (error == 0 && mdb_env_get_fd(store->env, &fd) == 0 &&
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        error = errno;
    if (error == 0)
        error = mdb_txn_begin(store->env, NULL, mode, &store->txn);
    if (error == 0)
        error = mdb_dbi_open(store->txn, NULL, 0, &store->dbi);
    sr_standard_fds_unplug(plugs);
    return error;
}

static void
end_lmdb(struct sr_store *store)
{
    if (store->txn != NULL)
        mdb_txn_abort(store->txn);
    store->txn = NULL;
    if (store->env != NULL)
        mdb_env_close(store->env);
    store->env = NULL;
}

/* LMDB says EIO of a write that was cut short; see what cut it. */
static bool
lacks_room(struct sr_store *store)
{
    struct statvfs space;
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
        limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < (rlim_t)store->file_size + ROOM_MIN)
        return true;
    return statvfs(store->dir, &space) == 0 &&
           (uint64_t)space.f_bavail * space.f_frsize < ROOM_MIN;
}

static enum sr_store_result
commit_lmdb(struct sr_store *store)
{
    int error = mdb_txn_commit(store->txn);
    mdb_filehandle_t fd;
    struct stat status;

    store->txn = NULL;
    if (error == EIO && lacks_room(store))
        error = ENOSPC;
    if (error == 0 && mdb_env_get_fd(store->env, &fd) == 0 &&
        fstat(fd, &status) == 0)
        put_seal(store, &status);
    return judge(store, error);
}

/* ---- records */

static MDB_val
key_value(const struct sr_record_key *key)
{
    /* LMDB does not write to a key, but its type cannot say so. */
    return (MDB_val){key->size, (void *)(uintptr_t)key->bytes};
}

static enum sr_store_result
find(struct sr_store *store, const struct sr_record_key *key, MDB_val *value)
{
    MDB_val name = key_value(key);

    if (!store->is_open)
        return judge(store, EINVAL);
    if (!store->exists)
        return SR_STORE_NOT_FOUND;
    if (store->data >= 0)
        return look_up(store, key, value);
    return judge(store, mdb_get(store->txn, store->dbi, &name, value));
}

static enum sr_store_result
keep(struct sr_store *store, const struct sr_record_key *key,
     const struct sr_record *record)
{
    MDB_val name = key_value(key);
    MDB_val value = {record->size, (void *)(uintptr_t)record->bytes};

    if (!store->is_open || !store->is_write)
        return judge(store, EINVAL);
    return judge(store, mdb_put(store->txn, store->dbi, &name, &value, 0));
}

static enum sr_store_result
drop(struct sr_store *store, const struct sr_record_key *key)
{
    MDB_val name = key_value(key);
    int error;

    if (!store->is_open || !store->is_write)
        return judge(store, EINVAL);
    error = mdb_del(store->txn, store->dbi, &name, NULL);
    return error == MDB_NOTFOUND ? SR_STORE_OK : judge(store, error);
}

static enum sr_store_result
read_head(struct sr_store *store)
{
    enum sr_store_result result;
    MDB_val value;

    result = find(store, &head_key, &value);
    if (result == SR_STORE_OK)
        return sr_record_get_head(&head_key, value.mv_data, value.mv_size,
                                  &store->head);
    /* A database without a head is not ours. */
    return result == SR_STORE_NOT_FOUND ? SR_STORE_DAMAGED : result;
}

static enum sr_store_result
keep_head(struct sr_store *store)
{
    struct sr_record record;
    enum sr_store_result result;

    sr_record_put_head(&record, &head_key, &store->head);
    result = keep(store, &head_key, &record);
    explicit_bzero(&record, sizeof(record));
    return result;
}

/* ---- the first write */

static enum sr_store_result
sync_dir(struct sr_store *store)
{
    const int fd = sr_safe_open(store->dir, O_RDONLY | O_DIRECTORY, NULL);
    int error = 0;

    if (fd < 0)
        return judge(store, -fd);
    if (fsync(fd) != 0)
        error = errno;
    close(fd);
    return judge(store, error);
}

static enum sr_store_result
fill_new(struct sr_store *store)
{
    enum sr_store_result result;
    size_t got = 0;

    memset(&store->head, 0, sizeof(store->head));
    while (got < sizeof(store->head.hash_key)) {
        const ssize_t more = getrandom(store->head.hash_key + got,
                                       sizeof(store->head.hash_key) - got, 0);

        if (more < 0 && errno != EINTR)
            return judge(store, errno);
        got += more > 0 ? (size_t)more : 0;
    }
    result = judge(store, begin_lmdb(store, NEW_FILE, true));
    if (result == SR_STORE_OK)
        result = keep_head(store);
    if (result == SR_STORE_OK)
        result = commit_lmdb(store);
    end_lmdb(store);
    return result;
}

/*
 * Make the database under another name and move it into place, so that a
 * process that is killed here leaves no half of one.
 */
static enum sr_store_result
create_data(struct sr_store *store)
{
    char made[PATH_MAX], path[PATH_MAX];
    enum sr_store_result result;
    int fd;

    make_path(store, NEW_FILE, made);
    make_path(store, DATA_FILE, path);
    if (unlink(made) != 0 && errno != ENOENT)
        return judge(store, errno);
    fd = sr_safe_open(made, O_RDWR | O_CREAT, &store->found_low);
    if (fd < 0)
        return judge(store, -fd);
    close(fd);
    result = fill_new(store);
    if (result == SR_STORE_OK && rename(made, path) != 0)
        result = judge(store, errno);
    if (result == SR_STORE_OK)
        result = sync_dir(store);
    else
        unlink(made);
    return result == SR_STORE_OK ? check_file(store) : result;
}

/* ---- transactions */

/* Everything that a transaction holds; in the order opposite to its taking. */
static void
end(struct sr_store *store)
{
    end_reading(store);
    end_lmdb(store);
    store->is_open = false;
    store->exists = false;
    if (store->lock >= 0)
        sr_file_lock_give(store->lock);
    if (store->is_write)
        sr_signal_guard_restore_fsize(&store->fsize);
    store->is_write = false;
    if (!store->is_shielded)
        sr_signal_guard_end(&store->shield);
}

static int
read_clocks(struct sr_store *store)
{
    int error;

    if (store->knows_boot)
        return sr_clock_read_again(&store->reading);
    error = sr_clock_read(&store->reading);
    store->knows_boot = error == 0;
    return error;
}

static enum sr_store_result
begin_locked(struct sr_store *store, bool write)
{
    enum sr_store_result result;
    bool with_lmdb = write;
    int error = read_clocks(store);

    if (error != 0)
        return judge(store, -error);
    result = check_file(store);
    if (result == SR_STORE_NOT_FOUND) {
        if (!write)
            return SR_STORE_OK;
        result = create_data(store);
    }
    if (result != SR_STORE_OK)
        return result;
    if (!write)
        result = begin_reading(store, &with_lmdb);
    if (result == SR_STORE_OK && with_lmdb)
        result = judge(store, begin_lmdb(store, DATA_FILE, write));
    if (result != SR_STORE_OK)
        return result;
    store->exists = true;
    return read_head(store);
}

enum sr_store_result
sr_store_begin(struct sr_store *store, bool write)
{
    enum sr_store_result result = SR_STORE_OK;
    int error;

    if (store->is_open)
        return judge(store, EBUSY);
    if (write && store->no_write != SR_STORE_OK)
        return store->no_write;
    error = store->is_shielded ? 0 : sr_signal_guard_begin(&store->shield);
    if (error != 0)
        return judge(store, -error);
    store->is_open = true;
    store->is_write = write;
    store->is_new_boot = false;
    store->has_clock = false;
    if (write)
        sr_signal_guard_lift_fsize(&store->fsize);
    if (store->lock >= 0)
        result = take_lock(store, write);
    if (result == SR_STORE_OK && store->lock >= 0)
        result = begin_locked(store, write);
    if (result != SR_STORE_OK)
        end(store);
    return result;
}

enum sr_store_result
sr_store_commit(struct sr_store *store)
{
    enum sr_store_result result = SR_STORE_OK;

    if (!store->is_open)
        return judge(store, EINVAL);
    if (store->is_write && store->has_clock)
        result = keep_head(store);
    if (store->is_write && result == SR_STORE_OK)
        result = commit_lmdb(store);
    end(store);
    return result;
}

void
sr_store_abort(struct sr_store *store)
{
    if (store->is_open)
        end(store);
}

bool
sr_store_is_open(const struct sr_store *store)
{
    return store->is_open;
}

enum sr_store_result
sr_store_now(struct sr_store *store, sr_time *ledger_now, sr_time *wall)
{
    bool changed;
    int error = 0;

    if (!store->is_open)
        return judge(store, EINVAL);
    if (store->lock < 0) /* no store, so the clocks were not read for it */
        error = read_clocks(store);
    if (error != 0)
        return judge(store, -error);
    if (!store->exists)
        memset(&store->head, 0, sizeof(store->head));
    *ledger_now = sr_clock_now(&store->head.clock, &store->reading, &changed);
    if (wall != NULL)
        *wall = store->reading.wall;
    store->has_clock = true;
    store->is_new_boot = changed;
    return SR_STORE_OK;
}

enum sr_store_result
sr_store_hash(struct sr_store *store, const void *bytes, size_t size,
              uint64_t *hash)
{
    *hash = 0;
    if (!store->is_open)
        return judge(store, EINVAL);
    if (!store->exists)
        return SR_STORE_NOT_FOUND;
    *hash = sr_siphash(store->head.hash_key, bytes, size);
    return SR_STORE_OK;
}

/* ---- the kinds of records */

enum sr_store_result
sr_store_get_ledger(struct sr_store *store, const struct sr_ledger_key *key,
                    struct sr_ledger *ledger)
{
    const struct sr_record_key name = sr_record_ledger_key(key);
    enum sr_store_result result;
    MDB_val value;

    sr_ledger_init(ledger);
    result = find(store, &name, &value);
    if (result != SR_STORE_OK)
        return result;
    return sr_record_get_ledger(&name, value.mv_data, value.mv_size, ledger);
}

enum sr_store_result
sr_store_put_ledger(struct sr_store *store, const struct sr_ledger_key *key,
                    const struct sr_ledger *ledger)
{
    const struct sr_record_key name = sr_record_ledger_key(key);
    struct sr_record record;

    sr_record_put_ledger(&record, &name, ledger);
    return keep(store, &name, &record);
}

enum sr_store_result
sr_store_drop_ledger(struct sr_store *store, const struct sr_ledger_key *key)
{
    const struct sr_record_key name = sr_record_ledger_key(key);

    return drop(store, &name);
}

static enum sr_store_result
get_memory(struct sr_store *store, struct sr_record_key name,
           struct sr_memory *memory)
{
    enum sr_store_result result;
    MDB_val value;

    memset(memory, 0, sizeof(*memory));
    result = find(store, &name, &value);
    if (result != SR_STORE_OK)
        return result;
    return sr_record_get_memory(&name, value.mv_data, value.mv_size, memory);
}

static bool
is_empty_memory(const struct sr_memory *memory)
{
    for (size_t i = 0; i < SR_FAMILIAR_MAX; i++) {
        if (memory->familiar[i].seen != 0)
            return false;
    }
    return memory->failed == 0;
}

static enum sr_store_result
put_memory(struct sr_store *store, struct sr_record_key name,
           const struct sr_memory *memory)
{
    struct sr_record record;

    if (is_empty_memory(memory))
        return drop(store, &name);
    sr_record_put_memory(&record, &name, memory);
    return keep(store, &name, &record);
}

enum sr_store_result
sr_store_get_memory(struct sr_store *store, uid_t uid, struct sr_memory *memory)
{
    return get_memory(store, sr_record_key(SR_RECORD_MEMORY, uid, 0), memory);
}

enum sr_store_result
sr_store_put_memory(struct sr_store *store, uid_t uid,
                    const struct sr_memory *memory)
{
    return put_memory(store, sr_record_key(SR_RECORD_MEMORY, uid, 0), memory);
}

enum sr_store_result
sr_store_get_name_memory(struct sr_store *store, uint32_t bucket,
                         struct sr_memory *memory)
{
    return get_memory(store, sr_record_key(SR_RECORD_NAME_MEMORY, bucket, 0),
                      memory);
}

enum sr_store_result
sr_store_put_name_memory(struct sr_store *store, uint32_t bucket,
                         const struct sr_memory *memory)
{
    return put_memory(store, sr_record_key(SR_RECORD_NAME_MEMORY, bucket, 0),
                      memory);
}

enum sr_store_result
sr_store_get_temporary(struct sr_store *store, uid_t uid,
                       struct sr_temporary *temporary)
{
    const struct sr_record_key name =
        sr_record_key(SR_RECORD_TEMPORARY, uid, 0);
    enum sr_store_result result;
    MDB_val value;

    memset(temporary, 0, sizeof(*temporary));
    result = find(store, &name, &value);
    if (result != SR_STORE_OK)
        return result;
    return sr_record_get_temporary(&name, value.mv_data, value.mv_size,
                                   temporary);
}

enum sr_store_result
sr_store_put_temporary(struct sr_store *store, uid_t uid,
                       const struct sr_temporary *t)
{
    const struct sr_record_key name =
        sr_record_key(SR_RECORD_TEMPORARY, uid, 0);
    struct sr_record record;

    sr_record_put_temporary(&record, &name, t);
    return keep(store, &name, &record);
}

enum sr_store_result
sr_store_drop_temporary(struct sr_store *store, uid_t uid)
{
    const struct sr_record_key name =
        sr_record_key(SR_RECORD_TEMPORARY, uid, 0);

    return drop(store, &name);
}

enum sr_store_result
sr_store_get_history(struct sr_store *store, uid_t uid,
                     struct sr_history *history)
{
    const struct sr_record_key name = sr_record_key(SR_RECORD_HISTORY, uid, 0);
    enum sr_store_result result;
    MDB_val value;

    memset(history, 0, sizeof(*history));
    result = find(store, &name, &value);
    if (result != SR_STORE_OK)
        return result;
    return sr_record_get_history(&name, value.mv_data, value.mv_size, history);
}

enum sr_store_result
sr_store_put_history(struct sr_store *store, uid_t uid,
                     const struct sr_history *history)
{
    const struct sr_record_key name = sr_record_key(SR_RECORD_HISTORY, uid, 0);
    enum sr_store_result result;
    struct sr_record record;

    sr_record_put_history(&record, &name, history);
    result = keep(store, &name, &record);
    explicit_bzero(&record, sizeof(record));
    return result;
}

/* ---- all of a kind */

static int
drop_kind(struct sr_store *store, enum sr_record_kind kind)
{
    uint8_t first = (uint8_t)kind;
    MDB_val name = {sizeof(first), &first};
    MDB_cursor *cursor;
    MDB_val value;
    int error;

    error = mdb_cursor_open(store->txn, store->dbi, &cursor);
    if (error != 0)
        return error;
    /* A key of one byte stands before every longer one of its kind. */
    error = mdb_cursor_get(cursor, &name, &value, MDB_SET_RANGE);
    while (error == 0 && *(const uint8_t *)name.mv_data == kind) {
        error = mdb_cursor_del(cursor, 0);
        if (error == 0)
            error = mdb_cursor_get(cursor, &name, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return error == MDB_NOTFOUND ? 0 : error;
}

enum sr_store_result
sr_store_drop_all(struct sr_store *store, enum sr_ledger_kind kind)
{
    const struct sr_ledger_key any = {kind, 0, SR_CLASS_STRANGER};
    const struct sr_record_key name = sr_record_ledger_key(&any);
    int error;

    if (!store->is_open || !store->is_write)
        return judge(store, EINVAL);
    error = drop_kind(store, (enum sr_record_kind)name.bytes[0]);
    if (error == 0 && kind == SR_LEDGER_NAME)
        error = drop_kind(store, SR_RECORD_NAME_MEMORY);
    return judge(store, error);
}
