/*
 * LDAP ledgers: the attributes of a failure that all hosts count.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "policy/backend/ldap/ledger_entry.h"
#include "policy/backend/ldap/syntax.h"

#define KEY_TEXT "1 key "

_Static_assert(sizeof(KEY_TEXT) + (size_t)2 * SR_SHARED_KEY_SIZE <=
                   SR_LDAP_LEDGER_KEY_SIZE,
               "the key has room");

const char *const sr_ldap_ledger_attributes[] = {
    "cn", "description", "createTimestamp", "modifyTimestamp", NULL};

const char *const sr_ldap_ledger_scan_attributes[] = {
    "cn",           "description", "createTimestamp", "modifyTimestamp",
    "serialNumber", NULL};

static const char hexadecimal[] = "0123456789abcdef";

const char *
sr_ldap_ledger_state(enum sr_shared_state state)
{
    static const char *const text[] = {
        [SR_SHARED_PENDING] = "1 pending",
        [SR_SHARED_AHEAD] = "1 ahead",
        [SR_SHARED_FAILED] = "1 failed",
    };

    return text[state];
}

bool
sr_ldap_ledger_is_account(const char *ledger)
{
    return (ledger[0] == 's' || ledger[0] == 'f') && ledger[1] == '-' &&
           strlen(ledger + 2) == SR_SHARED_ID_SIZE - 1 &&
           strspn(ledger + 2, hexadecimal) == SR_SHARED_ID_SIZE - 1;
}

bool
sr_ldap_ledger_entry(const struct sr_ldap_entry *from, sr_time now,
                     struct sr_shared_entry *entry)
{
    const char *id = sr_ldap_entry_first(from, "cn");
    const char *text = sr_ldap_entry_first(from, "description");
    const char *made = sr_ldap_entry_first(from, "createTimestamp");
    const char *changed = sr_ldap_entry_first(from, "modifyTimestamp");

    /* The id becomes a part of a DN again. */
    if (id == NULL || text == NULL || made == NULL ||
        strlen(id) != SR_SHARED_ID_SIZE - 1 ||
        strspn(id, hexadecimal) != SR_SHARED_ID_SIZE - 1 ||
        sr_ldap_time(made, &entry->made) != 0)
        return false;
    memcpy(entry->id, id, SR_SHARED_ID_SIZE);
    if (changed == NULL || sr_ldap_time(changed, &entry->changed) != 0)
        entry->changed = entry->made;
    if (entry->made - now > SR_LDAP_LEDGER_AHEAD ||
        entry->changed - now > SR_LDAP_LEDGER_AHEAD)
        return false;
    entry->state = SR_SHARED_FAILED;
    for (int state = 0; state < SR_SHARED_FAILED; state++) {
        if (strcmp(text, sr_ldap_ledger_state((enum sr_shared_state)state)) ==
            0)
            entry->state = (enum sr_shared_state)state;
    }
    return true;
}

void
sr_ldap_ledger_write_key(const uint8_t key[SR_SHARED_KEY_SIZE],
                         char text[SR_LDAP_LEDGER_KEY_SIZE])
{
    size_t at = strlen(KEY_TEXT);

    memcpy(text, KEY_TEXT, sizeof(KEY_TEXT));
    for (size_t i = 0; i < SR_SHARED_KEY_SIZE; i++) {
        text[at++] = hexadecimal[key[i] >> 4];
        text[at++] = hexadecimal[key[i] & 15];
    }
    text[at] = '\0';
}

bool
sr_ldap_ledger_read_key(const char *text, uint8_t key[SR_SHARED_KEY_SIZE])
{
    const size_t length = (size_t)2 * SR_SHARED_KEY_SIZE;

    if (strncmp(text, KEY_TEXT, strlen(KEY_TEXT)) != 0)
        return false;
    text += strlen(KEY_TEXT);
    if (strlen(text) != length || strspn(text, hexadecimal) != length)
        return false;
    for (size_t i = 0; i < SR_SHARED_KEY_SIZE; i++) {
        const long high = strchr(hexadecimal, text[2 * i]) - hexadecimal;
        const long low = strchr(hexadecimal, text[2 * i + 1]) - hexadecimal;

        key[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
