/*
 * LDAP administer: orders of an administrator, carried out as the service.
 *
 * The server decides whether the service may.  The attributes are those
 * that the entry has, or that servers of its kind have.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "policy/backend/ldap/ad_administer.h"
#include "policy/backend/ldap/administer.h"
#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/ds389.h"
#include "policy/backend/ldap/openldap.h"
#include "policy/backend/ldap/request.h"

#define CHANGES_MAX 8

/* The changes of one request, which the server makes together or not at all. */
struct changes {
    LDAPMod mod[CHANGES_MAX];
    char *value[CHANGES_MAX][2];
    LDAPMod *list[CHANGES_MAX + 1];
    size_t count;
};

/* `value` NULL: all values go. */
static void
add_change(struct changes *changes, const char *attribute, const char *value)
{
    size_t at = changes->count++;

    changes->value[at][0] = (char *)(uintptr_t)value;
    changes->value[at][1] = NULL;
    changes->mod[at] = (LDAPMod){
        .mod_op = value == NULL ? LDAP_MOD_DELETE : LDAP_MOD_REPLACE,
        .mod_type = (char *)(uintptr_t)attribute,
        .mod_values = value == NULL ? NULL : changes->value[at],
    };
    changes->list[at] = &changes->mod[at];
    changes->list[at + 1] = NULL;
}

static bool
has(const struct sr_ldap_session *session, const char *attribute)
{
    return sr_ldap_entry_first(&session->known.entry, attribute) != NULL;
}

static struct sr_ldap_view *
view_of(struct sr_ldap_session *session)
{
    return &session->known.view;
}

static enum sr_write
refuse(struct sr_ldap_session *session, enum sr_refusal *refusal,
       const char *why)
{
    *refusal = SR_REFUSAL_OTHER;
    sr_ldap_why(session, "%s", why);
    return SR_WRITE_REFUSED;
}

/* Send changes, as the service, which are made together or not at all. */
static enum sr_write
send_together(struct sr_ldap_session *session, const char *dn,
              LDAPMod **changes, enum sr_refusal *refusal, bool *is_gone)
{
    LDAPControl policy = {
        .ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST};
    LDAPControl *controls[] = {&policy, NULL};
    struct sr_ldap_response answer;
    enum sr_write written;

    if (sr_ldap_as_service(session) != LDAP_SUCCESS)
        return SR_WRITE_FAILED;
    sr_ldap_modify(session, dn, changes, controls, &answer);
    *is_gone = answer.code == LDAP_NO_SUCH_ATTRIBUTE;
    written = sr_ldap_response_write(&answer, refusal);
    if (written != SR_WRITE_DONE)
        sr_ldap_why_response(session, &answer, "%s: ", changes[0]->mod_type);
    return written;
}

/* Send the changes.  When a value that one of them deletes is gone already, the
 * server makes none of them, and each is sent alone. */
static enum sr_write
send_changes(struct sr_ldap_session *session, const char *dn,
             struct changes *changes, enum sr_refusal *refusal)
{
    bool is_gone = false;
    enum sr_write written =
        send_together(session, dn, changes->list, refusal, &is_gone);

    if (is_gone)
        written = SR_WRITE_DONE;
    for (size_t i = 0; is_gone && changes->count > 1 && i < changes->count &&
                       written == SR_WRITE_DONE;
         i++) {
        LDAPMod *one[] = {&changes->mod[i], NULL};
        bool is_gone_too = false;

        written = send_together(session, dn, one, refusal, &is_gone_too);
        if (is_gone_too)
            written = SR_WRITE_DONE;
    }
    return written;
}

/* ---- unlock */

static enum sr_write
unlock(struct sr_ldap_session *session, const char *dn,
       enum sr_refusal *refusal)
{
    static const char *const lock[] = {
        "pwdAccountLockedTime", /* takes pwdFailureTime along */
        "accountUnlockTime", "passwordRetryCount", NULL};
    struct changes changes = {.count = 0};
    const sr_time now = (sr_time)time(NULL);
    char text[32];
    struct tm tm;

