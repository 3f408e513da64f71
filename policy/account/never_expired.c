/*
 * Never expired: passwords that did not expire before an administrator demanded
 * a change of them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/account/never_expired.h"
#include "policy/backend/registry.h"
#include "policy/store/account_file.h"

static bool
is_of_ad(const struct sr_transaction *txn)
{
    const struct sr_backend_config *config = txn->account->backend.config;

    return config != NULL && config->type == SR_BACKEND_AD;
}

bool
sr_never_expired_ends(const struct sr_transaction *txn, enum sr_order order)
{
    return (order == SR_ORDER_SET_PASSWORD ||
            order == SR_ORDER_REQUIRE_CHANGE) &&
           txn->account->facts.never_expires == SR_YES && is_of_ad(txn);
}

/* ---- what is remembered */

static bool
is_sound(const void *body)
{
    uint64_t noted;

    memcpy(&noted, body, sizeof(noted));
    return noted <= 1;
}

static const struct sr_account_file kind = {
    .magic = "selfreset noend ",
    .suffix = "never-expired",
    .version = 1,
    .size = sizeof(uint64_t),
    .is_sound = is_sound,
};

static bool
note(void *context, void *body, const struct sr_account_time *time)
{
    const uint64_t *noted = context;
    const bool is_other = memcmp(body, noted, sizeof(*noted)) != 0;

    (void)time;
    memcpy(body, noted, sizeof(*noted));
    return is_other;
}

enum sr_store_result
sr_never_expired_note(const struct sr_transaction *txn, bool is_noted)
{
    const struct sr_identity id = sr_transaction_identity(txn);
    uint64_t noted = is_noted ? 1 : 0, body;
    enum sr_store_result result;
    struct sr_store *store;

    result = sr_store_open(NULL, NULL, SR_STORE_WRITE, &store);
    if (result == SR_STORE_OK)
        result = sr_account_file_change(store, &kind, &id, &body, note, &noted);
    sr_store_close(store);
    return result;
}

static bool
is_noted(const struct sr_transaction *txn)
{
    const struct sr_identity id = sr_transaction_identity(txn);
    struct sr_account_time time;
    struct sr_store *store;
    uint64_t noted = 0;

    if (sr_store_open(NULL, NULL, SR_STORE_READ, &store) != SR_STORE_OK ||
        sr_account_file_get(store, &kind, &id, &noted, &time) != SR_STORE_OK)
        noted = 0;
    sr_store_close(store);
    return noted == 1;
}

/* ---- restoring */

void
sr_never_expired_restore(const struct sr_transaction *txn)
{
    struct sr_call call;
    enum sr_refusal refusal;
    bool is_restored;

    if (!is_of_ad(txn) || !is_noted(txn))
        return;
    call = sr_call_make(&txn->account->backend, txn->connections);
    is_restored =
        sr_backend_administer(&call, txn->account, SR_ORDER_NEVER_EXPIRES, NULL,
                              &refusal) == SR_WRITE_DONE;
    sr_transaction_event(txn, SR_EVENT_NEVER_EXPIRES,
                         is_restored ? "ok" : "failed",
                         is_restored ? NULL : call.error.text, -1);
    if (is_restored)
        sr_never_expired_note(txn, false);
}
