/*
 * LDAP on OpenLDAP: accounts under the ppolicy overlay, slapo-ppolicy(5).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "policy/backend/ldap/openldap.h"
#include "policy/backend/ldap/syntax.h"

/* The presets are those of slapo-ppolicy(5). */
#define ATTRIBUTES(X)                                                          \
    X(CHANGED_TIME, "pwdChangedTime", NULL, ACCOUNT, -1)                       \
    X(LOCKED_TIME, "pwdAccountLockedTime", NULL, ACCOUNT, -1)                  \
    X(DELAY_END, "pwdAccountTmpLockoutEnd", NULL, ACCOUNT, -1)                 \
    X(FAILURE_TIME, "pwdFailureTime", NULL, ACCOUNT, -1)                       \
    X(GRACE_USE_TIME, "pwdGraceUseTime", NULL, ACCOUNT, -1)                    \
    X(RESET, "pwdReset", NULL, ACCOUNT, 0)                                     \
    X(START_TIME, "pwdStartTime", NULL, ACCOUNT, -1)                           \
    X(END_TIME, "pwdEndTime", NULL, ACCOUNT, -1)                               \
    X(LAST_SUCCESS, "pwdLastSuccess", NULL, ACCOUNT, -1)                       \
    X(MAX_AGE, "pwdMaxAge", NULL, POLICY, 0)                                   \
    X(MIN_AGE, "pwdMinAge", NULL, POLICY, 0)                                   \
    X(EXPIRE_WARNING, "pwdExpireWarning", NULL, POLICY, 0)                     \
    X(GRACE_LIMIT, "pwdGraceAuthNLimit", NULL, POLICY, 0)                      \
    X(GRACE_EXPIRY, "pwdGraceExpiry", NULL, POLICY, 0)                         \
    X(LOCKOUT, "pwdLockout", NULL, POLICY, 0)                                  \
    X(LOCKOUT_DURATION, "pwdLockoutDuration", NULL, POLICY, 0)                 \
    X(MUST_CHANGE, "pwdMustChange", NULL, POLICY, 0)                           \
    X(ALLOW_USER_CHANGE, "pwdAllowUserChange", NULL, POLICY, 1)                \
    X(MAX_IDLE, "pwdMaxIdle", NULL, POLICY, 0)                                 \
    X(CHECK_QUALITY, "pwdCheckQuality", NULL, POLICY, 0)                       \
    X(MIN_LENGTH, "pwdMinLength", NULL, POLICY, 0)                             \
    X(MAX_LENGTH, "pwdMaxLength", NULL, POLICY, 0)                             \
    X(IN_HISTORY, "pwdInHistory", NULL, POLICY, 0)

#define NUMBER(number, name, alias, where, preset) number,
#define ROW(number, name, alias, where, preset)                                \
    [number] = {name, alias, SR_LDAP_OF_##where, preset},

enum { ATTRIBUTES(NUMBER) };
const struct sr_ldap_attribute sr_ldap_openldap[] = {ATTRIBUTES(ROW)};
const size_t sr_ldap_openldap_count =
    sizeof(sr_ldap_openldap) / sizeof(sr_ldap_openldap[0]);

#define AT(name) (&sr_ldap_openldap[name])

bool
sr_ldap_openldap_is(const struct sr_ldap_view *view)
{
    /* pwdReset and pwdPolicySubentry are 389's too. */
    static const int mark[] = {CHANGED_TIME,   LOCKED_TIME, FAILURE_TIME,
                               GRACE_USE_TIME, START_TIME,  END_TIME,
                               LAST_SUCCESS};

    for (size_t i = 0; i < sizeof(mark) / sizeof(mark[0]); i++) {
        if (sr_ldap_entry_first(view->account, AT(mark[i])->name) != NULL)
            return true;
    }
    return false;
}

/* A time by the server's own count. */
static sr_time
time_of(struct sr_ldap_view *view, int attribute)
{
    const char *text = sr_ldap_view_text(view, AT(attribute));
    sr_time when = SR_TIME_UNKNOWN;

    if (text != NULL && sr_ldap_slapd_time(text, &when) != 0)
        sr_ldap_view_fail(view, AT(attribute));
    return when;
}

static void
lock_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    const char *text = sr_ldap_view_text(view, AT(LOCKED_TIME));
    enum sr_tri locks = sr_ldap_view_switch(view, AT(LOCKOUT));
    int64_t duration = sr_ldap_view_number(view, AT(LOCKOUT_DURATION));
    sr_time since = time_of(view, LOCKED_TIME);
    sr_time delay = time_of(view, DELAY_END);

    facts->locked = SR_LOCK_NO;
    /* A lock that begins later is none yet. */
    if (since != SR_TIME_UNKNOWN && since > view->now)
        text = NULL;
    /* Without pwdLockout the server ignores both. */
    if ((text == NULL && delay == SR_TIME_UNKNOWN) || locks == SR_NO)
        return;
    facts->locked_why = SR_LOCK_WHY_DIRECTORY;
    facts->locked = SR_LOCK_UNTIL;
    facts->locked_until = delay; /* of pwdMinDelay */
    if (text == NULL)
        return;
    if (since == 0) { /* until an administrator acts */
        facts->locked = SR_LOCK_ADMIN;
        facts->locked_why = SR_LOCK_WHY_ADMIN;
    } else if (duration == 0) {
        facts->locked = SR_LOCK_ADMIN;
    } else if (since == SR_TIME_UNKNOWN || !sr_ldap_view_has_policy(view)) {
        facts->locked_until = SR_TIME_UNKNOWN;
    } else if (delay == SR_TIME_UNKNOWN || since + duration > delay) {
        facts->locked_until = since + duration;
    }
}

