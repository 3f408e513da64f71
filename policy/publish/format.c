/*
 * Snapshot: the form of the published state.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/util/bytes.h"
#include "policy/decide/change.h"
#include "policy/util/siphash.h"
#include "policy/publish/format.h"

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

/* ---- the header: the offsets of its members, each behind the one before */

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

#define FLAG_LISTED 1u

_Static_assert(AT_SUM + 8 == SR_SNAPSHOT_HEADER, "the header is full");

void
sr_header_encode(const struct sr_header *header,
                 uint8_t bytes[SR_SNAPSHOT_HEADER])
{
    sr_put64(bytes + AT_MAGIC, MAGIC);
    sr_put32(bytes + AT_VERSION, SR_SNAPSHOT_VERSION);
    sr_put32(bytes + AT_FLAGS, header->is_listed ? FLAG_LISTED : 0);
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
           (flags & ~FLAG_LISTED) == 0 && sr_get32(bytes + AT_RESERVED) == 0 &&
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
    return sr_bucket_offset(header->buckets + header->overflow);
}

/* ---- payloads: kinds of times, enumerations, grace, then the times set */

enum { AT_KINDS = 0, AT_BITS = 4, AT_GRACE = 8, AT_TIMES = 10 };

/* How a time is said: two bits. */
enum { KIND_UNKNOWN, KIND_NEVER, KIND_SET, KIND_BITS };

#define TIMES 9

_Static_assert(AT_TIMES + 8 * TIMES == SR_PAYLOAD_MAX, "all times have room");

/* The times in their order. */
static void
list_times(struct sr_facts *facts, sr_time *list[TIMES])
{
    list[0] = &facts->account_starts;
    list[1] = &facts->account_ends;
    list[2] = &facts->locked_until;
    list[3] = &facts->password_expires;
    list[4] = &facts->warn_from;
    list[5] = &facts->inactive_from;
    list[6] = &facts->temporary_until;
    list[7] = &facts->password_changed;
    list[8] = &facts->may_change_from;
}

/* The enumerations in the order of their bits. */
enum {
    BITS_ANSWERED = 0,
    BITS_DISABLED = 2,
    BITS_HAS_PASSWORD = 4,
    BITS_LOCKED = 6,
    BITS_MUST_CHANGE = 8,
    BITS_CANNOT_CHANGE = 10,
    BITS_NEVER_EXPIRES = 12,
    BITS_PROTECTED = 14,
    BITS_LOCKED_WHY = 16, /* three */
    BIT_NEEDS_LOGON = 19,
    BIT_GRACE_CHANGE = 20,
    BIT_EXEMPT = 21,
    BITS_END = 22
};

static uint32_t
pack_bits(const struct sr_facts *facts, const struct sr_rules *rules,
          bool is_exempt)
{
    return (uint32_t)facts->answered << BITS_ANSWERED |
           (uint32_t)facts->disabled << BITS_DISABLED |
           (uint32_t)facts->has_password << BITS_HAS_PASSWORD |
           (uint32_t)facts->locked << BITS_LOCKED |
           (uint32_t)facts->must_change << BITS_MUST_CHANGE |
           (uint32_t)facts->cannot_change << BITS_CANNOT_CHANGE |
           (uint32_t)facts->never_expires << BITS_NEVER_EXPIRES |
           (uint32_t)facts->is_protected << BITS_PROTECTED |
           (uint32_t)facts->locked_why << BITS_LOCKED_WHY |
           (uint32_t)rules->require_logon << BIT_NEEDS_LOGON |
           (uint32_t)(rules->grace == SR_GRACE_CHANGE) << BIT_GRACE_CHANGE |
           (uint32_t)is_exempt << BIT_EXEMPT;
}

/* Two bits that are an enum sr_tri: 3 is none. */
static bool
take_tri(uint32_t bits, unsigned at, enum sr_tri *tri)
{
    *tri = (enum sr_tri)(bits >> at & 3);
    return *tri <= SR_YES;
}

