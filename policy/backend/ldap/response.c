/*
 * LDAP answers: what the code and the controls of a response mean.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <lber.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/response.h"
#include "policy/util/utf8.h"

/* Tags of the password policy response (draft-behera-ldap-password-policy-10,
 * section 6.2). */
#define TAG_WARNING 0xa0ul
#define TAG_EXPIRES 0x80ul
#define TAG_GRACE   0x81ul
#define TAG_ERROR   0x81ul

/* Its errors that are decided upon; the rest are refusals of a change. */
enum { EXPIRED = 0, LOCKED = 1, MUST_CHANGE = 2, NEEDS_OLD = 4, ERROR_MAX = 9 };

void
sr_ldap_response_init(struct sr_ldap_response *answer, int code)
{
    memset(answer, 0, sizeof(*answer));
    answer->code = code;
    answer->expires = -1;
    answer->grace = -1;
    answer->error = -1;
}

bool
sr_ldap_response_is_away(int code)
{
    switch (code) {
    case LDAP_SERVER_DOWN:
    case LDAP_CONNECT_ERROR:
    case LDAP_TIMEOUT:
    case LDAP_DECODING_ERROR: /* no LDAP server answers there */
    case LDAP_LOCAL_ERROR:
    case LDAP_BUSY:
    case LDAP_UNAVAILABLE:
        return true;
    default:
        return false;
    }
}

/* warning [0] CHOICE { timeBeforeExpiration [0], graceAuthNsRemaining [1] } */
static bool
read_warning(BerElement *ber, struct sr_ldap_response *answer)
{
    ber_len_t length;
    ber_tag_t tag;
    ber_int_t value;

    if (ber_skip_tag(ber, &length) != TAG_WARNING)
        return false;
    tag = ber_peek_tag(ber, &length);
    if ((tag != TAG_EXPIRES && tag != TAG_GRACE) ||
        ber_get_int(ber, &value) != tag || value < 0)
        return false;
    if (tag == TAG_EXPIRES)
        answer->expires = value;
    else
        answer->grace = value;
    return true;
}

static bool
read_error(BerElement *ber, struct sr_ldap_response *answer)
{
    ber_int_t value;

    if (ber_get_enum(ber, &value) != TAG_ERROR || value < 0 ||
        value > ERROR_MAX)
        return false;
    answer->error = value;
    return true;
}

static bool
read_ppolicy(BerElement *ber, size_t size, struct sr_ldap_response *answer)
{
    ber_len_t length;
    ber_tag_t tag;
    char *end;

    /* liblber treats an element that is cut as an empty one. */
    if (ber_peek_tag(ber, &length) != LBER_SEQUENCE || size < 2 ||
        length > size - 2)
        return false;
    for (tag = ber_first_element(ber, &length, &end); tag != LBER_DEFAULT;
         tag = ber_next_element(ber, &length, end)) {
        if (tag == TAG_WARNING ? !read_warning(ber, answer)
                               : tag != TAG_ERROR || !read_error(ber, answer))
            return false;
    }
    return true;
}

/* Accept the control in whole or not at all. */
static void
add_ppolicy(struct sr_ldap_response *answer, struct berval *value)
{
    struct sr_ldap_response with = *answer;
    BerElement *ber;

    if (value->bv_val == NULL || value->bv_len == 0)
        return;
    ber = ber_init(value);
    if (ber == NULL)
        return;
    with.has_ppolicy = true;
    if (read_ppolicy(ber, value->bv_len, &with))
        *answer = with;
    ber_free(ber, 1);
}

/* The value is a number in digits, which need not end in a NUL. */
static void
add_netscape(struct sr_ldap_response *answer, const struct berval *value)
{
    char text[16];
    char *end;
    long seconds;

    if (value->bv_val == NULL || value->bv_len == 0 ||
        value->bv_len >= sizeof(text))
        return;
    memcpy(text, value->bv_val, value->bv_len);
    text[value->bv_len] = '\0';
    seconds = strtol(text, &end, 10);
    if (end == text || *end != '\0' || seconds < 0)
        return;
    answer->has_expiring = true;
    if (answer->expires < 0)
        answer->expires = seconds;
}

