/*
 * Known: the addresses and the public keys that a directory has of an account.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>
#include <strings.h>

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

/* The values of some attributes; none for accounts of this host. */
static enum sr_status
read_values(const struct sr_transaction *txn,
            const struct sr_string_list *attributes, size_t most,
            struct sr_string_list *values, struct sr_error *error)
{
    const struct sr_account *account = txn->account;
    enum sr_status status;
    struct sr_call call;

    if (attributes == NULL || attributes->count == 0 || account == NULL ||
        account->backend.ops->values == NULL)
        return SR_STATUS_UNKNOWN_NAME;
    call = sr_call_make(&account->backend, txn->connections);
    status = sr_backend_values(&call, account, attributes, most, values);
    *error = call.error;
    return status;
}

void
sr_known_read(const struct sr_transaction *txn, enum sr_channel_id channel,
              struct sr_known *known)
{
    struct sr_string_list values = {0};
    struct sr_error error;

    memset(known, 0, sizeof(*known));
    known->is_whole =
        read_values(txn, attributes_of(&txn->config->reset, channel),
                    SR_ADDRESS_MAX - 1, &values, &error) == SR_STATUS_OK;
    for (size_t i = 0; i < values.count; i++)
        take(channel, values.item[i], known);
    sr_string_list_free(&values);
}

/* ---- public keys */

#define KEY_VALUE_MAX 16384 /* bytes: lines with their comments */

/* Take the next key of the values, from `at` on in the one of the number. */
static bool
next_key(const struct sr_string_list *values, size_t *number, const char **at,
         char key[SR_KEY_MAX])
{
    static const char prefix[] = "SSHKey:";
    enum sr_key_fault fault = SR_KEY_NONE;

    while (fault != SR_KEY_GOOD && *number < values->count) {
        if (*at == NULL) {
            *at = values->item[*number];
            if (strncasecmp(*at, prefix, sizeof(prefix) - 1) == 0)
                *at += sizeof(prefix) - 1;
        }
        fault = sr_key_read(*at, key);
        *at += strcspn(*at, "\n");
        *at = **at == '\0' ? NULL : *at + 1;
        if (*at == NULL)
            ++*number;
    }
    return fault == SR_KEY_GOOD;
}

static bool
is_same_key(const char *a, const char *b)
{
    return strcmp(sr_key_plain(a), sr_key_plain(b)) == 0;
}

void
sr_known_keys_read(const struct sr_transaction *txn,
                   struct sr_known_keys *known)
{
    const char *at = NULL;
    size_t number = 0;
    enum sr_status status;

    memset(known, 0, sizeof(*known));
    status = read_values(txn, &txn->config->reset.key_attributes, KEY_VALUE_MAX,
                         &known->values, &known->error);
    known->decides = status == SR_STATUS_UNKNOWN_NAME ? SR_NO
                     : status == SR_STATUS_OK         ? SR_YES
                                                      : SR_UNKNOWN;
    while (known->count < SR_KNOWN_KEYS &&
           next_key(&known->values, &number, &at, known->key[known->count])) {
        unsigned i = 0;

        while (!is_same_key(known->key[i], known->key[known->count]))
            i++;
        known->count += i == known->count;
    }
}

void
sr_known_keys_free(struct sr_known_keys *known)
{
    sr_string_list_free(&known->values);
}

enum sr_tri
sr_known_keys_has(const struct sr_known_keys *known, const char *key)
{
    char found[SR_KEY_MAX];
    const char *at = NULL;
    size_t number = 0;
    enum sr_tri has = known->decides == SR_NO    ? SR_YES
                      : known->decides == SR_YES ? SR_NO
                                                 : SR_UNKNOWN;

    while (has == SR_NO && next_key(&known->values, &number, &at, found))
        has = is_same_key(found, key) ? SR_YES : SR_NO;
    return has;
}
