/*
 * LDAP shared ledger: failed attempts of all hosts, as entries below one
 * container.
 *
 * Of an entry (device.h) the name is random, serialNumber names the ledger,
 * description its state.  Everything here is done as the service, which alone
 * has access to the container.
 *
 * Requests can be repeated: an entry that is there already has
 * been added, one that is gone has been deleted.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/device.h"
#include "policy/backend/ldap/ledger_entry.h"
#include "policy/backend/ldap/ledger_scan.h"
#include "policy/backend/ldap/receive.h"
#include "policy/backend/ldap/request.h"
#include "policy/backend/ldap/shared_ledger.h"
#include "policy/util/deadline.h"

/* What is left for settling, however long the verification took. */
#define SETTLE_MS 1000

/* How long what was cleared need not be read: as ldap.c's FRESH_MS. */
#define FRESH_MS 30000

/* Deletions that are under way at once. */
#define AT_ONCE 32

/* The key's entry. */
#define KEY_NAME   "selfreset"
#define KEY_LEDGER "key"

/* The DN of an entry; a new string, or NULL. */
static char *
name_of(const struct sr_ldap_session *session, const char *id)
{
    return sr_ldap_device_name(session->config->lockout_base, id);
}

static enum sr_status
failed(struct sr_ldap_session *session, const char *what,
       const struct sr_ldap_response *answer)
{
    return sr_ldap_device_failed(session, session->config->lockout_base, what,
                                 answer);
}

/* ---- adding and changing */

/* One entry.  LDAP_ALREADY_EXISTS is left to the caller. */
static void
add(struct sr_ldap_session *session, const char *id, const char *ledger,
    const char *description, struct sr_ldap_response *answer)
{
    char *dn = name_of(session, id);

    do {
        sr_ldap_response_init(answer, dn == NULL ? LDAP_NO_MEMORY
                                                 : sr_ldap_as_service(session));
        if (answer->code != LDAP_SUCCESS)
            break;
        sr_ldap_device_add(session, dn, id, ledger, description, answer);
    } while (sr_ldap_may_repeat(session, answer->code));
    free(dn);
}

static enum sr_status
add_failure(struct sr_ldap_session *session,
            const struct sr_shared_request *request)
{
    struct sr_ldap_response answer;

    add(session, request->id, request->ledger,
        sr_ldap_ledger_state(request->state), &answer);
    if (answer.code == LDAP_SUCCESS || answer.code == LDAP_ALREADY_EXISTS)
        return SR_STATUS_OK;
    return failed(session, "add an entry", &answer);
}

static enum sr_status
mark(struct sr_ldap_session *session, const struct sr_shared_request *request)
{
    char *dn = name_of(session, request->id);
    struct sr_ldap_response answer;

    do {
        sr_ldap_response_init(
            &answer, dn == NULL ? LDAP_NO_MEMORY : sr_ldap_as_service(session));
        if (answer.code != LDAP_SUCCESS)
            break;
        sr_ldap_replace(session, dn, "description",
                        sr_ldap_ledger_state(request->state), &answer);
    } while (sr_ldap_may_repeat(session, answer.code));
    free(dn);
    if (answer.code == LDAP_SUCCESS)
        return SR_STATUS_OK;
    if (answer.code == LDAP_NO_SUCH_OBJECT)
        return SR_STATUS_UNKNOWN_NAME;
    return failed(session, "change an entry", &answer);
}

/* ---- deleting */

/* Ask for some deletions at once and then for their answers. */
static int
drop_some(struct sr_ldap_session *session, const struct sr_shared_entry *entry,
          size_t count, struct sr_ldap_response *answer)
{
    int sent[AT_ONCE], code = LDAP_SUCCESS;
    struct sr_ldap_response one;
    LDAPMessage *message;
    size_t asked = 0;

    for (; asked < count && code == LDAP_SUCCESS; asked++) {
        char *dn = name_of(session, entry[asked].id);

        code = dn == NULL
                   ? LDAP_NO_MEMORY
                   : ldap_delete_ext(session->ld, dn, NULL, NULL, &sent[asked]);
        free(dn);
    }
    if (code != LDAP_SUCCESS) {
        sr_ldap_response_init(answer, code);
        asked--;
    }
    for (size_t i = 0; i < asked; i++) {
        sr_ldap_receive(session, sent[i], sr_ldap_last_moment(session), &one,
                        &message);
        ldap_msgfree(message);
        if (one.code != LDAP_SUCCESS && one.code != LDAP_NO_SUCH_OBJECT) {
            *answer = one;
            code = one.code;
        }
        if (sr_ldap_response_is_away(one.code))
            break;
    }
    return code;
}