void
sr_ldap_response_controls(struct sr_ldap_response *answer,
                          LDAPControl *const *controls)
{
    for (size_t i = 0; controls != NULL && controls[i] != NULL; i++) {
        const char *oid = controls[i]->ldctl_oid;

        if (oid == NULL)
            continue;
        if (strcmp(oid, LDAP_CONTROL_PASSWORDPOLICYRESPONSE) == 0)
            add_ppolicy(answer, &controls[i]->ldctl_value);
        else if (strcmp(oid, SR_LDAP_NETSCAPE_EXPIRED) == 0)
            answer->has_expired = true;
        else if (strcmp(oid, SR_LDAP_NETSCAPE_EXPIRING) == 0)
            add_netscape(answer, &controls[i]->ldctl_value);
    }
}

void
sr_ldap_response_text(struct sr_ldap_response *answer, const char *text)
{
    char line[sizeof(answer->text) + 4]; /* so no character is cut yet */
    size_t length;

    snprintf(line, sizeof(line), "%s", text);
    for (char *at = line; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    }
    sr_utf8_clean(line, false, answer->text, sizeof(answer->text));
    length = strlen(answer->text);
    while (length > 0 && answer->text[length - 1] == ' ')
        answer->text[--length] = '\0';
}

enum sr_verify_result
sr_ldap_response_verify(const struct sr_ldap_response *answer)
{
    switch (answer->code) {
    case LDAP_SUCCESS:
        return SR_VERIFY_RIGHT;
    case LDAP_INVALID_CREDENTIALS:
        return sr_ldap_response_is_expiry(answer) ? SR_VERIFY_RIGHT
                                                  : SR_VERIFY_WRONG;
    case LDAP_INAPPROPRIATE_AUTH: /* no password in the entry */
    case LDAP_NO_SUCH_OBJECT:
    case LDAP_CONSTRAINT_VIOLATION: /* 389: too many failures, or lapsed */
        return SR_VERIFY_WRONG;
    case LDAP_UNWILLING_TO_PERFORM: /* 389: inactivated */
        return answer->error == LOCKED ? SR_VERIFY_WRONG
                                       : SR_VERIFY_UNAVAILABLE;
    default:
        return SR_VERIFY_UNAVAILABLE;
    }
}

unsigned
sr_ldap_response_data(const struct sr_ldap_response *answer)
{
    static const char word[] = " data ";
    const char *at = strstr(answer->text, word);
    unsigned long data;
    char *end;

    if (answer->code != LDAP_INVALID_CREDENTIALS || at == NULL)
        return 0;
    at += sizeof(word) - 1;
    data = strtoul(at, &end, 16);
    return isxdigit((unsigned char)*at) && *end == ',' && data <= UINT16_MAX
               ? (unsigned)data
               : 0;
}

/* ERROR_*: INVALID_LOGON_HOURS, INVALID_WORKSTATION, PASSWORD_EXPIRED,
 * ACCOUNT_DISABLED; ACCOUNT_EXPIRED, PASSWORD_MUST_CHANGE; INVALID_PASSWORD,
 * NO_SUCH_USER, LOGON_FAILURE; ACCOUNT_LOCKED_OUT.  All others, such as
 * ACCOUNT_RESTRICTION (52f) of a protected user and LOGON_TYPE_NOT_GRANTED
 * (569), prove nothing: whether the password was verified before is not
 * documented. */
enum sr_verify_result
sr_ldap_response_ad(const struct sr_ldap_response *answer)
{
    if (answer->code == LDAP_SUCCESS)
        return SR_VERIFY_RIGHT;
    switch (sr_ldap_response_data(answer)) {
    case 0x530:
    case 0x531:
    case 0x532:
    case 0x533:
    case 0x701:
    case 0x773:
        return SR_VERIFY_RIGHT;
    case 0x56:
    case 0x525:
    case 0x52e:
    case 0x775:
        return SR_VERIFY_WRONG;
    default:
        return SR_VERIFY_UNAVAILABLE;
    }
}

bool
sr_ldap_response_is_expiry(const struct sr_ldap_response *answer)
{
    return answer->code == LDAP_INVALID_CREDENTIALS && answer->error == EXPIRED;
}

static void
expired_facts(struct sr_facts *facts, sr_time now)
{
    /* The entry may know the time better; that it has expired, the server
     * knows. */
    if (!SR_TIME_IS_SET(facts->password_expires) ||
        facts->password_expires > now)
        facts->password_expires = now;
    facts->never_expires = SR_NO;
}

