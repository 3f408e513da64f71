/*
 * LDAP entries: what the attributes of an account and of its policy say.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "policy/decide/ageing.h"
#include "policy/backend/ldap/entry.h"
#include "policy/util/utf8.h"

/* What ppolicy writes into pwdAccountLockedTime for "until an administrator
 * acts", and 389 into several attributes for "now" and for "never". */
#define PPOLICY_FOR_GOOD "000001010000Z"
#define DS389_EPOCH      "19700101000000Z"
#define DS389_UNCOUNTED  "19700101000001Z" /* changed while nothing expired */
#define DS389_NEVER      "20380119031407Z"

/* A wrong clock or a joke, not an age: sums must not overflow. */
#define SECONDS_MAX (36500 * SR_DAY)

/* What is counted, the facts hold as an int. */
#define COUNT_MAX INT_MAX

const char *const sr_ldap_account_attributes[] = {
    "gecos",
    "cn",
    /* ppolicy */
    "pwdChangedTime",
    "pwdAccountLockedTime",
    "pwdFailureTime",
    "pwdGraceUseTime",
    "pwdReset",
    "pwdPolicySubentry",
    "pwdStartTime",
    "pwdEndTime",
    "pwdLastSuccess",
    /* 389 */
    "passwordExpirationTime",
    "passwordAllowChangeTime",
    "passwordGraceUserTime",
    "passwordRetryCount",
    "accountUnlockTime",
    "nsAccountLock",
    "pwdUpdateTime",
    "pwdTPRReset",
    "pwdTPRUseCount",
    "pwdTPRValidFrom",
    "pwdTPRExpireAt",
    /* RFC 2307 */
    "shadowLastChange",
    "shadowMin",
    "shadowMax",
    "shadowWarning",
    "shadowInactive",
    "shadowExpire",
    NULL,
};

const char *const sr_ldap_policy_attributes[] = {
    "pwdAttribute", /* every policy has it: known, or not to be read */
    "pwdMaxAge",
    "pwdMinAge",
    "pwdExpireWarning",
    "pwdGraceAuthNLimit",
    "pwdGraceExpiry",
    "pwdLockout",
    "pwdLockoutDuration",
    "pwdMustChange",
    "pwdAllowUserChange",
    "pwdMaxIdle",
    "pwdMinLength",
    "pwdMaxLength",
    "pwdInHistory",
    /* 389 */
    "passwordExp",
    "passwordLockout",
    "passwordUnlock",
    "passwordMustChange",
    "passwordTPRMaxUse",
    "passwordTPRDelayValidFrom",
    "passwordTPRDelayExpireAt",
    "passwordWarning",
    "passwordGraceLimit",
    "passwordChange",
    "passwordCheckSyntax",
    "passwordMinLength",
    "passwordHistory",
    "passwordInHistory",
    NULL,
};

/* ---- values */

int
sr_ldap_entry_add(struct sr_ldap_entry *entry, const char *attribute,
                  const char *text, size_t length)
{
    struct sr_ldap_value *grown;
    struct sr_ldap_value *value;

    /* Cut there, it would be another one. */
    if (memchr(text, '\0', length) != NULL)
        return 0;
    grown = reallocarray(entry->value, entry->count + 1, sizeof(*grown));
    if (grown == NULL)
        return -1;
    entry->value = grown;
    value = &grown[entry->count];
    value->attribute = strdup(attribute);
    value->text = strndup(text, length);
    if (value->attribute == NULL || value->text == NULL) {
        free(value->attribute);
        free(value->text);
        return -1;
    }
    entry->count++;
    return 0;
}

void
sr_ldap_entry_clear(struct sr_ldap_entry *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        free(entry->value[i].attribute);
        free(entry->value[i].text);
    }
    free(entry->value);
    free(entry->dn);
    memset(entry, 0, sizeof(*entry));
}

const char *
sr_ldap_entry_get(const struct sr_ldap_entry *entry, const char *attribute,
                  size_t index)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (strcasecmp(entry->value[i].attribute, attribute) == 0 &&
            index-- == 0)
            return entry->value[i].text;
    }
    return NULL;
}

bool
sr_ldap_entry_has(const struct sr_ldap_entry *entry, const char *attribute,
                  const char *wanted)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (strcasecmp(entry->value[i].attribute, attribute) == 0 &&
            strcmp(entry->value[i].text, wanted) == 0)
            return true;
    }
    return false;
}

