/*
 * Test of the check of stacks: which ways of writing one are safe, and which
 * bypass or break the module.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/check/pam_stack.h"

static char folder[64], vendor[80];
static const char *const folders[] = {folder, vendor, NULL};
static struct check_stacks how = {.folders = folders};

#define FILES_MAX 4

static void
write_file(const char *name, const char *content)
{
    char path[128];
    FILE *stream;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    stream = fopen(path, "w");
    assert_non_null(stream);
    fputs(content, stream);
    assert_int_equal(fclose(stream), 0);
}

static void
remove_file(const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unlink(path);
}

/* What a finding is about, by a word of its sentence. */
static const struct {
    const char *key;
    const char *text;
} words[] = {
    {"uncounted", "without being counted"},
    {"no-settle", "no settle behind"},
    {"no-guard", "no guard before"},
    {"overruled", "succeeds for users whom"},
    {"remainder", "removes this one"},
    {"open", "succeeds without authentication"},
    {"reached", "settle is reached"},
    {"later", "a later module is asked"},
    {"directory-auth", "other line of the auth stack"},
    {"directory-account", "other line of the account stack"},
    {"locker-guard", "another module verifies: the screen"},
    {"locker", "screen locker"},
    {"dead", "No login succeeds"},
    {"early", "can end the account stack"},
    {"no-account", "does not ask"},
    {"no-demand", "ignores the demand"},
    {"unchecked", "can be stored here without"},
    {"unsettled", "No settle follows"},
    {"use_authtok", "Without use_authtok"},
    {"no-change", "No password can be changed"},
    {"lockout", "A second lockout"},
    {"checker", "A second module checks"},
    {"argument", "has no argument"},
    {"type", "no meaning in this type"},
    {"missing", "is not installed"},
    {"session", "session stack"},
    {"unused", "has no effect"},
    {"refused", "libpam refuses"},
    {"other", "those of the service"},
};

static const char *
key_of(const struct finding *finding)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(finding->text, words[i].text) != NULL)
            return words[i].key;
    }
    return finding->text;
}

/* "sshd:3 uncounted; sshd unused", in the order found. */
static char *
describe(const struct findings *findings)
{
    char *out = NULL;
    size_t size;
    FILE *stream = open_memstream(&out, &size);

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->item[i];
        const char *place = finding->place;

        if (strncmp(place, folder, strlen(folder)) == 0)
            place += strlen(folder);
        fprintf(stream, "%s%s%s %s", i == 0 ? "" : "; ",
                finding->severity == SEVERITY_ERROR ? "" : "?",
                place[0] == '/' ? place + 1 : place, key_of(finding));
    }
    fclose(stream);
    return out;
}

static void
assert_folder(const char *expected)
{
    struct findings findings = {0};
    char *found;

    check_stacks(&how, &findings);
    found = describe(&findings);
    assert_string_equal(found, expected);
    free(found);
    findings_free(&findings);
}

/* A folder with the one service sshd. */
static void
assert_sshd(const char *content, const char *expected)
{
    write_file("sshd", content);
    assert_folder(expected);
    remove_file("sshd");
}

/* The parts of a good stack, to break one and keep the others. */
#define AUTH    "auth required pam_selfreset.so\n"
#define ACCOUNT "account required pam_selfreset.so\n"
#define PASSWORD                                                               \
    "password [success=ok ignore=1 default=die] pam_selfreset.so\n"            \
    "password requisite pam_unix.so use_authtok yescrypt\n"                    \
    "password required pam_selfreset.so settle\n"
#define SESSION "session optional pam_selfreset.so\n"
#define GUARDED                                                                \
    "auth requisite pam_selfreset.so guard\n"                                  \
    "auth [success=ok default=die] pam_unix.so use_first_pass\n"               \
    "auth required pam_selfreset.so settle\n"

