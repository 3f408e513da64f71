/*
 * Test of times as an administrator types them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "tools/time_arg.h"

#define NOW ((sr_time)1795300000)

static void
assert_time(const char *text, sr_time expected)
{
    sr_time when = 0;

    if (!attime_read(text, NOW, &when))
        fail_msg("\"%s\" is refused", text);
    if (when != expected)
        fail_msg("\"%s\": %lld, not %lld", text, (long long)when,
                 (long long)expected);
}

static void
assert_refused(const char *text)
{
    sr_time when;

    if (attime_read(text, NOW, &when))
        fail_msg("\"%s\" is taken", text);
}

static void
test_distance(void **state)
{
    (void)state;
    assert_time("+3d", NOW + 3 * SR_DAY);
    assert_time("-12h", NOW - 12 * 3600);
    assert_time("+0", NOW);
    assert_refused("+");
    assert_refused("+3");
    assert_refused("+3y");
    assert_refused("+-3d");
}

static void
test_seconds(void **state)
{
    (void)state;
    assert_time("@0", 0);
    assert_time("@1795300000", NOW);
    assert_time("@-1", -1);
    assert_refused("@");
    assert_refused("@1x");
    assert_refused("@99999999999999999999");
    assert_refused("@9223372036854775807"); /* that is "never" */
}

static void
test_date(void **state)
{
    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    assert_time("2026-12-24", 1798066800);
    assert_time("2026-12-24 12:00", 1798110000);
    assert_time("2026-12-24T12:00", 1798110000);
    assert_time("2026-12-24 12:00:30", 1798110030);
    assert_time("2026-07-01 12:00", 1782900000); /* summer time */
    /* As they are written, and as RFC 3339 has them. */
    assert_time("2026-12-24T11:00:30Z", 1798110030);
    assert_time("2026-12-24 12:00:30 +0100", 1798110030);
    assert_time("2026-12-24T12:00:30+01:00", 1798110030);
    assert_time("2026-12-24T06:00-05:00", 1798110000);
    assert_time("2026-07-01 10:00Z", 1782900000);
    assert_time("2026-03-29T02:30:00Z", 1774751400);
    assert_refused("2026-02-30T12:00:00Z");
    assert_refused("2026-12-24T12:00:00Zx");
    assert_refused("2026-12-24T12:00:00 CET");
    assert_refused("2026-12-24Z");
    assert_refused("2026-12-32");
    assert_refused("2026-02-30");
    assert_refused("2026-03-29 02:30"); /* summer time leaves it out */
    assert_refused("2026-12-24 25:00");
    assert_refused("2026-12-24 ");
    assert_refused("2026-12-24x");
    assert_refused("24.12.2026");
    assert_refused("tomorrow");
    assert_refused("");
    assert_refused(" 2026-12-24");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
