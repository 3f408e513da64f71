/*
 * Unit tests of the store: records, transactions, and everything that can be
 * wrong with a disk, a file or the process around it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <lmdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "policy/store/pages.h"
#include "policy/store/record.h"
#include "policy/store/store.h"
#include "tests/unit/scratch.h"

/* AddressSanitizer needs terabytes of addresses. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define HAS_SHADOW_MEMORY
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_SHADOW_MEMORY
#endif

#define T0      ((sr_time)1000000)
#define WAIT_MS 5000

static int
setup(void **state)
{
    *state = scratch_make();
    return 0;
}

static int
teardown(void **state)
{
    scratch_remove(*state);
    return 0;
}

/* ---- helpers */

static struct sr_store *
open_store(const char *dir, enum sr_store_mode mode)
{
    struct sr_store *store;

    WANT(sr_store_open(dir, mode, WAIT_MS, &store) == SR_STORE_OK);
    return store;
}

static struct sr_store *
open_begun(const char *dir, bool write)
{
    struct sr_store *store =
        open_store(dir, write ? SR_STORE_WRITE : SR_STORE_READ);

    WANT(sr_store_begin(store, write) == SR_STORE_OK);
    return store;
}

static void
commit_close(struct sr_store *store)
{
    WANT(sr_store_commit(store) == SR_STORE_OK);
    sr_store_close(store);
}

static struct sr_ledger
some_ledger(unsigned failures)
{
    struct sr_ledger ledger;

    sr_ledger_init(&ledger);
    ledger.level = failures;
    ledger.locked_until = T0 + 900;
    for (unsigned i = 0; i < failures; i++)
        ledger.failed_at[i] = T0 - i;
    return ledger;
}

static void
put_account(const char *dir, uid_t uid, unsigned failures)
{
    const struct sr_ledger_key key = {SR_LEDGER_ACCOUNT, uid,
                                      SR_CLASS_STRANGER};
    const struct sr_ledger ledger = some_ledger(failures);
    struct sr_store *store = open_begun(dir, true);

    WANT(sr_store_put_ledger(store, &key, &ledger) == SR_STORE_OK);
    commit_close(store);
}

static enum sr_store_result
get_account(struct sr_store *store, uid_t uid, struct sr_ledger *ledger)
{
    const struct sr_ledger_key key = {SR_LEDGER_ACCOUNT, uid,
                                      SR_CLASS_STRANGER};

    return sr_store_get_ledger(store, &key, ledger);
}

/* The level of an account's ledger in a store that is fine; -1: none. */
static int
level_of(const char *dir, uid_t uid)
{
    struct sr_store *store = open_begun(dir, false);
    enum sr_store_result result;
    struct sr_ledger ledger;

    result = get_account(store, uid, &ledger);
    WANT(result == SR_STORE_OK || result == SR_STORE_NOT_FOUND);
    sr_store_close(store);
    return result == SR_STORE_OK ? (int)ledger.level : -1;
}

/* What opening and reading an account comes to. */
static enum sr_store_result
probe(const char *dir, uid_t uid, struct sr_ledger *ledger)
{
    enum sr_store_result result;
    struct sr_store *store;

    result = sr_store_open(dir, SR_STORE_READ, WAIT_MS, &store);
    if (result == SR_STORE_OK)
        result = sr_store_begin(store, false);
    if (result == SR_STORE_OK)
        result = get_account(store, uid, ledger);
    sr_store_close(store);
    return result;
}

static enum sr_store_result
try_put(const char *dir, uid_t uid, unsigned failures)
{
    const struct sr_ledger_key key = {SR_LEDGER_ACCOUNT, uid,
                                      SR_CLASS_STRANGER};
    const struct sr_ledger ledger = some_ledger(failures);
    enum sr_store_result result;
    struct sr_store *store;

    result = sr_store_open(dir, SR_STORE_WRITE, WAIT_MS, &store);
    if (result == SR_STORE_OK)
        result = sr_store_begin(store, true);
    if (result == SR_STORE_OK)
        result = sr_store_put_ledger(store, &key, &ledger);
    if (result == SR_STORE_OK)
        result = sr_store_commit(store);
    sr_store_close(store);
    return result;
}

/* ---- records */

static struct sr_history
full_history(void)
{
    struct sr_history history;

    memset(&history, 0, sizeof(history));
    for (int g = 0; g < SR_HISTORY_GROUPS; g++) {
        struct sr_history_group *group = &history.group[g];

        memset(group->salt, 'a' + g, sizeof(group->salt) - 1);
        group->count = SR_HISTORY_MAX;
        for (uint32_t i = 0; i < SR_HISTORY_MAX; i++) {
            group->tag[i] = 0xfffffff0u - i;
            group->set_at[i] = SR_TIME_NEVER - i;
        }
    }
    return history;
}

static struct sr_memory
full_memory(void)
{
    struct sr_memory memory;

    memset(&memory, 0, sizeof(memory));
    memory.failed = UINT32_MAX;
    memory.failed_last = T0;
    memset(memory.failed_from, 'x', sizeof(memory.failed_from) - 1);
    for (size_t i = 0; i < SR_FAMILIAR_MAX; i++)
        memory.familiar[i] =
            (struct sr_familiar){UINT64_MAX - i, T0 + (sr_time)i};
    return memory;
}

