/*
 * LDAP administer, on Active Directory: orders of an administrator.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/backend/ldap/ad_administer.h"
#include "policy/backend/ldap/ad_values.h"
#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/request.h"
#include "policy/util/utf8.h"

#define UAC_DONT_EXPIRE 0x00010000u

/* LDAP_SERVER_POLICY_HINTS (MS-ADTS 3.1.1.3.4.1.27): a reset obeys the history
 * of passwords, too. */
#define POLICY_HINTS "1.2.840.113556.1.4.2239"

/* unicodePwd (MS-ADTS 3.1.1.3.1.5): in quotes, UTF-16. */
#define UNICODE_MAX ((SR_POINTS_MAX * 2 + 2) * 2)

#define CHANGES_MAX 4

/* The changes of one modification. */
struct changes {
    LDAPMod mod[CHANGES_MAX];
    struct berval value[CHANGES_MAX];
    struct berval *values[CHANGES_MAX][2];
    LDAPMod *list[CHANGES_MAX + 1];
    size_t count;
};

static void
add_change(struct changes *changes, int operation, const char *attribute,
           const char *value, size_t size)
{
    size_t at = changes->count++;

    changes->value[at] =
        (struct berval){.bv_len = size, .bv_val = (char *)(uintptr_t)value};
    changes->values[at][0] = &changes->value[at];
    changes->values[at][1] = NULL;
    changes->mod[at] = (LDAPMod){
        .mod_op = operation | LDAP_MOD_BVALUES,
        .mod_type = (char *)(uintptr_t)attribute,
        .mod_vals.modv_bvals = changes->values[at],
    };
    changes->list[at] = &changes->mod[at];
    changes->list[at + 1] = NULL;
}

static void
replace(struct changes *changes, const char *attribute, const char *value,
        size_t size)
{
    add_change(changes, LDAP_MOD_REPLACE, attribute, value, size);
}

static enum sr_write
refuse(struct sr_ldap_session *session, enum sr_refusal *refusal,
       const char *why)
{
    *refusal = SR_REFUSAL_OTHER;
    sr_ldap_why(session, "%s", why);
    return SR_WRITE_REFUSED;
}

/* ---- who is never reset */

/* Whether a group that the account is in, however nested, is privileged. */
static bool
is_privileged(const struct sr_ldap_entry *entry, const char *attribute)
{
    const struct sr_ldap_value *sid;
    size_t at = 0;

    while ((sid = sr_ldap_entry_value(entry, attribute, &at)) != NULL) {
        if (sr_ad_is_privileged((const uint8_t *)sid->text, sid->size))
            return true;
    }
    return false;
}

/* SR_UNKNOWN, and the session's error says why: it could not be read. */
static enum sr_tri
is_protected(struct sr_ldap_session *session, const char *dn)
{
    /* tokenGroups is told in searches of one entry only. */
    static const char *const attribute[] = {"tokenGroups", "objectSid",
                                            "adminCount", NULL};
    struct sr_ldap_entry entry = {0};
    enum sr_tri answer = SR_UNKNOWN;
    const char *count;
    size_t found;
    int code = sr_ldap_search(session, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                              attribute, &entry, 1, &found);

    count = sr_ldap_entry_first(&entry, "adminCount");
    if (code != LDAP_SUCCESS)
        answer = SR_UNKNOWN;
    else if (is_privileged(&entry, "tokenGroups") ||
             is_privileged(&entry, "objectSid") ||
             (count != NULL && strcmp(count, "0") != 0))
        answer = SR_YES;
    else if (found == 1 && !entry.is_cut &&
             sr_ldap_entry_first(&entry, "tokenGroups") != NULL)
        answer = SR_NO;
    else
        sr_ldap_why(session,
                    "tokenGroups of %s cannot be read, so it is not known "
                    "whether it is an administrator",
                    dn);
    sr_ldap_entry_clear(&entry);
    return answer;
}

/* ---- the history of passwords */

