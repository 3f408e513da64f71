/*
 * Uptime: which boot of the kernel this is, and how long the host was running
 * since.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "policy/publish/uptime.h"
#include "policy/util/siphash.h"

#define BOOT_ID      "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE 36

static bool
read_boot_id(char text[BOOT_ID_SIZE])
{
    ssize_t got;
    int fd;

    do
        fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return false;
    do
        got = pread(fd, text, BOOT_ID_SIZE, 0);
    while (got < 0 && errno == EINTR);
    close(fd);
    return got == BOOT_ID_SIZE;
}

bool
sr_uptime_read(uint64_t *boot, int64_t *seconds)
{
    static const uint8_t key[16] = "selfreset uptime";
    char text[BOOT_ID_SIZE];
    struct timespec now;

    *boot = 0;
    *seconds = 0;
    if (!read_boot_id(text) || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return false;
    *boot = sr_siphash(key, text, sizeof(text)) | 1; /* never 0 */
    *seconds = now.tv_sec;
    return true;
}