static void
test_every_kind_comes_back(void **state)
{
    const struct sr_temporary temporary = {0x0123456789abcdef, T0, T0 + 5};
    const struct sr_history history = full_history();
    const struct sr_memory memory = full_memory();
    struct sr_temporary temporary_back;
    struct sr_history history_back;
    struct sr_memory memory_back;
    struct sr_ledger ledger_back;
    struct sr_store *store = open_begun(*state, true);

    for (unsigned kind = SR_LEDGER_ACCOUNT; kind <= SR_LEDGER_SOURCE; kind++) {
        const struct sr_ledger_key key = {(enum sr_ledger_kind)kind,
                                          70000u + kind, SR_CLASS_FAMILIAR};
        const struct sr_ledger ledger = some_ledger(62u + kind);

        assert_int_equal(sr_store_put_ledger(store, &key, &ledger), 0);
    }
    assert_int_equal(sr_store_put_memory(store, 5, &memory), 0);
    assert_int_equal(sr_store_put_name_memory(store, 5, &memory), 0);
    assert_int_equal(sr_store_put_temporary(store, 5, &temporary), 0);
    assert_int_equal(sr_store_put_history(store, 5, &history), 0);
    commit_close(store);

    store = open_begun(*state, false);
    for (unsigned kind = SR_LEDGER_ACCOUNT; kind <= SR_LEDGER_SOURCE; kind++) {
        struct sr_ledger_key key = {(enum sr_ledger_kind)kind, 70000u + kind,
                                    SR_CLASS_FAMILIAR};
        const struct sr_ledger ledger = some_ledger(62u + kind);

        assert_int_equal(sr_store_get_ledger(store, &key, &ledger_back), 0);
        assert_memory_equal(&ledger, &ledger_back, sizeof(ledger));
        key.id++;
        assert_int_equal(sr_store_get_ledger(store, &key, &ledger_back),
                         SR_STORE_NOT_FOUND);
    }
    assert_int_equal(get_account(store, 70000, &ledger_back),
                     SR_STORE_NOT_FOUND); /* the other class */
    assert_int_equal(sr_store_get_memory(store, 5, &memory_back), 0);
    assert_memory_equal(&memory, &memory_back, sizeof(memory));
    assert_int_equal(sr_store_get_name_memory(store, 5, &memory_back), 0);
    assert_memory_equal(&memory, &memory_back, sizeof(memory));
    assert_int_equal(sr_store_get_temporary(store, 5, &temporary_back), 0);
    assert_memory_equal(&temporary, &temporary_back, sizeof(temporary));
    assert_int_equal(sr_store_get_history(store, 5, &history_back), 0);
    assert_memory_equal(&history, &history_back, sizeof(history));
    sr_store_close(store);
}

static void
test_missing_records_are_empty(void **state)
{
    struct sr_memory memory = full_memory(), no_memory;
    struct sr_history history = full_history(), no_history;
    struct sr_temporary temporary = {1, 2, 3}, no_temporary;
    struct sr_ledger ledger = some_ledger(3), no_ledger;
    struct sr_store *store;

    memset(&no_memory, 0, sizeof(no_memory));
    memset(&no_history, 0, sizeof(no_history));
    memset(&no_temporary, 0, sizeof(no_temporary));
    sr_ledger_init(&no_ledger);
    put_account(*state, 1, 1);
    store = open_begun(*state, true);
    assert_int_equal(sr_store_get_memory(store, 9, &memory),
                     SR_STORE_NOT_FOUND);
    assert_memory_equal(&memory, &no_memory, sizeof(memory));
    assert_int_equal(sr_store_get_history(store, 9, &history),
                     SR_STORE_NOT_FOUND);
    assert_memory_equal(&history, &no_history, sizeof(history));
    assert_int_equal(sr_store_get_temporary(store, 9, &temporary),
                     SR_STORE_NOT_FOUND);
    assert_memory_equal(&temporary, &no_temporary, sizeof(temporary));
    assert_int_equal(get_account(store, 9, &ledger), SR_STORE_NOT_FOUND);
    assert_memory_equal(&ledger, &no_ledger, sizeof(ledger));
    assert_int_equal(sr_store_drop_temporary(store, 9), SR_STORE_OK);
    sr_store_close(store);
}

static void
test_put_replaces_and_drop_drops(void **state)
{
    const struct sr_ledger_key key = {SR_LEDGER_ACCOUNT, 1, SR_CLASS_STRANGER};
    struct sr_memory memory = full_memory();
    struct sr_store *store;

    put_account(*state, 1, 1);
    put_account(*state, 1, 4);
    assert_int_equal(level_of(*state, 1), 4);
    store = open_begun(*state, true);
    assert_int_equal(sr_store_drop_ledger(store, &key), SR_STORE_OK);
    assert_int_equal(sr_store_put_memory(store, 1, &memory), SR_STORE_OK);
    memset(&memory, 0, sizeof(memory));
    assert_int_equal(sr_store_put_memory(store, 1, &memory), SR_STORE_OK);
    assert_int_equal(sr_store_get_memory(store, 1, &memory),
                     SR_STORE_NOT_FOUND); /* an empty one is not kept */
    commit_close(store);
    assert_int_equal(level_of(*state, 1), -1);
}

static void
test_abort_keeps_nothing(void **state)
{
    const struct sr_ledger ledger = some_ledger(9);
    const struct sr_ledger_key key = {SR_LEDGER_ACCOUNT, 1, SR_CLASS_STRANGER};
    struct sr_store *store;

    put_account(*state, 1, 2);
    store = open_begun(*state, true);
    assert_int_equal(sr_store_put_ledger(store, &key, &ledger), SR_STORE_OK);
    sr_store_abort(store);
    sr_store_abort(store); /* no transaction: nothing to do */
    assert_int_equal(sr_store_begin(store, false), SR_STORE_OK);
    assert_int_equal(sr_store_put_ledger(store, &key, &ledger),
                     SR_STORE_FAILED); /* not in a read transaction */
    assert_int_equal(sr_store_begin(store, false), SR_STORE_FAILED);
    sr_store_close(store);
    assert_int_equal(level_of(*state, 1), 2);
}

static void
test_drop_all(void **state)
{
    const enum sr_ledger_kind kinds[] = {SR_LEDGER_ACCOUNT, SR_LEDGER_NAME,
                                         SR_LEDGER_SOURCE};
    struct sr_store *store = open_begun(*state, true);
    const struct sr_memory memory = full_memory();
    struct sr_memory back;

    for (uint32_t id = 0; id < 3000; id++) {
        const struct sr_ledger ledger = some_ledger(id % 20);

        for (size_t k = 0; k < 3; k++) {
            const struct sr_ledger_key key = {kinds[k], id, 0};

            assert_int_equal(sr_store_put_ledger(store, &key, &ledger), 0);
        }
        assert_int_equal(sr_store_put_name_memory(store, id, &memory), 0);
    }
    assert_int_equal(sr_store_put_memory(store, 7, &memory), 0);
    commit_close(store);
    for (size_t k = 1; k < 3; k++) {
        store = open_begun(*state, true);
        assert_int_equal(sr_store_drop_all(store, kinds[k]), SR_STORE_OK);
        commit_close(store);
    }
    store = open_begun(*state, false);
    for (uint32_t id = 0; id < 3000; id++) {
        for (size_t k = 0; k < 3; k++) {
            const struct sr_ledger_key key = {kinds[k], id, 0};
            struct sr_ledger ledger;

            assert_int_equal(sr_store_get_ledger(store, &key, &ledger),
                             k == 0 ? SR_STORE_OK : SR_STORE_NOT_FOUND);
        }
        assert_int_equal(sr_store_get_name_memory(store, id, &back),
                         SR_STORE_NOT_FOUND);
    }
    assert_int_equal(sr_store_get_memory(store, 7, &back), SR_STORE_OK);
    sr_store_close(store);
}

