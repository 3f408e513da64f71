/*
 * Clock: ledger time, which a changed wall clock cannot turn back or forward.
 *
 * Within one boot ledger time advances with CLOCK_BOOTTIME, which nobody can
 * set.  At the first use after a boot it is the wall clock, but never earlier
 * than the latest ledger time already recorded.  So a wall clock set back frees
 * nobody, one set forward frees nobody either, and lockouts survive a reboot.
 * It starts as wall-clock time and is compared only with itself.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_CLOCK_H
#define SR_POLICY_UTIL_CLOCK_H

#include <stdbool.h>

#include "policy/util/time.h"

/* One reading of the machine's clocks. */
struct sr_reading {
    uint8_t boot_id[16]; /* zero when the kernel provides none */
    sr_time boottime;    /* CLOCK_BOOTTIME, seconds */
    sr_time wall;        /* CLOCK_REALTIME, seconds */
};

/*
 * Read the machine's clocks.  Returns 0, or a negative errno when a clock
 * cannot be read.  (This one and the next two do I/O; the rest is
 * pure.)
 */
int sr_clock_read(struct sr_reading *reading);

/* Read the clocks again for a reading whose boot id is known: a process does
 * not outlive its boot. */
int sr_clock_read_again(struct sr_reading *reading);

/* CLOCK_MONOTONIC in milliseconds, for waits that are bounded. */
int64_t sr_clock_milliseconds(void);

/*
 * Ledger time for a reading; updates `clock` when the boot is a new one or time
 * has gone on.  Returns true through `changed_boot` (may be NULL) when the
 * offset was set anew, so that the caller knows that `clock` must be recorded.
 */
sr_time sr_clock_now(struct sr_clock *clock, const struct sr_reading *reading,
                     bool *changed_boot);

/*
 * The wall-clock time at which ledger time `when` will be reached, for people
 * to read.  Never and unknown stay what they are.
 */
sr_time sr_clock_to_wall(sr_time when, sr_time ledger_now, sr_time wall_now);

#endif
