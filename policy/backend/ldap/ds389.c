/*
 * LDAP on 389: accounts of 389 Directory Server and its relatives.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/backend/ldap/ds389.h"
#include "policy/backend/ldap/syntax.h"

/* In passwordExpirationTime, in any spelling: changed while nothing expired,
 * and never. */
#define UNCOUNTED 1
#define NEVER     INT32_MAX

/*
 * The presets are what the server does where a policy does not mention an
 * attribute: of a policy of a subtree or a user, too, it is not what the global
 * policy says.  tests/system/test_389_policy.py compares them with a server.
 * Some of the policy the server also shows by the names of ppolicy; of the two
 * it returns one when both are asked for.
 */
#define ATTRIBUTES(X)                                                          \
    X(UNIQUE_ID, "nsUniqueId", NULL, ACCOUNT, -1)                              \
    X(EXPIRATION_TIME, "passwordExpirationTime", NULL, ACCOUNT, -1)            \
    X(ALLOW_CHANGE_TIME, "passwordAllowChangeTime", NULL, ACCOUNT, -1)         \
    X(GRACE_USER_TIME, "passwordGraceUserTime", NULL, ACCOUNT, 0)              \
    X(RETRY_COUNT, "passwordRetryCount", NULL, ACCOUNT, 0)                     \
    X(UNLOCK_TIME, "accountUnlockTime", NULL, ACCOUNT, -1)                     \
    X(ACCOUNT_LOCK, "nsAccountLock", NULL, ACCOUNT, 0)                         \
    X(UPDATE_TIME, "pwdUpdateTime", NULL, ACCOUNT, -1)                         \
    X(TPR_RESET, "pwdTPRReset", NULL, ACCOUNT, 0)                              \
    X(TPR_USE_COUNT, "pwdTPRUseCount", NULL, ACCOUNT, 0)                       \
    X(TPR_VALID_FROM, "pwdTPRValidFrom", NULL, ACCOUNT, -1)                    \
    X(TPR_EXPIRE_AT, "pwdTPRExpireAt", NULL, ACCOUNT, -1)                      \
    X(LAST_LOGIN, "lastLoginTime", NULL, ACCOUNT, -1)                          \
    X(CREATED, "createTimestamp", NULL, ACCOUNT, -1)                           \
    X(POLICY_UNIQUE_ID, "nsUniqueId", NULL, POLICY, -1)                        \
    X(EXP, "passwordExp", NULL, POLICY, 0)                                     \
    X(WARNING, "passwordWarning", "pwdExpireWarning", POLICY, 86400)           \
    X(GRACE_LIMIT, "passwordGraceLimit", "pwdGraceAuthNLimit", POLICY, 0)      \
    X(MUST_CHANGE, "passwordMustChange", "pwdMustChange", POLICY, 0)           \
    X(CHANGE, "passwordChange", "pwdAllowUserChange", POLICY, 1)               \
    X(LOCKOUT, "passwordLockout", "pwdLockout", POLICY, 0)                     \
    X(UNLOCK, "passwordUnlock", NULL, POLICY, 1)                               \
    X(MAX_FAILURE, "passwordMaxFailure", "pwdMaxFailure", POLICY, 3)           \
    X(MAX_AGE, "passwordMaxAge", "pwdMaxAge", POLICY, 8640000)                 \
    X(MIN_AGE, "passwordMinAge", "pwdMinAge", POLICY, 0)                       \
    X(TPR_MAX_USE, "passwordTPRMaxUse", NULL, POLICY, -1)                      \
    X(TPR_DELAY_VALID_FROM, "passwordTPRDelayValidFrom", NULL, POLICY, -1)     \
    X(TPR_DELAY_EXPIRE_AT, "passwordTPRDelayExpireAt", NULL, POLICY, -1)       \
    X(CHECK_SYNTAX, "passwordCheckSyntax", "pwdCheckQuality", POLICY, 0)       \
    X(MIN_LENGTH, "passwordMinLength", "pwdMinLength", POLICY, 8)              \
    X(HISTORY, "passwordHistory", NULL, POLICY, 0)                             \
    X(IN_HISTORY, "passwordInHistory", "pwdInHistory", POLICY, 6)              \
    X(INACTIVITY_LIMIT, "accountInactivityLimit", NULL, INACTIVE, 0)

