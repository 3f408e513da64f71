/*
 * Memory: what this host remembers of one account besides its ledgers: password
 * history, temporary password, familiar sources, and which failed attempts the
 * user was informed of.
 *
 * One file for each account, see account_file.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_STORE_MEMORY_H
#define SR_POLICY_STORE_MEMORY_H

#include "policy/decide/rules.h"
#include "policy/decide/source.h"
#include "policy/store/store.h"

/* The most familiar sources remembered of one account. */
#define SR_FAMILIAR_MAX 8

struct sr_familiar {
    char source[SR_SOURCE_MAX]; /* its text; empty: unused */
    sr_time seen;               /* ledger time of the last login from it */
    uint32_t noticed; /* failures there that the user was informed of */
    uint32_t spare;
};

/* A temporary password that this host issued. */
struct sr_temporary {
    uint64_t fingerprint; /* of the stored hash; another one ends it */
    sr_time issued;       /* ledger time */
    sr_time until;        /* ledger time; 0: there is none */
};

/* The password history of an account: see history.h. */
#define SR_HISTORY_GROUPS    2
#define SR_HISTORY_SALT_SIZE 192

struct sr_history_group {
    char salt[SR_HISTORY_SALT_SIZE]; /* crypt(5) setting; empty: unused */
    uint32_t count;
    uint32_t tag[SR_HISTORY_MAX]; /* newest first */
    uint32_t spare;
    sr_time set_at[SR_HISTORY_MAX]; /* wall-clock time of each */
};

struct sr_history {
    struct sr_history_group group[SR_HISTORY_GROUPS]; /* newest first */
};

/* No padding: the image of this structure is what the file has. */
struct sr_memory {
    uint8_t salt[16];    /* random; of fingerprints */
    uint32_t noticed[2]; /* failures in the ledgers of strangers and of own
                            sessions that the user was informed of */
    struct sr_familiar familiar[SR_FAMILIAR_MAX];
    struct sr_temporary temporary;
    struct sr_history history;
    /* Not in the file; filled in by sr_memory_get(). */
    sr_time now;      /* ledger time of this memory */
    sr_time wall;     /* wall clock of the same reading */
    bool is_new_boot; /* `now` is fixed only by the next change */
};

/*
 * Read an account's memory.  NOT_FOUND, with an empty memory, when there is
 * none, when it is of another uid, and when it is damaged (it is then moved
 * aside, see sr_store_damage()).
 */
enum sr_store_result sr_memory_get(struct sr_store *store,
                                   const struct sr_identity *id,
                                   struct sr_memory *memory);

/*
 * Change an account's memory: `change` gets it as it is, or empty, and returns
 * whether it has changed anything.  `change` is called again, with what there
 * is then, when another process has replaced the memory meanwhile.  On
 * SR_STORE_OK the change is on disk; BUSY when other changes came first all the
 * time.
 */
enum sr_store_result
sr_memory_change(struct sr_store *store, const struct sr_identity *id,
                 bool (*change)(void *context, struct sr_memory *memory),
                 void *context);

/* The fingerprint of a stored hash, by the memory's salt. */
uint64_t sr_memory_fingerprint(const struct sr_memory *memory,
                               const char *secret);

/* When the temporary password ends, wall clock; unknown when there is none or
 * when it is not the one of the stored hash `secret` (NULL: nothing is known
 * of that). */
sr_time sr_memory_temporary(const struct sr_memory *memory, const char *secret);

/* The entry of a source that is younger than `lifetime` seconds, or NULL. */
struct sr_familiar *sr_memory_familiar(struct sr_memory *memory,
                                       const char *source, int64_t lifetime);

/* Whether the file at `path` checks out: OK, DAMAGED, VERSION or UNSAFE. */
enum sr_store_result sr_memory_check(struct sr_store *store, const char *path);

#endif
