/*
 * As user: work that is done with the rights of a user, in a child process.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/util/as_user.h"
#include "policy/util/deadline.h"

/* What the child sends. */
struct report {
    int32_t error; /* negative errno: it does not have the rights */
    int32_t result;
    char text[SR_AS_USER_TEXT];
};

_Static_assert(sizeof(struct report) <= PIPE_BUF, "is written in one piece");

/* Returns 0 or a negative errno. */
static int
take_rights(const struct sr_as_user *user)
{
    if (geteuid() != 0)
        return geteuid() == user->uid && getuid() == user->uid ? 0 : -EPERM;
    if (setgroups(1, &user->gid) != 0 ||
        setresgid(user->gid, user->gid, user->gid) != 0 ||
        setresuid(user->uid, user->uid, user->uid) != 0)
        return -errno;
    /* The memory is the caller's, which the user must not read. */
    return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) == 0 ? 0 : -errno;
}

static _Noreturn void
be_child(const struct sr_as_user *user, sr_as_user_work *work, void *context,
         const char *text, int out)
{
    struct report report = {.error = take_rights(user)};

    umask(S_IRWXG | S_IRWXO); /* the caller's can be any */
    snprintf(report.text, sizeof(report.text), "%s", text);
    if (report.error == 0)
        report.result = work(context, report.text);
    _exit(write(out, &report, sizeof(report)) == (ssize_t)sizeof(report) ? 0
                                                                         : 1);
}

/* Receive the report.  Returns 0 or a negative errno. */
static int
receive(int in, int64_t end, struct report *report)
{
    const int error = sr_deadline_await(in, POLLIN, end);

    if (error != 0)
        return error;
    return read(in, report, sizeof(*report)) == (ssize_t)sizeof(*report)
               ? report->error
               : -ECHILD;
}

/* Fork, and get the report.  Returns 0 or a negative errno. */
static int
run(const struct sr_as_user *user, sr_as_user_work *work, void *context,
    const char *text, struct report *report)
{
    int pair[2], error;
    pid_t child;

    if (pipe2(pair, O_CLOEXEC) != 0)
        return -errno;
    child = fork();
    if (child == 0)
        be_child(user, work, context, text, pair[1]);
    error = -errno;
    close(pair[1]);
    if (child > 0) {
        error = receive(pair[0], user->end, report);
        if (error == -ETIMEDOUT)
            kill(child, SIGKILL);
        /* The program may ignore SIGCHLD, and there is no child then. */
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    close(pair[0]);
    return error;
}

int
sr_as_user(const struct sr_as_user *user, sr_as_user_work *work, void *context,
           char *text, int32_t *result)
{
    struct report report;
    sigset_t all, before;
    int error;

    /* The program's handlers must not run in the child, and its handler of
     * SIGCHLD must not wait for it. */
    sigfillset(&all);
    error = -pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error != 0)
        return error;
    error = run(user, work, context, text, &report);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        *result = report.result;
        memcpy(text, report.text, sizeof(report.text));
        text[SR_AS_USER_TEXT - 1] = '\0';
    }
    return error;
}
