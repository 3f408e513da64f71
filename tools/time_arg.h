/*
 * Time argument: a time as an administrator types it.  Pure, but for the time
 * zone.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_TIME_ARG_H
#define SR_TOOLS_TIME_ARG_H

#include <stdbool.h>

#include "policy/decide/facts.h"
#include "tools/words.h"

/* The sentence about an argument that is not a time. */
#define CTL_NO_TIME                                                            \
    N_("\"%s\" is not a time.  Times are \"2026-12-24\", \"2026-12-24 "        \
       "12:00\", \"@SECONDS\" and distances such as \"+3d\" or \"-12h\".")

/*
 * Read "2026-12-24", "2026-12-24 12:00", "2026-12-24T12:00:30" (local time),
 * these with a zone, as selfresetctl writes times ("2026-12-24T11:00:30Z",
 * "2026-12-24 12:00:30 +0100"), "@SECONDS" since 1970, or a distance from `now`: "+3d", "-12h" in the units
 * of the configuration.  Returns false for anything else, and for a day or an
 * hour that the calendar does not have.
 */
bool attime_read(const char *text, sr_time now, sr_time *when);

#endif
