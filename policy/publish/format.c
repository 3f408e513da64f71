/*
 * Format: names of views and accounts, and the header of a snapshot file.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/publish/format.h"
#include "policy/util/bytes.h"
#include "policy/util/siphash.h"
#include "policy/util/spelling.h"

const char *
sr_view_name(enum sr_view view)
{
    return view == SR_VIEW_SHADOW ? "shadow" : "groups";
}

bool
sr_view_has(enum sr_view view, const struct sr_facts *facts)
{
    return view == SR_VIEW_GROUPS || strcmp(facts->backend, SR_LOCAL) != 0;
}

bool
sr_snapshot_name(const char *name)
{
    size_t length = strnlen(name, SR_SNAPSHOT_NAME_MAX + 1);

    if (length == 0 || length > SR_SNAPSHOT_NAME_MAX ||
        strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)name[i];

        if (byte < 0x20 || byte == 0x7f || byte == '/' || byte == ':')
            return false;
    }
    return true;
}

bool
sr_snapshot_alias(const char *name, char alias[SR_SNAPSHOT_NAME_MAX + 1])
{
    return sr_snapshot_name(name) && sr_spelling_parts(name, alias);
}

_Static_assert(SR_SPELLING_SIZE == SR_SNAPSHOT_NAME_MAX + 1,
               "an alias is published as a name");

char *
sr_snapshot_next_part(char *part)
{
    for (part += 2; *part != '\0' && *part != ':'; part++)
        continue;
    return *part == '\0' ? NULL : part;
}

bool
sr_snapshot_is_alias(const char *name)
{
    return name[0] == ':' && name[1] == ':';
}

/* ---- the header: the offsets of its members */

#define MAGIC UINT64_C(0x50414e53544c5253) /* "SRLTSNAP" */

enum {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_FLAGS = 12,
    AT_SEQUENCE = 16,
    AT_CREATED = 24,
    AT_NOT_AFTER = 32,
    AT_BUCKETS = 40,
    AT_OVERFLOW = 44,
    AT_COUNT = 48,
    AT_RESERVED = 52,
    AT_KEY = 56,
    AT_GID = 72,
    AT_SUM = AT_GID + 4 * SR_GROUP_COUNT,
};

#define FLAG_LISTED  1u
#define FLAG_PARTIAL 2u

_Static_assert(AT_SUM + 8 == SR_SNAPSHOT_HEADER, "the header is full");

void
sr_header_encode(const struct sr_header *header,
                 uint8_t bytes[SR_SNAPSHOT_HEADER])
{
    sr_put64(bytes + AT_MAGIC, MAGIC);
    sr_put32(bytes + AT_VERSION, SR_SNAPSHOT_VERSION);
    sr_put32(bytes + AT_FLAGS, (header->is_listed ? FLAG_LISTED : 0) |
                                   (header->is_partial ? FLAG_PARTIAL : 0));
    sr_put64(bytes + AT_SEQUENCE, header->sequence);
    sr_put64(bytes + AT_CREATED, (uint64_t)header->created);
    sr_put64(bytes + AT_NOT_AFTER, (uint64_t)header->not_after);
    sr_put32(bytes + AT_BUCKETS, header->buckets);
    sr_put32(bytes + AT_OVERFLOW, header->overflow);
    sr_put32(bytes + AT_COUNT, header->count);
    sr_put32(bytes + AT_RESERVED, 0);
    memcpy(bytes + AT_KEY, header->key, sizeof(header->key));
    for (unsigned i = 0; i < SR_GROUP_COUNT; i++)
        sr_put32(bytes + AT_GID + 4 * i, header->gid[i]);
    sr_put64(bytes + AT_SUM, sr_siphash(header->key, bytes, AT_SUM));
}

bool
sr_header_decode(const uint8_t *bytes, size_t size, struct sr_header *header)
{
    uint32_t flags;

    if (size < SR_SNAPSHOT_HEADER || sr_get64(bytes + AT_MAGIC) != MAGIC ||
        sr_get32(bytes + AT_VERSION) != SR_SNAPSHOT_VERSION)
        return false;
    flags = sr_get32(bytes + AT_FLAGS);
    header->is_listed = (flags & FLAG_LISTED) != 0;
    header->is_partial = (flags & FLAG_PARTIAL) != 0;
    header->sequence = sr_get64(bytes + AT_SEQUENCE);
    header->created = (sr_time)sr_get64(bytes + AT_CREATED);
    header->not_after = (sr_time)sr_get64(bytes + AT_NOT_AFTER);
    header->buckets = sr_get32(bytes + AT_BUCKETS);
    header->overflow = sr_get32(bytes + AT_OVERFLOW);
    header->count = sr_get32(bytes + AT_COUNT);
    memcpy(header->key, bytes + AT_KEY, sizeof(header->key));
    for (unsigned i = 0; i < SR_GROUP_COUNT; i++)
        header->gid[i] = sr_get32(bytes + AT_GID + 4 * i);
    return sr_get64(bytes + AT_SUM) == sr_siphash(header->key, bytes, AT_SUM) &&
           (flags & ~(FLAG_LISTED | FLAG_PARTIAL)) == 0 &&
           sr_get32(bytes + AT_RESERVED) == 0 &&
           sr_header_file_size(header) != 0;
}

bool
sr_header_is_current(const struct sr_header *header, sr_time now)
{
    /* Unsigned, since foreign bytes chose the time. */
    return now < header->not_after &&
           (header->created <= now ||
            (uint64_t)header->created - (uint64_t)now <= SR_SNAPSHOT_SKEW);
}

uint64_t
sr_header_file_size(const struct sr_header *header)
{
    if (header->buckets == 0 || header->overflow > UINT32_MAX - header->buckets)
        return 0;
    return SR_SNAPSHOT_PAGE +
           (uint64_t)SR_SNAPSHOT_BUCKET * (header->buckets + header->overflow);
}

/* ---- the uptime: boot, since, until, sum */

static uint64_t
uptime_sum(const struct sr_header *header, const uint8_t *bytes)
{
    return sr_siphash(header->key, bytes, SR_SNAPSHOT_UPTIME - 8);
}

void
sr_uptime_encode(const struct sr_header *header, const struct sr_uptime *uptime,
                 uint8_t bytes[SR_SNAPSHOT_UPTIME])
{
    sr_put64(bytes, uptime->boot);
    sr_put64(bytes + 8, (uint64_t)uptime->since);
    sr_put64(bytes + 16, (uint64_t)uptime->until);
    sr_put64(bytes + 24, uptime_sum(header, bytes));
}

bool
sr_uptime_decode(const struct sr_header *header,
                 const uint8_t bytes[SR_SNAPSHOT_UPTIME],
                 struct sr_uptime *uptime)
{
    uptime->boot = sr_get64(bytes);
    uptime->since = (int64_t)sr_get64(bytes + 8);
    uptime->until = (int64_t)sr_get64(bytes + 16);
    return sr_get64(bytes + 24) == uptime_sum(header, bytes);
}

bool
sr_uptime_is_current(const struct sr_uptime *uptime, uint64_t boot,
                     int64_t seconds)
{
    return uptime->boot != 0 && uptime->boot == boot &&
           uptime->since <= seconds && seconds < uptime->until;
}
