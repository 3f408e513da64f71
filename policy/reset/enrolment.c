/*
 * Enrolment: what this host keeps of one account for self-service reset.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/reset/enrolment.h"
#include "policy/reset/shared.h"
#include "policy/util/safe_open.h"

/* Gates that an administrator needs one of beside a contact: what others read,
 * a mailbox or a telephone, is not enough. */
#define STRONG                                                                 \
    (1u << SR_GATE_APP | 1u << SR_GATE_CODES | 1u << SR_GATE_TICKET |          \
     1u << SR_GATE_KEY)

_Static_assert(sizeof(struct sr_enrolment) % 8 == 0 &&
                   sizeof(struct sr_enrolment) <= SR_ACCOUNT_FILE_MAX,
               "fits a file");

/* Gates of one class are one proof; SR_CHANNELS: nothing is sent. */
static const struct {
    const char *name;
    char class;
    enum sr_channel_id channel;
} table[SR_GATE_COUNT] = {
    [SR_GATE_APP] = {"app", 'C', SR_CHANNELS},
    [SR_GATE_CODES] = {"codes", 'D', SR_CHANNELS},
    [SR_GATE_TICKET] = {"ticket", 'G', SR_CHANNELS},
    [SR_GATE_MAIL] = {"mail", 'A', SR_CHANNEL_MAIL},
    [SR_GATE_KEY] = {"key", 'E', SR_CHANNELS},
    [SR_GATE_SMS] = {"sms", 'B', SR_CHANNEL_SMS},
    [SR_GATE_VOICE] = {"voice", 'B', SR_CHANNEL_VOICE},
    [SR_GATE_PUSH] = {"push", 'F', SR_CHANNEL_PUSH},
    [SR_GATE_CONTACT] = {"contact", 'H', SR_CHANNELS},
    [SR_GATE_RESUME] = {"resume", '-', SR_CHANNELS},
};

const char *
sr_gate_name(enum sr_gate_id gate)
{
    return table[gate].name;
}

enum sr_channel_id
sr_gate_channel(enum sr_gate_id gate)
{
    return table[gate].channel;
}

enum sr_gate_id
sr_channel_gate(enum sr_channel_id channel)
{
    unsigned gate = 0;

    while (gate < SR_GATE_COUNT && table[gate].channel != channel)
        gate++;
    return (enum sr_gate_id)gate;
}

unsigned
sr_gate_proofs(unsigned mask, bool is_strict)
{
    unsigned classes = 0;

    for (int gate = 0; gate < SR_GATE_COUNT; gate++) {
        const char class = table[gate].class;

        if ((mask >> gate & 1) != 0 && class >= 'A')
            classes |= 1u << (is_strict && class == 'B' ? 0 : class - 'A');
    }
    return (unsigned)__builtin_popcount(classes);
}

char *
sr_enrolment_address(struct sr_enrolment *enrolment, enum sr_channel_id channel,
                     unsigned number, size_t *size)
{
    *size = channel == SR_CHANNEL_MAIL   ? SR_ADDRESS_MAX
            : channel == SR_CHANNEL_PUSH ? SR_DEVICE_MAX
                                         : SR_NUMBER_SIZE;
    if (channel == SR_CHANNEL_MAIL && number < SR_ADDRESSES)
        return enrolment->address[number];
    if (number > 0)
        return NULL;
    return channel == SR_CHANNEL_SMS     ? enrolment->sms
           : channel == SR_CHANNEL_VOICE ? enrolment->voice
           : channel == SR_CHANNEL_PUSH  ? enrolment->device
                                         : NULL;
}

const char *
sr_enrolment_text(const struct sr_enrolment *enrolment,
                  enum sr_channel_id channel, unsigned number)
{
    size_t size;
    const char *address = sr_enrolment_address(
        (struct sr_enrolment *)(uintptr_t)enrolment, channel, number, &size);

    return address == NULL ? "" : address;
}

static bool
ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static bool
are_times_sound(const struct sr_enrolment *body)
{
    bool is_good = sr_time_is_sound(body->reported) &&
                   sr_time_is_sound(body->ticket_until) &&
                   sr_time_is_sound(body->resume_until) &&
                   sr_time_is_sound(body->app_step) &&
                   body->app_drift > -1000 && body->app_drift < 1000;

    for (size_t i = 0; i < SR_GATE_COUNT; i++)
        is_good = is_good && sr_time_is_sound(body->gate[i].since) &&
                  sr_time_is_sound(body->gate[i].usable) &&
                  sr_time_is_sound(body->gate[i].used);
    for (size_t i = 0; i < SR_CHANNELS; i++) {
        is_good = is_good && sr_time_is_sound(body->sent[i].until) &&
                  body->sent[i].tries >= 0;
        for (size_t k = 0; k < SR_SENDS; k++)
            is_good = is_good && sr_time_is_sound(body->sent[i].at[k]);
        for (size_t k = 0; k < SR_ADDRESSES; k++)
            is_good = is_good && sr_time_is_sound(body->confirmation[i][k].at);
    }
    return is_good;
}

