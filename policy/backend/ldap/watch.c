/*
 * LDAP watch: changes in a directory as they are made, where the
 * server offers content synchronisation (RFC 4533); where it does not, by
 * polling for what was modified lately.
 *
 * No cookie is kept: after a connection is lost everything is read anew.
 * So it does not matter what state the server has dropped, or that it was
 * restored from an old copy.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/describe.h"
#include "policy/backend/ldap/dn_index.h"
#include "policy/backend/ldap/pages.h"
#include "policy/backend/ldap/policies.h"
#include "policy/backend/ldap/receive.h"
#include "policy/backend/ldap/sync.h"
#include "policy/backend/ldap/syntax.h"
#include "policy/backend/ldap/template.h"
#include "policy/backend/ldap/watch.h"
#include "policy/util/deadline.h"
#include "policy/util/siphash.h"

/* The time between two searches on a server without synchronisation, and how
 * far each reaches back beyond the last: clocks of servers differ, and entries
 * become visible later than they are stamped. */
#define POLL_MS   5000
#define OVERLAP_S 30

/*
 * Deletions show only in a list of all names. It is read so often that on the
 * average so many names are read in a second: with each search in a small
 * directory, every 50 seconds where there are ten thousand.  That is 20 KB in a
 * second, whatever the size.
 */
#define NAMES_PER_S 200

/* When more are gone at once, it is cheaper to read everything. */
#define GONE_MAX 20

/* Messages in one go; what comes behind them waits for the next. */
#define MESSAGES_MAX 1000

/* Policies that are watched; those of more are seen by full readings only. */
#define WATCHES_MAX 256

/* A policy whose changes are received over the same connection. */
struct watched {
    char *dn;
    int id;       /* of its search */
    bool is_read; /* what follows is a change, or it cannot be watched */
};

struct following {
    struct sr_watch base; /* first: see struct sr_backend_ops */
    void *connection;     /* the session that receives the changes */
    struct sr_ldap_policies policies;
    struct sr_sync_table *table;
    struct watched *watch;
    size_t watch_count;
    int id;               /* of the search for accounts */
    bool is_read;         /* every account was reported once */
    bool reports_changes; /* ANYTHING was reported: changes follow */
    bool is_poll;
    int64_t last_message; /* when the last message came */
    int64_t next;         /* poll */
    sr_time newest;
    int64_t newest_at;              /* when it was seen first */
    struct sr_ldap_dn_index *known; /* while polling */
    int64_t names_due;              /* when they are listed again */
    bool is_ds389;
    uint8_t key[16]; /* of the hashes of their content */
};

/* One call of the poll operation. */
struct call {
    struct following *state;
    struct sr_ldap_session *session;
    const struct sr_backend *backend;
    const struct sr_watcher *watcher;
    bool is_done; /* the watcher wants no more */
};

/* The names of an entry under which there can be an account. */
static int
list_names(const struct call *call, const struct sr_ldap_entry *entry,
           struct sr_string_list *names)
{
    const char *attribute = call->session->config->name_attribute;
    const char *name;
    size_t at = 0;

    memset(names, 0, sizeof(*names));
    while ((name = sr_ldap_entry_next(entry, attribute, &at)) != NULL) {
        if (!sr_ldap_is_absurd(name) &&
            !sr_ldap_is_system(call->session->config, entry) &&
            sr_string_list_add(names, name, strlen(name)) != 0) {
            sr_string_list_free(names);
            return LDAP_NO_MEMORY;
        }
    }
    return LDAP_SUCCESS;
}

/* ---- requests */

/* Let the kernel notice a peer that disappears without closing. */
static void
keep_alive(int fd)
{
    const int on = 1, idle = 30, between = 10, count = 3;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof(between));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