    if (sr_ldap_ds389_is_temporary(view_of(session)) &&
        session->known.facts.locked == SR_LOCK_ADMIN)
        return refuse(session, refusal,
                      "What keeps the user out is a temporary password of the "
                      "directory (TPR) that has been used too often.  Only "
                      "another one ends that: run \"selfresetctl temporary\".");
    for (size_t i = 0; lock[i] != NULL; i++) {
        if (has(session, lock[i]))
            add_change(&changes, lock[i], NULL);
    }
    if (changes.count == 0 && has(session, "pwdAccountTmpLockoutEnd") &&
        session->known.facts.locked == SR_LOCK_UNTIL)
        return refuse(session, refusal,
                      "The server refuses logins for some time after a wrong "
                      "password (pwdMinDelay), and lets nobody end that.  It "
                      "ends by itself, or with a new password.");
    if (session->known.is_idle && session->known.facts.account_ends <= now) {
        if (session->known.kind != SR_LDAP_DS389)
            return refuse(session, refusal,
                          "The account was not used for longer than the "
                          "pwdMaxIdle of its policy.  The server lets nobody "
                          "set the time of the last login: only another "
                          "policy ends that.");
        if (gmtime_r(&(time_t){now}, &tm) != NULL &&
            strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm) > 0)
            add_change(&changes,
                       sr_ldap_ds389_state_attribute(view_of(session)), text);
    }
    return changes.count == 0 ? SR_WRITE_DONE
                              : send_changes(session, dn, &changes, refusal);
}

/* ---- the demand for a change */

/* Why a demand would have no effect; NULL: it has one. */
static const char *
why_no_demand(struct sr_ldap_session *session)
{
    switch (sr_ldap_kind_of_demand(view_of(session))) {
    case SR_LDAP_PPOLICY:
        if (sr_ldap_openldap_enforces_reset(view_of(session)) == SR_NO)
            return "The password policy of the account has no \"pwdMustChange: "
                   "TRUE\", so the server would not enforce it.";
        return NULL;
    case SR_LDAP_DS389:
        if (sr_ldap_ds389_enforces_reset(view_of(session)) == SR_NO)
            return "The password policy of the account has no "
                   "\"passwordMustChange: on\", so the server would not "
                   "enforce it.";
        return NULL;
    case SR_LDAP_SHADOW:
        return NULL;
    case SR_LDAP_AD: /* see ad_administer.c */
    case SR_LDAP_PLAIN:
        break;
    }
    return "The directory shows no password policy of this account, and no "
           "shadowLastChange: there is nothing that could demand a change.  "
           "If it has a policy, name it as default_policy and let the "
           "service's identity read it.";
}

static enum sr_write
demand(struct sr_ldap_session *session, const char *dn,
       enum sr_refusal *refusal)
{
    struct changes changes = {.count = 0};

    switch (sr_ldap_kind_of_demand(view_of(session))) {
    case SR_LDAP_PPOLICY:
        add_change(&changes, "pwdReset", "TRUE");
        break;
    case SR_LDAP_DS389:
        add_change(&changes, "passwordExpirationTime", SR_LDAP_DS389_EPOCH);
        break;
    case SR_LDAP_SHADOW:
        add_change(&changes, "shadowLastChange", "0");
        break;
    case SR_LDAP_AD: /* see ad_administer.c */
    case SR_LDAP_PLAIN:
        return refuse(session, refusal, why_no_demand(session));
    }
    return send_changes(session, dn, &changes, refusal);
}

/* When the password expires by 389's own count, which the demand has replaced;
 * false where that is not shown. */
static bool
find_expiry(struct sr_ldap_session *session, char *text, size_t size)
{
    sr_time when = sr_ldap_ds389_expiry(view_of(session));
    struct tm tm;

    return when != SR_TIME_UNKNOWN && gmtime_r(&(time_t){when}, &tm) != NULL &&
           strftime(text, size, "%Y%m%d%H%M%SZ", &tm) > 0;
}

/* Clearing a demand keeps the age of the password, where the server stores
 * it in another attribute or shows when it was changed. */
static enum sr_write
waive(struct sr_ldap_session *session, const char *dn, enum sr_refusal *refusal)
{
    struct changes changes = {.count = 0};
    char text[32];

    switch (sr_ldap_kind_of_demand(view_of(session))) {
    case SR_LDAP_PPOLICY:
        add_change(&changes, "pwdReset", NULL);
        break;
    case SR_LDAP_DS389:
        if (sr_ldap_ds389_is_temporary(view_of(session)))
            return refuse(session, refusal,
                          "The password is a temporary one of the directory "
                          "(TPR), which only a new password ends.");
        add_change(&changes, "passwordExpirationTime",
                   find_expiry(session, text, sizeof(text)) ? text : NULL);
        break;
    case SR_LDAP_SHADOW:
        snprintf(text, sizeof(text), "%lld", (long long)(time(NULL) / SR_DAY));
        add_change(&changes, "shadowLastChange", text);
        break;
    case SR_LDAP_AD: /* see ad_administer.c */
    case SR_LDAP_PLAIN:
        return refuse(session, refusal, why_no_demand(session));
    }
    return send_changes(session, dn, &changes, refusal);
}