static void
test_good(void **state)
{
    (void)state;
    assert_sshd(AUTH ACCOUNT PASSWORD SESSION, "");
    assert_sshd(GUARDED ACCOUNT PASSWORD SESSION, "");
    /* Debian's form, with jumps. */
    assert_sshd(
        "auth [success=1 user_unknown=ignore default=die] pam_selfreset.so\n"
        "auth requisite pam_deny.so\n"
        "auth required pam_permit.so\n"
        "account [success=1 new_authtok_reqd=done user_unknown=ignore "
        "default=die] pam_selfreset.so\n"
        "account requisite pam_deny.so\n"
        "account required pam_permit.so\n"
        "password [success=ok ignore=1 user_unknown=2 default=die] "
        "pam_selfreset.so\n"
        "password [success=ok default=die] pam_unix.so use_authtok\n"
        "password [success=1 default=die] pam_selfreset.so settle\n"
        "password requisite pam_deny.so\n"
        "password required pam_permit.so\n" SESSION,
        "");
    /* Proofs that are no passwords, and jumps over the refusal. */
    assert_sshd("auth sufficient pam_rootok.so\n"
                "auth [success=2 default=ignore] pam_u2f.so\n"
                "auth [success=1 default=ignore] pam_selfreset.so\n"
                "auth requisite pam_deny.so\n"
                "auth required pam_permit.so\n" ACCOUNT PASSWORD SESSION,
                "");
}

static void
test_auth(void **state)
{
    (void)state;
    assert_sshd("auth sufficient pam_unix.so\n" AUTH ACCOUNT SESSION,
                "sshd:1 uncounted");
    assert_sshd("auth sufficient pam_selfreset.so\n"
                "auth required pam_unix.so\n" ACCOUNT SESSION,
                "sshd:2 uncounted");
    /* Both have to say yes: a guess that is not counted gains nothing. */
    assert_sshd(
        AUTH "auth required pam_unix.so use_first_pass\n" ACCOUNT SESSION, "");
    assert_sshd("auth optional pam_selfreset.so\n"
                "auth required pam_permit.so\n" ACCOUNT SESSION,
                "sshd:2 open");
    assert_sshd("auth [success=2 default=die] pam_selfreset.so\n"
                "auth required pam_permit.so\n" ACCOUNT SESSION,
                "sshd:1 dead");
}

static void
test_guard(void **state)
{
    (void)state;
    assert_sshd("auth requisite pam_selfreset.so guard\n"
                "auth required pam_unix.so\n" ACCOUNT SESSION,
                "sshd:2 uncounted; sshd:1 no-settle");
    assert_sshd("auth required pam_unix.so\n"
                "auth required pam_selfreset.so settle\n" ACCOUNT SESSION,
                "sshd:1 uncounted; sshd:2 no-guard");
    /* settle is jumped over. */
    assert_sshd("auth requisite pam_selfreset.so guard\n"
                "auth [success=2 default=ignore] pam_unix.so\n"
                "auth requisite pam_deny.so\n"
                "auth required pam_selfreset.so settle\n"
                "auth required pam_permit.so\n" ACCOUNT SESSION,
                "sshd:2 uncounted");
    assert_sshd("auth requisite pam_selfreset.so guard\n"
                "auth [success=1 default=ignore] pam_unix.so\n"
                "auth requisite pam_deny.so\n"
                "auth required pam_selfreset.so settle\n"
                "auth required pam_permit.so\n" ACCOUNT SESSION,
                "");
    assert_sshd("auth requisite pam_selfreset.so guard\n"
                "auth sufficient pam_unix.so\n"
                "auth required pam_selfreset.so settle\n" ACCOUNT SESSION,
                "sshd:2 uncounted; sshd:2 reached");
    /* A guard whose refusal is not the end guards nothing. */
    assert_sshd("auth optional pam_selfreset.so guard\n"
                "auth [success=ok default=die] pam_unix.so\n"
                "auth required pam_selfreset.so settle\n" ACCOUNT SESSION,
                "sshd:2 uncounted");
}