/* Begin a search that returns the entries, and then their changes. */
static int
begin_search(struct sr_ldap_session *session, const char *base, int scope,
             const char *filter, const char *const *attributes, int *id)
{
    LDAPControl sync = {.ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_SYNC,
                        .ldctl_iscritical = 1};
    int code;

    if (sr_sync_request(&sync.ldctl_value) != 0)
        return LDAP_NO_MEMORY;
    code = ldap_search_ext(
        session->ld, base, scope, filter, (char **)(uintptr_t)attributes, 0,
        (LDAPControl *[]){&sync, NULL}, NULL, NULL, LDAP_NO_LIMIT, id);
    ber_memfree(sync.ldctl_value.bv_val);
    return code;
}

static int
begin_accounts(struct sr_ldap_session *session, int *id)
{
    const char *attributes[SR_LDAP_LIST_MAX];
    char *filter = sr_ldap_filter_all(session->config->filter);
    int code = LDAP_NO_MEMORY;

    sr_ldap_list_attributes(session, attributes);
    if (filter != NULL)
        code = begin_search(session, session->config->base, LDAP_SCOPE_SUBTREE,
                            filter, attributes, id);
    free(filter);
    return code;
}

/* Watch a policy. A new one means that everything is read again. */
static int
watch_policy(struct call *call, const char *dn)
{
    struct following *state = call->state;
    const char *attributes[SR_LDAP_LIST_MAX];
    struct watched *watch;
    int code;

    sr_ldap_policies_list(false, &call->session->policies.server, attributes);
    for (size_t i = 0; i < state->watch_count; i++) {
        if (strcmp(state->watch[i].dn, dn) == 0)
            return LDAP_SUCCESS;
    }
    if (state->watch_count == WATCHES_MAX)
        return LDAP_SUCCESS;
    watch = reallocarray(state->watch, state->watch_count + 1, sizeof(*watch));
    if (watch == NULL)
        return LDAP_NO_MEMORY;
    state->watch = watch;
    watch += state->watch_count;
    *watch = (struct watched){.dn = strdup(dn)};
    if (watch->dn == NULL)
        return LDAP_NO_MEMORY;
    state->watch_count++;
    state->reports_changes = false;
    code = begin_search(call->session, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                        attributes, &watch->id);
    return code;
}

/* The policies of an account. */
static int
watch_policies(struct call *call, const struct sr_ldap_entry *entry)
{
    static const struct sr_ldap_entry none;
    const struct sr_ldap_view view = {.account = entry, .policy = &none};
    const char *attribute =
        sr_ldap_ds389_policy_attribute(&call->session->policies.server);
    const char *preset = call->session->config->default_policy;
    const char *const dn[] = {sr_ldap_policy_of(entry, NULL), preset,
                              sr_ldap_entry_first(entry, attribute)};
    int code = LDAP_SUCCESS;

    for (size_t i = 0; i < sizeof(dn) / sizeof(dn[0]) && code == LDAP_SUCCESS;
         i++) {
        if (dn[i] != NULL && dn[i][0] != '\0')
            code = watch_policy(call, dn[i]);
    }
    if (sr_ldap_ds389_is(&view))
        call->state->is_ds389 = true;
    return code;
}

/* ---- reporting */

static int
report_gone(struct call *call, const struct sr_string_list *old,
            const struct sr_string_list *now)
{
    for (size_t i = 0; i < old->count && !call->is_done; i++) {
        if (now == NULL || !sr_string_list_has(now, old->item[i]))
            call->is_done = call->watcher->gone(call->watcher->visitor.context,
                                                old->item[i]) != 0;
    }
    return LDAP_SUCCESS;
}

/* Report the accounts of an entry, whose policies are in the cache. */
static int
report_entry(struct call *call, const struct sr_ldap_entry *entry,
             const struct sr_string_list *names)
{
    struct sr_ldap_visit visit = {.session = call->session,
                                  .backend = call->backend,
                                  .visitor = &call->watcher->visitor};
    struct sr_ldap_policies *policies = &call->state->policies;
    const char *wrong =
        names->count > SR_LDAP_NAMES_MAX ? SR_LDAP_TOO_MANY_NAMES : NULL;
    int code = LDAP_SUCCESS;

    for (size_t i = 0;
         i < names->count && !call->is_done && code == LDAP_SUCCESS; i++) {
        struct sr_ldap_view view = {.account = entry};

        sr_error_clear(call->session->error);
        policies->is_complete = true;
        sr_ldap_policies_of(call->session, policies, &view);
        policies->is_complete = false;
        if (sr_ldap_visit(&visit, names->item[i], &view, wrong) != SR_STATUS_OK)
            code = LDAP_NO_MEMORY;
        call->is_done = visit.is_done;
    }
    return code;
}

