/*
 * Facts: what a backend can know of one account, as plain data.
 *
 * Every fact can be unknown, because no directory has all of them; nothing
 * here acts, allocates or asks.  The verdict (verdict.h) and the change rules
 * (change.h) are computed from this structure and from nothing else.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_FACTS_H
#define SR_POLICY_DECIDE_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/util/time.h"

/* Longest account name that can exist here; Linux allows 32, directories 256.
 * A longer name is an unknown name, never a truncated one. */
#define SR_NAME_MAX 256

/* The name of the backend for accounts in /etc/passwd and /etc/shadow. */
#define SR_LOCAL "local"

enum sr_tri { SR_UNKNOWN = 0, SR_NO, SR_YES };

/* Whether the account is locked, and what ends that. */
enum sr_lock {
    SR_LOCK_UNKNOWN = 0,
    SR_LOCK_NO,
    SR_LOCK_UNTIL, /* by itself, at locked_until */
    SR_LOCK_ADMIN, /* an administrator has to act */
};

/* Why it is locked. */
enum sr_lock_why {
    SR_LOCK_WHY_NONE = 0,
    SR_LOCK_WHY_THROTTLE,  /* wrong passwords, counted on this host */
    SR_LOCK_WHY_DIRECTORY, /* wrong passwords, counted by the directory */
    SR_LOCK_WHY_ADMIN,     /* locked by hand */
    SR_LOCK_WHY_SOURCE,    /* wrong passwords of the source, for any accounts */
};

struct sr_facts {
    enum sr_tri answered; /* SR_YES: the backend was asked and answered */
    char name[SR_NAME_MAX + 1];
    char backend[16];
    uid_t uid; /* (uid_t)-1 when unknown */

    enum sr_tri disabled;
    enum sr_tri has_password; /* SR_NO: no password can ever be right */
    sr_time account_starts;
    sr_time account_ends;
    enum sr_lock locked;
    enum sr_lock_why locked_why;
    sr_time locked_until;

    sr_time password_changed;
    sr_time password_expires;
    sr_time warn_from;       /* warnings start; unknown: by the rules */
    sr_time may_change_from; /* end of the minimum age */
    sr_time inactive_from;   /* an expired password stops being accepted */
    enum sr_tri must_change;
    sr_time temporary_until; /* unknown: the password is not temporary */
    int grace_left;          /* logins left after expiry; -1 unknown */
    enum sr_tri cannot_change;
    enum sr_tri never_expires;
    enum sr_tri is_protected;
    enum sr_tri requires_logon; /* to change it: the backend's own rule */
    enum sr_tri logon_hours;    /* SR_NO: not at this hour, */
    sr_time hours_until;        /* until the answer is the other one */
    enum sr_tri workstation;    /* SR_NO: not on this host */
    int failures;               /* counted by the backend; -1 unknown */
};

/*
 * Set every fact to unknown.  The name is left empty and the uid (uid_t)-1.
 */
void sr_facts_init(struct sr_facts *facts);

/*
 * Whether the password has expired at `now`.  Pure; verdict and change share
 * it.
 */
bool sr_facts_expired(const struct sr_facts *facts, sr_time now);

#endif