/* A bind that succeeded: the locks that the entry showed do not hold any more.
 */
static void
bound_facts(const struct sr_ldap_response *answer, enum sr_ldap_kind kind,
            sr_time now, struct sr_facts *facts)
{
    /* The absence of a control means something only where the server would have
     * sent one: 389 needs no request control, and no server knows shadow
     * attributes. */
    bool would_tell = kind == SR_LDAP_DS389 ||
                      (kind != SR_LDAP_SHADOW && answer->has_ppolicy);

    if (facts->locked_why == SR_LOCK_WHY_DIRECTORY) {
        facts->locked = SR_LOCK_NO;
        facts->locked_why = SR_LOCK_WHY_NONE;
    }
    if (answer->expires > 0) {
        facts->password_expires = now + answer->expires;
        /* ppolicy sends it only when it is time to warn; 389, which is
         * known by Netscape's control, can be configured to send it always. */
        if (answer->has_ppolicy && !answer->has_expiring &&
            facts->warn_from == SR_TIME_UNKNOWN)
            facts->warn_from = now;
    } else if (would_tell && answer->grace < 0 &&
               sr_facts_expired(facts, now)) {
        facts->password_expires = SR_TIME_UNKNOWN; /* not for the server */
    }
    if (answer->grace >= 0) {
        expired_facts(facts, now);
        /* This was the last login: the password is changed in it or never. */
        facts->grace_left = answer->grace > 0 ? (int)answer->grace : -1;
    }
    if (answer->error == MUST_CHANGE ||
        (answer->has_expired && !answer->has_ppolicy))
        facts->must_change = SR_YES;
    else if (would_tell && facts->must_change == SR_YES)
        facts->must_change = SR_NO; /* the server does not demand it */
}

/* A bind that failed, whatever the password was. */
static void
barred_facts(const struct sr_ldap_response *answer, enum sr_ldap_kind kind,
             struct sr_facts *facts)
{
    if (answer->error == LOCKED && answer->code == LDAP_UNWILLING_TO_PERFORM) {
        facts->disabled = SR_YES; /* 389: inactivated by hand */
    } else if (answer->error == LOCKED && facts->disabled != SR_YES &&
               facts->locked != SR_LOCK_ADMIN) {
        facts->locked = SR_LOCK_UNTIL;
        facts->locked_why = SR_LOCK_WHY_DIRECTORY;
    } else if (answer->error < 0 && kind == SR_LDAP_DS389 &&
               answer->code == LDAP_CONSTRAINT_VIOLATION) {
        /* A temporary password out of its time, or used up. */
        facts->locked = SR_LOCK_ADMIN;
        facts->locked_why = SR_LOCK_WHY_DIRECTORY;
    }
}

void
sr_ldap_response_ad_facts(const struct sr_ldap_response *answer, sr_time now,
                          struct sr_facts *facts)
{
    switch (sr_ldap_response_data(answer)) {
    case 0x530:
        if (facts->logon_hours != SR_NO)
            facts->hours_until = SR_TIME_NEVER;
        facts->logon_hours = SR_NO;
        break;
    case 0x531:
        /* A bind is from no workstation: where the list is known, it says
         * which ones. */
        if (facts->workstation == SR_UNKNOWN)
            facts->workstation = SR_NO;
        break;
    case 0x532:
        expired_facts(facts, now);
        break;
    case 0x533:
        facts->disabled = SR_YES;
        break;
    case 0x701:
        if (!SR_TIME_IS_SET(facts->account_ends) || facts->account_ends > now)
            facts->account_ends = now;
        break;
    case 0x773:
        facts->must_change = SR_YES;
        break;
    case 0x775:
        facts->locked = SR_LOCK_UNTIL;
        facts->locked_why = SR_LOCK_WHY_DIRECTORY;
        break;
    default:
        break;
    }
}

void
sr_ldap_response_facts(const struct sr_ldap_response *answer,
                       enum sr_ldap_kind kind, bool can_help, sr_time now,
                       struct sr_facts *facts)
{
    if (answer->code == LDAP_SUCCESS) {
        bound_facts(answer, kind, now, facts);
    } else if (answer->error == EXPIRED) {
        expired_facts(facts, now);
        facts->grace_left = can_help ? -1 : 0;
    } else {
        barred_facts(answer, kind, facts);
    }
}