/* ---- synchronisation */

/* An entry is there, or has changed. */
static int
take_change(struct call *call, LDAPMessage *message,
            const struct sr_sync_id *id)
{
    struct following *state = call->state;
    struct sr_string_list names = {0}, old = {0};
    struct sr_ldap_entry entry = {0};
    int code = sr_ldap_entry_take(call->session, message, &entry);

    if (code == LDAP_SUCCESS)
        code = watch_policies(call, &entry);
    if (code == LDAP_SUCCESS)
        code = list_names(call, &entry, &names);
    if (code == LDAP_SUCCESS &&
        sr_sync_table_put(state->table, id, &names, &old) != 0) {
        sr_string_list_free(&names);
        code = LDAP_NO_MEMORY;
    }
    /* What is not reported now is found when everything is read. */
    if (code == LDAP_SUCCESS && state->reports_changes) {
        code = report_entry(call, &entry, &names);
        report_gone(call, &old, &names);
    }
    sr_string_list_free(&old);
    sr_ldap_entry_clear(&entry);
    return code;
}

static int
take_deletion(struct call *call, const struct sr_sync_id *id)
{
    struct sr_string_list old;

    sr_sync_table_take(call->state->table, id, &old);
    if (call->state->reports_changes)
        report_gone(call, &old, NULL);
    sr_string_list_free(&old);
    return LDAP_SUCCESS;
}

static int
take_entry(struct call *call, LDAPMessage *message)
{
    LDAPControl **controls = NULL;
    enum sr_sync_state state = SR_SYNC_PRESENT;
    struct sr_sync_id id;
    int code = ldap_get_entry_controls(call->session->ld, message, &controls);

    if (code == LDAP_SUCCESS && sr_sync_state(controls, &state, &id) != 0)
        code = LDAP_DECODING_ERROR;
    ldap_controls_free(controls);
    if (code != LDAP_SUCCESS)
        return code;
    switch (state) {
    case SR_SYNC_ADD:
    case SR_SYNC_MODIFY:
        return take_change(call, message, &id);
    case SR_SYNC_DELETE:
        return take_deletion(call, &id);
    case SR_SYNC_PRESENT:
        break;
    }
    return LDAP_SUCCESS;
}

static int
take_info(struct call *call, LDAPMessage *message, bool *is_read)
{
    struct sr_sync_ids ids = {0};
    struct berval *value = NULL;
    char *oid = NULL;
    int code = ldap_parse_intermediate(call->session->ld, message, &oid, &value,
                                       NULL, 0);

    if (code == LDAP_SUCCESS && oid != NULL &&
        strcmp(oid, LDAP_SYNC_INFO) == 0) {
        switch (sr_sync_info(value, &ids)) {
        case SR_SYNC_REFRESHED:
            *is_read = true;
            break;
        case SR_SYNC_GONE:
            for (size_t i = 0; i < ids.count && !call->is_done; i++)
                take_deletion(call, &ids.item[i]);
            break;
        case SR_SYNC_NOTHING:
            break;
        case SR_SYNC_BROKEN:
            code = LDAP_DECODING_ERROR;
            break;
        }
    }
    free(ids.item);
    ber_bvfree(value);
    ldap_memfree(oid);
    return code;
}

/* The search for accounts has an end: the server does not offer
 * synchronisation, or has ended it. */
