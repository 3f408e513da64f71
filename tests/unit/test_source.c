/*
 * Unit tests of the source: one form for each peer.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decide/source.h"

#define NONE ((uid_t)-1)
#define ANN  1000 /* the account in all rows */

/* What programs put into the items, and the source that comes of it. */
static const struct row {
    const char *program;
    const char *rhost, *tty, *address;
    uid_t real, ruser;
    const char *text;
    bool is_remote, is_own;
} rows[] = {
    /* OpenSSH: an address, or a name with UseDNS; "UNKNOWN" before 10.2. */
    {"sshd", "192.0.2.7", "ssh", NULL, 0, NONE, "192.0.2.7", true, false},
    {"sshd", "Host.EXAMPLE.", "ssh", "192.0.2.7", 0, NONE, "192.0.2.7", true,
     false},
    {"sshd", "Host.EXAMPLE.", "ssh", NULL, 0, NONE, "name:host.example", true,
     false},
    {"sshd", "2001:DB8:1:2:ffff::9", "ssh", NULL, 0, NONE, "2001:db8:1:2::/64",
     true, false},
    {"sshd", "fe80::1%eth0", "ssh", NULL, 0, NONE, "fe80::/64", true, false},
    {"sshd", "::ffff:192.0.2.7", "ssh", NULL, 0, NONE, "192.0.2.7", true,
     false},
    {"sshd", "64:ff9b::192.0.2.7", "ssh", NULL, 0, NONE, "192.0.2.7", true,
     false},
    {"sshd", "UNKNOWN", "ssh", "192.0.2.7", 0, NONE, "192.0.2.7", true, false},
    {"sshd", "UNKNOWN", "ssh", NULL, 0, NONE, "", true, false},
    {"login", NULL, "/dev/tty1", NULL, 0, NONE, "console", false, false},
    {"login", NULL, "tty1", NULL, 0, NONE, "console", false, false},
    {"login", "", "ttyS0", NULL, 0, NONE, "console", false, false},
    {"login", "", "hvc0", NULL, 0, NONE, "console", false, false},
    {"login", "", "/dev/console", NULL, 0, NONE, "console", false, false},
    {"login", "", "ttyAMA0", NULL, 0, NONE, "console", false, false},
    {"login", "", "ttyACM1", NULL, 0, NONE, "console", false, false},
    {"login", "", "ttyUSB2", NULL, 0, NONE, "console", false, false},
    {"login", "", "ttyMFD3", NULL, 0, NONE, "console", false, false},
    {"login", "", "ttyPS0", NULL, 0, NONE, "console", false, false},
    {"login", "", "vc/1", NULL, 0, NONE, "console", false, false},
    {"login", "", "hvsi0", NULL, 0, NONE, "console", false, false},
    {"login", "", "xvc0", NULL, 0, NONE, "console", false, false},
    {"login", "", "ttysclp0", NULL, 0, NONE, "console", false, false},
    {"login", "", "sclp_line0", NULL, 0, NONE, "console", false, false},
    {"login", "?", "tty1", NULL, 0, NONE, "console", false, false},
    {"login", "-", "tty1", NULL, 0, NONE, "console", false, false},
    {"login", "localhost.localdomain", "tty1", NULL, 0, NONE, "console", false,
     false},
    {"telnetd", "192.0.2.7", "pts/3", NULL, 0, NONE, "192.0.2.7", true, false},
    {"telnetd", NULL, "pts/3", NULL, 0, NONE, "pts", false, false},
    {"rlogind", "192.0.2.7", "pts/3", NULL, 0, ANN, "192.0.2.7", true, false},
    {"xrdp-sesman", NULL, "xrdp-sesman", NULL, 0, NONE, "", true, false},
    {"xrdp-sesman", "::ffff:192.0.2.7", "xrdp-sesman", NULL, 0, NONE,
     "192.0.2.7", true, false},
    {"vsftpd", "::ffff:192.0.2.7", "ftp", NULL, 0, 0, "192.0.2.7", true, false},
    {"vsftpd", NULL, "ftp", NULL, 0, 0, "", true, false},
    {"vsftpd", NULL, "ftp", NULL, 0, ANN, "", true, false},
    {"dovecot", "192.0.2.7", "dovecot", NULL, 0, NONE, "192.0.2.7", true,
     false},
    {"dovecot", NULL, "dovecot", NULL, 0, NONE, "", true, false},
    {"cockpit", "::ffff:192.0.2.7", NULL, NULL, 0, NONE, "192.0.2.7", true,
     false},
    {"cockpit", "[2001:db8::1]:4711", NULL, NULL, 0, NONE, "2001:db8::/64",
     true, false},
    {"samba", "WORKSTATION1", "samba", NULL, 0, ANN, "name:workstation1", true,
     false},
    {"httpd", "192.0.2.7:51234", NULL, NULL, 0, NONE, "192.0.2.7", true, false},
    {"httpd", NULL, NULL, NULL, 0, NONE, "", true, false},
    {"ftpd", "host.example:51234", "ftpd4711", NULL, 0, NONE,
     "name:host.example", true, false},
    {"Xvnc", "192.0.2.7::51234", NULL, NULL, 0, NONE, "192.0.2.7", true, false},
    {"Xvnc", "viewer.example::51234", NULL, NULL, 0, NONE,
     "name:viewer.example", true, false},
    {"gdm", NULL, "/dev/tty2", NULL, 0, NONE, "console", false, false},
    {"gdm", "", ":0", NULL, 0, NONE, "display:0", false, false},
    {"lightdm", NULL, ":0", NULL, 0, NONE, "display:0", false, false},
    {"sddm", "localhost", ":1", NULL, 0, NONE, "display:1", false, false},
    {"xdm", ":0", ":0.0", NULL, 0, NONE, "display:0", false, false},
    {"xdm", "viewer.example:0", "viewer.example:0", NULL, 0, NONE,
     "name:viewer.example", true, false},
    {"xdm", NULL, "viewer.example:10.0", NULL, 0, NONE, "", true, false},
    /* Programs that a user started: the kernel says whose they are. */
    {"i3lock", NULL, ":0", NULL, ANN, NONE, "uid:1000", false, true},
    {"xscreensaver", NULL, ":0.0", NULL, ANN, ANN, "uid:1000", false, true},
    {"schroot", "host.example", NULL, NULL, ANN, ANN, "uid:1000", false, true},
    {"schroot", "host.example", NULL, NULL, 1001, 1001, "uid:1001", false,
     false},
    {"sudo, pam_rhost", "host.example", "/dev/pts/0", NULL, ANN, ANN,
     "uid:1000", false, true},
    {"su", NULL, "pts/0", NULL, 1001, 1001, "uid:1001", false, false},
    {"su", NULL, "pts/0", NULL, 1001, 0, "uid:1001", false, false},
    {"polkit", NULL, NULL, NULL, 1001, NONE, "uid:1001", false, false},
    {"su by root", NULL, "pts/0", NULL, 0, 0, "uid:0", false, true},
    {"su by root", NULL, NULL, NULL, 0, 0, "uid:0", false, true},
    /* polkit's helper, started by its socket. */
    {"polkit-1", NULL, NULL, NULL, 0, 1001, "ruser:1001", false, false},
    {"polkit-1", NULL, NULL, NULL, 0, ANN, "ruser:1000", false, false},
    /* Nobody's words: neither peers nor files. */
    {"?", "(null)", NULL, NULL, 0, NONE, "", true, false},
    {"?", "none", "tty", NULL, 0, NONE, "", true, false},
    {"?", " ", "pts/", NULL, 0, NONE, "", true, false},
    {"?", NULL, "../tty1", NULL, 0, NONE, "", true, false},
    {"?", NULL, "tty1x", NULL, 0, NONE, "", true, false},
    {"?", NULL, ":0.x", NULL, 0, NONE, "", true, false},
    {"?", NULL, ":9999999999", NULL, 0, NONE, "", true, false},
    {"?", "192.0.2.300", NULL, NULL, 0, NONE, "name:192.0.2.300", true, false},
    {"?", " 192.0.2.7 ", NULL, NULL, 0, NONE, "192.0.2.7", true, false},
    {"?", "a\nb\x1b[2J\x7f\xc3\xa4 c", NULL, NULL, 0, NONE, "name:a?b?[2j????c",
     true, false},
    {"?", "[::1", NULL, NULL, 0, NONE, "::/64", true, false},
    {"?", "::ffff:c000:0207", NULL, NULL, 0, NONE, "192.0.2.7", true, false},
    {"?", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, NULL, 0, NONE,
     "ffff:ffff:ffff:ffff::/64", true, false},
};

