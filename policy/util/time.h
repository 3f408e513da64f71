/*
 * Time: points in time as the whole program counts them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_TIME_H
#define SR_POLICY_UTIL_TIME_H

#include <stdint.h>

/* Seconds since 1970-01-01 00:00 UTC, or one of the two values below. */
typedef int64_t sr_time;

#define SR_TIME_UNKNOWN INT64_MIN /* not known, or not set */
#define SR_TIME_NEVER   INT64_MAX /* never comes */

/* True when t is a point in time, neither unknown nor never. */
#define SR_TIME_IS_SET(t) ((t) != SR_TIME_UNKNOWN && (t) != SR_TIME_NEVER)

#define SR_DAY ((sr_time)86400)

/*
 * What a file of state remembers of the clock, so that ledger time goes on from
 * it (clock.h).  All zero: never used.
 */
struct sr_clock {
    uint8_t boot_id[16]; /* of the boot that `offset` belongs to */
    sr_time offset;      /* ledger time minus CLOCK_BOOTTIME, seconds */
    sr_time latest;      /* the latest ledger time that was recorded */
};

#endif
