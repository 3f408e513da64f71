/*
 * Ageing: what the fields of shadow(5) mean, whatever they are read from, and
 * the ages that the configuration adds.  Pure.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_AGEING_H
#define SR_POLICY_DECIDE_AGEING_H

#include "policy/decide/facts.h"
#include "policy/decide/rules.h"

/* The fields of shadow(5), in days; -1 is an empty field. */
struct sr_ageing {
    long changed;
    long min;
    long max;
    long warn;
    long inactive;
};

/*
 * The start of a shadow day, in seconds; never, where that is too far away to
 * be represented, and unknown for a negative number.
 */
sr_time sr_ageing_day(long day);

/*
 * Add the ageing of an account that has a password: must_change, and when the
 * password was changed, may be changed, expires and is inactive.  See
 * sr_local_facts() for what the fields mean.
 */
void sr_ageing_facts(const struct sr_ageing *ageing, struct sr_facts *facts);

/*
 * Apply the ages of selfreset.conf ([expiry]) to a local account that has a
 * password, in addition to shadow: of two ends the earlier one counts.
 * `stamp` is this host's own record of the last change, which counts where
 * shadow has none; a password whose age is not known does not expire.  Calling
 * it again, also with a stamp, changes nothing that was right.
 */
void sr_ageing_apply(const struct sr_rules *rules, sr_time stamp,
                     struct sr_facts *facts);

#endif
