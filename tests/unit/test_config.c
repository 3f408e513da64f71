/*
 * Tests of config: every kind of value, every error with its line, drop-ins,
 * file modes, group overrides and the rules of one account.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/config/account_rules.h"
#include "policy/config/membership.h"
#include "policy/config/value.h"
#include "policy/config/config.h"
#include "policy/config/files.h"
#include "policy/decide/facts.h"

static struct sr_config_errors errors;

static struct sr_config *
load_bytes(const char *text, size_t length)
{
    struct sr_config *config = sr_config_load_bytes(text, length, "f", &errors);

    assert_true((config == NULL) == (errors.count > 0));
    return config;
}

static struct sr_config *
load(const char *text)
{
    return load_bytes(text, strlen(text));
}

/* Loading fails with exactly this one error. */
static void
refuse_bytes(const char *text, size_t length, const char *error)
{
    assert_null(load_bytes(text, length));
    for (size_t i = 1; i < errors.count; i++)
        print_message("also: %s\n", errors.item[i]);
    assert_string_equal(errors.item[0], error);
    assert_int_equal(errors.count, 1);
    sr_config_errors_free(&errors);
}

static void
refuse(const char *text, const char *error)
{
    refuse_bytes(text, strlen(text), error);
}

static void
test_defaults(void **state)
{
    struct sr_config *config = load("\n");

    (void)state;
    assert_non_null(config);
    assert_int_equal(config->backends.count, 1);
    assert_string_equal(config->backends.item[0], "local");
    assert_null(config->contact);
    assert_int_equal(config->reveal, SR_REVEAL_ALWAYS);
    assert_int_equal(config->profile, SR_PROFILE_NIST);
    assert_int_equal(config->rules.warn, 14 * 86400);
    assert_int_equal(config->rules.expired_services.count, 6);
    assert_string_equal(config->rules.expired_services.item[5], "systemd-user");
    assert_false(config->rules.require_logon);
    assert_int_equal(config->rules.minimum_age, 0);
    assert_int_equal(config->rules.tries, 3);
    assert_int_equal(config->rules.attempts, 5);
    assert_int_equal(config->rules.window, 900);
    assert_int_equal(config->rules.duration, 900);
    assert_int_equal(config->rules.duration_max, 86400);
    assert_int_equal(config->rules.limit, 100);
    assert_int_equal(config->rules.source_attempts, 30);
    assert_int_equal(config->rules.familiar, 30 * 86400);
    assert_int_equal(config->rules.delay, 2);
    assert_int_equal(config->rules.wait, 10);
    assert_int_equal(config->rules.preset, SR_PRESET_NIST);
    assert_int_equal(config->rules.history, 0);
    assert_int_equal(config->rules.history_age, 730 * 86400);
    assert_int_equal(config->rules.temporary_lifetime, 86400);
    sr_config_free(config);
}

/* The profile counts wherever it stands; what is said outright wins. */
static void
test_profile(void **state)
{
    struct sr_config *config =
        load("[lockout]\nwindow = 20m\n[selfreset]\nprofile = ad\n");

    (void)state;
    assert_non_null(config);
    assert_int_equal(config->profile, SR_PROFILE_AD);
    assert_int_equal(config->rules.window, 1200);
    assert_int_equal(config->rules.duration, 1800);
    assert_int_equal(config->rules.minimum_age, 86400);
    assert_int_equal(config->rules.preset, SR_PRESET_AD);
    assert_int_equal(config->rules.history, 24);
    sr_config_free(config);
}

static void
test_values(void **state)
{
    struct sr_config *config;

    (void)state;
    config = load("\xef\xbb\xbf# a comment\n"
                  "[selfreset] ; another\n"
                  "contact = the helpdesk, Zo\xc3\xab (1234) ; not this\r\n"
                  "reveal : never\n"
                  "[ expiry\t]\n"
                  "  expired_services =\n"
                  "grace=change # and this\nlocked_hash = account\n"
                  "[change]\n"
                  "protected = root,@wheel \"@domain users\",,bob\n"
                  "   @more, \"a,b\" # more\n"
                  "\tlast\n"
                  "require_logon = yes\nroot = enforce\n"
                  "[lockout]\nattempts = 0\nroot = yes\nwait = 1s\n"
                  "attempts = 64\n"
                  "[password]\nmin_length = 16\npreset = pwquality");
    assert_non_null(config);
    assert_string_equal(config->contact, "the helpdesk, Zo\xc3\xab (1234)");
    assert_int_equal(config->reveal, SR_REVEAL_NEVER);
    assert_int_equal(config->rules.expired_services.count, 0);
    assert_int_equal(config->rules.grace, SR_GRACE_CHANGE);
    assert_int_equal(config->rules.locked_hash, SR_LOCKED_HASH_ACCOUNT);
    assert_int_equal(config->rules.protected_accounts.count, 7);
    assert_string_equal(config->rules.protected_accounts.item[1], "@wheel");
    assert_string_equal(config->rules.protected_accounts.item[2],
                        "@domain users");
    assert_string_equal(config->rules.protected_accounts.item[5], "a,b");
    assert_string_equal(config->rules.protected_accounts.item[6], "last");
    assert_true(config->rules.require_logon);
    assert_int_equal(config->rules.root, SR_ROOT_ENFORCE);
    assert_true(config->rules.lock_root);
    assert_int_equal(config->rules.attempts, 64);
    assert_int_equal(config->rules.min_length, 16);
    assert_int_equal(config->rules.preset, SR_PRESET_PWQUALITY);
    sr_config_free(config);
}

static void
test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } row[] = {
        {"0", 0},        {"0d", 0},
        {"1s", 1},       {"15m", 900},
        {"24h", 86400},  {"14d", 14 * 86400},
        {"2w", 1209600}, {"", -1},
        {"d", -1},       {"5", -1},
        {"-1d", -1},     {"+1d", -1},
        {"1.5h", -1},    {"1 d", -1},
        {"1h30m", -1},   {"1D", -1},
        {"1y", -1},      {"9223372036854775807s", INT64_MAX},
        {"1d ", -1},     {"9223372036854775808s", -1},
        {" 1d", -1},     {"9223372036854775807w", -1},
        {"0x10s", -1},   {"99999999999999999999999d", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        int64_t seconds = -1;

        assert_int_equal(sr_config_duration(row[i].text, &seconds),
                         row[i].seconds < 0 ? -1 : 0);
        if (row[i].seconds >= 0)
            assert_int_equal(seconds, row[i].seconds);
    }
}

#define INDENTED                                                               \
    "the line is indented, so it continues the value of the line before, "     \
    "which is not a list or text: remove the space"
#define OVER                                                                   \
    "lockout.duration is longer than lockout.duration_max: raise "             \
    "duration_max, or lower duration"

#define BELOW                                                                  \
    "lockout.duration is shorter than lockout.window: raise duration, or "     \
    "lower window"

static void
test_bad_lines(void **state)
{
    (void)state;
    refuse("warn = 1d\n", "f:1: a [section] must come first");
    refuse("[nowhere]\na = 1\nb = 2\n", "f:1: there is no section [nowhere]");
    refuse("[expiry\nwarn = 1d\n",
           "f:1: a section must look like [NAME], alone on its line");
    refuse("[ ]\n", "f:1: there is no section []");
    refuse("[group:staff]\n", "f:1: a group is named behind a section, as in "
                              "[lockout group:NAME]");
    refuse("[password user:ann]\n",
           "f:1: only a group can be named here: [password group:NAME]");
    refuse("[password group: ]\n",
           "f:1: only a group can be named here: [password group:NAME]");
    refuse("[password group]\n",
           "f:1: only a group can be named here: [password group:NAME]");
    refuse("[selfreset group:x]\n",
           "f:1: [selfreset] holds for the whole host, not for a group");
    refuse("[expiry] x\n",
           "f:1: a section must look like [NAME], alone on its line");
    refuse("[expiry]\n\nwarn 14d\n",
           "f:3: the line is neither [section] nor key = value");
    refuse("[expiry]\nlast", "f:2: the line is neither [section] nor key = "
                             "value");
    refuse("[expiry]\nwarm = 14d\n",
           "f:2: [expiry] has no key \"warm\"; did you mean "
           "\"warn\"?");
    refuse("[lockout]\nwarn = 14d\n",
           "f:2: [lockout] has no key \"warn\"; [expiry] has one");
    refuse("[lockout]\n= 14d\n", "f:2: [lockout] has no key \"\"");
    refuse("[lockout]\nattempts = 3\n  window = 5m\n", "f:3: " INDENTED);
    refuse_bytes("[expiry]\nwarn = 1\0004d\n", 21,
                 "f:2: the line has a NUL byte");
    refuse("[expiry]\nwarn = 1d\x1b\n",
           "f:2: the line has a control character");
    refuse("[selfreset]\ncontact = a\rb\n",
           "f:2: the line has a control character");
    refuse("[selfreset]\ncontact = \xe2\x80\xae"
           "abc\n",
           "f:2: the line has a control character");
    refuse("[selfreset]\ncontact = Zo\xeb\n",
           "f:2: the line is not valid UTF-8");
    refuse("[selfreset]\ncontact = \xc0\xaf\n",
           "f:2: the line is not valid UTF-8");
}

