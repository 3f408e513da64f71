/*
 * LDAP entry: the values that were read of one entry.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/backend/ldap/entry.h"
#include "policy/util/utf8.h"

/* A value that was not text. */
static const char odd[] = "\001";

static int
grow(struct sr_ldap_entry *entry)
{
    const size_t room = entry->room == 0 ? 16 : entry->room * 2;
    struct sr_ldap_value *grown =
        reallocarray(entry->value, room, sizeof(*grown));

    if (grown == NULL)
        return -1;
    entry->value = grown;
    entry->room = room;
    return 0;
}

int
sr_ldap_entry_add(struct sr_ldap_entry *entry, const char *attribute,
                  const char *text, size_t length)
{
    struct sr_ldap_value *value;

    if (entry->count >= SR_LDAP_VALUES_MAX ||
        length > SR_LDAP_BYTES_MAX - entry->bytes) {
        entry->is_cut = true;
        return 0;
    }
    if (entry->count == entry->room && grow(entry) != 0)
        return -1;
    value = &entry->value[entry->count];
    value->attribute = strdup(attribute);
    value->text = malloc(length + 1);
    value->size = length;
    if (value->attribute == NULL || value->text == NULL) {
        free(value->attribute);
        free(value->text);
        return -1;
    }
    memcpy(value->text, text, length);
    value->text[length] = '\0';
    entry->count++;
    entry->bytes += length;
    return 0;
}

void
sr_ldap_entry_clear(struct sr_ldap_entry *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        free(entry->value[i].attribute);
        free(entry->value[i].text);
    }
    free(entry->value);
    free(entry->dn);
    memset(entry, 0, sizeof(*entry));
}

const struct sr_ldap_value *
sr_ldap_entry_value(const struct sr_ldap_entry *entry, const char *attribute,
                    size_t *at)
{
    while (*at < entry->count) {
        const struct sr_ldap_value *value = &entry->value[(*at)++];

        if (strcasecmp(value->attribute, attribute) == 0)
            return value;
    }
    return NULL;
}

const char *
sr_ldap_entry_next(const struct sr_ldap_entry *entry, const char *attribute,
                   size_t *at)
{
    const struct sr_ldap_value *value =
        sr_ldap_entry_value(entry, attribute, at);

    if (value == NULL)
        return NULL;
    return strlen(value->text) == value->size ? value->text : odd;
}

const char *
sr_ldap_entry_first(const struct sr_ldap_entry *entry, const char *attribute)
{
    size_t at = 0;

    return sr_ldap_entry_next(entry, attribute, &at);
}

const char *
sr_ldap_entry_spelling(const struct sr_ldap_entry *entry, const char *attribute,
                       const char *name)
{
    const char *text, *other = NULL;
    size_t at = 0;

    while ((text = sr_ldap_entry_next(entry, attribute, &at)) != NULL) {
        if (strcmp(text, name) == 0)
            return text;
        if (other == NULL && sr_utf8_is_same_name(text, name))
            other = text;
    }
    return other;
}
