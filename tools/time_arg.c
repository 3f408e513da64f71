/*
 * Time argument: a time as an administrator types it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/config/value.h"
#include "tools/time_arg.h"

static bool
read_distance(const char *text, sr_time now, sr_time *when)
{
    int64_t seconds;

    if (sr_config_duration(text + 1, &seconds) != 0)
        return false;
    if (text[0] == '-')
        return !__builtin_sub_overflow(now, seconds, when);
    return !__builtin_add_overflow(now, seconds, when);
}

static bool
read_seconds(const char *text, sr_time *when)
{
    char *end;

    if (!isdigit((unsigned char)text[0]) && text[0] != '-')
        return false;
    errno = 0;
    *when = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && SR_TIME_IS_SET(*when);
}

static bool
read_date(const char *text, sr_time *when)
{
    /* Local times, and those that name their zone. */
    static const char *const form[] = {"%Y-%m-%d",
                                       "%Y-%m-%d %H:%M",
                                       "%Y-%m-%d %H:%M:%S",
                                       "%Y-%m-%dT%H:%M",
                                       "%Y-%m-%dT%H:%M:%S",
                                       "%Y-%m-%d %H:%M%z",
                                       "%Y-%m-%d %H:%M:%S%z",
                                       "%Y-%m-%dT%H:%M%z",
                                       "%Y-%m-%dT%H:%M:%S%z"};
    const size_t zoned = 5;

    for (size_t i = 0; i < sizeof(form) / sizeof(form[0]); i++) {
        struct tm parts = {.tm_isdst = -1};
        const char *end = strptime(text, form[i], &parts);
        struct tm same;
        time_t seconds;

        if (end == NULL || *end != '\0')
            continue;
        same = parts;
        same.tm_isdst = -1;
        seconds = i < zoned ? mktime(&same) : timegm(&same) - parts.tm_gmtoff;
        *when = (sr_time)seconds;
        /* mktime(3) turns 30 February into March; that is not what was meant.
         * An hour that summer time skips is moved too, and refused too. */
        return same.tm_mday == parts.tm_mday && same.tm_mon == parts.tm_mon &&
               same.tm_hour == parts.tm_hour && same.tm_min == parts.tm_min;
    }
    return false;
}

bool
attime_read(const char *text, sr_time now, sr_time *when)
{
    if (text[0] == '+' || text[0] == '-')
        return read_distance(text, now, when);
    if (text[0] == '@')
        return read_seconds(text + 1, when);
    return isdigit((unsigned char)text[0]) && read_date(text, when);
}
