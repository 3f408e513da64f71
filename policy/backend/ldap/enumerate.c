/*
 * LDAP enumerate: every account of a directory, in one search.
 *
 * Nothing is reported before everything was read, policies included: a visitor
 * would mistake a part of a directory for the whole.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/describe.h"
#include "policy/backend/ldap/enumerate.h"
#include "policy/backend/ldap/pages.h"
#include "policy/backend/ldap/policies.h"
#include "policy/backend/ldap/receive.h"
#include "policy/backend/ldap/template.h"
#include "policy/util/deadline.h"
#include "policy/util/utf8.h"
#include "policy/util/words.h"

/* For all policies together. */
#define POLICIES_MAX_MS ((int64_t)5 * 60 * 1000)

/* One name, and the entry that has it. */
struct item {
    char *name;
    LDAPMessage *message; /* NULL: the entry has too many names */
    bool has_uid;
    uid_t uid; /* of an entry with too many names */
};

struct reading {
    struct sr_ldap_session *session;
    const struct sr_backend *backend;
    struct sr_ldap_pages pages;
    int64_t end; /* deadline for all policies together */
    struct item *item;
    size_t count, room;
    locale_t locale; /* of the names */
};

static void
reading_clear(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        free(reading->item[i].name);
    free(reading->item);
    reading->item = NULL;
    reading->count = reading->room = 0;
    sr_ldap_pages_clear(&reading->pages);
}

/* By name without case, as a directory searches for it; of one spelling those
 * with a uid come first. */
static int
compare_items(const void *a, const void *b, void *locale)
{
    const struct item *left = a, *right = b;
    int order = sr_utf8_compare_names(left->name, right->name, locale);

    if (order == 0)
        order = strcmp(left->name, right->name);
    return order != 0 ? order : right->has_uid - left->has_uid;
}

static int
add_item(struct reading *reading, const struct item *item)
{
    if (reading->count == reading->room) {
        size_t room = reading->room == 0 ? 1024 : reading->room * 2;
        struct item *grown = reallocarray(reading->item, room, sizeof(*grown));

        if (grown == NULL)
            return LDAP_NO_MEMORY;
        reading->item = grown;
        reading->room = room;
    }
    reading->item[reading->count] = *item;
    reading->item[reading->count].name = strdup(item->name);
    if (reading->item[reading->count].name == NULL)
        return LDAP_NO_MEMORY;
    reading->count++;
    return LDAP_SUCCESS;
}

/* Read the policies of an entry.  Where that fails with the server there, it is
 * the account's fault: see `wrong`. */
static int
read_policies(struct reading *reading, struct sr_ldap_view *view,
              const char **wrong)
{
    struct sr_ldap_session *session = reading->session;
    int code;

    if (sr_deadline_now() > reading->end) {
        sr_ldap_why(session, "the policies take too long to be read");
        return LDAP_TIMEOUT;
    }
    sr_ldap_answered(session); /* each has the time of a login */
    sr_error_clear(session->error);
    code = sr_ldap_policies_of(session, &session->policies, view);
    *wrong = NULL;
    if (code == LDAP_SUCCESS || code == LDAP_NO_MEMORY ||
        sr_ldap_response_is_away(code))
        return code;
    *wrong = sr_error_has_text(session->error)
                 ? session->error->text
                 : N_LOG("its policy cannot be read");
    return LDAP_SUCCESS;
}

static bool
has_too_many_names(const struct sr_ldap_entry *entry, const char *attribute)
{
    size_t at = 0, count = 0;

    while (count <= SR_LDAP_NAMES_MAX &&
           sr_ldap_entry_next(entry, attribute, &at) != NULL)
        count++;
    return count > SR_LDAP_NAMES_MAX;
}

