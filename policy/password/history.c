/*
 * History: has this password been used before?  One crypt(3) however long the
 * history is.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <crypt.h>
#include <string.h>

#include "policy/util/crypt.h"
#include "policy/util/siphash.h"
#include "policy/password/history.h"

/* A fixed key: SipHash only shortens the hash, which is random, to 32 bits. */
static const uint8_t tag_key[16];

/* The tag of a password under a salt.  Returns 0 or -1. */
static int
make_tag(const char *password, const char *salt, uint32_t *tag)
{
    char hash[CRYPT_OUTPUT_SIZE];
    int status = sr_crypt_hash(password, salt, hash, sizeof(hash));

    if (status == 0)
        *tag = (uint32_t)sr_siphash(tag_key, hash, strlen(hash));
    explicit_bzero(hash, sizeof(hash));
    return status;
}

/*
 * Whether entries can be compared with this group: not when the system no
 * longer has its method.
 */
static bool
is_in_use(const struct sr_history_group *group)
{
    return memchr(group->salt, '\0', sizeof(group->salt)) != NULL &&
           sr_crypt_is_usable(group->salt);
}

static uint32_t
count_of(const struct sr_history_group *group)
{
    return group->count < SR_HISTORY_MAX ? group->count : SR_HISTORY_MAX;
}

bool
sr_history_is_empty(const struct sr_history *history)
{
    return history->group[0].count == 0 && history->group[1].count == 0;
}

/* Whether any of the newest `most` entries is young enough to count. */
static bool
has_entry(const struct sr_history_group *group, uint32_t most, sr_time oldest)
{
    for (uint32_t i = 0; i < count_of(group) && i < most; i++) {
        if (group->set_at[i] >= oldest)
            return true;
    }
    return false;
}

/* Every entry is compared: the time does not depend on which one matches. */
static bool
has_tag(const struct sr_history_group *group, uint32_t tag, uint32_t most,
        sr_time oldest)
{
    volatile uint32_t found = 0;

    for (uint32_t i = 0; i < count_of(group) && i < most; i++) {
        const uint32_t differ = group->tag[i] ^ tag;

        /* The top bit of (differ | -differ) is 0 for zero only. */
        found |= (uint32_t)(group->set_at[i] >= oldest) &
                 (1u ^ ((differ | (0u - differ)) >> 31));
    }
    return found != 0;
}

/* Whether the newest group is of the system's present method and cost. */
static bool
is_current(const struct sr_history_group *group, const char *setting)
{
    return is_in_use(group) && sr_crypt_same_cost(group->salt, setting);
}

static enum sr_used
check_group(const struct sr_history_group *group, const char *password,
            uint32_t most, sr_time oldest)
{
    uint32_t tag;

    if (!is_in_use(group) || !has_entry(group, most, oldest))
        return SR_USED_NO;
    if (make_tag(password, group->salt, &tag) != 0)
        return SR_USED_FAILED;
    return has_tag(group, tag, most, oldest) ? SR_USED_YES : SR_USED_NO;
}

enum sr_used
sr_history_check(const struct sr_history *history, const char *password,
                 unsigned remember, sr_time oldest,
                 struct sr_history_probe *probe)
{
    const struct sr_history_group *newest = &history->group[0];
    /* When a new group is due, the newest is the older of the two to be, and
     * the other one is about to go. */
    const struct sr_history_group *older =
        count_of(newest) > 0 ? newest : &history->group[1];
    uint32_t before = 0;

    *probe = (struct sr_history_probe){.is_valid = false};
    if (remember == 0)
        return SR_USED_NO;
    if (sr_crypt_setting(probe->salt, sizeof(probe->salt)) != 0)
        return SR_USED_FAILED;
    if (is_current(newest, probe->salt)) {
        memcpy(probe->salt, newest->salt, sizeof(probe->salt));
        older = &history->group[1];
        before = count_of(newest);
    }
    if (make_tag(password, probe->salt, &probe->tag) != 0)
        return SR_USED_FAILED;
    probe->is_valid = true;
    if (before > 0 && has_tag(newest, probe->tag, remember, oldest))
        return SR_USED_YES;
    return before < remember
               ? check_group(older, password, remember - before, oldest)
               : SR_USED_NO;
}

