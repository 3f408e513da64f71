/*
 * Unit tests of the store: its directories, the memory of accounts and the
 * files of ledgers, by real processes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <fcntl.h>
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
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "policy/store/ledger.h"
#include "policy/store/memory.h"
#include "policy/util/signal_guard.h"
#include "tests/unit/scratch.h"

struct world {
    char *dir;
    char state[128], run[128];
    struct sr_identity ann;
};

static int
setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    world->dir = scratch_make();
    snprintf(world->state, sizeof(world->state), "%s/state", world->dir);
    snprintf(world->run, sizeof(world->run), "%s/run", world->dir);
    world->ann = (struct sr_identity){"local", "ann", 3000};
    *state = world;
    return 0;
}

static int
teardown(void **state)
{
    struct world *world = *state;

    scratch_remove(world->dir);
    free(world);
    return 0;
}

static struct sr_store *
open_store(const struct world *world, enum sr_store_mode mode)
{
    struct sr_store *store;

    WANT(sr_store_open(world->state, world->run, mode, &store) == SR_STORE_OK);
    return store;
}

/* ---- the memory of an account */

static bool
remember_everything(void *context, struct sr_memory *memory)
{
    const uint32_t seed = *(uint32_t *)context;

    memory->noticed[0] = seed;
    memory->noticed[1] = seed + 1;
    for (size_t i = 0; i < SR_FAMILIAR_MAX; i++) {
        snprintf(memory->familiar[i].source, sizeof(memory->familiar[i].source),
                 "192.0.2.%zu", i);
        memory->familiar[i].seen = memory->now;
        memory->familiar[i].noticed = seed + 2;
    }
    memory->temporary = (struct sr_temporary){
        .fingerprint = sr_memory_fingerprint(memory, "$6$secret"),
        .issued = memory->now,
        .until = memory->now + 3600,
    };
    strcpy(memory->history.group[0].salt, "$6$salt");
    memory->history.group[0].count = 1;
    memory->history.group[0].tag[0] = seed + 3;
    return true;
}

static enum sr_store_result
write_memory(const struct world *world, const struct sr_identity *id,
             uint32_t seed)
{
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    enum sr_store_result result =
        sr_memory_change(store, id, remember_everything, &seed);

    sr_store_close(store);
    return result;
}

/* Read a memory; *damage (may be NULL) says whether damage was found. */
static enum sr_store_result
read_memory(const struct world *world, const struct sr_identity *id,
            struct sr_memory *memory, bool *damage)
{
    struct sr_store *store = open_store(world, SR_STORE_READ);
    enum sr_store_result result = sr_memory_get(store, id, memory);

    if (damage != NULL)
        *damage = sr_store_damage(store) != NULL;
    sr_store_close(store);
    return result;
}

static void
test_memory_comes_back(void **state)
{
    struct world *world = *state;
    const struct sr_identity bob = {"local", "bob", 3000};
    const struct sr_identity other_backend = {"corp", "ann", 3000};
    const struct sr_identity other_uid = {"local", "ann", 3001};
    struct sr_memory memory, empty;

    memset(&empty, 0, sizeof(empty));
    assert_int_equal(write_memory(world, &world->ann, 7), SR_STORE_OK);
    assert_int_equal(read_memory(world, &world->ann, &memory, NULL),
                     SR_STORE_OK);
    assert_int_equal(memory.noticed[1], 8);
    assert_string_equal(memory.familiar[7].source, "192.0.2.7");
    assert_int_equal(memory.history.group[0].tag[0], 10);
    assert_in_range(sr_memory_temporary(&memory, "$6$secret"),
                    memory.wall + 3590, memory.wall + 3600);
    assert_int_equal(sr_memory_temporary(&memory, "$6$other"), SR_TIME_UNKNOWN);
    assert_non_null(sr_memory_familiar(&memory, "192.0.2.3", 10));
    assert_null(sr_memory_familiar(&memory, "192.0.2.30", 10));
    /* Two names with one uid, one name in two backends, another uid. */
    assert_int_equal(read_memory(world, &bob, &memory, NULL),
                     SR_STORE_NOT_FOUND);
    assert_int_equal(read_memory(world, &other_backend, &memory, NULL),
                     SR_STORE_NOT_FOUND);
    assert_int_equal(read_memory(world, &other_uid, &memory, NULL),
                     SR_STORE_NOT_FOUND);
    assert_memory_equal(&memory, &empty, offsetof(struct sr_memory, now));
    /* What belongs to nobody is dropped by the next write. */
    assert_int_equal(write_memory(world, &other_uid, 20), SR_STORE_OK);
    assert_int_equal(read_memory(world, &world->ann, &memory, NULL),
                     SR_STORE_NOT_FOUND);
    assert_int_equal(read_memory(world, &other_uid, &memory, NULL),
                     SR_STORE_OK);
    assert_int_equal(memory.noticed[0], 20);
}

