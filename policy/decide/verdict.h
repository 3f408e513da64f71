/*
 * Verdict: facts + rules + the circumstances + now -> one state, and what each
 * call answers in it.  Pure: no I/O, no clock, no allocation.  The PAM module,
 * the tools and later the NSS module link this same code.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_VERDICT_H
#define SR_POLICY_DECIDE_VERDICT_H

#include "policy/decide/change.h"
#include "policy/decide/facts.h"
#include "policy/decide/rules.h"

/* The states, most severe first; the first that holds is the verdict. */
enum sr_state {
    SR_STATE_DISABLED,
    SR_STATE_ENDED,
    SR_STATE_NOT_YET,
    SR_STATE_LOCKED,
    SR_STATE_OUT_OF_HOURS,
    SR_STATE_OFF_WORKSTATION,
    SR_STATE_LAPSED,
    SR_STATE_BARRED,
    SR_STATE_MUST_CHANGE,
    SR_STATE_EXPIRED,
    SR_STATE_GRACE,
    SR_STATE_EXPIRING,
    SR_STATE_OK,
    SR_STATE_UNKNOWN,
    SR_STATE_COUNT
};

struct sr_verdict {
    enum sr_state state;
    /* The fact that decided, by its name in struct sr_facts, and the rule, by
     * its configuration key ("change.require_logon"); each NULL where none. */
    const char *fact;
    const char *rule;
    /* When the state ends or began, whichever the person needs: the release
     * of a lockout, the day an account starts or ended, the expiry. */
    sr_time when;
    /* SR_STATE_BARRED and SR_STATE_GRACE: why the password may not be changed
     * here, if it may not. */
    enum sr_change_result barred_by;
    int grace_left; /* SR_STATE_GRACE: logins left, -1 unknown */
};

/*
 * Compute the verdict.  `caller` would change the password (change.h); `now` is
 * a wall-clock time in seconds.
 */
struct sr_verdict sr_verdict(const struct sr_facts *facts,
                             const struct sr_rules *rules,
                             const struct sr_caller *caller, sr_time now);

/* The steps of a login that a verdict answers. */
enum sr_step {
    SR_CALL_AUTHENTICATE, /* after the right password */
    SR_CALL_ACCOUNT,
    SR_CALL_CHANGE,
    SR_CALL_COUNT
};

/* What a call answers.  pam/ maps each to one PAM code. */
enum sr_answer {
    SR_ANSWER_OK,              /* success; for expiring and grace: with text */
    SR_ANSWER_CHANGE_NOW,      /* PAM_NEW_AUTHTOK_REQD */
    SR_ANSWER_ACCOUNT_EXPIRED, /* PAM_ACCT_EXPIRED */
    SR_ANSWER_WRONG,           /* PAM_AUTH_ERR */
    SR_ANSWER_DENIED,          /* PAM_PERM_DENIED */
    SR_ANSWER_TOKEN_EXPIRED,   /* PAM_AUTHTOK_EXPIRED */
    SR_ANSWER_UNAVAILABLE,     /* PAM_AUTHINFO_UNAVAIL */
    SR_ANSWER_TRY_AGAIN,       /* PAM_TRY_AGAIN */
    SR_ANSWER_NOT_CHANGED,     /* PAM_AUTHTOK_ERR */
};

/*
 * What `call` answers under this verdict.  `rules` decide what is open: grace
 * logins (text or change) and the services that an expired password does not
 * stop (expired_services).  An administrator's reset (caller->is_admin) is only
 * stopped by the protected rule, see sr_change().
 */
enum sr_answer sr_verdict_answer(const struct sr_verdict *verdict,
                                 enum sr_step call,
                                 const struct sr_rules *rules,
                                 const struct sr_caller *caller);

/*
 * Whether the verdict asks for a new password: must-change, expired or grace.
 * A forced change (PAM_CHANGE_EXPIRED_AUTHTOK) is for these only, and only for
 * these is the password of a login kept for the change.
 */
bool sr_verdict_is_change_due(const struct sr_verdict *verdict);

/* Whether the password has expired: expired or grace. */
bool sr_verdict_is_expired(const struct sr_verdict *verdict);

/*
 * The state's name for programs ("must-change"), a constant string; NULL for a
 * value outside the enumeration.
 */
const char *sr_state_name(enum sr_state state);

/* The answer's PAM code by name ("PAM_AUTH_ERR"), for explain; constant. */
const char *sr_answer_name(enum sr_answer answer);

/*
 * Find a state by its name; SR_STATE_COUNT when there is none.
 */
enum sr_state sr_state_find(const char *name);

#endif
