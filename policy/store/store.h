/*
 * Store: the directory in which this host keeps its state, and how files in it
 * are found, made and replaced.
 *
 *   STATEDIR/                   0700, root's
 *     key                       random; chooses ledgers of names and sources
 *     accounts/HASH.memory      one account's memory (memory.h)
 *     accounts/HASH.never-expired
 *                               see account/never_expired.h
 *     accounts/HASH.strangers   its ledgers (ledger.h)
 *     accounts/HASH.own
 *     accounts/HASH.from-HASH   one for each familiar source
 *     names/NNNN                ledgers of names that do not exist
 *     sources/NNNN              ledgers of peers
 *     here/NNNN, here/SOURCE    ledgers of sources of this host
 *     tmp/                      files that are being made
 *     damaged/                  files that could not be read, moved aside
 *
 * HASH is of backend and canonical name.  No file is locked as a whole and none
 * is locked by more than one login: what is locked is a slot of a ledger.
 *
 * Bounds.  A ledger is (3 + attempts) * 512 bytes.  With the default limits
 * (attempts 5, source_attempts 30) strangers can make 4096 files of 4 KiB for
 * names (16 MiB) and 2048 + 256 of 16.5 KiB for sources (46 MiB with the file
 * system's rounding), whatever they try, and a few more; see ledger.h for what
 * happens when all are in use.  An account has a memory of 4 KiB and
 * at most 10 ledgers of 4 KiB.
 *
 * While STATEDIR cannot be written (full, read-only) ledgers are kept in
 * RUNDIR/unsaved, which has the same layout, and counted together with what
 * STATEDIR has, until the next boot.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_STORE_STORE_H
#define SR_POLICY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "policy/decide/identity.h"
#include "policy/util/clock.h"

enum sr_store_result {
    SR_STORE_OK = 0,
    SR_STORE_NOT_FOUND,
    SR_STORE_BUSY,      /* a lock was not obtained in time */
    SR_STORE_FULL,      /* disk full, quota, RLIMIT_FSIZE */
    SR_STORE_READ_ONLY, /* the file system is read-only */
    SR_STORE_DAMAGED,   /* a file is not ours, cut short, or fails its sum */
    SR_STORE_VERSION,   /* written in another format */
    SR_STORE_UNSAFE,    /* directory or file not root's, or of a wide mode */
    SR_STORE_AWAY,      /* of what a directory keeps: it cannot be asked */
    SR_STORE_SEALED,    /* the same: of another key or format */
    SR_STORE_FAILED,    /* any other error; sr_store_errno() has it */
};

/* A sentence fragment for the result, for logs and tools ("the disk is full");
 * constant. */
const char *sr_store_strerror(enum sr_store_result result);

struct sr_store;

enum sr_store_mode {
    SR_STORE_READ,  /* never creates anything */
    SR_STORE_WRITE, /* creates what is missing */
};

/*
 * Open the store in `dir` (NULL: the built-in /var/lib/selfreset), with `run`
 * (NULL: the built-in /run/selfreset) for what cannot be saved.  Both strings
 * must live as long as the store.  For writing the directory is made, 0700; a
 * directory that cannot be made because of a full or read-only disk is OK, see
 * sr_store_no_write().  For reading, NOT_FOUND when nothing was ever written.
 * On any result but OK *store is NULL.
 */
enum sr_store_result sr_store_open(const char *dir, const char *run,
                                   enum sr_store_mode mode,
                                   struct sr_store **store);

/* NULL is allowed. */
void sr_store_close(struct sr_store *store);

/* The errno behind the last SR_STORE_FAILED; 0 for NULL. */
int sr_store_errno(const struct sr_store *store);

/* Why nothing can be written to the directory, as far as it is known. */
enum sr_store_result sr_store_no_write(const struct sr_store *store);

/*
 * The name, below the store's directory, of a file that was found damaged by a
 * call on this store, once: it has been moved to damaged/ or corrected.  NULL:
 * none.
 */
const char *sr_store_damage(const struct sr_store *store);

/* Whether the directory has the LMDB database of an older version, which
 * "selfresetctl migrate" has not taken over yet. */
