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

static void
expect(const char *rhost, const char *address, const char *text)
{
    struct sr_source source;

    sr_source_find(&source, rhost, address, 0, false, 1000);
    assert_string_equal(source.text, text);
    assert_true(source.is_remote);
    assert_false(source.is_own);
}

static void
test_addresses(void **state)
{
    (void)state;
    expect("192.0.2.7", NULL, "192.0.2.7");
    expect("host.example", "192.0.2.7", "192.0.2.7");
    expect(NULL, "192.0.2.7", "192.0.2.7");
    expect("2001:db8:1:2:3:4:5:6", NULL, "2001:db8:1:2::/64");
    expect("2001:DB8:1:2:ffff::9", NULL, "2001:db8:1:2::/64");
    expect("2001:db8::1", NULL, "2001:db8::/64");
    expect("::1", NULL, "::/64");
    expect("::ffff:192.0.2.7", NULL, "192.0.2.7");
    expect("::ffff:c000:0207", NULL, "192.0.2.7");
    expect("fe80::1%eth0", NULL, "fe80::/64");
    expect("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
           "ffff:ffff:ffff:ffff::/64");
}

static void
test_names(void **state)
{
    (void)state;
    expect("Host.EXAMPLE", NULL, "name:host.example");
    expect("a\nb\x1b[2J\x7f\xc3\xa4 c", NULL, "name:a?b?[2j????c");
    expect("192.0.2.300", NULL, "name:192.0.2.300");
    expect("192.0.2.7 ", NULL, "name:192.0.2.7?");
    expect(NULL, "not-an-address", "name:not-an-address");
    expect("h.example", "not-an-address", "name:h.example");
}

static void
test_long_names(void **state)
{
    char one[2000], two[2000];
    struct sr_source first, second;

    (void)state;
    memset(one, 'a', sizeof(one));
    one[sizeof(one) - 1] = '\0';
    memcpy(two, one, sizeof(two));
    two[sizeof(two) - 2] = 'b';
    sr_source_find(&first, one, NULL, 0, false, 0);
    sr_source_find(&second, two, NULL, 0, false, 0);
    assert_int_equal(strlen(first.text), SR_SOURCE_MAX - 1);
    assert_non_null(strchr(first.text, '~'));
    assert_string_not_equal(first.text, second.text);
    for (size_t i = 0; one[i] != '\0'; i++)
        one[i] = 'A'; /* case makes no difference */
    sr_source_find(&second, one, NULL, 0, false, 0);
    assert_string_equal(first.text, second.text);
    /* The longest that fits is whole, one more is cut. */
    one[58] = '\0';
    sr_source_find(&first, one, NULL, 0, false, 0);
    assert_null(strchr(first.text, '~'));
    assert_int_equal(strlen(first.text), SR_SOURCE_MAX - 1);
    one[58] = 'A';
    one[59] = '\0';
    sr_source_find(&first, one, NULL, 0, false, 0);
    assert_non_null(strchr(first.text, '~'));
    assert_int_equal(strlen(first.text), SR_SOURCE_MAX - 1);
}

static void
expect_local(uid_t real, bool root_session, uid_t account, const char *text,
             bool own)
{
    struct sr_source source;

    sr_source_find(&source, "", NULL, real, root_session, account);
    assert_string_equal(source.text, text);
    assert_false(source.is_remote);
    assert_int_equal(source.is_own, own);
}

static void
test_local(void **state)
{
    (void)state;
    expect_local(0, false, 1000, "console", false);
    expect_local(0, false, 0, "console", false);
    expect_local(0, true, 1000, "uid:0", true);
    expect_local(1000, false, 1000, "uid:1000", true);
    expect_local(1001, false, 1000, "uid:1001", false);
    expect_local(1001, true, 1000, "uid:1001", false);
    expect_local(1000, false, (uid_t)-1, "uid:1000", false);
    expect_local(4294967294u, false, 0, "uid:4294967294", false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_local),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
