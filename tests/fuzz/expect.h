/*
 * Expect: what a fuzz target holds to be so whatever the bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TESTS_FUZZ_EXPECT_H
#define SR_TESTS_FUZZ_EXPECT_H

#include <stdio.h>
#include <stdlib.h>

/* The line says which: optimised, all the aborts of a function are one. */
#define expect(holds) ((holds) ? (void)0 : sr_fuzz_give_up(__LINE__))

static inline _Noreturn void
sr_fuzz_give_up(int line)
{
    fprintf(stderr, "line %d does not hold\n", line);
    abort();
}

#endif