/* Controls by which a wrong password reaches settle, or ends as an outage. */
static void
test_settle_reached(void **state)
{
    static const char *const wrong[] = {
        "required",
        "optional",
        "sufficient",
        "[success=ok default=bad]",
        "[success=ok default=ignore]",
        "[success=ok auth_err=ignore default=die]",
        "[success=ok authinfo_unavail=ignore default=die]",
        "[success=ok user_unknown=ignore default=die]",
        "[success=ok perm_denied=die]",
    };
    char text[400];

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text),
                 "auth requisite pam_selfreset.so guard\n"
                 "auth %s pam_sss.so use_first_pass\n"
                 "auth required pam_selfreset.so settle\n" ACCOUNT SESSION,
                 wrong[i]);
        assert_sshd(text, strcmp(wrong[i], "sufficient") == 0
                              ? "sshd:2 uncounted; sshd:2 reached"
                              : "sshd:2 reached");
    }
    /* pam_sss is away: a wrong password for pam_unix is taken back. */
    assert_sshd("auth requisite pam_selfreset.so guard\n"
                "auth [success=2 default=ignore] pam_unix.so use_first_pass\n"
                "auth [success=1 default=ignore] pam_sss.so use_first_pass\n"
                "auth requisite pam_deny.so\n"
                "auth required pam_selfreset.so settle\n"
                "auth required pam_permit.so\n" ACCOUNT SESSION,
                "sshd:2 later");
    assert_sshd("auth requisite pam_selfreset.so guard\n"
                "auth [success=2 user_unknown=ignore default=die] pam_unix.so "
                "use_first_pass\n"
                "auth [success=1 default=ignore] pam_sss.so use_first_pass\n"
                "auth requisite pam_deny.so\n"
                "auth required pam_selfreset.so settle\n"
                "auth required pam_permit.so\n" ACCOUNT SESSION,
                "");
}

/* Stacks that let in without a proof; with the module in no stack, too. */
static void
test_open(void **state)
{
    (void)state;
    write_file("common-auth", "auth [default=1] pam_permit.so\n"
                              "auth requisite pam_deny.so\n"
                              "auth required pam_permit.so\n"
                              "auth optional pam_cap.so\n");
    assert_sshd("@include common-auth\n", "common-auth:1 open;  unused");
    assert_sshd("auth optional pam_faildelay.so\n@include common-auth\n" ACCOUNT
                    SESSION,
                "common-auth:1 open");
    /* Without a permission at the end, nothing is open. */
    write_file("common-auth", "auth [success=1 default=ignore] pam_unix.so\n"
                              "auth requisite pam_deny.so\n"
                              "auth required pam_permit.so\n");
    assert_sshd("@include common-auth\n", " unused");
    /* A file that permits by itself is meant so (an autologin). */
    assert_sshd("auth required pam_permit.so\n", " unused");
    assert_sshd(
        "auth required pam_env.so\nauth sufficient pam_unix.so\n" AUTH ACCOUNT
            SESSION,
        "sshd:2 uncounted");
    assert_sshd("auth sufficient pam_selfreset.so\n"
                "auth optional pam_env.so\n" ACCOUNT SESSION,
                "sshd:2 open");
    assert_sshd("auth required pam_env.so\n"
                "auth required pam_sss.so\n" ACCOUNT SESSION,
                "?sshd:2 uncounted");
    assert_sshd("auth required pam_env.so\n"
                "auth required pam_sss.so ignore_unknown_user\n"
                "auth [default=ignore] pam_selfreset.so\n" ACCOUNT SESSION,
                "sshd:1 open; sshd:2 uncounted");
    /* What pam-auth-update would leave behind. */
    write_file("common-auth", "auth [success=1 default=die] pam_selfreset.so\n"
                              "auth requisite pam_deny.so\n"
                              "auth required pam_permit.so\n");
    assert_sshd("@include common-auth\n" ACCOUNT SESSION,
                "?common-auth:1 remainder");
    remove_file("common-auth");
}

