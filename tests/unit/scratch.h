/*
 * Scratch: what the tests of the store need around them: directories to throw
 * away, children to run things in, and worlds of their own (mounts, clocks).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TESTS_SCRATCH_H
#define SR_TESTS_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* In a child: leave it, saying where, when `expression` does not hold. */
#define WANT(expression)                                                       \
    do {                                                                       \
        if (!(expression))                                                     \
            scratch_fail(__FILE__, __LINE__, #expression);                     \
    } while (0)

_Noreturn void scratch_fail(const char *file, int line, const char *what);

/* Exit status of a child that cannot do what it needs (no privilege). */
#define SCRATCH_SKIP 77

/* A new empty directory 0700, on a file system in memory where there is one.
 * The name lives until scratch_remove(). */
char *scratch_make(void);
void scratch_remove(char *dir);

/* DIR/NAME; four of them may be in use at once. */
const char *scratch_path(const char *dir, const char *name);

/* Run in a child; returns its wait status. */
int scratch_run(void (*run)(void *), void *argument);

/* Run in a child and expect a clean end; skips the test on SCRATCH_SKIP. */
void scratch_pass(void (*run)(void *), void *argument);

/* As scratch_run(), with CLOCK_BOOTTIME `seconds` ahead.  The status is
 * SCRATCH_SKIP where that is not permitted. */
int scratch_run_later(long seconds, void (*run)(void *), void *argument);

/* In a child: mounts of its own from here on; leaves it when not permitted. */
void scratch_private_mounts(void);

/* In a child: a RAM file system of `size` bytes on `dir`. */
void scratch_mount_small(const char *dir, size_t size);

/* In a child: another boot id. */
void scratch_new_boot(const char *dir, const char *uuid);

/* Memory that children share, zeroed. */
void *scratch_shared(size_t size);

/* Whole files. */
uint8_t *scratch_read(const char *path, size_t *size);
void scratch_write(const char *path, const uint8_t *bytes, size_t size);

#endif
