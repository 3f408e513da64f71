/*
 * Spawn: runs a program of the system, with nothing of the caller's process.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_SPAWN_H
#define SR_TOOLS_SPAWN_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Run one of shadow's programs ("chage", "chpasswd"), found in the system's
 * folders, with an empty environment, no inherited descriptors and `input` (or
 * NULL) as its standard input; its output goes to standard error.  argv[0] is
 * its name.  Returns 0, or -1 after a message on standard error.
 */
int ctl_run(const char *const argv[], const char *input);

/*
 * Run a program in the same way, with its output read by `take` until it
 * returns.  Returns 0, or -1 after a message on standard error.
 */
int ctl_read(const char *const argv[],
             void (*take)(FILE *stream, void *context), void *context);

/*
 * Run a program in the same way and take the first line of its output, without
 * its end; its messages are discarded.  False when it could not be run.
 */
bool ctl_ask(const char *const argv[], char *line, size_t size);

#endif
