/*
 * Everywhere: the lockout that holds from every source.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "policy/decide/lockout.h"

/* In the order of enum sr_source_class. */
enum { STRANGER, FAMILIAR };

void
sr_shared_locks_none(struct sr_shared_locks *fleet)
{
    *fleet = (struct sr_shared_locks){{true, true},
                                      {SR_TIME_UNKNOWN, SR_TIME_UNKNOWN}};
}

/* Until when one side is locked out; what is unknown is before everything. */
static sr_time
side_until(const struct sr_class_lockouts *host,
           const struct sr_shared_locks *fleet, sr_time claimed, int side)
{
    const sr_time other = fleet->is_known[side] ? fleet->until[side] : claimed;

    return other > host->until[side] ? other : host->until[side];
}

sr_time
sr_lockout_everywhere(const struct sr_class_lockouts *host,
                      const struct sr_shared_locks *fleet, sr_time claimed)
{
    const sr_time strangers = side_until(host, fleet, claimed, STRANGER);
    const sr_time familiar = side_until(host, fleet, claimed, FAMILIAR);

    return host->has_familiar && familiar < strangers ? familiar : strangers;
}
