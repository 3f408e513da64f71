/*
 * Old state: reads the LMDB database of an older version, from mdb_dump(1).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/util/siphash.h"
#include "tools/old_state.h"

#define FORMAT     1
#define RECORD_MAX 1960
#define SUM_SIZE   8

struct bytes {
    uint8_t byte[RECORD_MAX];
    size_t size;
};

/* ---- records */

struct reader {
    const uint8_t *at;
    size_t left;
    bool is_bad;
};

static void
take_bytes(struct reader *reader, void *bytes, size_t size)
{
    memset(bytes, 0, size);
    if (size > reader->left) {
        reader->is_bad = true;
        return;
    }
    memcpy(bytes, reader->at, size);
    reader->at += size;
    reader->left -= size;
}

/* Little-endian. */
static uint64_t
take_number(struct reader *reader, size_t size)
{
    uint8_t bytes[8];
    uint64_t number = 0;

    take_bytes(reader, bytes, size);
    for (size_t i = size; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return number;
}

static sr_time
take_time(struct reader *reader)
{
    const uint64_t number = take_number(reader, 8);

    if (number > (uint64_t)SR_TIME_MAX)
        reader->is_bad = true;
    return (sr_time)(number & (uint64_t)SR_TIME_MAX);
}

static uint64_t
sum_of(const struct bytes *key, const uint8_t *bytes, size_t size)
{
    uint8_t mixed[16];

    memcpy(mixed, "selfreset record", sizeof(mixed));
    for (size_t i = 0; i < key->size && i < sizeof(mixed); i++)
        mixed[i] ^= key->byte[i];
    mixed[15] ^= (uint8_t)key->size;
    return sr_siphash(mixed, bytes, size);
}

/* Check version and sum; false: damaged. */
static bool
open_record(const struct bytes *key, const struct bytes *value,
            struct reader *payload)
{
    struct reader sum;
    size_t size;

    if (value->size < 1 + SUM_SIZE || value->byte[0] != FORMAT)
        return false;
    size = value->size - SUM_SIZE;
    sum = (struct reader){value->byte + size, SUM_SIZE, false};
    *payload = (struct reader){value->byte + 1, size - 1, false};
    return take_number(&sum, SUM_SIZE) == sum_of(key, value->byte, size);
}

/* Every byte was used, and none was missing. */
static bool
is_complete(const struct reader *reader)
{
    return !reader->is_bad && reader->left == 0;
}

static bool
read_head(struct reader *reader, struct old_state *state)
{
    uint64_t offset;

    take_bytes(reader, state->key, sizeof(state->key));
    take_bytes(reader, state->clock.boot_id, sizeof(state->clock.boot_id));
    offset = take_number(reader, 8); /* signed */
    memcpy(&state->clock.offset, &offset, sizeof(offset));
    state->clock.latest = take_time(reader);
    state->has_head = is_complete(reader) && sr_clock_is_sound(&state->clock);
    return state->has_head;
}

static bool
read_temporary(struct reader *reader, struct sr_temporary *temporary)
{
    temporary->fingerprint = take_number(reader, 8);
    temporary->issued = take_time(reader);
    temporary->until = take_time(reader);
    return is_complete(reader);
}

static bool
read_history(struct reader *reader, struct sr_history *history)
{
    for (size_t g = 0; g < SR_HISTORY_GROUPS; g++) {
        struct sr_history_group *group = &history->group[g];
        const size_t size = (size_t)take_number(reader, 1);

        if (size >= sizeof(group->salt))
            return false;
        take_bytes(reader, group->salt, size);
        group->count = (uint32_t)take_number(reader, 1);
        if (group->count > SR_HISTORY_MAX)
            return false;
        for (uint32_t i = 0; i < group->count; i++) {
            group->tag[i] = (uint32_t)take_number(reader, 4);
            group->set_at[i] = take_time(reader);
        }
    }
    return is_complete(reader);
}

static void
append(struct old_state *state, const struct old_record *record)
{
    struct old_record *copy = malloc(sizeof(*copy));

    if (copy == NULL) {
        state->is_short = true;
        return;
    }
    *copy = *record;
    if (state->last == NULL)
        state->first = copy;
    else
        state->last->next = copy;
    state->last = copy;
}

static void
take_record(struct old_state *state, const struct bytes *key,
            const struct bytes *value)
{
    const uint8_t kind = key->size == 0 ? 0 : key->byte[0];
    struct old_record record = {.is_history = kind == 'h'};
    struct reader reader;
    bool is_good;

    if (!(kind == 'H' && key->size == 1) &&
        !((kind == 'h' || kind == 't') && key->size == 5))
        return; /* attempts and lockouts */
    is_good = open_record(key, value, &reader);
    if (is_good && kind == 'H') {
        is_good = read_head(&reader, state);
    } else if (is_good) {
        for (size_t i = 1; i < key->size; i++)
            record.uid = record.uid << 8 | key->byte[i];
        is_good = kind == 'h' ? read_history(&reader, &record.history)
                              : read_temporary(&reader, &record.temporary);
        if (is_good)
            append(state, &record);
    }
    if (!is_good)
        state->damaged++;
    explicit_bzero(&record, sizeof(record));
}

/* ---- the dump */

static int
digit_of(char character)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = character == '\0' ? NULL : strchr(digits, character);

    return at == NULL ? -1 : (int)(at - digits);
}

