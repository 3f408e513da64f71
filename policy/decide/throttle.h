/*
 * Throttle: what a ledger of attempts allows.  Pure: no I/O, no clock, no
 * allocation.
 *
 * A ledger has as many slots as `attempts`.  A failure consumes the slot it was
 * verified in until the window has passed it; when the last slot is consumed a
 * lockout begins, which doubles from `duration` up to `duration_max` each time
 * until a success, or until nothing has failed for a whole day (or for
 * duration_max, if that is longer) after the last lockout.  After `limit`
 * failures without a success nothing is open until the ledger is cleared.
 *
 * The first part evaluates a ledger that is given as a whole (struct
 * sr_ledger); this host's ledgers and those that hosts share are both evaluated
 * by it.  The second part makes such a ledger out of the records of this host's
 * file.
 *
 * Times are ledger times (clock.h): they never run backwards.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_THROTTLE_H
#define SR_POLICY_DECIDE_THROTTLE_H

#include <limits.h>

#include "policy/decide/rules.h"
#include "policy/decide/source.h"
#include "policy/util/time.h"

struct sr_ledger {
    uint32_t level;       /* lockouts in a row, for the doubling */
    uint32_t failures;    /* in a row, since the last success */
    sr_time locked_until; /* 0: no lockout */
    sr_time failed_at[SR_ATTEMPTS_MAX]; /* by slot; 0: free */
};

/* The rules for a ledger. */
struct sr_limits {
    unsigned attempts; /* 1 to SR_ATTEMPTS_MAX; 0: not throttled */
    int64_t window;    /* seconds, > 0 */
    int64_t duration;
    int64_t duration_max;
    unsigned limit; /* failures in a row; 0: any number */
};

/* Empty a ledger: no failure, no lockout. */
void sr_ledger_init(struct sr_ledger *ledger);

/*
 * The slots that are open at `now`, as a bit mask (slot 0 is bit 0).  0 means
 * locked out.  With limits->attempts == 0 every slot is open.
 */
uint64_t sr_throttle_open(const struct sr_ledger *ledger,
                          const struct sr_limits *limits, sr_time now);

/*
 * The ledger time at which the next slot opens: `now` when one is open,
 * SR_TIME_NEVER when the limit is reached.
 */
sr_time sr_throttle_release(const struct sr_ledger *ledger,
                            const struct sr_limits *limits, sr_time now);

/*
 * Record a failure in `slot`; begins a lockout when it was the last open slot.
 * Returns true exactly when a lockout began.
 */
bool sr_throttle_failed(struct sr_ledger *ledger,
                        const struct sr_limits *limits, unsigned slot,
                        sr_time now);

/*
 * Take a failure back that was recorded before the password was checked
 * (guard); ends the lockout that it began, if it began one.
 */
void sr_throttle_taken_back(struct sr_ledger *ledger,
                            const struct sr_limits *limits, unsigned slot,
                            bool began_lockout, sr_time now);

/*
 * True when the ledger has the same effect as an empty one at `now`.
 */
bool sr_throttle_idle(const struct sr_ledger *ledger,
                      const struct sr_limits *limits, sr_time now);

/* The weight of a ledger that is locked out. */
#define SR_WEIGHT_LOCKED UINT_MAX

/*
 * What would be lost at `now` if the ledger were forgotten: 0 when it is idle,
 * SR_WEIGHT_LOCKED while it is locked out, otherwise the failures in the window
 * and the lockouts in a row.  A ledger that has reached the limit, and in which
 * nothing has failed for as long as lockouts in a row are remembered, weighs 1.
 */
unsigned sr_throttle_weight(const struct sr_ledger *ledger,
                            const struct sr_limits *limits, sr_time now);

/* ---- the records of a ledger's file */

/* A verification that takes longer (seconds) has failed; its answer is not
 * given. */
#define SR_VERIFICATION_MAX 300

