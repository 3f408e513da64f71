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

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/password/encoding.h"
#include "policy/password/quality.h"

#define GECOS "Erin Hagens,Room 12,555-1234,,"

/* What a case needs besides the password; NULL settings: an empty file. */
struct host {
    enum sr_preset preset;
    const char *settings;
    const char *old;
};

static char conf[] = "test_quality-XXXXXX";

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
        {"kq7!", "len.min"}, /* cracklib would add that it is too short */
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
        {"vQ7!xxn#wht", ""},
        {"vQ7!xxx#wht", "repeat"},
        {"vvvQ7!xnr#ht", "repeat"},
        {"vQ7!xn#httt", "repeat"},
        {"vQ7!xnrw#\u0448\u0448", ""},
        {"vQ7!xnrw#\u0448\u0448\u0448", "repeat"},
        {"vQ7!xnrw#\u0448\u044b\u0448\u044b", ""},
        {"vQ7!xnrw#\u0448\u044b\u0448\u044b\u0449", "class.repeat"},
        {"\u0436\u044b\u0448\u04497!\u0416x", ""},
        {"vq7#xnr\u20ac\u6f22", "class.upper"},
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

/* Against the current password. */
static void
test_old(void **state)
{
    static const struct expected by_default[] = {
        {"kqzWm4!xvRt8", "same.old"},
        {"KQZwM4!XVrT8", "same.case"},
        {"!xvRt8kqzWm4", "rotated"},
        {"plinth7Wander", ""},
    };
    static const struct expected five[] = {
        {"kqzWm4!xvRt9", "similar"},  {"qzWm4!xvRt8k", "similar rotated"},
        {"kqzWm4!xvRt8", "same.old"}, {"KQZwM4!XVrT8", "same.case"},
        {"plinth7Wander", ""},
    };
    static const struct expected equality[] = {
        {"kqzWm4!xvRt8bnm", "same.old"},
        {"KqzWm4!xvRt8bnm", "same.case"},
        {"kqzWm4!xvRt8bnx", ""},
    };
    static const struct expected accents[] = {
        {"\u00fcber\u00dfee-plinths", "same.case"},
    };
    static const struct expected none[] = {{"kqzWm4!xvRt8", ""}};
    const char *old = "kqzWm4!xvRt8";

    (void)state;
    assert_broken(((struct host){SR_PRESET_PWQUALITY, "dictcheck=0\n", old}),
                  by_default);
    assert_broken(
        ((struct host){SR_PRESET_PWQUALITY, "dictcheck=0\ndifok=5\n", old}),
        five);
    assert_broken(((struct host){SR_PRESET_AD, "dictcheck=0\ndifok=5\n", old}),
                  five);
    assert_broken(((struct host){SR_PRESET_NIST, "dictcheck=0\ndifok=5\n",
                                 "kqzWm4!xvRt8bnm"}),
                  equality);
    assert_broken(
        ((struct host){SR_PRESET_NIST, NULL, "\u00dcBER\u00dfEE-PLINTHS"}),
        accents);
    /* Without an old password, or with an empty one, it breaks nothing. */
    assert_broken(((struct host){SR_PRESET_PWQUALITY, "difok=5\n", NULL}),
                  none);
    assert_broken(((struct host){SR_PRESET_PWQUALITY, "difok=5\n", ""}), none);
}

/* Only the first 128 bytes of a long one are compared, and the new one may not
 * be taken for one of twice the length. */
static void
test_long_old(void **state)
{
    static char old[301], new[401], tail[301];
    const struct expected similar[] = {{new, "len.max similar"},
                                       {tail, "len.max similar"}};

    (void)state;
    for (size_t i = 0; i < sizeof(old) - 1; i++)
        old[i] = "kqzWm4!xvRt8-bnGy3?"[i * i % 19];
    strcpy(new, old);
    memset(new + 300, 'x', 100);
    strcpy(tail, old);
    tail[299] = '#';
    assert_broken(
        ((struct host){SR_PRESET_PWQUALITY, "dictcheck=0\ndifok=5\n", old}),
        similar);
}