#define NUMBER(number, name, alias, where, preset) number,
#define ROW(number, name, alias, where, preset)                                \
    [number] = {name, alias, SR_LDAP_OF_##where, preset},

enum { ATTRIBUTES(NUMBER) };
const struct sr_ldap_attribute sr_ldap_ds389[] = {ATTRIBUTES(ROW)};
const size_t sr_ldap_ds389_count =
    sizeof(sr_ldap_ds389) / sizeof(sr_ldap_ds389[0]);

#define AT(name) (&sr_ldap_ds389[name])

/* In an account: the DN of its account policy. */
#define POLICY_ATTRIBUTE "acctPolicySubentry"

static bool
has_any(const struct sr_ldap_entry *entry, const int *mark, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sr_ldap_entry_first(entry, AT(mark[i])->name) != NULL)
            return true;
    }
    return false;
}

bool
sr_ldap_ds389_is(const struct sr_ldap_view *view)
{
    static const int account[] = {
        UNIQUE_ID,       EXPIRATION_TIME, ALLOW_CHANGE_TIME,
        GRACE_USER_TIME, RETRY_COUNT,     UNLOCK_TIME,
        ACCOUNT_LOCK,    UPDATE_TIME,     TPR_RESET};
    static const int policy[] = {POLICY_UNIQUE_ID, EXP, UNLOCK, TPR_MAX_USE};

    return has_any(view->account, account, sizeof(account) / sizeof(int)) ||
           has_any(view->policy, policy, sizeof(policy) / sizeof(int));
}

enum sr_tri
sr_ldap_ds389_ages(struct sr_ldap_view *view)
{
    if (sr_ldap_view_has_policy(view))
        return sr_ldap_view_switch(view, AT(EXP));
    return sr_ldap_view_text(view, AT(EXPIRATION_TIME)) != NULL ? SR_YES
                                                                : SR_UNKNOWN;
}

/* Whether a time is SR_LDAP_DS389_EPOCH in any spelling; what is before it is
 * read as 0, too. */
static bool
is_epoch(const char *text, sr_time when)
{
    return when == 0 && strncmp(text, SR_LDAP_DS389_EPOCH, 4) == 0;
}

/* A count of failures, which has 32 bits and no sign there. */
static int64_t
failures_of(struct sr_ldap_view *view, int attribute)
{
    const int64_t count = sr_ldap_view_number(view, AT(attribute));

    return count >= 0 || sr_ldap_view_text(view, AT(attribute)) == NULL
               ? count
               : UINT32_MAX;
}

/* A count of logins; the server reads one above an int as another. */
static int64_t
logins_of(struct sr_ldap_view *view, int attribute)
{
    const int64_t count = sr_ldap_view_number(view, AT(attribute));

    if (count > INT32_MAX)
        sr_ldap_view_fail(view, AT(attribute));
    return count;
}

/* Whether the server ignores the time of a lock: without passwordLockout, or
 * with fewer failures than are too many. */
static bool
is_lock_ignored(struct sr_ldap_view *view)
{
    enum sr_tri locks = sr_ldap_view_switch(view, AT(LOCKOUT));
    int64_t most = failures_of(view, MAX_FAILURE);

    return locks == SR_NO ||
           (most >= 0 && failures_of(view, RETRY_COUNT) < most);
}