static int
take_end(struct call *call, LDAPMessage *message)
{
    struct sr_ldap_response answer;
    char *text = NULL;
    int code = LDAP_OTHER;

    ldap_parse_result(call->session->ld, message, &code, NULL, &text, NULL,
                      NULL, 0);
    sr_ldap_response_init(&answer, code);
    sr_ldap_response_text(&answer, text == NULL ? "" : text);
    sr_ldap_why_response(call->session, &answer,
                         "it ends the synchronisation: ");
    ldap_memfree(text);
    if (code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION && !call->state->is_read) {
        call->state->is_poll = true;
        return LDAP_SUCCESS;
    }
    return code == LDAP_SUCCESS ? LDAP_UNAVAILABLE : code;
}

static int
take_account(struct call *call, LDAPMessage *message)
{
    switch (ldap_msgtype(message)) {
    case LDAP_RES_SEARCH_ENTRY:
        return take_entry(call, message);
    case LDAP_RES_INTERMEDIATE:
        return take_info(call, message, &call->state->is_read);
    case LDAP_RES_SEARCH_RESULT:
        return take_end(call, message);
    default:
        return LDAP_SUCCESS; /* references are not followed */
    }
}

/* Once it was read, any message about a policy is a change for all. */
static int
take_policy(struct call *call, struct watched *watch, LDAPMessage *message)
{
    switch (ldap_msgtype(message)) {
    case LDAP_RES_SEARCH_ENTRY:
        if (watch->is_read)
            call->state->reports_changes = false;
        return LDAP_SUCCESS;
    case LDAP_RES_INTERMEDIATE:
        return take_info(call, message, &watch->is_read);
    case LDAP_RES_SEARCH_RESULT:
        watch->is_read = true;
        return LDAP_SUCCESS;
    default:
        return LDAP_SUCCESS;
    }
}

static int
take_message(struct call *call, LDAPMessage *message)
{
    struct following *state = call->state;
    int id = ldap_msgid(message);

    if (id == state->id)
        return take_account(call, message);
    for (size_t i = 0; i < state->watch_count; i++) {
        if (state->watch[i].id == id)
            return take_policy(call, &state->watch[i], message);
    }
    sr_ldap_why(call->session, "the server says goodbye");
    return id == 0 ? LDAP_SERVER_DOWN : LDAP_SUCCESS;
}

/* Process what has been received. *has_more: there may be more. */
static int
take_messages(struct call *call, bool *has_more)
{
    struct following *state = call->state;
    struct timeval now = {0, 0};
    int code = LDAP_SUCCESS;

    *has_more = true;
    for (unsigned i = 0; i < MESSAGES_MAX && code == LDAP_SUCCESS &&
                         !call->is_done && !state->is_poll;
         i++) {
        LDAPMessage *message = NULL;
        int type;

        call->session->budget = SR_LDAP_BYTES_REQUEST;
        type = ldap_result(call->session->ld, LDAP_RES_ANY, LDAP_MSG_ONE, &now,
                           &message);

        if (type == 0) {
            *has_more = false;
            break;
        }
        if (type < 0) {
            sr_ldap_why(call->session, "the connection is lost");
            return LDAP_SERVER_DOWN;
        }
        state->last_message = sr_deadline_now();
        code = take_message(call, message);
        ldap_msgfree(message);
    }
    return code;
}

static bool
is_all_read(const struct following *state)
{
    for (size_t i = 0; i < state->watch_count; i++) {
        if (!state->watch[i].is_read)
            return false;
    }
    return state->is_read;
}

/* Read the policies that are watched, over another connection: on this one
 * there must be no waiting for a response. */
static int
read_policies(struct call *call)
{
    struct following *state = call->state;
    const struct sr_ldap_entry *policy;
    struct sr_call other = {.backend = call->backend};
    void *connection = NULL;
    struct sr_ldap_session *session = sr_ldap_begin(&connection, &other);
    int code = LDAP_SUCCESS;

    sr_ldap_policies_clear(&state->policies);
    if (session == NULL)
        return LDAP_NO_MEMORY;
    if (state->is_ds389) /* names an attribute of the others */
        code = sr_ldap_policies_server(session, &state->policies);
    for (size_t i = 0; i < state->watch_count && code == LDAP_SUCCESS; i++)
        code = sr_ldap_policies_get(session, &state->policies,
                                    state->watch[i].dn, &policy);
    sr_ldap_end(session);
    sr_ldap_session_free(session, false);
    if (code != LDAP_SUCCESS)
        *call->session->error = other.error;
    return code;
}

