/*
 * LDAP record: a text that a directory keeps of one account for all hosts.
 *
 * An entry below reset_base is a device, a class that every server knows: its
 * name is the record's, serialNumber the version, description the text.  A
 * modification deletes the version that was read and adds another one, so of
 * two at once the server carries out one (RFC 4511 section 4.6).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/receive.h"
#include "policy/backend/ldap/record.h"
#include "policy/backend/ldap/request.h"

static enum sr_status
failed(struct sr_ldap_session *session, const char *what,
       const struct sr_ldap_response *answer)
{
    const char *base = session->config->reset_base;

    if (answer->code == LDAP_NO_MEMORY)
        return SR_STATUS_NO_MEMORY;
    if (answer->code == LDAP_NO_SUCH_OBJECT)
        sr_ldap_why(session, "%s, to %s: there is no such entry", base, what);
    else if (!sr_ldap_response_is_away(answer->code) ||
             !sr_error_has_text(session->error))
        sr_ldap_why_response(session, answer, "%s, to %s: ", base, what);
    return SR_STATUS_UNAVAILABLE;
}

/* ---- reading */

static bool
is_id(const char *text)
{
    return text != NULL && strlen(text) == SR_RECORD_ID_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == SR_RECORD_ID_SIZE - 1;
}

/* One value of an attribute, or NULL. */
static const char *
only(const struct sr_ldap_entry *entry, const char *attribute)
{
    const char *first;
    size_t at = 0;

    first = sr_ldap_entry_next(entry, attribute, &at);
    return entry->is_cut || sr_ldap_entry_next(entry, attribute, &at) != NULL
               ? NULL
               : first;
}

/* Without a record: whether there is at least the place for it. */
static enum sr_status
find_base(struct sr_ldap_session *session)
{
    static const char *const attributes[] = {LDAP_NO_ATTRS, NULL};
    struct sr_ldap_entry entry = {0};
    struct sr_ldap_response answer;
    size_t count = 0;

    sr_ldap_response_init(&answer,
                          sr_ldap_search(session, session->config->reset_base,
                                         LDAP_SCOPE_BASE, "(objectClass=*)",
                                         attributes, &entry, 1, &count));
    sr_ldap_entry_clear(&entry);
    if (answer.code == LDAP_SUCCESS && count == 0)
        answer.code = LDAP_NO_SUCH_OBJECT;
    return answer.code == LDAP_SUCCESS ? SR_STATUS_OK
                                       : failed(session, "read", &answer);
}

static enum sr_status
take(struct sr_ldap_session *session, const struct sr_ldap_entry *entry,
     struct sr_record_request *request)
{
    const char *version = only(entry, "serialNumber");
    const char *text = only(entry, "description");

    if (!is_id(version) || text == NULL) {
        sr_ldap_why(session,
                    "cn=%s,%s is no enrolment, or cannot be read whole",
                    request->id, session->config->reset_base);
        return SR_STATUS_UNAVAILABLE;
    }
    request->text = strdup(text);
    memcpy(request->version, version, SR_RECORD_ID_SIZE);
    return request->text == NULL ? SR_STATUS_NO_MEMORY : SR_STATUS_OK;
}

static enum sr_status
read_record(struct sr_ldap_session *session, const char *dn,
            struct sr_record_request *request)
{
    static const char *const attributes[] = {"serialNumber", "description",
                                             NULL};
    struct sr_ldap_entry entry = {0};
    struct sr_ldap_response answer;
    enum sr_status status;
    size_t count = 0;

    request->version[0] = '\0';
    request->text = NULL;
    sr_ldap_response_init(&answer, sr_ldap_search(session, dn, LDAP_SCOPE_BASE,
                                                  "(objectClass=*)", attributes,
                                                  &entry, 1, &count));
    if (answer.code != LDAP_SUCCESS)
        status = failed(session, "read", &answer);
    else if (count == 0)
        status = find_base(session);
    else
        status = take(session, &entry, request);
    sr_ldap_entry_clear(&entry);
    return status;
}

/* ---- writing */

static LDAPMod
modification(int operation, const char *attribute, const char *const *values)
{
    return (LDAPMod){.mod_op = operation,
                     .mod_type = (char *)(uintptr_t)attribute,
                     .mod_values = (char **)(uintptr_t)values};
}

