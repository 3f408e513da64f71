/*
 * AD values: the attributes of Active Directory whose values are numbers in
 * units of their own, or bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/backend/ldap/ad_values.h"
#include "policy/util/bytes.h"

#define TICKS           ((int64_t)10000000) /* in a second */
#define SECONDS_TO_1970 INT64_C(11644473600)

/* ---- numbers and times */

bool
sr_ad_number(const char *text, int64_t *value)
{
    bool is_negative = text[0] == '-';
    const char *at = is_negative ? text + 1 : text;

    *value = 0;
    if (*at == '\0')
        return false;
    for (; *at != '\0'; at++) {
        int digit = *at - '0';

        if (digit < 0 || digit > 9 ||
            __builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, is_negative ? -digit : digit, value))
            return false;
    }
    return true;
}

bool
sr_ad_bits(const char *text, uint32_t *value)
{
    int64_t number;

    if (!sr_ad_number(text, &number) || number < INT32_MIN ||
        number > (int64_t)UINT32_MAX)
        return false;
    *value = (uint32_t)number;
    return true;
}

bool
sr_ad_time(int64_t filetime, sr_time *when)
{
    *when = filetime == SR_AD_NEVER ? SR_TIME_NEVER
                                    : filetime / TICKS - SECONDS_TO_1970;
    return filetime >= 0;
}

bool
sr_ad_interval(int64_t interval, int64_t *seconds)
{
    *seconds = INT64_MAX;
    if (interval == SR_AD_INFINITE)
        return true;
    *seconds = -(interval / TICKS) + (interval % TICKS != 0 ? 1 : 0);
    return interval <= 0;
}

/* ---- logon hours */

#define HOUR       3600
#define WEEK_HOURS 168
#define HOURS_SIZE (WEEK_HOURS / 8)
#define EPOCH_HOUR (4 * 24) /* 1970 began on a Thursday */

static bool
is_hour(const uint8_t *bytes, int64_t hour)
{
    const size_t at = (size_t)(hour % WEEK_HOURS);

    return (bytes[at / 8] >> at % 8 & 1) != 0;
}

bool
sr_ad_limits_hours(size_t size, bool is_samba)
{
    return size == HOURS_SIZE || (size > 0 && !is_samba);
}

bool
sr_ad_hours(const uint8_t *bytes, size_t size, sr_time now, bool *is_allowed,
            sr_time *until)
{
    const int64_t hour = now / HOUR;

    *until = SR_TIME_NEVER;
    if (size != HOURS_SIZE || now < 0 || now > SR_TIME_MAX)
        return false;
    *is_allowed = is_hour(bytes, hour + EPOCH_HOUR);
    for (int64_t i = 1; i < WEEK_HOURS && *until == SR_TIME_NEVER; i++) {
        if (is_hour(bytes, hour + EPOCH_HOUR + i) != *is_allowed)
            *until = (hour + i) * HOUR;
    }
    return true;
}

/* ---- workstations */

#define NETBIOS_MAX 15 /* longer names are cut, MS-NBTE 1.1 */

static bool
is_name(const char *item, size_t length, const char *host, size_t host_length)
{
    return length == host_length && strncasecmp(item, host, length) == 0;
}

bool
sr_ad_workstations(const char *list, const char *host)
{
    const size_t label = strcspn(host, "."), whole = strlen(host);
    const size_t netbios = label < NETBIOS_MAX ? label : NETBIOS_MAX;

    for (const char *at = list; *at != '\0';) {
        size_t next, length;

        at += strspn(at, ", ");
        next = strcspn(at, ",");
        for (length = next; length > 0 && at[length - 1] == ' ';)
            length--;
        if (length > 0 && (is_name(at, length, host, netbios) ||
                           is_name(at, length, host, label) ||
                           is_name(at, length, host, whole)))
            return true;
        at += next;
    }
    return list[0] == '\0';
}

/* ---- replication metadata */

#define META_HEADER 16
#define META_ENTRY  48