/* Request the attributes that count on this server from now on; false: they
 * are requested already. */
static bool
take_names(struct call *call)
{
    const struct sr_ldap_ds389_server *server = &call->state->policies.server;
    struct sr_ldap_ds389_server *asked = &call->session->policies.server;

    if (sr_ldap_ds389_has_same_names(server, asked))
        return false;
    sr_ldap_policies_clear(&call->session->policies);
    *asked = *server;
    memset(&asked->inactive, 0, sizeof(asked->inactive));
    return true;
}

/* Read all accounts once more, with other attributes. */
static int
begin_again(struct call *call)
{
    struct following *state = call->state;
    struct sr_sync_table *table = sr_sync_table_new();

    if (table == NULL)
        return LDAP_NO_MEMORY;
    sr_sync_table_free(state->table);
    state->table = table;
    ldap_abandon_ext(call->session->ld, state->id, NULL, NULL);
    state->is_read = false;
    state->last_message = sr_deadline_now();
    return begin_accounts(call->session, &state->id);
}

static enum sr_watch_result
poll_sync(struct call *call, int *code)
{
    struct following *state = call->state;
    const int64_t limit = call->session->config->timeout * 1000;
    bool has_more = false;

    *code = take_messages(call, &has_more);
    if (*code != LDAP_SUCCESS || state->is_poll)
        return SR_WATCH_AWAY;
    state->base.wait_ms = has_more ? 0 : -1;
    if (state->reports_changes)
        return SR_WATCH_ALL;
    if (!is_all_read(state)) {
        if (!has_more)
            state->base.wait_ms = (int)limit;
        if (sr_deadline_now() - state->last_message < limit)
            return SR_WATCH_BEGINNING;
        sr_ldap_why(call->session,
                    "it stopped in the midst of the first reading");
        *code = LDAP_TIMEOUT;
        return SR_WATCH_AWAY;
    }
    *code = read_policies(call);
    if (*code == LDAP_SUCCESS && take_names(call)) {
        *code = begin_again(call);
        state->base.wait_ms = 0;
        return *code == LDAP_SUCCESS ? SR_WATCH_BEGINNING : SR_WATCH_AWAY;
    }
    if (*code != LDAP_SUCCESS)
        return SR_WATCH_AWAY;
    state->reports_changes = true;
    return SR_WATCH_ANYTHING;
}

/* ---- polling */

/* Remember when the entry was modified, if it is the newest. */
static void
note_time(struct following *state, const struct sr_ldap_entry *entry)
{
    const char *text = sr_ldap_entry_first(entry, "modifyTimestamp");
    const sr_time now = time(NULL);
    sr_time when;

    if (text == NULL || sr_ldap_time(text, &when) != 0)
        return;
    /* One entry that is stamped ahead of time must not hide what is modified
     * until then. */
    if (when > now)
        when = now;
    if (when > state->newest) {
        state->newest = when;
        state->newest_at = sr_deadline_now();
    }
}

/*
 * What 389 itself writes into entries changes no timestamp: lockouts, and the
 * logins that an expired or a temporary password has left. There are few of
 * these at any time.
 */
#define UNSTAMPED                                                              \
    "(accountUnlockTime>=%s)(accountUnlockTime=19700101000000Z)"               \
    "(pwdTPRReset=TRUE)"                                                       \
    "(&(passwordGraceUserTime=*)(!(passwordGraceUserTime=0)))"

static bool
write_stamp(time_t when, char *text, size_t size)
{
    struct tm tm;

    return gmtime_r(&when, &tm) != NULL &&
           strftime(text, size, "%Y%m%d%H%M%SZ", &tm) > 0;
}

