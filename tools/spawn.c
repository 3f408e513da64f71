/*
 * Spawn: runs a program of the system, with nothing of the caller's process.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/util/io.h"
#include "tools/output.h"
#include "tools/spawn.h"

/* PATH is the caller's; these are the system's. */
static const char *const folders[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};

static bool
find_program(const char *name, char *path, size_t size)
{
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, size, "%s/%s", folders[i], name);
        if (access(path, X_OK) == 0)
            return true;
    }
    ctl_error("The program %s is not installed.", name);
    return false;
}

static void
close_inherited(void)
{
#ifdef HAVE_CLOSEFROM
    closefrom(3);
#else
    struct rlimit limit;
    int end = 65536;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536)
        end = (int)limit.rlim_cur;
    for (int fd = 3; fd < end; fd++)
        close(fd);
#endif
}

/* In the child: descriptors, signals and environment as at boot.  The mask of
 * blocked signals stays: a key on the terminal must not end half a change. */
static _Noreturn void
become(const char *path, const char *const argv[], int input, int output,
       int messages)
{
    static char *const environment[] = {NULL};

    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(messages, 2) < 0)
        _exit(126);
    close_inherited();
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    if (chdir("/") != 0)
        _exit(126);
    execve(path, (char *const *)argv, environment); /* only read there */
    _exit(127);
}

/* Wait for the end of a program.  Returns 0, or -1 after a message. */
static int
wait_for(pid_t child, const char *name)
{
    int status;

    if (TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) < 0)
        ctl_error("%s: %s.", name, strerror(errno));
    else if (WIFSIGNALED(status))
        ctl_error("%s was ended by signal %d.", name, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        ctl_error("%s failed with exit code %d.", name, WEXITSTATUS(status));
    else
        return 0;
    return -1;
}

/*
 * Start a program with a pipe: *end is the end to write its input to, or with
 * `reads` the one to read its output from.  Without `reads` its output goes to
 * standard error.  Returns the process, or -1 after saying why.
 */
static pid_t
start(const char *const argv[], bool reads, bool is_quiet, int *end)
{
    char path[64];
    int pipes[2];
    pid_t child = -1;

    if (!find_program(argv[0], path, sizeof(path)))
        return -1;
    if (pipe2(pipes, O_CLOEXEC) == 0) {
        fflush(NULL);
        signal(SIGCHLD, SIG_DFL); /* ignored, its status would be lost */
        child = fork();
        if (child == 0) {
            const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

            become(path, argv, reads ? null : pipes[0], reads ? pipes[1] : 2,
                   is_quiet ? null : 2);
        }
        close(pipes[reads ? 1 : 0]);
        *end = pipes[reads ? 0 : 1];
        if (child < 0)
            close(*end);
    }
    if (child < 0)
        ctl_error("%s: %s.", argv[0], strerror(errno));
    return child;
}

int
ctl_run(const char *const argv[], const char *input)
{
    int end, error = 0;
    const pid_t child = start(argv, false, false, &end);

    if (child < 0)
        return -1;
    /* A line is far below what a pipe holds: this cannot block. */
    if (input != NULL)
        error = sr_write_all(end, input, strlen(input));
    close(end);
    if (wait_for(child, argv[0]) != 0)
        return -1;
    if (error != 0)
        ctl_error("%s did not read what it was given.", argv[0]);
    return error;
}

int
ctl_read(const char *const argv[], void (*take)(FILE *stream, void *context),
         void *context)
{
    int end;
    const pid_t child = start(argv, true, false, &end);
    FILE *stream = child < 0 ? NULL : fdopen(end, "r");

    if (child < 0)
        return -1;
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
    const pid_t child = start(argv, true, true, &end);
    ssize_t got;

    line[0] = '\0';
    if (child < 0)
        return false;
    got = sr_read_all(end, line, size - 1);
    close(end);
    line[got < 0 ? 0 : got] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) == child &&
           WIFEXITED(status) && WEXITSTATUS(status) < 126;
}
