/*
 * Spawn: runs one of shadow's programs, which alone write the local files.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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
become(const char *path, const char *const argv[], int input, int output)
{
    static char *const environment[] = {NULL};

    if (dup2(input, 0) < 0 || dup2(output, 1) < 0)
        _exit(126);
    close_inherited();
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    if (chdir("/") != 0)
        _exit(126);
    execve(path, (char *const *)argv, environment); /* only read there */
    _exit(127);
}

static bool
write_all(int fd, const char *bytes)
{
    size_t left = strlen(bytes);

    while (left > 0) {
        ssize_t written = write(fd, bytes, left);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        left -= (size_t)written;
    }
    return true;
}

static int
wait_for(pid_t child, const char *name)
{
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            ctl_error("%s: %s.", name, strerror(errno));
            return -1;
        }
    }
    if (WIFSIGNALED(status))
        ctl_error("%s was ended by signal %d.", name, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        ctl_error("%s failed with exit code %d.", name, WEXITSTATUS(status));
    else
        return 0;
    return -1;
}

int
ctl_run(const char *const argv[], const char *input)
{
    char path[64];
    int pipes[2];
    pid_t child;
    bool is_written;

    if (!find_program(argv[0], path, sizeof(path)))
        return -1;
    if (pipe2(pipes, O_CLOEXEC) != 0) {
        ctl_error("%s: %s.", argv[0], strerror(errno));
        return -1;
    }
    fflush(NULL);
    signal(SIGCHLD, SIG_DFL); /* ignored, its status would be lost */
    child = fork();
    if (child == 0)
        become(path, argv, pipes[0], 2);
    close(pipes[0]);
    /* A line is far below what a pipe holds: this cannot block. */
    is_written = child > 0 && write_all(pipes[1], input == NULL ? "" : input);
    close(pipes[1]);
    if (child < 0) {
        ctl_error("%s: %s.", argv[0], strerror(errno));
        return -1;
    }
    if (wait_for(child, argv[0]) != 0)
        return -1;
    if (!is_written)
        ctl_error("%s did not read what it was given.", argv[0]);
    return is_written ? 0 : -1;
}

int
ctl_read(const char *const argv[], void (*take)(FILE *stream, void *context),
         void *context)
{
    char path[64];
    int pipes[2];
    FILE *stream;
    pid_t child;

    if (!find_program(argv[0], path, sizeof(path)))
        return -1;
    if (pipe2(pipes, O_CLOEXEC) != 0) {
        ctl_error("%s: %s.", argv[0], strerror(errno));
        return -1;
    }
    fflush(NULL);
    signal(SIGCHLD, SIG_DFL); /* ignored, its status would be lost */
    child = fork();
    if (child == 0)
        become(path, argv, open("/dev/null", O_RDONLY | O_CLOEXEC), pipes[1]);
    close(pipes[1]);
    stream = fdopen(pipes[0], "r");
    if (child > 0 && stream != NULL)
        take(stream, context);
    else
        ctl_error("%s: %s.", argv[0], strerror(errno));
    if (stream != NULL)
        fclose(stream);
    else
        close(pipes[0]);
    return child > 0 ? wait_for(child, argv[0]) : -1;
}