/* The time from which on entries are searched for. After a while all late ones
 * have been seen; without that limit very many of one time would be returned
 * again and again. */
static time_t
poll_from(const struct following *state)
{
    return sr_deadline_now() - state->newest_at > OVERLAP_S * 1000 + POLL_MS
               ? state->newest + 1
               : state->newest - OVERLAP_S;
}

/* The filter for what was modified lately. */
static char *
poll_filter(const struct call *call, const char *all)
{
    char from[24], now[24], *unstamped = NULL, *filter = NULL;

    if (!write_stamp(poll_from(call->state), from, sizeof(from)) ||
        !write_stamp(time(NULL) - OVERLAP_S, now, sizeof(now)))
        return NULL;
    if (asprintf(&unstamped, call->state->is_ds389 ? UNSTAMPED : "%.0s", now) <
        0)
        return NULL;
    if (asprintf(&filter, "(&%s(|(modifyTimestamp>=%s)%s))", all, from,
                 unstamped) < 0)
        filter = NULL;
    free(unstamped);
    return filter;
}

/* A hash of all that was read, never 0. */
static uint64_t
content_of(const struct following *state, const struct sr_ldap_entry *entry)
{
    uint64_t content = 1;

    for (size_t i = 0; i < entry->count; i++) {
        const struct sr_ldap_value *value = &entry->value[i];

        content = content * 31 + sr_siphash(state->key, value->attribute,
                                            strlen(value->attribute));
        content =
            content * 31 + sr_siphash(state->key, value->text, value->size);
    }
    return content == 0 ? 1 : content;
}

/* The entry is there, by these names; it may have had others. */
static int
poll_names(struct call *call, const char *dn,
           const struct sr_string_list *names, uint64_t content,
           struct sr_ldap_seen *seen)
{
    struct sr_string_list copy = {0};
    int code = LDAP_SUCCESS;

    memset(seen, 0, sizeof(*seen));
    for (size_t i = 0; i < names->count && code == LDAP_SUCCESS; i++) {
        if (sr_string_list_add(&copy, names->item[i], strlen(names->item[i])) !=
            0)
            code = LDAP_NO_MEMORY;
    }
    if (code == LDAP_SUCCESS &&
        sr_ldap_dn_index_see(call->state->known, dn, &copy, content, seen) != 0)
        code = LDAP_NO_MEMORY;
    if (code == LDAP_SUCCESS && call->state->reports_changes)
        report_gone(call, &seen->old, names);
    sr_string_list_free(&copy);
    sr_string_list_free(&seen->old);
    return code;
}

/* An entry as it is now.  An unchanged one is not reported again: after many
 * changes at one time the same entries are returned a few times. */
static int
poll_entry(struct call *call, LDAPMessage *message, bool *is_new)
{
    struct following *state = call->state;
    struct sr_ldap_entry entry = {0};
    struct sr_ldap_view view = {.account = &entry};
    struct sr_string_list names = {0};
    struct sr_ldap_seen seen;
    int code = sr_ldap_entry_take(call->session, message, &entry);

    *is_new = false; /* new entries are reported */
    if (code == LDAP_SUCCESS)
        code = sr_ldap_policies_of(call->session, &state->policies, &view);
    if (code == LDAP_LOOP_DETECT)
        code = LDAP_SUCCESS; /* found once more when it is reported */
    if (code == LDAP_SUCCESS)
        code = list_names(call, &entry, &names);
    if (code == LDAP_SUCCESS)
        code = poll_names(call, entry.dn, &names, content_of(state, &entry),
                          &seen);
    if (code == LDAP_SUCCESS) {
        note_time(state, &entry);
        if (sr_ldap_ds389_is(&view))
            state->is_ds389 = true;
        if (state->reports_changes && !seen.is_same)
            code = report_entry(call, &entry, &names);
    }
    sr_string_list_free(&names);
    sr_ldap_entry_clear(&entry);
    return code;
}

