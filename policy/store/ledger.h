/*
 * Ledger: the file of one ledger of attempts: a header, two slots for refusals,
 * and a slot for each attempt, each one sector.
 *
 * A process that verifies a password holds an open-file-description lock on its
 * slot (on a byte beyond the end of the file, so that nothing that is read or
 * written is locked) and writes only that slot.  When it dies the kernel gives
 * the lock back and its record, "taken", stays: that is a failure.  Nothing
 * else is locked, so a process that is stopped or frozen costs one slot.
 *
 * A slot whose holder does not move any more can be taken from it: each slot
 * has an epoch in its record, and the byte that is locked depends on it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_STORE_LEDGER_H
#define SR_POLICY_STORE_LEDGER_H

#include "policy/decide/throttle.h"
#include "policy/store/store.h"

enum sr_ledger_kind {
    SR_LEDGER_STRANGERS, /* of an account: sources that it was not seen at */
    SR_LEDGER_OWN,       /* of an account: its user's own proved sessions */
    SR_LEDGER_FAMILIAR,  /* of an account: one source that it was seen at */
    SR_LEDGER_NAME,      /* a bucket of names that do not exist */
    SR_LEDGER_SOURCE,    /* a bucket of sources */
};

/* How many buckets there are for names that do not exist, for peers, and for
 * sources of this host itself, which peers can never fill. */
#define SR_NAME_BUCKETS   4096u
#define SR_SOURCE_BUCKETS 2048u
#define SR_HERE_BUCKETS   256u

/* Names one ledger.  Make it with sr_ledger_key_*(). */
struct sr_ledger_key {
    enum sr_ledger_kind kind;
    struct sr_identity id;      /* of an account */
    char source[SR_SOURCE_MAX]; /* SR_LEDGER_FAMILIAR */
    char path[SR_STORE_PATH_MAX];
};

/* The ledger of an account; `source` for SR_LEDGER_FAMILIAR, else NULL. */
struct sr_ledger_key sr_ledger_key_account(const struct sr_identity *id,
                                           enum sr_ledger_kind kind,
                                           const char *source);

/* The bucket of a name, and of a source; see sr_store_hash() for NOT_FOUND. */
enum sr_store_result sr_ledger_key_name(struct sr_store *store,
                                        const char *name,
                                        struct sr_ledger_key *key);
enum sr_store_result sr_ledger_key_source(struct sr_store *store,
                                          const char *text,
                                          struct sr_ledger_key *key);

/* Slots for refusals (attempts while locked out); they have the numbers
 * SR_ATTEMPTS_MAX and following. */
#define SR_REFUSAL_SLOTS 2

struct sr_ledger_file; /* opaque */

/*
 * Open a ledger.  To write, it is made with `attempts` slots when there is
 * none, in RUNDIR when STATEDIR cannot be written.  A file of another uid is
 * replaced (to read: NOT_FOUND).  A damaged file is read as one whose every
 * slot failed when it was last written; to write, it is moved aside and one
 * that says so is put in its place.
 */
enum sr_store_result sr_ledger_open(struct sr_store *store,
                                    const struct sr_ledger_key *key, bool write,
                                    unsigned attempts,
                                    struct sr_ledger_file **file);

/* Close, giving back every slot that is held.  NULL is allowed. */
void sr_ledger_close(struct sr_ledger_file *file);

/* Close a copy in a forked process: gives nothing back. */
void sr_ledger_forget(struct sr_ledger_file *file);

/*
 * Read all records and fold them, at ledger time *now.  `own` is the mask of
 * slots that this file holds.  What RUNDIR has of the same ledger is counted as
 * well.
 */
enum sr_store_result sr_ledger_read(struct sr_ledger_file *file, uint64_t own,
                                    struct sr_fold *fold, sr_time *now);

/* The slots whose record does not check out and that nobody holds, as of the
 * last read.  They are counted as failures at the time of the last write. */
uint64_t sr_ledger_damaged(const struct sr_ledger_file *file);

/* The record of a slot, as of the last read. */
const struct sr_record *sr_ledger_record(const struct sr_ledger_file *file,
                                         unsigned slot);

/*
 * Try to lock a slot, `is_stuck` in the epoch after its record's.  1: held now;
 * 0: another process holds it; or a negative errno.
 */
int sr_ledger_take(struct sr_ledger_file *file, unsigned slot, bool is_stuck);

/* Give a slot back. */
void sr_ledger_give(struct sr_ledger_file *file, unsigned slot);

/* Write a slot that is held; adds the sum.  Under a signal guard. */
enum sr_store_result sr_ledger_write(struct sr_ledger_file *file, unsigned slot,
                                     struct sr_record *record);

/* Wait until what was written is on disk. */
enum sr_store_result sr_ledger_sync(struct sr_ledger_file *file);

/* Whether the file is still the one that its name leads to. */
bool sr_ledger_is_current(const struct sr_ledger_file *file);

/* Why the file is in RUNDIR; OK: it is not. */
enum sr_store_result sr_ledger_unsaved(const struct sr_ledger_file *file);

/*
 * Put an empty ledger in place of one that is there (unlock, a new password);
 * the count for the notice goes on.  Waits for nobody.  *found (may be NULL)
 * says whether there was a failure in it.
 */
enum sr_store_result sr_ledger_clear(struct sr_store *store,
                                     const struct sr_ledger_key *key,
                                     bool *found);

/* Whether a file of a ledger checks out (selfresetctl check): OK, DAMAGED,
 * VERSION or UNSAFE. */
enum sr_store_result sr_ledger_check(struct sr_store *store, const char *path);

#endif