static bool
unpack_bits(uint32_t bits, struct sr_facts *facts, struct sr_rules *rules,
            bool *is_exempt)
{
    facts->locked = (enum sr_lock)(bits >> BITS_LOCKED & 3);
    facts->locked_why = (enum sr_lock_why)(bits >> BITS_LOCKED_WHY & 7);
    rules->require_logon = (bits >> BIT_NEEDS_LOGON & 1) != 0;
    rules->grace =
        (bits >> BIT_GRACE_CHANGE & 1) != 0 ? SR_GRACE_CHANGE : SR_GRACE_TEXT;
    *is_exempt = (bits >> BIT_EXEMPT & 1) != 0;
    return bits >> BITS_END == 0 && facts->locked_why <= SR_LOCK_WHY_SOURCE &&
           take_tri(bits, BITS_ANSWERED, &facts->answered) &&
           take_tri(bits, BITS_DISABLED, &facts->disabled) &&
           take_tri(bits, BITS_HAS_PASSWORD, &facts->has_password) &&
           take_tri(bits, BITS_MUST_CHANGE, &facts->must_change) &&
           take_tri(bits, BITS_CANNOT_CHANGE, &facts->cannot_change) &&
           take_tri(bits, BITS_NEVER_EXPIRES, &facts->never_expires) &&
           take_tri(bits, BITS_PROTECTED, &facts->is_protected);
}

/* The start of warnings, which verdict.c computes from the warning period where
 * the backend says nothing. */
static sr_time
warn_from(const struct sr_facts *facts, const struct sr_rules *rules)
{
    sr_time from;

    if (facts->warn_from != SR_TIME_UNKNOWN ||
        !SR_TIME_IS_SET(facts->password_expires))
        return facts->warn_from;
    if (rules->warn <= 0)
        return SR_TIME_NEVER;
    if (__builtin_sub_overflow(facts->password_expires, rules->warn, &from) ||
        from == SR_TIME_UNKNOWN)
        from = INT64_MIN + 1;
    return from;
}

/* What the rules say of this account, said as facts. */
static void
settle(enum sr_view view, const struct sr_rules *rules, struct sr_facts *facts)
{
    facts->warn_from = warn_from(facts, rules);
    facts->may_change_from = sr_change_from(facts, rules);
    if (rules->is_protected)
        facts->is_protected = SR_YES;
    if (rules->is_cannot_change)
        facts->cannot_change = SR_YES;
    if (view == SR_VIEW_GROUPS) {
        facts->password_changed = SR_TIME_UNKNOWN;
        facts->may_change_from = SR_TIME_UNKNOWN;
        facts->locked_why = SR_LOCK_WHY_NONE;
    }
}

void
sr_payload_encode(enum sr_view view, const struct sr_facts *facts,
                  const struct sr_rules *rules, bool is_exempt,
                  struct sr_payload *payload)
{
    struct sr_facts told = *facts;
    struct sr_rules kept = *rules;
    sr_time *times[TIMES];
    uint32_t kinds = 0;
    int grace = facts->grace_left;

    settle(view, rules, &told);
    kept.require_logon = rules->require_logon && !rules->is_logon_exempt;
    list_times(&told, times);
    payload->size = AT_TIMES;
    for (unsigned i = 0; i < TIMES; i++) {
        uint32_t kind = KIND_SET;

        if (!SR_TIME_IS_SET(*times[i]))
            kind = *times[i] == SR_TIME_NEVER ? KIND_NEVER : KIND_UNKNOWN;
        kinds |= kind << (2 * i);
        if (kind != KIND_SET)
            continue;
        sr_put64(payload->bytes + payload->size, (uint64_t)*times[i]);
        payload->size += 8;
    }
    grace = grace < -1 ? -1 : grace > INT16_MAX ? INT16_MAX : grace;
    sr_put32(payload->bytes + AT_KINDS, kinds);
    sr_put32(payload->bytes + AT_BITS, pack_bits(&told, &kept, is_exempt));
    sr_put16(payload->bytes + AT_GRACE, (uint16_t)grace);
}

