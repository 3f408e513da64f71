/*
 * Budget: how many messages this host sends by one channel.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/config/keys.h"
#include "policy/reset/budget.h"

static const int64_t period[2] = {3600, SR_DAY};

/* To one address, in an hour and in a day: twice what one account gets, see
 * channel.h.  Mail costs nothing. */
static const unsigned of_address[SR_CHANNELS][2] = {
    [SR_CHANNEL_SMS] = {6, 10},
    [SR_CHANNEL_VOICE] = {6, 10},
    [SR_CHANNEL_PUSH] = {6, 20},
};

bool
sr_budget_count(struct sr_budget *budget, const unsigned bound[2], sr_time now)
{
    bool may = true;

    for (int i = 0; i < 2; i++) {
        if (budget->count[i] == 0 || now - budget->since[i] >= period[i]) {
            budget->since[i] = now;
            budget->count[i] = 0;
        }
        may = may && (bound[i] == 0 || budget->count[i] < (int64_t)bound[i]);
    }
    for (int i = 0; i < 2 && may; i++)
        budget->count[i]++;
    return may;
}

static bool
is_sound(const void *bytes)
{
    struct sr_budget body;
    bool is_good = true;

    memcpy(&body, bytes, sizeof(body));
    for (int i = 0; i < 2; i++)
        is_good = is_good && sr_time_is_sound(body.since[i]) &&
                  body.count[i] >= 0 && body.count[i] < INT64_MAX;
    return is_good;
}

const struct sr_account_file sr_budget_file = {
    .magic = "selfreset budget",
    .suffix = "messages",
    .version = 1,
    .size = sizeof(struct sr_budget),
    .is_exclusive = true, /* a message is counted once */
    .is_sound = is_sound,
};

/* Of a channel, or of an address of it: a name that no account can have.  The
 * file outlives the gate, so it must not tell the address: it has a hash under
 * the store's key. */
static enum sr_store_result
name_of(struct sr_store *store, enum sr_channel_id channel, const char *address,
        struct sr_identity *id)
{
    enum sr_store_result result = SR_STORE_OK;
    uint64_t hash = 0;

    memset(id, 0, sizeof(*id));
    if (address[0] != '\0')
        result = sr_store_hash(store, address, strlen(address), &hash);
    snprintf(id->backend, sizeof(id->backend), "%s", SR_LOCAL);
    snprintf(id->name, sizeof(id->name), "/%s %016" PRIx64,
             sr_channel_names[channel], hash);
    return result;
}

struct taking {
    unsigned bound[2];
    bool may;
    bool is_first; /* there is no file yet */
};

static bool
take_in(void *context, void *body, const struct sr_account_time *time)
{
    struct taking *taking = context;
    const struct sr_budget *budget = body;

    taking->is_first = budget->since[0] == 0;
    taking->may = sr_budget_count(body, taking->bound, time->now);
    return taking->may;
}

/* An older version has files whose head tells the number. */
static void
drop_old(void *store, const char *path)
{
    const char *suffix = strrchr(path, '.');

    if (suffix != NULL && strcmp(suffix, ".budget") == 0)
        sr_store_drop(store, SR_STORE_SAVED, path);
}

static enum sr_budget_result
take(struct sr_store *store, enum sr_channel_id channel, const char *address,
     struct taking *taking)
{
    struct sr_identity id;
    struct sr_budget body;

    if (taking->bound[0] == 0 && taking->bound[1] == 0)
        return SR_BUDGET_OK;
    if (name_of(store, channel, address, &id) != SR_STORE_OK ||
        sr_account_file_change(store, &sr_budget_file, &id, &body, take_in,
                               taking) != SR_STORE_OK)
        return SR_BUDGET_UNKNOWN;
    if (taking->is_first)
        sr_store_each(store, "accounts", drop_old, store);
    return taking->may          ? SR_BUDGET_OK
           : address[0] != '\0' ? SR_BUDGET_ADDRESS
                                : SR_BUDGET_HOST;
}

/* The address first: what it is refused does not count for the host. */
enum sr_budget_result
sr_budget_take(struct sr_store *store, const struct sr_reset_config *config,
               enum sr_channel_id channel, const char *address, bool is_code)
{
    const unsigned times = is_code ? 1 : 2;
    struct taking one = {.bound = {of_address[channel][0] * times,
                                   of_address[channel][1] * times}};
    struct taking all = {.bound = {0, config->channel[channel].daily * times}};
    enum sr_budget_result result = take(store, channel, address, &one);

    return result == SR_BUDGET_OK ? take(store, channel, "", &all) : result;
}

enum sr_store_result
sr_budget_used(struct sr_store *store, enum sr_channel_id channel,
               unsigned *used)
{
    struct sr_account_time time;
    struct sr_identity id;
    struct sr_budget body;
    enum sr_store_result result;

    *used = 0;
    name_of(store, channel, "", &id);
    result = sr_account_file_get(store, &sr_budget_file, &id, &body, &time);
    if (result == SR_STORE_OK && time.now - body.since[1] < period[1])
        *used = (unsigned)body.count[1];
    return result == SR_STORE_NOT_FOUND ? SR_STORE_OK : result;
}