bool
sr_ad_stamp(const uint8_t *bytes, size_t size, uint32_t attribute,
            sr_time *when, uint32_t *version)
{
    size_t count;

    *when = SR_TIME_UNKNOWN;
    *version = 0;
    if (size < META_HEADER || sr_get32(bytes) != 1)
        return false;
    count = sr_get32(bytes + 8);
    if ((size - META_HEADER) / META_ENTRY != count ||
        (size - META_HEADER) % META_ENTRY != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *entry = bytes + META_HEADER + i * META_ENTRY;
        const uint64_t seconds = sr_get64(entry + 8);

        if (sr_get32(entry) != attribute)
            continue;
        if (seconds > (uint64_t)SR_TIME_MAX)
            return false;
        *version = sr_get32(entry + 4);
        *when = (sr_time)seconds - SECONDS_TO_1970;
        return true;
    }
    return true;
}

/* ---- security identifiers */

#define SID_HEAD  8
#define SUB_MAX   15
#define RID_ADMIN 500

/* The length of the identifier at the beginning of bytes; 0: it is none. */
static size_t
sid_length(const uint8_t *bytes, size_t size)
{
    size_t length;

    if (size < SID_HEAD || bytes[0] != 1 || bytes[1] > SUB_MAX)
        return 0;
    length = SID_HEAD + (size_t)bytes[1] * 4;
    return length <= size ? length : 0;
}

bool
sr_ad_is_sid(const uint8_t *bytes, size_t size)
{
    return size != 0 && sid_length(bytes, size) == size;
}

static uint32_t
sub(const uint8_t *sid, size_t at)
{
    return sr_get32(sid + SID_HEAD + at * 4);
}

void
sr_ad_sid_text(const uint8_t *bytes, size_t size, char *out, size_t out_size)
{
    uint64_t authority = 0;
    size_t used;

    out[0] = '\0';
    if (!sr_ad_is_sid(bytes, size))
        return;
    for (size_t i = 2; i < SID_HEAD; i++)
        authority = authority << 8 | bytes[i];
    used = (size_t)snprintf(out, out_size, "S-%u-%llu", (unsigned)bytes[0],
                            (unsigned long long)authority);
    for (size_t i = 0; i < bytes[1] && used < out_size; i++)
        used += (size_t)snprintf(out + used, out_size - used, "-%u",
                                 (unsigned)sub(bytes, i));
    if (used >= out_size)
        out[0] = '\0';
}

bool
sr_ad_is_privileged(const uint8_t *sid, size_t size)
{
    static const uint8_t nt[6] = {0, 0, 0, 0, 0, 5};
    /* Administrators, Account, Server, Print and Backup Operators,
     * Replicator. */
    static const uint32_t alias[] = {544, 548, 549, 550, 551, 552};
    /* Read-only DCs (of the forest), the administrator, krbtgt, Domain Admins,
     * Domain Controllers, Schema and Enterprise Admins, Read-only DCs, Key
     * Admins of domain and forest. */
    static const uint32_t group[] = {498, RID_ADMIN, 502, 512, 516,
                                     518, 519,       521, 526, 527};
    const bool is_nt = sr_ad_is_sid(sid, size) && memcmp(sid + 2, nt, 6) == 0;
    bool is_found = false;

    if (is_nt && sid[1] == 2 && sub(sid, 0) == 32) {
        for (size_t i = 0; i < sizeof(alias) / sizeof(alias[0]); i++)
            is_found = is_found || sub(sid, 1) == alias[i];
    } else if (is_nt && sid[1] == 5 && sub(sid, 0) == 21) {
        for (size_t i = 0; i < sizeof(group) / sizeof(group[0]); i++)
            is_found = is_found || sub(sid, 4) == group[i];
    }
    return is_found;
}

/* ---- the right to change a password */

#define SD_HEAD       20
#define DACL_PRESENT  0x0004u
#define SELF_RELATIVE 0x8000u
#define ACL_HEAD      8
#define ACE_HEAD      8 /* with the mask */
#define INHERIT_ONLY  0x08

#define ALLOWED        0x00
#define DENIED         0x01
#define ALLOWED_OBJECT 0x05
#define DENIED_OBJECT  0x06

#define CONTROL_ACCESS 0x00000100u /* RIGHT_DS_CONTROL_ACCESS */
#define GENERIC_ALL    0x10000000u

#define OBJECT_TYPE    0x1u
#define INHERITED_TYPE 0x2u
#define GUID_SIZE      16

/* The control access right User-Change-Password (MS-ADTS 5.1.3.2.1),
 * ab721a53-1e2f-11d0-9819-00aa0040529b. */