bool
sr_payload_decode(const uint8_t *bytes, size_t size, struct sr_facts *facts,
                  struct sr_rules *rules, bool *is_exempt)
{
    sr_time *times[TIMES];
    size_t at = AT_TIMES;
    uint32_t kinds;

    sr_facts_init(facts);
    memset(rules, 0, sizeof(*rules));
    if (size < AT_TIMES ||
        !unpack_bits(sr_get32(bytes + AT_BITS), facts, rules, is_exempt))
        return false;
    facts->grace_left = (int16_t)sr_get16(bytes + AT_GRACE);
    kinds = sr_get32(bytes + AT_KINDS);
    list_times(facts, times);
    for (unsigned i = 0; i < TIMES; i++, kinds >>= 2) {
        switch (kinds & 3) {
        case KIND_UNKNOWN:
            break;
        case KIND_NEVER:
            *times[i] = SR_TIME_NEVER;
            break;
        case KIND_SET:
            if (size - at < 8)
                return false;
            *times[i] = (sr_time)sr_get64(bytes + at);
            if (!SR_TIME_IS_SET(*times[i]))
                return false;
            at += 8;
            break;
        default:
            return false;
        }
    }
    return kinds == 0 && at == size && facts->grace_left >= -1;
}

/* ---- buckets: sum, number, next, bytes used; then entries; then the mark.  An
 * entry: length of the name, size of the payload, name, payload. */

enum {
    BUCKET_SUM = 0,
    BUCKET_NUMBER = 8,
    BUCKET_NEXT = 12,
    BUCKET_USED = 16,
    BUCKET_ENTRIES = 18
};

#define ENTRY_HEAD 2

_Static_assert(BUCKET_ENTRIES + ENTRY_HEAD + SR_SNAPSHOT_NAME_MAX +
                       SR_PAYLOAD_MAX <=
                   SR_BUCKET_MARK,
               "the longest entry has room in an empty bucket");

uint32_t
sr_bucket_choose(const struct sr_header *header, const char *name)
{
    uint64_t hash = sr_siphash(header->key, name, strlen(name));

    /* The upper half, scaled: as even as the remainder, without a division. */
    return (uint32_t)((hash >> 32) * header->buckets >> 32);
}

uint64_t
sr_bucket_offset(uint32_t number)
{
    return SR_SNAPSHOT_PAGE + (uint64_t)number * SR_SNAPSHOT_BUCKET;
}

void
sr_bucket_clear(uint8_t bucket[SR_SNAPSHOT_BUCKET])
{
    memset(bucket, 0, SR_SNAPSHOT_BUCKET);
    sr_put16(bucket + BUCKET_USED, BUCKET_ENTRIES);
}

bool
sr_bucket_add(uint8_t bucket[SR_SNAPSHOT_BUCKET], const char *name,
              const struct sr_payload *payload)
{
    const size_t length = strlen(name);
    const size_t used = sr_get16(bucket + BUCKET_USED);
    const size_t end = used + ENTRY_HEAD + length + payload->size;
    uint8_t *at = bucket + used;

    /* A longer name's length has no room in its byte. */
    if (length > SR_SNAPSHOT_NAME_MAX || end > SR_BUCKET_MARK)
        return false;
    at[0] = (uint8_t)length;
    at[1] = (uint8_t)payload->size;
    memcpy(at + ENTRY_HEAD, name, length);
    memcpy(at + ENTRY_HEAD + length, payload->bytes, payload->size);
    sr_put16(bucket + BUCKET_USED, (uint16_t)end);
    return true;
}

static uint64_t
bucket_sum(const struct sr_header *header, const uint8_t *bucket)
{
    return sr_siphash(header->key, bucket + BUCKET_NUMBER,
                      SR_BUCKET_MARK - BUCKET_NUMBER);
}