/* No line is too long, and errors about it are short. */
static void
test_long_lines(void **state)
{
    const size_t length = 1 << 20;
    char *text = malloc(length + 100);
    struct sr_config *config;
    size_t used;

    (void)state;
    assert_non_null(text);
    used = (size_t)sprintf(text, "[change]\nprotected = ");
    memset(text + used, 'a', length);
    strcpy(text + used + length, " @b\n");
    config = load(text);
    assert_non_null(config);
    assert_int_equal(config->rules.protected_accounts.count, 2);
    assert_int_equal(strlen(config->rules.protected_accounts.item[0]), length);
    sr_config_free(config);

    /* A comment, the name of a section or of a key, a value. */
    memcpy(text, "[change]\n#          ", used);
    config = load(text);
    assert_non_null(config);
    sr_config_free(config);
    memcpy(text, "[change]\ntries      =", used);
    assert_null(load(text));
    assert_in_range(strlen(errors.item[0]), 60, 200);
    assert_non_null(strstr(errors.item[0], "aaa...\" but must be a number"));
    sr_config_errors_free(&errors);
    memcpy(text, "[change]\naaaaaaaaaaaa", used);
    strcpy(text + used + length, "=b\n");
    assert_null(load(text));
    assert_in_range(strlen(errors.item[0]), 60, 200);
    sr_config_errors_free(&errors);
    text[7] = text[8] = 'a';
    strcpy(text + used + length, "]\n");
    assert_null(load(text));
    assert_in_range(strlen(errors.item[0]), 60, 200);
    sr_config_errors_free(&errors);
    free(text);
}

/* Bytes that other editors and file systems leave. */
static void
test_hostile_bytes(void **state)
{
    static const char *const right[] = {
        "",
        "\xef\xbb\xbf",
        "\r\n\r\n",
        "\xef\xbb\xbf[lockout]\r\nattempts=3\r\n",
        "[lockout]\nattempts=3",
        "[lockout]",
        "#",
        "# \xe2\x80\x8c\xe2\x80\x8d", /* parts of words */
        ";",
        "\n\n   \t\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        struct sr_config *config = load(right[i]);

        assert_non_null(config);
        sr_config_free(config);
    }
    refuse("\xef\xbb", "f:1: the line is not valid UTF-8");
    refuse("[lockout]\n\xef\xbb\xbf"
           "attempts = 3\n",
           "f:2: the line has a control character");
    refuse("# \xe2\x80\xae\n", "f:1: the line has a control character");
    refuse_bytes("\0", 1, "f:1: the line has a NUL byte");
    refuse_bytes("[lockout]\n\0\0\0", 13, "f:2: the line has a NUL byte");
    refuse("\xff\xfe[\n", "f:1: the line is not valid UTF-8");
    refuse("[lockout]\rattempts = 3", "f:1: the line has a control character");
}