bool
sr_ldap_response_is_read_only(const struct sr_ldap_response *answer)
{
    if (answer->code == LDAP_REFERRAL ||
        answer->code == LDAP_AFFECTS_MULTIPLE_DSAS)
        return true;
    if (answer->code != LDAP_UNWILLING_TO_PERFORM)
        return false;
    /* OpenLDAP: a consumer without updateref, and "readonly"; 389. */
    return strstr(answer->text, "shadow context") != NULL ||
           strcmp(answer->text, "operation restricted") == 0 ||
           strstr(answer->text, "read-only") != NULL;
}

/* A refusal by the code alone.  Only those about the value may be of the new
 * password (RFC 4511, appendix A.2); no other password helps with the rest. */
static enum sr_refusal
refusal_of_code(const struct sr_ldap_response *answer)
{
    switch (answer->code) {
    case LDAP_INVALID_CREDENTIALS: /* 389, of the old password */
    case LDAP_NO_SUCH_ATTRIBUTE:   /* the old value to delete */
        return SR_REFUSAL_WRONG_OLD;
    case LDAP_UNWILLING_TO_PERFORM:
        if (strstr(answer->text, "restricted") != NULL)
            return SR_REFUSAL_NO_RIGHT; /* OpenLDAP: switched off */
        return strstr(answer->text, "old password") != NULL
                   ? SR_REFUSAL_WRONG_OLD
                   : SR_REFUSAL_OTHER;
    case LDAP_CONSTRAINT_VIOLATION:
    case LDAP_TYPE_OR_VALUE_EXISTS:
    case LDAP_INVALID_SYNTAX:
        return SR_REFUSAL_OTHER;
    default:
        return SR_REFUSAL_NO_RIGHT;
    }
}

enum sr_write
sr_ldap_response_write(const struct sr_ldap_response *answer,
                       enum sr_refusal *refusal)
{
    static const enum sr_refusal by_error[ERROR_MAX + 1] = {
        SR_REFUSAL_OTHER,     SR_REFUSAL_NO_RIGHT,  SR_REFUSAL_OTHER,
        SR_REFUSAL_CANNOT,    SR_REFUSAL_WRONG_OLD, SR_REFUSAL_QUALITY,
        SR_REFUSAL_TOO_SHORT, SR_REFUSAL_TOO_YOUNG, SR_REFUSAL_IN_HISTORY,
        SR_REFUSAL_TOO_LONG,
    };

    if (sr_ldap_response_is_read_only(answer)) {
        *refusal = SR_REFUSAL_READ_ONLY;
        return SR_WRITE_REFUSED;
    }
    switch (answer->code) {
    case LDAP_SUCCESS:
        return SR_WRITE_DONE;
    case LDAP_SERVER_DOWN:
    case LDAP_TIMEOUT:
    case LDAP_DECODING_ERROR:
    case LDAP_LOCAL_ERROR:
        return SR_WRITE_UNSURE; /* it was sent */
    case LDAP_BUSY:
    case LDAP_UNAVAILABLE:
    case LDAP_OPERATIONS_ERROR:
    case LDAP_OTHER:
    case LDAP_PROTOCOL_ERROR:
    case LDAP_TIMELIMIT_EXCEEDED:
    case LDAP_SIZELIMIT_EXCEEDED:
    case LDAP_ADMINLIMIT_EXCEEDED:
    case LDAP_UNAVAILABLE_CRITICAL_EXTENSION:
    case LDAP_SASL_BIND_IN_PROGRESS:
    case LDAP_LOOP_DETECT:
        return SR_WRITE_FAILED;
    default:
        if (answer->code < 0) /* the library's, before anything was sent */
            return SR_WRITE_FAILED;
        *refusal = answer->error >= 0 ? by_error[answer->error]
                                      : refusal_of_code(answer);
        /* No old password was sent: its lack is no wrong one. */
        if (answer->error == NEEDS_OLD &&
            answer->code == LDAP_INSUFFICIENT_ACCESS)
            *refusal = SR_REFUSAL_NO_RIGHT;
        return SR_WRITE_REFUSED;
    }
}