/* The names of an entry, and its policy. */
static int
index_entry(struct reading *reading, LDAPMessage *message)
{
    const char *attribute = reading->session->config->name_attribute;
    struct sr_ldap_entry entry = {0};
    struct sr_ldap_view view = {.account = &entry};
    struct item item = {.message = message, .uid = (uid_t)-1};
    const char *name, *wrong, *text;
    size_t at = 0;
    int code = sr_ldap_entry_take(reading->session, message, &entry);

    if (code == LDAP_SUCCESS)
        code = read_policies(reading, &view, &wrong);
    if (has_too_many_names(&entry, attribute)) {
        text = sr_ldap_entry_first(&entry,
                                   reading->session->config->uid_attribute);
        if (text == NULL || !sr_ldap_uid(text, &item.uid))
            item.uid = (uid_t)-1;
        item.message = NULL;
    }
    item.has_uid = sr_ldap_has_uid(reading->session->config, &entry);
    while (code == LDAP_SUCCESS &&
           (name = sr_ldap_entry_next(&entry, attribute, &at)) != NULL) {
        /* Root is of this host, whatever a directory has by that name. */
        if (strcmp(name, "root") != 0 &&
            !sr_ldap_is_system(reading->session->config, &entry)) {
            item.name = (char *)(uintptr_t)name;
            code = add_item(reading, &item);
        }
    }
    sr_ldap_entry_clear(&entry);
    return code;
}

static int
index_pages(struct reading *reading)
{
    struct sr_ldap_session *session = reading->session;
    int code = LDAP_SUCCESS;

    for (size_t i = 0; i < reading->pages.count && code == LDAP_SUCCESS; i++) {
        LDAPMessage *at = ldap_first_entry(session->ld, reading->pages.page[i]);

        /* A policy that cannot be read leaves no connection behind. */
        while (at != NULL && (code = index_entry(reading, at)) == LDAP_SUCCESS)
            at = ldap_next_entry(session->ld, at);
    }
    if (reading->count > 0)
        qsort_r(reading->item, reading->count, sizeof(*reading->item),
                compare_items, reading->locale);
    return code;
}

/* The end of the items from `first` on that have its name, in any case. */
static size_t
end_of_name(const struct reading *reading, size_t first)
{
    const char *name = reading->item[first].name;
    size_t end = first + 1;

    while (end < reading->count &&
           sr_utf8_compare_names(name, reading->item[end].name,
                                 reading->locale) == 0)
        end++;
    return end;
}

/* How many entries of these could be the account, up to 2: a login finds all of
 * them, whatever the case of their names is. */
static unsigned
count_usable(const struct item *item, size_t count)
{
    const struct item *found = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!item[i].has_uid)
            continue;
        if (found != NULL &&
            (item[i].message == NULL || item[i].message != found->message))
            return 2;
        found = &item[i];
    }
    return found != NULL;
}

/* An entry with too many names is not taken apart once more for each. */
static enum sr_status
report_crowd(struct sr_ldap_visit *visit, const struct item *item)
{
    const char *attribute = visit->session->config->uid_attribute;
    struct sr_ldap_entry entry = {0};
    struct sr_ldap_view view = {.account = &entry};
    enum sr_status status = SR_STATUS_NO_MEMORY;
    char text[16];

    snprintf(text, sizeof(text), "%lu", (unsigned long)item->uid);
    if (sr_ldap_entry_add(&entry, attribute, text, strlen(text)) == 0)
        status =
            sr_ldap_visit(visit, item->name, &view, SR_LDAP_TOO_MANY_NAMES);
    sr_ldap_entry_clear(&entry);
    return status;
}

static enum sr_status
report_item(struct reading *reading, struct sr_ldap_visit *visit, size_t index,
            bool is_twice)
{
    const struct item *item = &reading->item[index];
    struct sr_ldap_entry entry = {0};
    struct sr_ldap_view view = {.account = &entry};
    enum sr_status status = SR_STATUS_NO_MEMORY;
    const char *wrong;

    if (item->message == NULL)
        return report_crowd(visit, item);
    if (sr_ldap_entry_take(reading->session, item->message, &entry) ==
            LDAP_SUCCESS &&
        read_policies(reading, &view, &wrong) == LDAP_SUCCESS)
        status = sr_ldap_visit(
            visit, item->name, &view,
            is_twice ? N_LOG("SR-3013 more than one entry has this name")
                     : wrong);
    sr_ldap_entry_clear(&entry);
    return status;
}