static void
lock_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    const char *lock = sr_ldap_view_text(view, AT(ACCOUNT_LOCK));
    const char *text = sr_ldap_view_text(view, AT(UNLOCK_TIME));
    sr_time until = sr_ldap_view_time(view, AT(UNLOCK_TIME));
    enum sr_tri unlocks = sr_ldap_view_switch(view, AT(UNLOCK));
    bool is_for_good;

    /* A text to the server, of which only "true" counts. */
    facts->disabled =
        lock != NULL && strcasecmp(lock, "true") == 0 ? SR_YES : SR_NO;
    if (facts->locked == SR_LOCK_UNKNOWN)
        facts->locked = SR_LOCK_NO;
    if (is_lock_ignored(view) || text == NULL)
        return;
    is_for_good = is_epoch(text, until);
    if (is_for_good && unlocks == SR_YES)
        return; /* a time like any other then, and long past */
    facts->locked_why = SR_LOCK_WHY_DIRECTORY;
    facts->locked_until = until;
    facts->locked = is_for_good ? SR_LOCK_ADMIN : SR_LOCK_UNTIL;
}

enum sr_tri
sr_ldap_ds389_enforces_reset(struct sr_ldap_view *view)
{
    return sr_ldap_view_switch(view, AT(MUST_CHANGE));
}

static void
expiry_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    const char *text = sr_ldap_view_text(view, AT(EXPIRATION_TIME));
    sr_time when = sr_ldap_view_time(view, AT(EXPIRATION_TIME));
    int64_t warning = sr_ldap_view_duration(view, AT(WARNING));
    enum sr_tri demands = sr_ldap_ds389_enforces_reset(view);

    if (text == NULL)
        return;
    if (is_epoch(text, when)) {
        /* A demand that the policy does not enforce is none. */
        facts->must_change = demands == SR_NO ? SR_NO : SR_YES;
        return;
    }
    facts->must_change = SR_NO;
    if (sr_ldap_view_switch(view, AT(EXP)) == SR_NO) {
        facts->password_expires = SR_TIME_NEVER;
        return;
    }
    if (when == UNCOUNTED)
        return;
    facts->password_expires = when == NEVER ? SR_TIME_NEVER : when;
    if (warning > 0 && SR_TIME_IS_SET(facts->password_expires))
        facts->warn_from = facts->password_expires - warning;
    facts->grace_left = sr_ldap_view_grace(view, logins_of(view, GRACE_LIMIT),
                                           logins_of(view, GRACE_USER_TIME));
}

bool
sr_ldap_ds389_is_temporary(struct sr_ldap_view *view)
{
    return sr_ldap_view_switch(view, AT(TPR_RESET)) == SR_YES;
}

/* A time of TPR; the server writes -1 for "none". */
static sr_time
temporary_time(struct sr_ldap_view *view, int attribute)
{
    const char *text = sr_ldap_view_text(view, AT(attribute));

    return text != NULL && strcmp(text, "-1") == 0
               ? SR_TIME_UNKNOWN
               : sr_ldap_view_time(view, AT(attribute));
}

/*
 * A temporary password of the server's own (TPR).  Where the policy can be
 * read, what it has switched off (-1) does not count.
 */
static void
temporary_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    bool is_known = sr_ldap_view_has_policy(view);
    int64_t most = sr_ldap_view_number(view, AT(TPR_MAX_USE));

    if (!sr_ldap_ds389_is_temporary(view))
        return;
    facts->must_change = SR_YES;
    if (!is_known || sr_ldap_view_number(view, AT(TPR_DELAY_VALID_FROM)) >= 0)
        facts->account_starts = temporary_time(view, TPR_VALID_FROM);
    if (!is_known || sr_ldap_view_number(view, AT(TPR_DELAY_EXPIRE_AT)) >= 0)
        facts->temporary_until = temporary_time(view, TPR_EXPIRE_AT);
    /* Used up: only another reset helps. */
    if (most >= 0 && sr_ldap_view_number(view, AT(TPR_USE_COUNT)) >= most) {
        facts->locked = SR_LOCK_ADMIN;
        facts->locked_why = SR_LOCK_WHY_DIRECTORY;
    }
}

