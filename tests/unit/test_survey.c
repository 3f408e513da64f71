/*
 * Test of what a survey of a directory is judged to be amiss.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/checksurvey.h"

#define NOW ((sr_time)1800000000)

/* How much is amiss with a server whose certificate ends then. */
static size_t
amiss(sr_time ends)
{
    static char name[] = "corp";
    const struct sr_backend_config config = {.name = name};
    struct sr_survey survey = {.uri = {{.uri = "ldaps://x",
                                        .is_answered = true,
                                        .certificate_ends = ends}},
                               .uri_count = 1};
    struct findings findings = {0};
    size_t count;

    check_survey(&survey, &config, NOW, &findings);
    count = findings_count(&findings, SEVERITY_WARNING);
    findings_free(&findings);
    return count;
}

static void
test_certificates(void **state)
{
    (void)state;
    assert_int_equal(amiss(NOW + 22 * SR_DAY), 0);
    assert_int_equal(amiss(NOW + 20 * SR_DAY), 1);
    assert_int_equal(amiss(NOW - SR_DAY), 1);
    assert_int_equal(amiss(0), 1);
    /* Without one, or one that cannot be read; sanitizers see the sum. */
    assert_int_equal(amiss(SR_TIME_UNKNOWN), 0);
    assert_int_equal(amiss(SR_TIME_NEVER), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