/* ---- a password that has to be changed */

/*
 * Whether the demand is there already: 389 treats a password that the service
 * sets as a reset, and sets the demand itself where the policy says so.
 */
static bool
is_demanded(struct sr_ldap_session *session, const char *dn)
{
    static const char *const attribute[] = {"passwordExpirationTime", NULL};
    struct sr_ldap_entry entry = {0};
    const char *text;
    size_t count;
    bool is_there;

    if (sr_ldap_kind_of_demand(view_of(session)) != SR_LDAP_DS389)
        return false;
    is_there = sr_ldap_search(session, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                              attribute, &entry, 1, &count) == LDAP_SUCCESS &&
               (text = sr_ldap_entry_first(&entry, attribute[0])) != NULL &&
               strcmp(text, SR_LDAP_DS389_EPOCH) == 0;
    sr_ldap_entry_clear(&entry);
    return is_there;
}

/* By the operation for passwords, for which every server hashes: some store the
 * value of a modification unhashed. */
static enum sr_write
send_password(struct sr_ldap_session *session, const char *dn,
              const char *password, enum sr_refusal *refusal)
{
    struct sr_ldap_response answer;
    enum sr_write written;

    if (sr_ldap_as_service(session) != LDAP_SUCCESS)
        return SR_WRITE_FAILED;
    sr_ldap_change(session, dn, NULL, password, &answer);
    written = sr_ldap_response_write(&answer, refusal);
    /* 389 gives the service the error of an owner who may not change it. */
    if (answer.code == LDAP_INSUFFICIENT_ACCESS &&
        sr_ldap_kind_of_demand(view_of(session)) == SR_LDAP_DS389)
        *refusal = SR_REFUSAL_NO_RIGHT;
    if (written != SR_WRITE_DONE)
        sr_ldap_why_response(session, &answer, "%s", "");
    return written;
}

/* Two requests: the password, and then the demand.  Between the two the
 * password is not known to any user yet. */
static enum sr_write
set_password(struct sr_ldap_session *session, const char *dn,
             const char *password, enum sr_refusal *refusal)
{
    const enum sr_write written = send_password(session, dn, password, refusal);

    if (written != SR_WRITE_DONE)
        return written;
    /* The password has been replaced already: a failure from here on is not
     * "nothing was done". */
    if (is_demanded(session, dn))
        return SR_WRITE_DONE;
    return demand(session, dn, refusal) == SR_WRITE_DONE ? SR_WRITE_DONE
                                                         : SR_WRITE_UNSURE;
}

/*
 * Refuse what would end between the two requests: an identity that may set
 * passwords but not demand a change would destroy the old password and give no
 * usable one.  389 needs no right for that where it makes the demand itself.
 */
static enum sr_write
admit_demand(struct sr_ldap_session *session, const char *dn,
             enum sr_refusal *refusal)
{
    const char *reset = sr_ldap_entry_first(&session->known.entry, "pwdReset");
    const char *attribute = "pwdReset";
    const char *absent =
        reset != NULL && strcasecmp(reset, "false") == 0 ? "TRUE" : "FALSE";
    enum sr_ldap_kind kind = sr_ldap_kind_of_demand(view_of(session));

    if (kind == SR_LDAP_SHADOW) {
        attribute = "shadowLastChange";
        absent = SR_LDAP_NO_NUMBER;
    } else if (kind != SR_LDAP_PPOLICY) {
        return SR_WRITE_DONE;
    }
    if (sr_ldap_as_service(session) != LDAP_SUCCESS)
        return SR_WRITE_FAILED;
    if (sr_ldap_may_write(session, dn, attribute, absent) != SR_NO)
        return SR_WRITE_DONE;
    *refusal = SR_REFUSAL_NO_RIGHT;
    sr_ldap_why(session, "%s: %s", attribute,
                ldap_err2string(LDAP_INSUFFICIENT_ACCESS));
    return SR_WRITE_REFUSED;
}

static enum sr_write
give_password(struct sr_ldap_session *session, const char *dn,
              const char *password, enum sr_refusal *refusal)
{
    const char *why = why_no_demand(session);
    enum sr_write admitted;

    if (why != NULL)
        return refuse(session, refusal, why);
    admitted = admit_demand(session, dn, refusal);
    return admitted == SR_WRITE_DONE
               ? set_password(session, dn, password, refusal)
               : admitted;
}

/*
 * The password that the owner has chosen.  A server that treats it as one of an
 * administrator demands a change, or one was demanded before: that is taken
 * back, where the service may.  Where it may not, the next login shows it.
 */