static enum sr_status
report_spelling(struct reading *reading, struct sr_ldap_visit *visit,
                size_t index, bool is_twice)
{
    const struct sr_visitor *visitor = visit->visitor;
    const char *name = reading->item[index].name;

    if (!sr_ldap_is_absurd(name))
        return report_item(reading, visit, index, is_twice);
    if (visitor->nameless != NULL)
        visitor->nameless(visitor->context, name);
    return SR_STATUS_OK;
}

/* Each spelling of a name once. */
static enum sr_status
report_name(struct reading *reading, struct sr_ldap_visit *visit, size_t first,
            size_t end)
{
    const struct item *item = reading->item;
    const bool is_twice = count_usable(&item[first], end - first) > 1;
    enum sr_status status = SR_STATUS_OK;

    for (size_t i = first; i < end && status == SR_STATUS_OK && !visit->is_done;
         i++) {
        if (i == first || strcmp(item[i].name, item[i - 1].name) != 0)
            status = report_spelling(reading, visit, i, is_twice);
    }
    return status;
}

static enum sr_status
report_all(struct reading *reading, const struct sr_visitor *visitor)
{
    struct sr_ldap_visit visit = {.session = reading->session,
                                  .backend = reading->backend,
                                  .visitor = visitor};
    enum sr_status status = SR_STATUS_OK;
    size_t end;

    for (size_t i = 0;
         i < reading->count && status == SR_STATUS_OK && !visit.is_done;
         i = end) {
        end = end_of_name(reading, i);
        status = report_name(reading, &visit, i, end);
    }
    return status;
}

/*
 * Read and index all entries, once more where only their server shows which of
 * their attributes count.  *indexed is LDAP_SUCCESS when what was read is of
 * use; the error is then that of the search.  Returns the result code of the
 * search.
 */
static int
read_all(struct reading *reading, const char *filter, int *indexed)
{
    struct sr_ldap_session *session = reading->session;
    struct sr_error error;
    bool has_names;
    int code;

    do {
        has_names = sr_ldap_ds389_has_names(&session->policies.server);
        reading_clear(reading);
        *indexed = LDAP_OTHER;
        code = sr_ldap_read_pages(session, filter, NULL, &reading->pages);
        if (code != LDAP_SUCCESS && !reading->pages.is_cut)
            return code;
        error = *session->error;
        reading->end = sr_deadline_now() + POLICIES_MAX_MS;
        *indexed = index_pages(reading);
    } while (*indexed == LDAP_SUCCESS && !has_names &&
             sr_ldap_ds389_has_names(&session->policies.server));
    if (*indexed == LDAP_SUCCESS)
        *session->error = error;
    return code;
}

enum sr_status
sr_ldap_enumerate(struct sr_call *call, const struct sr_visitor *visitor)
{
    struct reading reading = {.backend = call->backend,
                              .locale = sr_utf8_locale()};
    char *filter = sr_ldap_filter_all(call->backend->config->filter);
    void *state = NULL;
    enum sr_status ask = SR_STATUS_NO_MEMORY;
    int code = LDAP_NO_MEMORY, indexed = LDAP_OTHER;
    struct sr_error error;

    reading.session = sr_ldap_begin(&state, call);
    if (filter != NULL && reading.session != NULL &&
        reading.locale != (locale_t)0)
        code = read_all(&reading, filter, &indexed);
    error = call->error;
    if (indexed == LDAP_SUCCESS)
        ask = report_all(&reading, visitor);
    else if (code != LDAP_NO_MEMORY && indexed != LDAP_NO_MEMORY)
        ask = SR_STATUS_UNAVAILABLE;
    if (ask == SR_STATUS_OK && reading.pages.is_cut) {
        ask = SR_STATUS_UNAVAILABLE; /* there are more */
        call->error = error;
    }
    if (ask == SR_STATUS_UNAVAILABLE && !sr_error_has_text(&call->error))
        sr_error_set(&call->error, SR_ERROR_OTHER, "%s", ldap_err2string(code));
    reading_clear(&reading);
    if (reading.session != NULL) {
        sr_ldap_end(reading.session);
        sr_ldap_session_free(reading.session, false);
    }
    if (reading.locale != (locale_t)0)
        freelocale(reading.locale);
    free(filter);
    return ask;
}
