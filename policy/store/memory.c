/*
 * Memory: what this host remembers of one account besides its ledgers.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>

#include "policy/store/account_file.h"
#include "policy/store/memory.h"
#include "policy/util/siphash.h"

#define BODY_SIZE offsetof(struct sr_memory, now)

_Static_assert(BODY_SIZE % 8 == 0 && BODY_SIZE <= SR_ACCOUNT_FILE_MAX,
               "no padding");

static bool
is_sound(const void *body)
{
    struct sr_memory memory;
    bool is_good = true;

    memcpy(&memory, body, BODY_SIZE);
    for (size_t i = 0; i < SR_FAMILIAR_MAX; i++) {
        const struct sr_familiar *entry = &memory.familiar[i];

        if (memchr(entry->source, '\0', sizeof(entry->source)) == NULL ||
            !sr_time_is_sound(entry->seen))
            is_good = false;
    }
    for (size_t i = 0; i < SR_HISTORY_GROUPS; i++) {
        const struct sr_history_group *group = &memory.history.group[i];

        if (memchr(group->salt, '\0', sizeof(group->salt)) == NULL ||
            group->count > SR_HISTORY_MAX)
            is_good = false;
    }
    if (!sr_time_is_sound(memory.temporary.issued) ||
        !sr_time_is_sound(memory.temporary.until))
        is_good = false;
    explicit_bzero(&memory, sizeof(memory));
    return is_good;
}

static const struct sr_account_file kind = {
    .magic = "selfreset memory",
    .suffix = "memory",
    .version = 1,
    .size = BODY_SIZE,
    .is_sound = is_sound,
};

static void
set_time(struct sr_memory *memory, const struct sr_account_time *time)
{
    memory->now = time->now;
    memory->wall = time->wall;
    memory->is_new_boot = time->is_new_boot;
}

enum sr_store_result
sr_memory_get(struct sr_store *store, const struct sr_identity *id,
              struct sr_memory *memory)
{
    struct sr_account_time time = {0};
    enum sr_store_result result;

    memset(memory, 0, sizeof(*memory));
    result = sr_account_file_get(store, &kind, id, memory, &time);
    set_time(memory, &time);
    return result;
}

/* ---- changing */

struct changing {
    bool (*change)(void *context, struct sr_memory *memory);
    void *context;
    bool has_no_random;
};

static bool
make_salt(struct sr_memory *memory)
{
    static const uint8_t none[sizeof(memory->salt)];

    return memcmp(memory->salt, none, sizeof(none)) != 0 ||
           getrandom(memory->salt, sizeof(none), 0) == (ssize_t)sizeof(none);
}

static bool
change_body(void *context, void *body, const struct sr_account_time *time)
{
    struct changing *changing = context;
    struct sr_memory *memory = body;

    set_time(memory, time);
    changing->has_no_random = !make_salt(memory);
    return !changing->has_no_random &&
           changing->change(changing->context, memory);
}

enum sr_store_result
sr_memory_change(struct sr_store *store, const struct sr_identity *id,
                 bool (*change)(void *context, struct sr_memory *memory),
                 void *context)
{
    struct changing changing = {.change = change, .context = context};
    enum sr_store_result result;
    struct sr_memory memory;

    result = sr_account_file_change(store, &kind, id, &memory, change_body,
                                    &changing);
    return result == SR_STORE_OK && changing.has_no_random
               ? sr_store_judge(store, EIO)
               : result;
}

/* ---- what is in it */

uint64_t
sr_memory_fingerprint(const struct sr_memory *memory, const char *secret)
{
    return sr_siphash(memory->salt, secret, strlen(secret));
}

sr_time
sr_memory_temporary(const struct sr_memory *memory, const char *secret)
{
    const struct sr_temporary *temporary = &memory->temporary;

    if (temporary->until == 0 ||
        temporary->fingerprint !=
            sr_memory_fingerprint(memory, secret == NULL ? "" : secret))
        return SR_TIME_UNKNOWN;
    return sr_clock_to_wall(temporary->until, memory->now, memory->wall);
}

struct sr_familiar *
sr_memory_familiar(struct sr_memory *memory, const char *source,
                   int64_t lifetime)
{
    for (size_t i = 0; i < SR_FAMILIAR_MAX; i++) {
        struct sr_familiar *entry = &memory->familiar[i];

        if (entry->seen != 0 && memory->now - entry->seen < lifetime &&
            strncmp(entry->source, source, sizeof(entry->source)) == 0)
            return entry;
    }
    return NULL;
}

enum sr_store_result
sr_memory_check(struct sr_store *store, const char *path)
{
    return sr_account_file_check(store, &kind, path, NULL);
}