/* What selfreset.conf says goes before the preset. */
static void
test_overrides(void **state)
{
    static const struct {
        struct sr_rules rules;
        const char *settings, *password, *ids;
    } cases[] = {
        {{.preset = SR_PRESET_NIST, .min_length = 8}, NULL, "kqz4!xvR", ""},
        {{.preset = SR_PRESET_NIST, .min_length = 8},
         NULL,
         "kqz4!xv",
         "len.min"},
        {{.preset = SR_PRESET_NIST, .max_length = 16},
         NULL,
         "kqz4!xvRkqz4!xvR",
         ""},
        {{.preset = SR_PRESET_NIST, .max_length = 16},
         NULL,
         "kqz4!xvRkqz4!xvRb",
         "len.max"},
        {{.preset = SR_PRESET_NIST, .min_classes = 4},
         NULL,
         "kqz4xvRkqz4xvRb",
         "class.min"},
        {{.preset = SR_PRESET_NIST, .min_classes = 4},
         NULL,
         "kqz4xvRkqz4xvR!",
         ""},
        {{.preset = SR_PRESET_AD, .min_classes = 4},
         "dictcheck=0\n",
         "kqz4xvR",
         "class.min"},
        {{.preset = SR_PRESET_AD, .min_classes = 3},
         "dictcheck=0\n",
         "kqz4xvb",
         "class.3of5"},
        {{.preset = SR_PRESET_PWQUALITY, .min_classes = 2},
         "minclass=4\n",
         "kqz4xvbn",
         ""},
        /* the space is a character of the host's classes, not of ours */
        {{.preset = SR_PRESET_PWQUALITY}, "minclass=3\n", "kqz4x vbn", ""},
        {{.preset = SR_PRESET_PWQUALITY, .min_classes = 3},
         "minclass=3\n",
         "kqz4x vbn",
         "class.min"},
        /* what libpwquality alone knows */
        {{.preset = SR_PRESET_PWQUALITY},
         "usersubstr=4\n",
         "kqz4-agenxvbn",
         "name.user"},
        {{.preset = SR_PRESET_PWQUALITY},
         "maxsequence=1\n",
         "ab",
         "len.min sequence"},
        {{.preset = SR_PRESET_PWQUALITY, .min_length = 6},
         "minlen=20\n",
         "kqz4xv",
         ""},
        /* a credit for each kind, until least length is overridden */
        {{.preset = SR_PRESET_PWQUALITY},
         "minlen=12\ndcredit=1\nucredit=2\nlcredit=0\nocredit=1\n",
         "kqZ4!xvR",
         ""},
        {{.preset = SR_PRESET_PWQUALITY},
         "minlen=12\ndcredit=1\nucredit=2\nlcredit=0\nocredit=1\n",
         "kqz4!xvR",
         "len.min"},
        {{.preset = SR_PRESET_PWQUALITY, .min_length = 12},
         "minlen=12\ndcredit=1\nucredit=2\nlcredit=0\nocredit=1\n",
         "kqZ4!xvR",
         "len.min"},
        /* 8 Cyrillic letters do not make 15 */
        {{.preset = SR_PRESET_PWQUALITY},
         "minlen=15\n",
         "\u0436\u044b\u0448\u0449\u044e\u044f\u0447\u0451",
         "len.min"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct host host = {0, cases[i].settings, NULL};

        assert_string_equal(
            broken_by(&cases[i].rules, &host, cases[i].password), cases[i].ids);
    }
}

/* 256 code points are the most, whatever their bytes; none is cut off. */
static void
test_longest(void **state)
{
    static char ascii[258], cyrillic[512];
    const struct expected cases[] = {{ascii, "len.max"}, {cyrillic, ""}};

    (void)state;
    for (size_t i = 0; i < 257; i++)
        ascii[i] = (char)('a' + i * i % 25);
    for (size_t i = 0; i < 255; i++)
        memcpy(cyrillic + 2 * i, &"\u0436\u044b\u0448\u0449"[i * i % 4 * 2], 2);
    assert_broken(((struct host){SR_PRESET_NIST, "dictcheck=0\n", NULL}),
                  cases);
}

static void
test_encoding(void **state)
{
    static char most[512], beyond[513];
    const struct expected cases[] = {
        {"", "len.empty"},
        {beyond, "len.bytes"},
        {"correct horse\nbattery staple", "enc.control"},
        {"correct horse\x01 battery staple", "enc.control"},
        {"correct horse\x7f battery staple", "enc.control"},
        {"\b\n\r\177INCORRECT", "enc.control"},
        {"correct horse \xc2\x85 battery", "enc.control"},
        {"correct horse \xff battery", "enc.utf8"},
        {"correct horse battery \xc3", "enc.utf8"},
        {"x\xed\xa0\x80", "enc.utf8"},
        {most, "len.max"},
    };
    static char same[512];
    const struct expected padded[] = {{same, "len.max dictionary"}};

    (void)state;
    for (size_t i = 0; i < 512; i++)
        beyond[i] = (char)('a' + i * i % 25);
    memcpy(most, beyond, 511);
    memset(same, 'a', 511);
    assert_null(sr_quality_encoding(most));
    assert_string_equal(sr_quality_encoding(beyond), "len.bytes");
    assert_null(sr_quality_encoding("\u00a0"));
    assert_null(sr_quality_encoding("correct horse \U0001f600"));
    assert_broken(((struct host){SR_PRESET_NIST, "dictcheck=0\n", NULL}),
                  cases);
    assert_broken(((struct host){SR_PRESET_NIST, NULL, NULL}), padded);
}

/* What a person reads. */
static void
test_texts(void **state)
{
    static const struct {
        const char *password, *text;
    } cases[] = {
        {"kqzWm4!xvRt8", "3 characters too short: 12 of 15"},
        {"kqzWm4!xvRt8bn", "1 character too short: 14 of 15"},
        {"\u0436\u044b\u0448\u0449", "11 characters too short: 4 of 15"},
    };
    const struct sr_rules rules = {.preset = SR_PRESET_NIST};
    const struct sr_quality_host where = {NULL, conf};
    struct sr_findings findings = {NULL, 0};

    (void)state;
    write_conf(NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct sr_candidate candidate = {.password = cases[i].password};

        assert_int_equal(
            sr_quality_check_on(&where, &candidate, &rules, &findings),
            SR_QUALITY_DONE);
        assert_true(findings.count > 0);
        assert_string_equal(findings.item[0].text, cases[i].text);
        sr_findings_free(&findings);
    }
}

/* Rules are told with the ids that a broken one has, numbers included. */
static void
test_told(void **state)
{
    static const struct {
        struct sr_rules rules;
        const char *settings, *ids, *first;
    } cases[] = {
        {{.preset = SR_PRESET_NIST},
         NULL,
         "len.min name.user name.gecos name.host same.old dictionary",
         "at least 15 characters"},
        {{.preset = SR_PRESET_NIST, .min_length = 1, .max_length = 64},
         "dictcheck=0\n",
         "len.max name.user name.gecos name.host same.old",
         "at most 64 characters"},
        {{.preset = SR_PRESET_NIST, .min_length = 2},
         "dictcheck=0\n",
         "len.min name.user name.gecos name.host same.old",
         "at least 2 characters"},
        {{.preset = SR_PRESET_AD},
         NULL,
         "len.min class.3of5 name.user name.gecos same.old similar dictionary",
         "at least 7 characters"},
        {{.preset = SR_PRESET_PWQUALITY},
         "minlen=14\nminclass=4\ndcredit=-1\nucredit=-2\nlcredit=-1\n"
         "ocredit=-1\nmaxrepeat=3\nmaxsequence=3\nmaxclassrepeat=4\n"
         "badwords=contoso\ngecoscheck=1\n",
         "len.min class.min class.digit class.upper class.lower class.other "
         "name.user name.gecos same.old similar repeat sequence class.repeat "
         "words dictionary",
         "at least 14 characters"},
        {{.preset = SR_PRESET_PWQUALITY},
         "difok=0\nusercheck=0\ndictcheck=0\n",
         "len.min same.old",
         "at least 8 characters"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct sr_quality_host where = {NULL, conf};
        struct sr_findings findings = {NULL, 0};
        char ids[512];

        write_conf(cases[i].settings);
        assert_int_equal(
            sr_quality_rules_on(&where, &cases[i].rules, &findings),
            SR_QUALITY_DONE);
        join(&findings, ids, sizeof(ids));
        assert_string_equal(ids, cases[i].ids);
        assert_string_equal(findings.item[0].text, cases[i].first);
        sr_findings_free(&findings);
    }
}

/* Unavailable, with one finding that names the cause. */
static void
assert_unavailable(const struct sr_quality_host *where, enum sr_preset preset,
                   const char *cause)
{
    const struct sr_rules rules = {.preset = preset};
    const struct sr_candidate candidate = {.password = "a", .user = "ehagens"};
    const struct sr_candidate good = {.password = "kqzWm4!xvRt8bnm pqw ",
                                      .user = "ehagens"};
    struct sr_findings findings = {NULL, 0};

    assert_int_equal(sr_quality_check_on(where, &good, &rules, &findings),
                     SR_QUALITY_UNAVAILABLE);
    sr_findings_free(&findings);
    assert_int_equal(sr_quality_check_on(where, &candidate, &rules, &findings),
                     SR_QUALITY_UNAVAILABLE);
    assert_int_equal(findings.count, 1);
    assert_string_equal(findings.item[0].id, "quality");
    assert_non_null(strstr(findings.item[0].text, cause));
    sr_findings_free(&findings);
    assert_int_equal(sr_quality_rules_on(where, &rules, &findings),
                     SR_QUALITY_UNAVAILABLE);
    assert_int_equal(findings.count, 1);
    sr_findings_free(&findings);
}

static void
test_no_library(void **state)
{
    const struct sr_quality_host missing = {"libselfreset-none.so.9", conf};
    const struct sr_quality_host another = {"libc.so.6", conf};

    (void)state;
    write_conf(NULL);
    for (unsigned i = SR_PRESET_NIST; i <= SR_PRESET_PWQUALITY; i++) {
        assert_unavailable(&missing, (enum sr_preset)i,
                           "libselfreset-none.so.9");
        assert_unavailable(&another, (enum sr_preset)i, "libc.so.6");
    }
}

static void
test_bad_settings(void **state)
{
    const struct sr_quality_host where = {NULL, conf};
    const struct sr_quality_host missing = {NULL, "/nonexistent/pwquality"};

    (void)state;
    write_conf("minlen = 14\nnosuchsetting = 1\n");
    assert_unavailable(&where, SR_PRESET_NIST, conf);
    assert_unavailable(&where, SR_PRESET_NIST, "nosuchsetting");
    write_conf("minlen = many\n");
    assert_unavailable(&where, SR_PRESET_PWQUALITY, conf);
    assert_unavailable(&missing, SR_PRESET_AD, "/nonexistent/pwquality");
}

/* Only the preset that promises the host's settings insists on it. */
static void
test_no_dictionary(void **state)
{
    static const struct expected cases[] = {{"password12", ""}};
    static const struct expected nist[] = {{"password password", ""}};
    const char *settings = "dictpath = /nonexistent/words\nusercheck = 0\n";
    const struct sr_quality_host where = {NULL, conf};
    const struct sr_rules rules = {.preset = SR_PRESET_PWQUALITY};
    const struct sr_candidate candidate = {.password = "kqzWm4!xvRt8"};
    struct sr_findings findings = {NULL, 0};

    (void)state;
    assert_broken(((struct host){SR_PRESET_NIST, settings, NULL}), nist);
    assert_broken(((struct host){SR_PRESET_PWQUALITY, "dictcheck = 0\n", NULL}),
                  cases);
    write_conf(settings);
    assert_int_equal(sr_quality_check_on(&where, &candidate, &rules, &findings),
                     SR_QUALITY_UNAVAILABLE);
    assert_int_equal(findings.count, 1);
    assert_non_null(strstr(findings.item[0].text, "dictionary"));
    sr_findings_free(&findings);
}

/* ---- a dictionary that is damaged */

#define WORDS  48 /* of seven letters, in three blocks */
#define BLOCK  16
#define FAR_AT 12 /* offset of the index in its file */

static const char *const parts[] = {".pwi", ".pwd", ".hwm"};

static FILE *
open_part(const char *ending, const char *mode)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "%s%s", conf, ending);
    file = fopen(path, mode);
    assert_non_null(file);
    return file;
}