/* Whether the server lets a reset obey the history. */
static enum sr_tri
has_hints(struct sr_ldap_session *session)
{
    static const char *const attribute[] = {"supportedControl", NULL};
    struct sr_ldap_entry root = {0};
    enum sr_tri answer = SR_UNKNOWN;
    const char *control;
    size_t count, at = 0;

    if (sr_ldap_search(session, "", LDAP_SCOPE_BASE, "(objectClass=*)",
                       attribute, &root, 1, &count) == LDAP_SUCCESS) {
        answer = SR_NO;
        while ((control = sr_ldap_entry_next(&root, attribute[0], &at)) != NULL)
            if (strcmp(control, POLICY_HINTS) == 0)
                answer = SR_YES;
    }
    sr_ldap_entry_clear(&root);
    return answer;
}

/* ---- sending */

/* What a domain controller means by its refusal: the number before its text is
 * a Win32 error (MS-ERREF 2.2). */
static enum sr_refusal
refusal_of(const struct sr_ldap_response *answer, enum sr_refusal otherwise)
{
    const unsigned long number = strtoul(answer->text, NULL, 16);

    if (answer->code == LDAP_INSUFFICIENT_ACCESS)
        return SR_REFUSAL_NO_RIGHT;
    return number == 0x52D ? SR_REFUSAL_QUALITY : otherwise;
}

static enum sr_write
send(struct sr_ldap_session *session, const char *dn, struct changes *changes,
     bool has_hints, enum sr_refusal *refusal)
{
    /* SEQUENCE { INTEGER 1 } */
    static const char value[] = {0x30, 0x03, 0x02, 0x01, 0x01};
    LDAPControl hints = {
        .ldctl_oid = (char *)(uintptr_t)POLICY_HINTS,
        .ldctl_value = {sizeof(value), (char *)(uintptr_t)value},
        .ldctl_iscritical = 1};
    LDAPControl *controls[] = {has_hints ? &hints : NULL, NULL};
    struct sr_ldap_response answer;
    enum sr_write written;

    if (sr_ldap_as_service(session) != LDAP_SUCCESS)
        return SR_WRITE_FAILED;
    sr_ldap_modify(session, dn, changes->list, controls, &answer);
    written = sr_ldap_response_write(&answer, refusal);
    if (written == SR_WRITE_REFUSED && *refusal != SR_REFUSAL_READ_ONLY)
        *refusal = refusal_of(&answer, *refusal);
    if (written != SR_WRITE_DONE)
        sr_ldap_why_response(session, &answer,
                             "%s: ", changes->list[0]->mod_type);
    return written;
}

/* ---- the orders */

/* Set or clear the bit of a password that never expires, where it is not so.
 * `text` has room for a number. */
static void
add_control(const struct sr_ldap_entry *entry, bool never,
            struct changes *changes, char text[16])
{
    const char *control = sr_ldap_entry_first(entry, "userAccountControl");
    uint32_t bits = 0;

    if (control == NULL || !sr_ad_bits(control, &bits) ||
        ((bits & UAC_DONT_EXPIRE) != 0) == never)
        return;
    snprintf(text, 16, "%" PRId32, (int32_t)(bits ^ UAC_DONT_EXPIRE));
    replace(changes, "userAccountControl", text, strlen(text));
}

/* Demand a change, in the same modification.  A password that never expires
 * need not be changed either (MS-SAMR 3.1.1.8.7), so that is taken away. */
static void
add_demand(const struct sr_ldap_entry *entry, struct changes *changes,
           char text[16])
{
    replace(changes, "pwdLastSet", "0", 1);
    add_control(entry, false, changes, text);
}

/* Whether wrong passwords have locked it, be it that this is over. */
static bool
is_locked(const struct sr_ldap_entry *entry)
{
    const char *since = sr_ldap_entry_first(entry, "lockoutTime");

    return since != NULL && strcmp(since, "0") != 0;
}