bool sr_store_has_old(const struct sr_store *store);

/* Rename that database, after its records have been taken over. */
enum sr_store_result sr_store_set_old_aside(struct sr_store *store);

/* ---- for ledger.c and memory.c */

#define SR_STORE_PATH_MAX 96

/* The directories of a store. */
enum sr_store_place {
    SR_STORE_SAVED,
    SR_STORE_UNSAVED, /* in RUNDIR */
};

/* Read the clocks. */
const struct sr_reading *sr_store_clock(struct sr_store *store);

/* The result for an errno; keeps it for sr_store_errno(), and notes why nothing
 * can be written. */
enum sr_store_result sr_store_judge(struct sr_store *store, int error);

/* Note damage for sr_store_damage(). */
void sr_store_note_damage(struct sr_store *store, const char *path);

/* "accounts/HASH" of an account, with a suffix. */
void sr_store_account_path(const struct sr_identity *id, const char *suffix,
                           char path[SR_STORE_PATH_MAX]);

/* 128 bits of a text as 32 hexadecimal digits and an end. */
void sr_store_digest(const void *bytes, size_t size, char digits[33]);

/*
 * Hash under the store's random key, which is made when there is none; the same
 * for the life of the store.  NOT_FOUND: there is no key, and it may not be
 * made (a store that is open for reading).
 */
enum sr_store_result sr_store_hash(struct sr_store *store, const void *bytes,
                                   size_t size, uint64_t *hash);

/* The sum that finds damage: of `size` bytes, and of the place they belong to:
 * the path of the file, as sr_store_sum_of_path() gives it, and a number within
 * the file. */
uint64_t sr_store_sum(uint64_t path, uint32_t at, const void *bytes,
                      size_t size);
uint64_t sr_store_sum_of_path(const char *path);

/* The descriptor of a place; -1: it is not there.  To write, it is made. */
int sr_store_dir(struct sr_store *store, enum sr_store_place place, bool write);

/*
 * Open a file below a place with open(2) flags; NOT_FOUND when it is not there,
 * UNSAFE when it is not root's alone.  *status (may be NULL) is filled in.
 */
enum sr_store_result sr_store_file(struct sr_store *store,
                                   enum sr_store_place place, const char *path,
                                   int flags, int *fd, struct stat *status);

/*
 * Write a whole file aside, sync it when `is_synced`, and put it in place:
 * instead of what is there when `replaces`, otherwise only where nothing is
 * (NOT_FOUND when something is).  With `current` (may be NULL), which an open
 * descriptor keeps, only while the path leads to that file; NOT_FOUND when
 * another process has replaced it.  Raises a signal guard of its own.
 */
enum sr_store_result sr_store_put(struct sr_store *store,
                                  enum sr_store_place place, const char *path,
                                  const void *bytes, size_t size,
                                  bool is_synced, bool replaces,
                                  const struct stat *current);

/* Wait until the entry of a new file is on disk; 0 or a negative errno. */
int sr_store_sync_folder(struct sr_store *store, enum sr_store_place place,
                         const char *path);

/* Remove a file; a missing one is no error. */
enum sr_store_result sr_store_drop(struct sr_store *store,
                                   enum sr_store_place place, const char *path);

/* Move a damaged file aside, in place of one moved aside before, and note it.
 */
void sr_store_set_aside(struct sr_store *store, enum sr_store_place place,
                        const char *path);

/* Whether the file at `path` is still the one of `status`. */
bool sr_store_is_same(struct sr_store *store, enum sr_store_place place,
                      const char *path, const struct stat *status);

/* pwrite(2) of all bytes, past RLIMIT_FSIZE where the process may; 0 or a
 * negative errno.  Under a signal guard. */
int sr_store_write(int fd, const void *bytes, size_t size, off_t at);

/* Remove every file of the folders sources/ and here/. */
enum sr_store_result sr_store_drop_sources(struct sr_store *store);

/* Call `each` with the path of every file in a folder ("accounts", "names",
 * "sources", "here", "damaged"); a folder that is not there has none. */
enum sr_store_result
sr_store_each(struct sr_store *store, const char *folder,
              void (*each)(void *context, const char *path), void *context);

#endif