static const char *
word_of(unsigned number)
{
    static char word[8];

    snprintf(word, sizeof(word), "qurbl%c%c", 'a' + number / 16,
             'a' + number % 16);
    return word;
}

/* A dictionary as cracklib's own programs write one: each block begins with a
 * word; the others follow as the length of what they share with the one before,
 * and their end. */
static void
write_dictionary(void)
{
    const uint32_t head[3] = {0x70775631, WORDS, BLOCK};
    FILE *index = open_part(".pwi", "w"), *words = open_part(".pwd", "w");

    fwrite(head, sizeof(head), 1, index);
    for (unsigned i = 0; i < WORDS; i++) {
        const uint32_t at = (uint32_t)ftell(words);

        if (i % BLOCK == 0)
            fwrite(&at, sizeof(at), 1, index);
        else
            fputc(6, words);
        fputs(word_of(i) + (i % BLOCK == 0 ? 0 : 6), words);
        fputc('\0', words);
    }
    fclose(index);
    fclose(words);
}

/* One damage: a file is cut, or bytes in it are replaced. */
struct damage {
    const char *ending;
    long cut; /* how long the file then is, -1: it is not cut */
    long at;
    uint32_t value;
};

static void
do_damage(const struct damage *damage)
{
    FILE *file;
    char path[64];

    snprintf(path, sizeof(path), "%s%s", conf, damage->ending);
    if (damage->cut >= 0) {
        assert_int_equal(truncate(path, damage->cut), 0);
        return;
    }
    file = open_part(damage->ending, "r+");
    fseek(file, damage->at, SEEK_SET);
    fwrite(&damage->value, sizeof(damage->value), 1, file);
    fclose(file);
}

