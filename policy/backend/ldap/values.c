/*
 * LDAP values: texts of an account's entry, such as its mail addresses.
 *
 * They are read when they are asked for, and not with the account: a login
 * needs none of them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/request.h"
#include "policy/backend/ldap/values.h"

static bool
is_text(const struct sr_ldap_value *value, size_t most)
{
    return value->size > 0 && value->size <= most &&
           memchr(value->text, '\0', value->size) == NULL;
}

/* The texts of one attribute. */
static int
take(const struct sr_ldap_entry *entry, const char *attribute, size_t most,
     struct sr_string_list *values)
{
    const struct sr_ldap_value *value;
    size_t at = 0;
    int error = 0;

    while (error == 0 &&
           (value = sr_ldap_entry_value(entry, attribute, &at)) != NULL) {
        if (is_text(value, most))
            error = sr_string_list_add(values, value->text, value->size);
    }
    return error;
}

/* Each attribute by itself: one that is too large costs no other. */
static enum sr_status
read_one(struct sr_ldap_session *session, const struct sr_account *account,
         const char *attribute, size_t most, struct sr_string_list *values)
{
    const char *const attributes[] = {attribute, NULL};
    struct sr_ldap_entry entry = {0};
    enum sr_status status = SR_STATUS_OK;
    size_t count = 0;
    const int code =
        sr_ldap_search(session, account->entry, LDAP_SCOPE_BASE,
                       "(objectClass=*)", attributes, &entry, 1, &count);

    if (code == LDAP_NO_MEMORY)
        status = SR_STATUS_NO_MEMORY;
    else if (code != LDAP_SUCCESS || count == 0)
        status = SR_STATUS_UNAVAILABLE;
    else if (take(&entry, attribute, most, values) != 0)
        status = SR_STATUS_NO_MEMORY;
    sr_ldap_entry_clear(&entry);
    return status;
}

enum sr_status
sr_ldap_values(struct sr_call *call, const struct sr_account *account,
               const struct sr_string_list *attributes, size_t most,
               struct sr_string_list *values)
{
    struct sr_ldap_session *session = sr_ldap_begin(call->state, call);
    enum sr_status status = SR_STATUS_NO_MEMORY;

    if (session == NULL)
        return status;
    status = SR_STATUS_OK;
    session->by_owner =
        session->known.is_owners && session->bound == SR_LDAP_BOUND_USER;
    for (size_t i = 0; i < attributes->count && status == SR_STATUS_OK; i++)
        status = read_one(session, account, attributes->item[i], most, values);
    session->by_owner = false;
    sr_ldap_end(session);
    return status;
}
