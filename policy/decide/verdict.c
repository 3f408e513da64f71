/*
 * Verdict: the table of states, and the table of answers.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/decide/verdict.h"

/* What the states are computed from. */
struct question {
    const struct sr_facts *facts;
    const struct sr_rules *rules;
    const struct sr_caller *caller;
    sr_time now;
};

static bool
has_passed(sr_time when, sr_time now)
{
    return when != SR_TIME_UNKNOWN && when <= now; /* never: INT64_MAX */
}

static bool
must_change(const struct sr_facts *facts)
{
    return facts->must_change == SR_YES ||
           facts->temporary_until != SR_TIME_UNKNOWN;
}

static bool
is_disabled(const struct question *q, struct sr_verdict *v)
{
    v->fact = "disabled";
    return q->facts->disabled == SR_YES;
}

static bool
is_ended(const struct question *q, struct sr_verdict *v)
{
    v->fact = "account_ends";
    v->when = q->facts->account_ends;
    return has_passed(q->facts->account_ends, q->now);
}

static bool
is_not_yet(const struct question *q, struct sr_verdict *v)
{
    v->fact = "account_starts";
    v->when = q->facts->account_starts;
    return q->facts->account_starts != SR_TIME_UNKNOWN &&
           q->now < q->facts->account_starts;
}

static bool
is_locked(const struct question *q, struct sr_verdict *v)
{
    v->fact = "locked";
    v->when = SR_TIME_NEVER; /* an administrator has to act */
    if (q->facts->locked == SR_LOCK_ADMIN) {
        if (q->facts->locked_why == SR_LOCK_WHY_THROTTLE)
            v->rule = "lockout.limit";
        return true;
    }
    v->when = q->facts->locked_until;
    if (q->facts->locked_why == SR_LOCK_WHY_THROTTLE)
        v->rule = "lockout.attempts";
    else if (q->facts->locked_why == SR_LOCK_WHY_SOURCE)
        v->rule = "lockout.source_attempts";
    /* A lock whose end is not known has not been seen to end. */
    return q->facts->locked == SR_LOCK_UNTIL &&
           (v->when == SR_TIME_UNKNOWN || q->now < v->when);
}

/* The answer to logon_hours becomes the other one when its time is over. */
static bool
is_out_of_hours(const struct question *q, struct sr_verdict *v)
{
    const bool is_over = has_passed(q->facts->hours_until, q->now);

    v->fact = "logon_hours";
    v->when = is_over ? SR_TIME_UNKNOWN : q->facts->hours_until;
    return q->facts->logon_hours == (is_over ? SR_YES : SR_NO);
}

static bool
is_off_workstation(const struct question *q, struct sr_verdict *v)
{
    v->fact = "workstation";
    return q->facts->workstation == SR_NO;
}

static bool
is_lapsed(const struct question *q, struct sr_verdict *v)
{
    v->fact = "temporary_until";
    v->when = q->facts->temporary_until;
    return has_passed(q->facts->temporary_until, q->now);
}

static bool
is_barred(const struct question *q, struct sr_verdict *v)
{
    struct sr_change change;

    if (!must_change(q->facts) && !sr_facts_expired(q->facts, q->now))
        return false;
    change = sr_change(q->facts, q->rules, q->caller, q->now);
    /* Only grace logins admit an expired password without a change. */
    if (change.result == SR_CHANGE_ALLOWED)
        return false;
    if (!must_change(q->facts) && q->facts->grace_left > 0 &&
        change.result != SR_CHANGE_INACTIVE)
        return false;
    v->fact = must_change(q->facts) ? "must_change" : "password_expires";
    v->rule = change.rule;
    v->when =
        must_change(q->facts) ? SR_TIME_UNKNOWN : q->facts->password_expires;
    v->barred_by = change.result;
    return true;
}

static bool
is_must_change(const struct question *q, struct sr_verdict *v)
{
    v->fact =
        q->facts->must_change == SR_YES ? "must_change" : "temporary_until";
    v->when = q->facts->temporary_until;
    return must_change(q->facts);
}

static bool
is_expired(const struct question *q, struct sr_verdict *v)
{
    v->fact = "password_expires";
    v->when = q->facts->password_expires;
    return sr_facts_expired(q->facts, q->now) && q->facts->grace_left <= 0;
}

static bool
is_grace(const struct question *q, struct sr_verdict *v)
{
    v->fact = "grace_left";
    v->rule = "expiry.grace";
    v->when = q->facts->password_expires;
    v->grace_left = q->facts->grace_left;
    v->barred_by = sr_change(q->facts, q->rules, q->caller, q->now).result;
    return sr_facts_expired(q->facts, q->now) && q->facts->grace_left > 0;
}