static void
age_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    int64_t age = sr_ldap_view_number(view, AT(MAX_AGE));
    int64_t warning = sr_ldap_view_number(view, AT(EXPIRE_WARNING));
    int64_t least = sr_ldap_view_number(view, AT(MIN_AGE));
    int64_t after = sr_ldap_view_number(view, AT(GRACE_EXPIRY));
    int64_t graces = sr_ldap_view_number(view, AT(GRACE_LIMIT));

    facts->password_changed = time_of(view, CHANGED_TIME);
    if (!sr_ldap_view_has_policy(view))
        return;
    facts->password_expires = SR_TIME_NEVER;
    if (facts->password_changed == SR_TIME_UNKNOWN)
        return;
    if (least > 0)
        facts->may_change_from = facts->password_changed + least;
    /* To the server a number below 0 is one like others. */
    if (age == 0)
        return;
    facts->password_expires = facts->password_changed + age;
    if (warning > 0)
        facts->warn_from = facts->password_expires - warning;
    if (after != 0 && graces > 0)
        facts->inactive_from = facts->password_expires + after;
}

/* With pwdMaxIdle the server locks an account out whose last bind, or else last
 * change, is too long ago.  It does so only where it records binds, which the
 * entry does not show; a bind that succeeds does. */
static void
idle_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    int64_t idle = sr_ldap_view_number(view, AT(MAX_IDLE));
    sr_time since = time_of(view, LAST_SUCCESS);

    if (since == SR_TIME_UNKNOWN)
        since = facts->password_changed;
    if (idle <= 0 || since == SR_TIME_UNKNOWN || view->is_active ||
        sr_ldap_view_switch(view, AT(LOCKOUT)) != SR_YES)
        return;
    if (facts->account_ends == SR_TIME_UNKNOWN ||
        since + idle < facts->account_ends)
        facts->account_ends = since + idle;
}

enum sr_tri
sr_ldap_openldap_enforces_reset(struct sr_ldap_view *view)
{
    return sr_ldap_view_switch(view, AT(MUST_CHANGE));
}

void
sr_ldap_openldap_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    lock_facts(view, facts);
    age_facts(view, facts);
    facts->account_starts = time_of(view, START_TIME);
    facts->account_ends = time_of(view, END_TIME);
    idle_facts(view, facts);
    facts->grace_left =
        sr_ldap_view_grace(view, sr_ldap_view_number(view, AT(GRACE_LIMIT)),
                           sr_ldap_view_count(view, AT(GRACE_USE_TIME)));
    /* A demand that the policy does not enforce is none. */
    facts->must_change = sr_ldap_view_switch(view, AT(RESET)) == SR_YES &&
                                 sr_ldap_openldap_enforces_reset(view) != SR_NO
                             ? SR_YES
                             : SR_NO;
    if (sr_ldap_view_switch(view, AT(ALLOW_USER_CHANGE)) == SR_NO)
        facts->cannot_change = SR_YES;
    facts->failures = sr_ldap_view_count(view, AT(FAILURE_TIME));
}

static unsigned
demand(struct sr_ldap_view *view, int attribute)
{
    int64_t value = sr_ldap_view_number(view, AT(attribute));

    return value < 0 ? 0 : (unsigned)value;
}

/* Lengths are checked only where the quality is. */
static unsigned
length(struct sr_ldap_view *view, int attribute)
{
    return demand(view, CHECK_QUALITY) > 0 ? demand(view, attribute) : 0;
}

void
sr_ldap_openldap_demands(struct sr_ldap_view *view, struct sr_demands *demands)
{
    demands->min_length = length(view, MIN_LENGTH);
    demands->max_length = length(view, MAX_LENGTH);
    demands->history = demand(view, IN_HISTORY);
}