/* Check a password; what was written to standard error meanwhile has `size`
 * bytes. */
static enum sr_quality
check_quietly(const char *password, struct sr_findings *findings, long *size)
{
    const struct sr_quality_host where = {NULL, conf};
    const struct sr_rules rules = {.preset = SR_PRESET_NIST, .min_length = 8};
    const struct sr_candidate candidate = {.password = password};
    const int before = dup(STDERR_FILENO);
    FILE *said = tmpfile();
    enum sr_quality quality;

    assert_non_null(said);
    dup2(fileno(said), STDERR_FILENO);
    quality = sr_quality_check_on(&where, &candidate, &rules, findings);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    fseek(said, 0, SEEK_END);
    *size = ftell(said);
    fclose(said);
    return quality;
}

/* Words that cannot be read would pass, and a line for each be on the terminal
 * of the user. */
static void
test_damaged_dictionary(void **state)
{
    static const struct damage damages[] = {
        {".pwi", 0, 0, 0},
        {".pwi", 8, 0, 0},
        {".pwi", FAR_AT, 0, 0},
        {".pwi", FAR_AT + 8, 0, 0},
        {".pwi", -1, 0, 0},              /* no magic number */
        {".pwi", -1, 4, 0xffffffff},     /* more words than there are */
        {".pwi", -1, 8, 17},             /* the length of a block */
        {".pwi", -1, FAR_AT + 4, 70000}, /* behind the words */
        {".pwi", -1, FAR_AT + 8, 1},     /* back */
        {".pwd", 0, 0, 0},
        {".pwd", 30, 0, 0},
        {".pwd", 100, 0, 0},
    };
    struct sr_findings findings = {NULL, 0};
    char settings[64], path[64];
    long said;

    (void)state;
    snprintf(settings, sizeof(settings), "dictpath = %s\n", conf);
    write_conf(settings);
    write_dictionary();
    assert_int_equal(check_quietly("kqzWm4!xvRt8bnm", &findings, &said),
                     SR_QUALITY_DONE);
    assert_int_equal(findings.count, 0);
    assert_int_equal(check_quietly("Qurblcf1", &findings, &said),
                     SR_QUALITY_DONE);
    assert_int_equal(findings.count, 1);
    assert_string_equal(findings.item[0].id, "dictionary");
    assert_int_equal(said, 0);
    sr_findings_free(&findings);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        write_dictionary();
        do_damage(&damages[i]);
        assert_int_equal(check_quietly("kqzWm4!xvRt8bnm", &findings, &said),
                         SR_QUALITY_UNAVAILABLE);
        assert_int_equal(findings.count, 1);
        assert_non_null(strstr(findings.item[0].text, "damaged"));
        assert_int_equal(said, 0);
        sr_findings_free(&findings);
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", conf, parts[i]);
        unlink(path);
    }
}