static enum sr_status
drop(struct sr_ldap_session *session, const struct sr_shared_request *request)
{
    struct sr_ldap_response answer;
    size_t done = 0;
    int code = LDAP_SUCCESS;

    while (done < request->count) {
        size_t some = request->count - done;

        if (some > AT_ONCE)
            some = AT_ONCE;
        sr_ldap_response_init(&answer, sr_ldap_as_service(session));
        code = answer.code;
        if (code == LDAP_SUCCESS)
            code = drop_some(session, request->drop + done, some, &answer);
        if (code == LDAP_SUCCESS)
            done += some;
        else if (!sr_ldap_may_repeat(session, code))
            break;
    }
    if (code != LDAP_SUCCESS)
        return failed(session, "delete an entry", &answer);
    if (request->is_all) {
        snprintf(session->ledger.cleared, sizeof(session->ledger.cleared), "%s",
                 request->ledger);
        session->ledger.cleared_at = sr_deadline_now();
    }
    return SR_STATUS_OK;
}

/* ---- reading */

/* When an entry was added or changed last. */
static sr_time
last_time(const struct sr_shared_entry *entry)
{
    return entry->changed > entry->made ? entry->changed : entry->made;
}

/* Add an entry to the list; when that is full the oldest one is replaced. */
static void
keep(struct sr_shared_list *list, const struct sr_shared_entry *entry)
{
    struct sr_shared_entry *oldest = &list->entry[0];

    if (list->count < SR_SHARED_MAX) {
        list->entry[list->count++] = *entry;
        return;
    }
    list->is_cut = true;
    for (size_t i = 1; i < list->count; i++) {
        if (last_time(&list->entry[i]) < last_time(oldest))
            oldest = &list->entry[i];
    }
    if (last_time(entry) > last_time(oldest))
        *oldest = *entry;
}

/* What is not an entry of a ledger does not use up the list. */
static int
keep_entries(struct sr_ldap_session *session, LDAPMessage *message,
             struct sr_shared_list *list)
{
    const sr_time now = (sr_time)time(NULL);
    int code = LDAP_SUCCESS;

    for (LDAPMessage *at = ldap_first_entry(session->ld, message);
         at != NULL && code == LDAP_SUCCESS;
         at = ldap_next_entry(session->ld, at)) {
        struct sr_ldap_entry found = {0};
        struct sr_shared_entry entry;

        code = sr_ldap_entry_take(session, at, &found);
        if (code == LDAP_SUCCESS && sr_ldap_ledger_entry(&found, now, &entry))
            keep(list, &entry);
        sr_ldap_entry_clear(&found);
    }
    return code;
}

/* Ask for all entries that a filter finds, on the connection at hand. */
static void
search_once(struct sr_ldap_session *session, const char *filter,
            struct sr_shared_list *list, struct sr_ldap_response *answer)
{
    LDAPMessage *message = NULL;
    int sent;

    list->count = 0;
    list->is_cut = false;
    sr_ldap_response_init(
        answer, ldap_search_ext(session->ld, session->config->lockout_base,
                                LDAP_SCOPE_ONELEVEL, filter,
                                (char **)(uintptr_t)sr_ldap_ledger_attributes,
                                0, NULL, NULL, NULL, LDAP_NO_LIMIT, &sent));
    if (answer->code != LDAP_SUCCESS)
        return;
    sr_ldap_receive(session, sent, sr_ldap_server_moment(session, session->uri),
                    answer, &message);
    if (answer->code == LDAP_SUCCESS)
        answer->code = keep_entries(session, message, list);
    ldap_msgfree(message);
}

/* What was cleared a moment ago need not be read. */
static bool
is_recalled(const struct sr_ldap_session *session,
            const struct sr_shared_request *request)
{
    return request->may_recall &&
           strcmp(session->ledger.cleared, request->ledger) == 0 &&
           sr_deadline_now() - session->ledger.cleared_at < FRESH_MS;
}

static enum sr_status
list(struct sr_ldap_session *session, const struct sr_shared_request *request)
{
    struct sr_ldap_response answer;
    char filter[SR_SHARED_LEDGER_SIZE + 32];

    request->list->count = 0;
    request->list->is_cut = false;
    if (is_recalled(session, request))
        return SR_STATUS_OK;
    snprintf(filter, sizeof(filter), "(serialNumber=%s)", request->ledger);
    do {
        sr_ldap_response_init(&answer, sr_ldap_as_service(session));
        if (answer.code == LDAP_SUCCESS)
            search_once(session, filter, request->list, &answer);
    } while (answer.code != LDAP_SUCCESS &&
             sr_ldap_may_repeat(session, answer.code));
    return answer.code == LDAP_SUCCESS ? SR_STATUS_OK
                                       : failed(session, "search", &answer);
}

/* ---- the key */

/* The first host makes one; a host that was not the first reads it. */
static enum sr_status
make_key(struct sr_ldap_session *session)
{
    uint8_t key[SR_SHARED_KEY_SIZE];
    char text[SR_LDAP_LEDGER_KEY_SIZE];
    struct sr_ldap_response answer;

    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
        sr_ldap_why(session, "no random numbers: %m");
        return SR_STATUS_UNAVAILABLE;
    }
    sr_ldap_ledger_write_key(key, text);
    add(session, KEY_NAME, KEY_LEDGER, text, &answer);
    explicit_bzero(key, sizeof(key));
    explicit_bzero(text, sizeof(text));
    if (answer.code == LDAP_SUCCESS || answer.code == LDAP_ALREADY_EXISTS)
        return SR_STATUS_OK;
    return failed(session, "add the key", &answer);
}