/* Accounts of a directory that another module has to serve. */
static void
test_directory(void **state)
{
#define FALLS                                                                  \
    "auth [success=done user_unknown=ignore default=die] pam_selfreset.so\n"   \
    "account [success=done new_authtok_reqd=done user_unknown=ignore "         \
    "default=die] pam_selfreset.so\n" SESSION
    (void)state;
    how.directory = "sss";
    assert_sshd(AUTH ACCOUNT SESSION,
                "sshd:1 directory-auth; sshd:2 directory-account");
    assert_sshd(FALLS "auth required pam_unix.so\n"
                      "account required pam_deny.so\n",
                "sshd:1 directory-auth; sshd:2 directory-account");
    assert_sshd(FALLS "auth sufficient pam_unix.so\n"
                      "auth required pam_sss.so use_first_pass\n"
                      "account required pam_unix.so\n"
                      "account [default=bad success=ok user_unknown=ignore] "
                      "pam_sss.so\n",
                "");
    how.directory = NULL;
    assert_sshd(AUTH ACCOUNT SESSION, "");
}

/* The vendor's folders are read; a file in /etc hides theirs. */
static void
test_vendor(void **state)
{
    char path[160];

    (void)state;
    snprintf(path, sizeof(path), "../%s.vendor/login",
             strrchr(folder, '/') + 1);
    write_file(path, "auth sufficient pam_unix.so\n" AUTH ACCOUNT SESSION);
    assert_folder(".vendor/login:1 uncounted");
    write_file("login", AUTH ACCOUNT SESSION);
    assert_folder("");
    remove_file("login");
    remove_file(path);
    /* An include is looked for in all folders. */
    snprintf(path, sizeof(path), "../%s.vendor/common-x",
             strrchr(folder, '/') + 1);
    write_file(path, "auth sufficient pam_unix.so\n");
    assert_sshd("auth include common-x\n" AUTH ACCOUNT SESSION,
                ".vendor/common-x:1 uncounted");
    remove_file(path);
}

static void
test_lockers(void **state)
{
    (void)state;
    write_file("common-x", AUTH);
    write_file("i3lock", "auth include common-x\n" ACCOUNT);
    assert_folder("i3lock locker");
    how.has_helper = true;
    assert_folder("");
    write_file("common-x", GUARDED);
    assert_folder("i3lock locker-guard");
    how.has_helper = false;
    assert_folder("i3lock locker");
    remove_file("common-x");
    write_file("i3lock", "auth required pam_unix.so\n");
    assert_sshd(AUTH ACCOUNT SESSION, "?i3lock:1 uncounted");
    remove_file("i3lock");
}

static void
test_account(void **state)
{
    (void)state;
    assert_sshd(AUTH "account required pam_unix.so\n" SESSION,
                "sshd:2 no-account");
    assert_sshd(AUTH SESSION, "sshd no-account");
    assert_sshd(AUTH "account sufficient pam_localuser.so\n" ACCOUNT SESSION,
                "sshd:2 early");
    assert_sshd(AUTH
                "account required pam_unix.so\n"
                "account sufficient pam_usertype.so issystem\n" ACCOUNT SESSION,
                "sshd:3 early");
    assert_sshd(AUTH "account [success=1 default=ignore] pam_succeed_if.so "
                     "user ingroup x\n" ACCOUNT
                     "account required pam_permit.so\n" SESSION,
                "sshd:2 early");
    assert_sshd(AUTH "account optional pam_selfreset.so\n"
                     "account required pam_permit.so\n" SESSION,
                "sshd:2 overruled");
    assert_sshd(AUTH "account [success=1 default=ignore] pam_selfreset.so\n"
                     "account requisite pam_deny.so\n"
                     "account required pam_permit.so\n" SESSION,
                "");
    assert_sshd(AUTH "account [success=ok new_authtok_reqd=ignore default=die] "
                     "pam_selfreset.so\n"
                     "account required pam_permit.so\n" SESSION,
                "sshd:2 no-demand");
}

