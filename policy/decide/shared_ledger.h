/*
 * Shared ledger: what a ledger that hosts share allows.  Pure: no I/O, no
 * clock, no allocation.
 *
 * The ledger is a set of entries in a directory, one for each attempt that is
 * under way or has failed; nothing else is stored.  So entries that were made
 * on two servers form one set again, whatever the order, and the result does
 * not depend on the order: it is sorted, and folded through the
 * functions of throttle.h.  All times are the server's.
 *
 * An attempt adds its entry, which is pending, and then reads all of its
 * ledger.  It proceeds when the slots that are open by the settled failures are
 * enough for all that are under way, itself included.  Otherwise it takes its
 * entry back, or waits.  Settled, the entry has failed, or is gone.
 *
 * No more passwords than `attempts` are verified in a window, with no lock:
 * suppose that one more was.  Of the attempts that proceeded, take the one
 * whose entry was added last.  It read the ledger after that, so it saw the
 * entries of all the others, each of which was pending or had failed: an entry
 * goes away only by a right password, or when nothing was verified.  So it saw
 * that they consumed every slot, and did not proceed.  This holds on one
 * server, which shows what it was given before; on several it holds for each,
 * and as soon as they have replicated their entries are counted together.
 *
 * An entry that is pending for longer than a verification can take is of a
 * host that crashed, and has failed.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_SHARED_LEDGER_H
#define SR_POLICY_DECIDE_SHARED_LEDGER_H

#include "policy/decide/throttle.h"

/* The most entries of one ledger that are read, the youngest.  A ledger
 * that is throttled by the rules has some `attempts` for each doubling of the
 * lockout, and those under way.  One that has more than this number within a
 * window has consumed every slot, whichever of them are read. */
#define SR_SHARED_MAX 1024

/* The most entries that one attempt prunes. */
#define SR_SHARED_PRUNE 8

#define SR_SHARED_ID_SIZE     33 /* 128 random bits in hexadecimal, and its end */
#define SR_SHARED_LEDGER_SIZE 40
#define SR_SHARED_KEY_SIZE    16

enum sr_shared_state {
    SR_SHARED_PENDING, /* being verified */
    SR_SHARED_AHEAD,   /* recorded before another module verifies */
    SR_SHARED_FAILED,
};

struct sr_shared_entry {
    char id[SR_SHARED_ID_SIZE];
    enum sr_shared_state state;
    sr_time made;    /* the server's time when it was added, */
    sr_time changed; /* and when it was changed last */
};

/* All entries of one ledger. */
struct sr_shared_list {
    size_t count;
    bool is_cut; /* there are more, all of them older */
    struct sr_shared_entry entry[SR_SHARED_MAX];
};

enum sr_shared_answer {
    SR_SHARED_GO,     /* there is room */
    SR_SHARED_LOCKED, /* the failures have consumed every slot */
    SR_SHARED_HELD,   /* so they have with those recorded ahead */
    SR_SHARED_WAIT,   /* others are under way */
};

struct sr_shared_judgement {
    enum sr_shared_answer answer;
    unsigned failures;   /* slots that settled failures have consumed */
    bool has_own;        /* `own` is in the list */
    bool may_stay;       /* WAIT: this one need not withdraw */
    bool begins_lockout; /* should the own attempt fail, */
    sr_time begun_until; /* and until when */
    sr_time until;       /* LOCKED and HELD: when a slot opens */
    size_t settled;      /* the list begins with that many that are settled, */
    size_t prunable;     /* and with that many that are not needed any more */
};

/*
 * Evaluate a ledger at `now`; it is put into an order.  `own` is the id of the
 * entry that asks, or NULL.  An entry that is pending for `lifetime` seconds
 * has failed.  With limits->attempts == 0 the answer is GO.
 */
void sr_shared_judge(struct sr_shared_list *list, const char *own,
                     const struct sr_limits *limits, sr_time now,
                     int64_t lifetime, struct sr_shared_judgement *judgement);

/* The entry of an id, or NULL. */
const struct sr_shared_entry *sr_shared_find(const struct sr_shared_list *list,
                                             const char *id);

/* The server's time of the youngest entry; 0: there is none. */
sr_time sr_shared_latest(const struct sr_shared_list *list);

/*
 * The names of ledgers.  An account's, by its name and whether it is tried from
 * a familiar source (which each host knows for itself).  A decoy is for the
 * work alone.
 *
 * An unknown name has one of a fixed number of buckets, by the key of the
 * shared ledger, which is secret.  A bucket is shared by up to
 * SR_SHARED_PLACES names: the ids of a name's entries begin with its tag, and
 * only these are evaluated.  So a name is locked out by what was tried with it,
 * as an account is.  The tag has 32 bits, no more: what is typed for a name can
 * be a password, and must not be recovered from the directory.
 */
#define SR_SHARED_BUCKETS  4096u
#define SR_SHARED_PLACES   8u
#define SR_SHARED_TAG_SIZE 9 /* in hexadecimal, and its end */
void sr_shared_account(const char *name, bool is_familiar,
                       char ledger[SR_SHARED_LEDGER_SIZE]);
void sr_shared_name(const uint8_t key[SR_SHARED_KEY_SIZE], const char *name,
                    char ledger[SR_SHARED_LEDGER_SIZE],
                    char tag[SR_SHARED_TAG_SIZE]);
void sr_shared_decoy(uint32_t dice, char ledger[SR_SHARED_LEDGER_SIZE]);

/*
 * Sort a bucket: the entries of the name with this tag come first, and
 * list->count becomes their number.  Those of other names follow, each name's
 * together.  Returns the number of all.
 */
size_t sr_shared_gather(struct sr_shared_list *list, const char *tag);

/*
 * What has to go so that a bucket does not grow: `others` are the entries of
 * the other names, as sr_shared_gather() leaves them.  Where they are of
 * SR_SHARED_PLACES names or more, those of the name that weighs least and is
 * not locked out are brought to the front, and their number is returned.  0:
 * there is nothing; *is_full: since all of them are locked out.  `room` is
 * overwritten.
 */
size_t sr_shared_evict(struct sr_shared_entry *others, size_t count,
                       const struct sr_limits *limits, sr_time now,
                       int64_t lifetime, struct sr_shared_list *room,
                       bool *is_full);

#endif