static const char *
get(const struct sr_ldap_entry *entry, const char *attribute)
{
    return sr_ldap_entry_get(entry, attribute, 0);
}

static int
count(const struct sr_ldap_entry *entry, const char *attribute)
{
    int values = 0;

    for (size_t i = 0; i < entry->count && values < COUNT_MAX; i++) {
        if (strcasecmp(entry->value[i].attribute, attribute) == 0)
            values++;
    }
    return values;
}

static bool
has_any(const struct sr_ldap_entry *entry, const char *const *attribute)
{
    for (size_t i = 0; attribute[i] != NULL; i++) {
        if (get(entry, attribute[i]) != NULL)
            return true;
    }
    return false;
}

/* Digits only, in a range; `otherwise` when there is no such number. */
static int64_t
number_of(const char *text, int64_t most, int64_t otherwise)
{
    int64_t value = 0;

    if (text == NULL || text[0] == '\0')
        return otherwise;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' ||
            __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *text - '0', &value))
            return otherwise;
    }
    return value <= most ? value : most;
}

static int64_t
number(const struct sr_ldap_entry *entry, const char *attribute,
       int64_t otherwise)
{
    return number_of(get(entry, attribute), SECONDS_MAX, otherwise);
}

/* How many there were of something; none where nothing is said. */
static int
tally(const struct sr_ldap_entry *entry, const char *attribute)
{
    return (int)number_of(get(entry, attribute), COUNT_MAX, 0);
}

static enum sr_tri
truth_of(const char *text)
{
    if (text == NULL)
        return SR_UNKNOWN;
    return strcasecmp(text, "true") == 0 || strcasecmp(text, "on") == 0 ? SR_YES
                                                                        : SR_NO;
}

static enum sr_tri
truth(const struct sr_ldap_entry *entry, const char *attribute)
{
    return truth_of(get(entry, attribute));
}