/* The account policy plug-in refuses every bind when the last login, or else
 * the creation, is longer ago than the limit. */
static void
inactive_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    struct sr_ldap_attribute state = *AT(LAST_LOGIN), other = *AT(CREATED);
    struct sr_ldap_attribute most = *AT(INACTIVITY_LIMIT);
    int64_t limit;
    sr_time since;

    if (view->inactive == NULL || view->inactive->count == 0 || view->is_active)
        return;
    if (view->state_attribute != NULL)
        state.name = view->state_attribute;
    if (view->other_attribute != NULL)
        other.name = view->other_attribute;
    if (view->limit_attribute != NULL)
        most.name = view->limit_attribute;
    /* To the server -1 is a number like others, and no login is new enough. */
    limit = sr_ldap_view_number(view, &most);
    since = sr_ldap_view_time(view, &state);
    if (since == SR_TIME_UNKNOWN && view->fault == NULL)
        since = sr_ldap_view_time(view, &other);
    if (since != SR_TIME_UNKNOWN && (facts->account_ends == SR_TIME_UNKNOWN ||
                                     since + limit < facts->account_ends))
        facts->account_ends = since + limit;
}

void
sr_ldap_ds389_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    sr_time changed = sr_ldap_view_time(view, AT(UPDATE_TIME));
    sr_time least = sr_ldap_view_time(view, AT(ALLOW_CHANGE_TIME));
    int64_t failures = sr_ldap_view_number(view, AT(RETRY_COUNT));

    lock_facts(view, facts);
    expiry_facts(view, facts);
    if (changed != SR_TIME_UNKNOWN)
        facts->password_changed = changed;
    /* Left over, it counts no more. */
    if (least != SR_TIME_UNKNOWN &&
        sr_ldap_view_duration(view, AT(MIN_AGE)) != 0)
        facts->may_change_from = least;
    if (sr_ldap_view_switch(view, AT(CHANGE)) == SR_NO)
        facts->cannot_change = SR_YES;
    facts->failures = failures < 0         ? 0
                      : failures > INT_MAX ? INT_MAX
                                           : (int)failures;
    temporary_facts(view, facts);
    inactive_facts(view, facts);
}

const char *
sr_ldap_ds389_state_attribute(const struct sr_ldap_view *view)
{
    return view->state_attribute != NULL ? view->state_attribute
                                         : AT(LAST_LOGIN)->name;
}

static unsigned
demand(struct sr_ldap_view *view, int on, int attribute)
{
    int64_t value = sr_ldap_view_number(view, AT(attribute));

    /* Each has a switch, and a number also while it is off. */
    return value < 0 || sr_ldap_view_switch(view, AT(on)) == SR_NO
               ? 0
               : (unsigned)value;
}

void
sr_ldap_ds389_demands(struct sr_ldap_view *view, struct sr_demands *demands)
{
    demands->min_length = demand(view, CHECK_SYNTAX, MIN_LENGTH);
    demands->history = demand(view, HISTORY, IN_HISTORY);
}

sr_time
sr_ldap_ds389_expiry(struct sr_ldap_view *view)
{
    sr_time changed = sr_ldap_view_time(view, AT(UPDATE_TIME));
    int64_t age = sr_ldap_view_duration(view, AT(MAX_AGE));

    if (changed == SR_TIME_UNKNOWN || age <= 0 ||
        sr_ldap_view_switch(view, AT(EXP)) != SR_YES)
        return SR_TIME_UNKNOWN;
    return changed + age;
}

/* ---- the server */

const char *const sr_ldap_ds389_config[] = {
    "nsslapd-pwpolicy-local", "nsslapd-pluginInitfunc",
    "nsslapd-pluginEnabled",  "alwaysRecordLogin",
    "stateAttrName",          "altStateAttrName",
    "specAttrName",           "limitAttrName",
    "accountInactivityLimit", NULL};

