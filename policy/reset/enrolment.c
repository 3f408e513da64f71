/*
 * Enrolment: what this host keeps of one account for self-service reset.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

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

static const char *const names[SR_GATE_COUNT] = {
    [SR_GATE_APP] = "app",       [SR_GATE_CODES] = "codes",
    [SR_GATE_TICKET] = "ticket", [SR_GATE_MAIL] = "mail",
    [SR_GATE_KEY] = "key",       [SR_GATE_CONTACT] = "contact",
    [SR_GATE_RESUME] = "resume",
};

const char *
sr_gate_name(enum sr_gate_id gate)
{
    return names[gate];
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
                   sr_time_is_sound(body->mail_until) &&
                   sr_time_is_sound(body->resume_until) &&
                   sr_time_is_sound(body->app_step) &&
                   body->app_drift > -1000 && body->app_drift < 1000 &&
                   body->mail_tries >= 0;

    for (size_t i = 0; i < SR_GATE_COUNT; i++)
        is_good = is_good && sr_time_is_sound(body->gate[i].since) &&
                  sr_time_is_sound(body->gate[i].usable) &&
                  sr_time_is_sound(body->gate[i].used);
    for (size_t i = 0; i < SR_SENDS; i++)
        is_good = is_good && sr_time_is_sound(body->sent[i]);
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
    is_good =
        are_times_sound(&body) && is_contact_sound(&body.contact) &&
        ends(body.ticket, SR_HASH_MAX) && ends(body.words, SR_WORDS_MAX) &&
        ends(body.mail_code, SR_HASH_MAX) && ends(body.resume, SR_HASH_MAX) &&
        ends(body.resume_used, SR_USED_MAX);
    for (size_t i = 0; i < SR_CODES_COUNT; i++)
        is_good = is_good && ends(body.code[i], SR_HASH_MAX);
    for (size_t i = 0; i < SR_ADDRESSES; i++)
        is_good = is_good && ends(body.address[i], SR_ADDRESS_MAX);
    for (size_t i = 0; i < SR_KEYS; i++)
        is_good = is_good && ends(body.key[i], SR_KEY_MAX);
    explicit_bzero(&body, sizeof(body));
    return is_good;
}

const struct sr_account_file sr_enrolment_file = {
    .magic = "selfreset enroll",
    .suffix = "enrolment",
    .version = 1,
    .size = sizeof(struct sr_enrolment),
    .is_exclusive = true, /* a code is used once */
    .is_sound = is_sound,
};

enum sr_store_result
sr_enrolment_store(enum sr_store_mode mode, struct sr_store **store)
{
    if (mode == SR_STORE_WRITE)
        sr_safe_make_dir(SR_STATEDIR);
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

static bool
change_body(void *context, void *body, const struct sr_account_time *time)
{
    struct changing *changing = context;

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

struct counting {
    struct sr_store *store;
    struct sr_enrolment_totals *totals;
};

static void
count_one(void *context, const char *path)
{
    struct counting *counting = context;
    struct sr_enrolment_totals *totals = counting->totals;
    const char *suffix = strrchr(path, '.');
    struct sr_enrolment body;
    bool has_any = false;

    if (suffix == NULL || strcmp(suffix + 1, sr_enrolment_file.suffix) != 0)
        return;
    if (sr_account_file_check(counting->store, &sr_enrolment_file, path,
                              &body) != SR_STORE_OK) {
        totals->unreadable++;
        return;
    }
    for (int gate = 0; gate < SR_GATE_COUNT; gate++) {
        totals->gate[gate] += body.gate[gate].since != 0;
        has_any =
            has_any || (gate != SR_GATE_TICKET && body.gate[gate].since != 0);
    }
    totals->accounts += has_any;
    totals->reported += body.reported != 0;
    explicit_bzero(&body, sizeof(body));
}

enum sr_store_result
sr_enrolment_count(struct sr_store *store, struct sr_enrolment_totals *totals)
{
    struct counting counting = {store, totals};

    memset(totals, 0, sizeof(*totals));
    return sr_store_each(store, "accounts", count_one, &counting);
}

bool
sr_enrolment_has(const struct sr_enrolment *enrolment, enum sr_gate_id gate,
                 const struct sr_account_time *time)
{
    const struct sr_gate_record *record = &enrolment->gate[gate];

    if (gate == SR_GATE_TICKET)
        return enrolment->ticket[0] != '\0' &&
               enrolment->ticket_until > time->now;
    if (gate == SR_GATE_RESUME)
        return enrolment->resume[0] != '\0' &&
               enrolment->resume_until > time->now;
    if (gate == SR_GATE_CONTACT && enrolment->contact.accepted == 0)
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

void
sr_enrolment_remove(struct sr_enrolment *enrolment, enum sr_gate_id gate)
{
    memset(&enrolment->gate[gate], 0, sizeof(enrolment->gate[gate]));
    switch (gate) {
    case SR_GATE_APP:
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
        memset(enrolment->address, 0, sizeof(enrolment->address));
        memset(enrolment->mail_code, 0, sizeof(enrolment->mail_code));
        enrolment->mail_until = 0;
        break;
    case SR_GATE_KEY:
        memset(enrolment->key, 0, sizeof(enrolment->key));
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
