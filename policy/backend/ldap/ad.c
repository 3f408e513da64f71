/*
 * LDAP on AD: accounts of Active Directory, by Windows or Samba.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "policy/backend/ldap/ad.h"
#include "policy/backend/ldap/ad_values.h"

/* userAccountControl (MS-ADTS 2.2.16), and msDS-User-Account-Control-Computed
 * for the lockout. */
#define UAC_DISABLED    0x00000002u
#define UAC_LOCKED      0x00000010u
#define UAC_DONT_EXPIRE 0x00010000u
#define UAC_SMARTCARD   0x00040000u

/* pwdProperties (MS-SAMR 2.2.3.5): DOMAIN_PASSWORD_NO_ANON_CHANGE. */
#define MUST_LOG_ON 0x2u

enum {
    ACCOUNT_CONTROL,
    CONTROL_COMPUTED,
    EXPIRY_COMPUTED,
    PWD_LAST_SET,
    ACCOUNT_EXPIRES,
    LOGON_HOURS,
    WORKSTATIONS,
    LOCKOUT_TIME,
    BAD_PWD_COUNT,
    RESULTANT_PSO,
    META_DATA,
    DESCRIPTOR,
    SID,
    ADMIN_COUNT,
    UPN,
    /* of the domain */
    PROPERTIES,
    MIN_AGE,
    MIN_LENGTH,
    HISTORY,
    LOCKOUT_DURATION,
    /* of a password settings object, by names of their own */
    PSO_MIN_AGE,
    PSO_MIN_LENGTH,
    PSO_HISTORY,
    PSO_LOCKOUT_DURATION,
};