/* So many digits as a number; -1 when one is none. */
static int
digits(const char **at, int length)
{
    int value = 0;

    for (int i = 0; i < length; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

/* The offset from UTC that ends a time, in seconds.  Returns 0 or -1. */
static int
parse_zone(const char *at, sr_time *offset)
{
    int sign = *at == '-' ? -1 : 1;
    int hours, minutes = 0;

    *offset = 0;
    if (strcmp(at, "Z") == 0)
        return 0;
    if (*at != '+' && *at != '-')
        return -1;
    at++;
    hours = digits(&at, 2);
    if (*at != '\0')
        minutes = digits(&at, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || *at != '\0')
        return -1;
    *offset = sign * (hours * 3600 + minutes * 60);
    return 0;
}

int
sr_ldap_time(const char *text, sr_time *when)
{
    int part[6] = {0}, least[6] = {0, 1, 1, 0, 0, 0};
    static const int most[6] = {9999, 12, 31, 23, 59, 60};
    const char *at = text;
    struct tm tm = {0};
    sr_time offset;

    for (int i = 0; i < 6; i++) {
        if (i > 3 && (*at < '0' || *at > '9'))
            break; /* minutes and seconds may be left out */
        part[i] = digits(&at, i == 0 ? 4 : 2);
        if (part[i] < least[i] || part[i] > most[i])
            return -1;
    }
    if (*at == '.' || *at == ',')
        at += 1 + strspn(at + 1, "0123456789");
    if (parse_zone(at, &offset) != 0)
        return -1;
    tm.tm_year = part[0] - 1900;
    tm.tm_mon = part[1] - 1;
    tm.tm_mday = part[2];
    tm.tm_hour = part[3];
    tm.tm_min = part[4];
    tm.tm_sec = part[5];
    *when = timegm(&tm) - offset;
    if (*when < 0)
        *when = 0;
    return 0;
}

static sr_time
moment(const struct sr_ldap_entry *entry, const char *attribute)
{
    const char *text = get(entry, attribute);
    sr_time when;

    return text != NULL && sr_ldap_time(text, &when) == 0 ? when
                                                          : SR_TIME_UNKNOWN;
}

/* The text with each %u replaced by the name, in which the `special` characters
 * are written by their number. */
static char *
put_name(const char *text, const char *name, const char *special)
{
    size_t size = 1;
    char *out, *at;

    for (const char *from = text; *from != '\0'; from++)
        size += strncmp(from, "%u", 2) == 0 ? 3 * strlen(name) : 1;
    out = malloc(size);
    at = out;
    for (const char *from = text; out != NULL && *from != '\0'; from++) {
        if (strncmp(from, "%u", 2) != 0) {
            *at++ = *from;
            continue;
        }
        from++;
        for (const unsigned char *c = (const void *)name; *c != '\0'; c++) {
            if (*c < 0x20 || *c >= 0x7f || strchr(special, *c) != NULL)
                at += sprintf(at, "\\%02x", *c);
            else
                *at++ = (char)*c;
        }
    }
    if (out != NULL)
        *at = '\0';
    return out;
}

char *
sr_ldap_filter(const char *filter, const char *name)
{
    return put_name(filter, name, "*()\\");
}

char *
sr_ldap_dn(const char *dn, const char *name)
{
    /* Some of them only at an end; by number they are right anywhere. */
    return put_name(dn, name, " \"#+,;<=>\\");
}

char *
sr_ldap_filter_all(const char *filter)
{
    char *out = strdup(filter);
    char *at = out, *found;

    while (at != NULL && (found = strstr(at, "%u")) != NULL) {
        *found = '*';
        memmove(found + 1, found + 2, strlen(found + 2) + 1);
        at = found + 1;
    }
    return out;
}

bool
sr_ldap_is_absurd(const char *name)
{
    uint32_t point;
    int status;

    /* Root is of this host, whatever a directory has by that name. */
    if (name[0] == '\0' || strlen(name) > SR_NAME_MAX ||
        strcmp(name, "root") == 0)
        return true;
    while ((status = sr_utf8_next(&name, &point)) > 0) {
        if (sr_utf8_is_control(point))
            return true;
    }
    return status < 0;
}

bool
sr_ldap_uid(const char *text, uid_t *uid)
{
    int64_t value = number_of(text, INT64_MAX, -1);

    /* Root is of this host here, too, and (uid_t)-1 is nobody. */
    if (value <= 0 || value >= UINT32_MAX)
        return false;
    *uid = (uid_t)value;
    return true;
}

/* ---- facts */

static const char *const ppolicy_marks[] = {
    "pwdChangedTime", "pwdAccountLockedTime",
    "pwdFailureTime", "pwdGraceUseTime",
    "pwdStartTime",   "pwdEndTime",
    "pwdLastSuccess", NULL};
/* Those that 389 serves, too. */
static const char *const shared_marks[] = {"pwdReset", "pwdPolicySubentry",
                                           NULL};
static const char *const ds389_marks[] = {"passwordExpirationTime",
                                          "passwordAllowChangeTime",
                                          "passwordGraceUserTime",
                                          "passwordRetryCount",
                                          "accountUnlockTime",
                                          "nsAccountLock",
                                          "pwdUpdateTime",
                                          "pwdTPRReset",
                                          NULL};
/* No other server has these; the rest of its policy it also serves by the names
 * of ppolicy, and gives one of the names when it is asked for both. */
static const char *const ds389_policy_marks[] = {
    "passwordExp", "passwordUnlock", "passwordTPRMaxUse", NULL};
static const char *const shadow_marks[] = {"shadowLastChange", "shadowMin",
                                           "shadowMax", NULL};

bool
sr_ldap_is_ds389(const struct sr_ldap_entry *account,
                 const struct sr_ldap_entry *policy)
{
    return has_any(account, ds389_marks) || has_any(policy, ds389_policy_marks);
}

static bool
is_ppolicy(const struct sr_ldap_entry *account,
           const struct sr_ldap_entry *policy)
{
    return has_any(account, ppolicy_marks) ||
           (!sr_ldap_is_ds389(account, policy) &&
            (get(policy, "pwdMaxAge") != NULL ||
             has_any(account, shared_marks)));
}

const char *
sr_ldap_policy_of(const struct sr_ldap_entry *account, const char *preset)
{
    const char *named = get(account, "pwdPolicySubentry");

    return named != NULL ? named : preset;
}

/* Two times of which the earlier counts. */
static void
earlier(sr_time *fact, sr_time when)
{
    if (when != SR_TIME_UNKNOWN && (*fact == SR_TIME_UNKNOWN || when < *fact))
        *fact = when;
}

static void
ppolicy_lock(const struct sr_ldap_entry *account,
             const struct sr_ldap_entry *policy, struct sr_facts *facts)
{
    const char *text = get(account, "pwdAccountLockedTime");
    int64_t duration = number(policy, "pwdLockoutDuration", 0);
    sr_time since = moment(account, "pwdAccountLockedTime");

    facts->locked = SR_LOCK_NO;
    /* Without pwdLockout the server looks at none of it. */
    if (text == NULL ||
        (policy->count > 0 && truth(policy, "pwdLockout") != SR_YES))
        return;
    facts->locked_why = SR_LOCK_WHY_DIRECTORY;
    /* Written with seconds, or before all time, it means the same. */
    if (strcmp(text, PPOLICY_FOR_GOOD) == 0 || since == 0) {
        facts->locked = SR_LOCK_ADMIN;
        facts->locked_why = SR_LOCK_WHY_ADMIN;
    } else if (duration > 0 && since != SR_TIME_UNKNOWN) {
        facts->locked = SR_LOCK_UNTIL;
        facts->locked_until = since + duration;
    } else if (policy->count > 0) {
        facts->locked = SR_LOCK_ADMIN;
    } else {
        facts->locked = SR_LOCK_UNTIL; /* nobody says until when */
    }
}

static void
ppolicy_age(const struct sr_ldap_entry *account,
            const struct sr_ldap_entry *policy, struct sr_facts *facts)
{
    int64_t age = number(policy, "pwdMaxAge", 0);
    int64_t warning = number(policy, "pwdExpireWarning", 0);
    int64_t least = number(policy, "pwdMinAge", 0);
    int64_t after = number(policy, "pwdGraceExpiry", 0);

    facts->password_changed = moment(account, "pwdChangedTime");
    if (policy->count == 0)
        return;
    facts->password_expires = SR_TIME_NEVER;
    if (facts->password_changed == SR_TIME_UNKNOWN)
        return;
    if (least > 0)
        facts->may_change_from = facts->password_changed + least;
    if (age == 0)
        return;
    facts->password_expires = facts->password_changed + age;
    if (warning > 0)
        facts->warn_from = facts->password_expires - warning;
    if (after > 0)
        facts->inactive_from = facts->password_expires + after;
}

/* Logins that are left behind the expiry.  That there is none is a fact that
 * ends everything, unless somebody can help. */
static int
graces_left(int limit, int used, bool can_help)
{
    int left = limit > used ? limit - used : 0;

    return left == 0 && can_help ? -1 : left;
}

static void
ppolicy_facts(const struct sr_ldap_entry *account,
              const struct sr_ldap_entry *policy, bool can_help,
              struct sr_facts *facts)
{
    int64_t idle = number(policy, "pwdMaxIdle", 0);
    sr_time seen = moment(account, "pwdLastSuccess");

    ppolicy_lock(account, policy, facts);
    ppolicy_age(account, policy, facts);
    facts->account_starts = moment(account, "pwdStartTime");
    facts->account_ends = moment(account, "pwdEndTime");
    if (idle > 0 && seen != SR_TIME_UNKNOWN &&
        truth(policy, "pwdLockout") == SR_YES)
        earlier(&facts->account_ends, seen + idle);
    if (policy->count > 0)
        facts->grace_left =
            graces_left(tally(policy, "pwdGraceAuthNLimit"),
                        count(account, "pwdGraceUseTime"), can_help);
    /* A demand that the policy does not back is none for the server. */
    facts->must_change =
        truth(account, "pwdReset") == SR_YES &&
                (policy->count == 0 || truth(policy, "pwdMustChange") == SR_YES)
            ? SR_YES
            : SR_NO;
    if (truth(policy, "pwdAllowUserChange") == SR_NO)
        facts->cannot_change = SR_YES;
    facts->failures = count(account, "pwdFailureTime");
}

/* A value of the policy by either of its names. */
static const char *
either(const struct sr_ldap_entry *policy, const char *attribute,
       const char *alias)
{
    const char *text = get(policy, attribute);

    return text != NULL ? text : get(policy, alias);
}

static void
ds389_lock(const struct sr_ldap_entry *account,
           const struct sr_ldap_entry *policy, struct sr_facts *facts)
{
    const char *text = get(account, "accountUnlockTime");
    bool is_for_good;

    facts->disabled =
        truth(account, "nsAccountLock") == SR_YES ? SR_YES : SR_NO;
    if (facts->locked == SR_LOCK_UNKNOWN)
        facts->locked = SR_LOCK_NO;
    /* Without passwordLockout the server does not look at it. */
    if (text == NULL ||
        truth_of(either(policy, "passwordLockout", "pwdLockout")) == SR_NO)
        return;
    is_for_good = strcmp(text, DS389_EPOCH) == 0;
    if (is_for_good && truth(policy, "passwordUnlock") == SR_YES)
        return; /* a time like any other then, and long ago */
    facts->locked_why = SR_LOCK_WHY_DIRECTORY;
    facts->locked_until = moment(account, "accountUnlockTime");
    facts->locked = is_for_good ? SR_LOCK_ADMIN : SR_LOCK_UNTIL;
}

static void
ds389_expiry(const struct sr_ldap_entry *account,
             const struct sr_ldap_entry *policy, bool can_help,
             struct sr_facts *facts)
{
    const char *limit =
        either(policy, "passwordGraceLimit", "pwdGraceAuthNLimit");
    const char *text = get(account, "passwordExpirationTime");
    int64_t warning = number_of(
        either(policy, "passwordWarning", "pwdExpireWarning"), SECONDS_MAX, 0);

    if (text == NULL)
        return;
    if (strcmp(text, DS389_EPOCH) == 0) {
        /* A demand that the policy does not back is none for the server. */
        facts->must_change = truth_of(either(policy, "passwordMustChange",
                                             "pwdMustChange")) == SR_NO
                                 ? SR_NO
                                 : SR_YES;
        return;
    }
    facts->must_change = SR_NO;
    if (truth(policy, "passwordExp") == SR_NO) {
        facts->password_expires = SR_TIME_NEVER;
        return;
    }
    if (strcmp(text, DS389_UNCOUNTED) == 0)
        return;
    facts->password_expires = strcmp(text, DS389_NEVER) == 0
                                  ? SR_TIME_NEVER
                                  : moment(account, "passwordExpirationTime");
    if (warning > 0 && SR_TIME_IS_SET(facts->password_expires))
        facts->warn_from = facts->password_expires - warning;
    if (limit != NULL)
        facts->grace_left =
            graces_left((int)number_of(limit, COUNT_MAX, 0),
                        tally(account, "passwordGraceUserTime"), can_help);
}

/*
 * A temporary password of the server's own (TPR).  Where the policy can be
 * read, what it has switched off ("-1") does not count.
 */
static void
ds389_temporary(const struct sr_ldap_entry *account,
                const struct sr_ldap_entry *policy, struct sr_facts *facts)
{
    bool is_known = get(policy, "passwordTPRMaxUse") != NULL;
    int most = tally(policy, "passwordTPRMaxUse");

    if (truth(account, "pwdTPRReset") != SR_YES)
        return;
    facts->must_change = SR_YES;
    if (!is_known || number(policy, "passwordTPRDelayValidFrom", -1) >= 0)
        facts->account_starts = moment(account, "pwdTPRValidFrom");
    if (!is_known || number(policy, "passwordTPRDelayExpireAt", -1) >= 0)
        facts->temporary_until = moment(account, "pwdTPRExpireAt");
    /* Used up: nothing but a reset helps. */
    if (most > 0 && tally(account, "pwdTPRUseCount") >= most) {
        facts->locked = SR_LOCK_ADMIN;
        facts->locked_why = SR_LOCK_WHY_DIRECTORY;
    }
}

static void
ds389_facts(const struct sr_ldap_entry *account,
            const struct sr_ldap_entry *policy, bool can_help,
            struct sr_facts *facts)
{
    sr_time changed = moment(account, "pwdUpdateTime");

    ds389_lock(account, policy, facts);
    ds389_expiry(account, policy, can_help, facts);
    if (changed != SR_TIME_UNKNOWN)
        facts->password_changed = changed;
    if (get(account, "passwordAllowChangeTime") != NULL)
        facts->may_change_from = moment(account, "passwordAllowChangeTime");
    if (truth_of(either(policy, "passwordChange", "pwdAllowUserChange")) ==
        SR_NO)
        facts->cannot_change = SR_YES;
    facts->failures = tally(account, "passwordRetryCount");
    ds389_temporary(account, policy, facts);
}

/* Whether the server itself knows when the password expires. */
static bool
has_expiry(const struct sr_ldap_entry *account,
           const struct sr_ldap_entry *policy)
{
    if (truth(policy, "passwordExp") == SR_NO)
        return false;
    return policy->count > 0 || get(account, "passwordExpirationTime") != NULL;
}

/* Empty and -1 both say that there is none. */
static bool
is_days(const char *text)
{
    return text[0] == '\0' || strcmp(text, "-1") == 0 ||
           strspn(text, "0123456789") == strlen(text);
}

const char *
sr_ldap_shadow_fault(const struct sr_ldap_entry *account,
                     const struct sr_ldap_entry *policy)
{
    static const char *const field[] = {"shadowExpire",  "shadowLastChange",
                                        "shadowMin",     "shadowMax",
                                        "shadowWarning", "shadowInactive"};
    /* The end of an account counts whoever ages the password. */
    size_t count =
        has_expiry(account, policy) ? 1 : sizeof(field) / sizeof(field[0]);

    for (size_t i = 0; i < count; i++) {
        const char *text = get(account, field[i]);

        if (text != NULL && !is_days(text))
            return field[i];
    }
    return NULL;
}

static long
days(const struct sr_ldap_entry *account, const char *attribute)
{
    return (long)number(account, attribute, -1);
}

static void
shadow_facts(const struct sr_ldap_entry *account, bool has_expiry,
             struct sr_facts *facts)
{
    const struct sr_ageing ageing = {
        .changed = days(account, "shadowLastChange"),
        .min = days(account, "shadowMin"),
        .max = days(account, "shadowMax"),
        .warn = days(account, "shadowWarning"),
        .inactive = days(account, "shadowInactive"),
    };
    long end = days(account, "shadowExpire");

    if (!has_expiry)
        sr_ageing_facts(&ageing, facts);
    if (end >= 0)
        earlier(&facts->account_ends, sr_ageing_day(end));
}

enum sr_ldap_kind
sr_ldap_kind(const struct sr_ldap_entry *account,
             const struct sr_ldap_entry *policy)
{
    if (has_any(account, shadow_marks) && !has_expiry(account, policy))
        return SR_LDAP_SHADOW;
    if (sr_ldap_is_ds389(account, policy))
        return SR_LDAP_DS389;
    return is_ppolicy(account, policy) ? SR_LDAP_PPOLICY : SR_LDAP_PLAIN;
}

void
sr_ldap_entry_facts(const struct sr_ldap_entry *account,
                    const struct sr_ldap_entry *policy, bool can_help,
                    struct sr_facts *facts)
{
    if (is_ppolicy(account, policy))
        ppolicy_facts(account, policy, can_help, facts);
    if (sr_ldap_is_ds389(account, policy))
        ds389_facts(account, policy, can_help, facts);
    shadow_facts(account, has_expiry(account, policy), facts);
}

void
sr_ldap_policy_demands(const struct sr_ldap_entry *policy,
                       struct sr_demands *demands)
{
    const struct sr_ldap_entry none = {0};

    demands->min_length = (unsigned)number_of(
        either(policy, "passwordMinLength", "pwdMinLength"), SECONDS_MAX, 0);
    demands->max_length = (unsigned)number(policy, "pwdMaxLength", 0);
    demands->history = (unsigned)number_of(
        either(policy, "passwordInHistory", "pwdInHistory"), SECONDS_MAX, 0);
    if (!sr_ldap_is_ds389(&none, policy))
        return;
    /* Both have a switch, and a number also when it is off. */
    if (truth(policy, "passwordCheckSyntax") == SR_NO)
        demands->min_length = 0;
    if (truth(policy, "passwordHistory") != SR_YES)
        demands->history = 0;
}

char *
sr_ldap_fingerprint(const struct sr_ldap_entry *account)
{
    static const char *const moved[] = {"pwdChangedTime", "pwdUpdateTime",
                                        "shadowLastChange"};
    const char *expiry = get(account, "passwordExpirationTime");
    /* Times are of whole seconds, and 389 need not show one: that a change is
     * demanded tells a temporary password from the one that its owner chose. */
    bool is_reset = truth(account, "pwdReset") == SR_YES ||
                    (expiry != NULL && strcmp(expiry, DS389_EPOCH) == 0);
    const char *by = "";
    char *out;

    for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
        if (by[0] == '\0' && get(account, moved[i]) != NULL)
            by = get(account, moved[i]);
    }
    if (asprintf(&out, "ldap:%s:%s%s", account->dn, by,
                 is_reset ? ":reset" : "") < 0)
        return NULL;
    return out;
}