static bool
is_expiring(const struct question *q, struct sr_verdict *v)
{
    sr_time expires = q->facts->password_expires;

    v->fact = "password_expires";
    v->when = expires;
    if (q->facts->never_expires == SR_YES || !SR_TIME_IS_SET(expires) ||
        expires <= q->now)
        return false;
    if (q->facts->warn_from != SR_TIME_UNKNOWN)
        return q->facts->warn_from <= q->now;
    v->rule = "expiry.warn";
    /* Unsigned, since the times may be any: they are in this order here. */
    return q->rules->warn > 0 &&
           (uint64_t)expires - (uint64_t)q->now <= (uint64_t)q->rules->warn;
}

static bool
is_ok(const struct question *q, struct sr_verdict *v)
{
    v->when = q->facts->password_expires;
    return true;
}

struct sr_verdict
sr_verdict(const struct sr_facts *facts, const struct sr_rules *rules,
           const struct sr_caller *caller, sr_time now)
{
    static const struct {
        enum sr_state state;
        bool (*holds)(const struct question *, struct sr_verdict *);
    } order[] = {
        {SR_STATE_DISABLED, is_disabled},
        {SR_STATE_ENDED, is_ended},
        {SR_STATE_NOT_YET, is_not_yet},
        {SR_STATE_LOCKED, is_locked},
        {SR_STATE_OUT_OF_HOURS, is_out_of_hours},
        {SR_STATE_OFF_WORKSTATION, is_off_workstation},
        {SR_STATE_LAPSED, is_lapsed},
        {SR_STATE_BARRED, is_barred},
        {SR_STATE_MUST_CHANGE, is_must_change},
        {SR_STATE_EXPIRED, is_expired},
        {SR_STATE_GRACE, is_grace},
        {SR_STATE_EXPIRING, is_expiring},
        {SR_STATE_OK, is_ok},
    };
    const struct question q = {facts, rules, caller, now};
    const struct sr_verdict blank = {
        .state = SR_STATE_UNKNOWN,
        .fact = NULL,
        .when = SR_TIME_UNKNOWN,
        .barred_by = SR_CHANGE_ALLOWED,
        .grace_left = -1,
    };
    struct sr_verdict verdict = blank;

    if (facts->answered != SR_YES) {
        verdict.fact = "answered";
        return verdict;
    }
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        verdict = blank;
        if (order[i].holds(&q, &verdict)) {
            verdict.state = order[i].state;
            break;
        }
    }
    return verdict;
}

/* DESIGN: one row for each state, one column for each call. */
static const enum sr_answer answers[SR_STATE_COUNT][SR_CALL_COUNT] = {
    [SR_STATE_DISABLED] = {SR_ANSWER_ACCOUNT_EXPIRED, SR_ANSWER_ACCOUNT_EXPIRED,
                           SR_ANSWER_DENIED},
    [SR_STATE_ENDED] = {SR_ANSWER_ACCOUNT_EXPIRED, SR_ANSWER_ACCOUNT_EXPIRED,
                        SR_ANSWER_DENIED},
    [SR_STATE_NOT_YET] = {SR_ANSWER_ACCOUNT_EXPIRED, SR_ANSWER_ACCOUNT_EXPIRED,
                          SR_ANSWER_DENIED},
    [SR_STATE_LOCKED] = {SR_ANSWER_WRONG, SR_ANSWER_DENIED, SR_ANSWER_DENIED},
    [SR_STATE_OUT_OF_HOURS] = {SR_ANSWER_DENIED, SR_ANSWER_DENIED,
                               SR_ANSWER_DENIED},
    [SR_STATE_OFF_WORKSTATION] = {SR_ANSWER_DENIED, SR_ANSWER_DENIED,
                                  SR_ANSWER_DENIED},
    [SR_STATE_LAPSED] = {SR_ANSWER_WRONG, SR_ANSWER_TOKEN_EXPIRED,
                         SR_ANSWER_DENIED},
    [SR_STATE_BARRED] = {SR_ANSWER_OK, SR_ANSWER_TOKEN_EXPIRED,
                         SR_ANSWER_DENIED},
    [SR_STATE_MUST_CHANGE] = {SR_ANSWER_OK, SR_ANSWER_CHANGE_NOW, SR_ANSWER_OK},
    [SR_STATE_EXPIRED] = {SR_ANSWER_OK, SR_ANSWER_CHANGE_NOW, SR_ANSWER_OK},
    [SR_STATE_GRACE] = {SR_ANSWER_OK, SR_ANSWER_OK, SR_ANSWER_OK},
    [SR_STATE_EXPIRING] = {SR_ANSWER_OK, SR_ANSWER_OK, SR_ANSWER_OK},
    [SR_STATE_OK] = {SR_ANSWER_OK, SR_ANSWER_OK, SR_ANSWER_OK},
    [SR_STATE_UNKNOWN] = {SR_ANSWER_UNAVAILABLE, SR_ANSWER_UNAVAILABLE,
                          SR_ANSWER_TRY_AGAIN},
};