static bool
are_addresses_sound(struct sr_enrolment *body)
{
    bool is_good = true;

    for (unsigned i = 0; i < SR_CHANNELS; i++) {
        const char *address;
        size_t size;

        for (unsigned k = 0;
             (address = sr_enrolment_address(body, (enum sr_channel_id)i, k,
                                             &size)) != NULL;
             k++)
            is_good = is_good && ends(address, size);
        is_good = is_good && ends(body->sent[i].code, SR_HASH_MAX);
    }
    return is_good;
}

static bool
is_contact_sound(const struct sr_contact *contact)
{
    return ends(contact->backend, sizeof(contact->backend)) &&
           memchr(contact->name, '\0', SR_NAME_MAX + 1) != NULL &&
           ends(contact->ref, sizeof(contact->ref)) &&
           ends(contact->code, sizeof(contact->code)) &&
           ends(contact->source, sizeof(contact->source)) &&
           sr_time_is_sound(contact->accepted) &&
           sr_time_is_sound(contact->until) &&
           sr_time_is_sound(contact->asked) && contact->tries >= 0;
}

static bool
is_sound(const void *bytes)
{
    struct sr_enrolment body;
    bool is_good;

    memcpy(&body, bytes, sizeof(body));
    is_good = are_times_sound(&body) && is_contact_sound(&body.contact) &&
              ends(body.ticket, SR_HASH_MAX) &&
              ends(body.words, SR_WORDS_MAX) && are_addresses_sound(&body) &&
              ends(body.resume, SR_HASH_MAX) &&
              ends(body.resume_used, SR_USED_MAX);
    for (size_t i = 0; i < SR_CODES_COUNT; i++)
        is_good = is_good && ends(body.code[i], SR_HASH_MAX);
    for (size_t i = 0; i < SR_KEYS; i++)
        is_good = is_good && ends(body.key[i], SR_KEY_MAX);
    explicit_bzero(&body, sizeof(body));
    return is_good;
}

const struct sr_account_file sr_enrolment_file = {
    .magic = "selfreset enroll",
    .suffix = "enrolment",
    .version = 4,
    .size = sizeof(struct sr_enrolment),
    .former = {{2, offsetof(struct sr_enrolment, confirmation)},
               {3, offsetof(struct sr_enrolment, known_keys)}},
    .is_exclusive = true, /* a code is used once */
    .is_sound = is_sound,
};

enum sr_store_result
sr_enrolment_store(enum sr_store_mode mode, struct sr_store **store)
{
    if (mode == SR_STORE_WRITE)
        sr_safe_make_dir(SR_STATEDIR, SR_SAFE_OF_ROOT);
    return sr_store_open(SR_RESET_STATEDIR, SR_RESET_RUNDIR, mode, store);
}

enum sr_store_result
sr_enrolment_get(struct sr_store *store, const struct sr_transaction *txn,
                 struct sr_enrolment *enrolment, struct sr_account_time *time)
{
    const struct sr_identity id = sr_transaction_identity(txn);

    return sr_shared_is(txn->config, id.backend)
               ? sr_shared_get(store, &sr_enrolment_file, txn, enrolment, time)
               : sr_account_file_get(store, &sr_enrolment_file, &id, enrolment,
                                     time);
}

struct changing {
    bool (*change)(void *context, struct sr_enrolment *body,
                   const struct sr_account_time *time);
    void *context;
};

/* An older version has when the gate was set up alone, which another address
 * makes anew: keep it with the addresses that it is of. */
static void
keep_confirmed(struct sr_enrolment *enrolment)
{
    for (unsigned i = 0; i < SR_CHANNELS * SR_ADDRESSES; i++) {
        const enum sr_channel_id channel =
            (enum sr_channel_id)(i / SR_ADDRESSES);
        const unsigned number = i % SR_ADDRESSES;

        if (sr_enrolment_text(enrolment, channel, number)[0] != '\0')
            enrolment->confirmation[channel][number].at =
                sr_enrolment_confirmed(enrolment, channel, number);
    }
}

static bool
change_body(void *context, void *body, const struct sr_account_time *time)
{
    struct changing *changing = context;

    keep_confirmed(body);
    return changing->change(changing->context, body, time);
}

enum sr_store_result
sr_enrolment_change(struct sr_store *store, const struct sr_transaction *txn,
                    bool (*change)(void *context, struct sr_enrolment *body,
                                   const struct sr_account_time *time),
                    void *context)
{
    const struct sr_identity id = sr_transaction_identity(txn);
    struct changing changing = {change, context};
    struct sr_enrolment body;

    return sr_shared_is(txn->config, id.backend)
               ? sr_shared_change(store, &sr_enrolment_file, txn, &body,
                                  change_body, &changing)
               : sr_account_file_change(store, &sr_enrolment_file, &id, &body,
                                        change_body, &changing);
}

