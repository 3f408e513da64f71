/*
 * Agent: the keys in the ssh-agent of the user, and signatures by them.
 *
 * The programs of OpenSSH do it, with the rights, the environment and the
 * terminal of the user.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/agent.h"
#include "policy/util/io.h"

#define KEY_FD 9 /* of the child */

extern char **environ;

bool
agent_is_there(void)
{
    const char *path = getenv("SSH_AUTH_SOCK");

    return path != NULL && path[0] == '/' && access(path, R_OK | W_OK) == 0;
}

/* A file without a name that has a text, to be read from its begin; or -1. */
static int
make_file(const char *text)
{
    const int fd = memfd_create("selfreset", MFD_CLOEXEC);

    if (fd >= 0 && sr_write_all(fd, text, strlen(text)) == 0 &&
        lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Start it, with these descriptors and no signal blocked. */
static pid_t
start(const char *const *argv, int input, int output, int key)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t child = -1;

    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    if (key >= 0)
        posix_spawn_file_actions_adddup2(&files, key, KEY_FD);
    if (posix_spawnp(&child, argv[0], &files, &attributes,
                     (char *const *)(uintptr_t)argv, environ) != 0)
        child = -1;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return child;
}

/* Run it with a text as input and a key as descriptor KEY_FD (NULL: none), and
 * take what it writes. */
static bool
run(const char *const *argv, const char *text, const char *key, char *out,
    size_t size)
{
    const int input = make_file(text), output = make_file("");
    const int key_file = key == NULL ? -1 : make_file(key);
    int status = -1;
    ssize_t got = -1;
    pid_t child = -1;

    if (input >= 0 && output >= 0 && (key == NULL || key_file >= 0))
        child = start(argv, input, output, key_file);
    if (child > 0) {
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            continue;
        got = pread(output, out, size, 0);
    }
    if (input >= 0)
        close(input);
    if (output >= 0)
        close(output);
    if (key_file >= 0)
        close(key_file);
    if (status != 0 || got <= 0 || (size_t)got == size)
        return false;
    out[got] = '\0';
    return memchr(out, '\0', (size_t)got) == NULL;
}

bool
agent_keys(char *out, size_t size)
{
    static const char *const argv[] = {"ssh-add", "-L", NULL};

    return run(argv, "", NULL, out, size);
}

bool
agent_sign(const char *key, const char *line, char *out, size_t size)
{
    static const char *const argv[] = {"ssh-keygen", "-q",        "-Y",
                                       "sign",       "-n",        "selfreset",
                                       "-f",         "/dev/fd/9", NULL};

    return run(argv, line, key, out, size);
}