static const char *
memory_path(const struct world *world)
{
    char path[SR_STORE_PATH_MAX];

    sr_store_account_path(&world->ann, "memory", path);
    return scratch_path(world->state, path);
}

/* Each byte of the file counts, and so does its length. */
static void
test_damaged_memory(void **state)
{
    struct world *world = *state;
    size_t size;
    uint8_t *bytes;

    write_memory(world, &world->ann, 7);
    bytes = scratch_read(memory_path(world), &size);
    for (size_t at = 0; at <= size; at += at < 400 ? 1 : 97) {
        struct sr_memory memory;
        bool damage;

        if (at < size)
            bytes[at] ^= 0x10;
        scratch_write(memory_path(world), bytes, at < size ? size : size - 1);
        if (at < size)
            bytes[at] ^= 0x10;
        switch (read_memory(world, &world->ann, &memory, &damage)) {
        case SR_STORE_NOT_FOUND:
            assert_true(damage);
            /* Told once. */
            read_memory(world, &world->ann, &memory, &damage);
            assert_false(damage);
            break;
        case SR_STORE_VERSION: /* the bytes of the version */
            assert_in_range(at, 16, 19);
            break;
        default:
            fail_msg("byte %zu was not missed", at);
        }
    }
    free(bytes);
    assert_int_equal(write_memory(world, &world->ann, 9), SR_STORE_OK);
}

/* ---- many processes */

static bool
count_up(void *context, struct sr_memory *memory)
{
    (void)context;
    memory->noticed[0]++;
    return true;
}

/* Nor is a file that is replaced while it is being opened unsafe. */
static void
test_no_change_is_lost(void **state)
{
    struct world *world = *state;
    struct sr_memory memory;
    int bad = 0, status;

    write_memory(world, &world->ann, 7);
    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            struct sr_store *store = open_store(world, SR_STORE_WRITE);

            for (int k = 0; k < 25; k++)
                WANT(sr_memory_change(store, &world->ann, count_up, NULL) ==
                     SR_STORE_OK);
            _exit(0);
        }
    }
    for (int left = 8; left > 0;) {
        bad += read_memory(world, &world->ann, &memory, NULL) != SR_STORE_OK;
        if (waitpid(-1, &status, WNOHANG) <= 0)
            continue;
        bad += status != 0;
        left--;
    }
    assert_int_equal(bad, 0);
    assert_int_equal(read_memory(world, &world->ann, &memory, NULL),
                     SR_STORE_OK);
    assert_int_equal(memory.noticed[0], 207);
}

/* A process that is stopped in the middle of a change holds up no reader, and
 * a writer for no longer than a second.  When it goes on, neither change is
 * lost. */
static bool
stop_once(void *context, struct sr_memory *memory)
{
    bool *has_stopped = context;

    if (!*has_stopped) {
        *has_stopped = true;
        raise(SIGSTOP);
    }
    memory->noticed[1]++;
    return true;
}