static enum sr_write
give_own_password(struct sr_ldap_session *session, const char *dn,
                  const char *password, enum sr_refusal *refusal)
{
    const enum sr_write written = send_password(session, dn, password, refusal);
    enum sr_refusal ignored;

    if (written == SR_WRITE_DONE &&
        sr_ldap_kind_of_demand(view_of(session)) != SR_LDAP_PLAIN)
        waive(session, dn, &ignored);
    return written;
}

/* 128 random bits: a value that no entry has, since it is to be deleted. */
static bool
make_absent(struct sr_ldap_session *session, char value[33])
{
    uint64_t random[2];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        sr_ldap_why(session, "no random numbers");
        return false;
    }
    snprintf(value, 33, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    return true;
}

/* Whether a password would be set, as far as the server shows it without; `dn`
 * NULL: whether it takes any changes. */
static enum sr_write
admit(struct sr_ldap_session *session, const char *dn, enum sr_refusal *refusal)
{
    const char *attribute = dn == NULL ? "description" : "userPassword";
    enum sr_write written = SR_WRITE_DONE;
    struct sr_ldap_response answer;
    char absent[33];

    if (sr_ldap_as_service(session) != LDAP_SUCCESS ||
        !make_absent(session, absent))
        return SR_WRITE_FAILED;
    sr_ldap_try_write(session, dn == NULL ? session->config->base : dn,
                      attribute, absent, &answer);
    if (sr_ldap_response_is_away(answer.code)) {
        written = SR_WRITE_FAILED;
    } else if (sr_ldap_response_is_read_only(&answer)) {
        written = SR_WRITE_REFUSED;
        *refusal = SR_REFUSAL_READ_ONLY;
    } else if (dn != NULL && answer.code == LDAP_INSUFFICIENT_ACCESS) {
        written = SR_WRITE_REFUSED;
        *refusal = SR_REFUSAL_NO_RIGHT;
    }
    if (written != SR_WRITE_DONE)
        sr_ldap_why_response(session, &answer, "%s: ", attribute);
    return written;
}

static enum sr_write
carry_out(struct sr_ldap_session *session, struct sr_account *account,
          enum sr_order order, const char *password, enum sr_refusal *refusal)
{
    const char *why, *dn = account == NULL ? NULL : account->entry;

    if (dn == NULL)
        return admit(session, NULL, refusal);
    if (session->config->type == SR_BACKEND_AD)
        return sr_ldap_ad_administer(session, account, order, password,
                                     refusal);
    switch (order) {
    case SR_ORDER_ADMIT:
        return admit(session, dn, refusal);
    case SR_ORDER_UNLOCK:
        return unlock(session, dn, refusal);
    case SR_ORDER_REQUIRE_CHANGE:
        why = why_no_demand(session);
        return why == NULL ? demand(session, dn, refusal)
                           : refuse(session, refusal, why);
    case SR_ORDER_CLEAR_CHANGE:
        return waive(session, dn, refusal);
    case SR_ORDER_SET_PASSWORD:
        return give_password(session, dn, password, refusal);
    case SR_ORDER_GIVE_PASSWORD:
        return give_own_password(session, dn, password, refusal);
    case SR_ORDER_NEVER_EXPIRES: /* no demand has taken that away */
        break;
    }
    return SR_WRITE_DONE;
}

enum sr_write
sr_ldap_administer(struct sr_call *call, struct sr_account *account,
                   enum sr_order order, const char *password,
                   enum sr_refusal *refusal)
{
    struct sr_ldap_session *session = sr_ldap_begin(call->state, call);
    enum sr_write written = SR_WRITE_FAILED;

    if (session == NULL)
        return SR_WRITE_FAILED;
    sr_ldap_answered(session);
    sr_ldap_renew(session);
    if (call->backend->config->identity == SR_IDENTITY_NONE)
        written = refuse(session, refusal,
                         "No identity is configured by which this host could "
                         "do it: see \"identity\" in selfreset.conf(5).");
    else if (account != NULL &&
             (session->known.name == NULL ||
              strcmp(session->known.entry.dn, account->entry) != 0))
        sr_ldap_why(session, "the account was not looked up");
    else
        do
            written = carry_out(session, account, order, password, refusal);
        while (written == SR_WRITE_REFUSED &&
               *refusal == SR_REFUSAL_READ_ONLY &&
               sr_ldap_leave_server(session));
    if (order != SR_ORDER_ADMIT) {
        sr_ldap_forget(session);
        sr_ldap_policies_clear(&session->policies);
    }
    session->has_response = false;
    sr_ldap_end(session);
    return written;
}