static void
test_password(void **state)
{
    (void)state;
    assert_sshd(AUTH ACCOUNT SESSION
                "password [success=ok ignore=1 default=die] pam_selfreset.so\n"
                "password requisite pam_unix.so use_authtok\n",
                "sshd:5 unsettled; sshd:4 no-change");
    assert_sshd(AUTH ACCOUNT SESSION
                "password [success=ok ignore=1 default=die] pam_selfreset.so\n"
                "password sufficient pam_unix.so use_authtok\n"
                "password required pam_selfreset.so settle\n",
                "sshd:5 unsettled");
    assert_sshd(AUTH ACCOUNT SESSION
                "password [success=ok ignore=1 default=die] pam_selfreset.so\n"
                "password requisite pam_unix.so\n"
                "password required pam_selfreset.so settle\n",
                "sshd:5 use_authtok");
    assert_sshd(AUTH ACCOUNT SESSION
                "password sufficient pam_unix.so use_authtok\n" PASSWORD,
                "sshd:4 unchecked");
    assert_sshd(AUTH ACCOUNT SESSION
                "password [success=ok default=die] pam_selfreset.so\n"
                "password requisite pam_unix.so use_authtok\n"
                "password required pam_selfreset.so settle\n",
                "sshd:4 no-change");
    assert_sshd(AUTH ACCOUNT SESSION
                "password optional pam_selfreset.so\n"
                "password required pam_unix.so use_authtok\n"
                "password required pam_selfreset.so settle\n",
                "sshd:5 unchecked");
}

static void
test_rivals(void **state)
{
    (void)state;
    assert_sshd(
        "auth required pam_faillock.so preauth\n" AUTH ACCOUNT PASSWORD SESSION,
        "?sshd:1 lockout");
    assert_sshd(AUTH ACCOUNT SESSION
                "password requisite pam_pwquality.so\n" PASSWORD,
                "?sshd:4 checker");
}

static void
test_lines(void **state)
{
    (void)state;
    assert_sshd("auth required pam_selfreset.so nullok\n" ACCOUNT SESSION,
                "sshd:1 argument");
    assert_sshd(AUTH
                "account required pam_selfreset.so settle\n" ACCOUNT SESSION,
                "sshd:2 type");
    assert_sshd("auth required /nowhere/pam_selfreset.so\n" ACCOUNT SESSION,
                "sshd:1 missing");
    assert_sshd(AUTH ACCOUNT, "?sshd session");
    assert_sshd(AUTH ACCOUNT "session required pam_limits.so\n",
                "?sshd session");
    assert_sshd("auth require pam_selfreset.so\n" AUTH ACCOUNT SESSION,
                "sshd:1 refused");
    assert_sshd("oauth required pam_selfreset.so\n" AUTH ACCOUNT SESSION,
                "sshd:1 refused");
    assert_sshd("auth [success=fine] pam_env.so\n" AUTH ACCOUNT SESSION,
                "sshd:1 refused");
    assert_sshd("auth required pam_unix.so\n", " unused");
}

/* The forms that pam.conf(5) allows. */
static void
test_syntax(void **state)
{
    (void)state;
    assert_sshd("# a comment\n\n"
                "-auth  optional  pam_u2f.so # with a comment\n"
                "AUTH Required \\\n"
                "    pam_selfreset.so \\\n"
                "    debug\n"
                "account\trequired\tpam_selfreset.so [conf=/x\\]y]\n" SESSION,
                "");
    /* A comment ends at the line's end, also behind a backslash. */
    assert_sshd("auth sufficient pam_unix.so # \\\n" AUTH ACCOUNT SESSION,
                "sshd:1 uncounted");
    /* A control without brackets, with blanks, and the first default. */
    assert_sshd("auth [ success = 1  default = ignore default=die ] "
                "pam_env.so\nauth requisite pam_deny.so\n"
                "auth success=ok pam_selfreset.so\n" ACCOUNT SESSION,
                "");
    assert_sshd("auth [module_unknown=ignore success=okdefault=die] "
                "pam_selfreset.so\n" ACCOUNT SESSION,
                "");
}