static void
test_a_stopped_writer(void **state)
{
    struct world *world = *state;
    struct sr_memory memory;
    pid_t child;
    int status;

    write_memory(world, &world->ann, 7);
    child = fork();
    if (child == 0) {
        struct sr_store *store = open_store(world, SR_STORE_WRITE);
        bool has_stopped = false;

        WANT(sr_memory_change(store, &world->ann, stop_once, &has_stopped) ==
             SR_STORE_OK);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(read_memory(world, &world->ann, &memory, NULL),
                     SR_STORE_OK);
    assert_int_equal(write_memory(world, &world->ann, 9), SR_STORE_OK);
    kill(child, SIGCONT);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    read_memory(world, &world->ann, &memory, NULL);
    assert_int_equal(memory.noticed[0], 9);
    assert_int_equal(memory.noticed[1], 11);
}

static void
change_for_ever(const struct world *world)
{
    for (uint32_t seed = 1;; seed++) {
        if (write_memory(world, &world->ann, seed) != SR_STORE_OK)
            _exit(1);
    }
}

static int
files_in(const struct world *world, const char *folder)
{
    char command[300], line[32] = "";
    FILE *output;

    snprintf(command, sizeof(command), "ls '%s/%s' | wc -l", world->state,
             folder);
    output = popen(command, "r");
    assert_non_null(output);
    assert_non_null(fgets(line, sizeof(line), output));
    pclose(output);
    return atoi(line);
}

/* kill -9 at any time leaves the old or the new memory, and no litter. */
static void
test_kill_at_any_time(void **state)
{
    struct world *world = *state;
    struct sr_memory memory;
    uint32_t last = 0;
    int changes = 0;

    sr_store_close(open_store(world, SR_STORE_WRITE)); /* it is there */
    srandom(7);
    for (int i = 0; i < 200; i++) {
        const pid_t child = fork();
        bool damage;
        int status;

        if (child == 0)
            change_for_ever(world);
        usleep((useconds_t)(random() % 3000));
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        if (read_memory(world, &world->ann, &memory, &damage) == SR_STORE_OK) {
            assert_int_equal(memory.noticed[1], memory.noticed[0] + 1);
            assert_int_equal(memory.familiar[7].noticed, memory.noticed[0] + 2);
            changes += memory.noticed[0] != last;
            last = memory.noticed[0];
        }
        assert_false(damage);
    }
    assert_true(changes > 0); /* it was about something */
    assert_int_equal(write_memory(world, &world->ann, 1), SR_STORE_OK);
    assert_int_equal(files_in(world, "tmp"), 0);
}

/* ---- directories and files */

static void
test_reading_creates_nothing(void **state)
{
    struct world *world = *state;
    struct sr_store *store;

    assert_int_equal(
        sr_store_open(world->state, world->run, SR_STORE_READ, &store),
        SR_STORE_NOT_FOUND);
    assert_null(store);
    assert_int_not_equal(access(world->state, F_OK), 0);
    assert_int_not_equal(access(world->run, F_OK), 0);
}

/* Every file and folder below `dir` is root's alone. */
static void
expect_modes(const char *dir)
{
    char command[300];

    snprintf(command, sizeof(command),
             "test -z \"$(find '%s' -perm /077 -print)\"", dir);
    WANT(system(command) == 0);
}

static void
with_a_umask(void *argument)
{
    struct world *world = argument;
    struct sr_store *store;
    uint64_t hash;

    for (int i = 0; i < 2; i++) {
        umask(i == 0 ? 0 : 0777);
        for (int fd = 0; fd < 3; fd++)
            close(fd);
        WANT(write_memory(world, &world->ann, 7) == SR_STORE_OK);
        store = open_store(world, SR_STORE_WRITE);
        WANT(sr_store_hash(store, "x", 1, &hash) == SR_STORE_OK);
        sr_store_close(store);
        WANT(open("/", O_PATH) == 0); /* nothing is left in 0 */
        close(0);
    }
    umask(022);
    expect_modes(world->state);
}

static void
test_umask_does_not_matter(void **state)
{
    assert_int_equal(scratch_run(with_a_umask, *state), 0);
}

static void
test_unsafe_files_are_refused(void **state)
{
    struct world *world = *state;
    struct sr_memory memory;
    struct sr_store *store;
    char aside[256];

    write_memory(world, &world->ann, 7);
    chmod(memory_path(world), 0640);
    assert_int_equal(read_memory(world, &world->ann, &memory, NULL),
                     SR_STORE_UNSAFE);
    chmod(memory_path(world), 0600);
    snprintf(aside, sizeof(aside), "%s/aside", world->dir);
    assert_int_equal(link(memory_path(world), aside), 0);
    assert_int_equal(read_memory(world, &world->ann, &memory, NULL),
                     SR_STORE_UNSAFE);
    assert_int_equal(unlink(memory_path(world)), 0);
    assert_int_equal(symlink(aside, memory_path(world)), 0);
    assert_int_equal(read_memory(world, &world->ann, &memory, NULL),
                     SR_STORE_UNSAFE);
    assert_int_equal(unlink(memory_path(world)), 0);
    chmod(world->state, 0750);
    assert_int_equal(
        sr_store_open(world->state, world->run, SR_STORE_WRITE, &store),
        SR_STORE_UNSAFE);
    chmod(world->state, 0700);
    assert_int_equal(unlink(aside), 0);
    assert_int_equal(rename(world->state, aside), 0);
    assert_int_equal(symlink(aside, world->state), 0);
    assert_int_equal(
        sr_store_open(world->state, world->run, SR_STORE_WRITE, &store),
        SR_STORE_UNSAFE);
}

static void
test_hash_is_the_stores_own(void **state)
{
    struct world *world = *state;
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    uint64_t first, again, other;

    assert_int_equal(sr_store_hash(store, "ann", 3, &first), SR_STORE_OK);
    sr_store_close(store);
    store = open_store(world, SR_STORE_READ);
    assert_int_equal(sr_store_hash(store, "ann", 3, &again), SR_STORE_OK);
    assert_int_equal(sr_store_hash(store, "bob", 3, &other), SR_STORE_OK);
    sr_store_close(store);
    assert_true(first == again && first != other);
    assert_int_equal(unlink(scratch_path(world->state, "key")), 0);
    store = open_store(world, SR_STORE_READ);
    assert_int_equal(sr_store_hash(store, "ann", 3, &again),
                     SR_STORE_NOT_FOUND);
    sr_store_close(store);
    store = open_store(world, SR_STORE_WRITE);
    assert_int_equal(sr_store_hash(store, "ann", 3, &again), SR_STORE_OK);
    sr_store_close(store);
    assert_true(first != again);
}

/* Names that strangers choose never become names of files. */
static void
test_file_names(void **state)
{
    static const char *const names[] = {"../../etc/passwd", "a/b", ".", "",
                                        "ann.memory",       "\n"};
    char path[SR_STORE_PATH_MAX];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct sr_identity id = {"local", "", 1};

        strcpy(id.name, names[i]);
        sr_store_account_path(&id, "memory", path);
        assert_int_equal(strlen(path), 9 + 32 + 7);
        assert_int_equal(strspn(path + 9, "0123456789abcdef"), 32);
    }
}

