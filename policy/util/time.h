/*
 * Time: points in time as the whole program counts them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_TIME_H
#define SR_POLICY_UTIL_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970-01-01 00:00 UTC, or one of the two values below. */
typedef int64_t sr_time;

#define SR_TIME_UNKNOWN INT64_MIN /* not known, or not set */
#define SR_TIME_NEVER   INT64_MAX /* never comes */

/* True when t is a point in time, neither unknown nor never. */
#define SR_TIME_IS_SET(t) ((t) != SR_TIME_UNKNOWN && (t) != SR_TIME_NEVER)

#define SR_DAY ((sr_time)86400)

/*
 * What a file of state remembers of the clock, so that ledger time continues
 * from it (clock.h).  All zero: never used.
 */
struct sr_clock {
    uint8_t boot_id[16]; /* of the boot that `offset` belongs to */
    sr_time offset;      /* ledger time minus CLOCK_BOOTTIME, seconds */
    sr_time latest;      /* the latest ledger time that was recorded */
};

/* No time in a file of state is later (the year 36812), so that sums of several
 * do not overflow.  A file with another one is damaged. */
#define SR_TIME_MAX (((sr_time)1 << 40) - 1)

/* Whether a time of a file of state, where 0 means none, can be one. */
static inline bool
sr_time_is_sound(sr_time when)
{
    return when >= 0 && when <= SR_TIME_MAX;
}

/* The same of a clock. */
static inline bool
sr_clock_is_sound(const struct sr_clock *clock)
{
    return clock->offset >= -SR_TIME_MAX && clock->offset <= SR_TIME_MAX &&
           sr_time_is_sound(clock->latest);
}

#endif