/* A password as unicodePwd takes it; 0: it is not UTF-8, or too long. */
static size_t
encode(const char *password, char out[UNICODE_MAX])
{
    size_t size = 0;
    uint32_t point;
    int read = 1;

    out[size++] = '"';
    out[size++] = '\0';
    while (size < UNICODE_MAX - 8 &&
           (read = sr_utf8_next(&password, &point)) > 0) {
        uint32_t unit[2] = {point, 0};

        if (point >= 0x10000) { /* a pair of surrogates */
            unit[0] = 0xD800 + ((point - 0x10000) >> 10);
            unit[1] = 0xDC00 + ((point - 0x10000) & 0x3FF);
        }
        for (size_t i = 0; i < 2 && (i == 0 || unit[1] != 0); i++) {
            out[size++] = (char)(unit[i] & 0xFF);
            out[size++] = (char)(unit[i] >> 8);
        }
    }
    out[size++] = '"';
    out[size++] = '\0';
    return read == 0 ? size : 0;
}

static enum sr_write
set_password(struct sr_ldap_session *session, struct sr_account *account,
             const char *password, bool demands, enum sr_refusal *refusal)
{
    const enum sr_tri hints = has_hints(session);
    struct changes changes = {.count = 0};
    char unicode[UNICODE_MAX], text[16];
    size_t size = encode(password, unicode);
    enum sr_write written = SR_WRITE_FAILED;

    if (hints == SR_NO && session->config->reset_history)
        written =
            refuse(session, refusal,
                   "Its domain controllers do not apply the history of "
                   "passwords to one that is set by an administrator.  To set "
                   "it without, configure \"reset_history = no\".");
    else if (size == 0)
        written = refuse(session, refusal, "The password is not UTF-8.");
    else if (hints != SR_UNKNOWN) {
        account->skips_history = hints == SR_NO;
        replace(&changes, "unicodePwd", unicode, size);
        if (demands)
            add_demand(&session->known.entry, &changes, text);
        else if (is_locked(&session->known.entry)) /* or none could log in */
            replace(&changes, "lockoutTime", "0", 1);
        written =
            send(session, account->entry, &changes, hints == SR_YES, refusal);
    }
    explicit_bzero(unicode, sizeof(unicode));
    return written;
}

static enum sr_write
carry_out(struct sr_ldap_session *session, struct sr_account *account,
          enum sr_order order, const char *password, enum sr_refusal *refusal)
{
    struct changes changes = {.count = 0};
    char text[16];

    switch (order) {
    case SR_ORDER_ADMIT: /* it is no administrator */
        return SR_WRITE_DONE;
    case SR_ORDER_UNLOCK:
        replace(&changes, "lockoutTime", "0", 1);
        break;
    case SR_ORDER_REQUIRE_CHANGE:
        add_demand(&session->known.entry, &changes, text);
        break;
    case SR_ORDER_CLEAR_CHANGE: /* no other value is taken: it is now */
        replace(&changes, "pwdLastSet", "-1", 2);
        break;
    case SR_ORDER_SET_PASSWORD:
    case SR_ORDER_GIVE_PASSWORD:
        return set_password(session, account, password,
                            order == SR_ORDER_SET_PASSWORD, refusal);
    case SR_ORDER_NEVER_EXPIRES:
        add_control(&session->known.entry, true, &changes, text);
        if (changes.count == 0) /* it is so already */
            return SR_WRITE_DONE;
        break;
    }
    return send(session, account->entry, &changes, false, refusal);
}

enum sr_write
sr_ldap_ad_administer(struct sr_ldap_session *session,
                      struct sr_account *account, enum sr_order order,
                      const char *password, enum sr_refusal *refusal)
{
    switch (is_protected(session, account->entry)) {
    case SR_NO:
        return carry_out(session, account, order, password, refusal);
    case SR_YES:
        return refuse(session, refusal,
                      "It is an administrator of the domain, or in a group of "
                      "administrators, and those are never changed from here.");
    default:
        return SR_WRITE_FAILED;
    }
}

/* ---- the identity's own password */

/* The domain's minimum age, in seconds; 0: there is none, or it is not shown.
 */