static void
test_strerror(void **state)
{
    (void)state;
    for (int result = SR_STORE_OK; result <= SR_STORE_FAILED; result++) {
        const char *text = sr_store_strerror((enum sr_store_result)result);

        assert_true(text != NULL && text[0] != '\0');
        for (int other = SR_STORE_OK; other < result; other++)
            assert_string_not_equal(
                text, sr_store_strerror((enum sr_store_result)other));
    }
}

static void
test_newer_format(void **state)
{
    struct world *world = *state;
    struct sr_memory memory;
    uint8_t *bytes;
    size_t size;

    write_memory(world, &world->ann, 7);
    bytes = scratch_read(memory_path(world), &size);
    bytes[16] = 2;
    scratch_write(memory_path(world), bytes, size);
    free(bytes);
    assert_int_equal(read_memory(world, &world->ann, &memory, NULL),
                     SR_STORE_VERSION);
    assert_int_equal(write_memory(world, &world->ann, 7), SR_STORE_VERSION);
}

static void
test_old_database_is_noticed(void **state)
{
    struct world *world = *state;
    struct sr_store *store = open_store(world, SR_STORE_WRITE);

    assert_false(sr_store_has_old(store));
    scratch_write(scratch_path(world->state, "data.mdb"),
                  (const uint8_t *)"old", 3);
    assert_true(sr_store_has_old(store));
    assert_int_equal(sr_store_set_old_aside(store), SR_STORE_OK);
    assert_false(sr_store_has_old(store));
    sr_store_close(store);
}

/* ---- limits and full disks */

static void
with_no_file_size(void *argument)
{
    const struct rlimit fsize = {0, RLIM_INFINITY};
    struct world *world = argument;
    struct sr_memory memory;

    WANT(setrlimit(RLIMIT_FSIZE, &fsize) == 0);
    WANT(write_memory(world, &world->ann, 7) == SR_STORE_OK);
    WANT(read_memory(world, &world->ann, &memory, NULL) == SR_STORE_OK);
}

static void
test_rlimit_fsize(void **state)
{
    assert_int_equal(scratch_run(with_no_file_size, *state), 0);
}

