/*
 * Former: the passwords of an account that were replaced on this host.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/account/former.h"

/* The current password and the one before it. */
#define KEPT 2

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

enum sr_used
sr_former_is(const struct sr_transaction *txn, const char *password)
{
    struct sr_history history;
    enum sr_used used = SR_USED_FAILED;

    switch (sr_former_read(txn, &history)) {
    case SR_STORE_OK:
        used = sr_history_is_former(&history, password);
        break;
    case SR_STORE_NOT_FOUND:
        used = SR_USED_NO;
        break;
    default:
        break;
    }
    explicit_bzero(&history, sizeof(history));
    return used;
}
