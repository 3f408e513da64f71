/*
 * Facts: the little that plain data needs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/decide/facts.h"

void
sr_facts_init(struct sr_facts *facts)
{
    memset(facts, 0, sizeof(*facts)); /* every enumeration: unknown */
    facts->uid = (uid_t)-1;
    facts->account_starts = SR_TIME_UNKNOWN;
    facts->account_ends = SR_TIME_UNKNOWN;
    facts->locked_until = SR_TIME_UNKNOWN;
    facts->password_changed = SR_TIME_UNKNOWN;
    facts->password_expires = SR_TIME_UNKNOWN;
    facts->warn_from = SR_TIME_UNKNOWN;
    facts->may_change_from = SR_TIME_UNKNOWN;
    facts->inactive_from = SR_TIME_UNKNOWN;
    facts->hours_until = SR_TIME_UNKNOWN;
    facts->temporary_until = SR_TIME_UNKNOWN;
    facts->grace_left = -1;
    facts->failures = -1;
}

bool
sr_facts_expired(const struct sr_facts *facts, sr_time now)
{
    return facts->never_expires != SR_YES &&
           SR_TIME_IS_SET(facts->password_expires) &&
           facts->password_expires <= now;
}
