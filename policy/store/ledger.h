/*
 * Ledger: the file of one ledger of attempts: a header, two slots for refusals,
 * and a slot for each attempt, each one sector.
 *
 * A process that verifies a password holds an open-file-description lock on its
 * slot (on a byte beyond the end of the file, so that nothing that is read or
 * written is locked) and writes only that slot.  When it dies the kernel
 * releases the lock and its record, "taken", stays: that is a failure.  Nothing
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
    SR_LEDGER_NAME,      /* of a name that does not exist */
    SR_LEDGER_SOURCE,    /* of a source */
};

/*
 * How many ledgers are kept for names that do not exist, for peers, and for
 * users and displays of this host, which peers can never displace; powers of
 * two.  The console, pseudo terminals and root's sessions have one each beside
 * these.
 *
 * Each ledger belongs to one name or source: its header has the hash of that
 * under the store's random key, which also chooses SR_PLACES of the files.  A
 * ledger that is not there yet takes the first of them that is not made yet,
 * else the one that weighs least (sr_throttle_weight()), if it is neither
 * locked out nor in use.  Where all of them are, there is no ledger: nothing is
 * counted against a name or source that it did not do itself.
 *
 * So strangers who fail from very many addresses may be throttled less by their
 * source, and never lock out another one.  It takes lockouts of nearly all
 * ledgers at once, and ends with them.
 */
#define SR_NAME_LEDGERS   4096u
#define SR_SOURCE_LEDGERS 2048u
#define SR_HERE_LEDGERS   256u
#define SR_PLACES         8u

/* Names one ledger.  Make it with sr_ledger_key_*(). */
struct sr_ledger_key {
    enum sr_ledger_kind kind;
    struct sr_identity id;      /* of an account */
    char source[SR_SOURCE_MAX]; /* SR_LEDGER_FAMILIAR */
    const char *folder;         /* where it has several places; else NULL */
    uint32_t files;             /* in that folder */
    uint64_t tag;               /* hash of the name or source, in that folder */
    char path[SR_STORE_PATH_MAX]; /* of its only, or first, place */
};

/* The ledger of an account; `source` for SR_LEDGER_FAMILIAR, else NULL. */
struct sr_ledger_key sr_ledger_key_account(const struct sr_identity *id,
                                           enum sr_ledger_kind kind,
                                           const char *source);

/* The ledger of a name, and of a source; see sr_store_hash() for NOT_FOUND. */
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
 * Open a ledger, to write with the limits that apply to it, to read with
 * NULL.  To write, it is made with limits->attempts slots when there is none,
 * in RUNDIR when STATEDIR cannot be written.  A file of another uid is replaced
 * (to read: NOT_FOUND).  A damaged file is read as one whose every slot failed
 * when it was last written; to write, it is moved aside and replaced by one
 * with these failures.
 *
 * Where a name or source has no place (see above), what is opened to write is
 * the overflow ledger of its folder, in which attempts may be counted but by
 * which nothing is throttled: see sr_ledger_is_overflow().
 */
enum sr_store_result sr_ledger_open(struct sr_store *store,
                                    const struct sr_ledger_key *key,
                                    const struct sr_limits *limits,
                                    struct sr_ledger_file **file);

bool sr_ledger_is_overflow(const struct sr_ledger_file *file);

/* Close, releasing every slot that is held.  NULL is allowed. */
void sr_ledger_close(struct sr_ledger_file *file);

/* Close a copy in a forked process: releases nothing. */
void sr_ledger_forget(struct sr_ledger_file *file);

/*
 * Read all records and fold them, at ledger time *now.  `own` is the mask of
 * slots that this file holds.  What RUNDIR has of the same ledger is counted as
 * well.
 */
enum sr_store_result sr_ledger_read(struct sr_ledger_file *file, uint64_t own,
                                    struct sr_fold *fold, sr_time *now);

/* The slots whose record does not check out and that no process holds, as of
 * the last read.  They are counted as failures at the time of the last write.
 */
uint64_t sr_ledger_damaged(const struct sr_ledger_file *file);

/* The record of a slot, as of the last read. */
const struct sr_record *sr_ledger_record(const struct sr_ledger_file *file,
                                         unsigned slot);

/*
 * Try to lock a slot, `is_stuck` in the epoch after its record's.  1: held now;
 * 0: another process holds it; or a negative errno.
 */
int sr_ledger_take(struct sr_ledger_file *file, unsigned slot, bool is_stuck);

/* Release a slot. */
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
 * the count for the notice continues. Does not wait. *found (may be NULL) is
 * whether there was a failure in it.
 */
enum sr_store_result sr_ledger_clear(struct sr_store *store,
                                     const struct sr_ledger_key *key,
                                     bool *found);

/*
 * Read and fold the ledger in a file of STATEDIR, whosever it is; its kind
 * follows from the path.  DAMAGED, VERSION and UNSAFE as below; NOT_FOUND: it
 * is gone.
 */
enum sr_store_result sr_ledger_look(struct sr_store *store, const char *path,
                                    struct sr_fold *fold, sr_time *now);

/* Whether a file of a ledger checks out (selfresetctl check): OK, DAMAGED,
 * VERSION or UNSAFE. */
enum sr_store_result sr_ledger_check(struct sr_store *store, const char *path);

#endif