/* What libpam takes for a line that fails: no other finding is made of it. */
static void
test_refused(void **state)
{
    static const char *const lines[] = {
        "auth [SUCCESS=done] pam_unix.so\n",
        "auth [success=0] pam_unix.so\n",
        "auth [success=-1] pam_unix.so\n",
        "auth [succes=ok] pam_unix.so\n",
        "auth [success=done,default=die] pam_unix.so\n",
        "auth [success] pam_unix.so\n",
        "auth [success=ok pam_unix.so\n",
        "auth sufficient\n",
        "auth include\n",
        "oauth sufficient pam_unix.so\n",
        "\357\273\277auth sufficient pam_unix.so\n",
        "auth required pam_selfreset.so\r\n",
        "\r\n",
    };
    char text[2048];

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        snprintf(text, sizeof(text), "%s%s", lines[i],
                 AUTH "auth sufficient pam_permit.so\n" ACCOUNT SESSION);
        assert_sshd(text, "sshd:1 refused");
    }
    assert_sshd(AUTH ACCOUNT SESSION "session optional pam_env.so \\",
                "sshd:4 refused");
    assert_sshd(AUTH ACCOUNT SESSION "session optional pam_env.so \\ \t\n",
                "sshd:4 refused");
    /* Versions of libpam differ. */
    assert_sshd("auth required \\\n# x\n pam_selfreset.so\n" ACCOUNT SESSION,
                "sshd:2 refused");
    snprintf(text, sizeof(text), AUTH ACCOUNT "# %01025d\n" SESSION, 0);
    assert_sshd(text, "sshd:3 refused");
    /* A backslash with a blank behind it continues. */
    assert_sshd("auth required \\ \t\n pam_selfreset.so\n" ACCOUNT SESSION, "");
}

/* A reset forgets a failure. */
static void
test_reset(void **state)
{
    (void)state;
    write_file("common-auth", "auth required pam_deny.so\n"
                              "auth [default=reset] pam_env.so\n"
                              "auth required pam_permit.so\n");
    assert_sshd("@include common-auth\n" ACCOUNT SESSION, "common-auth:3 open");
    remove_file("common-auth");
}

/* Whether anyone gets in, and whether the modules are there. */
static void
test_way_in(void **state)
{
    const char *const module = how.module;
    char path[128];

    (void)state;
    assert_sshd("auth requisite pam_deny.so\n" ACCOUNT SESSION, "sshd dead");
    assert_sshd(ACCOUNT SESSION, "?sshd other");
    write_file("pam_selfreset.so", "");
    write_file("pam_unix.so", "");
    snprintf(path, sizeof(path), "%s/pam_selfreset.so", folder);
    how.module = path;
    assert_sshd(
        "auth optional pam_gone.so\n"
        "auth [success=ok module_unknown=ignore default=bad] pam_no.so\n"
        "auth [success=ignore default=bad] pam_gone.so\n" AUTH ACCOUNT
        "session required pam_unix.so\n" SESSION,
        "sshd:3 missing");
    how.module = module;
    remove_file("pam_selfreset.so");
    remove_file("pam_unix.so");
}

/* What libpam takes for the types that a service has no line of. */
static void
test_other(void **state)
{
    (void)state;
    write_file("other", "auth required pam_deny.so\n"
                        "account required pam_deny.so\n"
                        "password required pam_deny.so\n"
                        "session required pam_deny.so\n");
    assert_sshd(AUTH ACCOUNT PASSWORD SESSION, "");
    assert_sshd(ACCOUNT PASSWORD SESSION, "sshd other");
    assert_sshd(AUTH PASSWORD SESSION, "sshd other");
    assert_sshd(AUTH ACCOUNT SESSION, "?sshd other");
    assert_sshd(AUTH ACCOUNT PASSWORD, "sshd other; ?sshd session");
    /* Not a login: it may make no call of these. */
    write_file("sudo", AUTH ACCOUNT);
    write_file("passwd", PASSWORD);
    write_file("i3lock", AUTH);
    how.has_helper = true;
    assert_folder("");
    how.has_helper = false;
    remove_file("i3lock");
    remove_file("passwd");
    write_file("other", AUTH ACCOUNT PASSWORD SESSION);
    assert_sshd("# as \"other\" has it\n", "");
    assert_sshd(AUTH, "");
    write_file("sudo", AUTH);
    assert_folder("");
    write_file("other", AUTH ACCOUNT PASSWORD "session required pam_deny.so\n");
    assert_sshd(AUTH ACCOUNT, "sshd other; ?sshd session");
    write_file("other", AUTH "account required pam_unix.so\n");
    assert_folder("other:2 no-account");
    write_file("other", AUTH "account sufficient pam_unix.so\n" ACCOUNT);
    assert_folder("other:2 early");
    write_file("sudo", ACCOUNT);
    write_file("other", "auth required pam_permit.so\n" ACCOUNT);
    assert_folder("other:1 open");
    write_file("other", "auth required pam_deny.so\naccoutn x\n");
    write_file("sudo", AUTH);
    assert_folder("other:2 refused");
    remove_file("sudo");
    remove_file("other");
}

