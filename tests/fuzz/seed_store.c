/*
 * Seeds for fuzz_store: writes tests/fuzz/corpus/store anew, by what writes the
 * files of a host.
 *
 *   seed_store DIR
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/store/ledger.h"
#include "policy/store/memory.h"
#include "policy/util/signal_guard.h"
#include "tests/unit/scratch.h"

#define NOW ((time_t)4102444800) /* the year 2100: time goes on from there */

static const struct sr_identity ann = {"local", "ann", 1000};
static const struct sr_limits limits = {2, 900, 900, SR_DAY, 100};

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_open(const char *path, int flags, ...);

/* No time has passed when what was recorded is read. */
int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    *now = (struct timespec){.tv_sec = clock == CLOCK_REALTIME ? NOW : 1000};
    return 0;
}

/* No boot is named: seeds are of no machine. */
int
__wrap_open(const char *path, int flags, ...)
{
    if (strncmp(path, "/proc/", 6) != 0)
        return openat(AT_FDCWD, path, flags, 0600);
    errno = ENOENT;
    return -1;
}

/* The first byte of a seed: see fuzz_store.c. */
enum { IS_LEDGER = 1, ADD_SUMS = 2, TO_WRITE = 4 };

static void
put_seed(const char *dir, const char *name, int flags, const uint8_t *bytes,
         size_t size)
{
    uint8_t *seed = malloc(size + 1);

    WANT(seed != NULL);
    seed[0] = (uint8_t)flags;
    memcpy(seed + 1, bytes, size);
    scratch_write(scratch_path(dir, name), seed, size + 1);
    free(seed);
}

/* Put a file of the store as it is, with sums to be added, and cut off. */
static void
put_all(const char *dir, const char *name, int flags, const char *from)
{
    char seed[64];
    size_t size;
    uint8_t *bytes = scratch_read(from, &size);

    put_seed(dir, name, flags, bytes, size);
    snprintf(seed, sizeof(seed), "%s-summed", name);
    put_seed(dir, seed, flags | ADD_SUMS, bytes, size);
    snprintf(seed, sizeof(seed), "%s-short", name);
    put_seed(dir, seed, flags | ADD_SUMS, bytes, size / 2);
    bytes[size - 100] ^= 1;
    snprintf(seed, sizeof(seed), "%s-damaged", name);
    put_seed(dir, seed, flags, bytes, size);
    free(bytes);
}

static void
record(struct sr_ledger_file *file, unsigned slot, bool is_right)
{
    struct sr_record next;
    struct sr_fold fold;
    sr_time now;

    WANT(sr_ledger_read(file, 0, &fold, &now) == SR_STORE_OK);
    WANT(sr_ledger_take(file, slot, false) == 1);
    next = sr_record_next(&fold, sr_ledger_record(file, slot), now);
    if (is_right)
        sr_record_right(&next);
    else
        sr_record_fail(&next, &fold, &limits, slot, now);
    snprintf(next.failed_from, sizeof(next.failed_from), "192.0.2.1");
    WANT(sr_ledger_write(file, slot, &next) == SR_STORE_OK);
    sr_ledger_give(file, slot);
}

static void
put_ledgers(const char *dir, const char *state, struct sr_store *store)
{
    const struct sr_ledger_key key =
        sr_ledger_key_account(&ann, SR_LEDGER_STRANGERS, NULL);
    struct sr_ledger_file *file;
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", state, key.path);
    WANT(sr_ledger_open(store, &key, &limits, &file) == SR_STORE_OK);
    put_all(dir, "ledger", IS_LEDGER | TO_WRITE, path);
    record(file, 0, false);
    put_all(dir, "ledger-failed", IS_LEDGER, path);
    record(file, 1, false);
    put_all(dir, "ledger-locked", IS_LEDGER | TO_WRITE, path);
    record(file, 1, true);
    put_all(dir, "ledger-right", IS_LEDGER, path);
    sr_ledger_close(file);
    put_seed(dir, "ledger-empty", IS_LEDGER, (const uint8_t *)"", 0);
}

static bool
remember(void *context, struct sr_memory *memory)
{
    (void)context;
    memory->familiar[0].seen = memory->now;
    strcpy(memory->familiar[0].source, "192.0.2.1");
    memory->temporary = (struct sr_temporary){
        sr_memory_fingerprint(memory, "x"), memory->now, memory->now + SR_DAY};
    strcpy(memory->history.group[0].salt, "$6$salt");
    memory->history.group[0].count = 2;
    return true;
}

int
main(int argc, char **argv)
{
    char *scratch = scratch_make();
    char path[SR_STORE_PATH_MAX], state[256], run[256];
    struct sr_signal_guard guard;
    struct sr_store *store;

    if (argc != 2)
        return 2;
    snprintf(state, sizeof(state), "%s/state", scratch);
    snprintf(run, sizeof(run), "%s/run", scratch);
    WANT(sr_signal_guard_begin(&guard) == 0);
    WANT(sr_store_open(state, run, SR_STORE_WRITE, &store) == SR_STORE_OK);
    put_ledgers(argv[1], state, store);
    WANT(sr_memory_change(store, &ann, remember, NULL) == SR_STORE_OK);
    sr_store_account_path(&ann, "memory", path);
    put_all(argv[1], "memory", 0, scratch_path(state, path));
    sr_store_close(store);
    sr_signal_guard_end(&guard);
    scratch_remove(scratch);
    return 0;
}
