/*
 * Change: whether a caller may change this password, here and now.  Pure: no
 * I/O, no clock, no allocation.
 *
 * The must-log-on rule is the account policy of Windows NT and Active Directory
 * ("User must log on to change password"; MS-SAMR pwdProperties bit 0x2,
 * DOMAIN_PASSWORD_NO_ANON_CHANGE; Samba: sambaLogonToChgPwd).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_CHANGE_H
#define SR_POLICY_DECIDE_CHANGE_H

#include "policy/decide/facts.h"
#include "policy/decide/rules.h"

/* The caller that asks for the change. */
struct sr_caller {
    bool is_admin;     /* root, and the change is not a forced one: a reset */
    bool is_logged_on; /* proof of a session: see account/session.h */
};

enum sr_change_result {
    SR_CHANGE_ALLOWED,
    SR_CHANGE_PROTECTED,     /* it is not changed here, not even by root */
    SR_CHANGE_CANNOT,        /* the owner may not; an administrator may */
    SR_CHANGE_NO_PASSWORD,   /* no old password exists that could be proved */
    SR_CHANGE_INACTIVE,      /* expired, and the time to change it is over */
    SR_CHANGE_NO_GRACE,      /* expired, and no login is left to change it */
    SR_CHANGE_REQUIRE_LOGON, /* only from a session of its owner */
    SR_CHANGE_TOO_YOUNG,     /* minimum age */
    SR_CHANGE_RESULT_COUNT
};

struct sr_change {
    enum sr_change_result result;
    sr_time when;     /* SR_CHANGE_TOO_YOUNG: from when it may be changed */
    const char *rule; /* configuration key or fact that decided, or NULL */
};

/*
 * Whether the password may be changed at `now`.  An expired password, or one
 * that must be changed, is never too young: the minimum age must not prevent a
 * login (AD does the same).
 */
struct sr_change sr_change(const struct sr_facts *facts,
                           const struct sr_rules *rules,
                           const struct sr_caller *caller, sr_time now);

/* Whether the password may be changed only by an owner who is logged on: a rule
 * of this host, or of the backend. */
bool sr_change_requires_logon(const struct sr_facts *facts,
                              const struct sr_rules *rules);

/*
 * The end of the minimum age, the later of the account's own and the rules'.
 * Unknown when neither has one.
 */
sr_time sr_change_from(const struct sr_facts *facts,
                       const struct sr_rules *rules);

/* The result's name for programs ("require-logon"), a constant string. */
const char *sr_change_name(enum sr_change_result result);

#endif