/* *is_there: there is an entry, whatever its state. */
static enum sr_status
find_key(struct sr_ldap_session *session, bool *is_there)
{
    static const char *const attributes[] = {"description", NULL};
    struct sr_ldap_entry entry = {0};
    struct sr_ldap_response answer;
    char *dn = name_of(session, KEY_NAME);
    const char *text;
    size_t count = 0;

    sr_ldap_response_init(&answer, LDAP_NO_MEMORY);
    if (dn != NULL)
        answer.code =
            sr_ldap_search(session, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                           attributes, &entry, 1, &count);
    free(dn);
    *is_there = count > 0;
    text = sr_ldap_entry_first(&entry, "description");
    session->ledger.has_key =
        text != NULL && sr_ldap_ledger_read_key(text, session->ledger.key);
    sr_ldap_entry_clear(&entry);
    return answer.code == LDAP_SUCCESS ? SR_STATUS_OK
                                       : failed(session, "read", &answer);
}

static enum sr_status
have_key(struct sr_ldap_session *session, struct sr_shared_request *request)
{
    enum sr_status ask = SR_STATUS_OK;
    bool is_there = false;

    if (!session->ledger.has_key)
        ask = find_key(session, &is_there);
    if (ask == SR_STATUS_OK && !session->ledger.has_key && !is_there) {
        ask = make_key(session);
        if (ask == SR_STATUS_OK)
            ask = find_key(session, &is_there);
    }
    if (ask != SR_STATUS_OK)
        return ask;
    if (!session->ledger.has_key) {
        sr_ldap_why(session, "cn=%s,%s cannot be read, or is no key", KEY_NAME,
                    session->config->lockout_base);
        return SR_STATUS_UNAVAILABLE;
    }
    memcpy(request->key, session->ledger.key, sizeof(request->key));
    return SR_STATUS_OK;
}

/* ---- the operation */

static enum sr_status
carry_out(struct sr_ldap_session *session, struct sr_shared_request *request)
{
    switch (request->what) {
    case SR_SHARED_KEY:
        return have_key(session, request);
    case SR_SHARED_ADD:
        return add_failure(session, request);
    case SR_SHARED_LIST:
        return list(session, request);
    case SR_SHARED_MARK:
        return mark(session, request);
    case SR_SHARED_DROP:
        return drop(session, request);
    case SR_SHARED_ALL:
        return sr_ldap_ledger_scan(session, request);
    }
    return SR_STATUS_UNAVAILABLE;
}

/* Once the password was verified the count has started anew, for later calls.
 * Settling belongs to the earlier ones. */
static int64_t
spent_before(const struct sr_ldap_session *session)
{
    const int64_t most = session->config->timeout * 1000 - SETTLE_MS;
    int64_t spent = session->spent + session->proving;

    if (spent > most)
        spent = most;
    return spent > session->spent ? spent : session->spent;
}

/*
 * Whether the connection has to stay the owner's.  Where the password has
 * expired each bind takes one of the logins that are left, and the change that
 * is coming may have none.
 */
static bool
is_precious(const struct sr_ldap_session *session)
{
    return session->ld != NULL && session->bound == SR_LDAP_BOUND_USER &&
           session->has_response && session->response.grace >= 0;
}

/* Carry it out over another connection, and restore the earlier one. */
static enum sr_status
carry_out_aside(struct sr_ldap_session *session,
                struct sr_shared_request *request)
{
    const struct sr_ldap_session before = *session;
    enum sr_status ask;

    session->ld = NULL;
    session->fd = -1;
    session->bound = SR_LDAP_BOUND_NOBODY;
    session->is_used = false;
    ask = carry_out(session, request);
    sr_ldap_close(session, false);
    session->ld = before.ld;
    session->fd = before.fd;
    session->bound = before.bound;
    session->device = before.device;
    session->inode = before.inode;
    session->is_kind_known = before.is_kind_known;
    session->is_used = before.is_used;
    session->is_insecure = before.is_insecure;
    session->uri = before.uri;
    session->dead = before.dead;
    return ask;
}

enum sr_status
sr_ldap_shared_ledger(struct sr_call *call, struct sr_shared_request *request)
{
    struct sr_ldap_session *session = sr_ldap_begin(call->state, call);
    int64_t spent;
    enum sr_status ask;

    if (session == NULL)
        return SR_STATUS_NO_MEMORY;
    spent = session->spent;
    if (request->is_settling)
        session->spent = spent_before(session);
    ask = is_precious(session) ? carry_out_aside(session, request)
                               : carry_out(session, request);
    session->spent = spent;
    sr_ldap_end(session);
    return ask;
}
