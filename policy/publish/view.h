/*
 * View: what the name service shows of a verdict: the state groups, and the
 * ageing fields of shadow(5).  Pure: no I/O, no clock, no allocation.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_VIEW_H
#define SR_POLICY_PUBLISH_VIEW_H

#include <stdbool.h>

#include "policy/decide/facts.h"
#include "policy/decide/rules.h"

/* The local groups that represent states. */
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
 * The state groups of an account at `now`, as a set of bits, for a login of a
 * user without a session, by a service without exceptions:
 *
 *   acct-ok             acct_mgmt succeeds, at once or after a change
 *   acct-locked         disabled, ended, not yet begun, locked
 *   acct-state-unknown  the backend could not be asked
 *   pw-must-change      a change is demanded by an administrator, or the
 *                       password is temporary
 *   pw-expired          expired, with or without grace logins; temporary and
 *                       lapsed
 *   pw-expiring         within the warning period
 *
 * The pw- groups show the state of the password; the acct- groups, of which an
 * account has at most one, whether it may log on.  An account whose expired
 * password may not be changed at a login is in pw-expired and not in acct-ok.
 * An exempt account is always in acct-ok, possibly in pw-expiring, and in no
 * other group.
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
 * The fields of shadow(5) for an account at `now`, chosen so that their readers
 * (pam_unix of Linux-PAM 1.5 and 1.7, sshd, shadow-utils) reach the result of
 * acct_mgmt, whichever day they take for the first day of an expiry:
 *
 *   success              not expired by any reading; the warning where there is
 *                        one
 *   change at once       must-change: last change 0; expired: max in the past
 *   token expired        expired, and inactive 0
 *   account expired      expire 1, for disabled with '!'
 *   locked for good      expire 1 and '!', which stops keys as well
 *   locked for a time    as without that lock: readers would send the user to
 *                        an administrator, and wrong passwords of a stranger
 *                        must not hide that the password has expired
 *
 * A lock for a time is removed from the facts.  False when nothing may be
 * shown: the state is unknown, or the clock is so wrong (before 1970-01-03)
 * that it cannot be expressed in days.
 */
bool sr_view_shadow(struct sr_facts *facts, const struct sr_rules *rules,
                    sr_time now, struct sr_view_shadow *out);

#endif