enum sr_store_result
sr_enrolment_drop(struct sr_store *store, const struct sr_transaction *txn)
{
    const struct sr_identity id = sr_transaction_identity(txn);
    char path[SR_STORE_PATH_MAX];

    if (sr_shared_is(txn->config, id.backend))
        return sr_shared_drop(store, txn);
    sr_store_account_path(&id, sr_enrolment_file.suffix, path);
    return sr_store_drop(store, SR_STORE_SAVED, path);
}

/* ---- how old what was confirmed is */

sr_time
sr_enrolment_confirmed(const struct sr_enrolment *enrolment,
                       enum sr_channel_id channel, unsigned number)
{
    const sr_time at = enrolment->confirmation[channel][number].at;

    /* An older version kept only when the gate was set up. */
    return at != 0 ? at : enrolment->gate[sr_channel_gate(channel)].since;
}

enum sr_validity
sr_enrolment_validity(const struct sr_enrolment *enrolment,
                      enum sr_channel_id channel, unsigned number,
                      const struct sr_reset_config *config, sr_time wall)
{
    const int64_t age =
        wall - sr_enrolment_confirmed(enrolment, channel, number);

    if (config->reconfirm == 0 || age <= config->reconfirm)
        return SR_VALID;
    return age - config->reconfirm <= config->reconfirm_grace ? SR_OVERDUE
                                                              : SR_LAPSED;
}

enum sr_validity
sr_enrolment_least_valid(const struct sr_enrolment *enrolment,
                         const struct sr_reset_config *config, sr_time wall)
{
    enum sr_validity least = SR_VALID;

    for (unsigned i = 0; i < SR_CHANNELS * SR_ADDRESSES; i++) {
        const enum sr_channel_id channel =
            (enum sr_channel_id)(i / SR_ADDRESSES);
        enum sr_validity validity;

        if (sr_enrolment_text(enrolment, channel, i % SR_ADDRESSES)[0] == '\0')
            continue;
        validity = sr_enrolment_validity(enrolment, channel, i % SR_ADDRESSES,
                                         config, wall);
        least = validity > least ? validity : least;
    }
    return least;
}

/* How many addresses of a channel serve, and the last of them. */
static unsigned
count_serving(const struct sr_enrolment *enrolment, enum sr_channel_id channel,
              const struct sr_reset_config *config, sr_time wall,
              unsigned *last)
{
    unsigned count = 0;

    for (unsigned i = 0; i < SR_ADDRESSES; i++) {
        if (sr_enrolment_text(enrolment, channel, i)[0] == '\0' ||
            sr_enrolment_validity(enrolment, channel, i, config, wall) ==
                SR_LAPSED)
            continue;
        count++;
        *last = i;
    }
    return count;
}

void
sr_enrolment_confirm(struct sr_enrolment *enrolment, enum sr_channel_id channel,
                     const struct sr_reset_config *config, sr_time wall)
{
    unsigned last = 0;

    if (count_serving(enrolment, channel, config, wall, &last) == 1)
        enrolment->confirmation[channel][last].at = wall;
}

struct counting {
    const struct sr_reset_config *config;
    struct sr_store *store;
    sr_time wall;
    struct sr_enrolment_totals *totals;
};

static void
count_body(const struct counting *counting, const struct sr_enrolment *body)
{
    struct sr_enrolment_totals *totals = counting->totals;
    const enum sr_validity validity =
        sr_enrolment_least_valid(body, counting->config, counting->wall);
    bool has_any = false;

    for (int gate = 0; gate < SR_GATE_COUNT; gate++) {
        totals->gate[gate] += body->gate[gate].since != 0;
        has_any =
            has_any || (gate != SR_GATE_TICKET && body->gate[gate].since != 0);
    }
    totals->accounts += has_any;
    totals->reported += body->reported != 0;
    totals->overdue += validity != SR_VALID;
    totals->lapsed += validity == SR_LAPSED;
}

static void
count_file(void *context, const char *path)
{
    const struct counting *counting = context;
    const char *suffix = strrchr(path, '.');
    struct sr_enrolment body;

    if (suffix == NULL || strcmp(suffix + 1, sr_enrolment_file.suffix) != 0)
        return;
    if (sr_account_file_check(counting->store, &sr_enrolment_file, path,
                              &body) == SR_STORE_OK)
        count_body(counting, &body);
    else
        counting->totals->unreadable++;
    explicit_bzero(&body, sizeof(body));
}