/* A line of data: a space and hexadecimal digits.  What is no record of ours,
 * or is longer than any, becomes empty. */
static void
read_line(const char *line, struct bytes *out)
{
    out->size = 0;
    for (line++; digit_of(line[0]) >= 0 && digit_of(line[1]) >= 0; line += 2) {
        if (out->size == sizeof(out->byte)) {
            out->size = 0;
            return;
        }
        out->byte[out->size++] =
            (uint8_t)(digit_of(line[0]) << 4 | digit_of(line[1]));
    }
}

void
old_state_read(FILE *stream, void *context)
{
    struct old_state *state = context;
    struct bytes key = {.size = 0}, value = {.size = 0};
    bool is_value = false;
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stream) > 0) {
        if (strcmp(line, "DATA=END\n") == 0)
            state->is_whole = true;
        if (line[0] != ' ') /* the header */
            continue;
        read_line(line, is_value ? &value : &key);
        if (is_value)
            take_record(state, &key, &value);
        is_value = !is_value;
    }
    state->is_whole = state->is_whole && !is_value && !state->is_short;
    explicit_bzero(&value, sizeof(value));
    if (line != NULL)
        explicit_bzero(line, size);
    free(line);
}

void
old_state_free(struct old_state *state)
{
    while (state->first != NULL) {
        struct old_record *record = state->first;

        state->first = record->next;
        explicit_bzero(record, sizeof(*record));
        free(record);
    }
    explicit_bzero(state, sizeof(*state));
}

/* ---- taking over */

bool
old_state_add_history(struct sr_history *history, const struct sr_history *old)
{
    bool is_changed = false;

    for (size_t i = 0; i < SR_HISTORY_GROUPS; i++) {
        const struct sr_history_group *group = &old->group[i];
        size_t at = 0;

        while (at < SR_HISTORY_GROUPS && history->group[at].count > 0 &&
               strcmp(history->group[at].salt, group->salt) != 0)
            at++;
        if (group->count > 0 && at < SR_HISTORY_GROUPS &&
            history->group[at].count == 0) {
            history->group[at] = *group;
            is_changed = true;
        }
    }
    return is_changed;
}

/* A time by another clock, within what a file of state can have. */
static sr_time
shifted(sr_time when, sr_time shift)
{
    const sr_time moved = when + shift;

    if (moved < 1)
        return 1;
    return moved < SR_TIME_MAX ? moved : SR_TIME_MAX;
}

bool
old_state_add_temporary(struct sr_memory *memory, const struct old_state *state,
                        const struct sr_temporary *old, const char *secret,
                        const struct sr_reading *reading)
{
    const char *hash = secret == NULL ? "" : secret;
    struct sr_clock clock = state->clock;
    sr_time shift;

    if (!state->has_head || old->until == 0 ||
        old->fingerprint != sr_siphash(state->key, hash, strlen(hash)) ||
        sr_memory_temporary(memory, secret) != SR_TIME_UNKNOWN)
        return false;
    shift = memory->now - sr_clock_now(&clock, reading, NULL);
    memory->temporary = (struct sr_temporary){
        .fingerprint = sr_memory_fingerprint(memory, hash),
        .issued = shifted(old->issued, shift),
        .until = shifted(old->until, shift),
    };
    return true;
}
