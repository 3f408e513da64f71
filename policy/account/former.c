/*
 * Former: the passwords of an account that were replaced on this host.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>
#include <time.h>

#include "policy/account/former.h"

/* The current password and the one before it. */
#define KEPT 2

/* In seconds: how long a directory binds a former password, by default
 * (OldPasswordAllowedPeriod; "old password allowed period" of smb.conf), and
 * how far clocks may differ (RFC 4120 8.2). */
#define SKEW   300
#define PERIOD (3600 + SKEW)

bool
sr_former_matters(const struct sr_transaction *txn)
{
    const struct sr_backend_config *config = txn->account->verifier.config;

    return config != NULL && config->auth == SR_AUTH_KRB5_LDAP;
}

unsigned
sr_former_kept(const struct sr_transaction *txn)
{
    const unsigned history = txn->rules.history;

    return history < KEPT && sr_former_matters(txn) ? KEPT : history;
}

enum sr_store_result
sr_former_read(const struct sr_transaction *txn, struct sr_history *history)
{
    const struct sr_identity id = sr_transaction_identity(txn);
    enum sr_store_result result;
    struct sr_memory memory;
    struct sr_store *store;

    result = sr_store_open(NULL, NULL, SR_STORE_READ, &store);
    if (result == SR_STORE_OK)
        result = sr_memory_get(store, &id, &memory);
    sr_store_close(store);
    if (result != SR_STORE_OK)
        return result;
    if (sr_history_is_empty(&memory.history))
        result = SR_STORE_NOT_FOUND;
    else
        *history = memory.history;
    explicit_bzero(&memory, sizeof(memory));
    return result;
}

/*
 * A password that is not in the history, shortly after this host has recorded
 * another one: a reset did not know what it replaced.  It may also have been
 * changed elsewhere since then, by what the directory says.
 */
static enum sr_used
judge_absent(const struct sr_transaction *txn, const struct sr_history *history)
{
    const sr_time changed = txn->account->facts.password_changed;
    const sr_time recorded = sr_history_last(history);
    const sr_time age = time(NULL) - recorded;

    if (age >= PERIOD) /* where the clock was set back it is not known */
        return SR_USED_NO;
    return SR_TIME_IS_SET(changed) && changed > recorded + SKEW ? SR_USED_FAILED
                                                                : SR_USED_YES;
}

enum sr_used
sr_former_is(const struct sr_transaction *txn, const char *password)
{
    struct sr_history history;
    enum sr_used used = SR_USED_FAILED;
    const enum sr_store_result result = sr_former_read(txn, &history);

    if (result == SR_STORE_NOT_FOUND)
        return SR_USED_NO;
    if (result != SR_STORE_OK)
        return SR_USED_FAILED;
    switch (sr_history_find(&history, password)) {
    case SR_HISTORY_NEWEST:
        used = SR_USED_NO;
        break;
    case SR_HISTORY_EARLIER:
        used = SR_USED_YES;
        break;
    case SR_HISTORY_ABSENT:
        used = judge_absent(txn, &history);
        break;
    case SR_HISTORY_FAILED:
        break;
    }
    explicit_bzero(&history, sizeof(history));
    return used;
}

/* ---- a reset */

struct note {
    const struct sr_history_probe *probe;
    const struct sr_transaction *txn;
};

static bool
note_in(void *context, struct sr_memory *memory)
{
    const struct note *note = context;
    const struct sr_rules *rules = &note->txn->rules;
    const sr_time oldest =
        rules->history_age <= 0 ? 0 : memory->wall - rules->history_age;

    sr_history_record(&memory->history, note->probe, sr_former_kept(note->txn),
                      oldest, memory->wall);
    return true;
}

enum sr_store_result
sr_former_note_reset(const struct sr_transaction *txn, const char *password)
{
    const struct sr_identity id = sr_transaction_identity(txn);
    struct sr_history_probe probe = {.is_valid = false};
    struct sr_history history = {0};
    struct note note = {&probe, txn};
    enum sr_store_result result;
    struct sr_store *store;

    if (!sr_former_matters(txn))
        return SR_STORE_OK;
    result = sr_former_read(txn, &history);
    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND) {
        sr_history_check(&history, password, 1, 0, &probe);
        result = probe.is_valid
                     ? sr_store_open(NULL, NULL, SR_STORE_WRITE, &store)
                     : SR_STORE_FAILED;
    }
    if (result == SR_STORE_OK) {
        result = sr_memory_change(store, &id, note_in, &note);
        sr_store_close(store);
    }
    explicit_bzero(&history, sizeof(history));
    explicit_bzero(&probe, sizeof(probe));
    return result;
}
