/*
 * Clock: ledger time out of the kernel's clocks.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/util/clock.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_TEXT 36 /* a UUID: 32 digits and four dashes */

static int
digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Anything but a whole UUID leaves the id zero: unknown. */
static void
parse_boot_id(const char *text, size_t size, uint8_t id[16])
{
    uint8_t parsed[16] = {0};
    size_t digits = 0;

    for (size_t i = 0; i < size && digits < 32; i++) {
        int value = digit_value(text[i]);

        if (value >= 0) {
            parsed[digits / 2] =
                (uint8_t)(parsed[digits / 2] << 4 | (uint8_t)value);
            digits++;
        } else if (text[i] != '-') {
            break;
        }
    }
    if (digits == 32)
        memcpy(id, parsed, sizeof(parsed));
}

static void
read_boot_id(uint8_t id[16])
{
    char text[BOOT_ID_TEXT];
    ssize_t size;
    int fd;

    memset(id, 0, 16);
    /* Without /proc there is no id; that is an answer, not an error. */
    fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return;
    size = read(fd, text, sizeof(text));
    close(fd);
    if (size == (ssize_t)sizeof(text))
        parse_boot_id(text, sizeof(text), id);
}

int
sr_clock_read_again(struct sr_reading *reading)
{
    struct timespec since_boot, wall;

    if (clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0 ||
        clock_gettime(CLOCK_REALTIME, &wall) != 0)
        return -errno;
    reading->boottime = since_boot.tv_sec;
    reading->wall = wall.tv_sec;
    return 0;
}

int
sr_clock_read(struct sr_reading *reading)
{
    read_boot_id(reading->boot_id);
    return sr_clock_read_again(reading);
}

int64_t
sr_clock_milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static sr_time
add_clamped(sr_time a, sr_time b)
{
    sr_time sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? SR_TIME_NEVER - 1 : SR_TIME_UNKNOWN + 1;
    return sum;
}

/* An id that the kernel does not provide is taken for the recorded one: a boot
 * that goes unnoticed makes lockouts longer, never shorter. */
static bool
is_same_boot(const struct sr_clock *clock, const struct sr_reading *reading)
{
    static const uint8_t none[16];

    if (clock->latest == 0 && clock->offset == 0)
        return false; /* never used */
    return memcmp(reading->boot_id, none, sizeof(none)) == 0 ||
           memcmp(reading->boot_id, clock->boot_id, sizeof(none)) == 0;
}

sr_time
sr_clock_now(struct sr_clock *clock, const struct sr_reading *reading,
             bool *changed_boot)
{
    const bool same = is_same_boot(clock, reading);
    sr_time now;

    /* Ledger time is at least 1: 0 means "none" in every record. */
    if (!same) {
        now = reading->wall > clock->latest ? reading->wall : clock->latest;
        if (now < 1)
            now = 1;
        memcpy(clock->boot_id, reading->boot_id, sizeof(clock->boot_id));
        clock->offset = add_clamped(now, -reading->boottime);
    } else {
        now = add_clamped(reading->boottime, clock->offset);
        /* CLOCK_BOOTTIME differs between time namespaces.  Time stops
         * then; to move the offset would let two of them push it forward. */
        if (now < clock->latest)
            now = clock->latest;
    }
    clock->latest = now;
    if (changed_boot != NULL)
        *changed_boot = !same;
    return now;
}

sr_time
sr_clock_to_wall(sr_time when, sr_time ledger_now, sr_time wall_now)
{
    sr_time left;

    if (!SR_TIME_IS_SET(when))
        return when;
    if (!SR_TIME_IS_SET(ledger_now) || !SR_TIME_IS_SET(wall_now))
        return SR_TIME_UNKNOWN;
    if (__builtin_sub_overflow(when, ledger_now, &left))
        left = when > ledger_now ? SR_TIME_NEVER - 1 : SR_TIME_UNKNOWN + 1;
    return add_clamped(wall_now, left);
}