/* With a least length of nothing, cracklib's own least length does not count,
 * but its dictionary does. */
static void
test_short(void **state)
{
    static const struct expected cases[] = {
        {"xq7Zk", ""},           {"q7", ""},
        {"~|^#%", ""},           {"house", "dictionary"},
        {"esuoh", "dictionary"}, {"mouse1", "dictionary"},
        {"Hello", "dictionary"}, {"aaa", "palindrome dictionary"},
        {"xq7Zk2", ""},
    };
    const struct sr_rules rules = {.preset = SR_PRESET_PWQUALITY,
                                   .min_length = 1};
    const struct host host = {SR_PRESET_PWQUALITY, NULL, NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *ids = broken_by(&rules, &host, cases[i].password);

        if (strcmp(ids, cases[i].ids) != 0)
            fail_msg("\"%s\" breaks \"%s\" instead of \"%s\"",
                     cases[i].password, ids, cases[i].ids);
    }
}

/* Each rule can be left out, and is then neither shown nor enforced. */
static void
test_skip(void **state)
{
    static const struct expected cases[] = {
        {"len.min", "kq7Wz!m2Rt"},
        {"len.max", "correct horse battery staple and so forth"},
        {"class.min", "plinthwander-oboe"},
        {"class.digit", "Plinth-wander-Oboe"},
        {"class.upper", "plinth-4wander2oboe"},
        {"name.user", "4Plinth-ehagens-Oboe"},
        {"name.gecos", "4Plinth-Hagens-Oboe"},
        {"palindrome", "4Plinth-Obo-obO-htnilP4"},
        {"repeat", "4Plinth---Wander-Oboe"},
        {"sequence", "4Plinth-1234-Oboe"},
        {"class.repeat", "4Plinthwander-Oboe"},
        {"words", "4Plinth-contoso-Oboe"},
        {"dictionary", "Password1-"},
    };
    static const struct host host = {
        SR_PRESET_PWQUALITY,
        "minlen=15\nminclass=3\ndcredit=-1\nucredit=-1\nmaxrepeat=2\n"
        "maxsequence=3\nmaxclassrepeat=7\nbadwords=contoso\ngecoscheck=1\n",
        NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[24];
        char *item = name;
        struct sr_rules rules = {.preset = SR_PRESET_PWQUALITY,
                                 .max_length = 30};
        const struct sr_quality_host where = {NULL, conf};
        struct sr_findings findings = {NULL, 0};

        snprintf(name, sizeof(name), "%s", cases[i].password);
        if (strstr(broken_by(&rules, &host, cases[i].ids), name) == NULL)
            fail_msg("\"%s\" does not break %s", cases[i].ids, name);
        rules.skip_quality = (struct sr_string_list){&item, 1};
        if (strstr(broken_by(&rules, &host, cases[i].ids), name) != NULL)
            fail_msg("%s holds all the same", name);
        assert_int_equal(sr_quality_rules_on(&where, &rules, &findings),
                         SR_QUALITY_DONE);
        for (size_t k = 0; k < findings.count; k++)
            assert_string_not_equal(findings.item[k].id, name);
        sr_findings_free(&findings);
    }
}

