/*
 * Files lock: whether another process writes the files of accounts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/local/files_lock.h"
#include "policy/util/clock.h"
#include "policy/util/file_lock.h"

#define LOCK_FILE "/etc/.pwd.lock"

#define NAP_LEAST 10 /* milliseconds */
#define NAP_MOST  40

/* The name of a program, as the kernel shows it; empty: not known. */
static void
read_name(pid_t pid, char *name, size_t size)
{
    char path[32];
    FILE *stream;

    name[0] = '\0';
    snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
    stream = fopen(path, "re");
    if (stream != NULL && fgets(name, (int)size, stream) == NULL)
        name[0] = '\0';
    if (stream != NULL)
        fclose(stream);
    name[strcspn(name, "\n")] = '\0';
}

static void
set_error(pid_t holder, struct sr_error *error)
{
    char name[32];

    if (holder > 0)
        read_name(holder, name, sizeof(name));
    if (holder > 0 && name[0] != '\0')
        sr_error_set(error, SR_ERROR_BUSY, "%s is held by process %ld (%s)",
                     LOCK_FILE, (long)holder, name);
    else
        sr_error_set(error, SR_ERROR_BUSY, "%s is held by another process",
                     LOCK_FILE);
}

bool
sr_local_wait_for_files(unsigned wait_ms, struct sr_error *error)
{
    const int64_t until = sr_clock_milliseconds() + wait_ms;
    const int fd =
        open(LOCK_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct flock lock = {.l_type = F_UNLCK};

    while (fd >= 0) {
        lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(fd, F_GETLK, &lock) != 0)
            lock.l_type = F_UNLCK;
        if (lock.l_type == F_UNLCK || sr_clock_milliseconds() >= until)
            break;
        sr_nap(NAP_LEAST, NAP_MOST);
    }
    if (fd >= 0)
        close(fd);
    if (lock.l_type != F_UNLCK)
        set_error(lock.l_pid, error);
    return lock.l_type == F_UNLCK;
}
