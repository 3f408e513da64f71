/*
 * Known: the addresses that a directory has of an account.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/backend/registry.h"
#include "policy/reset/channel.h"
#include "policy/reset/known.h"

/* The attributes; NULL: there are none. */
static const struct sr_string_list *
attributes_of(const struct sr_reset_config *config, enum sr_channel_id channel)
{
    return channel == SR_CHANNEL_MAIL   ? &config->mail_attributes
           : channel == SR_CHANNEL_PUSH ? NULL
                                        : &config->phone_attributes;
}

bool
sr_known_has(const struct sr_known *known, const char *address)
{
    unsigned i = 0;

    while (i < known->count && !sr_channel_is_same(known->address[i], address))
        i++;
    return i < known->count;
}

bool
sr_known_has_lost(const struct sr_known *known,
                  const struct sr_confirmation *confirmation,
                  const char *address)
{
    return known->is_whole && confirmation->is_known != 0 &&
           address[0] != '\0' && !sr_known_has(known, address);
}

static void
take(enum sr_channel_id channel, const char *value, struct sr_known *known)
{
    char address[SR_ADDRESS_MAX];

    if (!sr_channel_read(channel, value, address) ||
        sr_known_has(known, address))
        return;
    known->is_whole = known->is_whole && known->count < SR_KNOWN_MAX;
    if (known->count < SR_KNOWN_MAX)
        memcpy(known->address[known->count++], address, SR_ADDRESS_MAX);
}

void
sr_known_read(const struct sr_transaction *txn, enum sr_channel_id channel,
              struct sr_known *known)
{
    const struct sr_string_list *attributes =
        attributes_of(&txn->config->reset, channel);
    const struct sr_account *account = txn->account;
    struct sr_string_list values = {0};
    struct sr_call call;

    memset(known, 0, sizeof(*known));
    if (attributes == NULL || attributes->count == 0 || account == NULL ||
        account->backend.ops->values == NULL)
        return;
    call = sr_call_make(&account->backend, txn->connections);
    known->is_whole =
        sr_backend_values(&call, account, attributes, SR_ADDRESS_MAX - 1,
                          &values) == SR_STATUS_OK;
    for (size_t i = 0; i < values.count; i++)
        take(channel, values.item[i], known);
    sr_string_list_free(&values);
}