static struct sr_source
find(const struct row *row, bool takes_password, bool is_background)
{
    const struct sr_origin origin = {
        .rhost = row->rhost,
        .tty = row->tty,
        .address = row->address,
        .real_uid = row->real,
        .ruser = row->ruser,
        .account = ANN,
        .takes_password = takes_password,
        .is_background = is_background,
    };
    struct sr_source source;

    sr_source_find(&source, &origin);
    return source;
}

static void
test_programs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct sr_source source = find(&rows[i], true, false);

        if (strcmp(source.text, rows[i].text) != 0 ||
            source.is_remote != rows[i].is_remote ||
            source.is_own != rows[i].is_own)
            fail_msg("%s, row %zu: \"%s\" remote %d own %d", rows[i].program, i,
                     source.text, source.is_remote, source.is_own);
    }
}

/* Calls without a password: root's own where nothing else is named. */
static void
test_without_password(void **state)
{
    static const struct row cron = {.tty = "cron", .ruser = NONE};
    static const struct row nothing = {.ruser = NONE};
    static const struct row at_tty = {.tty = "tty1", .ruser = NONE};
    static const struct row peer = {.rhost = "192.0.2.7", .ruser = NONE};

    (void)state;
    assert_string_equal(find(&cron, false, true).text, "uid:0");
    assert_string_equal(find(&cron, false, false).text, "");
    assert_string_equal(find(&cron, true, true).text, "");
    assert_string_equal(find(&nothing, false, false).text, "uid:0");
    assert_true(find(&nothing, false, false).is_own);
    assert_string_equal(find(&at_tty, false, false).text, "console");
    assert_string_equal(find(&peer, false, true).text, "192.0.2.7");
}