void
sr_bucket_seal(const struct sr_header *header, uint32_t number, uint32_t next,
               uint8_t bucket[SR_SNAPSHOT_BUCKET])
{
    sr_put32(bucket + BUCKET_NUMBER, number);
    sr_put32(bucket + BUCKET_NEXT, next);
    sr_put64(bucket + BUCKET_SUM, bucket_sum(header, bucket));
}

bool
sr_bucket_check(const struct sr_header *header, uint32_t number,
                const uint8_t bucket[SR_SNAPSHOT_BUCKET])
{
    const size_t used = sr_get16(bucket + BUCKET_USED);
    const uint32_t next = sr_bucket_next(bucket);

    return sr_get64(bucket + BUCKET_SUM) == bucket_sum(header, bucket) &&
           sr_get32(bucket + BUCKET_NUMBER) == number &&
           used >= BUCKET_ENTRIES && used <= SR_BUCKET_MARK &&
           (next == 0 || (next >= header->buckets &&
                          next - header->buckets < header->overflow));
}

uint32_t
sr_bucket_next(const uint8_t bucket[SR_SNAPSHOT_BUCKET])
{
    return sr_get32(bucket + BUCKET_NEXT);
}

/* The entry at `at` ends at or before the bytes used; else there is none. */
static bool
has_entry(const uint8_t *bucket, size_t at)
{
    const size_t used = sr_get16(bucket + BUCKET_USED);

    return used - at >= ENTRY_HEAD &&
           used - at - ENTRY_HEAD >= (size_t)bucket[at] + bucket[at + 1];
}

static size_t
entry_size(const uint8_t *entry)
{
    return ENTRY_HEAD + (size_t)entry[0] + entry[1];
}

const uint8_t *
sr_bucket_find(const uint8_t bucket[SR_SNAPSHOT_BUCKET], const char *name,
               size_t *size)
{
    const size_t length = strlen(name);

    for (size_t at = BUCKET_ENTRIES; has_entry(bucket, at);
         at += entry_size(bucket + at)) {
        const uint8_t *entry = bucket + at;

        if (entry[0] == length &&
            memcmp(entry + ENTRY_HEAD, name, length) == 0) {
            *size = entry[1];
            return entry + ENTRY_HEAD + length;
        }
    }
    return NULL;
}

const uint8_t *
sr_bucket_entry(const uint8_t bucket[SR_SNAPSHOT_BUCKET], unsigned index,
                const char **name, size_t *name_length, size_t *size)
{
    size_t at = BUCKET_ENTRIES;

    for (; has_entry(bucket, at); at += entry_size(bucket + at)) {
        const uint8_t *entry = bucket + at;

        if (index-- > 0)
            continue;
        *name = (const char *)entry + ENTRY_HEAD;
        *name_length = entry[0];
        *size = entry[1];
        return entry + ENTRY_HEAD + entry[0];
    }
    return NULL;
}

/* ---- deltas and the fallback: texts */

/* A writer that never runs over its room. */
struct text {
    char *at;
    size_t left; /* with room for the end kept back */
    bool is_full;
};

static void
put_char(struct text *text, char c)
{
    if (text->left == 0) {
        text->is_full = true;
        return;
    }
    *text->at++ = c;
    text->left--;
}

static void
put_text(struct text *text, const char *from)
{
    for (; *from != '\0'; from++)
        put_char(text, *from);
}

static void
put_hex(struct text *text, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        put_char(text, digits[bytes[i] >> 4]);
        put_char(text, digits[bytes[i] & 15]);
    }
}

static void
put_decimal(struct text *text, uint32_t number)
{
    if (number >= 10)
        put_decimal(text, number / 10);
    put_char(text, (char)('0' + number % 10));
}

