/*
 * Program: runs a program of the system, with nothing of the caller's process:
 * no environment, no descriptor but the three, "/" as its directory, and no
 * core.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_PROGRAM_H
#define SR_POLICY_UTIL_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sr_program {
    const char *const *argv; /* argv[0]: a path, or a name that is looked up in
                                the system's folders; ended by NULL */
    const char *input;       /* for its standard input; NULL: nothing */
    int output;              /* its standard output; -1: /dev/null */
    int messages;            /* its standard error; -1: /dev/null */
    int more[2];             /* its descriptors 3 and 4; 0: none */
    bool is_bounded;         /* it may use 30 seconds of a processor, 64
                                descriptors, and 1 MiB of a file, and gets no
                                new rights by what it executes */
    uid_t uid;               /* as whom; (uid_t)-1: as this process */
    gid_t gid;               /* its only group, unless uid is -1 */
    int64_t end; /* see deadline.h: it and its process group are killed then,
                    and the group when it has ended itself, unless it was not
                    bounded and ended well; 0: never */
};

/* The path of a program of the system; false: it is not installed. */
bool sr_program_find(const char *name, char *path, size_t size);

/* Start it, with `input` instead of .input.  Returns the process or a negative
 * errno; -ENOENT: it is not installed. */
pid_t sr_program_start(const struct sr_program *program, int input);

/*
 * Run it and wait for its end.  Returns its exit status (126 and 127: it could
 * not be run), 128 and the signal's number, or a negative errno: -ENOENT,
 * -ETIMEDOUT; -EPIPE when it ended well without having read its input.
 */
int sr_program_run(const struct sr_program *program);

#endif