/* One of a list of names.  New entries there were never reported. */
static int
poll_listed(struct call *call, LDAPMessage *message, bool *is_new)
{
    struct sr_ldap_entry entry = {0};
    struct sr_string_list names = {0};
    struct sr_ldap_seen seen;
    int code = sr_ldap_entry_take(call->session, message, &entry);

    if (code == LDAP_SUCCESS)
        code = list_names(call, &entry, &names);
    if (code == LDAP_SUCCESS)
        code = poll_names(call, entry.dn, &names, 0, &seen);
    *is_new = code == LDAP_SUCCESS && seen.is_new;
    sr_string_list_free(&names);
    sr_ldap_entry_clear(&entry);
    return code;
}

/* Read the policies again.  *is_other: one of them has changed. */
static int
poll_policies(struct call *call, bool *is_other)
{
    struct sr_ldap_policies *policies = &call->state->policies;
    struct sr_ldap_policies fresh = {0};
    int code = sr_ldap_policies_again(call->session, policies, &fresh);

    if (code != LDAP_SUCCESS) {
        sr_ldap_policies_clear(&fresh);
        return code;
    }
    if (!sr_ldap_policies_are_same(policies, &fresh))
        *is_other = true;
    sr_ldap_policies_clear(policies);
    *policies = fresh;
    return code;
}

/* Read all entries that a filter finds.  *is_other: one of them is new. */
static int
poll_pages(struct call *call, const char *filter, const char *const *attributes,
           int (*take)(struct call *call, LDAPMessage *message, bool *is_new),
           bool *is_other)
{
    struct sr_ldap_pages pages = {0};
    int code = sr_ldap_read_pages(call->session, filter, attributes, &pages);

    for (size_t i = 0; i < pages.count && code == LDAP_SUCCESS; i++) {
        LDAPMessage *at = ldap_first_entry(call->session->ld, pages.page[i]);

        while (at != NULL && !call->is_done) {
            bool is_new = false;

            code = take(call, at, &is_new);
            if (code != LDAP_SUCCESS)
                break; /* which may leave no connection behind */
            if (is_new)
                *is_other = true;
            at = ldap_next_entry(call->session->ld, at);
        }
    }
    sr_ldap_pages_clear(&pages);
    return code;
}

/* All names were read: entries that were not among them have gone. */
static void
end_names(struct call *call, bool *is_other)
{
    struct following *state = call->state;
    size_t count = sr_ldap_dn_index_count(state->known);
    struct sr_string_list old;

    for (unsigned gone = 0;
         sr_ldap_dn_index_take_unseen(state->known, &old) && !call->is_done;
         gone++) {
        if (gone >= GONE_MAX)
            *is_other = true;
        else if (state->reports_changes)
            report_gone(call, &old, NULL);
        sr_string_list_free(&old);
    }
    state->names_due =
        sr_deadline_now() + (int64_t)(count * 1000 / NAMES_PER_S);
}

/* The first search is for everything, the others for what was modified, and
 * now and then for all names. */
static int
poll_all(struct call *call, bool *is_other)
{
    struct following *state = call->state;
    const char *const names[] = {call->session->config->name_attribute, NULL};
    char *all = sr_ldap_filter_all(call->session->config->filter);
    char *filter =
        all == NULL || !state->reports_changes ? NULL : poll_filter(call, all);
    bool is_listed = sr_deadline_now() >= state->names_due;
    int code = LDAP_NO_MEMORY;

    if (all != NULL && (filter != NULL || !state->reports_changes))
        code = poll_policies(call, is_other);
    if (is_listed)
        sr_ldap_dn_index_begin(state->known);
    if (code == LDAP_SUCCESS)
        code = poll_pages(call, filter == NULL ? all : filter, NULL, poll_entry,
                          is_other);
    if (code == LDAP_SUCCESS && is_listed && filter != NULL)
        code = poll_pages(call, all, names, poll_listed, is_other);
    if (code == LDAP_SUCCESS && is_listed)
        end_names(call, is_other);
    free(filter);
    free(all);
    return code;
}

