/*
 * Store: what this host must remember of attempts, temporary passwords and
 * password history, in LMDB under /var/lib/selfreset.
 *
 * One process opens it for one call and closes it again: nothing is kept over
 * a fork or between calls.  LMDB runs without its own locks; each transaction
 * holds an open-file-description lock on DIR/lock (shared to read, exclusive to
 * write) which the kernel gives back when a process dies, and which a damaged
 * lock table cannot break.  Waiting for it is bounded.
 *
 * Size is bounded: accounts that exist have records of their own, names that do
 * not exist and sources share a fixed number of buckets.  Every record carries
 * the format version and a checksum; a record that does not check out is an
 * error (SR_STORE_DAMAGED), never an empty record.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_STORE_STORE_H
#define SR_POLICY_STORE_STORE_H

#include "policy/util/clock.h"
#include "policy/decide/facts.h"
#include "policy/decide/source.h"
#include "policy/decide/throttle.h"

enum sr_store_result {
    SR_STORE_OK = 0,
    SR_STORE_NOT_FOUND,
    SR_STORE_BUSY,      /* the lock was not had in time */
    SR_STORE_FULL,      /* disk full, quota, RLIMIT_FSIZE, map full */
    SR_STORE_READ_ONLY, /* opened for reading only: the directory is */
    SR_STORE_DAMAGED,   /* not ours, cut short, or fails its checksum */
    SR_STORE_VERSION,   /* written by a newer format */
    SR_STORE_UNSAFE,    /* directory or file not root's, or of a wide mode */
    SR_STORE_FAILED,    /* any other error; sr_store_errno() has it */
};

/* A sentence fragment for the result, for logs and tools ("the disk is full");
 * constant. */
const char *sr_store_strerror(enum sr_store_result result);

struct sr_store;

/* The most familiar sources remembered of one account. */
#define SR_FAMILIAR_MAX 8

enum sr_ledger_kind {
    SR_LEDGER_ACCOUNT, /* id: uid, and class */
    SR_LEDGER_NAME,    /* id: bucket of an unknown name */
    SR_LEDGER_SOURCE,  /* id: bucket of a source */
};

/* Names one ledger.  Make it with sr_ledger_key_*(). */
struct sr_ledger_key {
    enum sr_ledger_kind kind;
    uint32_t id;
    enum sr_source_class class;
};

/* How many buckets there are for unknown names, and for sources. */
#define SR_NAME_BUCKETS   16384u
#define SR_SOURCE_BUCKETS 16384u

/* What the host remembers of an account besides its ledgers. */
struct sr_familiar {
    uint64_t source; /* keyed hash of the source's text */
    sr_time seen;    /* ledger time of the last login from it */
};

struct sr_memory {
    uint32_t failed;                 /* failed attempts since the last login */
    sr_time failed_last;             /* wall-clock time of the last of them */
    char failed_from[SR_SOURCE_MAX]; /* and its source, or empty */
    struct sr_familiar familiar[SR_FAMILIAR_MAX]; /* seen == 0: unused */
};

/* A temporary password that this host issued. */
struct sr_temporary {
    uint64_t fingerprint; /* of the stored hash; another one ends it */
    sr_time issued;       /* ledger time */
    sr_time until;        /* ledger time */
};

/* The password history of an account: see history.h. */
#define SR_HISTORY_GROUPS    2
#define SR_HISTORY_SALT_SIZE 192

struct sr_history_group {
    char salt[SR_HISTORY_SALT_SIZE]; /* crypt(5) setting; empty: unused */
    uint32_t count;
    uint32_t tag[SR_HISTORY_MAX];   /* newest first */
    sr_time set_at[SR_HISTORY_MAX]; /* wall-clock time of each */
};

struct sr_history {
    struct sr_history_group group[SR_HISTORY_GROUPS]; /* newest first */
};

enum sr_store_mode {
    SR_STORE_READ,  /* never creates anything */
    SR_STORE_WRITE, /* creates; on a read-only file system opens to read */
};

/*
 * Open the store in `dir` (NULL: the built-in /var/lib/selfreset).  For writing
 * the directory is made, 0700.  `wait_ms` bounds every wait for the lock.  On
 * any result but OK *store is NULL.  Writes of the process are safe against
 * RLIMIT_FSIZE while a transaction runs (SIGXFSZ is blocked and drained).
 */