static void
test_hash_is_the_stores_own(void **state)
{
    uint64_t first, again, other;
    char *second = scratch_make();
    struct sr_store *store;

    store = open_begun(*state, false);
    assert_int_equal(sr_store_hash(store, "x", 1, &first), SR_STORE_NOT_FOUND);
    sr_store_close(store);
    store = open_begun(*state, true);
    assert_int_equal(sr_store_hash(store, "name", 4, &first), SR_STORE_OK);
    commit_close(store);
    store = open_begun(*state, false);
    assert_int_equal(sr_store_hash(store, "name", 4, &again), SR_STORE_OK);
    sr_store_close(store);
    store = open_begun(second, true);
    assert_int_equal(sr_store_hash(store, "name", 4, &other), SR_STORE_OK);
    sr_store_close(store);
    scratch_remove(second);
    assert_int_equal(first, again);
    assert_int_not_equal(first, other);
}

static void
test_strerror(void **state)
{
    (void)state;
    for (unsigned result = SR_STORE_OK; result <= SR_STORE_FAILED; result++) {
        assert_true(strlen(sr_store_strerror((enum sr_store_result)result)) >
                    5);
        for (unsigned other = SR_STORE_OK; other < result; other++)
            assert_string_not_equal(
                sr_store_strerror((enum sr_store_result)result),
                sr_store_strerror((enum sr_store_result)other));
    }
}

/* ---- time */

static void
read_time(const char *dir, bool write, sr_time *now, bool *is_new)
{
    struct sr_store *store = open_begun(dir, write);
    sr_time wall;

    WANT(sr_store_now(store, now, &wall) == SR_STORE_OK);
    WANT(wall > 1700000000);
    *is_new = sr_store_is_new_boot(store);
    if (write)
        WANT(sr_store_commit(store) == SR_STORE_OK);
    sr_store_close(store);
}

static void
test_time_is_fixed_by_the_first_write(void **state)
{
    sr_time now, again;
    bool is_new;

    read_time(*state, false, &now, &is_new);
    assert_true(is_new);
    read_time(*state, true, &now, &is_new);
    assert_true(is_new);
    read_time(*state, false, &again, &is_new);
    assert_false(is_new);
    assert_in_range(again, now, now + 60);
}

static void
in_a_new_boot(void *argument)
{
    char *const *dirs = argument; /* the store; beside it */
    sr_time before, now;
    bool is_new;

    scratch_private_mounts();
    read_time(dirs[0], true, &before, &is_new);
    scratch_new_boot(dirs[1], "01234567-89ab-cdef-0123-456789abcdef\n");
    read_time(dirs[0], false, &now, &is_new);
    WANT(is_new && now >= before);
    read_time(dirs[0], true, &now, &is_new);
    WANT(is_new && now >= before);
    read_time(dirs[0], false, &now, &is_new);
    WANT(!is_new && now >= before);
}

static void
test_time_over_a_boot(void **state)
{
    char *dirs[] = {*state, scratch_make()};
    const int status = scratch_run(in_a_new_boot, dirs);

    scratch_remove(dirs[1]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SCRATCH_SKIP)
        skip();
    assert_int_equal(status, 0);
}

/* ---- files */

static void
test_reading_creates_nothing(void **state)
{
    const char *dir = scratch_path(*state, "none");
    struct sr_store *store;
    struct sr_ledger ledger;
    struct stat status;

    store = open_begun(dir, false);
    assert_int_equal(get_account(store, 1, &ledger), SR_STORE_NOT_FOUND);
    sr_store_close(store);
    assert_int_equal(stat(dir, &status), -1);
    store = open_begun(*state, false);
    sr_store_close(store);
    assert_int_equal(stat(scratch_path(*state, "lock"), &status), -1);
    assert_int_equal(sr_store_open(*state, SR_STORE_READ, 0, &store), 0);
    assert_int_equal(sr_store_begin(store, true), SR_STORE_READ_ONLY);
    sr_store_close(store);
}

static void
with_umask(void *argument)
{
    const char *const names[] = {"lock", "data.mdb"};
    struct stat status;

    for (mode_t mask = 0; mask <= 0777; mask += 0777) {
        const char *dir = scratch_path(argument, mask == 0 ? "loose" : "tight");

        umask(mask);
        put_account(dir, 1, 1);
        WANT(umask(0) == mask);
        WANT(stat(dir, &status) == 0 && (status.st_mode & 07777) == 0700);
        for (size_t i = 0; i < 2; i++) {
            WANT(stat(scratch_path(dir, names[i]), &status) == 0);
            WANT((status.st_mode & 07777) == 0600);
        }
        WANT(level_of(dir, 1) == 1);
    }
}

static void
test_umask_does_not_matter(void **state)
{
    scratch_pass(with_umask, *state);
}

