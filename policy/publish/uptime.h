/*
 * Uptime: which boot of the kernel this is, and how long the host was running
 * since.
 *
 * The wall clock can be set, and jumps at the end of a suspend, during which
 * nothing on the host could change.  This clock does neither.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_UPTIME_H
#define SR_POLICY_PUBLISH_UPTIME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A number that identifies this boot, and the seconds of CLOCK_MONOTONIC.
 * False, with *boot 0, where /proc cannot be read.  Opens one file; allocates
 * nothing.
 */
bool sr_uptime_read(uint64_t *boot, int64_t *seconds);

#endif
