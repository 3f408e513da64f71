/*
 * Tests of message: times in words, every sentence, and the width of lines.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/report/message.h"

#define NOW 1795710120 /* Thursday 26 November 2026 16:22 UTC */

static const struct sr_change allowed = {SR_CHANGE_ALLOWED, 0, NULL};
static const struct sr_message_context owner = {NULL, NOW, false, &allowed};
static const struct sr_message_context helped = {"the helpdesk (1234)", NOW,
                                                 false, &allowed};
static const struct sr_message_context admin = {NULL, NOW, true, &allowed};

/* Compare a new string with what it should be, and free it. */
static void
expect(char *text, const char *expected)
{
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void
set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void
test_when(void **state)
{
    static const struct {
        sr_time distance;
        const char *text;
    } row[] = {
        {1, "in less than a minute, at 16:22"},
        {59, "in less than a minute, at 16:22"},
        {60, "in 1 minute, at 16:23"},
        {119, "in 1 minute, at 16:23"},
        {3599, "in 59 minutes, at 17:21"},
        {3600, "in 1 hour, at 17:22"},
        {4 * 3600, "in 4 hours, at 20:22"},
        {8 * 3600, "in 8 hours, on Friday 27 November at 00:22"},
        {86399, "in 23 hours, on Friday 27 November at 16:21"},
        {86400, "in 1 day, on Friday 27 November"},
        /* The days are those of the calendar, whatever the hour. */
        {4 * 86400 + 27480, "in 5 days, on Tuesday 1 December"},
        {5 * 86400, "in 5 days, on Tuesday 1 December"},
        {5 * 86400 + 27479, "in 5 days, on Tuesday 1 December"},
        {36 * 86400, "in 36 days, on Friday 1 January"},
        {365 * 86400, "in 365 days, on Friday 26 November 2027"},
        {0, "less than a minute ago, at 16:22"},
        {-60, "1 minute ago, at 16:21"},
        {-7200, "2 hours ago, at 14:22"},
        {-17 * 3600, "17 hours ago, on Wednesday 25 November at 23:22"},
        {-2 * 86400, "2 days ago, on Tuesday 24 November"},
        {-366 * 86400LL, "366 days ago, on Tuesday 25 November 2025"},
    };

    (void)state;
    set_zone("UTC");
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        expect(sr_message_when(NOW + row[i].distance, NOW), row[i].text);
    expect(sr_message_when(SR_TIME_NEVER, NOW), "never");
    expect(sr_message_when(SR_TIME_UNKNOWN, NOW), "at an unknown time");
}

static void
test_when_local(void **state)
{
    (void)state;
    set_zone("XXX-09"); /* nine hours east: already 01:22 on Friday there */
    expect(sr_message_when(NOW + 3600, NOW), "in 1 hour, at 02:22");
    expect(sr_message_when(NOW + 86400, NOW),
           "in 1 day, on Saturday 28 November");
    /* The day that has 25 hours: from 00:30 to 23:50 of the same date. */
    set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    expect(sr_message_when(1792881000 + 86400, 1792881000 - 86400),
           "in 1 day, on Sunday 25 October");
    expect(sr_message_when(1792881000 + 86400, 1792881000),
           "in 1 day, on Sunday 25 October");
    set_zone("UTC");
}

/* 2100 is no leap year. */
static void
test_century(void **state)
{
    const sr_time last_day = 4133937600; /* 31 December 2100, noon */

    (void)state;
    set_zone("UTC");
    expect(sr_message_when(last_day + 86400, last_day),
           "in 1 day, on Saturday 1 January");
    expect(sr_message_when(last_day - 306 * 86400LL, last_day),
           "306 days ago, on Sunday 28 February 2100");
}

/* No time, however absurd, gives "0" of anything, or nothing. */
static void
test_when_absurd(void **state)
{
    static const sr_time far[] = {INT64_MIN + 1, INT64_MIN / 2, -1, 0, 1,
                                  INT64_MAX / 2, INT64_MAX - 1};

    (void)state;
    for (size_t i = 0; i < 7; i++) {
        for (size_t j = 0; j < 7; j++) {
            char *text = sr_message_when(far[i], far[j]);

            assert_non_null(text);
            assert_null(strstr(text, "in 0 "));
            assert_false(text[0] == '0' || text[0] == '-');
            free(text);
        }
    }
    for (sr_time distance = -400000; distance < 400000; distance += 61) {
        char *text = sr_message_when(NOW + distance, NOW);

        if (strstr(text, "in 0 ") != NULL || text[0] == '0')
            fail_msg("%lld: %s", (long long)distance, text);
        free(text);
    }
}

static struct sr_verdict
verdict(enum sr_state state, sr_time distance)
{
    return (struct sr_verdict){.state = state,
                               .when = NOW + distance,
                               .barred_by = SR_CHANGE_ALLOWED,
                               .grace_left = 2};
}

static void
test_verdicts(void **state)
{
    struct sr_verdict v = verdict(SR_STATE_EXPIRING, 5 * 86400);

    (void)state;
    set_zone("UTC");
    expect(sr_message_verdict(&v, SR_ANSWER_OK, &owner),
           "Your password expires in 5 days, on Tuesday 1 December.\n"
           "You can change it now with the command passwd.");
    expect(sr_message_verdict(&v, SR_ANSWER_OK, &admin),
           "The password of this account expires in 5 days, on Tuesday 1 "
           "December.");
    v = verdict(SR_STATE_EXPIRED, -86400);
    expect(sr_message_verdict(&v, SR_ANSWER_CHANGE_NOW, &owner),
           "Your password has expired.\n"
           "You have to choose a new one now.\n"
           "If you are asked for the current password, enter the expired one.");
    v = verdict(SR_STATE_GRACE, -86400);
    expect(sr_message_verdict(&v, SR_ANSWER_OK, &owner),
           "Your password has expired.\n"
           "You can log in with it 2 more times.\n"
           "Change it now with the command passwd.");
    v.grace_left = 1;
    expect(sr_message_verdict(&v, SR_ANSWER_OK, &owner),
           "Your password has expired.\n"
           "You can log in with it 1 more time.\n"
           "Change it now with the command passwd.");
    v = verdict(SR_STATE_LAPSED, -1200);
    expect(sr_message_verdict(&v, SR_ANSWER_WRONG, &helped),
           "Your temporary password is no longer valid.\n"
           "It was valid until 16:02 (20 minutes ago).\n"
           "Ask the helpdesk (1234) for a new one.");
    v = verdict(SR_STATE_NOT_YET, 86400);
    expect(sr_message_verdict(&v, SR_ANSWER_ACCOUNT_EXPIRED, &owner),
           "This account cannot be used yet.\n"
           "It starts in 1 day, on Friday 27 November.\n"
           "Ask your administrator if you need it sooner.");
    v = verdict(SR_STATE_ENDED, -86400);
    expect(sr_message_verdict(&v, SR_ANSWER_ACCOUNT_EXPIRED, &owner),
           "This account ended 1 day ago, on Wednesday 25 November.\n"
           "Ask your administrator if you need it.");
    v.when = 86400; /* "usermod --expiredate 1" */
    expect(sr_message_verdict(&v, SR_ANSWER_ACCOUNT_EXPIRED, &owner),
           "This account has ended.\n"
           "Ask your administrator if you need it.");
    v.when = 3651 * (sr_time)86400; /* "usermod --expiredate 1980-01-01" */
    expect(sr_message_verdict(&v, SR_ANSWER_ACCOUNT_EXPIRED, &owner),
           "This account has ended.\n"
           "Ask your administrator if you need it.");
    v = verdict(SR_STATE_LOCKED, 720);
    expect(sr_message_verdict(&v, SR_ANSWER_DENIED, &helped),
           "Too many wrong passwords.\n"
           "This account is locked until 16:34 (in 12 minutes).\n"
           "Ask the helpdesk (1234) if you cannot wait.");
    v.when = SR_TIME_NEVER;
    expect(sr_message_verdict(&v, SR_ANSWER_DENIED, &helped),
           "This account is locked.\nAsk the helpdesk (1234) to unlock it.");
    v = verdict(SR_STATE_BARRED, -86400);
    v.barred_by = SR_CHANGE_REQUIRE_LOGON;
    expect(sr_message_verdict(&v, SR_ANSWER_TOKEN_EXPIRED, &owner),
           "Your password has expired.\n"
           "It can be changed only in a session that you already have open.\n"
           "If you have none, ask your administrator to set a new password.");
    v.when = SR_TIME_UNKNOWN;
    v.barred_by = SR_CHANGE_CANNOT;
    expect(sr_message_verdict(&v, SR_ANSWER_TOKEN_EXPIRED, &owner),
           "Your password has to be changed.\n"
           "You do not have the permission to change it.\n"
           "Ask your administrator to set a new one.");
}

/* passwd(1) is advised only where it would not refuse. */
static void
test_advice(void **state)
{
    static const struct {
        enum sr_change_result result;
        sr_time from; /* from now */
        const char *expiring, *grace;
    } row[] = {
        {SR_CHANGE_ALLOWED, 0, "You can change it now with the command passwd.",
         "Change it now with the command passwd."},
        {SR_CHANGE_CANNOT, 0, "Ask your administrator to set a new one.",
         "Ask your administrator to set a new one."},
        {SR_CHANGE_PROTECTED, 0, "Ask your administrator to set a new one.",
         "Ask your administrator to set a new one."},
        {SR_CHANGE_NO_PASSWORD, 0, "Ask your administrator to set a new one.",
         "Ask your administrator to set a new one."},
        {SR_CHANGE_TOO_YOUNG, 86400,
         "You can change it with the command passwd in 1 day, on Friday "
         "27\nNovember, or later.",
         NULL},
        {SR_CHANGE_TOO_YOUNG, 9 * 86400,
         "You will be asked for a new one at your first login after that.",
         NULL},
    };

    (void)state;
    set_zone("UTC");
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sr_change change = {row[i].result, NOW + row[i].from, NULL};
        const struct sr_message_context say = {NULL, NOW, false, &change};
        struct sr_verdict v = verdict(SR_STATE_EXPIRING, 5 * 86400);
        char expected[200];

        snprintf(expected, sizeof(expected),
                 "Your password expires in 5 days, on Tuesday 1 December.\n%s",
                 row[i].expiring);
        expect(sr_message_verdict(&v, SR_ANSWER_OK, &say), expected);
        v = verdict(SR_STATE_GRACE, -86400);
        snprintf(expected, sizeof(expected),
                 "Your password has expired.\n"
                 "You can log in with it 2 more times.\n%s",
                 row[i].grace);
        if (row[i].grace != NULL)
            expect(sr_message_verdict(&v, SR_ANSWER_OK, &say), expected);
    }
    expect(sr_message_account("ann\n"), "Changing password for ann?.");
}

