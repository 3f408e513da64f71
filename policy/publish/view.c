/*
 * View: what the name service shows of a verdict.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/publish/view.h"
#include "policy/decide/verdict.h"

const char *
sr_group_name(enum sr_group group)
{
    static const char *const name[SR_GROUP_COUNT] = {
        [SR_GROUP_MUST_CHANGE] = "pw-must-change",
        [SR_GROUP_EXPIRED] = "pw-expired",
        [SR_GROUP_EXPIRING] = "pw-expiring",
        [SR_GROUP_LOCKED] = "acct-locked",
        [SR_GROUP_OK] = "acct-ok",
        [SR_GROUP_UNKNOWN] = "acct-state-unknown",
    };

    return (unsigned)group < SR_GROUP_COUNT ? name[group] : NULL;
}

/* The verdict at a login: the user has no session, and root is not resetting
 * the password. */
static struct sr_verdict
login_verdict(const struct sr_facts *facts, const struct sr_rules *rules,
              sr_time now, enum sr_answer *answer)
{
    static const struct sr_caller caller = {false, false};
    struct sr_verdict verdict = sr_verdict(facts, rules, &caller, now);

    *answer = sr_verdict_answer(&verdict, SR_CALL_ACCOUNT, rules, &caller);
    return verdict;
}

/* The pw- groups of a state. */
static unsigned
password_groups(const struct sr_facts *facts, const struct sr_verdict *verdict)
{
    switch (verdict->state) {
    case SR_STATE_MUST_CHANGE:
        return SR_GROUP_BIT(SR_GROUP_MUST_CHANGE);
    case SR_STATE_BARRED: /* by the cause of the change */
        return facts->must_change == SR_YES ||
                       facts->temporary_until != SR_TIME_UNKNOWN
                   ? SR_GROUP_BIT(SR_GROUP_MUST_CHANGE)
                   : SR_GROUP_BIT(SR_GROUP_EXPIRED);
    case SR_STATE_LAPSED:
    case SR_STATE_EXPIRED:
    case SR_STATE_GRACE:
        return SR_GROUP_BIT(SR_GROUP_EXPIRED);
    case SR_STATE_EXPIRING:
        return SR_GROUP_BIT(SR_GROUP_EXPIRING);
    default:
        return 0;
    }
}

/* The acct- group of an answer of acct_mgmt. */
static unsigned
account_groups(enum sr_answer answer)
{
    switch (answer) {
    case SR_ANSWER_OK:
    case SR_ANSWER_CHANGE_NOW:
        return SR_GROUP_BIT(SR_GROUP_OK);
    case SR_ANSWER_ACCOUNT_EXPIRED:
    case SR_ANSWER_DENIED:
        return SR_GROUP_BIT(SR_GROUP_LOCKED);
    case SR_ANSWER_UNAVAILABLE:
    case SR_ANSWER_TRY_AGAIN:
        return SR_GROUP_BIT(SR_GROUP_UNKNOWN);
    default: /* the password can no longer be used; the account is not locked */
        return 0;
    }
}

unsigned
sr_view_groups(const struct sr_facts *facts, const struct sr_rules *rules,
               bool is_exempt, sr_time now)
{
    enum sr_answer answer;
    const struct sr_verdict verdict = login_verdict(facts, rules, now, &answer);
    const unsigned groups =
        password_groups(facts, &verdict) | account_groups(answer);

    if (!is_exempt)
        return groups;
    return (groups & SR_GROUP_BIT(SR_GROUP_EXPIRING)) |
           SR_GROUP_BIT(SR_GROUP_OK);
}

/* ---- shadow */

/*
 * Days stay within the range that every reader can add up.  So does today: a
 * day that has passed needs a day before today, and neither 0 nor -1 can
 * express that.
 */
#define DAY_MOST    1000000000L
#define TODAY_LEAST 2L
#define TODAY_MOST  (DAY_MOST - 1)

/* The programs of shadow-utils before 4.14 read more days as "never". */
#define AGE_MOST 9999L

/* The day of a time, which is neither never nor unknown. */
static long
day_of(sr_time when)
{
    sr_time day = when / SR_DAY - (when % SR_DAY < 0);

    return day < 0 ? 0 : day > DAY_MOST ? DAY_MOST : (long)day;
}

static long
at_least(long value, long least)
{
    return value < least ? least : value;
}

static long
at_most(long value, long most)
{
    return value > most ? most : value;
}

/*
 * The day of an end that has not come, or the last day before it when it has:
 * readers differ on whether the day itself still counts, so it is never today.
 */
static long
day_shown(sr_time when, bool has_come, long today)
{
    return has_come ? at_most(day_of(when), today - 1)
                    : at_least(day_of(when), today + 1);
}

