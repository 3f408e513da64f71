/*
 * Old state: reads what versions before 0.1.0 of November 2026 kept in an LMDB
 * database, from the output of mdb_dump(1).
 *
 * A key is a letter and a uid, big-endian; a record is a format version, the
 * payload and a sum of both and of the key.  Only what is taken over is read:
 * password histories and temporary passwords.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_OLD_STATE_H
#define SR_TOOLS_OLD_STATE_H

#include <stdio.h>

#include "policy/store/memory.h"

/* One record of one uid: a history, or a temporary password. */
struct old_record {
    struct old_record *next;
    uid_t uid;
    bool is_history;
    union {
        struct sr_history history;
        struct sr_temporary temporary; /* fingerprint by the key of the whole
                                          database; times by its clock */
    };
};

struct old_state {
    struct old_record *first, *last; /* in the order of the dump */
    bool is_whole;                   /* the dump has its end */
    bool has_head;                   /* the two below are known */
    uint8_t key[16];                 /* of fingerprints */
    struct sr_clock clock;
    unsigned damaged; /* records that fail their sum */
    bool is_short;    /* out of memory */
};

/* Read a dump to its end, into a zeroed `state`: a struct old_state. */
void old_state_read(FILE *stream, void *state);

/* Wipe and free all records. */
void old_state_free(struct old_state *state);

/*
 * Add an old history to one that may have begun since: it goes behind that, as
 * far as there is a group for it.  Returns whether it has changed; a history
 * that was added before is not added again.
 */
bool old_state_add_history(struct sr_history *history,
                           const struct sr_history *old);

/*
 * Take a temporary password over, when it is the one of the stored hash
 * `secret` (NULL: none) and not known yet.  `reading` is of the clocks, now.
 * Returns whether the memory has changed.
 */
bool old_state_add_temporary(struct sr_memory *memory,
                             const struct old_state *state,
                             const struct sr_temporary *old, const char *secret,
                             const struct sr_reading *reading);

#endif