static int
digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
take_hex(const char *text, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* A delta: "1.", and then in hexadecimal the sequence, the checksum and the
 * payload. */
#define DELTA_START "1."
#define DELTA_HEAD  16

_Static_assert(sizeof(DELTA_START) + 2 * (DELTA_HEAD + SR_PAYLOAD_MAX) <=
                   SR_DELTA_TEXT,
               "the longest delta has room");

static uint64_t
delta_sum(const char *name, uint64_t sequence, const struct sr_payload *payload)
{
    static const uint8_t ours[16] = "selfreset delta";
    uint8_t key[16];

    memcpy(key, ours, sizeof(key));
    sr_put64(key, sr_get64(key) ^ sequence);
    sr_put64(key + 8, sr_get64(key + 8) ^ sr_siphash(ours, name, strlen(name)));
    return sr_siphash(key, payload->bytes, payload->size);
}

void
sr_delta_encode(const char *name, uint64_t sequence,
                const struct sr_payload *payload, char out[SR_DELTA_TEXT])
{
    struct text text = {out, SR_DELTA_TEXT - 1, false};
    uint8_t head[DELTA_HEAD];

    sr_put64(head, sequence);
    sr_put64(head + 8, delta_sum(name, sequence, payload));
    put_text(&text, DELTA_START);
    put_hex(&text, head, sizeof(head));
    put_hex(&text, payload->bytes, payload->size);
    *text.at = '\0';
}

bool
sr_delta_decode(const char *name, const char *text, size_t size,
                uint64_t *sequence, struct sr_payload *payload)
{
    const size_t start = sizeof(DELTA_START) - 1;
    uint8_t head[DELTA_HEAD];

    if (size < start + 2 * DELTA_HEAD || size >= SR_DELTA_TEXT ||
        (size - start) % 2 != 0 || memcmp(text, DELTA_START, start) != 0 ||
        !take_hex(text + start, head, sizeof(head)))
        return false;
    payload->size = (size - start) / 2 - DELTA_HEAD;
    if (payload->size > sizeof(payload->bytes) ||
        !take_hex(text + start + 2 * DELTA_HEAD, payload->bytes, payload->size))
        return false;
    *sequence = sr_get64(head);
    return sr_get64(head + 8) == delta_sum(name, *sequence, payload);
}

bool
sr_fallback_encode(uint32_t unknown, uint32_t ok,
                   const struct sr_string_list *exempt,
                   char out[SR_FALLBACK_TEXT])
{
    struct text text = {out, SR_FALLBACK_TEXT - 1, false};

    put_text(&text, "1:");
    put_decimal(&text, unknown);
    put_char(&text, ':');
    put_decimal(&text, ok);
    put_char(&text, ':');
    for (size_t i = 0; i < exempt->count; i++) {
        if (!sr_snapshot_name(exempt->item[i]))
            continue; /* no account, and a colon in it would make two names */
        put_text(&text, exempt->item[i]);
        put_char(&text, ':');
    }
    *text.at = '\0';
    return !text.is_full;
}

/* The number before the next colon; false when there is none. */
static bool
take_decimal(const char **at, const char *end, uint32_t *number)
{
    uint64_t value = 0;
    const char *from = *at;

    while (*at < end && **at >= '0' && **at <= '9' && value <= UINT32_MAX)
        value = value * 10 + (uint64_t)(*(*at)++ - '0');
    if (*at == from || *at == end || **at != ':' || value > UINT32_MAX)
        return false;
    (*at)++;
    *number = (uint32_t)value;
    return true;
}

uint32_t
sr_fallback_gid(const char *text, size_t size, const char *name)
{
    const char *at = text, *const end = text + size;
    const size_t length = strlen(name);
    uint32_t version, unknown, ok;

    if (!take_decimal(&at, end, &version) || version != 1 ||
        !take_decimal(&at, end, &unknown) || !take_decimal(&at, end, &ok))
        return 0;
    if (strcmp(name, "root") == 0)
        return ok;
    while (at < end) {
        const char *colon = memchr(at, ':', (size_t)(end - at));

        if (colon == NULL)
            break;
        if ((size_t)(colon - at) == length && memcmp(at, name, length) == 0)
            return ok;
        at = colon + 1;
    }
    return unknown;
}