static void
with_a_full_disk(void *argument)
{
    struct world *world = argument;
    struct sr_memory memory;
    int fd;

    scratch_private_mounts();
    WANT(mkdir(world->state, 0700) == 0);
    scratch_mount_small(world->state, 64 * 1024);
    WANT(write_memory(world, &world->ann, 7) == SR_STORE_OK);
    fd = open(scratch_path(world->state, "filler"), O_WRONLY | O_CREAT, 0600);
    WANT(fd >= 0);
    while (posix_fallocate(fd, lseek(fd, 0, SEEK_END), 4096) == 0)
        continue;
    WANT(write_memory(world, &world->ann, 9) == SR_STORE_FULL);
    WANT(read_memory(world, &world->ann, &memory, NULL) == SR_STORE_OK);
    WANT(memory.noticed[0] == 7);
    WANT(mount(NULL, world->state, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0);
    close(fd);
    WANT(mount(NULL, world->state, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    WANT(write_memory(world, &world->ann, 9) == SR_STORE_READ_ONLY);
    WANT(read_memory(world, &world->ann, &memory, NULL) == SR_STORE_OK);
    WANT(memory.noticed[0] == 7);
}

static void
test_disk_full_and_read_only(void **state)
{
    scratch_pass(with_a_full_disk, *state);
}

/* ---- the clock */

static void
in_another_boot(void *argument)
{
    struct world *world = argument;
    struct sr_memory memory;

    scratch_private_mounts();
    scratch_new_boot(world->dir, "01234567-89ab-cdef-0123-456789abcdef\n");
    WANT(read_memory(world, &world->ann, &memory, NULL) == SR_STORE_OK);
    WANT(memory.is_new_boot);
    WANT(memory.now >= memory.temporary.issued);
    WANT(write_memory(world, &world->ann, 8) == SR_STORE_OK);
    WANT(read_memory(world, &world->ann, &memory, NULL) == SR_STORE_OK);
    WANT(!memory.is_new_boot);
}

static void
test_time_over_a_boot(void **state)
{
    struct world *world = *state;
    struct sr_memory memory;

    write_memory(world, &world->ann, 7);
    read_memory(world, &world->ann, &memory, NULL);
    assert_false(memory.is_new_boot);
    scratch_pass(in_another_boot, world);
}

/* ---- ledgers */

static const struct sr_limits usual = {
    .attempts = 5, .window = 900, .duration = 900, .duration_max = SR_DAY};

static struct sr_ledger_key
strangers(const struct world *world)
{
    return sr_ledger_key_account(&world->ann, SR_LEDGER_STRANGERS, NULL);
}

/* Write one failure into a slot. */
static void
fail_once(struct sr_ledger_file *file, unsigned slot)
{
    const struct sr_limits limits = {5, 900, 900, SR_DAY, 0};
    struct sr_signal_guard guard;
    struct sr_record record;
    struct sr_fold fold;
    sr_time now;

    assert_int_equal(sr_ledger_read(file, 0, &fold, &now), SR_STORE_OK);
    assert_int_equal(sr_ledger_take(file, slot, false), 1);
    record = sr_record_next(&fold, sr_ledger_record(file, slot), now);
    sr_record_fail(&record, &fold, &limits, slot, now);
    assert_int_equal(sr_signal_guard_begin(&guard), 0);
    assert_int_equal(sr_ledger_write(file, slot, &record), SR_STORE_OK);
    sr_signal_guard_end(&guard);
    sr_ledger_give(file, slot);
}

static unsigned
failures_in(struct sr_store *store, const struct sr_ledger_key *key)
{
    struct sr_ledger_file *file;
    struct sr_fold fold;
    sr_time now;

    if (sr_ledger_open(store, key, NULL, &file) == SR_STORE_NOT_FOUND)
        return 0;
    assert_non_null(file);
    assert_int_equal(sr_ledger_read(file, 0, &fold, &now), SR_STORE_OK);
    sr_ledger_close(file);
    return fold.ledger.failures;
}

/* ---- ledgers of names and sources */

static const struct sr_limits one_attempt = {
    .attempts = 1, .window = 900, .duration = 900, .duration_max = SR_DAY};

/* Record failures of a source, each in a slot of its own; returns whether they
 * went to its own ledger. */
static bool
fail_from(struct sr_store *store, const char *text,
          const struct sr_limits *limits, unsigned failures)
{
    struct sr_ledger_file *file;
    struct sr_ledger_key key;
    bool is_own;

    assert_int_equal(sr_ledger_key_source(store, text, &key), SR_STORE_OK);
    assert_int_equal(sr_ledger_open(store, &key, limits, &file), SR_STORE_OK);
    is_own = !sr_ledger_is_overflow(file);
    for (unsigned slot = 0; is_own && slot < failures; slot++)
        fail_once(file, slot);
    sr_ledger_close(file);
    return is_own;
}

static uint32_t
failures_from(struct sr_store *store, const char *text)
{
    struct sr_ledger_key key;

    assert_int_equal(sr_ledger_key_source(store, text, &key), SR_STORE_OK);
    return failures_in(store, &key);
}

/* So many that all 256 places of the other ones are taken, whatever the key:
 * with 500 of these one in 70 keys left one free. */
#define PEERS 2300u
#define USERS 800u

/* However many sources are locked out, no failure counts for another one, and
 * those that have a ledger keep it. */
static void
test_a_full_folder(void **state)
{
    static const char *const root[] = {"console", "pts", "uid:0"};
    const struct world *world = *state;
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    unsigned own = 0;
    char text[32];

    assert_true(fail_from(store, "console", &usual, 2));
    for (unsigned i = 0; i < PEERS + USERS; i++) {
        if (i < PEERS)
            snprintf(text, sizeof(text), "10.0.%u.%u", i >> 8, i & 255);
        else
            snprintf(text, sizeof(text), "uid:%u", i);
        assert_int_equal(failures_from(store, text), 0);
        own += fail_from(store, text, &one_attempt, 1);
    }
    /* All places of the smaller folder are taken, and most of the other. */
    assert_in_range(own, 256 + 1800, 256 + 2048);
    for (unsigned i = 4000; i < 4100; i++) {
        snprintf(text, sizeof(text), "uid:%u", i);
        assert_int_equal(failures_from(store, text), 0);
        assert_false(fail_from(store, text, &one_attempt, 1));
        assert_int_equal(failures_from(store, text), 0);
    }
    own -= 256;
    for (unsigned i = 0; i < PEERS; i++) {
        snprintf(text, sizeof(text), "10.0.%u.%u", i >> 8, i & 255);
        own -= failures_from(store, text);
    }
    assert_int_equal(own, 0);
    assert_int_equal(failures_from(store, "console"), 2);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(failures_from(store, root[i]), 0);
        assert_true(fail_from(store, root[i], &one_attempt, 1));
    }
    sr_store_close(store);
}

/* A ledger that is in use or has more failures stays when places are short. */
static void
test_the_lightest_is_replaced(void **state)
{
    const struct world *world = *state;
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    struct sr_ledger_file *file;
    struct sr_ledger_key key;
    struct sr_record record;
    struct sr_fold fold;
    char text[32];
    sr_time now;

    assert_true(fail_from(store, "uid:1", &usual, 3));
    assert_int_equal(sr_ledger_key_source(store, "uid:2", &key), SR_STORE_OK);
    assert_int_equal(sr_ledger_open(store, &key, &usual, &file), SR_STORE_OK);
    assert_int_equal(sr_ledger_take(file, 0, false), 1);
    assert_int_equal(sr_ledger_read(file, 1, &fold, &now), SR_STORE_OK);
    record = sr_record_next(&fold, sr_ledger_record(file, 0), now);
    record.state = SR_RECORD_TAKEN;
    assert_int_equal(sr_ledger_write(file, 0, &record), SR_STORE_OK);
    for (unsigned i = 1000; i < 2000; i++) { /* each makes another one go */
        snprintf(text, sizeof(text), "uid:%u", i);
        assert_true(fail_from(store, text, &usual, 1));
        assert_int_equal(failures_from(store, text), 1);
    }
    assert_true(sr_ledger_is_current(file));
    sr_ledger_close(file);
    assert_int_equal(failures_from(store, "uid:1"), 3);
    sr_store_close(store);
}

static void
test_ledgers_are_apart(void **state)
{
    struct world *world = *state;
    struct sr_identity bob = world->ann, other = world->ann;
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    struct sr_ledger_key keys[6], reused;

    strcpy(bob.name, "bob");
    strcpy(other.backend, "corp");
    keys[0] = strangers(world);
    keys[1] = sr_ledger_key_account(&world->ann, SR_LEDGER_OWN, NULL);
    keys[2] = sr_ledger_key_account(&world->ann, SR_LEDGER_FAMILIAR, "a");
    keys[3] = sr_ledger_key_account(&world->ann, SR_LEDGER_FAMILIAR, "b");
    keys[4] = sr_ledger_key_account(&bob, SR_LEDGER_STRANGERS, NULL);
    keys[5] = sr_ledger_key_account(&other, SR_LEDGER_STRANGERS, NULL);
    for (unsigned i = 0; i < 6; i++) {
        struct sr_ledger_file *file;

        assert_int_equal(sr_ledger_open(store, &keys[i], &usual, &file),
                         SR_STORE_OK);
        for (unsigned slot = 0; slot <= i; slot++)
            fail_once(file, slot % 5);
        sr_ledger_close(file);
    }
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(failures_in(store, &keys[i]), i + 1);
    /* The same name with another uid inherits nothing. */
    world->ann.uid++;
    reused = strangers(world);
    assert_string_equal(reused.path, keys[0].path);
    assert_int_equal(failures_in(store, &reused), 0);
    {
        struct sr_ledger_file *file;

        assert_int_equal(sr_ledger_open(store, &reused, &usual, &file),
                         SR_STORE_OK);
        sr_ledger_close(file);
    }
    assert_int_equal(failures_in(store, &keys[0]), 0);
    sr_store_close(store);
}

/* What is cleared counts on for the notice. */
static void
test_clear(void **state)
{
    struct world *world = *state;
    const struct sr_ledger_key key = strangers(world);
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    struct sr_ledger_file *file, *holder;
    struct sr_fold fold;
    sr_time now;
    bool found;

    assert_int_equal(sr_ledger_clear(store, &key, &found), SR_STORE_OK);
    assert_false(found);
    assert_int_equal(sr_ledger_open(store, &key, &usual, &holder), SR_STORE_OK);
    for (unsigned slot = 0; slot < 5; slot++)
        fail_once(holder, slot);
    assert_int_equal(sr_ledger_take(holder, 0, false), 1);
    assert_true(sr_ledger_is_current(holder));
    assert_int_equal(sr_ledger_clear(store, &key, &found), SR_STORE_OK);
    assert_true(found);
    assert_false(sr_ledger_is_current(holder));
    assert_int_equal(sr_ledger_open(store, &key, &usual, &file), SR_STORE_OK);
    assert_int_equal(sr_ledger_read(file, 0, &fold, &now), SR_STORE_OK);
    assert_int_equal(fold.ledger.failures, 0);
    assert_int_equal(fold.notice.failed, 5);
    assert_int_equal(sr_ledger_take(file, 0, false), 1); /* nobody's now */
    sr_ledger_close(file);
    sr_ledger_close(holder);
    sr_store_close(store);
}

/* An attempt that ends well after its record was read, and before it is asked
 * whether the slot is held, has not died. */
static void
test_ends_while_read(void **state)
{
    struct world *world = *state;
    const struct sr_ledger_key key = strangers(world);
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    struct sr_ledger_file *file, *holder;
    struct sr_signal_guard guard;
    struct sr_record record;
    struct sr_fold fold;
    sr_time now;

    assert_int_equal(sr_ledger_open(store, &key, &usual, &holder), SR_STORE_OK);
    assert_int_equal(sr_ledger_read(holder, 0, &fold, &now), SR_STORE_OK);
    assert_int_equal(sr_ledger_take(holder, 2, false), 1);
    record = sr_record_next(&fold, sr_ledger_record(holder, 2), now);
    record.state = SR_RECORD_TAKEN;
    assert_int_equal(sr_signal_guard_begin(&guard), 0);
    assert_int_equal(sr_ledger_write(holder, 2, &record), SR_STORE_OK);
    /* Reads the records that the first look below goes by. */
    assert_int_equal(sr_ledger_open(store, &key, &usual, &file), SR_STORE_OK);
    record.seq++;
    record.state = SR_RECORD_FREE;
    assert_int_equal(sr_ledger_write(holder, 2, &record), SR_STORE_OK);
    sr_signal_guard_end(&guard);
    sr_ledger_close(holder);
    assert_int_equal(sr_ledger_read(file, 0, &fold, &now), SR_STORE_OK);
    assert_int_equal(fold.dead, 0);
    assert_int_equal(fold.busy, 0);
    assert_int_equal(fold.ledger.failed_at[2], 0);
    sr_ledger_close(file);
    sr_store_close(store);
}

/* `attempts` was raised after the file was made. */
static void
test_more_slots(void **state)
{
    struct world *world = *state;
    const struct sr_ledger_key key = strangers(world);
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    struct sr_ledger_file *file;
    struct sr_fold fold;
    sr_time now;

    assert_int_equal(
        sr_ledger_open(store, &key, &(struct sr_limits){.attempts = 2}, &file),
        SR_STORE_OK);
    sr_ledger_close(file);
    assert_int_equal(
        sr_ledger_open(store, &key, &(struct sr_limits){.attempts = 64}, &file),
        SR_STORE_OK);
    fail_once(file, 63);
    fail_once(file, 7);
    sr_ledger_close(file);
    assert_int_equal(
        sr_ledger_open(store, &key, &(struct sr_limits){.attempts = 3}, &file),
        SR_STORE_OK);
    assert_int_equal(sr_ledger_read(file, 0, &fold, &now), SR_STORE_OK);
    assert_int_equal(fold.ledger.failures, 2);
    assert_int_equal(sr_ledger_damaged(file), 0);
    sr_ledger_close(file);
    assert_int_equal(sr_ledger_check(store, key.path), SR_STORE_OK);
    sr_store_close(store);
}

/* Another process with more attempts adds slots to a file that is open. */
static void
test_grows_while_open(void **state)
{
    struct world *world = *state;
    const struct sr_ledger_key key = strangers(world);
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    struct sr_ledger_file *file, *other;
    struct sr_fold fold;
    sr_time now;

    assert_int_equal(
        sr_ledger_open(store, &key, &(struct sr_limits){.attempts = 2}, &file),
        SR_STORE_OK);
    assert_int_equal(sr_ledger_read(file, 0, &fold, &now), SR_STORE_OK);
    assert_int_equal(sr_ledger_open(store, &key,
                                    &(struct sr_limits){.attempts = 64},
                                    &other),
                     SR_STORE_OK);
    for (unsigned slot = 0; slot < 64; slot += 9) {
        fail_once(other, slot);
        assert_int_equal(sr_ledger_read(file, 0, &fold, &now), SR_STORE_OK);
        assert_int_equal(fold.ledger.failures, slot / 9 + 1);
        assert_int_equal(sr_ledger_record(file, slot)->state, SR_RECORD_FAILED);
        assert_int_equal(sr_ledger_damaged(file), 0);
    }
    sr_ledger_close(other);
    sr_ledger_close(file);
    sr_store_close(store);
}

/* A file that ends too early, at any byte: the slots that are cut off have
 * failed, however few are wanted. */
static void
test_cut_off(void **state)
{
    struct world *world = *state;
    const struct sr_ledger_key key = strangers(world);
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    const char *path = scratch_path(world->state, key.path);
    struct sr_ledger_file *file;
    struct sr_fold fold;
    sr_time now;

    assert_int_equal(
        sr_ledger_open(store, &key, &(struct sr_limits){.attempts = 64}, &file),
        SR_STORE_OK);
    sr_ledger_close(file);
    for (off_t size = 67 * 512 - 100; size >= 512; size -= 700) {
        const unsigned left = size < 3 * 512 ? 0 : (unsigned)(size / 512) - 3;

        assert_int_equal(truncate(path, size), 0);
        assert_int_equal(sr_ledger_open(store, &key, NULL, &file), SR_STORE_OK);
        assert_int_equal(sr_ledger_read(file, 0, &fold, &now), SR_STORE_OK);
        assert_int_equal(fold.ledger.failures, 64 - left);
        assert_int_equal(sr_ledger_damaged(file),
                         left == 0 ? ~UINT64_C(0) : ~UINT64_C(0) << left);
        sr_ledger_close(file);
    }
    sr_store_close(store);
}

/* A sum does not depend on zero words at the end, and on all else. */
static void
test_sum(void **state)
{
    uint8_t bytes[1024];

    (void)state;
    for (size_t size = 8; size <= sizeof(bytes); size += size < 64 ? 8 : 56) {
        for (size_t used = 1; used <= size; used += used < 20 ? 1 : 37) {
            const size_t words = (used + 7) / 8 * 8;
            uint64_t sum;

            memset(bytes, 0, sizeof(bytes));
            bytes[used - 1] = 1;
            sum = sr_store_sum(1, 2, bytes, size);
            assert_int_equal(sum, sr_store_sum(1, 2, bytes, words));
            assert_int_not_equal(sum, sr_store_sum(1, 2, bytes, words - 8));
            assert_int_not_equal(sum, sr_store_sum(2, 2, bytes, size));
            assert_int_not_equal(sum, sr_store_sum(1, 1, bytes, size));
            bytes[0] ^= 2;
            assert_int_not_equal(sum, sr_store_sum(1, 2, bytes, size));
        }
    }
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(sr_store_sum(1, 2, bytes, sizeof(bytes)),
                     sr_store_sum(1, 2, bytes, 0));
    /* What is on disk is read by later versions. */
    memset(bytes, 7, 24);
    assert_int_equal(sr_store_sum(1, 2, bytes, 504),
                     UINT64_C(0xa1dba5dcbeea29ff));
}

static void
test_checks(void **state)
{
    struct world *world = *state;
    const struct sr_ledger_key key = strangers(world);
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    struct sr_ledger_file *file;
    char memory[SR_STORE_PATH_MAX];
    uint8_t *bytes;
    size_t size;

    sr_store_account_path(&world->ann, "memory", memory);
    write_memory(world, &world->ann, 7);
    assert_int_equal(sr_ledger_open(store, &key, &usual, &file), SR_STORE_OK);
    sr_ledger_close(file);
    assert_int_equal(sr_ledger_check(store, key.path), SR_STORE_OK);
    assert_int_equal(sr_memory_check(store, memory), SR_STORE_OK);
    for (size_t at = 700; at < 2560 + 512; at += 512) {
        bytes = scratch_read(scratch_path(world->state, key.path), &size);
        bytes[at] ^= 1;
        scratch_write(scratch_path(world->state, key.path), bytes, size);
        /* Refusal slots count for the notice alone. */
        assert_int_equal(sr_ledger_check(store, key.path),
                         at < 1536 ? SR_STORE_OK : SR_STORE_DAMAGED);
        bytes[at] ^= 1;
        scratch_write(scratch_path(world->state, key.path), bytes, size);
        free(bytes);
    }
    scratch_write(scratch_path(world->state, memory), (const uint8_t *)"x", 1);
    assert_int_equal(sr_memory_check(store, memory), SR_STORE_DAMAGED);
    sr_store_close(store);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_memory_comes_back),
        STORE_TEST(test_damaged_memory),
        STORE_TEST(test_no_change_is_lost),
        STORE_TEST(test_a_stopped_writer),
        STORE_TEST(test_kill_at_any_time),
        STORE_TEST(test_reading_creates_nothing),
        STORE_TEST(test_umask_does_not_matter),
        STORE_TEST(test_unsafe_files_are_refused),
        STORE_TEST(test_hash_is_the_stores_own),
        STORE_TEST(test_file_names),
        STORE_TEST(test_strerror),
        STORE_TEST(test_newer_format),
        STORE_TEST(test_old_database_is_noticed),
        STORE_TEST(test_rlimit_fsize),
        STORE_TEST(test_disk_full_and_read_only),
        STORE_TEST(test_time_over_a_boot),
        STORE_TEST(test_a_full_folder),
        STORE_TEST(test_the_lightest_is_replaced),
        STORE_TEST(test_ledgers_are_apart),
        STORE_TEST(test_clear),
        STORE_TEST(test_ends_while_read),
        STORE_TEST(test_more_slots),
        STORE_TEST(test_grows_while_open),
        STORE_TEST(test_cut_off),
        STORE_TEST(test_sum),
        STORE_TEST(test_checks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