/* Sources of this host, which have ledgers of their own: no peer fills them. */
static void
test_here(void **state)
{
    static const char *const here[] = {"console", "pts", "display:0",
                                       "uid:1000", "ruser:1000"};
    static const char *const there[] = {
        "",        "192.0.2.7", "name:console", "consoles", "pts0",
        "display", "display:",  "uid:",         "uid:a",    "ruser:1 "};

    (void)state;
    for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
        assert_true(sr_source_is_here(here[i]));
    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
        assert_false(sr_source_is_here(there[i]));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct sr_source source = find(&rows[i], true, false);

        assert_int_equal(sr_source_is_here(source.text),
                         source.text[0] != '\0' && !source.is_remote);
    }
}

/* What an administrator types. */
static void
test_peer(void **state)
{
    struct sr_source source;

    (void)state;
    sr_source_peer(&source, "2001:db8::1");
    assert_string_equal(source.text, "2001:db8::/64");
    assert_true(source.is_remote);
    sr_source_peer(&source, "unknown");
    assert_string_equal(source.text, "");
    assert_false(source.is_remote);
    sr_source_peer(&source, NULL);
    assert_string_equal(source.text, "");
}

static void
test_long_names(void **state)
{
    char one[1000], two[1000];
    struct sr_source first, second;

    (void)state;
    memset(one, 'a', sizeof(one));
    one[sizeof(one) - 1] = '\0';
    memcpy(two, one, sizeof(two));
    two[sizeof(two) - 2] = 'b';
    sr_source_peer(&first, one);
    sr_source_peer(&second, two);
    assert_int_equal(strlen(first.text), SR_SOURCE_MAX - 1);
    assert_non_null(strchr(first.text, '~'));
    assert_string_not_equal(first.text, second.text);
    for (size_t i = 0; one[i] != '\0'; i++)
        one[i] = 'A'; /* case makes no difference */
    sr_source_peer(&second, one);
    assert_string_equal(first.text, second.text);
    /* The longest that fits is whole, one more is cut. */
    one[58] = '\0';
    sr_source_peer(&first, one);
    assert_null(strchr(first.text, '~'));
    assert_int_equal(strlen(first.text), SR_SOURCE_MAX - 1);
    one[58] = 'A';
    one[59] = '\0';
    sr_source_peer(&first, one);
    assert_non_null(strchr(first.text, '~'));
    assert_int_equal(strlen(first.text), SR_SOURCE_MAX - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs),
        cmocka_unit_test(test_without_password),
        cmocka_unit_test(test_here),
        cmocka_unit_test(test_peer),
        cmocka_unit_test(test_long_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