/*
 * Whether expired_services spares this state: an old password, or a lockout by
 * a stranger's guesses, must not stop sudo, cron and systemd-user.  An account
 * that an administrator or the directory stopped is stopped there too.
 */
static bool
is_spared(const struct sr_verdict *verdict, const struct sr_rules *rules)
{
    if (!rules->spare_expired)
        return false;
    switch (verdict->state) {
    case SR_STATE_LAPSED:
    case SR_STATE_BARRED:
    case SR_STATE_MUST_CHANGE:
    case SR_STATE_EXPIRED:
        return true;
    case SR_STATE_LOCKED:
        return verdict->rule != NULL; /* only the throttle names a rule */
    default:
        return false;
    }
}

enum sr_answer
sr_verdict_answer(const struct sr_verdict *verdict, enum sr_step call,
                  const struct sr_rules *rules, const struct sr_caller *caller)
{
    enum sr_answer answer = answers[verdict->state][call];

    if (call == SR_CALL_ACCOUNT) {
        if (is_spared(verdict, rules))
            answer = SR_ANSWER_OK;
        else if (verdict->state == SR_STATE_GRACE &&
                 rules->grace == SR_GRACE_CHANGE && !rules->spare_expired &&
                 verdict->barred_by == SR_CHANGE_ALLOWED)
            answer = SR_ANSWER_CHANGE_NOW;
    } else if (call == SR_CALL_CHANGE && caller->is_admin &&
               answer == SR_ANSWER_DENIED &&
               verdict->barred_by != SR_CHANGE_PROTECTED) {
        answer = SR_ANSWER_OK; /* a reset helps all these accounts back in */
    }
    return answer;
}

bool
sr_verdict_is_expired(const struct sr_verdict *verdict)
{
    return verdict->state == SR_STATE_EXPIRED ||
           verdict->state == SR_STATE_GRACE;
}

bool
sr_verdict_is_change_due(const struct sr_verdict *verdict)
{
    return verdict->state == SR_STATE_MUST_CHANGE ||
           sr_verdict_is_expired(verdict);
}

static const char *const state_name[SR_STATE_COUNT] = {
    [SR_STATE_DISABLED] = "disabled",
    [SR_STATE_ENDED] = "ended",
    [SR_STATE_NOT_YET] = "not-yet",
    [SR_STATE_LOCKED] = "locked",
    [SR_STATE_OUT_OF_HOURS] = "out-of-hours",
    [SR_STATE_OFF_WORKSTATION] = "off-workstation",
    [SR_STATE_LAPSED] = "lapsed",
    [SR_STATE_BARRED] = "barred",
    [SR_STATE_MUST_CHANGE] = "must-change",
    [SR_STATE_EXPIRED] = "expired",
    [SR_STATE_GRACE] = "grace",
    [SR_STATE_EXPIRING] = "expiring",
    [SR_STATE_OK] = "ok",
    [SR_STATE_UNKNOWN] = "unknown",
};

const char *
sr_state_name(enum sr_state state)
{
    return (unsigned)state < SR_STATE_COUNT ? state_name[state] : NULL;
}

enum sr_state
sr_state_find(const char *name)
{
    enum sr_state state = SR_STATE_DISABLED;

    while (state < SR_STATE_COUNT && strcmp(state_name[state], name) != 0)
        state++;
    return state;
}

const char *
sr_answer_name(enum sr_answer answer)
{
    static const char *const name[] = {
        [SR_ANSWER_OK] = "PAM_SUCCESS",
        [SR_ANSWER_CHANGE_NOW] = "PAM_NEW_AUTHTOK_REQD",
        [SR_ANSWER_ACCOUNT_EXPIRED] = "PAM_ACCT_EXPIRED",
        [SR_ANSWER_WRONG] = "PAM_AUTH_ERR",
        [SR_ANSWER_DENIED] = "PAM_PERM_DENIED",
        [SR_ANSWER_TOKEN_EXPIRED] = "PAM_AUTHTOK_EXPIRED",
        [SR_ANSWER_UNAVAILABLE] = "PAM_AUTHINFO_UNAVAIL",
        [SR_ANSWER_TRY_AGAIN] = "PAM_TRY_AGAIN",
    };

    return (unsigned)answer < sizeof(name) / sizeof(name[0]) ? name[answer]
                                                             : NULL;
}
