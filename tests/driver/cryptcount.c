/*
 * Crypt counter: an object to be preloaded, which counts the password hashes
 * that a process computes.
 *
 * The counter is a file that tests read: two numbers of eight bytes, native
 * order, at the path below.  The first counts all hashes, the second those
 * whose setting begins with the text in PATH.match: so the verifications of one
 * account can be told from the work that is done for appearance.  Where the
 * file is not there, or may not be written, nothing is counted.  Set-user-ID
 * programs drop LD_PRELOAD; they do obey /etc/ld.so.preload, which the tests
 * write in the private copy of /etc of their mount namespace.  So sshd, su,
 * sudo, passwd and cron are counted alike.
 *
 * With a file PATH.cheap the hashes are a constant, so that a million attempts
 * take no hour.  No password is right then.
 *
 * With a file PATH.late the process is as one that was stopped for an hour once
 * it had computed a hash: before the Nth look at the monotonic clock from then
 * on, N being the number in the file.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <crypt.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define COUNTER "/run/selfreset-test/crypt"

#define EXPORT __attribute__((visibility("default")))

/* libcrypt must come into every process right behind us, where RTLD_NEXT finds
 * it; a linker drops a library of which no symbol is used. */
__attribute__((used)) static const char *(*const keep_libcrypt)(void) =
    crypt_preferred_method;

/* How often the clock is looked at before it has gone on; -1: it does not. */
static long looks = -1;

static void
read_looks(void)
{
    int fd = open(COUNTER ".late", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char text[16] = "";

    if (fd < 0)
        return;
    if (read(fd, text, sizeof(text) - 1) > 0)
        looks = strtol(text, NULL, 10);
    close(fd);
}

EXPORT int
clock_gettime(clockid_t clock, struct timespec *now)
{
    const long error = syscall(SYS_clock_gettime, clock, now);

    if (clock == CLOCK_MONOTONIC && looks > 0)
        looks--;
    if (looks == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME))
        now->tv_sec += 3600;
    return (int)error;
}

/* Whether the setting begins with the text in PATH.match. */
static bool
is_match(const char *setting)
{
    char text[256];
    int fd = open(COUNTER ".match", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t length;

    if (fd < 0)
        return false;
    length = read(fd, text, sizeof(text));
    close(fd);
    return length > 0 && setting != NULL &&
           strncmp(setting, text, (size_t)length) == 0;
}

/* Opened anew for each hash: it costs nothing beside one, and a process that
 * closes descriptors or forks finds no state of ours. */
static void
count(const char *setting)
{
    int fd = open(COUNTER, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    uint64_t *counter;
    size_t size = 2 * sizeof(*counter);

    if (looks < 0)
        read_looks();
    if (fd < 0)
        return;
    if (fstat(fd, &status) == 0 && status.st_size >= (off_t)size) {
        counter = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (counter != MAP_FAILED) {
            __atomic_add_fetch(&counter[0], 1, __ATOMIC_SEQ_CST);
            if (is_match(setting))
                __atomic_add_fetch(&counter[1], 1, __ATOMIC_SEQ_CST);
            munmap(counter, size);
        }
    }
    close(fd);
}

static bool
is_cheap(void)
{
    return access(COUNTER ".cheap", F_OK) == 0;
}

/* The hash that no password has. */
static char *
cheap(char *out, size_t size)
{
    static const char hash[] = "$6$cheap$none";

    if (size < sizeof(hash))
        return NULL;
    memcpy(out, hash, sizeof(hash));
    return out;
}

EXPORT char *
crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
    char *(*real)(const char *, const char *, struct crypt_data *);

    count(setting);
    if (is_cheap())
        return cheap(data->output, sizeof(data->output));
    *(void **)&real = dlsym(RTLD_NEXT, "crypt_r");
    return real(phrase, setting, data);
}

EXPORT char *
crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
    char *(*real)(const char *, const char *, void *, int);

    count(setting);
    if (is_cheap())
        return cheap(data, (size_t)size);
    *(void **)&real = dlsym(RTLD_NEXT, "crypt_rn");
    return real(phrase, setting, data, size);
}

EXPORT char *
crypt_ra(const char *phrase, const char *setting, void **data, int *size)
{
    char *(*real)(const char *, const char *, void **, int *);

    count(setting);
    *(void **)&real = dlsym(RTLD_NEXT, "crypt_ra");
    return real(phrase, setting, data, size);
}

EXPORT char *
crypt(const char *phrase, const char *setting)
{
    char *(*real)(const char *, const char *);

    count(setting);
    *(void **)&real = dlsym(RTLD_NEXT, "crypt");
    return real(phrase, setting);
}