/* What was probably meant. */
static void
test_suggestions(void **state)
{
    static const struct {
        const char *text, *error;
    } row[] = {
        {"[lokout]\n", "f:1: there is no section [lokout]; did you mean "
                       "[lockout]?"},
        {"[LOCKOUT]\n", "f:1: there is no section [LOCKOUT]; did you mean "
                        "[lockout]?"},
        {"[lockout]\natempts = 3\n",
         "f:2: [lockout] has no key \"atempts\"; did you mean \"attempts\"?"},
        {"[lockout]\nduration-max = 1d\n",
         "f:2: [lockout] has no key \"duration-max\"; did you mean "
         "\"duration_max\"?"},
        {"[lockout]\nAttempts = 3\n",
         "f:2: [lockout] has no key \"Attempts\"; did you mean \"attempts\"?"},
        {"[password]\natempts = 3\n",
         "f:2: [password] has no key \"atempts\"; did you mean \"attempts\" in "
         "[lockout]?"},
        {"[lockout]\nwiat = 3s\n",
         "f:2: [lockout] has no key \"wiat\"; did you mean \"wait\"?"},
        {"[lockout]\nx = 3s\n", "f:2: [lockout] has no key \"x\""},
        {"[change]\nroot = enforced\n",
         "f:2: change.root is \"enforced\" but must be advise or enforce; did "
         "you mean \"enforce\"?"},
        {"[change]\nroot = never\n",
         "f:2: change.root is \"never\" but must be advise or enforce"},
        {"[lockout]\nroot = off\n",
         "f:2: lockout.root is \"off\" but must be yes or no; did you mean "
         "\"no\"?"},
        {"[selfreset]\nbackends = lcal\n",
         "f:2: selfreset.backends names \"lcal\", but there is no [backend "
         "lcal]; did you mean \"local\"?"},
        /* Other modules' files, copied as they are. */
        {"deny = 5\n", "f:1: a [section] must come first; \"deny\" is "
                       "pam_faillock's; here it is [lockout] attempts"},
        {"even_deny_root\n",
         "f:1: the line is neither [section] nor key = value; "
         "\"even_deny_root\" is pam_faillock's; here it is [lockout] root = "
         "yes"},
        {"[lockout]\nunlock_time = 600\n",
         "f:2: [lockout] has no such key: \"unlock_time\" is "
         "pam_faillock's; here it is [lockout] duration = 15m"},
        {"[password]\nminlen = 8\n",
         "f:2: [password] has no such key: \"minlen\" is "
         "pam_pwquality's; here it is [password] min_length"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        refuse(row[i].text, row[i].error);
}

/* Every key of the modules that this one replaces is known. */
static void
test_foreign_keys(void **state)
{
    static const char *const foreign[] = {
        "dir",
        "audit",
        "silent",
        "no_log_info",
        "local_users_only",
        "nodelay",
        "deny",
        "fail_interval",
        "unlock_time",
        "even_deny_root",
        "root_unlock_time",
        "admin_group",
        "conf",
        "debug",
        "difok",
        "minlen",
        "dcredit",
        "ucredit",
        "lcredit",
        "ocredit",
        "minclass",
        "maxrepeat",
        "maxclassrepeat",
        "maxsequence",
        "gecoscheck",
        "dictcheck",
        "usercheck",
        "usersubstr",
        "enforcing",
        "badwords",
        "dictpath",
        "retry",
        "enforce_for_root",
        "remember",
        "file",
        "authtok_type",
        "use_authtok",
        "PASS_MIN_LEN",
        "PASS_WARN_AGE",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        char text[64], error[128];

        snprintf(text, sizeof(text), "[lockout]\n%s = 1\n", foreign[i]);
        snprintf(error, sizeof(error),
                 "f:2: [lockout] has no such key: \"%s\" is ", foreign[i]);
        assert_null(load(text));
        assert_memory_equal(errors.item[0], error, strlen(error));
        sr_config_errors_free(&errors);
    }
}

static void
test_continuation(void **state)
{
    struct sr_config *config =
        load("[selfreset]\ncontact = the help  # here\n\tdesk\n\n"
             "[change]\nprotected =\n  a, b\n# no end\n  \"c #d\" # end\n"
             "[backend corp]\nuri = ldaps://a\n    ldaps://b\nbase = dc=x\n"
             "filter = (&(uid=%u)\n  (objectClass=person)\n  (cn=x))\n");

    (void)state;
    assert_non_null(config);
    assert_string_equal(config->contact, "the help desk");
    assert_int_equal(config->rules.protected_accounts.count, 3);
    assert_string_equal(config->rules.protected_accounts.item[2], "c #d");
    assert_int_equal(config->backend[0].uri.count, 2);
    assert_string_equal(config->backend[0].filter,
                        "(&(uid=%u)(objectClass=person)(cn=x))");
    sr_config_free(config);
    /* Keys that were indented by mistake do not vanish in a text. */
    refuse("[selfreset]\ncontact = a\n  reveal = never\n", "f:3: " INDENTED);
    refuse("[selfreset]\ncontact = a\n  reveel = never\n", "f:3: " INDENTED);
    refuse("[lockout]\nattempts = 3\n 5\n", "f:3: " INDENTED);
    refuse("[change]\nprotected = a\ntries = 3\n b\n", "f:4: " INDENTED);
    /* The line of a list in which the fault is. */
    refuse("[change]\nprotected = a\n b\n c:d\n e\n",
           "f:4: change.protected is \"c:d\" but must be a list of users and "
           "@groups");
}

static void
test_bad_values(void **state)
{
    static const struct {
        const char *section, *line, *error;
    } row[] = {
        {"expiry", "warn = 14",
         "expiry.warn is \"14\" but must be a duration "
         "from 0 to 36500d, a number and one of s, m, "
         "h, d, w"},
        {"lockout", "window = 0",
         "lockout.window is \"0\" but must be a "
         "duration from 1s to 366d, a number and one "
         "of s, m, h, d, w"},
        {"lockout", "attempts = 65",
         "lockout.attempts is \"65\" but must be a number from 0 to 64"},
        {"lockout", "attempts = -1",
         "lockout.attempts is \"-1\" but must be a number from 0 to 64"},
        {"lockout", "attempts =",
         "lockout.attempts is \"\" but must be a number from 0 to 64"},
        {"lockout", "attempts = 99999999999999999999",
         "lockout.attempts is \"99999999999999999999\" but must be a number "
         "from 0 to 64"},
        {"lockout", "root = true",
         "lockout.root is \"true\" but must be yes or no; did you mean "
         "\"yes\"?"},
        {"change", "tries = 0",
         "change.tries is \"0\" but must be a number from 1 to 99"},
        {"password", "preset = NIST",
         "password.preset is \"NIST\" but must be nist, ad or pwquality; did "
         "you mean \"nist\"?"},
        {"selfreset", "backends = ldap",
         "selfreset.backends names \"ldap\", but there is no [backend ldap]"},
        {"selfreset", "backends = local l/dap",
         "selfreset.backends is \"local l/dap\" but must be a list of "
         "backends"},
        {"selfreset", "backends =",
         "selfreset.backends is \"\" but must be a list of backends"},
        {"backend corp", "uri = http://a",
         "backend.uri is \"http://a\" but must be a list of ldaps://, ldap:// "
         "and ldapi:// URIs"},
        {"backend corp", "uri = ldaps://a?b",
         "backend.uri is \"ldaps://a?b\" but must be a list of ldaps://, "
         "ldap:// and ldapi:// URIs"},
        {"backend corp", "uri = ldaps://[::1",
         "backend.uri is \"ldaps://[::1\" but must be a list of ldaps://, "
         "ldap:// and ldapi:// URIs"},
        {"backend corp", "uri = ldaps://a:99999",
         "backend.uri is \"ldaps://a:99999\" but must be a list of ldaps://, "
         "ldap:// and ldapi:// URIs"},
        {"backend corp", "uri = ldap://a:",
         "backend.uri is \"ldap://a:\" but must be a list of ldaps://, "
         "ldap:// and ldapi:// URIs"},
        {"backend corp", "uri = ldap://a/dc=b",
         "backend.uri is \"ldap://a/dc=b\" but must be a list of ldaps://, "
         "ldap:// and ldapi:// URIs"},
        {"backend corp", "uri = ldapi://x?y",
         "backend.uri is \"ldapi://x?y\" but must be a list of ldaps://, "
         "ldap:// and ldapi:// URIs"},
        {"expiry", "expired_services = cron /etc/pam.d/su",
         "expiry.expired_services is \"cron /etc/pam.d/su\" but must be a "
         "list of service names"},
        {"change", "protected = a; b:c",
         "change.protected is \"a; b:c\" but must be a list of users and "
         "@groups"},
        {"change", "protected = @",
         "change.protected is \"@\" but must be a list of users and @groups"},
        {"change", "protected = \"a b",
         "change.protected is \"\"a b\" but must be a list of users and "
         "@groups"},
        {"change", "protected = \"a\"b",
         "change.protected is \"\"a\"b\" but must be a list of users and "
         "@groups"},
        {"change", "protected = a\"b\"",
         "change.protected is \"a\"b\"\" but must be a list of users and "
         "@groups"},
        {"change", "protected = a\n b = c",
         "change.protected is \"b = c\" but must be a list of users and "
         "@groups"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char text[256], error[512];

        snprintf(text, sizeof(text), "[%s]\n%s\n", row[i].section, row[i].line);
        snprintf(error, sizeof(error), "f:%d: %s",
                 strchr(row[i].line, '\n') == NULL ? 2 : 3, row[i].error);
        refuse(text, error);
    }
}

/* ---- groups */

static int asked;

static int
is_member(void *context, const char *user, const char *group)
{
    (void)context;
    asked++;
    assert_string_equal(user, "alice");
    if (strcmp(group, "broken") == 0)
        return SR_UNKNOWN;
    return strncmp(group, "in", 2) == 0 ? SR_YES : SR_NO;
}

static const struct sr_member alice = {"alice", is_member, NULL};

/* Numbers that a preset gives, and what 0 says in their place. */
static void
test_preset_numbers(void **state)
{
    struct sr_config *config =
        load("[password]\nmin_length = 20\nmin_classes = preset\n"
             "skip = similar, dictionary\n"
             "[password group:in1]\nmin_length = 0\nmin_classes = 0\n"
             "max_length = 9\nskip = len.max\n"
             "[password group:in2]\nmax_length = preset\n");
    struct sr_rules rules;

    (void)state;
    assert_non_null(config);
    assert_int_equal(config->rules.min_length, 20);
    assert_int_equal(config->rules.min_classes, 0);
    assert_int_equal(config->rules.skip_quality.count, 2);
    assert_int_equal(sr_config_rules(config, &alice, "su", &rules), 0);
    assert_int_equal(rules.min_length, 1);
    assert_int_equal(rules.min_classes, 1);
    assert_int_equal(rules.max_length, 0);
    assert_int_equal(rules.skip_quality.count, 1);
    sr_config_free(config);
    refuse("[password]\nskip = dictionnary\n",
           "f:2: password.skip is \"dictionnary\" but must be a list of rules "
           "for passwords; did you mean \"dictionary\"?");
    refuse("[password]\nmax_length = 0\n",
           "f:2: password.max_length is \"0\" but must be preset, or a number "
           "from 1 to 511");
    refuse("[lockout]\nattempts = preset\n",
           "f:2: lockout.attempts is \"preset\" but must be a number from 0 to "
           "64");
}

static void
test_contradictions(void **state)
{
    (void)state;
    refuse("[lockout]\nduration_max = 1h\n\nduration = 2h\n", "f:4: " OVER);
    refuse("[lockout]\nduration_max = 1m\n", "f:2: " OVER);
    refuse("[password]\nmax_length = 8\n",
           "f:2: password.min_length is more than password.max_length; where "
           "one is not set, the preset's counts (at least 15 or 7, at most "
           "256)");
    refuse("[lockout]\nduration_max = 1h\n"
           "[lockout group:x]\nduration = 1d\n"
           "[password group:x]\nhistory = 3\n",
           "f:4: " OVER ", for group x");
    refuse("[lockout]\nwindow = 15m\nduration = 5s\n", "f:3: " BELOW);
    refuse("[lockout]\nduration = 5m\n", "f:2: " BELOW);
    refuse("[lockout group:x]\nwindow = 1h\n", "f:2: " BELOW ", for group x");
    sr_config_free(load("[lockout group:x]\nduration = 2d\n"
                        "[lockout group:x]\nduration_max = 2d\n"));
    assert_int_equal(errors.count, 0);
}

static void
test_every_error(void **state)
{
    char text[4096] = "[expiry]\n";

    (void)state;
    assert_null(load("[expiry]\na = 1\nwarn = x\n[b]\nc = 1\n[lockout]\nd\n"));
    assert_int_equal(errors.count, 4);
    sr_config_errors_free(&errors);
    for (int i = 0; i < 500; i++)
        strcat(text, "a=1\n");
    assert_null(load(text));
    assert_int_equal(errors.count, 101);
    assert_string_equal(errors.item[99], "f:101: [expiry] has no key \"a\"");
    assert_string_equal(errors.item[100], "f:102: more errors are not shown");
    sr_config_errors_free(&errors);
}

static void
test_overrides(void **state)
{
    struct sr_config *config = load("[lockout group:in1]\nattempts = 7\n"
                                    "window = 1m\n"
                                    "[lockout group:out]\nduration = 20m\n"
                                    "[lockout group:in2]\nattempts = 9\n"
                                    "[lockout]\nattempts = 6\n"
                                    "[expiry group:in1]\n"
                                    "expired_services = su\n");
    struct sr_rules rules;

    (void)state;
    assert_non_null(config);
    asked = 0;
    assert_int_equal(sr_config_rules(config, &alice, "su", &rules), 0);
    assert_int_equal(asked, 3); /* each group once */
    assert_int_equal(rules.attempts, 9);
    assert_int_equal(rules.window, 60);
    assert_int_equal(rules.duration, 900);
    assert_true(rules.spare_expired);
    assert_int_equal(sr_config_rules(config, &alice, "cron", &rules), 0);
    assert_false(rules.spare_expired);
    assert_int_equal(sr_config_rules(config, &alice, NULL, &rules), 0);
    assert_false(rules.spare_expired);
    assert_int_equal(config->rules.attempts, 6);
    sr_config_free(config);
}

/* Two groups that are right alone and wrong together keep nobody out. */
static void
test_reconcile(void **state)
{
    struct sr_config *config = load("[lockout group:in1]\nduration_max = 15m\n"
                                    "[lockout group:in2]\nduration = 2h\n"
                                    "[lockout group:in3]\nwindow = 3h\n"
                                    "duration = 3h\n"
                                    "[lockout group:in4]\nduration = 1h\n"
                                    "[password group:in1]\nmax_length = 15\n"
                                    "[password group:in2]\nmin_length = 20\n");
    struct sr_rules rules;

    (void)state;
    assert_non_null(config);
    assert_int_equal(sr_config_rules(config, &alice, "su", &rules), 0);
    assert_int_equal(rules.duration, 10800);
    assert_int_equal(rules.duration_max, 10800);
    assert_int_equal(rules.min_length, 20);
    assert_int_equal(rules.max_length, 0);
    sr_config_free(config);
}

/* The record of the last change is the history's newest entry. */
static void
test_max_age(void **state)
{
    struct sr_config *config = load("[expiry group:in1]\nmax_age = 90d\n");
    struct sr_rules rules;

    (void)state;
    assert_non_null(config);
    assert_int_equal(config->rules.history, 0);
    assert_int_equal(sr_config_rules(config, &alice, "su", &rules), 0);
    assert_int_equal(rules.max_age, 90 * 86400);
    assert_int_equal(rules.history, 1);
    sr_config_free(config);
}

static void
test_lists(void **state)
{
    struct sr_config *config = load("[change]\nprotected = bob @out alice\n"
                                    "cannot_change = @in1\n"
                                    "logon_exempt = @out ALICE in1\n");
    struct sr_rules rules;

    (void)state;
    assert_non_null(config);
    assert_int_equal(sr_config_rules(config, &alice, "su", &rules), 0);
    assert_true(rules.is_protected);
    assert_true(rules.is_cannot_change);
    assert_false(rules.is_logon_exempt);
    sr_config_free(config);
}

static void
note_name(void *context, const char *name, bool is_group, const char *file,
          unsigned line)
{
    char *all = context;

    snprintf(all + strlen(all), 256 - strlen(all), "%s%s %s:%u;",
             is_group ? "@" : "", name, file, line);
}

static void
test_names(void **state)
{
    struct sr_config *config =
        load("[change]\nprotected = bob @staff\n cy\n"
             "[lockout group:ops]\nattempts = 7\n"
             "[change]\nlogon_exempt = old\nlogon_exempt = @new\n"
             "[change group:x]\nlogon_exempt = y\n");
    char all[256] = "";

    (void)state;
    assert_non_null(config);
    sr_config_each_name(config, note_name, all);
    assert_string_equal(all, "bob f:2;@staff f:2;cy f:2;@ops f:5;@new f:8;"
                             "@x f:10;y f:10;");
    sr_config_free(config);
}

static bool
is_not_of_directory(const char *group)
{
    return strcmp(group, "far") != 0;
}

static void
test_groups_that_decide_resets(void **state)
{
    static const struct {
        const char *text;
        bool decides;
    } line[] = {
        {"[reset]\nadministrators = @far\n", false},
        {"[reset]\ngroups = far @near @far\n", true},
        {"[reset]\ngroups = far @near\n", false},
        {"[reset]\ngroups = @far\ngroups = @near\n", false},
        {"[reset group:far]\nenable = no\n", true},
        {"[reset group:far]\nnew_gate_wait = 7d\n", true},
        {"[reset group:near]\nenable = no\n", false},
        {"[change]\nprotected = @far\n", true},
        {"[change]\ncannot_change = x @far\n", true},
        {"[change group:near]\nprotected = @far\n", true},
        {"[change group:far]\nprotected = x\n", true},
        {"[change]\nlogon_exempt = @far\n", false},
        {"[nss]\nbreak_glass = @far\n", false},
        {"[lockout group:far]\nattempts = 7\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(line) / sizeof(line[0]); i++) {
        struct sr_config *config = load(line[i].text);

        assert_non_null(config);
        print_message("%s", line[i].text);
        assert_int_equal(
            sr_config_resets_by_groups(config, is_not_of_directory),
            !line[i].decides);
        sr_config_free(config);
    }
}

static void
test_unknown_membership(void **state)
{
    static const char *const text[] = {
        "[lockout group:broken]\nattempts = 7\n",
        "[change]\nprotected = @broken\n",
        "[change]\ncannot_change = @broken\n",
        "[change]\nlogon_exempt = @broken\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        struct sr_config *config = load(text[i]);
        struct sr_rules rules;

        assert_non_null(config);
        assert_int_equal(sr_config_rules(config, &alice, "su", &rules), -1);
        sr_config_free(config);
    }
}

static void
write_file(const char *path, const char *text)
{
    FILE *stream = fopen(path, "we");

    assert_non_null(stream);
    assert_true(fputs(text, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

/* In a process and a mount namespace of its own, with our own /etc/group. */
static int
ask_name_service(const char *directory)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/group", directory);
    write_file(path, "root:x:0:\nfriends:x:4711:daemon,root\nempty:x:4712:\n");
    chmod(path, 0644);
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(path, "/etc/group", NULL, MS_BIND, NULL) != 0)
        return 77;
    return sr_config_member_nss(NULL, "root", "root") == SR_YES &&
                   sr_config_member_nss(NULL, "root", "friends") == SR_YES &&
                   sr_config_member_nss(NULL, "root", "empty") == SR_NO &&
                   sr_config_member_nss(NULL, "root", "none-such") == SR_NO &&
                   sr_config_member_nss(NULL, "none-such", "root") == SR_NO
               ? 0
               : 1;
}

static void
test_name_service(void **state)
{
    int status;
    pid_t child;

    if (geteuid() != 0)
        skip();
    child = fork();
    if (child == 0)
        _exit(ask_name_service(*state));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- files */

struct place {
    char directory[64];
    char file[96];
    char dropins[112];
};

static void
make_place(struct place *place, const char *parent)
{
    snprintf(place->directory, sizeof(place->directory), "%s/XXXXXX", parent);
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->file, sizeof(place->file), "%s/s.conf", place->directory);
    snprintf(place->dropins, sizeof(place->dropins), "%s.d", place->file);
}

static void
write_dropin(const struct place *place, const char *name, const char *text)
{
    char path[256];

    mkdir(place->dropins, 0755);
    snprintf(path, sizeof(path), "%s/%s", place->dropins, name);
    write_file(path, text);
}

/* Loading the place's file fails with one error: the file's name, then this. */
static void
refuse_file(const struct place *place, const char *name, const char *error)
{
    char expected[512];

    assert_null(sr_config_load(place->file, &errors));
    assert_int_equal(errors.count, 1);
    snprintf(expected, sizeof(expected), "%s: %s", name, error);
    assert_string_equal(errors.item[0], expected);
    sr_config_errors_free(&errors);
}

static void
test_dropins(void **state)
{
    struct place place;
    struct sr_config *config;

    if (geteuid() != 0)
        skip();
    make_place(&place, *state);
    write_file(place.file, "[lockout]\nattempts = 1\nwindow = 1m\n");
    /* Made in no order, for a directory is listed in any. */
    write_dropin(&place, "15.conf", "[lockout]\nattempts = 15\n");
    write_dropin(&place, "20.conf", "[lockout]\nattempts = 20\n");
    write_dropin(&place, "12.conf", "[lockout]\nattempts = 12\n");
    write_dropin(&place, "18.conf", "[lockout]\nattempts = 18\n");
    write_dropin(&place, "11.conf", "[lockout]\nattempts = 11\n");
    write_dropin(&place, "100.conf",
                 "[lockout]\nattempts = 10\n"
                 "duration = 1m\n");
    write_dropin(&place, ".30.conf", "nonsense\n");
    write_dropin(&place, "90.conf.bak", "nonsense\n");
    config = sr_config_load(place.file, &errors);
    assert_non_null(config);
    assert_int_equal(config->rules.attempts, 20); /* "100" before "20" */
    assert_int_equal(config->rules.window, 60);
    assert_int_equal(config->rules.duration, 60);
    sr_config_free(config);
}

/* ---- what was read before */

/* Seconds that the clock is ahead. */
static time_t ahead;

time_t __real_time(time_t *now);
time_t __wrap_time(time_t *now);

time_t
__wrap_time(time_t *now)
{
    const time_t shown = __real_time(NULL) + ahead;

    if (now != NULL)
        *now = shown;
    return shown;
}

enum change {
    NO_CHANGE,
    EDITED,
    REPLACED,
    REMOVED,
    MADE_UNSAFE,
    DROPIN_ADDED,
    DROPIN_EDITED,
    DROPIN_REMOVED,
    CHANGES
};

static void
make_change(const struct place *place, enum change change)
{
    char path[128], other[160];
    struct stat before, now;

    snprintf(path, sizeof(path), "%s%s",
             change >= DROPIN_ADDED ? place->dropins : place->file,
             change >= DROPIN_ADDED ? "/10.conf" : "");
    snprintf(other, sizeof(other), "%s.new", path);
    if (change == EDITED || change == DROPIN_EDITED)
        write_file(path, "[lockout]\nattempts = 77\n");
    if (change == REPLACED) {
        write_file(other, "[lockout]\nattempts = 7\n");
        assert_int_equal(rename(other, path), 0);
    }
    if (change == REMOVED || change == DROPIN_REMOVED)
        assert_int_equal(unlink(path), 0);
    if (change == DROPIN_ADDED)
        write_dropin(place, "20.conf", "[lockout]\nwindow = 7m\n");
    if (change == MADE_UNSAFE) {
        assert_int_equal(stat(path, &before), 0);
        do { /* times are in ticks */
            assert_int_equal(chmod(path, 0666), 0);
            assert_int_equal(stat(path, &now), 0);
        } while (memcmp(&before.st_ctim, &now.st_ctim, sizeof(now.st_ctim)) ==
                 0);
    }
}

/* A configuration is the same until a file or folder of it changes. */
static void
test_current(void **state)
{
    struct sr_config *config;
    struct place place;

    if (geteuid() != 0)
        skip();
    ahead = 10;
    for (int change = 0; change < 2 * CHANGES; change++) {
        make_place(&place, *state);
        write_file(place.file, "[lockout]\nattempts = 7\n");
        if (change < CHANGES) /* else there is no folder yet */
            write_dropin(&place, "10.conf", "[lockout]\nattempts = 8\n");
        config = sr_config_load(place.file, &errors);
        assert_non_null(config);
        assert_true(sr_config_is_current(config, place.file));
        assert_false(sr_config_is_current(config, NULL));
        assert_false(sr_config_is_current(config, "/nowhere"));
        if (change < CHANGES || change == CHANGES + DROPIN_ADDED)
            make_change(&place, (enum change)(change % CHANGES));
        assert_int_equal(
            sr_config_is_current(config, place.file),
            change == NO_CHANGE ||
                (change >= CHANGES && change != CHANGES + DROPIN_ADDED));
        sr_config_free(config);
    }
    ahead = 0;
}

/* What was written in this second may be written again in the same tick; and a
 * clock that was set back says nothing. */
static void
test_young(void **state)
{
    struct sr_config *config;
    struct place place;

    if (geteuid() != 0)
        skip();
    for (ahead = -100; ahead <= 2; ahead += 51) {
        make_place(&place, *state);
        write_file(place.file, "[lockout]\nattempts = 7\n");
        config = sr_config_load(place.file, &errors);
        assert_non_null(config);
        assert_false(sr_config_is_current(config, place.file));
        sr_config_free(config);
    }
    ahead = 0;
}

/* It is there until the last of its users has freed it, which valgrind and
 * sanitizers see. */
static void
test_shared(void **state)
{
    struct sr_config *config = load("[lockout]\nattempts = 7\n");
    struct sr_config *same;

    (void)state;
    assert_non_null(config);
    assert_false(sr_config_is_current(config, NULL)); /* of no file */
    same = sr_config_share(config);
    sr_config_free(config);
    assert_int_equal(same->rules.attempts, 7);
    sr_config_free(same);
}

/* ---- several folders */

static void
visit(void *context, const char *name, char *bytes, size_t size)
{
    char *all = context;

    (void)name;
    snprintf(all + strlen(all), 256 - strlen(all), "%.*s;", (int)size, bytes);
}

/* The first file counts, and drop-ins of all, in the order of their names. */
static void
test_folders(void **state)
{
    struct place place[3];
    const char *paths[3];
    struct sr_stamps stamps = {.item = NULL};
    const struct sr_files_visitor visitor = {visit, (char[256]){""}};

    if (geteuid() != 0)
        skip();
    for (int i = 0; i < 3; i++) {
        make_place(&place[i], *state);
        paths[i] = place[i].file;
    }
    sr_files_read(paths, 3, true, &visitor, &stamps, &errors);
    assert_string_equal(visitor.context, "");
    assert_int_equal(stamps.count, 6);
    assert_true(sr_stamps_are_current(&stamps));
    write_file(place[2].file, "vendor");
    assert_false(sr_stamps_are_current(&stamps));
    write_dropin(&place[2], "10.conf", "v10");
    write_dropin(&place[2], "30.conf", "v30");
    write_dropin(&place[1], "20.conf", "r20");
    write_dropin(&place[1], "30.conf", "r30");
    write_dropin(&place[0], "15.conf", "e15");
    write_dropin(&place[0], "20.conf", "");
    sr_files_read(paths, 3, true, &visitor, &stamps, &errors);
    assert_string_equal(visitor.context, "vendor;v10;e15;;r30;");
    write_file(place[0].file, "host");
    *(char *)visitor.context = '\0';
    sr_files_read(paths, 3, true, &visitor, &stamps, &errors);
    assert_string_equal(visitor.context, "host;v10;e15;;r30;");
    assert_int_equal(errors.count, 0);
    /* A file that counts and cannot be read is no reason to go on. */
    chmod(place[0].file, 0666);
    *(char *)visitor.context = '\0';
    sr_files_read(paths, 3, true, &visitor, &stamps, &errors);
    assert_string_equal(visitor.context, "v10;e15;;r30;");
    assert_int_equal(errors.count, 1);
    sr_config_errors_free(&errors);
    sr_stamps_free(&stamps);
}

static void
test_missing_file(void **state)
{
    struct place place;

    if (geteuid() != 0)
        skip();
    make_place(&place, *state);
    refuse_file(&place, place.file,
                "cannot be opened: No such file or directory");
}

static void
test_unsafe_files(void **state)
{
    struct place place;
    char dropin[256], other[256];

    if (geteuid() != 0)
        skip();
    make_place(&place, *state);
    write_file(place.file, "\n");
    chmod(place.file, 0664);
    refuse_file(&place, place.file,
                "can be written by others than root (mode 0664)");
    chmod(place.file, 0646);
    refuse_file(&place, place.file,
                "can be written by others than root (mode 0646)");
    chmod(place.file, 0644);
    assert_int_equal(chown(place.file, 1, 0), 0);
    refuse_file(&place, place.file, "belongs to uid 1, but must be root's");
    snprintf(other, sizeof(other), "%s/other", place.directory);
    write_file(other, "\n");
    unlink(place.file);
    assert_int_equal(symlink(other, place.file), 0);
    refuse_file(&place, place.file,
                "is a symbolic link, which is not followed");
    unlink(place.file);
    assert_int_equal(mkfifo(place.file, 0600), 0);
    refuse_file(&place, place.file, "is not a regular file");
    unlink(place.file);
    mkdir(place.file, 0700);
    refuse_file(&place, place.file, "is not a regular file");
    rmdir(place.file);
    write_file(place.file, "\n");
    assert_int_equal(truncate(place.file, 32 << 20), 0);
    refuse_file(&place, place.file, "is larger than a configuration can be");
    write_file(place.file, "\n");
    write_dropin(&place, "1.conf", "\n");
    snprintf(dropin, sizeof(dropin), "%s/1.conf", place.dropins);
    chmod(dropin, 0622);
    refuse_file(&place, dropin,
                "can be written by others than root (mode 0622)");
    chmod(dropin, 0600);
    chmod(place.dropins, 0777);
    refuse_file(&place, place.dropins,
                "can be written by others than root (mode 0777)");
    chmod(place.dropins, 0755);
    /* A drop-in that is a folder, or a circle of links. */
    snprintf(other, sizeof(other), "%s/2.conf", place.dropins);
    mkdir(other, 0755);
    refuse_file(&place, other, "is not a regular file");
    rmdir(other);
    assert_int_equal(symlink("2.conf", other), 0);
    refuse_file(&place, other, "is a symbolic link, which is not followed");
    unlink(other);
    sr_config_free(sr_config_load(place.file, &errors));
    assert_int_equal(errors.count, 0);
}

/* ---- the table */

static enum sr_profile table_profile;

static void
check_key(void *context, const char *section, const char *key,
          const char *preset, const char *values)
{
    bool is_backend = strcmp(section, "backend") == 0;
    char text[512];
    struct sr_config *config;

    snprintf(text, sizeof(text), "%s[%s%s]\n%s = %s\n%s",
             table_profile == SR_PROFILE_AD ? "[selfreset]\nprofile = ad\n"
                                            : "",
             section, is_backend ? " corp" : "", key, preset,
             is_backend ? "uri = ldaps://a\nbase = dc=b\n" : "");
    config = load(text);
    assert_non_null(config);
    sr_config_free(config);
    assert_true(strlen(values) > 0);
    assert_true(strlen(values) < 127); /* not cut */
    ++*(int *)context;
}

static void
test_backends(void **state)
{
    struct sr_config *config =
        load("[selfreset]\nbackends = local, corp\n"
             "[backend corp]\nuri = ldaps://a ldap://b:1389\nbase = dc=x\n"
             "[backend lab]\nuri = ldapi://%2Frun%2Fldapi\nbase = dc=y\n"
             "identity = external\ntimeout = 3s\nwhen_down = next\n"
             "[backend corp]\ninsecure = yes\nfilter = (cn=%u)\n");
    const struct sr_backend_config *corp, *lab;

    struct sr_config *forms = load(
        "[backend x]\nuri = ldap:/// LDAPS://a/ ldap://[fe80::1%25eth0]:389 "
        "ldapi:/// ldapi:// ldaps://a.b-c_d:65535\nbase = dc=x\n");

    (void)state;
    assert_non_null(forms);
    assert_int_equal(forms->backend[0].uri.count, 6);
    sr_config_free(forms);
    assert_non_null(config);
    assert_int_equal(config->backends.count, 2);
    assert_string_equal(config->backends.item[1], "corp");
    assert_int_equal(config->backend_count, 2);
    corp = &config->backend[0];
    lab = &config->backend[1];
    assert_string_equal(corp->name, "corp");
    assert_int_equal(corp->type, SR_BACKEND_LDAP);
    assert_int_equal(corp->uri.count, 2);
    assert_string_equal(corp->uri.item[1], "ldap://b:1389");
    assert_string_equal(corp->base, "dc=x");
    assert_string_equal(corp->filter, "(cn=%u)");
    assert_string_equal(corp->name_attribute, "uid");
    assert_int_equal(corp->identity, SR_IDENTITY_NONE);
    assert_null(corp->bind_dn);
    assert_true(corp->insecure);
    assert_int_equal(corp->timeout, 10);
    assert_int_equal(corp->when_down, SR_DOWN_STOP);
    assert_string_equal(lab->name, "lab");
    assert_string_equal(lab->filter, "(&(objectClass=posixAccount)(uid=%u))");
    assert_int_equal(lab->identity, SR_IDENTITY_EXTERNAL);
    assert_false(lab->insecure);
    assert_int_equal(lab->timeout, 3);
    assert_int_equal(lab->when_down, SR_DOWN_NEXT);
    sr_config_free(config);
}

static void
test_backend_faults(void **state)
{
#define CORP "[backend corp]\nuri = ldaps://a\nbase = dc=x\n"
#define STORE(place)                                                           \
    place ": lockout.store = ldap needs a backend with a lockout_base among "  \
          "selfreset.backends"
    static const struct {
        const char *text;
        const char *error;
    } row[] = {
        {"[backend]\nbase = dc=x\n",
         "f:1: a backend is named in its section, by at most 15 letters and "
         "digits: [backend NAME]"},
        {"[backend a b]\n",
         "f:1: a backend is named in its section, by at most 15 letters and "
         "digits: [backend NAME]"},
        {"[backend sixteen-letters-]\n",
         "f:1: a backend is named in its section, by at most 15 letters and "
         "digits: [backend NAME]"},
        {"[backend ../x]\n",
         "f:1: a backend is named in its section, by at most 15 letters and "
         "digits: [backend NAME]"},
        {"[backend local]\n", "f:1: the backend \"local\" has no section"},
        {"[backend corp]\nbase = dc=x\n", "f:2: [backend corp] needs a uri"},
        {"[backend corp]\ntype = krb5\nuri = ldap://a\n",
         "f:3: [backend corp] uri needs type = ldap"},
        {"[backend corp]\ntype = krb5\nidentity = gssapi\n",
         "f:3: [backend corp] identity needs type = ldap"},
        {CORP "realm = A\n",
         "f:4: [backend corp] realm needs type = krb5 or ad"},
        {CORP "kdc = a\n", "f:4: [backend corp] kdc needs type = krb5 or ad"},
        {CORP "site = a\n", "f:4: [backend corp] site needs type = ad"},
        {CORP "auth = krb5 ldap\n", "f:4: [backend corp] auth needs type = ad"},
        {CORP "bind_secret = managed\n",
         "f:4: [backend corp] bind_secret needs type = ad"},
        {"[backend corp]\ntype = ad\nuid_attribute =\n",
         "f:3: [backend corp] name_attribute needs a value, as uid_attribute "
         "does"},
        {"[backend corp]\ntype = ad\nidentity = none\n",
         "f:3: [backend corp] has type = ad, which needs identity = gssapi or "
         "simple"},
        {"[backend corp]\ntype = ad\nauth = krb5 ldap\ninsecure = yes\n",
         "f:3: [backend corp] auth = krb5 ldap needs insecure = no"},
        {"[backend corp]\ntype = ad\nidentity = simple\nsecret_file = /x\n"
         "bind_secret = managed\nbind_dn = ann@example.org\n",
         "f:6: [backend corp] bind_dn is not of the form "
         "attribute=value,attribute=value"},
        {CORP "reset_history = no\n",
         "f:4: [backend corp] reset_history needs type = ad"},
        {"[backend corp]\ntype = krb5\nuser_principal = ann\n",
         "f:3: [backend corp] user_principal needs %u for the name"},
        {"[backend corp]\ntype = krb5\nccache = MEMORY:x\n",
         "f:3: [backend corp] ccache is none of yes, no, FILE:/PATH, "
         "DIR:/PATH, KCM:NAME, KEYRING:persistent:NAME and KEYRING:user:NAME"},
        {"[backend corp]\ntype = krb5\nccache = KEYRING:process:x\n",
         "f:3: [backend corp] ccache is none of yes, no, FILE:/PATH, "
         "DIR:/PATH, KCM:NAME, KEYRING:persistent:NAME and KEYRING:user:NAME"},
        {"[backend corp]\ntype = krb5\nccache = FILE:/tmp/%%a%u\n",
         "f:3: [backend corp] ccache has a variable other than %{uid}, "
         "%{user} and %%"},
        {"[backend corp]\ntype = krb5\nccache = FILE:/tmp/%{uid}%\n",
         "f:3: [backend corp] ccache has a variable other than %{uid}, "
         "%{user} and %%"},
        {"[backend corp]\ntype = krb5\nverify = no\nfast = demand\n",
         "f:4: [backend corp] fast = demand needs verify = yes"},
        {"[backend corp]\ntype = krb5\nkeytab = x\n",
         "f:3: [backend corp] keytab is not a path that begins with /"},
        {"[backend corp]\nuri = ldap://a\n",
         "f:2: [backend corp] needs a base"},
        {CORP "filter = (uid=*)\n",
         "f:4: [backend corp] needs a filter with %u in it"},
        {CORP "name_attribute =\n",
         "f:4: [backend corp] needs a name_attribute and a uid_attribute"},
        {CORP "identity = simple\nbind_dn = cn=a\n",
         "f:5: [backend corp] has identity = simple, which needs bind_dn and "
         "secret_file"},
        {CORP "secret_file = /etc/x\n",
         "f:4: [backend corp] has bind_dn or secret_file, which need identity "
         "= simple"},
        {CORP "identity = external\n",
         "f:4: [backend corp] has identity = external, which needs an ldapi:// "
         "uri or cert_file"},
        {CORP "cert_file = /etc/x\n",
         "f:4: [backend corp] has one of cert_file and key_file, which need "
         "each other"},
        {CORP "key_file = /etc/x\n",
         "f:4: [backend corp] has one of cert_file and key_file, which need "
         "each other"},
        {CORP "lockout_base = ou=y\n",
         "f:4: [backend corp] has lockout_base, which needs an identity"},
        {CORP "reset_base = ou=y\n",
         "f:4: [backend corp] has reset_base, which needs an identity"},
        {"[lockout]\nstore = ldap\n", STORE("f:2")},
        {"[lockout group:x]\nstore = ldap\n", STORE("f:2")},
        /* It has a section, but is not asked. */
        {"[lockout]\nstore = ldap\n[backend corp]\nuri = ldapi://a\n"
         "base = dc=x\nidentity = external\nlockout_base = ou=y\n",
         STORE("f:2")},
        {CORP "[selfreset]\nbackends = corp\n[lockout]\nstore = ldap\n",
         STORE("f:7")},
        {CORP "warn = 5d\n",
         "f:4: [backend] has no key \"warn\"; [expiry] has one"},
        {"[backend corp group:x]\n",
         "f:1: a backend is named in its section, by at most 15 letters and "
         "digits: [backend NAME]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        refuse(row[i].text, row[i].error);
#undef STORE
}

/* Patterns of sshd_config(5), and what is no name of one account. */
static void
test_reset_account(void **state)
{
    static const char *const bad[] = {
        "re*set",       "re?et",      "a,b",         "!reset", "-r",
        "Reset",        "root",       "1x",          "a b",    "",
        "r\xc3\xa9set", "reset@corp", "corp\\reset", "a:b",    "../a"};
    static const char *const good[] = {"reset", "_x", "help-me", "a9"};
    char text[100];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "[reset]\naccount = %s\n", bad[i]);
        refuse(text, "f:2: reset.account must be one account: small letters, "
                     "digits, - and _, and not root");
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct sr_config *config;

        snprintf(text, sizeof(text), "[reset]\naccount = %s\n", good[i]);
        config = load(text);
        assert_non_null(config);
        assert_string_equal(config->reset.account, good[i]);
        assert_false(config->rules.reset_enable);
        sr_config_free(config);
    }
    refuse("[reset]\ngreeters = lightdm login\n",
           "f:2: reset.greeters and reset.services have a service in common: "
           "remove it from one of them");
    sr_config_free(load("[reset]\ngreeters = gdm-password login\n"
                        "services = sshd\n"));
}

static void
test_store(void **state)
{
    static const char with[] =
        "[selfreset]\nbackends = local corp\n[backend corp]\n"
        "uri = ldapi://a\nbase = dc=x\nidentity = external\n"
        "lockout_base = ou=y\n";
    static const struct {
        const char *more;
        bool shares, others, alice;
    } row[] = {
        {"", false, false, false},
        {"[lockout]\nstore = ldap\n", true, true, true},
        {"[lockout group:inner]\nstore = ldap\n", true, false, true},
        {"[lockout]\nstore = ldap\n[lockout group:inner]\nstore = local\n",
         true, true, false},
    };
    char text[400];

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sr_config *config;
        struct sr_rules rules;

        snprintf(text, sizeof(text), "%s%s", with, row[i].more);
        config = load(text);
        assert_non_null(config);
        assert_string_equal(config->backend[0].lockout_base, "ou=y");
        assert_int_equal(sr_config_shares(config), row[i].shares);
        assert_int_equal(config->rules.lockout_store == SR_LOCKOUT_LDAP,
                         row[i].others);
        assert_int_equal(sr_config_rules(config, &alice, "su", &rules), 0);
        assert_int_equal(rules.lockout_store == SR_LOCKOUT_LDAP, row[i].alice);
        sr_config_free(config);
    }
}

/* Each with a key that is right behind it: the line is that of the fault. */
static void
refuse_of(const char *key, const char *value, const char *error)
{
    char text[400], full[400];

    snprintf(text, sizeof(text), CORP "%s = %s\ntimeout = 5s\n", key, value);
    snprintf(full, sizeof(full), "f:4: [backend corp] %s%s%s",
             strcmp(key, "filter") == 0 ? "" : key,
             strcmp(key, "filter") == 0 ? "" : " ", error);
    refuse(text, full);
}

static void
test_filters(void **state)
{
    static const char *const right[] = {
        "(uid=%u)",
        "(&(objectClass=*)(|(uid=%u)(cn=%u@x))(!(a>=1)))",
        "(uid:caseExactMatch:=%u)",
        "(uid;lang-en~=%u)",
        "(1.2.840.113556.1.4.803<=\\2a%u\\29)",
    };
    static const struct {
        const char *filter, *error;
    } wrong[] = {
        {"(uid=*)", "needs a filter with %u in it"},
        {"", "needs a filter with %u in it"},
        {"uid=%u", "has a filter that does not begin with a bracket"},
        {"(uid=%u", "has a filter with a bracket that is not closed"},
        {"(&(uid=%u)", "has a filter with a bracket that is not closed"},
        {"(uid=%u))", "has a filter with text after its last bracket"},
        {"(uid=%u)x", "has a filter with text after its last bracket"},
        {"(&(uid=%u)x)", "has a filter with text between its brackets"},
        {"(uid=%u(a=b))", "has a filter with a bracket in a value"},
        {"(&)(uid=%u)", "has a filter with nothing after & or |"},
        {"(!(uid=%u)(a=b))", "has a filter with a ! that is not of one filter"},
        {"(!uid=%u)", "has a filter with a ! that is not of one filter"},
        {"(%u=x)",
         "has a filter that is not (attribute=value), (&...), (|...) or "
         "(!...)"},
        {"(uid %u)", "has a filter with an attribute without ="},
        {"(uid>%u)", "has a filter with an attribute without ="},
        {"(&(uid=%u)(cn=%s))",
         "has a filter with a \"%\" other than that of %u"},
        {"(uid=%u\\2)",
         "has a filter with a \\ without two hexadecimal digits after it"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        char text[300];

        snprintf(text, sizeof(text), CORP "filter = %s\n", right[i]);
        sr_config_free(load(text));
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        refuse_of("filter", wrong[i].filter, wrong[i].error);
}

static void
test_deep_filter(void **state)
{
    char text[200] = "";

    (void)state;
    for (int i = 0; i < 40; i++)
        strcat(text, "(!");
    strcat(text, "(uid=%u)");
    for (int i = 0; i < 40; i++)
        strcat(text, ")");
    refuse_of("filter", text, "has a filter with too many brackets");
}

static void
test_dns(void **state)
{
    static const char *const right[] = {
        "uid=%u,ou=people,dc=x",     "cn=%u+uid=%u, dc=x",
        "uid=a\\,\\2c\\ %u,dc=x",    "0.9.2342.19200300.100.1.1=%u@x.org,dc=x",
        "uid = %u; ou=people;dc= x", "uid=\"%u\",dc=x",
        "uid=\"a,%u;+\" , dc=x",     "uid=%u,ou=#04024869,OID.0.9.2342=x",
    };
    static const struct {
        const char *key, *value, *error;
    } wrong[] = {
        {"user_dn", "uid=ann,dc=x", "needs %u in the value of an attribute"},
        {"user_dn", "%u=x,dc=x",
         "is not of the form attribute=value,attribute=value"},
        {"user_dn", "%u", "is not of the form attribute=value,attribute=value"},
        {"user_dn", "uid=%u,",
         "is not of the form attribute=value,attribute=value"},
        {"user_dn", "uid=%u,,dc=x",
         "is not of the form attribute=value,attribute=value"},
        {"user_dn", "uid=%u,dc=", "has an attribute without a value"},
        {"user_dn", "uid=%s,dc=x", "has a \"%\" other than that of %u"},
        {"user_dn", "uid=<%u>,dc=x",
         "has a character that needs a \\ before it"},
        {"user_dn", "uid=a\"%u\",dc=x",
         "has a character that needs a \\ before it"},
        {"user_dn", "uid=\"%u,dc=x", "has a quote that is not closed"},
        {"user_dn", "uid=\"%u\"x,dc=x", "has text behind a quote"},
        {"user_dn", "uid=%u,dc=\"\"", "has an attribute without a value"},
        {"user_dn", "uid=%u\\x", "has a \\ before a character that needs none"},
        {"base", "people",
         "is not of the form attribute=value,attribute=value"},
        {"default_policy", "cn=a;b,dc=x",
         "is not of the form attribute=value,attribute=value"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        struct sr_config *config;
        char text[300];

        snprintf(text, sizeof(text), CORP "user_dn = %s\n", right[i]);
        config = load(text);
        assert_string_equal(config->backend[0].user_dn, right[i]);
        sr_config_free(config);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        refuse_of(wrong[i].key, wrong[i].value, wrong[i].error);
}

static void
test_tickets(void **state)
{
#ifdef HAVE_KRB5
    struct sr_config *config =
        load(CORP "identity = gssapi\nkeytab = /etc/k\nprincipal = a/b@C\n");

    assert_int_equal(config->backend[0].identity, SR_IDENTITY_GSSAPI);
    assert_string_equal(config->backend[0].keytab, "/etc/k");
    assert_string_equal(config->backend[0].principal, "a/b@C");
    sr_config_free(config);
    refuse(CORP "keytab = k\nidentity = gssapi\n",
           "f:4: [backend corp] keytab is not a path that begins with /");
#else
    refuse(CORP "identity = gssapi\n",
           "f:4: [backend corp] has identity = gssapi, for which this program "
           "was built without Kerberos");
#endif
    (void)state;
    refuse(CORP "uri = ldaps://a ldapi://b\nidentity = gssapi\n",
           "f:5: [backend corp] has identity = gssapi and an ldapi:// uri, "
           "which has no host that a ticket could be for");
    refuse(CORP "principal = a\n",
           "f:4: [backend corp] has keytab or principal, which need identity = "
           "gssapi");
    refuse(CORP "user_dn = uid=%u\nidentity = external\nuri = ldapi://a\n",
           "f:6: [backend corp] has user_dn, which needs identity = none");
}
#undef CORP

/* The forms of a server. */
static void
test_servers(void **state)
{
    static const char *const good[] = {
        "a", "a.b-c:88", "192.0.2.1:1", "[2001:db8::1]", "[::1]:88", "a b,c:1"};
    static const char *const bad[] = {
        ":88",    "a:",    "a:b",      "a:123456", "[::1", "[]",
        "[::1]x", "tcp/a", "http://a", "[a b]:1",  "a:1:2"};
    char text[128];

    (void)state;
#ifdef HAVE_KRB5
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct sr_config *config;

        snprintf(text, sizeof(text), "[backend corp]\ntype = krb5\nkdc = %s\n",
                 good[i]);
        config = load(text);
        assert_non_null(config);
        assert_int_equal(config->backend[0].kdc.count,
                         strchr(good[i], ' ') == NULL ? 1 : 3);
        sr_config_free(config);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "[backend corp]\ntype = krb5\nkdc = %s\n",
                 bad[i]);
        assert_null(load(text));
        assert_int_equal(errors.count, 1);
        sr_config_errors_free(&errors);
    }
#else
    (void)good;
    (void)bad;
    (void)text;
    refuse("[backend corp]\ntype = krb5\n",
           "f:2: [backend corp] type is krb5, for which this program was built "
           "without Kerberos");
#endif
}

static void
test_reset_contradictions(void **state)
{
    (void)state;
    refuse("[selfreset]\ndefaults_from = faillok\n",
           "f:2: selfreset.defaults_from is \"faillok\" but must be a list of "
           "faillock, pwquality and pwhistory; did you mean \"faillock\"?");
    refuse("[reset]\nclasses = app\n",
           "f:2: reset.gates demands more proofs than there are ways of "
           "different kinds in reset.classes");
    refuse("[reset]\nclasses = app app\n",
           "f:2: reset.gates demands more proofs than there are ways of "
           "different kinds in reset.classes");
    refuse("[reset]\nclasses = voice sms\n",
           "f:2: reset.gates demands more proofs than there are ways of "
           "different kinds in reset.classes");
    refuse("[reset group:staff]\ngates = 2\nclasses = ticket\n",
           "f:3: reset.gates demands more proofs than there are ways of "
           "different kinds in reset.classes, for group staff");
    refuse("[reset]\ngates = 1\nclasses = contact\n",
           "f:3: reset.classes has only \"contact\", which counts beside "
           "another way only");
    refuse("[reset group:staff]\nmail_user = bob\n",
           "f:2: reset.mail_user holds for the whole host, not for a group");
    refuse("[reset]\nenable = yes\nmail_program = sendmail -t\n",
           "f:3: reset.classes has \"mail\", so reset.mail_program must be a "
           "program, by its whole path");
    refuse("[reset]\nenable = yes\nmail_user = root\n",
           "f:3: reset.mail_user must be a user other than root");
    refuse("[reset]\nenable = yes\nclasses = app sms\nsms_user = ann\n"
           "sms_program = /usr/bin/send\n",
           "f:2: reset.classes has \"sms\", so reset.phone_prefixes must say "
           "which numbers are called");
    refuse("[reset]\nenable = yes\nphone_prefixes = +49\nsms_user = ann\n"
           "sms_program = send\n[reset group:staff]\nclasses = app sms\n",
           "f:5: reset.classes has \"sms\", so reset.sms_program must be a "
           "program, by its whole path");
    refuse("[reset]\nenable = yes\nclasses = app push\n"
           "push_program = /usr/bin/send\npush_user =\n",
           "f:5: reset.push_user must be a user other than root");
    refuse("[reset]\nphone_prefixes = 49\n",
           "f:2: reset.phone_prefixes is \"49\" but must be a list of prefixes "
           "such as +49 and !+4990");
    refuse("[reset]\nenable = yes\nmail_from = a>\n",
           "f:3: reset.mail_from must be an address, or a user's name");
    refuse("[reset]\nenable = yes\nseal_file = seal\n",
           "f:3: reset.seal_file must be a whole path");
    refuse("[reset]\nenable = yes\nstore = ldap\nseal_file = /etc/seal\n",
           "f:3: reset.store = ldap needs a backend with a reset_base among "
           "selfreset.backends");
    refuse("[selfreset]\nbackends = corp\n[reset]\nenable = yes\n"
           "store = ldap\n[backend corp]\ntype = ldap\nuri = ldaps://h\n"
           "base = dc=x\nidentity = external\ncert_file = /c\n"
           "key_file = /k\nreset_base = ou=y\n",
           "f:5: reset.store = ldap needs reset.seal_file, a key that is the "
           "same on all hosts");
}

/* Every default is a value that can be written down. */
static void
test_table(void **state)
{
    int count = 0;

    (void)state;
    sr_config_each_key(SR_PROFILE_NIST, check_key, &count);
    assert_int_equal(count, 113);
    table_profile = SR_PROFILE_AD;
    sr_config_each_key(SR_PROFILE_AD, check_key, &count);
    assert_int_equal(count, 226);
}

static int
make_directory(void **state)
{
    static char name[32];

    strcpy(name, "/tmp/test_config.XXXXXX");
    *state = mkdtemp(name);
    return *state == NULL ? -1 : 0;
}

static int
remove_directory(void **state)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
    return system(command);
}

static void
test_reveals(void **state)
{
    static const bool told[3][2] = {
        {true, true}, {true, false}, {false, false}};
    struct sr_config config = {.reveal = SR_REVEAL_ALWAYS};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        config.reveal = (enum sr_reveal)i;
        assert_int_equal(told[i][0], sr_config_reveals(&config, false));
        assert_int_equal(told[i][1], sr_config_reveals(&config, true));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_profile),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_suggestions),
        cmocka_unit_test(test_foreign_keys),
        cmocka_unit_test(test_continuation),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_preset_numbers),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_every_error),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_reconcile),
        cmocka_unit_test(test_max_age),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_groups_that_decide_resets),
        cmocka_unit_test(test_unknown_membership),
        cmocka_unit_test(test_name_service),
        cmocka_unit_test(test_dropins),
        cmocka_unit_test(test_current),
        cmocka_unit_test(test_young),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_unsafe_files),
        cmocka_unit_test(test_backends),
        cmocka_unit_test(test_backend_faults),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_deep_filter),
        cmocka_unit_test(test_dns),
        cmocka_unit_test(test_tickets),
        cmocka_unit_test(test_reset_account),
        cmocka_unit_test(test_store),
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_reset_contradictions),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_reveals),
    };

    umask(022);
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