static void
test_lockout(void **state)
{
    (void)state;
    set_zone("UTC");
    expect(sr_message_lockout(NOW + 86400, &owner),
           "Too many wrong passwords.\n"
           "This account is locked until 16:22 on Friday 27 November (in 1 "
           "day).\n"
           "Ask your administrator if you cannot wait.");
    expect(sr_message_lockout(SR_TIME_UNKNOWN, &owner),
           "Too many wrong passwords.\n"
           "This account is locked for a time.\n"
           "Ask your administrator if you cannot wait.");
    expect(sr_message_source_lockout(NOW + 720, &owner),
           "Too many wrong passwords from here.\n"
           "Passwords from here are refused until 16:34 (in 12 minutes).\n"
           "Ask your administrator if you cannot wait.");
}

static void
test_changes(void **state)
{
    struct sr_change change = {SR_CHANGE_TOO_YOUNG, NOW + 4700, NULL};

    (void)state;
    set_zone("UTC");
    expect(sr_message_change(&change, &owner),
           "You changed this password too recently.\n"
           "You can change it again in 1 hour, at 17:40.\n"
           "Ask your administrator if you need a new one sooner.");
    change.result = SR_CHANGE_ALLOWED;
    assert_null(sr_message_change(&change, &owner));
    change.result = SR_CHANGE_REQUIRE_LOGON;
    expect(sr_message_change(&change, &helped),
           "This password was not changed.\n"
           "It can be changed only in a session that you already have open.\n"
           "If you have none, ask the helpdesk (1234) to set a new password.");
    change.result = SR_CHANGE_PROTECTED;
    expect(sr_message_change(&change, &admin),
           "This password is protected. Nobody can change it here, not even "
           "root.");
}