/* min_classes = 0 takes the preset's demand away. */
static void
test_no_classes(void **state)
{
    const struct sr_rules rules = {.preset = SR_PRESET_AD, .min_classes = 1};
    const struct host host = {SR_PRESET_AD, NULL, NULL};

    (void)state;
    assert_string_equal(broken_by(&rules, &host, "plinthwanderoboe"), "");
}

/* The uid of the process has no passwd entry, as in containers; or it has one,
 * whose names say nothing of the password's owner. */
static void
test_caller(void **state)
{
    static const uid_t uid[] = {0, 54321};
    const struct sr_rules rules = {.preset = SR_PRESET_NIST};
    const struct host host = {SR_PRESET_NIST, NULL, NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(uid) / sizeof(uid[0]); i++) {
        int status;
        pid_t child;

        write_conf(NULL);
        assert_int_equal(chmod(conf, 0666), 0);
        child = fork();
        if (child == 0) {
            if (uid[i] != 0 && setresuid(uid[i], uid[i], uid[i]) != 0)
                _exit(77);
            _exit(strcmp(broken_by(&rules, &host, "plinth wander oboe gravel"),
                         "") == 0 &&
                          strcmp(broken_by(&rules, &host, "password"),
                                 "len.min dictionary") == 0
                      ? 0
                      : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) != 77)
            assert_int_equal(WEXITSTATUS(status), 0);
    }
}

