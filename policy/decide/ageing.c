/*
 * Ageing: what the fields of shadow(5) mean, whatever they are read from, and
 * the ages that the configuration adds.
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

/* A time and a period; never when it is too far away. */
static sr_time
after(sr_time start, int64_t period)
{
    sr_time end;

    return __builtin_add_overflow(start, period, &end) ? SR_TIME_NEVER : end;
}

static sr_time
earlier(sr_time a, sr_time b)
{
    if (a == SR_TIME_UNKNOWN || b == SR_TIME_UNKNOWN)
        return a == SR_TIME_UNKNOWN ? b : a;
    return a < b ? a : b;
}

/* End the password at `expires`, if that is earlier, with the account's warning
 * period before it. */
static void
expire_by(sr_time expires, struct sr_facts *facts)
{
    const sr_time old = facts->password_expires;

    if (SR_TIME_IS_SET(old) && facts->never_expires != SR_YES && old <= expires)
        return;
    if (SR_TIME_IS_SET(facts->warn_from) && SR_TIME_IS_SET(old)) {
        const sr_time period = old - facts->warn_from;

        facts->warn_from = period > expires ? 0 : expires - period;
    }
    facts->password_expires = expires;
    facts->never_expires = SR_NO;
}

/* Which warning period counts: the account's own or the configuration's. */
static void
choose_warning(const struct sr_rules *rules, struct sr_facts *facts)
{
    const sr_time expires = facts->password_expires;
    const sr_time own = facts->warn_from;

    if (own == SR_TIME_UNKNOWN || rules->warn_by == SR_WARN_BY_ACCOUNT)
        return;
    facts->warn_from = rules->warn > expires ? 0 : expires - rules->warn;
    if (rules->warn_by == SR_WARN_BY_EARLIER)
        facts->warn_from = earlier(own, facts->warn_from);
}

void
sr_ageing_apply(const struct sr_rules *rules, sr_time stamp,
                struct sr_facts *facts)
{
    if (facts->has_password != SR_YES || facts->must_change == SR_YES)
        return;
    if (facts->password_changed == SR_TIME_UNKNOWN)
        facts->password_changed = stamp;
    if (rules->max_age > 0 && SR_TIME_IS_SET(facts->password_changed))
        expire_by(after(facts->password_changed, rules->max_age), facts);
    if (facts->never_expires == SR_YES ||
        !SR_TIME_IS_SET(facts->password_expires))
        return;
    if (rules->inactive > 0)
        facts->inactive_from =
            earlier(facts->inactive_from,
                    after(facts->password_expires, rules->inactive));
    choose_warning(rules, facts);
}
