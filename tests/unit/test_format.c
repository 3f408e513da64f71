/*
 * The form of the published state: what is written is read back, and what is
 * not of this form is refused without a look beyond its bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/util/bytes.h"
#include "policy/util/siphash.h"
#include "policy/publish/bucket.h"
#include "policy/publish/delta.h"

static uint64_t dice_state = 88172645463325252u;

static uint64_t
dice(void)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return dice_state;
}

/* A copy of exactly that size, so that the sanitizers see a look beyond. */
static void *
copy_of(const void *bytes, size_t size)
{
    void *copy = malloc(size > 0 ? size : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

static struct sr_header
some_header(void)
{
    struct sr_header header = {
        .sequence = UINT64_C(0xf123456789abcdef),
        .created = 1800000000,
        .not_after = 1800003600,
        .buckets = 1000,
        .overflow = 10,
        .count = 7000,
        .is_listed = true,
    };

    for (unsigned i = 0; i < sizeof(header.key); i++)
        header.key[i] = (uint8_t)(17 * i + 1);
    for (unsigned i = 0; i < SR_GROUP_COUNT; i++)
        header.gid[i] = 0xfffffff0u - i;
    return header;
}

/* ---- the header */

static bool
header_is_read(const uint8_t *bytes, size_t size, struct sr_header *header)
{
    uint8_t *copy = copy_of(bytes, size);
    bool is_read = sr_header_decode(copy, size, header);

    free(copy);
    return is_read;
}

static void
test_header(void **state)
{
    const struct sr_header in = some_header();
    uint8_t bytes[SR_SNAPSHOT_HEADER];
    struct sr_header out;

    (void)state;
    sr_header_encode(&in, bytes);
    assert_true(header_is_read(bytes, sizeof(bytes), &out));
    assert_int_equal(in.sequence, out.sequence);
    assert_int_equal(in.created, out.created);
    assert_int_equal(in.not_after, out.not_after);
    assert_int_equal(in.buckets, out.buckets);
    assert_int_equal(in.overflow, out.overflow);
    assert_int_equal(in.count, out.count);
    assert_true(out.is_listed);
    assert_memory_equal(in.key, out.key, sizeof(in.key));
    assert_memory_equal(in.gid, out.gid, sizeof(in.gid));
    /* The order of bytes is the form's, not the machine's. */
    assert_memory_equal("SRLTSNAP", bytes, 8);
    assert_int_equal(SR_SNAPSHOT_VERSION, bytes[8]);
    assert_int_equal(0xef, bytes[16]);
    assert_int_equal(0xf1, bytes[23]);
    /* Cut, it is none; every bit of it counts. */
    for (size_t size = 0; size < sizeof(bytes); size++)
        assert_false(header_is_read(bytes, size, &out));
    for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(header_is_read(bytes, sizeof(bytes), &out));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* Whole headers that say what cannot be. */
static void
test_header_sizes(void **state)
{
    struct sr_header header = some_header(), out;
    uint8_t bytes[SR_SNAPSHOT_HEADER];

    (void)state;
    assert_int_equal(4096 + 1010 * 512, sr_header_file_size(&header));
    header.buckets = UINT32_MAX;
    header.overflow = 0;
    header.is_listed = false;
    assert_int_equal(4096 + UINT64_C(0xffffffff) * 512,
                     sr_header_file_size(&header));
    sr_header_encode(&header, bytes);
    assert_true(header_is_read(bytes, sizeof(bytes), &out));
    assert_false(out.is_listed);
    header.overflow = 1;
    assert_int_equal(0, sr_header_file_size(&header));
    sr_header_encode(&header, bytes);
    assert_false(header_is_read(bytes, sizeof(bytes), &out));
    header.buckets = 0;
    assert_int_equal(0, sr_header_file_size(&header));
    sr_header_encode(&header, bytes);
    assert_false(header_is_read(bytes, sizeof(bytes), &out));
}

/* Whole headers of another version, or with flags that are none of ours. */
static void
test_header_versions(void **state)
{
    const struct sr_header in = some_header();
    static const struct {
        size_t at;
        uint32_t value;
    } odd[] = {{8, 0},  {8, 1},         {8, 3}, {12, 4},
               {12, 5}, {12, 1u << 31}, {52, 1}};
    struct sr_header out;

    (void)state;
    for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        uint8_t bytes[SR_SNAPSHOT_HEADER];

        sr_header_encode(&in, bytes);
        sr_put32(bytes + odd[i].at, odd[i].value);
        sr_put64(bytes + 96, sr_siphash(in.key, bytes, 96));
        assert_false(header_is_read(bytes, sizeof(bytes), &out));
    }
}

static void
test_current(void **state)
{
    struct sr_header header = some_header();
    const sr_time created = header.created;

    (void)state;
    assert_true(sr_header_is_current(&header, created));
    assert_true(sr_header_is_current(&header, created - SR_SNAPSHOT_SKEW));
    assert_false(sr_header_is_current(&header, created - SR_SNAPSHOT_SKEW - 1));
    assert_true(sr_header_is_current(&header, header.not_after - 1));
    assert_false(sr_header_is_current(&header, header.not_after));
    /* Times as foreign bytes may choose them. */
    assert_false(sr_header_is_current(&header, INT64_MAX));
    assert_false(sr_header_is_current(&header, INT64_MIN));
    header.created = INT64_MAX;
    assert_false(sr_header_is_current(&header, created));
    assert_false(sr_header_is_current(&header, INT64_MIN));
    assert_false(sr_header_is_current(&header, -1));
    header.created = INT64_MIN;
    assert_true(sr_header_is_current(&header, created));
    header.not_after = INT64_MIN;
    assert_false(sr_header_is_current(&header, INT64_MIN));
}

/* ---- names */

static void
test_names(void **state)
{
    char name[SR_SNAPSHOT_NAME_MAX + 2];

    (void)state;
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_false(sr_snapshot_name(name));
    name[SR_SNAPSHOT_NAME_MAX] = '\0';
    assert_true(sr_snapshot_name(name));
    assert_false(sr_snapshot_name(""));
    assert_false(sr_snapshot_name("."));
    assert_false(sr_snapshot_name(".."));
    assert_true(sr_snapshot_name("..."));
    assert_true(sr_snapshot_name(".profile"));
    assert_true(sr_snapshot_name("DOMAIN\\jo smith"));
    assert_false(sr_snapshot_name(SR_FALLBACK_NAME));
    for (int byte = 1; byte < 256; byte++) {
        const bool is_bad =
            byte < 32 || byte == 127 || byte == '/' || byte == ':';
        const char odd[] = {'a', (char)byte, 'b', '\0'};

        assert_int_equal(!is_bad, sr_snapshot_name(odd));
        assert_int_equal(!is_bad, sr_snapshot_name(odd + 1));
    }
    assert_string_equal("groups", sr_view_name(SR_VIEW_GROUPS));
    assert_string_equal("shadow", sr_view_name(SR_VIEW_SHADOW));
}

/* ---- payloads */

static void
no_rules(struct sr_rules *rules)
{
    memset(rules, 0, sizeof(*rules));
}

static bool
payload_is_read(const uint8_t *bytes, size_t size, struct sr_facts *facts)
{
    uint8_t *copy = copy_of(bytes, size);
    struct sr_rules rules;
    bool is_exempt, is_read;

    is_read = sr_payload_decode(copy, size, facts, &rules, &is_exempt);
    free(copy);
    return is_read;
}

/* The facts that a payload has, in the order of their bits. */
static void
check_enums(enum sr_tri tri, unsigned which, enum sr_lock lock,
            enum sr_lock_why why, bool is_exempt)
{
    struct sr_facts in, out;
    struct sr_rules rules, kept;
    struct sr_payload payload;
    enum sr_tri *const of_in[] = {
        &in.answered,      &in.disabled,      &in.has_password, &in.must_change,
        &in.cannot_change, &in.never_expires, &in.is_protected};
    enum sr_tri *const of_out[] = {&out.answered,      &out.disabled,
                                   &out.has_password,  &out.must_change,
                                   &out.cannot_change, &out.never_expires,
                                   &out.is_protected};
    bool exempt;

    no_rules(&rules);
    sr_facts_init(&in);
    *of_in[which] = tri;
    in.locked = lock;
    in.locked_why = why;
    sr_payload_encode(SR_VIEW_SHADOW, &in, &rules, is_exempt, &payload);
    assert_true(
        sr_payload_decode(payload.bytes, payload.size, &out, &kept, &exempt));
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(*of_in[i], *of_out[i]);
    assert_int_equal(lock, out.locked);
    assert_int_equal(why, out.locked_why);
    assert_int_equal(is_exempt, exempt);
    assert_int_equal((uid_t)-1, out.uid);
    assert_string_equal("", out.name);
}

static void
test_enums(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * 7 * 4 * 5 * 2; i++)
        check_enums((enum sr_tri)(i % 3), i / 3 % 7, (enum sr_lock)(i / 21 % 4),
                    (enum sr_lock_why)(i / 84 % 5), i / 420 != 0);
}

/* How many times a payload has. */
#define TIMES 10

/* All but the start of warnings, which stays what it is said to be here. */
static void
list_times(struct sr_facts *facts, sr_time *list[TIMES])
{
    sr_time *const all[TIMES] = {
        &facts->account_starts,  &facts->account_ends,
        &facts->locked_until,    &facts->password_expires,
        &facts->warn_from,       &facts->inactive_from,
        &facts->temporary_until, &facts->password_changed,
        &facts->may_change_from, &facts->hours_until};

    memcpy(list, all, sizeof(all));
}

static void
test_times(void **state)
{
    static const sr_time some[] = {
        SR_TIME_UNKNOWN, SR_TIME_NEVER, INT64_MIN + 1, INT64_MAX - 1, -1, 0,
        1800000000};
    struct sr_facts in, out;
    struct sr_rules rules;
    struct sr_payload payload;
    sr_time *of_in[TIMES], *of_out[TIMES];

    (void)state;
    no_rules(&rules);
    list_times(&in, of_in);
    list_times(&out, of_out);
    for (unsigned i = 0; i < 20000; i++) {
        size_t size = 10;

        sr_facts_init(&in);
        for (unsigned j = 0; j < TIMES; j++) {
            *of_in[j] = i < 7 * TIMES ? some[j == i / 7 ? i % 7 : 6]
                                      : some[(dice() >> 20) % 7];
            size += SR_TIME_IS_SET(*of_in[j]) ? 8 : 0;
        }
        if (in.warn_from == SR_TIME_UNKNOWN)
            in.warn_from = SR_TIME_NEVER;
        in.grace_left = (int)((dice() >> 20) % 400) - 1;
        sr_payload_encode(SR_VIEW_SHADOW, &in, &rules, false, &payload);
        assert_int_equal(size, payload.size);
        assert_true(payload_is_read(payload.bytes, payload.size, &out));
        for (unsigned j = 0; j < TIMES; j++)
            assert_true(*of_in[j] == *of_out[j]);
        assert_int_equal(in.grace_left, out.grace_left);
    }
}

/* More grace logins than have room are many, and fewer than none unknown. */
static void
test_grace(void **state)
{
    static const int said[][2] = {
        {-1, -1},       {-2, -1},       {INT32_MIN, -1},   {0, 0},
        {32767, 32767}, {32768, 32767}, {INT32_MAX, 32767}};
    struct sr_facts facts;
    struct sr_rules rules;
    struct sr_payload payload;

    (void)state;
    no_rules(&rules);
    for (unsigned i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        sr_facts_init(&facts);
        facts.grace_left = said[i][0];
        sr_payload_encode(SR_VIEW_GROUPS, &facts, &rules, false, &payload);
        assert_true(payload_is_read(payload.bytes, payload.size, &facts));
        assert_int_equal(said[i][1], facts.grace_left);
    }
}

static void
full_payload(struct sr_payload *payload)
{
    struct sr_facts facts;
    struct sr_rules rules;
    sr_time *times[TIMES];

    no_rules(&rules);
    sr_facts_init(&facts);
    list_times(&facts, times);
    for (unsigned i = 0; i < TIMES; i++)
        *times[i] = 1800000000 + (sr_time)i;
    sr_payload_encode(SR_VIEW_SHADOW, &facts, &rules, false, payload);
}

static void
test_illegal_sizes(void **state)
{
    struct sr_payload full, empty;
    struct sr_facts facts;
    struct sr_rules rules;
    uint8_t longer[2 * SR_PAYLOAD_MAX] = {0};

    (void)state;
    full_payload(&full);
    assert_int_equal(SR_PAYLOAD_MAX, full.size);
    no_rules(&rules);
    sr_facts_init(&facts);
    sr_payload_encode(SR_VIEW_GROUPS, &facts, &rules, false, &empty);
    assert_int_equal(10, empty.size);
    for (size_t size = 0; size < full.size; size++)
        assert_false(payload_is_read(full.bytes, size, &facts));
    memcpy(longer, full.bytes, full.size);
    for (size_t size = full.size + 1; size <= sizeof(longer); size++)
        assert_false(payload_is_read(longer, size, &facts));
    for (size_t size = 0; size < empty.size; size++)
        assert_false(payload_is_read(empty.bytes, size, &facts));
}

/* Bits that are none, kinds that are none, numbers that a writer would have
 * said otherwise. */
static void
test_illegal_values(void **state)
{
    static const unsigned tri_at[] = {0, 2, 4, 8, 10, 12, 14, 22, 24};
    struct sr_payload payload;
    struct sr_facts facts;

    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        full_payload(&payload);
        payload.bytes[4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        /* Unknown becomes "no" or "yes", and a flag is put on. */
        assert_int_equal(bit < 26,
                         payload_is_read(payload.bytes, payload.size, &facts));
    }
    for (unsigned i = 0; i < sizeof(tri_at) / sizeof(tri_at[0]); i++) {
        full_payload(&payload);
        payload.bytes[4 + tri_at[i] / 8] |= (uint8_t)(3 << tri_at[i] % 8);
        assert_false(payload_is_read(payload.bytes, payload.size, &facts));
    }
    for (unsigned why = 0; why < 8; why++) {
        full_payload(&payload);
        payload.bytes[6] = (uint8_t)why;
        assert_int_equal(why <= SR_LOCK_WHY_SOURCE,
                         payload_is_read(payload.bytes, payload.size, &facts));
    }
    for (unsigned bit = 0; bit < 32; bit++) { /* every kind is "set": 2 */
        full_payload(&payload);
        payload.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(payload_is_read(payload.bytes, payload.size, &facts));
    }
    full_payload(&payload);
    payload.bytes[8] = 0xfe; /* grace -2 */
    payload.bytes[9] = 0xff;
    assert_false(payload_is_read(payload.bytes, payload.size, &facts));
    for (unsigned i = 0; i < TIMES; i++) {
        full_payload(&payload);
        memset(payload.bytes + 10 + 8 * i, 0, 8);
        payload.bytes[10 + 8 * i + 7] = 0x80; /* unknown, said as a time */
        assert_false(payload_is_read(payload.bytes, payload.size, &facts));
        memset(payload.bytes + 10 + 8 * i, 0xff, 7);
        payload.bytes[10 + 8 * i + 7] = 0x7f; /* never */
        assert_false(payload_is_read(payload.bytes, payload.size, &facts));
    }
}

/* ---- buckets */

/* Add until it is full; returns how many, and names them "1", "22", ... */
static unsigned
fill(uint8_t *bucket, const struct sr_payload *payload, unsigned length)
{
    char name[SR_SNAPSHOT_NAME_MAX + 1];
    unsigned count = 0;

    sr_bucket_clear(bucket);
    do {
        memset(name, 'a', length);
        name[length] = '\0';
        name[0] = (char)('!' + count % 90);
        name[length - 1] = (char)('!' + count / 90);
    } while (sr_bucket_add(bucket, name, payload) && ++count < 200);
    return count;
}

static void
test_fill(void **state)
{
    const struct sr_header header = some_header();
    uint8_t bucket[SR_SNAPSHOT_BUCKET];
    struct sr_payload payload;

    (void)state;
    full_payload(&payload);
    for (unsigned length = 2; length <= SR_SNAPSHOT_NAME_MAX; length++) {
        for (payload.size = 10; payload.size <= SR_PAYLOAD_MAX;
             payload.size += 8) {
            const size_t room = SR_BUCKET_MARK - 18;
            unsigned count = fill(bucket, &payload, length);

            assert_int_equal(room / (2 + length + payload.size), count);
            assert_int_equal(0, bucket[SR_BUCKET_MARK]);
            sr_bucket_seal(&header, 5, 0, bucket);
            assert_true(sr_bucket_check(&header, 5, bucket));
        }
    }
}

/* Down to the last byte: what fits exactly does, one more does not. */
static void
test_last_byte(void **state)
{
    char name[400];
    struct sr_payload payload;

    (void)state;
    full_payload(&payload);
    for (size_t length = 1; length < sizeof(name) - 1; length++) {
        uint8_t bucket[SR_SNAPSHOT_BUCKET];
        const bool has_room = length <= SR_SNAPSHOT_NAME_MAX;
        size_t left = SR_BUCKET_MARK - 18;

        memset(name, 'x', length);
        name[length] = '\0';
        sr_bucket_clear(bucket);
        payload.size = SR_PAYLOAD_MAX;
        assert_int_equal(has_room, sr_bucket_add(bucket, name, &payload));
        if (!has_room)
            continue;
        left -= 2 + length + SR_PAYLOAD_MAX;
        for (size_t size = 10; size <= SR_PAYLOAD_MAX; size++) {
            uint8_t second[SR_SNAPSHOT_BUCKET];

            memcpy(second, bucket, sizeof(second));
            payload.size = size;
            assert_int_equal(left >= 2 + length + size,
                             sr_bucket_add(second, name, &payload));
            assert_int_equal(0, second[SR_BUCKET_MARK]);
        }
    }
}

static void
test_find(void **state)
{
    const struct sr_header header = some_header();
    uint8_t bucket[SR_SNAPSHOT_BUCKET];
    struct sr_payload payload;
    const char *name;
    size_t length, size, found_size;
    unsigned count, seen = 0;

    (void)state;
    full_payload(&payload);
    payload.size = 18;
    count = fill(bucket, &payload, 4);
    assert_int_equal(20, count);
    sr_bucket_seal(&header, 9, 1003, bucket);
    assert_int_equal(1003, sr_bucket_next(bucket));
    for (const uint8_t *entry;
         (entry = sr_bucket_entry(bucket, seen, &name, &length, &size));
         seen++) {
        char *copy = strndup(name, length);

        assert_int_equal(4, length);
        assert_ptr_equal(entry, sr_bucket_find(bucket, copy, &found_size));
        assert_int_equal(size, found_size);
        assert_memory_equal(payload.bytes, entry, size);
        copy[3] = '\0'; /* what one begins with is another name */
        assert_null(sr_bucket_find(bucket, copy, &found_size));
        free(copy);
    }
    assert_int_equal(count, seen);
    assert_null(sr_bucket_entry(bucket, count, &name, &length, &size));
    assert_null(sr_bucket_entry(bucket, UINT32_MAX, &name, &length, &size));
    assert_null(sr_bucket_find(bucket, "", &size));
    assert_null(sr_bucket_find(bucket, "zzzz", &size));
}

/* Each bit of a bucket counts, but those of the mark. */
static void
test_damage(void **state)
{
    const struct sr_header header = some_header();
    uint8_t bucket[SR_SNAPSHOT_BUCKET];
    struct sr_payload payload;

    (void)state;
    full_payload(&payload);
    fill(bucket, &payload, 9);
    sr_bucket_seal(&header, 9, 0, bucket);
    for (unsigned bit = 0; bit < 8 * sizeof(bucket); bit++) {
        bucket[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(bit / 8 == SR_BUCKET_MARK,
                         sr_bucket_check(&header, 9, bucket));
        bucket[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_false(sr_bucket_check(&header, 8, bucket));
}

/* A link leads into the overflow and nowhere else. */
static void
test_links(void **state)
{
    struct sr_header header = some_header();
    uint8_t bucket[SR_SNAPSHOT_BUCKET];
    static const struct {
        uint32_t next;
        bool is_good;
    } links[] = {{0, true},    {1, false},         {999, false},
                 {1000, true}, {1009, true},       {1010, false},
                 {9, false},   {UINT32_MAX, false}};

    (void)state;
    for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        sr_bucket_clear(bucket);
        sr_bucket_seal(&header, 9, links[i].next, bucket);
        assert_int_equal(links[i].is_good, sr_bucket_check(&header, 9, bucket));
    }
    header.overflow = 0;
    sr_bucket_seal(&header, 9, 1000, bucket);
    assert_false(sr_bucket_check(&header, 9, bucket));
    header.buckets = UINT32_MAX - 5; /* no sum may wrap */
    header.overflow = 5;
    sr_bucket_seal(&header, 9, 3, bucket);
    assert_false(sr_bucket_check(&header, 9, bucket));
}

/* How many bytes of it are used is bounded, also where the seal is right. */
static void
test_used(void **state)
{
    const struct sr_header header = some_header();
    uint8_t bucket[SR_SNAPSHOT_BUCKET];

    (void)state;
    for (unsigned used = 0; used < 65536; used++) {
        sr_bucket_clear(bucket);
        bucket[16] = (uint8_t)used;
        bucket[17] = (uint8_t)(used >> 8);
        sr_bucket_seal(&header, 9, 0, bucket);
        assert_int_equal(used >= 18 && used <= SR_BUCKET_MARK,
                         sr_bucket_check(&header, 9, bucket));
    }
}

/* Foreign bytes under a right seal: nothing is read outside the bucket, what is
 * found lies in it, and find and entry agree. */
static void
test_foreign(void **state)
{
    const struct sr_header header = some_header();

    (void)state;
    for (unsigned long i = 0; i < 200000; i++) {
        uint8_t *bucket = malloc(SR_SNAPSHOT_BUCKET);
        const unsigned used = 18 + (unsigned)((dice() >> 20) % 494);
        const char *name;
        size_t length, size, found_size;

        assert_non_null(bucket);
        for (unsigned j = 0; j < SR_SNAPSHOT_BUCKET; j++)
            bucket[j] = (uint8_t)(dice() >> 30) & (i & 1 ? 0xff : 0x1f);
        bucket[16] = (uint8_t)used;
        bucket[17] = (uint8_t)(used >> 8);
        sr_bucket_seal(&header, 9, 0, bucket);
        assert_true(sr_bucket_check(&header, 9, bucket));
        for (unsigned j = 0; j < 300; j++) {
            const uint8_t *entry =
                sr_bucket_entry(bucket, j, &name, &length, &size);
            char *copy;

            if (entry == NULL)
                break;
            assert_true(entry >= bucket + 18 && entry + size <= bucket + used);
            assert_ptr_equal(name + length, entry);
            copy = strndup(name, length);
            if (strlen(copy) == length)
                assert_non_null(sr_bucket_find(bucket, copy, &found_size));
            free(copy);
        }
        assert_null(sr_bucket_find(bucket, "nobody has this name", &size));
        free(bucket);
    }
}

/* Every bucket gets its share: about 5 sigma of a fair one. */
static void
test_even(void **state)
{
    struct sr_header header = some_header();
    static unsigned got[1000];
    char name[32];

    (void)state;
    for (unsigned i = 0; i < 1000 * 400; i++) {
        uint32_t number;

        snprintf(name, sizeof(name), "user%u", i);
        number = sr_bucket_choose(&header, name);
        assert_true(number < header.buckets);
        got[number]++;
    }
    for (unsigned i = 0; i < 1000; i++)
        assert_in_range(got[i], 300, 500);
    /* The key decides, so nobody can choose names that share a bucket. */
    header.key[0] ^= 1;
    memset(got, 0, sizeof(got));
    for (unsigned i = 0; i < 1000; i++) {
        struct sr_header other = some_header();

        snprintf(name, sizeof(name), "user%u", i);
        got[0] +=
            sr_bucket_choose(&header, name) == sr_bucket_choose(&other, name);
    }
    assert_true(got[0] < 20);
    header.buckets = 1;
    assert_int_equal(0, sr_bucket_choose(&header, "any"));
    header.buckets = UINT32_MAX;
    assert_true(sr_bucket_choose(&header, "any") < UINT32_MAX);
    assert_int_equal(4096 + UINT64_C(0xfffffffe) * 512,
                     sr_bucket_offset(0xfffffffe));
}

/* ---- deltas */

static bool
delta_is_read(const char *name, const char *text, size_t size,
              uint64_t *sequence, struct sr_payload *payload)
{
    char *copy = copy_of(text, size);
    bool is_read = sr_delta_decode(name, copy, size, sequence, payload);

    free(copy);
    return is_read;
}

static void
test_delta(void **state)
{
    char text[SR_DELTA_TEXT];
    struct sr_payload in, out;
    uint64_t sequence;

    (void)state;
    for (unsigned size = 0; size <= SR_PAYLOAD_MAX; size++) {
        full_payload(&in);
        in.size = size;
        sr_delta_encode("ann", UINT64_MAX - size, &in, text);
        assert_int_equal(34 + 2 * size, strlen(text));
        assert_true(delta_is_read("ann", text, strlen(text), &sequence, &out));
        assert_true(sequence == UINT64_MAX - size);
        assert_int_equal(size, out.size);
        assert_memory_equal(in.bytes, out.bytes, size);
        /* Another's, for those who can make links but not checksums. */
        assert_false(delta_is_read("bob", text, strlen(text), &sequence, &out));
        assert_false(
            delta_is_read("anna", text, strlen(text), &sequence, &out));
        for (size_t cut = 0; cut < strlen(text); cut++)
            assert_false(delta_is_read("ann", text, cut, &sequence, &out));
    }
}

/* No digit can be another: the version, sequence, checksum and payload. */
static void
test_delta_damage(void **state)
{
    char text[SR_DELTA_TEXT];
    struct sr_payload in, out;
    uint64_t sequence;

    (void)state;
    full_payload(&in);
    sr_delta_encode("ann", 1800000000000000000u, &in, text);
    for (size_t i = 0; text[i] != '\0'; i++) {
        const char was = text[i];

        for (int byte = 0; byte < 256; byte++) {
            text[i] = (char)byte;
            assert_int_equal(
                text[i] == was,
                delta_is_read("ann", text,
                              strnlen(text, 34 + 2 * SR_PAYLOAD_MAX), &sequence,
                              &out));
        }
        text[i] = was;
    }
    /* Longer than any, as when readlink() had no room for the rest. */
    for (size_t size = 35 + 2 * SR_PAYLOAD_MAX; size <= 400; size++) {
        char longer[400];

        memset(longer, '0', sizeof(longer));
        memcpy(longer, text, 34 + 2 * SR_PAYLOAD_MAX);
        assert_false(delta_is_read("ann", longer, size, &sequence, &out));
    }
}

/* ---- the fallback */

static uint32_t
gid_of(const char *text, const char *name)
{
    char *copy = copy_of(text, strlen(text));
    uint32_t gid = sr_fallback_gid(copy, strlen(text), name);

    free(copy);
    return gid;
}

static void
test_fallback(void **state)
{
    char ann[] = "ann", odd[] = "jo smith", bad[] = "eve:mallory", group[] = "";
    char *item[] = {ann, bad, group, odd};
    const struct sr_string_list names = {item, 4}, none = {NULL, 0};
    char text[SR_FALLBACK_TEXT];

    (void)state;
    assert_true(sr_fallback_encode(999, 998, &names, text));
    assert_string_equal("1:999:998:ann:jo smith:", text);
    assert_int_equal(998, gid_of(text, "root"));
    assert_int_equal(998, gid_of(text, "ann"));
    assert_int_equal(998, gid_of(text, "jo smith"));
    assert_int_equal(999, gid_of(text, "jo"));
    assert_int_equal(999, gid_of(text, "anna"));
    assert_int_equal(999, gid_of(text, "an"));
    assert_int_equal(999, gid_of(text, "eve"));
    assert_int_equal(999, gid_of(text, "mallory"));
    assert_int_equal(999, gid_of(text, "998"));
    assert_true(sr_fallback_encode(0, UINT32_MAX, &none, text));
    assert_string_equal("1:0:4294967295:", text);
    assert_int_equal(UINT32_MAX, gid_of(text, "root"));
    assert_int_equal(0, gid_of(text, "ann"));
}

static void
test_fallback_room(void **state)
{
    char name[SR_SNAPSHOT_NAME_MAX + 1];
    char *item[] = {name, name, name, name};
    char text[SR_FALLBACK_TEXT];

    (void)state;
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    for (size_t count = 0; count <= 4; count++) {
        const struct sr_string_list names = {item, count};

        assert_int_equal(count < 4, sr_fallback_encode(1, 2, &names, text));
        assert_true(strlen(text) < sizeof(text));
    }
    /* To the last byte: "1:1:2:", three long names and one of 225. */
    for (size_t length = 220; length < 230; length++) {
        char last[256];
        char *four[] = {name, name, name, last};
        const struct sr_string_list names = {four, 4};

        memset(last, 'z', sizeof(last));
        last[length] = '\0';
        assert_int_equal(6 + 3 * 256 + length + 1 < SR_FALLBACK_TEXT,
                         sr_fallback_encode(1, 2, &names, text));
    }
}

static void
test_fallback_damage(void **state)
{
    static const char *const bad[] = {
        "",
        ":",
        "1",
        "1:",
        "1:9",
        "1:9:",
        "1:9:8",
        "2:9:8:",
        "1::8:",
        "1:9::",
        "1:-9:8:",
        "1: 9:8:",
        "1:9:8x:ann:",
        "0:9:8:",
        "1:9:4294967296:",
        "1:9:99999999999999999999999999:",
        "x:9:8:",
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(0, gid_of(bad[i], "root"));
        assert_int_equal(0, gid_of(bad[i], "ann"));
    }
    /* A name without its end is none. */
    assert_int_equal(9, gid_of("1:9:8:ann", "ann"));
    assert_int_equal(8, gid_of("1:9:8:ann:", "ann"));
}

/* ---- aliases */

static void
test_aliases(void **state)
{
    static const char *const same[][2] = {
        {"bob", "::bob"},
        {"Bob", "::bob"},
        {"BOB@corp.example", "::bob::corp::example"},
        {"CORP\\bob", "::corp::bob"},
        {"bob#corp", "::bob::corp"},
        {"A\\b\\Bob@x@y", "::a::b::bob::x::y"},
        {"@bob", "::bob"},
        {"bob\\", "::bob"},
        {"bob  smith", "::bob::smith"},
        {"bob_smith", "::bob::smith"},
        {"1.2.3.4.5.6.7.8", "::1::2::3::4::5::6::7::8"},
        {"j\xc3\xb6rg", "::j?rg"},
        {"J\xc3\x96RG", "::j?rg"},
        {"\xc3\x96\xc3\x96", "::?"},
        {"fallback", "::fallback"},
    };
    char alias[SR_SNAPSHOT_NAME_MAX + 1];
    char longest[SR_SNAPSHOT_NAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        assert_true(sr_snapshot_alias(same[i][0], alias));
        assert_string_equal(alias, same[i][1]);
        assert_true(sr_snapshot_is_alias(alias));
        assert_false(sr_snapshot_name(alias));
        assert_false(sr_snapshot_is_alias(same[i][0]));
    }
    assert_false(sr_snapshot_alias("", alias));
    assert_false(sr_snapshot_alias("a:b", alias));
    assert_false(sr_snapshot_alias("-", alias));
    assert_false(sr_snapshot_alias("1.2.3.4.5.6.7.8.9", alias));
    assert_false(sr_snapshot_is_alias(SR_FALLBACK_NAME));
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_false(sr_snapshot_alias(longest, alias));
    longest[SR_SNAPSHOT_NAME_MAX - 2] = '\0';
    assert_true(sr_snapshot_alias(longest, alias));
    assert_int_equal(strlen(alias), SR_SNAPSHOT_NAME_MAX);
}

/* ---- the uptime */

static void
test_uptime(void **state)
{
    const struct sr_header header = {.key = "0123456789abcde"};
    const struct sr_header other = {.key = "another key"};
    const struct sr_uptime uptime = {.boot = 77, .since = 100, .until = 400};
    uint8_t bytes[SR_SNAPSHOT_UPTIME];
    struct sr_uptime read;

    (void)state;
    sr_uptime_encode(&header, &uptime, bytes);
    assert_true(sr_uptime_decode(&header, bytes, &read));
    assert_memory_equal(&read, &uptime, sizeof(read));
    assert_false(sr_uptime_decode(&other, bytes, &read));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] ^= 1;
        assert_false(sr_uptime_decode(&header, bytes, &read));
        bytes[i] ^= 1;
    }
    assert_true(sr_uptime_is_current(&uptime, 77, 100));
    assert_true(sr_uptime_is_current(&uptime, 77, 399));
    assert_false(sr_uptime_is_current(&uptime, 77, 400));
    assert_false(sr_uptime_is_current(&uptime, 77, 99));
    assert_false(sr_uptime_is_current(&uptime, 78, 200));
    read = uptime;
    read.boot = 0;
    assert_false(sr_uptime_is_current(&read, 0, 200));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_uptime),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_header_sizes),
        cmocka_unit_test(test_header_versions),
        cmocka_unit_test(test_current),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_enums),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_grace),
        cmocka_unit_test(test_illegal_sizes),
        cmocka_unit_test(test_illegal_values),
        cmocka_unit_test(test_fill),
        cmocka_unit_test(test_last_byte),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_used),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_even),
        cmocka_unit_test(test_delta),
        cmocka_unit_test(test_delta_damage),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_fallback_room),
        cmocka_unit_test(test_fallback_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
