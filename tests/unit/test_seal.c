/*
 * The seal of the store's file: fits the file as it was, and nothing else.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy/store/seal.h"

static const uint8_t boot[16] = "this boot";

static struct stat
some_file(void)
{
    struct stat status;

    memset(&status, 0, sizeof(status));
    status.st_dev = 5;
    status.st_ino = 7;
    status.st_size = 4096;
    status.st_mtim = (struct timespec){1000, 500};
    status.st_ctim = (struct timespec){1000, 600};
    return status;
}

static void
test_fits(void **state)
{
    struct stat status = some_file();
    struct sr_seal seal;

    (void)state;
    sr_seal_make(&seal, &status, boot);
    assert_true(sr_seal_fits(&seal, &status, boot));
}

static void
test_any_change_breaks_it(void **state)
{
    struct stat status[7];
    struct sr_seal seal;

    (void)state;
    for (size_t i = 0; i < 7; i++)
        status[i] = some_file();
    sr_seal_make(&seal, &status[0], boot);
    status[0].st_dev++;
    status[1].st_ino++;
    status[2].st_size++;
    status[3].st_mtim.tv_sec--;
    status[4].st_mtim.tv_nsec++;
    status[5].st_ctim.tv_sec--;
    status[6].st_ctim.tv_nsec++;
    for (size_t i = 0; i < 7; i++)
        assert_false(sr_seal_fits(&seal, &status[i], boot));
}

static void
test_other_boot(void **state)
{
    static const uint8_t other[16] = "another", none[16];
    struct stat status = some_file();
    struct sr_seal seal;

    (void)state;
    sr_seal_make(&seal, &status, boot);
    assert_false(sr_seal_fits(&seal, &status, other));
    sr_seal_make(&seal, &status, none);
    assert_false(sr_seal_fits(&seal, &status, none));
}

static void
test_damaged_seal(void **state)
{
    struct stat status = some_file();
    struct sr_seal seal;

    (void)state;
    for (size_t i = 0; i < sizeof(seal); i++) {
        sr_seal_make(&seal, &status, boot);
        ((uint8_t *)&seal)[i] ^= 1;
        assert_false(sr_seal_fits(&seal, &status, boot));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fits),
        cmocka_unit_test(test_any_change_breaks_it),
        cmocka_unit_test(test_other_boot),
        cmocka_unit_test(test_damaged_seal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
