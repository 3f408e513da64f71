/*
 * Test of the look through sshd_config: which options in which blocks tell
 * strangers the state of an account.
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
#include <unistd.h>

#include <cmocka.h>

#include "tools/check/sshd_config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[] = "/tmp/selfreset-sshd-XXXXXX";

static const char *
path_of(const char *name)
{
    static char path[2][96];
    static int turn;

    turn = !turn;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
    return path[turn];
}

static void
write_file(const char *name, const char *text)
{
    FILE *stream = fopen(path_of(name), "w");

    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
}

/* "sshd_config:2 Banner pw-*; a.conf:1 MaxAuthTries acct-ok" */
static void
assert_found(const char *expected)
{
    struct findings findings = {0};
    char found[1024] = "";

    check_sshd(path_of("sshd_config"), folder, &findings);
    for (size_t i = 0; i < findings.count; i++) {
        const struct finding *finding = &findings.item[i];
        const char *group = strchr(finding->text, '"');
        size_t used = strlen(found);

        assert_int_equal(finding->severity, SEVERITY_WARNING);
        assert_non_null(group);
        snprintf(found + used, sizeof(found) - used, "%s%s %.*s %.*s",
                 used == 0 ? "" : "; ", strrchr(finding->place, '/') + 1,
                 (int)strcspn(finding->text, " "), finding->text,
                 (int)strcspn(group + 1, "\""), group + 1);
    }
    findings_free(&findings);
    assert_string_equal(found, expected);
}

static void
test_blocks(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"PasswordAuthentication no\nMaxAuthTries 3\n", ""},
        {"Match Group pw-must-change\nForceCommand passwd\nPermitTTY yes\n"
         "DisableForwarding yes\nX11Forwarding no\n",
         ""},
        {"DenyGroups acct-locked\nAllowGroups acct-ok root\n", ""},
        {"Match Group acct-locked\nDenyUsers *\n", ""},
        {"Match Group pw-must-change\nAuthenticationMethods publickey\n",
         "sshd_config:2 AuthenticationMethods pw-must-change"},
        {"match group pw-expired\n\tpasswordauthentication=no\n",
         "sshd_config:2 PasswordAuthentication pw-expired"},
        {"Match Group=\"pw-expired\"\nPubkeyAuthentication = no\n",
         "sshd_config:2 PubkeyAuthentication pw-expired"},
        {"Match group = acct-ok\n  Banner /etc/issue\n",
         "sshd_config:2 Banner acct-ok"},
        {"Match User ann # or Group acct-ok\nMaxAuthTries 1\n", ""},
        {"Match group=acct-ok\nBanner /etc/issue\n",
         "sshd_config:2 Banner acct-ok"},
        {"Match User ann Group staff,acct-ok Address *\nMaxAuthTries 1\n"
         "PermitRootLogin no\n",
         "sshd_config:2 MaxAuthTries acct-ok; "
         "sshd_config:3 PermitRootLogin acct-ok"},
        {"Match Group !acct-ok,*\nAuthorizedKeysFile none\n",
         "sshd_config:2 AuthorizedKeysFile !acct-ok"},
        {"Match Group pw-*\nKbdInteractiveAuthentication no\n",
         "sshd_config:2 KbdInteractiveAuthentication pw-*"},
        {"Match Group acct-state-unknow?\nRefuseConnection yes\n",
         "sshd_config:2 RefuseConnection acct-state-unknow?"},
        /* no state group, or any group */
        {"Match Group staff\nMaxAuthTries 1\n", ""},
        {"Match Group *\nMaxAuthTries 1\n", ""},
        {"Match Group ?*\nMaxAuthTries 1\n", ""},
        {"Match User acct-ok\nMaxAuthTries 1\n", ""},
        {"Match Group acct-ok2\nMaxAuthTries 1\n", ""},
        /* where a block ends */
        {"Match Group acct-ok\nForceCommand x\nMatch all\nMaxAuthTries 1\n",
         ""},
        {"Match Group acct-ok\nMatch User ann\nMaxAuthTries 1\n", ""},
        {"Match User ann\nMaxAuthTries 2\nMatch Group acct-ok\n\n"
         "# MaxAuthTries 1\nMaxAuthTries 1",
         "sshd_config:6 MaxAuthTries acct-ok"},
        {"Match Group staff # acct-ok\nMaxAuthTries 1\n", ""},
        {"#Match Group acct-ok\nMaxAuthTries 1\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_file("sshd_config", cases[i].text);
        assert_found(cases[i].expected);
    }
}