const struct sr_ldap_attribute sr_ldap_ad[] = {
    [ACCOUNT_CONTROL] = {"userAccountControl", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [CONTROL_COMPUTED] = {"msDS-User-Account-Control-Computed", NULL,
                          SR_LDAP_OF_ACCOUNT, -1},
    [EXPIRY_COMPUTED] = {"msDS-UserPasswordExpiryTimeComputed", NULL,
                         SR_LDAP_OF_ACCOUNT, -1},
    [PWD_LAST_SET] = {"pwdLastSet", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [ACCOUNT_EXPIRES] = {"accountExpires", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [LOGON_HOURS] = {"logonHours", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [WORKSTATIONS] = {"userWorkstations", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [LOCKOUT_TIME] = {"lockoutTime", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [BAD_PWD_COUNT] = {"badPwdCount", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [RESULTANT_PSO] = {"msDS-ResultantPSO", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [META_DATA] = {"replPropertyMetaData", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [DESCRIPTOR] = {"nTSecurityDescriptor", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [SID] = {"objectSid", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [ADMIN_COUNT] = {"adminCount", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [UPN] = {"userPrincipalName", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [PROPERTIES] = {"pwdProperties", NULL, SR_LDAP_OF_DOMAIN, -1},
    [MIN_AGE] = {"minPwdAge", NULL, SR_LDAP_OF_POLICY, -1},
    [MIN_LENGTH] = {"minPwdLength", NULL, SR_LDAP_OF_POLICY, -1},
    [HISTORY] = {"pwdHistoryLength", NULL, SR_LDAP_OF_POLICY, -1},
    [LOCKOUT_DURATION] = {"lockoutDuration", NULL, SR_LDAP_OF_POLICY, -1},
    [PSO_MIN_AGE] = {"msDS-MinimumPasswordAge", NULL, SR_LDAP_OF_POLICY, -1},
    [PSO_MIN_LENGTH] = {"msDS-MinimumPasswordLength", NULL, SR_LDAP_OF_POLICY,
                        -1},
    [PSO_HISTORY] = {"msDS-PasswordHistoryLength", NULL, SR_LDAP_OF_POLICY, -1},
    [PSO_LOCKOUT_DURATION] = {"msDS-LockoutDuration", NULL, SR_LDAP_OF_POLICY,
                              -1},
};
const size_t sr_ldap_ad_count = sizeof(sr_ldap_ad) / sizeof(sr_ldap_ad[0]);

#define AT(name) (&sr_ldap_ad[name])

/* ---- values */

/* A number; false: absent, or a fault. */
static bool
number(struct sr_ldap_view *view, int attribute, int64_t *value)
{
    const char *text = sr_ldap_view_text(view, AT(attribute));

    if (text == NULL)
        return false;
    if (sr_ad_number(text, value))
        return true;
    sr_ldap_view_fail(view, AT(attribute));
    return false;
}

/* The bits of an attribute that is never absent. */
static uint32_t
bits(struct sr_ldap_view *view, int attribute)
{
    const char *text = sr_ldap_view_text(view, AT(attribute));
    uint32_t value = 0;

    if (text == NULL || !sr_ad_bits(text, &value))
        sr_ldap_view_fail(view, AT(attribute));
    return value;
}

/* An interval in seconds, by the name of the domain or the other one; -1: not
 * known. */
static int64_t
interval(struct sr_ldap_view *view, int attribute, int other)
{
    int64_t value, seconds = -1;
    int at = attribute;

    if (!number(view, at, &value)) {
        at = other;
        if (!number(view, at, &value))
            return -1;
    }
    if (!sr_ad_interval(value, &seconds)) {
        sr_ldap_view_fail(view, AT(at));
        seconds = -1;
    }
    return seconds;
}

/* A sum; never where it overflows. */
static sr_time
after(sr_time when, int64_t seconds)
{
    sr_time sum;

    if (!SR_TIME_IS_SET(when))
        return when;
    return __builtin_add_overflow(when, seconds, &sum) ? SR_TIME_NEVER : sum;
}

static sr_time
time_of(struct sr_ldap_view *view, int attribute)
{
    sr_time when = SR_TIME_UNKNOWN;
    int64_t value;

    if (number(view, attribute, &value) && !sr_ad_time(value, &when)) {
        sr_ldap_view_fail(view, AT(attribute));
        when = SR_TIME_UNKNOWN;
    }
    return when;
}

/* When an attribute was written; SR_TIME_UNKNOWN: not known. */
static sr_time
stamp(struct sr_ldap_view *view, uint32_t attribute)
{
    const struct sr_ldap_value *value = sr_ldap_view_value(view, AT(META_DATA));
    sr_time when = SR_TIME_UNKNOWN;
    uint32_t version;

    if (value != NULL && !sr_ad_stamp((const uint8_t *)value->text, value->size,
                                      attribute, &when, &version))
        sr_ldap_view_fail(view, AT(META_DATA));
    return when;
}

/* ---- facts */

/*
 * lockoutTime stays when the lock has ended, so the computed bit counts.  A
 * duration of 0, or one without end, waits for an administrator (MS-SAMR
 * 3.1.1.1.5).
 */
static void
lock_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    const bool is_locked = (bits(view, CONTROL_COMPUTED) & UAC_LOCKED) != 0;
    const sr_time since = time_of(view, LOCKOUT_TIME);
    const int64_t duration =
        interval(view, LOCKOUT_DURATION, PSO_LOCKOUT_DURATION);

    facts->locked = SR_LOCK_NO;
    if (!is_locked)
        return;
    facts->locked_why = SR_LOCK_WHY_DIRECTORY;
    facts->locked = SR_LOCK_UNTIL;
    if (duration == 0 || duration == INT64_MAX)
        facts->locked = SR_LOCK_ADMIN;
    else if (duration > 0 && SR_TIME_IS_SET(since))
        facts->locked_until = after(since, duration);
}

static void
password_facts(struct sr_ldap_view *view, uint32_t control,
               struct sr_facts *facts)
{
    int64_t last = 0, expiry = 0;
    const bool is_known = number(view, PWD_LAST_SET, &last);
    const int64_t min_age = interval(view, MIN_AGE, PSO_MIN_AGE);
    const sr_time set = stamp(view, SR_AD_UNICODE_PWD);
    const bool never = (control & UAC_DONT_EXPIRE) != 0;

    if (!is_known)
        sr_ldap_view_fail(view, AT(PWD_LAST_SET));
    if (!number(view, EXPIRY_COMPUTED, &expiry))
        sr_ldap_view_fail(view, AT(EXPIRY_COMPUTED));
    facts->never_expires = never ? SR_YES : SR_NO;
    /* DONT_EXPIRE_PASSWORD overrides the demand for a change. */
    facts->must_change = last == 0 && !never ? SR_YES : SR_NO;
    facts->password_changed = last == 0 ? set : time_of(view, PWD_LAST_SET);
    if (never || expiry == SR_AD_NEVER)
        facts->password_expires = SR_TIME_NEVER;
    else if (last != 0) /* 0: there is no time until it is changed */
        facts->password_expires = time_of(view, EXPIRY_COMPUTED);
    if (last != 0 && min_age > 0)
        facts->may_change_from = after(facts->password_changed, min_age);
    facts->has_password = (control & UAC_SMARTCARD) != 0 ? SR_NO : SR_YES;
}

/* When and where the account may log in. */
static void
limit_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    const struct sr_ldap_value *hours =
        sr_ldap_view_value(view, AT(LOGON_HOURS));
    const char *list = sr_ldap_view_text(view, AT(WORKSTATIONS));
    int64_t ends = 0;
    bool is_allowed = true;

    /* A time before 1601 has passed, too. */
    if (number(view, ACCOUNT_EXPIRES, &ends) && ends != 0)
        facts->account_ends = ends < 0 ? 1 : time_of(view, ACCOUNT_EXPIRES);
    facts->logon_hours = SR_YES;
    facts->hours_until = SR_TIME_NEVER;
    if (hours != NULL && sr_ad_limits_hours(hours->size, view->is_samba)) {
        if (!sr_ad_hours((const uint8_t *)hours->text, hours->size, view->now,
                         &is_allowed, &facts->hours_until))
            sr_ldap_view_fail(view, AT(LOGON_HOURS));
        facts->logon_hours = is_allowed ? SR_YES : SR_NO;
    }
    facts->workstation =
        list == NULL || sr_ad_workstations(list, view->host) ? SR_YES : SR_NO;
}

static void
change_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    const struct sr_ldap_value *descriptor =
        sr_ldap_view_value(view, AT(DESCRIPTOR));
    const struct sr_ldap_value *sid = sr_ldap_view_value(view, AT(SID));
    const char *text = sr_ldap_view_text(view, AT(PROPERTIES));
    uint32_t properties = 0;

    if (sid != NULL && !sr_ad_is_sid((const uint8_t *)sid->text, sid->size))
        sr_ldap_view_fail(view, AT(SID));
    if (descriptor != NULL &&
        !sr_ad_denies_change(
            (const uint8_t *)descriptor->text, descriptor->size,
            sid == NULL ? NULL : (const uint8_t *)sid->text,
            sid == NULL ? 0 : sid->size, &facts->cannot_change))
        sr_ldap_view_fail(view, AT(DESCRIPTOR));
    if (text != NULL && !sr_ad_bits(text, &properties))
        sr_ldap_view_fail(view, AT(PROPERTIES));
    if (text != NULL)
        facts->requires_logon =
            (properties & MUST_LOG_ON) != 0 ? SR_YES : SR_NO;
}

void
sr_ldap_ad_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    const uint32_t control = bits(view, ACCOUNT_CONTROL);
    int64_t failures;

    facts->disabled = (control & UAC_DISABLED) != 0 ? SR_YES : SR_NO;
    lock_facts(view, facts);
    password_facts(view, control, facts);
    limit_facts(view, facts);
    change_facts(view, facts);
    if (number(view, BAD_PWD_COUNT, &failures))
        facts->failures = failures < 0         ? 0
                          : failures > INT_MAX ? INT_MAX
                                               : (int)failures;
}

void
sr_ldap_ad_temporary(struct sr_ldap_view *view, int64_t lifetime,
                     struct sr_facts *facts)
{
    const sr_time set = stamp(view, SR_AD_UNICODE_PWD);
    const sr_time demanded = stamp(view, SR_AD_PWD_LAST_SET);
    /* SR_TIME_UNKNOWN is before every time. */
    const sr_time since = set > demanded ? set : demanded;

    if (facts->must_change == SR_YES && since != SR_TIME_UNKNOWN)
        facts->temporary_until = after(since, lifetime);
}

/* ---- rules, and the stamp of the password */

static unsigned
demand(struct sr_ldap_view *view, int attribute, int other)
{
    int64_t value;

    if ((!number(view, attribute, &value) && !number(view, other, &value)) ||
        value < 0 || value > INT_MAX)
        return 0;
    return (unsigned)value;
}

void
sr_ldap_ad_demands(struct sr_ldap_view *view, struct sr_demands *demands)
{
    demands->min_length = demand(view, MIN_LENGTH, PSO_MIN_LENGTH);
    demands->history = demand(view, HISTORY, PSO_HISTORY);
}

void
sr_ldap_ad_password_mark(const struct sr_ldap_entry *account, char *out,
                         size_t size)
{
    const char *last = sr_ldap_entry_first(account, AT(PWD_LAST_SET)->name);
    size_t at = 0;
    const struct sr_ldap_value *data =
        sr_ldap_entry_value(account, AT(META_DATA)->name, &at);
    uint32_t version = 0;
    sr_time when = SR_TIME_UNKNOWN;

    if (data != NULL)
        sr_ad_stamp((const uint8_t *)data->text, data->size, SR_AD_UNICODE_PWD,
                    &when, &version);
    snprintf(out, size, "%s.%" PRIu32 ".%" PRId64, last == NULL ? "" : last,
             version, when == SR_TIME_UNKNOWN ? 0 : when);
}