static void
test_failures(void **state)
{
    struct sr_notice notice = {
        .failed = 3, .last = NOW - 3600, .from = "192.0.2.7"};

    (void)state;
    set_zone("UTC");
    expect(sr_message_failures(&notice, &owner),
           "There were 3 failed attempts to log in since your last login, "
           "the last\nfrom 192.0.2.7 on Thursday 26 November at 15:22.");
    notice.failed = 1;
    strcpy(notice.from, "name:host.example\n");
    expect(sr_message_failures(&notice, &owner),
           "There was 1 failed attempt to log in since your last login, "
           "from\nhost.example? on Thursday 26 November at 15:22.");
    strcpy(notice.from, "uid:1001");
    expect(sr_message_failures(&notice, &owner),
           "There was 1 failed attempt to log in since your last login, from "
           "this\nhost (user id 1001) on Thursday 26 November at 15:22.");
    notice.from[0] = '\0';
    expect(sr_message_failures(&notice, &owner),
           "There was 1 failed attempt to log in since your last login.");
    notice.failed = 0;
    assert_null(sr_message_failures(&notice, &owner));
}

static void
test_findings(void **state)
{
    char first[] = "at least 15 characters";
    char cause[] = "the dictionary is damaged";
    char second[] = "not a word from a very long list of words that are far "
                    "too easy to guess";
    struct sr_broken item[] = {{"len.min", first}, {"ban", second}};
    struct sr_findings findings = {item, 2};
    struct sr_findings none = {NULL, 0};

    (void)state;
    expect(sr_message_rules(&findings),
           "Rules for new passwords:\n"
           "- at least 15 characters\n"
           "- not a word from a very long list of words that are far too easy "
           "to\n  guess");
    assert_null(sr_message_rules(&none));
    findings.count = 1;
    expect(sr_message_broken(&findings, 2),
           "The new password was not accepted:\n"
           "- at least 15 characters\nYou have 2 tries left.");
    expect(sr_message_broken(&findings, 1),
           "The new password was not accepted:\n"
           "- at least 15 characters\nYou have 1 try left.");
    expect(sr_message_broken(&findings, 0),
           "The new password was not accepted:\n- at least 15 characters");
    expect(sr_message_broken(&findings, -1),
           "The new password breaks these rules:\n- at least 15 characters\n"
           "As root you can set it anyway.");
    item[0].text = cause;
    expect(sr_message_unchecked(&findings),
           "This computer cannot check new passwords: the dictionary is "
           "damaged.\nAs root you can set it anyway.");
    expect(sr_message_mismatch(1),
           "The two new passwords do not match.\nYou have 1 try left.");
    expect(sr_message_mismatch(0), "The two new passwords do not match.");
}