static int64_t
minimum_age(struct sr_ldap_session *session)
{
    static const char *const attribute[] = {"minPwdAge", NULL};
    struct sr_ldap_entry head = {0};
    int64_t interval, seconds = 0;
    const char *text;
    size_t count;

    if (sr_ldap_search(session, session->config->default_policy,
                       LDAP_SCOPE_BASE, "(objectClass=*)", attribute, &head, 1,
                       &count) == LDAP_SUCCESS) {
        text = sr_ldap_entry_first(&head, attribute[0]);
        if (text == NULL || !sr_ad_number(text, &interval) ||
            !sr_ad_interval(interval, &seconds))
            seconds = 0;
    }
    sr_ldap_entry_clear(&head);
    return seconds;
}

/* When it was set, plus the minimum age; unknown: at any time. */
static sr_time
old_enough_from(struct sr_ldap_session *session,
                const struct sr_ldap_entry *entry)
{
    const char *text = sr_ldap_entry_first(entry, "pwdLastSet");
    int64_t set, age;
    sr_time when;

    if (text == NULL || !sr_ad_number(text, &set) || set <= 0 ||
        !sr_ad_time(set, &when))
        return SR_TIME_UNKNOWN;
    age = minimum_age(session);
    return age <= 0 ? SR_TIME_UNKNOWN : when + age;
}

static enum sr_tri
cannot_change(const struct sr_ldap_entry *entry)
{
    size_t at = 0, at_sid = 0;
    const struct sr_ldap_value *descriptor =
        sr_ldap_entry_value(entry, "nTSecurityDescriptor", &at);
    const struct sr_ldap_value *sid =
        sr_ldap_entry_value(entry, "objectSid", &at_sid);
    enum sr_tri denies = SR_UNKNOWN;

    if (descriptor == NULL ||
        !sr_ad_denies_change((const uint8_t *)descriptor->text,
                             descriptor->size,
                             sid == NULL ? NULL : (const uint8_t *)sid->text,
                             sid == NULL ? 0 : sid->size, &denies))
        denies = SR_UNKNOWN;
    return denies;
}

bool
sr_ldap_ad_own(struct sr_ldap_session *session, const char *filter,
               struct sr_ldap_ad_own *own)
{
    static const char *const attribute[] = {
        "objectClass", "pwdLastSet", "objectSid", "nTSecurityDescriptor", NULL};
    struct sr_ldap_entry entry = {0};
    bool is_found = false;
    const char *text;
    size_t count, at = 0;

    *own = (struct sr_ldap_ad_own){.may_change_from = SR_TIME_UNKNOWN};
    if (sr_ldap_search(session, session->config->default_policy,
                       LDAP_SCOPE_SUBTREE, filter, attribute, &entry, 1,
                       &count) == LDAP_SUCCESS) {
        is_found = true;
        while ((text = sr_ldap_entry_next(&entry, attribute[0], &at)) != NULL)
            if (strcasecmp(text, "msDS-GroupManagedServiceAccount") == 0)
                own->is_group_managed = true;
        own->cannot_change = cannot_change(&entry);
        own->may_change_from = old_enough_from(session, &entry);
    }
    sr_ldap_entry_clear(&entry);
    return is_found;
}

enum sr_write
sr_ldap_ad_change_own(struct sr_ldap_session *session, const char *dn,
                      const char *old, const char *password,
                      enum sr_refusal *refusal)
{
    struct changes changes = {.count = 0};
    char before[UNICODE_MAX], after[UNICODE_MAX];
    const size_t old_size = encode(old, before);
    const size_t size = encode(password, after);
    enum sr_write written;

    if (old_size == 0 || size == 0) {
        written = refuse(session, refusal, "The password is not UTF-8.");
    } else {
        add_change(&changes, LDAP_MOD_DELETE, "unicodePwd", before, old_size);
        add_change(&changes, LDAP_MOD_ADD, "unicodePwd", after, size);
        written = send(session, dn, &changes, false, refusal);
    }
    explicit_bzero(before, sizeof(before));
    explicit_bzero(after, sizeof(after));
    return written;
}
