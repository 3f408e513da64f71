/*
 * Shown: what the rest of the system is shown of a verdict: the state groups,
 * and the ageing fields of shadow(5).  Pure: no I/O, no clock, no allocation.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_VIEW_H
#define SR_POLICY_PUBLISH_VIEW_H

#include <stdbool.h>

#include "policy/decide/facts.h"
#include "policy/decide/rules.h"

/* The local groups that stand for states. */
enum sr_group {
    SR_GROUP_MUST_CHANGE, /* pw-must-change */
    SR_GROUP_EXPIRED,     /* pw-expired */
    SR_GROUP_EXPIRING,    /* pw-expiring */
    SR_GROUP_LOCKED,      /* acct-locked */
    SR_GROUP_OK,          /* acct-ok */
    SR_GROUP_UNKNOWN,     /* acct-state-unknown */
    SR_GROUP_COUNT
};

/* The name of a group ("pw-must-change"), a constant string; NULL outside. */
const char *sr_group_name(enum sr_group group);

/* The bit of a group in the sets below. */
#define SR_GROUP_BIT(group) (1u << (group))

/*
 * The state groups of an account at `now`, as a set of bits, for a login that
 * nobody is logged on for (`rules` of a service that spares nothing):
 *
 *   acct-ok             acct_mgmt lets in, at once or through a change
 *   acct-locked         disabled, ended, not yet begun, locked
 *   acct-state-unknown  the backend could not be asked
 *   pw-must-change      a change is demanded by an administrator, or the
 *                       password is temporary
 *   pw-expired          expired, with or without grace logins; temporary and
 *                       lapsed
 *   pw-expiring         to be warned of
 *
 * The pw- groups say what the password is; the acct- groups, of which there is
 * always one or none, whether the account may log on.  An expired password that
 * may not be changed at a login is in pw-expired and not in acct-ok.  An exempt
 * account is always in acct-ok, perhaps in pw-expiring, and in nothing else.
 */
unsigned sr_view_groups(const struct sr_facts *facts,
                        const struct sr_rules *rules, bool is_exempt,
                        sr_time now);

/* The ageing fields of shadow(5), in days; -1 is an empty field. */
struct sr_view_shadow {
    char password; /* '*', or '!' for one that is locked or disabled */
    long changed;
    long min;
    long max;
    long warn;
    long inactive;
    long expire;
};

/*
 * What shadow(5) shows of an account at `now`, so that its readers (pam_unix of
 * Linux-PAM 1.5 and 1.7, sshd, shadow's own) come to the verdict's answer in
 * acct_mgmt, whichever day they take for the first of an expiry:
 *
 *   let in               not expired under any reading; the warning if it warns
 *   change at once       must-change: last change 0; expired: max in the past
 *   token expired        expired, and inactive 0
 *   account expired      expire 1, for disabled with '!'
 *   locked for good      expire 1 and '!', which stops keys as well
 *   locked for a time    what is shown without that lock: readers would send
 *                        people to an administrator, and a stranger's guesses
 *                        must not hide that the password has expired either
 *
 * A lock for a time is taken off the facts for that.  False when there is
 * nothing that may be shown: the state is unknown, or the clock is so far off
 * (before 1970-01-03) that days cannot say it.
 */
bool sr_view_shadow(struct sr_facts *facts, const struct sr_rules *rules,
                    sr_time now, struct sr_view_shadow *out);

#endif