static void
test_includes(void **state)
{
    char text[200];

    (void)state;
    write_file("a.conf", "MaxAuthTries 1\n");
    write_file("b.conf", "Match Group acct-ok\nBanner x\n");
    write_file("sshd_config", "Include *.conf none\nPermitRootLogin no\n");
    assert_found("b.conf:2 Banner acct-ok");
    write_file("sshd_config",
               "Match Group pw-expired\nInclude [ab].conf\nMaxAuthTries 2\n");
    assert_found("a.conf:1 MaxAuthTries pw-expired; b.conf:2 Banner acct-ok; "
                 "sshd_config:3 MaxAuthTries pw-expired");
    snprintf(text, sizeof(text), "Match Group pw-expired\nInclude %s\n",
             path_of("a.conf"));
    write_file("sshd_config", text);
    assert_found("a.conf:1 MaxAuthTries pw-expired");
    /* itself: not for ever */
    write_file("sshd_config",
               "Include sshd_config\nMatch Group acct-ok\nBanner x\n");
    assert_found("sshd_config:3 Banner acct-ok");
    unlink(path_of("a.conf"));
    unlink(path_of("b.conf"));
}

static void
test_no_file(void **state)
{
    struct findings findings = {0};

    (void)state;
    unlink(path_of("sshd_config"));
    assert_found("");
    check_sshd(folder, folder, &findings); /* opens, and has no lines */
    assert_int_equal(findings.count, 0);
    findings_free(&findings);
}

/* "sshd_config:2 UsePAM" or "" */
static void
assert_pam(const char *text, const char *expected)
{
    struct findings findings = {0};
    char found[200] = "";

    write_file("sshd_config", text);
    check_sshd_pam(path_of("sshd_config"), folder, &findings);
    assert_true(findings.count <= 1);
    if (findings.count == 1)
        snprintf(found, sizeof(found), "%s %s",
                 strrchr(findings.item[0].place, '/') + 1,
                 strstr(findings.item[0].text, "UsePAM") != NULL
                     ? "UsePAM"
                     : "interactive");
    for (size_t i = 0; i < findings.count; i++)
        assert_non_null(strstr(findings.item[i].advice, "systemctl reload"));
    findings_free(&findings);
    assert_string_equal(found, expected);
}

static void
test_pam(void **state)
{
    (void)state;
    assert_pam("UsePAM yes\n", "");
    assert_pam("UsePAM yes\nKbdInteractiveAuthentication yes\n", "");
    assert_pam("Port 22\nUsePAM no\n", "sshd_config:2 UsePAM");
    assert_pam("Port 22\n", "sshd_config UsePAM"); /* the default */
    assert_pam("usepam=yes\nKbdInteractiveAuthentication no\n",
               "sshd_config:2 interactive");
    assert_pam("ChallengeResponseAuthentication no\nUsePAM yes\n",
               "sshd_config:1 interactive");
    assert_pam("UsePAM yes\nskeyauthentication no\n",
               "sshd_config:2 interactive");
    /* The first value counts, and a block is for some only. */
    assert_pam("SkeyAuthentication yes\nUsePAM yes\n"
               "ChallengeResponseAuthentication no\n",
               "");
    assert_pam("KbdInteractiveAuthentication yes\nUsePAM yes\n"
               "KbdInteractiveAuthentication no\n",
               "");
    assert_pam("UsePAM yes\nMatch User git\nKbdInteractiveAuthentication no\n",
               "");
    assert_pam("UsePAM yes\nMatch User git\nMatch all\n"
               "KbdInteractiveAuthentication no\n",
               "sshd_config:4 interactive");
    /* Debian's: the drop-ins come first. */
    write_file("a.conf", "KbdInteractiveAuthentication yes\n");
    assert_pam("Include a.conf\nKbdInteractiveAuthentication no\nUsePAM yes\n",
               "");
    unlink(path_of("a.conf"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_pam),
    };
    int failed;

    if (mkdtemp(folder) == NULL)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path_of("sshd_config"));
    rmdir(folder);
    return failed;
}
