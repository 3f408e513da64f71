/*
 * Account file: a file of the store that has one thing that this host keeps of
 * one account: its memory (memory.h), its enrolment for self-service reset.
 *
 * It is the image of a structure without padding, with the account that it is
 * of, a clock and a sum, and is replaced as a whole.  A process that changes it
 * locks it meanwhile; readers do not.  A process that does not release the lock
 * within a second is not waited for; it makes its change again when it
 * continues.  Where a change must not be made twice, as the use of a code, it
 * is refused instead: a process that is slow between its last look and the
 * replacement would not see the other one's.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_STORE_ACCOUNT_FILE_H
#define SR_POLICY_STORE_ACCOUNT_FILE_H

#include "policy/store/store.h"

/* The most bytes of a structure. */
#define SR_ACCOUNT_FILE_MAX 8192

#define SR_ACCOUNT_FILE_FORMERS 2

/* A kind of such files. */
struct sr_account_file {
    char magic[17];     /* 16 bytes, and the end of the text */
    const char *suffix; /* of the file's name */
    uint32_t version;
    size_t size; /* of the structure, a multiple of 8 */
    /* Older versions that are read, too: the begin of the structure, and what
     * was not there is zero.  Version 0: none. */
    struct {
        uint32_t version;
        size_t size;
    } former[SR_ACCOUNT_FILE_FORMERS];
    bool is_exclusive; /* no change without the lock */
    /* Whether every text ends and every number can be one: the sum finds
     * damage, but not what another program has written. */
    bool (*is_sound)(const void *body);
};

/* Bytes of the structure in a version; 0: it is not one that is read. */
static inline size_t
sr_account_file_size(const struct sr_account_file *kind, uint32_t version)
{
    size_t size = version == kind->version ? kind->size : 0;

    for (int i = 0; i < SR_ACCOUNT_FILE_FORMERS && size == 0; i++)
        size = version == kind->former[i].version ? kind->former[i].size : 0;
    return size;
}

/* When it was read. */
struct sr_account_time {
    sr_time now;      /* ledger time of this file */
    sr_time wall;     /* wall clock of the same reading */
    bool is_new_boot; /* `now` is fixed only by the next change */
};

/*
 * Read an account's file.  NOT_FOUND, with a body of zeros, when there is none,
 * when it is of another uid, and when it is damaged (it is then moved aside,
 * see sr_store_damage()).
 */
enum sr_store_result sr_account_file_get(struct sr_store *store,
                                         const struct sr_account_file *kind,
                                         const struct sr_identity *id,
                                         void *body,
                                         struct sr_account_time *time);

/*
 * Change it: `change` gets the body as it is, or zeros, and returns whether it
 * has changed anything; false also for what must not be written.  It is called
 * again, with what there is then, when another process has replaced the file
 * meanwhile.  On SR_STORE_OK the change is on disk; BUSY when other changes
 * came first all the time, or have the lock of a file that is_exclusive. `body`
 * is room for the structure, and is wiped.
 */
enum sr_store_result
sr_account_file_change(struct sr_store *store,
                       const struct sr_account_file *kind,
                       const struct sr_identity *id, void *body,
                       bool (*change)(void *context, void *body,
                                      const struct sr_account_time *time),
                       void *context);

/* Whether the file at `path` checks out: OK, DAMAGED, VERSION or UNSAFE.  On OK
 * `body`, which may be NULL, has a copy of its structure. */
enum sr_store_result sr_account_file_check(struct sr_store *store,
                                           const struct sr_account_file *kind,
                                           const char *path, void *body);

#endif
