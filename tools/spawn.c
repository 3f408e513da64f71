/*
 * Spawn: runs a program of the system, with nothing of the caller's process.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/backend/local/files_lock.h"
#include "policy/util/io.h"
#include "policy/util/program.h"
#include "tools/output.h"
#include "tools/spawn.h"

/* What came of a program: 0, or -1 after a message. */
static int
report(const char *name, int status)
{
    struct sr_error lock;

    if (status == 0)
        return 0;
    if (status == -ENOENT)
        ctl_error("The program %s is not installed.", name);
    else if (status == -EPIPE)
        ctl_error("%s did not read what it was given.", name);
    else if (status < 0)
        ctl_error("%s: %s.", name, strerror(-status));
    else if (status > 128)
        ctl_error("%s was ended by signal %d.", name, status - 128);
    else
        ctl_error("%s failed with exit code %d.", name, status);
    /* What shadow's programs do not say: which one they have waited for. */
    if (status > 0 && !sr_local_wait_for_files(0, &lock))
        ctl_error("%s.", lock.text);
    return -1;
}

/* Wait for the end of a program.  Returns 0, or -1 after a message. */
static int
wait_for(pid_t child, const char *name)
{
    int status;

    if (TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) < 0)
        return report(name, -errno);
    return report(name, WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                            : WEXITSTATUS(status));
}

/* Start a program whose output is read from *end. Returns the process or a
 * negative errno. */
static pid_t
start(const char *const argv[], bool is_quiet, int *end)
{
    struct sr_program program = {
        .argv = argv, .messages = is_quiet ? -1 : 2, .uid = (uid_t)-1};
    int pipes[2];
    pid_t child;

    if (pipe2(pipes, O_CLOEXEC) != 0)
        return -errno;
    program.output = pipes[1];
    child = sr_program_start(&program, -1);
    close(pipes[1]);
    if (child < 0)
        close(pipes[0]);
    *end = pipes[0];
    return child;
}

int
ctl_run(const char *const argv[], const char *input)
{
    const struct sr_program program = {.argv = argv,
                                       .input = input,
                                       .output = 2,
                                       .messages = 2,
                                       .uid = (uid_t)-1};

    return report(argv[0], sr_program_run(&program));
}

int
ctl_read(const char *const argv[], void (*take)(FILE *stream, void *context),
         void *context)
{
    int end;
    const pid_t child = start(argv, false, &end);
    FILE *stream = child < 0 ? NULL : fdopen(end, "r");

    if (child < 0)
        return report(argv[0], child);
    if (stream != NULL) {
        take(stream, context);
        fclose(stream);
    } else {
        ctl_error("%s: %s.", argv[0], strerror(errno));
        close(end);
    }
    return wait_for(child, argv[0]);
}

bool
ctl_ask(const char *const argv[], char *line, size_t size)
{
    int end, status = -1;
    const pid_t child = start(argv, true, &end);
    ssize_t got;

    line[0] = '\0';
    if (child < 0) {
        report(argv[0], child);
        return false;
    }
    got = sr_read_all(end, line, size - 1);
    close(end);
    line[got < 0 ? 0 : got] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) == child &&
           WIFEXITED(status) && WEXITSTATUS(status) < 126;
}