static void
count_record(void *context, enum sr_store_result result, const void *body)
{
    const struct counting *counting = context;

    if (result == SR_STORE_OK)
        count_body(counting, body);
    else if (result == SR_STORE_VERSION)
        counting->totals->older++;
    else
        counting->totals->unreadable++;
}

enum sr_store_result
sr_enrolment_count(struct sr_store *store, const struct sr_config *config,
                   struct sr_enrolment_totals *totals)
{
    struct counting counting = {&config->reset, store, time(NULL), totals};
    struct sr_enrolment body;
    struct sr_error error = {.text = ""};

    memset(totals, 0, sizeof(*totals));
    for (size_t i = 0; i < config->backends.count; i++) {
        const char *name = config->backends.item[i];

        if (!sr_shared_each(store, &sr_enrolment_file, config, name, &body,
                            count_record, &counting, &error))
            snprintf(totals->uncounted, sizeof(totals->uncounted), "%s: %s",
                     name, sr_error_text(&error));
    }
    return store == NULL
               ? SR_STORE_NOT_FOUND
               : sr_store_each(store, "accounts", count_file, &counting);
}

bool
sr_enrolment_has(const struct sr_enrolment *enrolment, enum sr_gate_id gate,
                 const struct sr_reset_config *config,
                 const struct sr_account_time *time)
{
    const struct sr_gate_record *record = &enrolment->gate[gate];
    const enum sr_channel_id channel = sr_gate_channel(gate);
    unsigned last;

    if (gate == SR_GATE_TICKET)
        return enrolment->ticket[0] != '\0' &&
               enrolment->ticket_until > time->now;
    if (gate == SR_GATE_RESUME)
        return enrolment->resume[0] != '\0' &&
               enrolment->resume_until > time->now;
    if (gate == SR_GATE_CONTACT && enrolment->contact.accepted == 0)
        return false;
    if (channel < SR_CHANNELS && config->reconfirm != 0 &&
        count_serving(enrolment, channel, config, time->wall, &last) == 0)
        return false;
    return record->since != 0 && record->usable <= time->now;
}

bool
sr_contact_counts(unsigned gates, bool is_admin)
{
    const unsigned others = gates & ~(1u << SR_GATE_CONTACT);

    return others != 0 && (!is_admin || (others & STRONG) != 0);
}

void
sr_enrolment_set_up(struct sr_enrolment *enrolment, enum sr_gate_id gate,
                    int64_t wait, const struct sr_account_time *time)
{
    struct sr_gate_record *record = &enrolment->gate[gate];

    record->since = time->wall;
    record->usable = time->now + wait;
    record->used = 0;
}

/* The addresses and the code; not how much was sent. */
static void
remove_channel(struct sr_enrolment *enrolment, enum sr_channel_id channel)
{
    struct sr_sent *sent = &enrolment->sent[channel];
    char *address;
    size_t size;

    for (unsigned i = 0;
         (address = sr_enrolment_address(enrolment, channel, i, &size)) != NULL;
         i++)
        memset(address, 0, size);
    memset(enrolment->confirmation[channel], 0,
           sizeof(enrolment->confirmation[channel]));
    memset(sent->code, 0, sizeof(sent->code));
    sent->until = 0;
}

void
sr_enrolment_remove(struct sr_enrolment *enrolment, enum sr_gate_id gate)
{
    memset(&enrolment->gate[gate], 0, sizeof(enrolment->gate[gate]));
    switch (gate) {
    case SR_GATE_APP:
        enrolment->app_wrong = 0;
        explicit_bzero(enrolment->app, sizeof(enrolment->app));
        enrolment->app_step = enrolment->app_drift = 0;
        break;
    case SR_GATE_CODES:
        memset(enrolment->code, 0, sizeof(enrolment->code));
        break;
    case SR_GATE_TICKET:
        memset(enrolment->ticket, 0, sizeof(enrolment->ticket));
        memset(enrolment->words, 0, sizeof(enrolment->words));
        enrolment->ticket_until = 0;
        break;
    case SR_GATE_MAIL:
    case SR_GATE_SMS:
    case SR_GATE_VOICE:
    case SR_GATE_PUSH:
        remove_channel(enrolment, table[gate].channel);
        break;
    case SR_GATE_KEY:
        memset(enrolment->key, 0, sizeof(enrolment->key));
        enrolment->known_keys = 0;
        break;
    case SR_GATE_CONTACT:
        memset(&enrolment->contact, 0, sizeof(enrolment->contact));
        break;
    case SR_GATE_RESUME:
        memset(enrolment->resume, 0, sizeof(enrolment->resume));
        memset(enrolment->resume_used, 0, sizeof(enrolment->resume_used));
        enrolment->resume_until = 0;
        enrolment->resume_proved = enrolment->resume_uid = 0;
        break;
    case SR_GATE_COUNT:
        break;
    }
}