/* The first version of it. */
static void
add(struct sr_ldap_session *session, const char *dn,
    const struct sr_record_request *request, struct sr_ldap_response *answer)
{
    const char *const class[] = {"device", NULL}, *const cn[] = {request->id,
                                                                 NULL};
    const char *const version[] = {request->fresh, NULL};
    const char *const text[] = {request->fresh_text, NULL};
    LDAPMod mod[] = {modification(LDAP_MOD_ADD, "objectClass", class),
                     modification(LDAP_MOD_ADD, "cn", cn),
                     modification(LDAP_MOD_ADD, "serialNumber", version),
                     modification(LDAP_MOD_ADD, "description", text)};
    LDAPMod *all[] = {&mod[0], &mod[1], &mod[2], &mod[3], NULL};
    LDAPMessage *message;
    int sent;

    sr_ldap_response_init(
        answer, ldap_add_ext(session->ld, dn, all, NULL, NULL, &sent));
    if (answer->code != LDAP_SUCCESS)
        return;
    sr_ldap_receive(session, sent, sr_ldap_last_moment(session), answer,
                    &message);
    ldap_msgfree(message);
}

/* Another version. */
static void
replace(struct sr_ldap_session *session, const char *dn,
        const struct sr_record_request *request,
        struct sr_ldap_response *answer)
{
    const char *const old[] = {request->version, NULL};
    const char *const version[] = {request->fresh, NULL};
    const char *const text[] = {request->fresh_text, NULL};
    LDAPMod mod[] = {modification(LDAP_MOD_DELETE, "serialNumber", old),
                     modification(LDAP_MOD_ADD, "serialNumber", version),
                     modification(LDAP_MOD_REPLACE, "description", text)};
    LDAPMod *all[] = {&mod[0], &mod[1], &mod[2], NULL};

    sr_ldap_modify(session, dn, all, NULL, answer);
}

static void
drop(struct sr_ldap_session *session, const char *dn,
     const struct sr_record_request *request, struct sr_ldap_response *answer)
{
    LDAPMessage *message;
    int sent;

    (void)request;
    sr_ldap_response_init(answer,
                          ldap_delete_ext(session->ld, dn, NULL, NULL, &sent));
    if (answer->code != LDAP_SUCCESS)
        return;
    sr_ldap_receive(session, sent, sr_ldap_last_moment(session), answer,
                    &message);
    ldap_msgfree(message);
}

/* It can be repeated: where the first try was carried out the second one finds
 * another version, and whoever reads that finds its own. */
static enum sr_status
write_record(struct sr_ldap_session *session, const char *dn,
             const struct sr_record_request *request)
{
    const bool is_first = request->version[0] == '\0';
    void (*const write)(struct sr_ldap_session *, const char *,
                        const struct sr_record_request *,
                        struct sr_ldap_response *) = request->fresh_text == NULL
                                                         ? drop
                                                     : is_first ? add
                                                                : replace;
    struct sr_ldap_response answer;

    do {
        sr_ldap_response_init(&answer, sr_ldap_as_service(session));
        if (answer.code == LDAP_SUCCESS)
            write(session, dn, request, &answer);
    } while (answer.code != LDAP_SUCCESS &&
             sr_ldap_may_repeat(session, answer.code));
    switch (answer.code) {
    case LDAP_SUCCESS:
        return SR_STATUS_OK;
    case LDAP_NO_SUCH_ATTRIBUTE:
    case LDAP_ALREADY_EXISTS:
        return SR_STATUS_UNKNOWN_NAME;
    case LDAP_NO_SUCH_OBJECT:
        if (write == drop)
            return SR_STATUS_OK;
        if (write == replace)
            return SR_STATUS_UNKNOWN_NAME;
        /* fall through */
    default:
        return failed(session,
                      write == drop  ? "delete an entry"
                      : write == add ? "add an entry"
                                     : "change an entry",
                      &answer);
    }
}

enum sr_status
sr_ldap_record(struct sr_call *call, struct sr_record_request *request)
{
    struct sr_ldap_session *session = sr_ldap_begin(call->state, call);
    enum sr_status status = SR_STATUS_NO_MEMORY;
    char *dn;

    if (session == NULL)
        return status;
    if (asprintf(&dn, "cn=%s,%s", request->id, session->config->reset_base) < 0)
        dn = NULL;
    if (dn != NULL)
        status = request->fresh == NULL ? read_record(session, dn, request)
                                        : write_record(session, dn, request);
    free(dn);
    sr_ldap_end(session);
    return status;
}
