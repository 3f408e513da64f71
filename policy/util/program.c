/*
 * Program: runs a program of the system, with nothing of the caller's process.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/util/deadline.h"
#include "policy/util/file_lock.h"
#include "policy/util/program.h"

/* PATH is the caller's; these are the system's. */
static const char *const folders[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};

bool
sr_program_find(const char *name, char *path, size_t size)
{
    if (name[0] == '/') {
        snprintf(path, size, "%s", name);
        return access(path, X_OK) == 0;
    }
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, size, "%s/%s", folders[i], name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static void
close_inherited(int from)
{
#ifdef HAVE_CLOSEFROM
    closefrom(from);
#else
    struct rlimit limit;
    int end = 65536;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536)
        end = (int)limit.rlim_cur;
    for (int fd = from; fd < end; fd++)
        close(fd);
#endif
}

/* Give it its descriptors from 3 on.  Returns the first that it does not have,
 * or -1. */
static int
give_more(const struct sr_program *program)
{
    int moved[2], count = 0;

    while (count < 2 && program->more[count] > 0) {
        moved[count] = fcntl(program->more[count], F_DUPFD, 16);
        if (moved[count++] < 0)
            return -1;
    }
    for (int i = 0; i < count; i++) {
        if (dup2(moved[i], 3 + i) < 0)
            return -1;
    }
    return 3 + count;
}

static bool
bound(const struct sr_program *program)
{
    static const struct rlimit processor = {30, 30}, files = {64, 64},
                               size = {1 << 20, 1 << 20};

    return !program->is_bounded ||
           (setrlimit(RLIMIT_CPU, &processor) == 0 &&
            setrlimit(RLIMIT_NOFILE, &files) == 0 &&
            setrlimit(RLIMIT_FSIZE, &size) == 0 &&
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

/* As another user: with that group only. */
static bool
take_rights(const struct sr_program *program)
{
    return program->uid == (uid_t)-1 ||
           (setgroups(1, &program->gid) == 0 &&
            setresgid(program->gid, program->gid, program->gid) == 0 &&
            setresuid(program->uid, program->uid, program->uid) == 0);
}

/* In the child.  The mask of blocked signals stays: a key on the terminal must
 * not end half a change. */
static _Noreturn void
become(const struct sr_program *program, const char *path, int input)
{
    static char *const environment[] = {NULL};
    static const struct rlimit no_core = {0, 0};
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int output = program->output < 0 ? null : program->output;
    const int messages = program->messages < 0 ? null : program->messages;
    int end;

    if (program->end != 0)
        setpgid(0, 0);
    if (dup2(input < 0 ? null : input, 0) < 0 || dup2(output, 1) < 0 ||
        dup2(messages, 2) < 0)
        _exit(126);
    end = give_more(program);
    if (end < 0)
        _exit(126);
    close_inherited(end);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    if (setrlimit(RLIMIT_CORE, &no_core) != 0 || chdir("/") != 0 ||
        !bound(program) || !take_rights(program))
        _exit(126);
    execve(path, (char *const *)(uintptr_t)program->argv, environment);
    _exit(127);
}

pid_t
sr_program_start(const struct sr_program *program, int input)
{
    char path[256];
    pid_t child;

    if (!sr_program_find(program->argv[0], path, sizeof(path)))
        return -ENOENT;
    fflush(NULL);
    signal(SIGCHLD, SIG_DFL); /* ignored, its status would be lost */
    child = fork();
    if (child == 0)
        become(program, path, input);
    return child < 0 ? -errno : child;
}

/* Write the input; a program that does not read it is not waited for longer
 * than the deadline. */
static int
feed(int fd, const struct sr_program *program)
{
    const char *at = program->input;
    size_t left = at == NULL ? 0 : strlen(at);
    int error = 0;

    while (left > 0 && error == 0) {
        const ssize_t written = write(fd, at, left);

        if (written > 0) {
            at += written;
            left -= (size_t)written;
        } else if (errno == EAGAIN) {
            error = sr_deadline_await(
                fd, POLLOUT, program->end == 0 ? INT64_MAX : program->end);
        } else if (errno != EINTR) {
            error = -errno;
        }
    }
    return error;
}

/* Wait for the end, or kill it and what it has started. */
static int
wait_for(pid_t child, int64_t end)
{
    int status = 0;
    pid_t done;

    for (;;) {
        done = waitpid(child, &status, end == 0 ? 0 : WNOHANG);
        if (done == child || (done < 0 && errno != EINTR))
            break;
        if (end != 0 && sr_deadline_now() >= end) {
            kill(-child, SIGKILL);
            kill(child, SIGKILL);
            while (waitpid(child, &status, 0) < 0 && errno == EINTR)
                continue;
            return -ETIMEDOUT;
        }
        if (end != 0)
            sr_nap(5, 10);
    }
    if (done < 0)
        return -errno;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int
sr_program_run(const struct sr_program *program)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    int pipes[2], error, status;
    pid_t child;

    if (pipe2(pipes, O_CLOEXEC) != 0)
        return -errno;
    fcntl(pipes[1], F_SETFL, O_NONBLOCK);
    sigaction(SIGPIPE, &ignore, &before);
    child = sr_program_start(program, pipes[0]);
    close(pipes[0]);
    error = child < 0 ? child : feed(pipes[1], program);
    close(pipes[1]);
    status = child < 0 ? child : wait_for(child, program->end);
    /* Nothing of it stays; but a mail server may deliver what it has taken. */
    if (child > 0 && program->end != 0 && (program->is_bounded || status != 0))
        kill(-child, SIGKILL);
    sigaction(SIGPIPE, &before, NULL);
    return status == 0 && error != 0 ? error : status;
}
