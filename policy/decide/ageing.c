/*
 * Ageing: what the fields of shadow(5) mean, wherever they are kept.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <limits.h>

#include "policy/decide/ageing.h"

/* A maximum age that shadow-utils treats as "never". */
#define AGE_NEVER 10000

sr_time
sr_ageing_day(long day)
{
    sr_time start;

    if (day < 0)
        return SR_TIME_UNKNOWN;
    if (__builtin_mul_overflow((sr_time)day, SR_DAY, &start))
        return SR_TIME_NEVER;
    return start;
}

static long
add_days(long a, long b)
{
    long sum;

    return __builtin_add_overflow(a, b, &sum) ? LONG_MAX : sum;
}

void
sr_ageing_facts(const struct sr_ageing *ageing, struct sr_facts *facts)
{
    long changed = ageing->changed;
    long expires;

    if (changed == 0)
        facts->must_change = SR_YES;
    if (changed <= 0)
        return;
    facts->password_changed = sr_ageing_day(changed);
    if (ageing->min > 0)
        facts->may_change_from = sr_ageing_day(add_days(changed, ageing->min));
    if (ageing->max < 0 || ageing->max >= AGE_NEVER)
        return;
    expires = add_days(changed, ageing->max);
    facts->password_expires = sr_ageing_day(expires);
    facts->never_expires = SR_NO;
    if (ageing->warn >= 0)
        facts->warn_from =
            sr_ageing_day(ageing->warn > expires ? 0 : expires - ageing->warn);
    if (ageing->inactive >= 0)
        facts->inactive_from =
            sr_ageing_day(add_days(expires, ageing->inactive));
}
