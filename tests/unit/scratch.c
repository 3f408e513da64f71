/*
 * Scratch: what the tests of the store need around them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/scratch.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

void
scratch_fail(const char *file, int line, const char *what)
{
    dprintf(STDERR_FILENO, "%s:%d: not so: %s (errno %d)\n", file, line, what,
            errno);
    _exit(1);
}

char *
scratch_make(void)
{
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    char *dir;

    assert_true(asprintf(&dir, "%s/selfreset-XXXXXX", parent) > 0);
    assert_non_null(mkdtemp(dir));
    return dir;
}

static int
remove_one(const char *path, const struct stat *status, int kind,
           struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

void
scratch_remove(char *dir)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    free(dir);
}

const char *
scratch_path(const char *dir, const char *name)
{
    static char path[4][PATH_MAX];
    static unsigned next;
    char *made = path[next++ % 4];

    snprintf(made, PATH_MAX, "%s/%s", dir, name);
    return made;
}

int
scratch_run(void (*run)(void *), void *argument)
{
    const pid_t child = fork();
    int status;

    if (child == 0) {
        run(argument);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

void
scratch_pass(void (*run)(void *), void *argument)
{
    const int status = scratch_run(run, argument);

    if (WIFEXITED(status) && WEXITSTATUS(status) == SCRATCH_SKIP)
        skip();
    assert_int_equal(status, 0);
}

struct later {
    long seconds;
    void (*run)(void *);
    void *argument;
};

static void
run_later(void *argument)
{
    const struct later *later = argument;
    int status, fd;
    pid_t child;

    if (unshare(CLONE_NEWTIME) != 0)
        _exit(SCRATCH_SKIP);
    fd = open("/proc/self/timens_offsets", O_WRONLY);
    if (fd < 0)
        _exit(SCRATCH_SKIP);
    WANT(dprintf(fd, "boottime %ld 0\n", later->seconds) > 0);
    close(fd);
    child = fork(); /* only children are in the namespace */
    if (child == 0) {
        later->run(later->argument);
        _exit(0);
    }
    WANT(waitpid(child, &status, 0) == child);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int
scratch_run_later(long seconds, void (*run)(void *), void *argument)
{
    struct later later = {seconds, run, argument};
    const int status = scratch_run(run_later, &later);

    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void
scratch_private_mounts(void)
{
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        _exit(SCRATCH_SKIP);
}

void
scratch_mount_small(const char *dir, size_t size)
{
    char options[64];

    snprintf(options, sizeof(options), "size=%zu,mode=0700", size);
    WANT(mount("small", dir, "tmpfs", 0, options) == 0);
}

void
scratch_new_boot(const char *dir, const char *uuid)
{
    const char *path = scratch_path(dir, "boot_id");

    scratch_write(path, (const uint8_t *)uuid, strlen(uuid));
    WANT(mount(path, "/proc/sys/kernel/random/boot_id", NULL, MS_BIND, NULL) ==
         0);
}

void *
scratch_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

uint8_t *
scratch_read(const char *path, size_t *size)
{
    const int fd = open(path, O_RDONLY);
    struct stat status;
    uint8_t *bytes;

    WANT(fd >= 0 && fstat(fd, &status) == 0);
    *size = (size_t)status.st_size;
    bytes = malloc(*size + 1);
    WANT(bytes != NULL && read(fd, bytes, *size) == (ssize_t)*size);
    close(fd);
    return bytes;
}

void
scratch_write(const char *path, const uint8_t *bytes, size_t size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    WANT(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    close(fd);
}