/* ---- what holds for every text */

static void
check_layout(char *text)
{
    const char *line = text;
    int lines = 0;

    assert_non_null(text);
    while (*line != '\0') {
        size_t columns = strcspn(line, "\n");

        if (columns > 72 || columns == 0 || line[columns - 1] == ' ')
            fail_msg("bad line in: %s", text);
        line += columns + (line[columns] == '\n');
        lines++;
    }
    if (lines > 6 || text[strlen(text) - 1] == '\n')
        fail_msg("bad end or too many lines: %s", text);
    assert_null(strstr(text, "(null)"));
    free(text);
}

static void
check_verdict(enum sr_state state, enum sr_change_result why, sr_time when,
              const struct sr_message_context *say)
{
    struct sr_verdict v = verdict(state, 0);
    bool tells_always = state == SR_STATE_GRACE || state == SR_STATE_EXPIRING;

    v.barred_by = why;
    v.when = when;
    for (enum sr_answer answer = SR_ANSWER_OK; answer <= SR_ANSWER_TRY_AGAIN;
         answer++) {
        char *text = sr_message_verdict(&v, answer, say);

        if (state == SR_STATE_OK || (answer == SR_ANSWER_OK && !tells_always))
            assert_null(text);
        else
            check_layout(text);
    }
}

/* Every state, reason, time and reader: a text where one is due, well laid. */
static void
test_layout(void **state)
{
    static const struct sr_message_context wordy = {
        "the people at the helpdesk on the third floor (telephone +49 30 "
        "1234567, or helpdesk@example.com at any time)",
        NOW, false, &allowed};
    static const struct sr_message_context *const reader[] = {&owner, &admin,
                                                              &wordy};
    static const sr_time when[] = {
        SR_TIME_UNKNOWN, SR_TIME_NEVER, NOW - 999 * 86400L,  NOW,
        NOW + 30,        NOW + 86400,   NOW + 99999 * 86400L};

    (void)state;
    for (size_t r = 0; r < 3; r++) {
        for (size_t w = 0; w < sizeof(when) / sizeof(when[0]); w++) {
            struct sr_change change = {SR_CHANGE_ALLOWED, when[w], NULL};

            for (enum sr_state s = 0; s < SR_STATE_COUNT; s++) {
                for (enum sr_change_result c = 1; c < SR_CHANGE_RESULT_COUNT;
                     c++)
                    check_verdict(s, c, when[w], reader[r]);
            }
            for (enum sr_change_result c = 1; c < SR_CHANGE_RESULT_COUNT; c++) {
                change.result = c;
                check_layout(sr_message_change(&change, reader[r]));
            }
            check_layout(sr_message_lockout(when[w], reader[r]));
        }
    }
}

