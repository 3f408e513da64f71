/*
 * Throttle: what a ledger of attempts allows.  Pure: no I/O, no clock, no
 * allocation.
 *
 * A ledger has as many slots as `attempts`.  A failure consumes the slot it was
 * verified in until the window has passed it; when the last slot is consumed a
 * lockout begins, which doubles from `duration` up to `duration_max` each time
 * until a success, or until nothing has failed for a whole day (or for
 * duration_max, if that is longer) after the last lockout.
 *
 * Times are ledger times (clock.h): they never run backwards.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_THROTTLE_H
#define SR_POLICY_DECIDE_THROTTLE_H

#include "policy/decide/facts.h"
#include "policy/decide/rules.h"

struct sr_ledger {
    uint32_t level;       /* lockouts in a row, for the doubling */
    sr_time locked_until; /* 0: no lockout */
    sr_time failed_at[SR_ATTEMPTS_MAX]; /* by slot; 0: free */
};

/* The part of the rules that a ledger is judged by. */
struct sr_limits {
    unsigned attempts; /* 1 to SR_ATTEMPTS_MAX; 0: not throttled */
    int64_t window;    /* seconds, > 0 */
    int64_t duration;
    int64_t duration_max;
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
 * The ledger time at which the next slot opens: `now` when one is open.
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
 * True when the ledger says no more than an empty one would at `now`, so that
 * its record can be dropped.
 */
bool sr_throttle_idle(const struct sr_ledger *ledger,
                      const struct sr_limits *limits, sr_time now);

#endif
