/*
 * Lockout: how any number of lockouts come together.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "policy/decide/lockout.h"

/* In the order of enum sr_source_class. */
enum { STRANGER, FAMILIAR };

/* How strong it is: an end that is not known lies between every time and an
 * administrator's lock. */
static sr_time
strength(struct sr_lockout lockout)
{
    if (lockout.why == SR_LOCK_WHY_NONE)
        return SR_TIME_UNKNOWN;
    if (lockout.until == SR_TIME_UNKNOWN)
        return SR_TIME_NEVER - 1;
    return lockout.until;
}

struct sr_lockout
sr_lockout_merge(struct sr_lockout a, struct sr_lockout b)
{
    return strength(b) > strength(a) ? b : a;
}

struct sr_lockout
sr_lockout_earlier(struct sr_lockout a, struct sr_lockout b)
{
    return strength(b) < strength(a) ? b : a;
}

struct sr_lockout
sr_lockout_of(const struct sr_facts *facts)
{
    struct sr_lockout lockout = {facts->locked_until, facts->locked_why};

    if (facts->locked != SR_LOCK_UNTIL && facts->locked != SR_LOCK_ADMIN)
        return sr_lockout_none();
    if (facts->locked == SR_LOCK_ADMIN)
        lockout.until = SR_TIME_NEVER;
    if (lockout.why == SR_LOCK_WHY_NONE)
        lockout.why = SR_LOCK_WHY_ADMIN;
    return lockout;
}

void
sr_lockout_set(struct sr_facts *facts, const struct sr_lockout *lockout)
{
    facts->locked_why = lockout->why;
    facts->locked_until = lockout->until;
    if (lockout->why == SR_LOCK_WHY_NONE) {
        facts->locked = SR_LOCK_NO;
    } else if (lockout->until == SR_TIME_NEVER) {
        facts->locked = SR_LOCK_ADMIN;
        facts->locked_until = SR_TIME_UNKNOWN;
    } else {
        facts->locked = SR_LOCK_UNTIL;
    }
}

struct sr_lockouts
sr_lockouts_none(void)
{
    return (struct sr_lockouts){
        .of = {sr_lockout_none(), sr_lockout_none()},
        .is_known = {true, true},
    };
}

struct sr_lockouts
sr_lockouts_unknown(void)
{
    return (struct sr_lockouts){.of = {sr_lockout_none(), sr_lockout_none()}};
}

static struct sr_lockout
class_lockout(const struct sr_lockouts *host, const struct sr_lockouts *shared,
              struct sr_lockout claimed, int class)
{
    return sr_lockout_merge(
        host->of[class], shared->is_known[class] ? shared->of[class] : claimed);
}

struct sr_lockout
sr_lockout_everywhere(const struct sr_lockouts *host,
                      const struct sr_lockouts *shared,
                      struct sr_lockout claimed)
{
    const struct sr_lockout strangers =
        class_lockout(host, shared, claimed, STRANGER);

    if (!host->has_familiar)
        return strangers;
    return sr_lockout_earlier(strangers,
                              class_lockout(host, shared, claimed, FAMILIAR));
}