static void
test_include(void **state)
{
    (void)state;
    write_file("common-x", "auth sufficient pam_unix.so\n" AUTH ACCOUNT);
    write_file("su", "@include common-x\n" SESSION);
    assert_sshd("auth include common-x\naccount include common-x\n" SESSION,
                "common-x:1 uncounted");
    /* In a substack done is not the end of the whole. */
    write_file("common-x", "auth sufficient pam_unix.so\n"
                           "auth requisite pam_deny.so\n");
    write_file("su", AUTH ACCOUNT SESSION);
    assert_sshd("auth requisite pam_selfreset.so guard\n"
                "auth substack common-x\n"
                "auth required pam_selfreset.so settle\n" ACCOUNT SESSION,
                "common-x:1 reached");
    assert_sshd("auth requisite pam_selfreset.so guard\n"
                "auth include common-x\n"
                "auth required pam_selfreset.so settle\n" ACCOUNT SESSION,
                "common-x:1 uncounted");
    /* A jump counts a substack as one line. */
    assert_sshd("auth [success=1 default=die] pam_selfreset.so\n"
                "auth substack common-x\n"
                "auth required pam_permit.so\n" ACCOUNT SESSION,
                "");
    remove_file("common-x");
    assert_sshd("auth include common-x\n" AUTH ACCOUNT SESSION,
                "sshd:1 refused");
    write_file("common-x", "@include common-x\n");
    assert_sshd("auth include common-x\n" AUTH ACCOUNT SESSION,
                "common-x:1 refused");
    remove_file("common-x");
    remove_file("su");
}

/* A fault in an included file is told once, with all services that have it. */
static void
test_subjects(void **state)
{
    struct findings findings = {0};

    (void)state;
    write_file("common-auth", "auth sufficient pam_unix.so\n" AUTH);
    write_file("login", "@include common-auth\n" ACCOUNT SESSION);
    write_file("su", "@include common-auth\n" ACCOUNT SESSION);
    check_stacks(&how, &findings);
    assert_int_equal(findings.count, 1);
    assert_string_equal(findings.item[0].subjects, "login, su");
    findings_free(&findings);
    remove_file("common-auth");
    remove_file("login");
    remove_file("su");
}

static int
make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "%s", "/tmp/test_stack.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(vendor, sizeof(vendor), "%s.vendor", folder);
    return mkdir(vendor, 0700);
}

static int
remove_folder(void **state)
{
    (void)state;
    return rmdir(vendor) == 0 ? rmdir(folder) : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_auth),
        cmocka_unit_test(test_guard),   cmocka_unit_test(test_settle_reached),
        cmocka_unit_test(test_open),    cmocka_unit_test(test_directory),
        cmocka_unit_test(test_vendor),  cmocka_unit_test(test_lockers),
        cmocka_unit_test(test_account), cmocka_unit_test(test_password),
        cmocka_unit_test(test_rivals),  cmocka_unit_test(test_lines),
        cmocka_unit_test(test_syntax),  cmocka_unit_test(test_other),
        cmocka_unit_test(test_include), cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_reset),
        cmocka_unit_test(test_way_in),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