enum sr_store_result sr_store_open(const char *dir, enum sr_store_mode mode,
                                   unsigned wait_ms, struct sr_store **store);

/* Close; aborts a transaction that is still open.  NULL is allowed. */
void sr_store_close(struct sr_store *store);

/* The errno or LMDB code behind the last SR_STORE_FAILED. */
int sr_store_errno(const struct sr_store *store);

/* True when the store could be opened for reading only. */
bool sr_store_is_read_only(const struct sr_store *store);

/*
 * The caller keeps a shield (shield.h) raised around every transaction, so the
 * store need not raise one of its own.
 */
void sr_store_set_guarded(struct sr_store *store);

/*
 * Begin a transaction; `write` takes the exclusive lock.  One at a time.  A
 * read transaction that finds no store (nothing was ever written) succeeds and
 * finds no records.
 */
enum sr_store_result sr_store_begin(struct sr_store *store, bool write);

/* Commit: when it returns SR_STORE_OK the records are on disk. */
enum sr_store_result sr_store_commit(struct sr_store *store);

/* End a transaction without keeping what was put.  No transaction: no-op. */
void sr_store_abort(struct sr_store *store);

/* True inside a transaction. */
bool sr_store_is_open(const struct sr_store *store);

/*
 * Ledger time now (clock.h), inside a transaction.  In a write transaction the
 * store's clock is recorded along.  `wall` (may be NULL) gets the wall clock of
 * the same reading.
 */
enum sr_store_result sr_store_now(struct sr_store *store, sr_time *ledger_now,
                                  sr_time *wall);

/*
 * True when sr_store_now() found a new boot that is not recorded yet: only a
 * write transaction fixes ledger time for the rest of the boot.
 */
bool sr_store_is_new_boot(const struct sr_store *store);

/*
 * Keyed hash (SipHash-2-4, the key is the store's own and random) of bytes; the
 * same for the life of the store.  Inside a transaction.  Fails with NOT_FOUND
 * in a read transaction on a store that was never written.
 */
enum sr_store_result sr_store_hash(struct sr_store *store, const void *bytes,
                                   size_t size, uint64_t *hash);

/* Records.  Each get returns SR_STORE_NOT_FOUND with an emptied structure when
 * there is no record; each put replaces; each drop of nothing is OK. */
enum sr_store_result sr_store_get_ledger(struct sr_store *store,
                                         const struct sr_ledger_key *key,
                                         struct sr_ledger *ledger);
enum sr_store_result sr_store_put_ledger(struct sr_store *store,
                                         const struct sr_ledger_key *key,
                                         const struct sr_ledger *ledger);
enum sr_store_result sr_store_drop_ledger(struct sr_store *store,
                                          const struct sr_ledger_key *key);
enum sr_store_result sr_store_get_memory(struct sr_store *store, uid_t uid,
                                         struct sr_memory *memory);
enum sr_store_result sr_store_put_memory(struct sr_store *store, uid_t uid,
                                         const struct sr_memory *memory);
/* The same for a bucket of unknown names, so that they cost what accounts do.
 */
enum sr_store_result sr_store_get_name_memory(struct sr_store *store,
                                              uint32_t bucket,
                                              struct sr_memory *memory);
enum sr_store_result sr_store_put_name_memory(struct sr_store *store,
                                              uint32_t bucket,
                                              const struct sr_memory *memory);
enum sr_store_result sr_store_get_temporary(struct sr_store *store, uid_t uid,
                                            struct sr_temporary *temporary);
enum sr_store_result sr_store_put_temporary(struct sr_store *store, uid_t uid,
                                            const struct sr_temporary *t);
enum sr_store_result sr_store_drop_temporary(struct sr_store *store, uid_t uid);
enum sr_store_result sr_store_get_history(struct sr_store *store, uid_t uid,
                                          struct sr_history *history);
enum sr_store_result sr_store_put_history(struct sr_store *store, uid_t uid,
                                          const struct sr_history *history);

/*
 * Drop every ledger of a kind (unthrottle --all).  Inside a write transaction.
 * SR_LEDGER_NAME drops what is remembered of unknown names along.
 */
enum sr_store_result sr_store_drop_all(struct sr_store *store,
                                       enum sr_ledger_kind kind);

#endif
