/*
 * LDAP syntax: attribute values as numbers, times and switches.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>
#include <strings.h>
#include <time.h>

#include "policy/backend/ldap/syntax.h"

/* Above it a number of days is a mistake; sums with it must not overflow. */
#define DAYS_MAX 36500

/* So many digits as a number; -1 when one is none. */
static int
digits(const char **at, int length)
{
    int value = 0;

    for (int i = 0; i < length; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

/* The offset from UTC that ends a time, in seconds.  Returns 0 or -1. */
static int
parse_zone(const char *at, sr_time *offset)
{
    int sign = *at == '-' ? -1 : 1;
    int hours, minutes = 0;

    *offset = 0;
    if (strcmp(at, "Z") == 0)
        return 0;
    if (*at != '+' && *at != '-')
        return -1;
    at++;
    hours = digits(&at, 2);
    if (*at != '\0')
        minutes = digits(&at, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || *at != '\0')
        return -1;
    *offset = sign * (hours * 3600 + minutes * 60);
    return 0;
}

/* The six parts of a generalized time and its offset.  Returns 0 or -1. */
static int
parse_time(const char *text, int part[6], sr_time *offset)
{
    static const int least[6] = {0, 1, 1, 0, 0, 0};
    static const int most[6] = {9999, 12, 31, 23, 59, 60};
    const char *at = text;

    memset(part, 0, 6 * sizeof(part[0]));
    for (int i = 0; i < 6; i++) {
        if (i > 3 && (*at < '0' || *at > '9'))
            break; /* minutes and seconds may be left out */
        part[i] = digits(&at, i == 0 ? 4 : 2);
        if (part[i] < least[i] || part[i] > most[i])
            return -1;
    }
    if (*at == '.' || *at == ',')
        at += 1 + strspn(at + 1, "0123456789");
    return parse_zone(at, offset);
}

int
sr_ldap_time(const char *text, sr_time *when)
{
    struct tm tm = {0};
    sr_time offset;
    int part[6];

    if (parse_time(text, part, &offset) != 0)
        return -1;
    tm.tm_year = part[0] - 1900;
    tm.tm_mon = part[1] - 1;
    tm.tm_mday = part[2];
    tm.tm_hour = part[3];
    tm.tm_min = part[4];
    tm.tm_sec = part[5];
    *when = timegm(&tm) - offset;
    if (*when < 0)
        *when = 0;
    return 0;
}

int
sr_ldap_slapd_time(const char *text, sr_time *when)
{
    static const int before[12] = {0,   31,  59,  90,  120, 151,
                                   181, 212, 243, 273, 304, 334};
    static const int first[6] = {0, 1, 1, 0, 0, 0};
    sr_time offset, days;
    int part[6];

    if (parse_time(text, part, &offset) != 0)
        return -1;
    days = (part[0] - 1970) * 365 + ((part[0] - 1969) >> 2) +
           before[part[1] - 1] + part[2] - 1;
    if (part[0] % 4 == 0 && part[1] > 2)
        days++;
    *when = days * 86400 + part[3] * 3600 + part[4] * 60 + part[5] - offset;
    if (offset == 0 && memcmp(part, first, sizeof(part)) == 0)
        *when = 0;
    *when &= UINT32_MAX;
    return 0;
}

/* The digits at the beginning, at most INT64_MAX; *end is behind them. */
static int64_t
leading_number(const char *text, const char **end)
{
    int64_t sum = 0;

    for (; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, *text - '0', &sum))
            sum = INT64_MAX;
    }
    *end = text;
    return sum;
}

bool
sr_ldap_number(const char *text, int64_t most, int64_t *value)
{
    const char *end;
    const int64_t sum = leading_number(text, &end);

    if (end == text || *end != '\0')
        return false;
    *value = sum <= most ? sum : most;
    return true;
}

bool
sr_ldap_duration(const char *text, int64_t most, int64_t *value)
{
    static const struct {
        const char *unit;
        int seconds;
    } units[] = {{"", 1},     {"s", 1},     {"m", 60},
                 {"h", 3600}, {"d", 86400}, {"w", 604800}};
    const char *end;
    const int64_t sum = leading_number(text, &end);

    for (size_t i = 0; end != text && i < sizeof(units) / sizeof(units[0]);
         i++) {
        if (strcasecmp(end, units[i].unit) != 0)
            continue;
        *value = sum <= most / units[i].seconds ? sum * units[i].seconds : most;
        return true;
    }
    return false;
}

bool
sr_ldap_switch(const char *text, bool *value)
{
    static const char *const spelling[][2] = {
        {"false", "true"}, {"off", "on"}, {"0", "1"}};

    for (size_t i = 0; i < sizeof(spelling) / sizeof(spelling[0]); i++) {
        *value = strcasecmp(text, spelling[i][1]) == 0;
        if (*value || strcasecmp(text, spelling[i][0]) == 0)
            return true;
    }
    return false;
}

bool
sr_ldap_days(const char *text, int64_t *value)
{
    *value = -1;
    return text[0] == '\0' || strcmp(text, "-1") == 0 ||
           sr_ldap_number(text, DAYS_MAX, value);
}