enum sr_history_place
sr_history_find(const struct sr_history *history, const char *password)
{
    enum sr_history_place place = SR_HISTORY_ABSENT;
    bool is_newest = true;

    for (size_t g = 0; g < SR_HISTORY_GROUPS; g++) {
        const struct sr_history_group *group = &history->group[g];
        uint32_t tag;

        if (count_of(group) == 0)
            continue;
        if (!is_in_use(group) || make_tag(password, group->salt, &tag) != 0)
            return SR_HISTORY_FAILED;
        if (is_newest && has_tag(group, tag, 1, INT64_MIN))
            return SR_HISTORY_NEWEST;
        is_newest = false;
        if (has_tag(group, tag, SR_HISTORY_MAX, INT64_MIN))
            place = SR_HISTORY_EARLIER;
    }
    return place;
}

static void
drop_entry(struct sr_history_group *group, uint32_t at)
{
    const size_t after = group->count - at - 1;

    memmove(&group->tag[at], &group->tag[at + 1],
            after * sizeof(group->tag[0]));
    memmove(&group->set_at[at], &group->set_at[at + 1],
            after * sizeof(group->set_at[0]));
    group->count--;
    group->tag[group->count] = 0;
    group->set_at[group->count] = 0;
}

/* Drop entries that are too old, beyond `most`, or of the password that is
 * about to be the newest again. */
static void
prune(struct sr_history_group *group, uint32_t most, sr_time oldest,
      const uint32_t *again)
{
    group->count = count_of(group);
    for (uint32_t i = group->count; i-- > 0;) {
        if (i >= most || group->set_at[i] < oldest ||
            (again != NULL && group->tag[i] == *again))
            drop_entry(group, i);
    }
    if (group->count == 0)
        explicit_bzero(group, sizeof(*group));
}

static void
insert(struct sr_history_group *group, uint32_t tag, sr_time now)
{
    if (group->count == SR_HISTORY_MAX)
        drop_entry(group, SR_HISTORY_MAX - 1);
    memmove(&group->tag[1], &group->tag[0],
            group->count * sizeof(group->tag[0]));
    memmove(&group->set_at[1], &group->set_at[0],
            group->count * sizeof(group->set_at[0]));
    group->tag[0] = tag;
    group->set_at[0] = now;
    group->count++;
}

void
sr_history_record(struct sr_history *history,
                  const struct sr_history_probe *probe, unsigned remember,
                  sr_time oldest, sr_time now)
{
    struct sr_history_group *newest = &history->group[0];

    if (probe->is_valid && remember > 0) {
        if (strcmp(newest->salt, probe->salt) != 0) {
            if (newest->count > 0)
                history->group[1] = *newest;
            explicit_bzero(newest, sizeof(*newest));
        } else {
            prune(newest, SR_HISTORY_MAX, oldest, &probe->tag);
        }
        memcpy(newest->salt, probe->salt, sizeof(newest->salt));
        insert(newest, probe->tag, now);
    }
    prune(newest, remember, oldest, NULL);
    prune(&history->group[1],
          remember > newest->count ? remember - newest->count : 0, oldest,
          NULL);
}

sr_time
sr_history_last(const struct sr_history *history)
{
    sr_time last = SR_TIME_UNKNOWN;

    for (size_t g = 0; g < SR_HISTORY_GROUPS; g++) {
        const struct sr_history_group *group = &history->group[g];

        for (uint32_t i = 0; i < count_of(group); i++) {
            if (group->set_at[i] > last)
                last = group->set_at[i];
        }
    }
    return last;
}