static void
test_unsafe_files_are_refused(void **state)
{
    const char *const names[] = {"lock", "data.mdb"};
    struct sr_ledger ledger;
    char path[256], moved[256];

    put_account(*state, 1, 1);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", (char *)*state, names[i]);
        snprintf(moved, sizeof(moved), "%s/moved", (char *)*state);
        chmod(path, 0640);
        assert_int_equal(probe(*state, 1, &ledger), SR_STORE_UNSAFE);
        assert_int_equal(try_put(*state, 1, 2), SR_STORE_UNSAFE);
        chmod(path, 0600);
        if (geteuid() == 0) {
            assert_int_equal(chown(path, 1234, 0), 0);
            assert_int_equal(probe(*state, 1, &ledger), SR_STORE_UNSAFE);
            assert_int_equal(chown(path, 0, 0), 0);
        }
        assert_int_equal(link(path, moved), 0); /* known by another name */
        assert_int_equal(probe(*state, 1, &ledger), SR_STORE_UNSAFE);
        unlink(moved);
        assert_int_equal(rename(path, moved), 0);
        assert_int_equal(symlink(moved, path), 0);
        assert_int_not_equal(probe(*state, 1, &ledger), SR_STORE_OK);
        assert_int_not_equal(try_put(*state, 1, 2), SR_STORE_OK);
        assert_int_equal(rename(moved, path), 0);
    }
    chmod(*state, 0750);
    assert_int_equal(probe(*state, 1, &ledger), SR_STORE_UNSAFE);
    assert_int_equal(try_put(*state, 1, 2), SR_STORE_UNSAFE);
    chmod(*state, 0700);
    assert_int_equal(level_of(*state, 1), 1);
}

static void
test_a_lost_lock_file_is_no_empty_store(void **state)
{
    struct sr_ledger ledger;

    put_account(*state, 1, 1);
    unlink(scratch_path(*state, "lock"));
    assert_int_equal(probe(*state, 1, &ledger), SR_STORE_FAILED);
    assert_int_equal(try_put(*state, 2, 1), SR_STORE_OK); /* made again */
    assert_int_equal(level_of(*state, 1), 1);
}

/* ---- the lock */

struct holder {
    const char *dir;
    bool write;
    int ready, done; /* pipes, the ends that are used */
};

static void
hold(void *argument)
{
    const struct holder *holder = argument;
    struct sr_store *store = open_begun(holder->dir, holder->write);
    char byte;

    WANT(write(holder->ready, "x", 1) == 1);
    WANT(read(holder->done, &byte, 1) == 0);
    sr_store_close(store);
}

/* What others can do while a process is inside a transaction. */
static void
expect_beside(const char *dir, bool write, enum sr_store_result reading,
              enum sr_store_result writing)
{
    struct sr_store *store;
    int ready[2], done[2];
    struct holder holder = {dir, write, 0, 0};
    pid_t child;
    char byte;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(done), 0);
    holder.ready = ready[1];
    holder.done = done[0];
    child = fork();
    if (child == 0) {
        close(done[1]);
        hold(&holder);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(sr_store_open(dir, SR_STORE_WRITE, 40, &store), 0);
    assert_int_equal(sr_store_begin(store, false), reading);
    sr_store_abort(store);
    assert_int_equal(sr_store_begin(store, true), writing);
    sr_store_close(store);
    kill(child, SIGKILL); /* the kernel gives the lock back */
    waitpid(child, NULL, 0);
    put_account(dir, 2, 2);
    close(ready[0]);
    close(ready[1]);
    close(done[0]);
    close(done[1]);
}

static void
test_lock(void **state)
{
    put_account(*state, 1, 1);
    expect_beside(*state, true, SR_STORE_BUSY, SR_STORE_BUSY);
    expect_beside(*state, false, SR_STORE_OK, SR_STORE_BUSY);
}

static void
add_one_each(void *argument)
{
    for (int i = 0; i < 20; i++) {
        struct sr_store *store = open_begun(argument, true);
        struct sr_ledger ledger;
        const struct sr_ledger_key key = {SR_LEDGER_ACCOUNT, 1,
                                          SR_CLASS_STRANGER};

        get_account(store, 1, &ledger);
        ledger.level++;
        WANT(sr_store_put_ledger(store, &key, &ledger) == SR_STORE_OK);
        commit_close(store);
    }
}

