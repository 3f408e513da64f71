/*
 * Test of quality: presets, every broken rule at once, and a host whose
 * libpwquality, settings or dictionary are not what they should be.
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
#include <unistd.h>

#include "policy/quality.h"

#define GECOS "Erin Hagens,Room 12,555-1234,,"

/* What a case needs besides the password; NULL settings: an empty file. */
struct host {
    enum sr_preset preset;
    const char *settings;
    const char *old;
};

static char conf[] = "/tmp/selfreset-test-XXXXXX";

static void
write_conf(const char *settings)
{
    FILE *file = fopen(conf, "w");

    assert_non_null(file);
    if (settings != NULL)
        fputs(settings, file);
    assert_int_equal(fclose(file), 0);
}

/* The text of a finding must hold nothing of the password. */
static void
assert_keeps_secret(const struct sr_findings *findings, const char *password)
{
    for (size_t i = 0; i < findings->count; i++) {
        assert_non_null(findings->item[i].text);
        assert_int_not_equal(findings->item[i].text[0], '\0');
        assert_null(strchr(findings->item[i].text, '\n'));
        if (strlen(password) >= 4)
            assert_null(strstr(findings->item[i].text, password));
    }
}

static void
join(const struct sr_findings *findings, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < findings->count; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s",
                                 i > 0 ? " " : "", findings->item[i].id);
}

/* The ids of all broken rules, parted by spaces. */
static const char *
broken_by(const struct sr_rules *rules, const struct host *host,
          const char *password)
{
    static char ids[512];
    const struct sr_candidate candidate = {
        .password = password,
        .old = host->old,
        .user = "ehagens",
        .gecos = GECOS,
        .host = "calculator.example.org",
    };
    const struct sr_quality_host where = {NULL, conf};
    struct sr_findings findings = {NULL, 0};

    write_conf(host->settings);
    assert_int_equal(sr_quality_check_on(&where, &candidate, rules, &findings),
                     SR_QUALITY_DONE);
    assert_keeps_secret(&findings, password);
    join(&findings, ids, sizeof(ids));
    sr_findings_free(&findings);
    return ids;
}

struct expected {
    const char *password;
    const char *ids;
};

#define assert_broken(host, cases)                                             \
    assert_broken_(host, cases, sizeof(cases) / sizeof(cases[0]))

static void
assert_broken_(struct host host, const struct expected *cases, size_t count)
{
    const struct sr_rules rules = {.preset = host.preset};

    for (size_t i = 0; i < count; i++) {
        const char *ids = broken_by(&rules, &host, cases[i].password);

        if (strcmp(ids, cases[i].ids) != 0)
            fail_msg("\"%s\" breaks \"%s\" instead of \"%s\"",
                     cases[i].password, ids, cases[i].ids);
    }
}

static void
test_nist(void **state)
{
    static const struct expected cases[] = {
        {"correct horse battery staple", ""},
        {"plinth wander oboe gravel", ""},
        {"vqxnrwzhtkdmblgs", ""}, /* no classes are asked for */
        {"kq7Wz!m2Rt9#xB", "len.min"},
        {"password", "len.min dictionary"},
        {"aaaaaaaaaaaaaaaaaa", "dictionary"}, /* though a palindrome */
        {"ErinHagens12zzz", ""},
        {"ErinHagens123456", "name.gecos dictionary"},
        {"erin.hagens.2024!", "name.gecos"},
        {"EhagensEhagens2024", "name.user"},
        {"calculator-2024-2025", "name.host"},
        {"calculator.example.org", "name.host"},
        /* a name is only refused as the whole password */
        {"hagens plinth wander oboe", ""},
        /* 8 Cyrillic letters are 16 bytes, and 8 characters */
        {"\u0436\u044b\u0448\u0449\u044e\u044f\u0447\u0451", "len.min"},
        {"\u0436\u044b\u0448\u0449\u044e\u044f\u0447\u0451\u043a\u0431\u0433"
         "\u0444\u043c\u0446\u044c",
         ""},
    };
    const struct host host = {
        SR_PRESET_NIST,
        /* all of these are dropped */
        "minclass = 4\nmaxrepeat = 1\nmaxsequence = 2\ndcredit = -1\n"
        "maxclassrepeat = 3\nbadwords = gravel\n",
        NULL};

    (void)state;
    assert_broken(host, cases);
}

static void
test_ad(void **state)
{
    static const struct expected cases[] = {
        {"Ra1ny day!", ""},
        {"Hagens2024!", "name.gecos"},
        {"xHAGENSx24!", "name.gecos"},
        {"vErIn-Qw7k2", "name.gecos"},
        {"Wz8!ehagensQ", "name.user name.gecos"},
        {"Zr5-5551234Kq", ""}, /* numbers are no names */
        {"vqxnrwzht", "class.3of5"},
        {"Vqxnrwzht", "class.3of5"},
        {"Vqxnrwzht7", ""},
        {"Vq7xn", "len.min"},
        {"vqxnr", "len.min class.3of5"},
        /* the euro, the pound and the space are of no class */
        {"Vqxnrw\u20aczht", "class.3of5"},
        {"Vqxnrw\u00a3zht", "class.3of5"},
        {"Vqxnrw zht", "class.3of5"},
        {"Vqxnrw$zht", ""},
        /* Greek and Cyrillic have case */
        {"\u0416\u044b\u0448\u0449\u044e\u044f\u04477", ""},
        {"\u0436\u044b\u0448\u0449\u044e\u044f\u04477", "class.3of5"},
        /* Chinese has not: letters of a class of their own */
        {"Vqxn\u6f22\u5b57rw", ""},
    };
    const struct host host = {SR_PRESET_AD, "dictcheck = 0\n", NULL};

    (void)state;
    assert_broken(host, cases);
}

static void
test_pwquality(void **state)
{
    static const struct expected cases[] = {
        {"vQ7!xnrw#htk", ""},
        {"vqxnrwzh", "class.min class.digit class.upper class.other "
                     "class.repeat"},
        {"aaaab", "len.min class.min class.digit class.upper class.other "
                  "repeat class.repeat"},
        {"Xb7!432!234!7bX", "palindrome"},
        {"Xb7!4321!1234!7bX", "palindrome sequence"},
        {"Vq7!h#gens!Hagens7", "name.gecos class.repeat"},
        {"Vq7!sneGAH7xn", "name.gecos"},
        {"Vq7!con.TOSo7xn", ""},
        {"Vq7!conTOSo7xn", "words"},
        {"Vq7!EHagENs7Xn", "name.user name.gecos"},
        {"VQ7!XNR#ZHT", "class.lower"},
        {"ab", "len.min class.min class.digit class.upper class.other"},
    };
    const struct host host = {
        SR_PRESET_PWQUALITY,
        "minlen = 8\nminclass = 3\ndcredit = -1\nucredit = -1\nocredit = -1\n"
        "lcredit = -1\nmaxrepeat = 2\nmaxsequence = 3\nmaxclassrepeat = 4\n"
        "badwords = contoso fabrikam\ngecoscheck = 1\ndictcheck = 0\n",
        NULL};

    (void)state;
    assert_broken(host, cases);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nist),
        cmocka_unit_test(test_ad),
        cmocka_unit_test(test_pwquality),
    };
    const int file = mkstemp(conf);
    int status;

    if (file < 0)
        return 1;
    close(file);
    status = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(conf);
    return status;
}