static void
test_texts(void **state)
{
    (void)state;
    for (enum sr_text t = 0; t < SR_TEXT_COUNT; t++) {
        char *text = sr_message_text(t, &helped);

        assert_non_null(text);
        if (t <= SR_TEXT_PROMPT_AGAIN) {
            assert_string_equal(text + strlen(text) - 2, ": ");
            text[strlen(text) - 1] = '\0';
        }
        check_layout(text);
    }
    assert_null(sr_message_text(SR_TEXT_COUNT, &owner));
    expect(sr_message_text(SR_TEXT_NOT_RECORDED, &helped),
           "This host could not record the attempt, so the password was not\n"
           "checked. Ask the helpdesk (1234) (SR-3205).");
}

/* What a directory demands and refuses. */
static void
test_directory(void **state)
{
    const struct sr_demands none = {0, 0, 0};
    const struct sr_demands some = {8, 64, 5};
    const struct sr_demands one = {1, 0, 1};

    (void)state;
    assert_null(sr_message_demands(&none));
    expect(sr_message_demands(&some),
           "Rules of the directory for new passwords:\n"
           "- at least 8 characters\n"
           "- at most 64 characters\n"
           "- none of the last 5 passwords");
    expect(sr_message_demands(&one),
           "Rules of the directory for new passwords:\n"
           "- at least 1 character\n"
           "- not the last password");
    for (unsigned r = 0; r < SR_REFUSAL_COUNT; r++) {
        char *text = sr_message_refusal((enum sr_refusal)r, &some, 2, &owner);

        assert_non_null(text);
        check_layout(text);
    }
    assert_null(sr_message_refusal(SR_REFUSAL_COUNT, &none, 2, &owner));
    expect(sr_message_refusal(SR_REFUSAL_OTHER, &none, 1, &owner),
           "The directory refused the new password.\nYou have 1 try left.");
    expect(sr_message_refusal(SR_REFUSAL_TOO_YOUNG, &some, 0, &owner),
           "This password was changed too recently to be changed again.");
    expect(sr_message_refusal(SR_REFUSAL_CANNOT, &none, 2, &helped),
           "The directory does not allow you to change this password.\n"
           "Ask the helpdesk (1234) to set a new one.");
}

/* Columns, not bytes or characters; and where lines may end. */
static void
test_fold(void **state)
{
#define EIGHT(text) text text text text text text text text
    static const struct {
        const char *text, *folded;
    } row[] = {
        /* 36 wide characters fill a line. */
        {EIGHT("四文字だ") "四文字だ続く", EIGHT("四文字だ") "四文字だ\n続く"},
        /* A full stop, a small letter and a closing bracket stay with what is
         * before them, an opening one with what is behind. */
        {EIGHT("四文字だ") "四文字だ。続く",
         EIGHT("四文字だ") "四文字\nだ。続く"},
        {EIGHT("四文字だ") "四文字キャ続く",
         EIGHT("四文字だ") "四文字\nキャ続く"},
        {EIGHT("四文字だ") "四文字（続く）",
         EIGHT("四文字だ") "四文字\n（続く）"},
        {EIGHT("四文字だ") "四文字 (ab).", EIGHT("四文字だ") "四文字\n(ab)."},
        /* A word of another script is not cut. */
        {EIGHT("四文字だ") "四文word続く", EIGHT("四文字だ") "四文word\n続く"},
        {EIGHT("四文字だ") "四文字word続く",
         EIGHT("四文字だ") "四文字\nword続く"},
        {"- " EIGHT("四文字だ") "四文字続く",
         "- " EIGHT("四文字だ") "四文字\n  続く"},
        /* Combining characters have no column of their own. */
        {EIGHT("a\u0301bcdefg ") "e\u0301e\u0301345678 end",
         EIGHT("a\u0301bcdefg ") "e\u0301e\u0301345678\nend"},
        /* Bytes of another encoding have one each. */
        {EIGHT("\xe4\xf6\xfc\xdf\xe4\xf6\xfc ") "12345678 end",
         EIGHT("\xe4\xf6\xfc\xdf\xe4\xf6\xfc ") "12345678\nend"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        expect(sr_message_fold(strdup(row[i].text)), row[i].folded);
    assert_null(sr_message_fold(NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when),      cmocka_unit_test(test_when_local),
        cmocka_unit_test(test_century),   cmocka_unit_test(test_when_absurd),
        cmocka_unit_test(test_verdicts),  cmocka_unit_test(test_lockout),
        cmocka_unit_test(test_changes),   cmocka_unit_test(test_failures),
        cmocka_unit_test(test_findings),  cmocka_unit_test(test_layout),
        cmocka_unit_test(test_texts),     cmocka_unit_test(test_advice),
        cmocka_unit_test(test_directory), cmocka_unit_test(test_fold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
