/*
 * Test of what LDAP answers mean: controls as servers really send them, in any
 * order, and what a bind and a change come to by them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/backend/ldap/response.h"
#include "policy/decide/verdict.h"

#define NOW ((sr_time)1000000)

static char ppolicy[] = LDAP_CONTROL_PASSWORDPOLICYRESPONSE;
static char expired[] = SR_LDAP_NETSCAPE_EXPIRED;
static char expiring[] = SR_LDAP_NETSCAPE_EXPIRING;

/* Bytes from hex digits; their number. */
static size_t
unhex(const char *hex, char *out)
{
    size_t count = 0;
    unsigned byte;

    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        out[count++] = (char)byte;
    return count;
}

/* An answer with a password policy control (NULL: none). */
static struct sr_ldap_response
answer_of(int code, const char *hex)
{
    struct sr_ldap_response answer;
    char bytes[128];
    LDAPControl control = {.ldctl_oid = ppolicy};
    LDAPControl *controls[] = {&control, NULL};

    sr_ldap_response_init(&answer, code);
    if (hex == NULL)
        return answer;
    control.ldctl_value.bv_len = unhex(hex, bytes);
    control.ldctl_value.bv_val = bytes;
    sr_ldap_response_controls(&answer, controls);
    return answer;
}

static void
test_controls(void **state)
{
    static const struct {
        const char *hex;
        bool is_taken;
        int64_t expires, grace;
        int error;
    } row[] = {
        {"3000", true, -1, -1, -1},
        {"3006a004800203d8", true, 984, -1, -1},
        {"3005a003810101", true, -1, 1, -1},
        {"3005a003810100", true, -1, 0, -1},
        {"3003810100", true, -1, -1, 0},
        {"3003810101", true, -1, -1, 1},
        {"3003810102", true, -1, -1, 2},
        {"3008a003810105810102", true, -1, 5, 2},
        {"3008810102a003810105", true, -1, 5, 2}, /* in the other order */
        {"30840000000ca084000000038101058101", false, -1, -1, -1}, /* cut */
        {"308400000009a08400000003810105", true, -1, 5, -1}, /* long form */
        {"300381010a", false, -1, -1, -1},                   /* no such error */
        {"30038101ff", false, -1, -1, -1},
        {"3005a003820101", false, -1, -1, -1},
        {"3005a0038001", false, -1, -1, -1},
        {"3005a0038001ff", false, -1, -1, -1}, /* negative */
        {"3003830101", false, -1, -1, -1},
        {"0403616263", false, -1, -1, -1},
        {"30", false, -1, -1, -1},
        {"", false, -1, -1, -1},
        {"30ff", false, -1, -1, -1},
        {"3080", false, -1, -1, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sr_ldap_response answer = answer_of(0, row[i].hex);

        print_message("%s\n", row[i].hex);
        assert_int_equal(answer.has_ppolicy, row[i].is_taken);
        assert_int_equal(answer.expires, row[i].expires);
        assert_int_equal(answer.grace, row[i].grace);
        assert_int_equal(answer.error, row[i].error);
    }
}

static void
test_netscape(void **state)
{
    char number[] = "3600", word[] = "soon", zero[] = "0";
    char grace[] = {0x30, 0x05, (char)0xa0, 0x03, (char)0x81, 0x01, 0x01};
    LDAPControl one = {expired, {1, zero}, 0};
    LDAPControl two = {ppolicy, {sizeof(grace), grace}, 0};
    LDAPControl three = {expiring, {4, number}, 0};
    LDAPControl bad = {expiring, {4, word}, 0};
    LDAPControl empty = {expiring, {0, NULL}, 0};
    LDAPControl nameless = {NULL, {4, number}, 0};
    LDAPControl *all[] = {&one, &two, &bad, &three, &empty, &nameless, NULL};
    LDAPControl *turned[] = {&three, &two, &one, NULL};
    struct sr_ldap_response answer, other;

    (void)state;
    sr_ldap_response_init(&answer, 0);
    sr_ldap_response_controls(&answer, all);
    sr_ldap_response_init(&other, 0);
    sr_ldap_response_controls(&other, turned);
    assert_memory_equal(&answer, &other, sizeof(answer));
    assert_true(answer.has_expired && answer.has_ppolicy &&
                answer.has_expiring);
    assert_int_equal(answer.expires, 3600);
    assert_int_equal(answer.grace, 1);
    sr_ldap_response_controls(&answer, NULL);
}

static void
test_proofs(void **state)
{
    static const struct {
        int code;
        const char *hex;
        enum sr_verify_result proof;
    } row[] = {
        {LDAP_SUCCESS, NULL, SR_VERIFY_RIGHT},
        {LDAP_SUCCESS, "3003810102", SR_VERIFY_RIGHT},
        {LDAP_INVALID_CREDENTIALS, NULL, SR_VERIFY_WRONG},
        {LDAP_INVALID_CREDENTIALS, "3000", SR_VERIFY_WRONG},
        {LDAP_INVALID_CREDENTIALS, "3003810100", SR_VERIFY_RIGHT},
        {LDAP_INVALID_CREDENTIALS, "3003810101", SR_VERIFY_WRONG},
        {LDAP_CONSTRAINT_VIOLATION, "3003810101", SR_VERIFY_WRONG},
        {LDAP_CONSTRAINT_VIOLATION, NULL, SR_VERIFY_WRONG},
        {LDAP_UNWILLING_TO_PERFORM, "3003810101", SR_VERIFY_WRONG},
        {LDAP_UNWILLING_TO_PERFORM, NULL, SR_VERIFY_UNAVAILABLE},
        {LDAP_NO_SUCH_OBJECT, NULL, SR_VERIFY_WRONG},
        {LDAP_INAPPROPRIATE_AUTH, NULL, SR_VERIFY_WRONG},
        {LDAP_SERVER_DOWN, NULL, SR_VERIFY_UNAVAILABLE},
        {LDAP_TIMEOUT, NULL, SR_VERIFY_UNAVAILABLE},
        {LDAP_BUSY, NULL, SR_VERIFY_UNAVAILABLE},
        {LDAP_UNAVAILABLE, NULL, SR_VERIFY_UNAVAILABLE},
        {LDAP_PROTOCOL_ERROR, NULL, SR_VERIFY_UNAVAILABLE},
        {LDAP_REFERRAL, NULL, SR_VERIFY_UNAVAILABLE},
        {LDAP_SIZELIMIT_EXCEEDED, NULL, SR_VERIFY_UNAVAILABLE},
        {LDAP_CONFIDENTIALITY_REQUIRED, NULL, SR_VERIFY_UNAVAILABLE},
        {LDAP_OTHER, "3003810100", SR_VERIFY_UNAVAILABLE},
        {12345, NULL, SR_VERIFY_UNAVAILABLE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sr_ldap_response answer = answer_of(row[i].code, row[i].hex);

        print_message("%d %s\n", row[i].code,
                      row[i].hex == NULL ? "" : row[i].hex);
        assert_int_equal(sr_ldap_response_verify(&answer), row[i].proof);
    }
}

/* The facts after a bind, beginning with none. */
static struct sr_facts
told(int code, const char *hex, bool can_help)
{
    struct sr_ldap_response answer = answer_of(code, hex);
    struct sr_facts facts;

    sr_facts_init(&facts);
    sr_ldap_response_facts(&answer, SR_LDAP_PPOLICY, can_help, NOW, &facts);
    return facts;
}

static void
test_facts(void **state)
{
    struct sr_facts facts;

    (void)state;
    facts = told(LDAP_SUCCESS, "3006a004800203d8", false);
    assert_int_equal(facts.password_expires, NOW + 984);
    assert_int_equal(facts.warn_from, NOW);
    facts = told(LDAP_SUCCESS, "3005a003810102", false);
    assert_int_equal(facts.password_expires, NOW);
    assert_int_equal(facts.grace_left, 2);
    facts = told(LDAP_SUCCESS, "3005a003810100", false);
    assert_int_equal(facts.password_expires, NOW);
    assert_int_equal(facts.grace_left, -1); /* let in, and has to change */
    facts = told(LDAP_SUCCESS, "3003810102", false);
    assert_int_equal(facts.must_change, SR_YES);
    facts = told(LDAP_INVALID_CREDENTIALS, "3003810100", false);
    assert_int_equal(facts.password_expires, NOW);
    assert_int_equal(facts.grace_left, 0);
    facts = told(LDAP_INVALID_CREDENTIALS, "3003810100", true);
    assert_int_equal(facts.grace_left, -1);
    facts = told(LDAP_INVALID_CREDENTIALS, "3003810101", false);
    assert_int_equal(facts.locked, SR_LOCK_UNTIL);
    assert_int_equal(facts.locked_why, SR_LOCK_WHY_DIRECTORY);
    facts = told(LDAP_INVALID_CREDENTIALS, "3000", false);
    assert_int_equal(facts.locked, SR_LOCK_UNKNOWN);
    assert_int_equal(facts.password_expires, SR_TIME_UNKNOWN);
}

/* What the server does goes before what the entry said. */
static void
test_facts_before(void **state)
{
    struct sr_ldap_response plain = answer_of(LDAP_SUCCESS, "3000");
    struct sr_ldap_response silent = answer_of(LDAP_SUCCESS, NULL);
    struct sr_ldap_response grace = answer_of(LDAP_SUCCESS, "3005a003810102");
    struct sr_facts facts;

    (void)state;
    sr_facts_init(&facts);
    facts.locked = SR_LOCK_UNTIL;
    facts.locked_why = SR_LOCK_WHY_DIRECTORY;
    facts.password_expires = NOW - 5;
    sr_ldap_response_facts(&plain, SR_LDAP_PPOLICY, false, NOW, &facts);
    assert_int_equal(facts.locked, SR_LOCK_NO);
    assert_int_equal(facts.password_expires, SR_TIME_UNKNOWN);
    facts.password_expires = NOW - 5; /* a server that knows no control */
    sr_ldap_response_facts(&silent, SR_LDAP_PPOLICY, false, NOW, &facts);
    assert_int_equal(facts.password_expires, NOW - 5);
    sr_ldap_response_facts(&grace, SR_LDAP_PPOLICY, false, NOW, &facts);
    assert_int_equal(facts.password_expires, NOW - 5); /* since when */
    facts.locked = SR_LOCK_UNTIL;
    facts.locked_why = SR_LOCK_WHY_THROTTLE; /* not the directory's */
    sr_ldap_response_facts(&plain, SR_LDAP_PPOLICY, false, NOW, &facts);
    assert_int_equal(facts.locked, SR_LOCK_UNTIL);
}

/* 389 with the far away expiry: nothing to warn of yet. */
static void
test_facts_389(void **state)
{
    char number[] = "8640000", zero[] = "0";
    LDAPControl one = {expiring, {7, number}, 0};
    LDAPControl two = {expired, {1, zero}, 0};
    LDAPControl *far[] = {&one, NULL}, *bare[] = {&two, NULL};
    struct sr_ldap_response answer = answer_of(LDAP_SUCCESS, "3000");
    struct sr_facts facts;

    (void)state;
    sr_facts_init(&facts);
    sr_ldap_response_controls(&answer, far);
    sr_ldap_response_facts(&answer, SR_LDAP_DS389, false, NOW, &facts);
    assert_int_equal(facts.password_expires, NOW + 8640000);
    assert_int_equal(facts.warn_from, SR_TIME_UNKNOWN);
    assert_int_equal(facts.must_change, SR_UNKNOWN);
    sr_ldap_response_init(&answer, LDAP_SUCCESS);
    sr_ldap_response_controls(&answer, bare);
    sr_ldap_response_facts(&answer, SR_LDAP_DS389, false, NOW, &facts);
    assert_int_equal(facts.must_change, SR_YES);
}

/* The facts after a bind to an account of a kind that seemed expired, to have
 * to change, and locked. */
static struct sr_facts
told_of(int code, const char *hex, enum sr_ldap_kind kind)
{
    struct sr_ldap_response answer = answer_of(code, hex);
    struct sr_facts facts;

    sr_facts_init(&facts);
    facts.password_expires = NOW - 5;
    facts.must_change = SR_YES;
    sr_ldap_response_facts(&answer, kind, false, NOW, &facts);
    return facts;
}

/* Silence says something where the server would have spoken. */
static void
test_silence(void **state)
{
    struct sr_facts facts = told_of(LDAP_SUCCESS, NULL, SR_LDAP_DS389);

    (void)state;
    assert_int_equal(facts.password_expires, SR_TIME_UNKNOWN);
    assert_int_equal(facts.must_change, SR_NO);
    facts = told_of(LDAP_SUCCESS, "3000", SR_LDAP_PPOLICY);
    assert_int_equal(facts.password_expires, SR_TIME_UNKNOWN);
    assert_int_equal(facts.must_change, SR_NO);
    facts = told_of(LDAP_SUCCESS, NULL, SR_LDAP_PPOLICY);
    assert_int_equal(facts.password_expires, NOW - 5);
    assert_int_equal(facts.must_change, SR_YES);
    facts = told_of(LDAP_SUCCESS, "3000", SR_LDAP_SHADOW);
    assert_int_equal(facts.password_expires, NOW - 5);
    assert_int_equal(facts.must_change, SR_YES);
    facts = told_of(LDAP_SUCCESS, "3003810102", SR_LDAP_DS389);
    assert_int_equal(facts.must_change, SR_YES);
}

/* 389 does not look at the password then. */
static void
test_barred_389(void **state)
{
    struct sr_facts facts;

    (void)state;
    facts = told_of(LDAP_UNWILLING_TO_PERFORM, "3003810101", SR_LDAP_PLAIN);
    assert_int_equal(facts.disabled, SR_YES);
    facts = told_of(LDAP_CONSTRAINT_VIOLATION, "3003810101", SR_LDAP_DS389);
    assert_int_equal(facts.disabled, SR_UNKNOWN);
    assert_int_equal(facts.locked, SR_LOCK_UNTIL);
    facts = told_of(LDAP_CONSTRAINT_VIOLATION, NULL, SR_LDAP_DS389);
    assert_int_equal(facts.locked, SR_LOCK_ADMIN);
    assert_int_equal(facts.locked_why, SR_LOCK_WHY_DIRECTORY);
    facts = told_of(LDAP_CONSTRAINT_VIOLATION, NULL, SR_LDAP_PPOLICY);
    assert_int_equal(facts.locked, SR_LOCK_UNKNOWN);
    facts = told_of(LDAP_INVALID_CREDENTIALS, NULL, SR_LDAP_DS389);
    assert_int_equal(facts.locked, SR_LOCK_UNKNOWN);
    assert_int_equal(facts.must_change, SR_YES);
}

static void
test_texts(void **state)
{
    static const char *const row[][2] = {
        {"no", "no"},
        {"Failed to update password\n", "Failed to update password"},
        {"one\ntwo\t\r\n \n", "one two"},
        {"a\x7f\x1b[1mb", "a  [1mb"},
        {"\n", ""},
        {"", ""},
        /* Terminals obey these, too; and what is no UTF-8 breaks a line. */
        {"a\xc2\x9b"
         "31m",
         "a?31m"},
        {"a\xe2\x80\xae"
         "b\xff",
         "a?b?"},
    };
    struct sr_ldap_response answer;
    char long_text[400];

    (void)state;
    sr_ldap_response_init(&answer, 0);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        sr_ldap_response_text(&answer, row[i][0]);
        assert_string_equal(answer.text, row[i][1]);
    }
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    sr_ldap_response_text(&answer, long_text);
    assert_int_equal(strlen(answer.text), sizeof(answer.text) - 1);
    /* Not cut within a character. */
    long_text[sizeof(answer.text) - 2] = '\xc3';
    long_text[sizeof(answer.text) - 1] = '\xa4';
    sr_ldap_response_text(&answer, long_text);
    assert_int_equal(strlen(answer.text), sizeof(answer.text) - 2);
}

static void
test_writes(void **state)
{
    static const struct {
        int code;
        const char *hex, *text;
        enum sr_write write;
        enum sr_refusal refusal;
    } row[] = {
        {0, "3000", "", SR_WRITE_DONE, SR_REFUSAL_OTHER},
        {LDAP_SERVER_DOWN, NULL, "", SR_WRITE_UNSURE, SR_REFUSAL_OTHER},
        {LDAP_TIMEOUT, NULL, "", SR_WRITE_UNSURE, SR_REFUSAL_OTHER},
        {LDAP_BUSY, NULL, "", SR_WRITE_FAILED, SR_REFUSAL_OTHER},
        {LDAP_PARAM_ERROR, NULL, "", SR_WRITE_FAILED, SR_REFUSAL_OTHER},
        {LDAP_OTHER, NULL, "", SR_WRITE_FAILED, SR_REFUSAL_OTHER},
        {LDAP_TIMELIMIT_EXCEEDED, NULL, "", SR_WRITE_FAILED, SR_REFUSAL_OTHER},
        {LDAP_ADMINLIMIT_EXCEEDED, NULL, "", SR_WRITE_FAILED, SR_REFUSAL_OTHER},
        {LDAP_UNAVAILABLE_CRITICAL_EXTENSION, NULL, "", SR_WRITE_FAILED,
         SR_REFUSAL_OTHER},
        {LDAP_LOOP_DETECT, NULL, "", SR_WRITE_FAILED, SR_REFUSAL_OTHER},
        {LDAP_REFERRAL, NULL, "", SR_WRITE_REFUSED, SR_REFUSAL_READ_ONLY},
        {LDAP_AFFECTS_MULTIPLE_DSAS, NULL, "", SR_WRITE_REFUSED,
         SR_REFUSAL_READ_ONLY},
        {LDAP_INAPPROPRIATE_AUTH, NULL, "", SR_WRITE_REFUSED,
         SR_REFUSAL_NO_RIGHT},
        {LDAP_OBJECT_CLASS_VIOLATION, NULL, "", SR_WRITE_REFUSED,
         SR_REFUSAL_NO_RIGHT},
        {LDAP_NO_OBJECT_CLASS_MODS, NULL, "", SR_WRITE_REFUSED,
         SR_REFUSAL_NO_RIGHT},
        {4096, NULL, "", SR_WRITE_REFUSED, SR_REFUSAL_NO_RIGHT},
        {LDAP_INVALID_SYNTAX, NULL, "", SR_WRITE_REFUSED, SR_REFUSAL_OTHER},
        {53, NULL, "shadow context; no update referral", SR_WRITE_REFUSED,
         SR_REFUSAL_READ_ONLY},
        {53, NULL, "operation restricted", SR_WRITE_REFUSED,
         SR_REFUSAL_READ_ONLY},
        {53, NULL, "database is read-only", SR_WRITE_REFUSED,
         SR_REFUSAL_READ_ONLY},
        {50, "3003810104", "", SR_WRITE_REFUSED, SR_REFUSAL_NO_RIGHT},
        {53, "3003810104", "", SR_WRITE_REFUSED, SR_REFUSAL_WRONG_OLD},
        {53, NULL, "extended operation restricted", SR_WRITE_REFUSED,
         SR_REFUSAL_NO_RIGHT},
        {50, "3003810103", "", SR_WRITE_REFUSED, SR_REFUSAL_CANNOT},
        {50, NULL, "", SR_WRITE_REFUSED, SR_REFUSAL_NO_RIGHT},
        {53, NULL, "unwilling to verify old password", SR_WRITE_REFUSED,
         SR_REFUSAL_WRONG_OLD},
        {53, NULL, "no", SR_WRITE_REFUSED, SR_REFUSAL_OTHER},
        {49, NULL, "Invalid oldPasswd value.", SR_WRITE_REFUSED,
         SR_REFUSAL_WRONG_OLD},
        {16, NULL, "", SR_WRITE_REFUSED, SR_REFUSAL_WRONG_OLD},
        {19, NULL, "", SR_WRITE_REFUSED, SR_REFUSAL_OTHER},
        {19, "3003810105", "", SR_WRITE_REFUSED, SR_REFUSAL_QUALITY},
        {19, "3003810106", "", SR_WRITE_REFUSED, SR_REFUSAL_TOO_SHORT},
        {19, "3003810107", "", SR_WRITE_REFUSED, SR_REFUSAL_TOO_YOUNG},
        {19, "3003810108", "", SR_WRITE_REFUSED, SR_REFUSAL_IN_HISTORY},
        {19, "3003810109", "", SR_WRITE_REFUSED, SR_REFUSAL_TOO_LONG},
        /* 389: the lengths of its BER are in the long form */
        {19, "308400000003810105", "", SR_WRITE_REFUSED, SR_REFUSAL_QUALITY},
        {53, "308400000003810103", "", SR_WRITE_REFUSED, SR_REFUSAL_CANNOT},
        {13, NULL, "Operation requires a secure connection.", SR_WRITE_REFUSED,
         SR_REFUSAL_NO_RIGHT},
        {50, NULL, "Anonymous Binds are not allowed.", SR_WRITE_REFUSED,
         SR_REFUSAL_NO_RIGHT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sr_ldap_response answer = answer_of(row[i].code, row[i].hex);
        enum sr_refusal refusal = SR_REFUSAL_OTHER;

        print_message("%d %s\n", row[i].code, row[i].text);
        strcpy(answer.text, row[i].text);
        assert_int_equal(sr_ldap_response_write(&answer, &refusal),
                         row[i].write);
        assert_int_equal(refusal, row[i].refusal);
    }
}

/* What a domain controller says of a bind: whether the password was right, and
 * the fact that it shows. */
static void
test_ad(void **state)
{
    static const struct {
        const char *data; /* NULL: the bind succeeded */
        enum sr_verify_result result;
        enum sr_state shown;
    } row[] = {
        {NULL, SR_VERIFY_RIGHT, SR_STATE_OK},
        {"530", SR_VERIFY_RIGHT, SR_STATE_OUT_OF_HOURS},
        {"531", SR_VERIFY_RIGHT, SR_STATE_OFF_WORKSTATION},
        {"532", SR_VERIFY_RIGHT, SR_STATE_EXPIRED},
        {"533", SR_VERIFY_RIGHT, SR_STATE_DISABLED},
        {"701", SR_VERIFY_RIGHT, SR_STATE_ENDED},
        {"773", SR_VERIFY_RIGHT, SR_STATE_MUST_CHANGE},
        {"56", SR_VERIFY_WRONG, SR_STATE_OK},
        {"525", SR_VERIFY_WRONG, SR_STATE_OK},
        {"52e", SR_VERIFY_WRONG, SR_STATE_OK},
        {"775", SR_VERIFY_WRONG, SR_STATE_LOCKED},
        /* ACCOUNT_RESTRICTION, NONE_MAPPED, TOO_MANY_CONTEXT_IDS,
         * LOGON_TYPE_NOT_GRANTED, AUTHENTICATION_FIREWALL_FAILED; no domain
         * controller, and its clock; of more digits, and none. */
        {"52f", SR_VERIFY_UNAVAILABLE, SR_STATE_OK},
        {"534", SR_VERIFY_UNAVAILABLE, SR_STATE_OK},
        {"568", SR_VERIFY_UNAVAILABLE, SR_STATE_OK},
        {"569", SR_VERIFY_UNAVAILABLE, SR_STATE_OK},
        {"78f", SR_VERIFY_UNAVAILABLE, SR_STATE_OK},
        {"51f", SR_VERIFY_UNAVAILABLE, SR_STATE_OK},
        {"576", SR_VERIFY_UNAVAILABLE, SR_STATE_OK},
        {"8009033e", SR_VERIFY_UNAVAILABLE, SR_STATE_OK},
        {"532x", SR_VERIFY_UNAVAILABLE, SR_STATE_OK},
        {"", SR_VERIFY_UNAVAILABLE, SR_STATE_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sr_ldap_response answer = answer_of(
            row[i].data == NULL ? LDAP_SUCCESS : LDAP_INVALID_CREDENTIALS,
            NULL);
        struct sr_facts facts;

        if (row[i].data != NULL)
            snprintf(answer.text, sizeof(answer.text),
                     "80090308: LdapErr: DSID-0C0903A9, comment: "
                     "AcceptSecurityContext error, data %s, v1db1",
                     row[i].data);
        sr_facts_init(&facts);
        facts.disabled = SR_NO;
        assert_int_equal(sr_ldap_response_ad(&answer), row[i].result);
        sr_ldap_response_ad_facts(&answer, NOW, &facts);
        assert_int_equal(facts.disabled == SR_YES,
                         row[i].shown == SR_STATE_DISABLED);
        assert_int_equal(facts.account_ends == NOW,
                         row[i].shown == SR_STATE_ENDED);
        assert_int_equal(facts.locked == SR_LOCK_UNTIL,
                         row[i].shown == SR_STATE_LOCKED);
        assert_int_equal(facts.must_change == SR_YES,
                         row[i].shown == SR_STATE_MUST_CHANGE);
        assert_int_equal(facts.password_expires == NOW,
                         row[i].shown == SR_STATE_EXPIRED);
        assert_int_equal(facts.logon_hours == SR_NO,
                         row[i].shown == SR_STATE_OUT_OF_HOURS);
        assert_int_equal(facts.workstation == SR_NO,
                         row[i].shown == SR_STATE_OFF_WORKSTATION);
    }
}

/* What is known of the account, and what a bind says later. */
static void
test_ad_facts_before(void **state)
{
    struct sr_ldap_response answer = answer_of(LDAP_INVALID_CREDENTIALS, NULL);
    struct sr_facts facts;

    (void)state;
    sr_facts_init(&facts);
    facts.workstation = SR_YES; /* the list has this host */
    snprintf(answer.text, sizeof(answer.text), "error, data 531, v1");
    sr_ldap_response_ad_facts(&answer, NOW, &facts);
    assert_int_equal(facts.workstation, SR_YES);

    /* By this host's clock the hour is not over, by the controller's it is. */
    facts.logon_hours = SR_YES;
    facts.hours_until = NOW + 1;
    snprintf(answer.text, sizeof(answer.text), "error, data 530, v1");
    sr_ldap_response_ad_facts(&answer, NOW, &facts);
    assert_true(facts.logon_hours == SR_NO &&
                facts.hours_until == SR_TIME_NEVER);
    facts.hours_until = NOW + 3600; /* is when he may again */
    sr_ldap_response_ad_facts(&answer, NOW, &facts);
    assert_true(facts.hours_until == NOW + 3600);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_controls),
        cmocka_unit_test(test_netscape),
        cmocka_unit_test(test_proofs),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_facts_before),
        cmocka_unit_test(test_facts_389),
        cmocka_unit_test(test_ad),
        cmocka_unit_test(test_ad_facts_before),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_barred_389),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