/*
 * In a child with a file system of its own: pwquality.conf and its drop-ins
 * where the host has them.  The child's answer is its exit status.
 */
static int
host_child(void)
{
    const struct sr_rules rules = {.preset = SR_PRESET_PWQUALITY};
    const struct sr_candidate candidate = {.password = "kqzWm4!xvRt8",
                                           .user = "ehagens"};
    struct sr_findings findings = {NULL, 0};
    int status;

    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(conf, "/etc/security/pwquality.conf", "none", MS_BIND, NULL) != 0)
        return 77;
    if (sr_quality_check(&candidate, &rules, &findings) != SR_QUALITY_DONE ||
        findings.count != 1)
        return 1;
    status =
        strcmp(findings.item[0].text, "11 characters too short: 12 of 23") != 0;
    sr_findings_free(&findings);
    return status;
}

static void
test_host(void **state)
{
    int status;
    pid_t child;

    (void)state;
    write_conf("minlen = 23\n");
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(host_child());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* The marker, never as plain bytes outside of one buffer: each is added 1 to.
 */
#define HIDDEN "nbslfsr{xyqbttxpse"

/* Before and behind it, because malloc(3) writes over the beginning of what is
 * freed, and cracklib cuts off ends. */
#define AROUND "tr4de-wind$-of-"

static char
hidden(size_t at, bool is_backwards)
{
    const size_t size = sizeof(HIDDEN) - 1;

    return (char)(HIDDEN[is_backwards ? size - 1 - at : at] - 1);
}

/* How often the marker, or it backwards, is in a part of memory. */
static unsigned
count_in(const char *bytes, size_t size, bool is_backwards)
{
    const size_t length = sizeof(HIDDEN) - 1;
    unsigned count = 0;

    for (size_t i = 0; i + length <= size; i++) {
        size_t at = 0;

        while (at < length && bytes[i + at] == hidden(at, is_backwards))
            at++;
        count += at == length;
    }
    return count;
}

/* In all memory of this process that can be written. */
static unsigned
count_left(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], access[8];
    unsigned long from, to;
    unsigned count = 0;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        if (sscanf(line, "%lx-%lx %7s", &from, &to, access) != 3 ||
            strncmp(access, "rw", 2) != 0)
            continue;
        count += count_in((const char *)from, to - from, false);
        count += count_in((const char *)from, to - from, true);
    }
    fclose(maps);
    return count;
}