static const uint8_t change_password[GUID_SIZE] = {
    0x53, 0x1a, 0x72, 0xab, 0x2f, 0x1e, 0xd0, 0x11,
    0x98, 0x19, 0x00, 0xaa, 0x00, 0x40, 0x52, 0x9b};

struct ace {
    uint8_t type;
    uint8_t flags;
    uint32_t mask;
    const uint8_t *object; /* the right that it is about; NULL: all */
    const uint8_t *sid;
    size_t sid_size;
};

/* Read an entry of `size` bytes.  False: malformed. */
static bool
read_ace(const uint8_t *bytes, size_t size, struct ace *ace)
{
    size_t at = ACE_HEAD;

    memset(ace, 0, sizeof(*ace));
    ace->type = bytes[0];
    ace->flags = bytes[1];
    if (ace->type != ALLOWED && ace->type != DENIED &&
        ace->type != ALLOWED_OBJECT && ace->type != DENIED_OBJECT)
        return true; /* it neither grants nor denies by itself */
    ace->mask = sr_get32(bytes + 4);
    if (ace->type == ALLOWED_OBJECT || ace->type == DENIED_OBJECT) {
        const uint32_t has = size < at + 4 ? 0 : sr_get32(bytes + at);

        at += 4;
        if ((has & OBJECT_TYPE) != 0) {
            ace->object = bytes + at;
            at += GUID_SIZE;
        }
        if ((has & INHERITED_TYPE) != 0)
            at += GUID_SIZE;
    }
    if (at > size)
        return false;
    ace->sid = bytes + at;
    ace->sid_size = sid_length(bytes + at, size - at);
    return ace->sid_size != 0;
}

/* Whether the entry is about a subject that every owner of an account is. */
static bool
is_about_owner(const struct ace *ace, const uint8_t *sid, size_t size)
{
    static const uint8_t known[][12] = {
        {1, 1, 0, 0, 0, 0, 0, 1, 0},  /* Everyone */
        {1, 1, 0, 0, 0, 0, 0, 5, 10}, /* SELF */
        {1, 1, 0, 0, 0, 0, 0, 5, 11}, /* Authenticated Users */
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (ace->sid_size == sizeof(known[i]) &&
            memcmp(ace->sid, known[i], sizeof(known[i])) == 0)
            return true;
    }
    return sid != NULL && ace->sid_size == size &&
           memcmp(ace->sid, sid, size) == 0;
}

/* Whether the entry is about the right. */
static bool
is_about_change(const struct ace *ace)
{
    return ace->sid_size != 0 && (ace->flags & INHERIT_ONLY) == 0 &&
           (ace->mask & (CONTROL_ACCESS | GENERIC_ALL)) != 0 &&
           (ace->object == NULL ||
            memcmp(ace->object, change_password, GUID_SIZE) == 0);
}

/* The first entry that applies decides. */
static bool
check_list(const uint8_t *list, size_t size, const uint8_t *sid,
           size_t sid_size, enum sr_tri *denies)
{
    size_t count, at = ACL_HEAD, end;

    if (size < ACL_HEAD)
        return false;
    end = sr_get16(list + 2);
    count = sr_get16(list + 4);
    if (end < ACL_HEAD || end > size)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t length = end - at < ACE_HEAD ? 0 : sr_get16(list + at + 2);
        struct ace ace;

        if (length < ACE_HEAD || length > end - at ||
            !read_ace(list + at, length, &ace))
            return false;
        at += length;
        if (*denies == SR_UNKNOWN && is_about_change(&ace) &&
            is_about_owner(&ace, sid, sid_size))
            *denies = ace.type == DENIED || ace.type == DENIED_OBJECT ? SR_YES
                                                                      : SR_NO;
    }
    return true;
}

bool
sr_ad_denies_change(const uint8_t *bytes, size_t size, const uint8_t *sid,
                    size_t sid_size, enum sr_tri *denies)
{
    uint32_t control, at;

    *denies = SR_UNKNOWN;
    if (size < SD_HEAD || bytes[0] != 1)
        return false;
    control = sr_get16(bytes + 2);
    at = sr_get32(bytes + 16);
    if ((control & SELF_RELATIVE) == 0)
        return false;
    /* Without a list everything is allowed. */
    if ((control & DACL_PRESENT) == 0 || at == 0) {
        *denies = SR_NO;
        return true;
    }
    if (at < SD_HEAD || at > size)
        return false;
    return check_list(bytes + at, size - at, sid, sid_size, denies);
}