static enum sr_watch_result
poll_again(struct call *call, int *code)
{
    struct following *state = call->state;
    int64_t now = sr_deadline_now();
    bool is_other = !state->reports_changes;

    state->base.fd = -1;
    if (now >= state->next) {
        *code = poll_all(call, &is_other);
        if (*code == LDAP_SUCCESS && take_names(call)) {
            is_other = true;
            *code = poll_all(call, &is_other);
        }
        if (*code != LDAP_SUCCESS)
            return SR_WATCH_AWAY;
        /* Another connection: the server may have been restored from an old
         * copy. */
        if (!call->session->is_used)
            is_other = true;
        state->reports_changes = true;
        now = sr_deadline_now();
        state->next = now + POLL_MS;
    }
    state->base.wait_ms = (int)(state->next - now);
    return is_other ? SR_WATCH_ANYTHING : SR_WATCH_ALL;
}

/* ---- the operations */

static void watch_stop(struct sr_watch *following);

static struct sr_watch *
watch_start(struct sr_call *call)
{
    struct following *state = calloc(1, sizeof(*state));
    struct sr_ldap_session *session = NULL;
    int code = LDAP_NO_MEMORY;

    if (state == NULL)
        return NULL;
    state->table = sr_sync_table_new();
    state->known = sr_ldap_dn_index_new();
    if (getrandom(state->key, sizeof(state->key), 0) < 0)
        memset(state->key, 0, sizeof(state->key));
    session = sr_ldap_begin(&state->connection, call);
    if (session != NULL && state->table != NULL && state->known != NULL)
        code = sr_ldap_as_service(session);
    if (code == LDAP_SUCCESS) {
        keep_alive(session->fd);
        code = begin_accounts(session, &state->id);
        state->base.fd = session->fd;
        state->base.wait_ms = (int)(session->config->timeout * 1000);
        state->last_message = sr_deadline_now();
    }
    if (code != LDAP_SUCCESS && !sr_error_has_text(&call->error))
        sr_error_set(&call->error, SR_ERROR_OTHER, "%s", ldap_err2string(code));
    if (session != NULL)
        sr_ldap_end(session);
    if (code == LDAP_SUCCESS)
        return &state->base;
    watch_stop(&state->base);
    return NULL;
}

static enum sr_watch_result
watch_poll(struct sr_call *backend_call, struct sr_watch *following,
           const struct sr_watcher *watcher)
{
    struct following *state = (struct following *)(void *)following;
    struct call call = {state, NULL, backend_call->backend, watcher, false};
    enum sr_watch_result result = SR_WATCH_AWAY;
    int code = LDAP_SUCCESS;

    call.session = sr_ldap_begin(&state->connection, backend_call);
    if (call.session == NULL)
        return SR_WATCH_NO_MEMORY;
    if (!state->is_poll && call.session->ld != NULL)
        result = poll_sync(&call, &code);
    if (state->is_poll)
        result = poll_again(&call, &code);
    if (result == SR_WATCH_AWAY && !sr_error_has_text(&backend_call->error))
        sr_error_set(&backend_call->error, SR_ERROR_OTHER, "%s",
                     ldap_err2string(code));
    sr_ldap_end(call.session);
    return code == LDAP_NO_MEMORY ? SR_WATCH_NO_MEMORY : result;
}

static void
watch_stop(struct sr_watch *following)
{
    struct following *state = (struct following *)(void *)following;

    if (state->connection != NULL)
        sr_ldap_session_free(state->connection, false);
    for (size_t i = 0; i < state->watch_count; i++)
        free(state->watch[i].dn);
    free(state->watch);
    sr_sync_table_free(state->table);
    sr_ldap_dn_index_free(state->known);
    sr_ldap_policies_clear(&state->policies);
    free(state);
}

const struct sr_watch_ops sr_ldap_watch = {
    .start = watch_start,
    .poll = watch_poll,
    .stop = watch_stop,
};