const char *
sr_ldap_ds389_policy_attribute(const struct sr_ldap_ds389_server *server)
{
    return server->policy_attribute[0] != '\0' ? server->policy_attribute
                                               : POLICY_ATTRIBUTE;
}

bool
sr_ldap_ds389_has_names(const struct sr_ldap_ds389_server *server)
{
    return server->state_attribute[0] != '\0' ||
           server->other_attribute[0] != '\0' ||
           server->policy_attribute[0] != '\0';
}

bool
sr_ldap_ds389_has_same_names(const struct sr_ldap_ds389_server *one,
                             const struct sr_ldap_ds389_server *other)
{
    return strcmp(one->state_attribute, other->state_attribute) == 0 &&
           strcmp(one->other_attribute, other->other_attribute) == 0 &&
           strcmp(one->policy_attribute, other->policy_attribute) == 0 &&
           strcmp(one->limit_attribute, other->limit_attribute) == 0;
}

static enum sr_tri
switch_of(const struct sr_ldap_entry *entry, const char *attribute)
{
    const char *text = sr_ldap_entry_first(entry, attribute);
    bool value;

    if (text == NULL || !sr_ldap_switch(text, &value))
        return SR_UNKNOWN;
    return value ? SR_YES : SR_NO;
}

/* The name of an attribute, unless it is the default one. */
static void
copy_name(const struct sr_ldap_entry *entry, const char *attribute,
          const char *preset, char name[64],
          struct sr_ldap_ds389_server *server)
{
    const char *text = sr_ldap_entry_first(entry, attribute);

    if (text != NULL && strlen(text) >= sizeof(server->limit_attribute))
        server->has_inactivity = SR_UNKNOWN; /* no attribute has such a name */
    else if (text != NULL && strcasecmp(text, preset) != 0)
        snprintf(name, sizeof(server->limit_attribute), "%s", text);
}

/* The plug-in's own configuration.  A limit by another name is not among what
 * was searched for. */
static int
read_plugin(const struct sr_ldap_entry *entry,
            struct sr_ldap_ds389_server *server)
{
    const char *limit = sr_ldap_entry_first(entry, "accountInactivityLimit");

    copy_name(entry, "stateAttrName", AT(LAST_LOGIN)->name,
              server->state_attribute, server);
    copy_name(entry, "altStateAttrName", AT(CREATED)->name,
              server->other_attribute, server);
    copy_name(entry, "specAttrName", POLICY_ATTRIBUTE, server->policy_attribute,
              server);
    copy_name(entry, "limitAttrName", AT(INACTIVITY_LIMIT)->name,
              server->limit_attribute, server);
    return limit == NULL || server->limit_attribute[0] != '\0'
               ? 0
               : sr_ldap_entry_add(&server->inactive, "accountInactivityLimit",
                                   limit, strlen(limit));
}

int
sr_ldap_ds389_server(const struct sr_ldap_entry *found, size_t count,
                     struct sr_ldap_ds389_server *server)
{
    int status = 0;

    server->is_read = true;
    for (size_t i = 0; i < count; i++) {
        if (sr_ldap_entry_first(&found[i], "nsslapd-pluginInitfunc") != NULL)
            server->has_inactivity =
                switch_of(&found[i], "nsslapd-pluginEnabled");
        else if (sr_ldap_entry_first(&found[i], "nsslapd-pwpolicy-local") !=
                 NULL)
            server->has_local = switch_of(&found[i], "nsslapd-pwpolicy-local");
    }
    for (size_t i = 0; i < count && status == 0; i++) {
        if (sr_ldap_entry_first(&found[i], "nsslapd-pluginInitfunc") == NULL &&
            sr_ldap_entry_first(&found[i], "nsslapd-pwpolicy-local") == NULL)
            status = read_plugin(&found[i], server);
    }
    return status;
}