enum sr_record_state {
    SR_RECORD_FREE = 0, /* right, or nothing verified */
    SR_RECORD_TAKEN,    /* a password is being verified */
    SR_RECORD_AHEAD,    /* failed, recorded before another module verifies */
    SR_RECORD_FAILED,
    SR_RECORD_STATES
};

/*
 * One slot of a ledger: the image of one disk sector, in the byte order of this
 * host.  Each record carries on what its writer knew of the whole ledger, so
 * that any of them can be the newest.
 */
struct sr_record {
    uint64_t seq;         /* higher is newer; two that were written at once,
                             in two slots, have the same */
    uint64_t right;       /* seq of the latest success */
    uint64_t lock_seq;    /* seq of the record that began the latest lockout */
    sr_time time;         /* of this record */
    sr_time locked_until; /* end of that lockout; 0: none */
    sr_time failed_wall;  /* wall clock of the latest failure; 0: none */
    struct sr_clock clock;
    uint32_t state;
    uint32_t level; /* after that lockout */
    uint32_t fails; /* failures in this slot since `right` */
    uint32_t total; /* failures in this slot since the ledger was made */
    uint32_t epoch; /* how often the slot was taken from a stuck holder */
    uint32_t spare;
    char failed_from[SR_SOURCE_MAX]; /* source of the latest failure */
    uint8_t reserved[336];
    uint64_t sum; /* of the rest; the writer's file adds it */
};
_Static_assert(sizeof(struct sr_record) == 512, "a record is one sector");

/* Whether its numbers can be those of a record; the sum is not checked. */
bool sr_record_is_sound(const struct sr_record *record);

/* Failed attempts, for the notice at the next login. */
struct sr_notice {
    uint32_t failed;
    sr_time last;             /* wall clock; 0: none */
    char from[SR_SOURCE_MAX]; /* of the last, or empty */
};

/* The state by the records of a file. */
struct sr_fold {
    struct sr_ledger ledger;
    uint64_t seq;
    uint64_t right;
    uint64_t lock_seq;
    uint64_t busy;  /* slots in which a password is being verified */
    uint64_t ahead; /* failures that may be taken back yet */
    uint64_t dead;  /* taken, but their holder is gone: have failed */
    struct sr_clock clock;
    struct sr_notice notice; /* failed: since the ledger was made */
};

/* The clock that the newest record has; all zero when there is none. */
struct sr_clock sr_fold_clock(const struct sr_record *slot, unsigned count);

/*
 * Fold `count` slots' records at `now`.  `held`: slots that a living process
 * holds.  out->clock is that of sr_fold_clock().
 */
void sr_fold(const struct sr_record *slot, unsigned count, uint64_t held,
             sr_time now, struct sr_fold *out);

/* Add records that are in no slot: of refusals, counted for the notice only.
 * Call it after sr_fold(). */
void sr_fold_refusals(const struct sr_record *record, unsigned count,
                      struct sr_fold *out);

/* Count another ledger's failures and lockout as well; its times are `ahead`
 * seconds ahead. */
void sr_fold_merge(struct sr_fold *fold, const struct sr_fold *other,
                   int64_t ahead);

/*
 * The record that follows `slot` (what the slot has now), in state FREE:
 * everything that is carried on.
 */
struct sr_record sr_record_next(const struct sr_fold *fold,
                                const struct sr_record *slot, sr_time now);

/*
 * Make it a failure of `slot` at `at`, with the lockout that it begins.
 * Returns true when it begins one.
 */
bool sr_record_fail(struct sr_record *next, const struct sr_fold *fold,
                    const struct sr_limits *limits, unsigned slot, sr_time at);

/* Make it a success: no failure, lockout or level before it counts. */
void sr_record_right(struct sr_record *next);

/* Make it take back the failure that was recorded ahead in `slot`. */
void sr_record_take_back(struct sr_record *next, const struct sr_fold *fold,
                         const struct sr_limits *limits, unsigned slot,
                         bool began_lockout, sr_time now);

#endif