/* The last change: not in the future, which readers take for a wrong clock, and
 * not 0, which means "must change". */
static long
changed_day(const struct sr_facts *facts, long today)
{
    if (!SR_TIME_IS_SET(facts->password_changed))
        return -1;
    return at_least(at_most(day_of(facts->password_changed), today), 1);
}

/* The fields of an expired password: readers must agree that it has expired
 * today, and whether it may still be changed. */
static void
show_expired(bool may_change, long today, struct sr_view_shadow *out)
{
    long ended = today - 1;

    /* An expiry is expressed by the last change: invent one where none is
     * known.
     */
    if (out->changed < 1 || out->changed > ended)
        out->changed = ended;
    out->changed = at_least(out->changed, ended - AGE_MOST);
    out->max = ended - out->changed;
    out->min = at_most(out->min, out->max);
    out->inactive = may_change ? -1 : 0;
}

/* The fields of a password that has not expired, or has grace logins left: as
 * they are, except for today. */
static void
show_ageing(const struct sr_facts *facts, bool warns, long today,
            struct sr_view_shadow *out)
{
    long ends, left;

    if (facts->never_expires == SR_YES ||
        !SR_TIME_IS_SET(facts->password_expires))
        return;
    if (out->changed < 1)
        out->changed = today;
    ends = day_shown(facts->password_expires, false, today);
    left = ends - today;
    out->max = ends - out->changed;
    out->warn = 0;
    if (SR_TIME_IS_SET(facts->warn_from))
        out->warn = at_least(ends - day_of(facts->warn_from), 0);
    /* Readers also differ by a day on the first day of the warning. */
    out->warn = warns ? at_least(out->warn, left + 1)
                      : at_least(at_most(out->warn, left - 1), 0);
    if (SR_TIME_IS_SET(facts->inactive_from))
        out->inactive = at_least(day_of(facts->inactive_from) - ends, 1);
}

/* A change that is due is never too early. */
static void
show_minimum(const struct sr_facts *facts, bool is_due,
             struct sr_view_shadow *out)
{
    if (out->changed > 0 && SR_TIME_IS_SET(facts->may_change_from))
        out->min =
            is_due ? 0
                   : at_least(day_of(facts->may_change_from) - out->changed, 0);
}

/* The end of the account, by its own day or by the state. */
static void
show_account(const struct sr_facts *facts, const struct sr_verdict *verdict,
             long today, struct sr_view_shadow *out)
{
    if (SR_TIME_IS_SET(facts->account_ends))
        out->expire =
            at_least(day_shown(facts->account_ends,
                               verdict->state == SR_STATE_ENDED, today),
                     1);
    if (verdict->state == SR_STATE_NOT_YET)
        out->expire = 1;
    if (verdict->state == SR_STATE_DISABLED ||
        verdict->state == SR_STATE_OUT_OF_HOURS ||
        verdict->state == SR_STATE_OFF_WORKSTATION ||
        (verdict->state == SR_STATE_LOCKED && facts->locked == SR_LOCK_ADMIN)) {
        out->password = '!';
        out->expire = 1;
    }
}

/* The fields of the password by the verdict. */
static void
show_password(const struct sr_facts *facts, enum sr_state state,
              enum sr_answer answer, long today, struct sr_view_shadow *out)
{
    if (answer == SR_ANSWER_TOKEN_EXPIRED)
        show_expired(false, today, out);
    else if (answer != SR_ANSWER_CHANGE_NOW)
        show_ageing(facts,
                    state == SR_STATE_EXPIRING || state == SR_STATE_GRACE,
                    today, out);
    else if (state == SR_STATE_MUST_CHANGE)
        out->changed = 0;
    else
        show_expired(true, today, out);
}

bool
sr_view_shadow(struct sr_facts *facts, const struct sr_rules *rules,
               sr_time now, struct sr_view_shadow *out)
{
    static const struct sr_view_shadow blank = {'*', -1, -1, -1, -1, -1, -1};
    const long today = day_of(now);
    struct sr_verdict verdict;
    enum sr_answer answer;

    *out = blank;
    if (facts->locked == SR_LOCK_UNTIL)
        facts->locked = SR_LOCK_NO;
    verdict = login_verdict(facts, rules, now, &answer);
    if (verdict.state == SR_STATE_UNKNOWN || today < TODAY_LEAST ||
        today > TODAY_MOST)
        return false;
    out->changed = changed_day(facts, today);
    show_minimum(facts, sr_verdict_is_change_due(&verdict), out);
    show_account(facts, &verdict, today, out);
    show_password(facts, verdict.state, answer, today, out);
    return true;
}
