/*
 * Fuzz target: the bytes that the store reads back: a ledger's file and an
 * account's memory.
 *
 * The first byte chooses; the rest is the file.  Files are also given the sums
 * that they need, or else nothing would get past those.
 *
 * With SELFRESET_FUZZ_REACH in the environment it is an error when the inputs
 * have not reached all of the places below: seeds of an older format.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/store/ledger.h"
#include "policy/store/memory.h"

#define SECTOR   512u
#define FILE_MAX (80 * SECTOR)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char state[] = "/dev/shm/fuzz-store-XXXXXX";
static char run[sizeof(state) + 4];

/* What inputs have reached, and how many of them. */
enum reach {
    LEDGER,          /* a sound ledger, with the sums that it came with */
    LEDGER_FAILED,   /* a ledger with a failure, */
    LEDGER_LOCKED,   /* a lockout, */
    LEDGER_RIGHT,    /* a success after failures, */
    LEDGER_DAMAGED,  /* a record that does not check out */
    MEMORY,          /* a sound memory, with the sum that it came with */
    MEMORY_SUMMED,   /* one that was given its sum */
    MEMORY_FAMILIAR, /* a familiar source */
    MEMORY_TEMPORARY,
    REACHES
};
static unsigned reached[REACHES];

static void
check_reach(void)
{
    for (int i = 0; i < REACHES; i++) {
        if (reached[i] == 0) {
            fprintf(stderr, "no input has reached place %d\n", i);
            _exit(1);
        }
    }
}

static struct sr_store *
open_store(void)
{
    struct sr_store *store;

    if (run[0] == '\0') {
        if (mkdtemp(state) == NULL)
            abort();
        snprintf(run, sizeof(run), "%s/run", state);
        if (getenv("SELFRESET_FUZZ_REACH") != NULL)
            atexit(check_reach);
    }
    if (sr_store_open(state, run, SR_STORE_WRITE, &store) != SR_STORE_OK)
        abort();
    return store;
}

/* Put the sum at the end of `size` bytes of the file. */
static void
add_sum(const char *path, uint32_t at, uint8_t *bytes, size_t size)
{
    const uint64_t sum =
        sr_store_sum(sr_store_sum_of_path(path), at, bytes, size - sizeof(sum));

    memcpy(bytes + size - sizeof(sum), &sum, sizeof(sum));
}

static void
put(struct sr_store *store, const char *path, const uint8_t *bytes, size_t size)
{
    if (sr_store_put(store, SR_STORE_SAVED, path, bytes, size, false, true,
                     NULL) != SR_STORE_OK)
        abort();
}

/* A failure that was read must not be lost by what follows it. */
static void
read_ledger(struct sr_store *store, const struct sr_ledger_key *key, bool write)
{
    const struct sr_limits limits = {5, 900, 900, SR_DAY, 100};
    struct sr_ledger_file *file;
    struct sr_record next;
    struct sr_fold fold;
    sr_time now;

    if (sr_ledger_open(store, key, write ? &limits : NULL, &file) !=
        SR_STORE_OK)
        return;
    if (sr_ledger_read(file, 0, &fold, &now) == SR_STORE_OK) {
        const uint64_t open = sr_throttle_open(&fold.ledger, &limits, now);

        reached[LEDGER_FAILED] += fold.ledger.failures > 0;
        reached[LEDGER_LOCKED] += fold.ledger.locked_until > now;
        reached[LEDGER_RIGHT] += fold.right > 0 && fold.ledger.failures == 0;
        reached[LEDGER_DAMAGED] += sr_ledger_damaged(file) != 0;

        if (open == 0 && sr_throttle_release(&fold.ledger, &limits, now) < now)
            abort();
        next = sr_record_next(&fold, sr_ledger_record(file, 0), now);
        sr_record_fail(&next, &fold, &limits, 0, now);
        if (next.fails == 0 || next.total == 0)
            abort();
    }
    sr_ledger_close(file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t image[FILE_MAX];
    const struct sr_identity id = {"local", "ann", 1000};
    const struct sr_ledger_key key =
        sr_ledger_key_account(&id, SR_LEDGER_STRANGERS, NULL);
    struct sr_store *store = open_store();
    char path[SR_STORE_PATH_MAX];
    struct sr_memory memory;

    if (size == 0 || size - 1 > sizeof(image))
        goto end;
    memset(image, 0, sizeof(image));
    memcpy(image, bytes + 1, size - 1);
    size--;
    if ((bytes[0] & 1) != 0) {
        for (uint32_t at = 0; (bytes[0] & 2) != 0 && (at + 1) * SECTOR <= size;
             at++)
            add_sum(key.path, at, image + at * SECTOR, SECTOR);
        put(store, key.path, image, size);
        reached[LEDGER] += (bytes[0] & 2) == 0 &&
                           sr_ledger_check(store, key.path) == SR_STORE_OK;
        read_ledger(store, &key, (bytes[0] & 4) != 0);
    } else {
        sr_store_account_path(&id, "memory", path);
        if ((bytes[0] & 2) != 0 && size > 8)
            add_sum(path, 0, image, size);
        put(store, path, image, size);
        if (sr_memory_get(store, &id, &memory) == SR_STORE_OK) {
            reached[(bytes[0] & 2) != 0 ? MEMORY_SUMMED : MEMORY]++;
            reached[MEMORY_FAMILIAR] +=
                sr_memory_familiar(&memory, "192.0.2.1", SR_DAY) != NULL;
            reached[MEMORY_TEMPORARY] +=
                SR_TIME_IS_SET(sr_memory_temporary(&memory, "x"));
        }
    }
end:
    sr_store_close(store);
    return 0;
}