static void
check_hidden(const char *settings)
{
    const struct sr_quality_host where = {NULL, conf};
    const size_t before = strlen(AROUND), size = sizeof(HIDDEN) - 1;
    char *password = calloc(1, 128), *old = calloc(1, 128);
    struct sr_candidate candidate = {
        .password = password, .old = old, .user = "ehagens", .gecos = GECOS};
    struct sr_findings findings = {NULL, 0};

    assert_non_null(password);
    assert_non_null(old);
    write_conf(settings);
    strcpy(password, AROUND);
    for (size_t i = 0; i < size; i++)
        password[before + i] = hidden(i, false);
    strcpy(password + before + size, AROUND);
    strcat(strcpy(old, "##"), password);
    assert_int_equal(count_left(), 2);
    for (unsigned i = SR_PRESET_NIST; i <= SR_PRESET_PWQUALITY; i++) {
        const struct sr_rules rules = {.preset = (enum sr_preset)i};

        assert_int_equal(
            sr_quality_check_on(&where, &candidate, &rules, &findings),
            SR_QUALITY_DONE);
        sr_findings_free(&findings);
        assert_int_equal(count_left(), 2);
    }
    explicit_bzero(password, 128);
    explicit_bzero(old, 128);
    assert_int_equal(count_left(), 0);
    free(password);
    free(old);
}

/* The libraries below keep the password in static and in freed memory. */
static void
test_nothing_left(void **state)
{
    (void)state;
#ifdef SR_INSTRUMENTED
    skip(); /* maps terabytes, and keeps freed memory on purpose */
#endif
    check_hidden("badwords = contoso\ngecoscheck = 1\nmaxsequence = 3\n");
    check_hidden("badwords = contoso\ndictcheck = 0\n");
    check_hidden("usercheck = 0\ndifok = 0\n");
}

/* Nothing known of the person or the host. */
static void
test_nobody(void **state)
{
    const struct sr_candidate candidate = {.password = "kqzWm4!xvRt8bnm"};
    const struct sr_quality_host where = {NULL, conf};
    struct sr_findings findings = {NULL, 0};

    (void)state;
    write_conf("gecoscheck = 1\n");
    for (unsigned i = SR_PRESET_NIST; i <= SR_PRESET_PWQUALITY; i++) {
        const struct sr_rules rules = {.preset = (enum sr_preset)i};

        assert_int_equal(
            sr_quality_check_on(&where, &candidate, &rules, &findings),
            SR_QUALITY_DONE);
        assert_int_equal(findings.count, 0);
    }
    assert_int_equal(sr_findings_add(&findings, "hist", "used before"), 0);
    assert_int_equal(findings.count, 1);
    assert_string_equal(findings.item[0].id, "hist");
    sr_findings_free(&findings);
    assert_null(findings.item);
    sr_findings_free(&findings);
}

/* Root is advised, but not against what could not be stored or typed. */
static void
test_binds(void **state)
{
    static const char *const hard[] = {"enc.control", "enc.utf8", "len.bytes",
                                       "len.empty"};
    const struct sr_rules advise = {.root = SR_ROOT_ADVISE};
    const struct sr_rules enforce = {.root = SR_ROOT_ENFORCE};
    struct sr_findings findings = {0};

    (void)state;
    assert_false(sr_quality_binds(&findings, &advise, true));
    assert_true(sr_quality_binds(&findings, &advise, false));
    assert_true(sr_quality_binds(&findings, &enforce, true));
    assert_int_equal(sr_findings_add(&findings, "len.min", "short"), 0);
    assert_false(sr_quality_binds(&findings, &advise, true));
    for (size_t i = 0; i < sizeof(hard) / sizeof(hard[0]); i++) {
        struct sr_findings one = {0};

        assert_int_equal(sr_findings_add(&one, "hist", "old"), 0);
        assert_int_equal(sr_findings_add(&one, hard[i], "hard"), 0);
        assert_true(sr_quality_binds(&one, &advise, true));
        sr_findings_free(&one);
    }
    sr_findings_free(&findings);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nist),
        cmocka_unit_test(test_ad),
        cmocka_unit_test(test_pwquality),
        cmocka_unit_test(test_old),
        cmocka_unit_test(test_long_old),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_encoding),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_no_library),
        cmocka_unit_test(test_bad_settings),
        cmocka_unit_test(test_no_dictionary),
        cmocka_unit_test(test_damaged_dictionary),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_no_classes),
        cmocka_unit_test(test_caller),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_binds),
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