static void
test_no_write_is_lost(void **state)
{
    pid_t child[10];
    int status;

    for (int i = 0; i < 10; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            add_one_each(*state);
            _exit(0);
        }
    }
    for (int i = 0; i < 10; i++) {
        waitpid(child[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(level_of(*state, 1), 200);
}

/* ---- kill -9 */

/* Two records that are always the same, and much around them. */
static void
write_pairs(const char *dir)
{
    for (uint32_t i = 1;; i++) {
        struct sr_store *store = open_begun(dir, true);
        struct sr_ledger ledger;

        for (uid_t uid = 1; uid <= 2; uid++) {
            const struct sr_ledger_key key = {SR_LEDGER_ACCOUNT, uid,
                                              SR_CLASS_STRANGER};

            get_account(store, uid, &ledger);
            ledger.level++;
            WANT(sr_store_put_ledger(store, &key, &ledger) == SR_STORE_OK);
        }
        ledger = some_ledger(i % 60);
        for (uint32_t id = i % 50; id < 500; id += 50) {
            const struct sr_ledger_key key = {SR_LEDGER_NAME, id, 0};

            WANT(sr_store_put_ledger(store, &key, &ledger) == SR_STORE_OK);
        }
        commit_close(store);
    }
}

static void
test_kill_at_any_time(void **state)
{
    int last = -1;

    srandom(7);
    for (int round = 0; round < 300; round++) {
        const pid_t child = fork();
        int level;

        if (child == 0)
            write_pairs(*state);
        usleep((useconds_t)(random() % 4000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        level = level_of(*state, 1);
        assert_int_equal(level_of(*state, 2), level);
        assert_true(level >= last);
        last = level;
        if (round % 10 == 0) { /* and while it is made */
            unlink(scratch_path(*state, "data.mdb"));
            last = -1;
        }
    }
}

/* ---- damage */

/* A store with a tree of three levels, and free pages. */
static void
fill(const char *dir)
{
    struct sr_store *store;

    for (uint32_t round = 0; round < 3; round++) {
        store = open_begun(dir, true);
        for (uint32_t id = round; id < 3000; id += 3 - round) {
            const struct sr_ledger_key key = {SR_LEDGER_NAME, id, 0};
            const struct sr_ledger ledger = some_ledger((id + round) % 50);

            WANT(sr_store_put_ledger(store, &key, &ledger) == SR_STORE_OK);
        }
        commit_close(store);
    }
    put_account(dir, 1, 1);
}

/* What can be read must be what was written. */
static void
expect_filled(const char *dir)
{
    struct sr_store *store = open_begun(dir, false);

    for (uint32_t id = 2; id < 3000; id++) {
        const struct sr_ledger_key key = {SR_LEDGER_NAME, id, 0};
        const struct sr_ledger expect = some_ledger((id + 2) % 50);
        enum sr_store_result result;
        struct sr_ledger ledger;

        result = sr_store_get_ledger(store, &key, &ledger);
        WANT(result == SR_STORE_OK || result == SR_STORE_DAMAGED ||
             result == SR_STORE_VERSION);
        if (result == SR_STORE_OK)
            WANT(memcmp(&ledger, &expect, sizeof(ledger)) == 0);
    }
    sr_store_close(store);
}

/* Put this into the data file.  A seal may not see it where the clock of files
 * is coarse, so that goes. */
static void
replace_data(const char *dir, const uint8_t *bytes, size_t size)
{
    scratch_write(scratch_path(dir, "data.mdb"), bytes, size);
    WANT(truncate(scratch_path(dir, "lock"), 0) == 0);
}

/* Use the store in every way, whatever is in it. */
static enum sr_store_result
use(const char *dir)
{
    enum sr_store_result result;
    struct sr_store *store;

    result = sr_store_open(dir, SR_STORE_WRITE, WAIT_MS, &store);
    WANT(result == SR_STORE_OK);
    result = sr_store_begin(store, true);
    for (uint32_t id = 0; result == SR_STORE_OK && id < 3000; id += 37) {
        const struct sr_ledger_key key = {SR_LEDGER_NAME, id, 0};
        struct sr_ledger ledger;

        result = sr_store_get_ledger(store, &key, &ledger);
        if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND) {
            ledger = some_ledger(60);
            result = sr_store_put_ledger(store, &key, &ledger);
        }
    }
    if (result == SR_STORE_OK)
        result = sr_store_commit(store);
    if (result == SR_STORE_OK)
        result = sr_store_begin(store, true);
    if (result == SR_STORE_OK)
        result = sr_store_drop_all(store, SR_LEDGER_NAME);
    if (result == SR_STORE_OK)
        result = sr_store_commit(store);
    if (result == SR_STORE_OK)
        result = sr_store_begin(store, false);
    sr_store_close(store);
    return result;
}

struct damage {
    const char *dir;
    const uint8_t *bytes; /* the sound file */
    size_t size;
    unsigned seed;
    int *counts; /* of results, shared */
};

/* The bytes of a page that LMDB lives by; most flips shall land there. */
static size_t
pick_place(size_t size)
{
    const size_t page = (size_t)random() % (size / 4096) * 4096;

    switch (random() % 4) {
    case 0:
        return (size_t)random() % size;
    case 1:
        return page + (size_t)random() % 160; /* header, offsets, meta */
    case 2:
        return (size_t)random() % (2 * 4096) / 4096 * 4096 +
               (size_t)random() % 160; /* the meta pages */
    default:
        return page + 4095 - (size_t)random() % 400; /* nodes */
    }
}

static void
flip_and_use(void *argument)
{
    const struct damage *damage = argument;
    uint8_t *copy = malloc(damage->size);
    enum sr_store_result result;
    struct sr_ledger ledger;

    WANT(copy != NULL);
    srandom(damage->seed);
    for (int round = 0; round < 50; round++) {
        const int flips = 1 + (int)(random() % 3);

        memcpy(copy, damage->bytes, damage->size);
        for (int i = 0; i < flips; i++) {
            uint8_t *at = copy + pick_place(damage->size);

            if (random() % 2 == 0)
                *at ^= (uint8_t)(1u << (random() % 8));
            else
                *at = (uint8_t)random();
        }
        replace_data(damage->dir, copy, damage->size);
        if (probe(damage->dir, 9, &ledger) == SR_STORE_NOT_FOUND)
            expect_filled(damage->dir);
        result = use(damage->dir);
        WANT(result == SR_STORE_OK || result == SR_STORE_DAMAGED ||
             result == SR_STORE_VERSION);
        __atomic_add_fetch(&damage->counts[result], 1, __ATOMIC_RELAXED);
    }
    free(copy);
}

static void
test_flipped_bits_never_crash(void **state)
{
    int *counts = scratch_shared(sizeof(int) * (SR_STORE_FAILED + 1));
    struct damage damage = {*state, NULL, 0, 0, counts};

    fill(*state);
    damage.bytes = scratch_read(scratch_path(*state, "data.mdb"), &damage.size);
    assert_int_equal(sr_pages_check(damage.bytes, damage.size), SR_PAGES_SOUND);
    for (damage.seed = 1; damage.seed <= 60; damage.seed++)
        assert_int_equal(scratch_run(flip_and_use, &damage), 0);
    print_message("flips: %d unharmed, %d damaged, %d newer\n",
                  counts[SR_STORE_OK], counts[SR_STORE_DAMAGED],
                  counts[SR_STORE_VERSION]);
    assert_true(counts[SR_STORE_DAMAGED] > 500);
    free((void *)(uintptr_t)damage.bytes);
}

static void
truncate_and_use(void *argument)
{
    const struct damage *damage = argument;

    for (size_t size = 0; size < damage->size; size += 1365) {
        enum sr_store_result result;

        replace_data(damage->dir, damage->bytes, size);
        result = use(damage->dir);
        __atomic_add_fetch(&damage->counts[result], 1, __ATOMIC_RELAXED);
    }
}

static void
test_truncated_files_never_crash(void **state)
{
    int *counts = scratch_shared(sizeof(int) * (SR_STORE_FAILED + 1));
    struct damage damage = {*state, NULL, 0, 0, counts};

    fill(*state);
    damage.bytes = scratch_read(scratch_path(*state, "data.mdb"), &damage.size);
    assert_int_equal(scratch_run(truncate_and_use, &damage), 0);
    /* Only free pages may be missing at the end. */
    assert_true(counts[SR_STORE_DAMAGED] > 200);
    for (int result = SR_STORE_NOT_FOUND; result <= SR_STORE_FAILED; result++)
        if (result != SR_STORE_DAMAGED)
            assert_int_equal(counts[result], 0);
    free((void *)(uintptr_t)damage.bytes);
}

/*
 * A page that is said to be free while the tree uses it: LMDB would write over
 * it.  Only the page numbers tell, everything else is in order.  (The offsets
 * are those of LMDB 0.9 with 64 bits.)
 */
static void
test_no_page_is_used_twice(void **state)
{
    enum { META_TRANSACTION = 16 + 24 + 2 * 48 + 8, META_FREE_ROOT = 80 };
    size_t size, transaction[2], root, tried = 0;
    uint16_t lower, offset;
    uint8_t *bytes;

    if (sizeof(size_t) != 8)
        skip();
    fill(*state);
    bytes = scratch_read(scratch_path(*state, "data.mdb"), &size);
    for (size_t i = 0; i < 2; i++)
        memcpy(&transaction[i], bytes + i * 4096 + META_TRANSACTION, 8);
    memcpy(&root,
           bytes + (transaction[0] < transaction[1]) * 4096 + META_FREE_ROOT,
           8);
    assert_true(root < size / 4096);
    root *= 4096;
    memcpy(&lower, bytes + root + 12, 2);
    for (size_t at = 16; at < lower; at += 2) {
        size_t count, last;
        uint8_t *list;

        memcpy(&offset, bytes + root + at, 2);
        list = bytes + root + offset + 8 + 8; /* node, transaction */
        memcpy(&count, list, 8);
        memcpy(&last, list + count * 8, 8);
        for (size_t page = 2; count > 0 && page < last; page++) {
            memcpy(list + count * 8, &page, 8);
            assert_int_equal(sr_pages_check(bytes, size), SR_PAGES_DAMAGED);
            tried++;
        }
        memcpy(list + count * 8, &last, 8);
        assert_int_equal(sr_pages_check(bytes, size), SR_PAGES_SOUND);
    }
    assert_true(tried > 0);
    free(bytes);
}

static void
use_garbage(void *argument)
{
    uint8_t bytes[20000];

    srandom(3);
    for (int round = 0; round < 200; round++) {
        const size_t size = (size_t)random() % sizeof(bytes);

        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)random();
        replace_data(argument, bytes, size);
        WANT(use(argument) == SR_STORE_DAMAGED);
    }
}

static void
test_garbage_is_damaged(void **state)
{
    put_account(*state, 1, 1);
    assert_int_equal(scratch_run(use_garbage, *state), 0);
}

/* A change in place, of the same size, breaks the seal. */
static void
test_a_seal_sees_every_change(void **state)
{
    const char *path = scratch_path(*state, "data.mdb");
    struct stat before, after;
    struct sr_ledger ledger;
    uint8_t byte;
    int fd;

    put_account(*state, 1, 1);
    assert_int_equal(stat(scratch_path(*state, "lock"), &after), 0);
    assert_true(after.st_size > 0); /* there is one */
    fd = open(path, O_RDWR);
    assert_int_equal(fstat(fd, &before), 0);
    assert_int_equal(pread(fd, &byte, 1, 2 * 4096 + 10), 1);
    byte ^= 4;
    do { /* until the clock of files has gone on */
        assert_int_equal(pwrite(fd, &byte, 1, 2 * 4096 + 10), 1);
        assert_int_equal(pwrite(fd, &byte, 1, 3 * 4096 + 10), 1);
        assert_int_equal(pwrite(fd, &byte, 1, 4 * 4096 + 10), 1);
        assert_int_equal(fstat(fd, &after), 0);
    } while (memcmp(&before.st_ctim, &after.st_ctim, sizeof(after.st_ctim)) ==
             0);
    close(fd);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(probe(*state, 1, &ledger), SR_STORE_DAMAGED);
}

/* Put bytes into the store behind its back. */
static void
put_raw(const char *dir, const struct sr_record_key *key, const void *bytes,
        size_t size)
{
    MDB_val name = {key->size, (void *)(uintptr_t)key->bytes};
    MDB_val value = {size, (void *)(uintptr_t)bytes};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_mapsize(env, 32u << 20), 0);
    assert_int_equal(mdb_env_open(env, scratch_path(dir, "data.mdb"),
                                  MDB_NOSUBDIR | MDB_NOLOCK, 0600),
                     0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &name, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void
test_each_byte_of_a_record_counts(void **state)
{
    const struct sr_record_key key = sr_record_key(SR_RECORD_ACCOUNT, 1, 0);
    const struct sr_record_key other = sr_record_key(SR_RECORD_ACCOUNT, 2, 0);
    const struct sr_ledger ledger = some_ledger(3);
    struct sr_record record;
    struct sr_ledger back;

    put_account(*state, 1, 3);
    sr_record_put_ledger(&record, &key, &ledger);
    for (size_t i = 0; i < record.size; i++) {
        record.bytes[i] ^= 1;
        assert_int_equal(
            sr_record_get_ledger(&key, record.bytes, record.size, &back),
            SR_STORE_DAMAGED);
        record.bytes[i] ^= 1;
        assert_int_equal(sr_record_get_ledger(&key, record.bytes, i, &back),
                         SR_STORE_DAMAGED);
    }
    /* The record of another account is not this one's. */
    put_raw(*state, &other, record.bytes, record.size);
    assert_int_equal(probe(*state, 2, &back), SR_STORE_DAMAGED);
    assert_int_equal(probe(*state, 1, &back), SR_STORE_OK);
}

static void
test_newer_format(void **state)
{
    const struct sr_record_key head = sr_record_key(SR_RECORD_HEAD, 0, 0);
    const uint8_t newer[60] = {SR_RECORD_VERSION + 1};
    struct sr_ledger back;

    put_account(*state, 1, 3);
    put_raw(*state, &head, newer, sizeof(newer));
    assert_int_equal(probe(*state, 1, &back), SR_STORE_VERSION);
    assert_int_equal(try_put(*state, 1, 3), SR_STORE_VERSION);
}

static void
test_a_database_of_others_is_damaged(void **state)
{
    const struct sr_record_key foreign = {{'Z'}, 1};
    struct sr_ledger back;

    put_account(*state, 1, 1);
    unlink(scratch_path(*state, "data.mdb"));
    put_raw(*state, &foreign, "x", 1);
    assert_int_equal(chmod(scratch_path(*state, "data.mdb"), 0600), 0);
    assert_int_equal(probe(*state, 1, &back), SR_STORE_DAMAGED);
    assert_int_equal(try_put(*state, 1, 1), SR_STORE_DAMAGED);
}

/* ---- full, read-only, limits */

static void
on_a_small_disk(void *argument)
{
    const char *dir = argument;
    enum sr_store_result result = SR_STORE_OK;
    const char *filler;
    int fd, count;

    scratch_private_mounts();
    scratch_mount_small(dir, 64 * 1024);
    filler = scratch_path(dir, "filler");
    for (count = 1; count < 2000; count++) {
        result = try_put(dir, (uid_t)count, 60);
        if (result != SR_STORE_OK)
            break;
    }
    WANT(result == SR_STORE_FULL && count > 10);
    for (int i = 1; i < count; i++) /* nothing is lost */
        WANT(level_of(dir, (uid_t)i) == 60);
    WANT(level_of(dir, (uid_t)count) == -1);

    /* Full from the start: neither half a store nor a wrong reason. */
    WANT(umount(dir) == 0);
    for (int blocks = 1; blocks < 16; blocks++) {
        scratch_mount_small(dir, 64 * 1024);
        WANT((fd = open(filler, O_WRONLY | O_CREAT, 0600)) >= 0);
        WANT(posix_fallocate(fd, 0, blocks * 4096) == 0);
        close(fd);
        result = try_put(dir, 1, 1);
        WANT(result == SR_STORE_OK || result == SR_STORE_FULL);
        WANT(level_of(dir, 1) == (result == SR_STORE_OK ? 1 : -1));
        if (blocks == 15)
            WANT(result == SR_STORE_FULL);
        WANT(unlink(filler) == 0);
        WANT(try_put(dir, 1, 2) == SR_STORE_OK); /* usable again */
        WANT(level_of(dir, 1) == 2);
        WANT(umount(dir) == 0);
    }
}

static void
test_disk_full(void **state)
{
    scratch_pass(on_a_small_disk, *state);
}

static void
when_read_only(void *argument)
{
    struct sr_ledger ledger;
    struct sr_store *store;
    const char *empty = scratch_path(argument, "empty");

    put_account(argument, 1, 3);
    scratch_private_mounts();
    WANT(mount(argument, argument, NULL, MS_BIND, NULL) == 0);
    WANT(mount(NULL, argument, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) ==
         0);
    WANT(sr_store_open(argument, SR_STORE_WRITE, 0, &store) == SR_STORE_OK);
    WANT(sr_store_is_read_only(store));
    WANT(sr_store_begin(store, false) == SR_STORE_OK);
    WANT(get_account(store, 1, &ledger) == SR_STORE_OK && ledger.level == 3);
    sr_store_abort(store);
    WANT(sr_store_begin(store, true) == SR_STORE_READ_ONLY);
    sr_store_close(store);

    WANT(sr_store_open(empty, SR_STORE_WRITE, 0, &store) == SR_STORE_OK);
    WANT(sr_store_is_read_only(store));
    WANT(sr_store_begin(store, false) == SR_STORE_OK);
    WANT(get_account(store, 1, &ledger) == SR_STORE_NOT_FOUND);
    sr_store_abort(store);
    WANT(sr_store_begin(store, true) == SR_STORE_READ_ONLY);
    sr_store_close(store);
}

static void
test_read_only(void **state)
{
    scratch_pass(when_read_only, *state);
}

/* Whether the process had the right to raise hard limits, which it loses. */
static bool
give_up_limits(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    const uint32_t bit = 1u << CAP_SYS_RESOURCE;
    bool had;

    WANT(syscall(SYS_capget, &header, data) == 0);
    had = (data[0].effective & bit) != 0;
    data[0].effective &= ~bit;
    data[0].permitted &= ~bit;
    WANT(syscall(SYS_capset, &header, data) == 0);
    return had;
}

static void
with_fsize_zero(void *argument)
{
    const struct rlimit soft = {0, RLIM_INFINITY}, hard = {0, 0};
    enum sr_store_result with_right;
    struct rlimit after;
    sigset_t pending;

    WANT(setrlimit(RLIMIT_FSIZE, &soft) == 0);
    WANT(try_put(argument, 1, 1) == SR_STORE_OK);
    WANT(getrlimit(RLIMIT_FSIZE, &after) == 0 && after.rlim_cur == 0);
    WANT(setrlimit(RLIMIT_FSIZE, &hard) == 0);
    with_right = try_put(argument, 1, 2);
    WANT(getrlimit(RLIMIT_FSIZE, &after) == 0 && after.rlim_max == 0);
    WANT(with_right == (give_up_limits() ? SR_STORE_OK : SR_STORE_FULL));
    WANT(try_put(argument, 1, 3) == SR_STORE_FULL);
    WANT(sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 0);
}

static void
with_fsize_zero_at_first(void *argument)
{
    const struct rlimit hard = {0, 0};

    WANT(setrlimit(RLIMIT_FSIZE, &hard) == 0);
    give_up_limits();
    WANT(try_put(argument, 1, 3) == SR_STORE_FULL);
}

static void
test_rlimit_fsize(void **state)
{
    assert_int_equal(scratch_run(with_fsize_zero_at_first, *state), 0);
    assert_int_equal(level_of(*state, 1), -1);
    assert_int_equal(scratch_run(with_fsize_zero, *state), 0);
    assert_in_range(level_of(*state, 1), 1, 2);
}

/* Every limit from nothing to enough: an error, then success; never a crash. */
static void
with_few_files(void *argument)
{
    enum sr_store_result result = SR_STORE_FAILED;

    for (rlim_t most = 3; most < 12 && result != SR_STORE_OK; most++) {
        const struct rlimit limit = {most, 64};

        WANT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        result = try_put(argument, 1, 7);
        WANT(result == SR_STORE_OK || result == SR_STORE_FAILED);
        WANT(most > 3 || result == SR_STORE_FAILED);
    }
    WANT(result == SR_STORE_OK);
}

#ifndef HAS_SHADOW_MEMORY
static void
with_little_memory(void *argument)
{
    enum sr_store_result result = SR_STORE_FAILED;

    for (rlim_t most = 4; most < 400 && result != SR_STORE_OK; most++) {
        const struct rlimit limit = {most << 20, RLIM_INFINITY};

        WANT(setrlimit(RLIMIT_AS, &limit) == 0);
        result = try_put(argument, 1, 8);
        WANT(result == SR_STORE_OK || result == SR_STORE_FAILED);
        WANT(most > 4 || result == SR_STORE_FAILED);
    }
    WANT(result == SR_STORE_OK);
}
#endif

static void
test_other_limits(void **state)
{
    put_account(*state, 1, 1);
    assert_int_equal(scratch_run(with_few_files, *state), 0);
    assert_int_equal(level_of(*state, 1), 7);
#ifndef HAS_SHADOW_MEMORY
    assert_int_equal(scratch_run(with_little_memory, *state), 0);
    assert_int_equal(level_of(*state, 1), 8);
#endif
}

static void
with_closed_descriptors(void *argument)
{
    /* Every set of closed ones; the report goes to a descriptor out of reach.
     */
    const int report = fcntl(STDERR_FILENO, F_DUPFD, 100);

    for (int closed = 1; closed < 8; closed++) {
        struct sr_store *store;

        for (int fd = 0; fd < 3; fd++) {
            if ((closed >> fd & 1) != 0)
                close(fd);
            else
                dup2(report, fd);
        }
        store = open_store(argument, SR_STORE_WRITE);
        for (int write = 0; write < 2; write++) {
            if (closed == 7 && write == 1) /* makes it, too */
                unlink(scratch_path(argument, "data.mdb"));
            if (sr_store_begin(store, write != 0) != SR_STORE_OK)
                _exit(2);
            for (int fd = 0; fd < 3; fd++) {
                const int expect = (closed >> fd & 1) != 0 ? -1 : 0;

                if (fcntl(fd, F_GETFD) != expect)
                    _exit(3);
            }
            sr_store_abort(store);
        }
        sr_store_close(store);
    }
}

static void
test_standard_descriptors_closed(void **state)
{
    put_account(*state, 1, 1);
    assert_int_equal(scratch_run(with_closed_descriptors, *state), 0);
}

static void
test_nothing_is_left_open(void **state)
{
    const int before = dup(0);
    struct sr_ledger ledger;
    sigset_t mask, after;

    close(before);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(try_put(*state, 1, 1), SR_STORE_OK);
        assert_int_equal(probe(*state, 1, &ledger), SR_STORE_OK);
        scratch_write(scratch_path(*state, "data.mdb"), (const uint8_t *)"x",
                      1);
        assert_int_equal(try_put(*state, 1, 1), SR_STORE_DAMAGED);
        unlink(scratch_path(*state, "data.mdb"));
    }
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int number = 1; number < SIGRTMAX; number++)
        assert_int_equal(sigismember(&mask, number),
                         sigismember(&after, number));
    assert_int_equal(dup(0), before);
    close(before);
}

/* ---- bounds */

static void
test_a_flood_stays_in_bounds(void **state)
{
    struct sr_ledger ledger = some_ledger(SR_ATTEMPTS_MAX);
    struct sr_memory memory = full_memory();
    struct stat status;

    memset(memory.familiar, 0, sizeof(memory.familiar));
    /* Every bucket as full as it gets, in an order that splits pages badly, and
     * in many transactions. */
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t part = 0; part < 64; part++) {
            struct sr_store *store = open_begun(*state, true);

            for (uint32_t i = part; i < SR_NAME_BUCKETS; i += 64) {
                const uint32_t id = i * 7919u % SR_NAME_BUCKETS;
                const struct sr_ledger_key name = {SR_LEDGER_NAME, id, 0};
                const struct sr_ledger_key source = {SR_LEDGER_SOURCE, id, 0};

                WANT(sr_store_put_ledger(store, &name, &ledger) == 0);
                WANT(sr_store_put_ledger(store, &source, &ledger) == 0);
                WANT(sr_store_put_name_memory(store, id, &memory) == 0);
            }
            commit_close(store);
        }
    }
    assert_int_equal(stat(scratch_path(*state, "data.mdb"), &status), 0);
    print_message("flooded: %ld KiB\n", (long)status.st_size / 1024);
    assert_true(status.st_size < 32 << 20);
    assert_int_equal(level_of(*state, 1), -1);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_every_kind_comes_back),
        STORE_TEST(test_missing_records_are_empty),
        STORE_TEST(test_put_replaces_and_drop_drops),
        STORE_TEST(test_abort_keeps_nothing),
        STORE_TEST(test_drop_all),
        STORE_TEST(test_hash_is_the_stores_own),
        STORE_TEST(test_strerror),
        STORE_TEST(test_time_is_fixed_by_the_first_write),
        STORE_TEST(test_time_over_a_boot),
        STORE_TEST(test_reading_creates_nothing),
        STORE_TEST(test_umask_does_not_matter),
        STORE_TEST(test_unsafe_files_are_refused),
        STORE_TEST(test_a_lost_lock_file_is_no_empty_store),
        STORE_TEST(test_lock),
        STORE_TEST(test_no_write_is_lost),
        STORE_TEST(test_kill_at_any_time),
        STORE_TEST(test_flipped_bits_never_crash),
        STORE_TEST(test_truncated_files_never_crash),
        STORE_TEST(test_no_page_is_used_twice),
        STORE_TEST(test_garbage_is_damaged),
        STORE_TEST(test_a_seal_sees_every_change),
        STORE_TEST(test_each_byte_of_a_record_counts),
        STORE_TEST(test_newer_format),
        STORE_TEST(test_a_database_of_others_is_damaged),
        STORE_TEST(test_disk_full),
        STORE_TEST(test_read_only),
        STORE_TEST(test_rlimit_fsize),
        STORE_TEST(test_other_limits),
        STORE_TEST(test_standard_descriptors_closed),
        STORE_TEST(test_nothing_is_left_open),
        STORE_TEST(test_a_flood_stays_in_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
