/*
 * LDAP record: a text that a directory keeps of one account for all hosts.
 *
 * Of an entry (device.h) the name is the record's, serialNumber the version,
 * description the text.  A modification deletes the version that was read and
 * adds another one, so of two at once the server carries out one (RFC 4511
 * section 4.6).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/device.h"
#include "policy/backend/ldap/record.h"
#include "policy/backend/ldap/request.h"
#include "policy/backend/ldap/scan.h"

static enum sr_status
failed(struct sr_ldap_session *session, const char *what,
       const struct sr_ldap_response *answer)
{
    return sr_ldap_device_failed(session, session->config->reset_base, what,
                                 answer);
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
     struct sr_ldap_response *answer)
{
    int sent = 0;
    const int code = ldap_delete_ext(session->ld, dn, NULL, NULL, &sent);

    sr_ldap_conclude(session, code, sent, answer);
}

/* What is done with an entry. */
enum step { ADD, REPLACE, DROP };

static void
send(struct sr_ldap_session *session, const char *dn, enum step step,
     const struct sr_record_request *request, struct sr_ldap_response *answer)
{
    if (step == ADD)
        sr_ldap_device_add(session, dn, request->id, request->fresh,
                           request->fresh_text, answer);
    else if (step == REPLACE)
        replace(session, dn, request, answer);
    else
        drop(session, dn, answer);
}

/* It can be repeated: where the first try was carried out the second one finds
 * another version, and whoever reads that finds its own. */
static enum sr_status
write_record(struct sr_ldap_session *session, const char *dn,
             const struct sr_record_request *request)
{
    static const char *const what[] = {[ADD] = "add an entry",
                                       [REPLACE] = "change an entry",
                                       [DROP] = "delete an entry"};
    const enum step step = request->fresh_text == NULL   ? DROP
                           : request->version[0] == '\0' ? ADD
                                                         : REPLACE;
    struct sr_ldap_response answer;

    do {
        sr_ldap_response_init(&answer, sr_ldap_as_service(session));
        if (answer.code == LDAP_SUCCESS)
            send(session, dn, step, request, &answer);
    } while (answer.code != LDAP_SUCCESS &&
             sr_ldap_may_repeat(session, answer.code));
    if (answer.code == LDAP_SUCCESS ||
        (step == DROP && answer.code == LDAP_NO_SUCH_OBJECT))
        return SR_STATUS_OK;
    if (answer.code == LDAP_NO_SUCH_ATTRIBUTE ||
        answer.code == LDAP_ALREADY_EXISTS ||
        (step == REPLACE && answer.code == LDAP_NO_SUCH_OBJECT))
        return SR_STATUS_UNKNOWN_NAME;
    return failed(session, what[step], &answer);
}

enum sr_status
sr_ldap_record(struct sr_call *call, struct sr_record_request *request)
{
    struct sr_ldap_session *session = sr_ldap_begin(call->state, call);
    enum sr_status status = SR_STATUS_NO_MEMORY;
    char *dn;

    if (session == NULL)
        return status;
    dn = sr_ldap_device_name(session->config->reset_base, request->id);
    if (dn != NULL)
        status = request->fresh == NULL ? read_record(session, dn, request)
                                        : write_record(session, dn, request);
    free(dn);
    sr_ldap_end(session);
    return status;
}

/* ---- all of them */

#define PAGE 64 /* entries: each has some thousand bytes */

struct passing {
    struct sr_records_request *request;
    bool is_ended;
};

static enum sr_status
pass_on(void *context, const struct sr_ldap_entry *entry)
{
    struct passing *passing = context;
    const char *id = only(entry, "cn");
    const char *text = only(entry, "description");

    if (!passing->is_ended && is_id(id) && text != NULL)
        passing->is_ended =
            !passing->request->take(passing->request->context, id, text);
    return passing->is_ended ? SR_STATUS_UNKNOWN_NAME : SR_STATUS_OK;
}

enum sr_status
sr_ldap_records(struct sr_call *call, struct sr_records_request *request)
{
    static const char *const attributes[] = {"cn", "description", NULL};
    struct sr_ldap_session *session = sr_ldap_begin(call->state, call);
    struct passing passing = {request, false};
    struct sr_ldap_paged paged;
    enum sr_status status;

    if (session == NULL)
        return SR_STATUS_NO_MEMORY;
    paged = (struct sr_ldap_paged){.base = session->config->reset_base,
                                   .scope = LDAP_SCOPE_ONELEVEL,
                                   .filter = "(objectClass=device)",
                                   .attributes = attributes,
                                   .size = PAGE};
    status = sr_ldap_scan(session, &paged, pass_on, &passing);
    sr_ldap_end(session);
    return passing.is_ended ? SR_STATUS_OK : status;
}
