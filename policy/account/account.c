/*
 * Gather: everything a decision about one account needs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "policy/config/membership.h"
#include "policy/throttle/attempt.h"
#include "policy/account/account.h"

/* A name that no backend knows is in no group. */
static int
member_of_nothing(void *context, const char *user, const char *group)
{
    (void)context;
    (void)user;
    (void)group;
    return SR_NO;
}

static int
gather_rules(struct sr_transaction *out, const char *name, const char *service,
             bool exists)
{
    struct sr_member member = {
        .user = name,
        .is_member = exists ? sr_config_member_nss : member_of_nothing,
    };

    return sr_config_rules(out->config, &member, service, &out->rules);
}

/* Whether the account that was found is the one that this host knows by the
 * name. */
static enum sr_status
compare_uid(struct sr_transaction *out, const struct sr_backend *backend,
            const char *name)
{
    const uid_t theirs = out->account->facts.uid;
    uid_t ours = (uid_t)-1;

    if (backend->ops == &sr_backend_local)
        return SR_STATUS_OK;
    switch (sr_config_uid_nss(name, &ours)) {
    case SR_NO:
        return SR_STATUS_OK; /* nobody can become it here */
    case SR_YES:
        if (ours == theirs)
            return SR_STATUS_OK;
        snprintf(out->another, sizeof(out->another),
                 "the uid is %lu there and %lu by the name service",
                 (unsigned long)theirs, (unsigned long)ours);
        return SR_STATUS_UNKNOWN_NAME;
    default:
        snprintf(out->reason, sizeof(out->reason),
                 "the name service cannot be asked for the account");
        return SR_STATUS_UNAVAILABLE;
    }
}

/* Whether no backend is asked after this one. */
static bool
is_last(const struct sr_transaction *txn, const struct sr_backend *backend)
{
    const struct sr_string_list *names = &txn->config->backends;

    return names->count > 0 &&
           strcmp(names->item[names->count - 1], backend->name) == 0;
}

/* Ask one backend.  The rules of an account can depend on its groups, and its
 * facts on the rules, so the rules are made for the name first. */
static enum sr_status
ask_backend(struct sr_transaction *out, const struct sr_backend *backend,
            const char *name)
{
    struct sr_call call = sr_call_make(backend, out->connections);
    enum sr_status ask;

    call.expects_password =
        is_last(out, backend) &&
        sr_connections_expects_password(out->connections);
    ask = sr_backend_look_up(&call, name, &out->rules, &out->account);

    snprintf(out->reason, sizeof(out->reason), "%s", call.error.text);
    out->why = call.error.code;
    if (ask == SR_STATUS_OK)
        ask = compare_uid(out, backend, name);
    if (ask != SR_STATUS_OK) {
        sr_account_close(out->account);
        out->account = NULL;
    }
    return ask;
}

/* Whether one that cannot be asked is passed over: the same name in another
 * backend is another account, and must not stand in for it unasked. */
static bool
is_passed_over(const struct sr_backend *backend)
{
    return backend->config != NULL &&
           backend->config->when_down == SR_DOWN_NEXT;
}

/* Ask the backends in their order. */
static void
ask_all(struct sr_transaction *out, const char *name, const char *only)
{
    const struct sr_string_list *names = &out->config->backends;

    for (size_t i = 0; i < names->count; i++) {
        enum sr_status ask = SR_STATUS_UNAVAILABLE;
        struct sr_error error;

        if (only != NULL && strcmp(only, names->item[i]) != 0)
            continue;
        if (sr_backend_find(out->config, names->item[i], &out->last, &error) ==
            0)
            ask = ask_backend(out, &out->last, name);
        else
            snprintf(out->reason, sizeof(out->reason), "%s", error.text);
        if (ask != SR_STATUS_UNKNOWN_NAME)
            out->ask = ask;
        if (ask == SR_STATUS_OK || ask == SR_STATUS_NO_MEMORY ||
            ask == SR_STATUS_AMBIGUOUS ||
            (ask == SR_STATUS_UNAVAILABLE && !is_passed_over(&out->last)))
            break;
    }
}

enum sr_status
sr_transaction_begin(const struct sr_config *config, const char *name,
                     const char *service, const char *backend,
                     struct sr_transaction *out)
{
    struct sr_connections *connections = sr_connections_new();

    sr_transaction_begin_with(config, connections, name, service, backend, out);
    out->owns_link = true;
    return out->ask;
}

enum sr_status
sr_transaction_begin_with(const struct sr_config *config,
                          struct sr_connections *connections, const char *name,
                          const char *service, const char *backend,
                          struct sr_transaction *out)
{
    memset(out, 0, sizeof(*out));
    out->config = config;
    out->connections = connections;
    out->last.name = sr_backend_local.type;
    out->last.ops = &sr_backend_local;
    out->ask = SR_STATUS_UNKNOWN_NAME;
    if (gather_rules(out, name, service, true) != 0) {
        snprintf(out->reason, sizeof(out->reason),
                 "the groups of the account cannot be read");
        out->ask = SR_STATUS_UNAVAILABLE;
        return out->ask;
    }
    ask_all(out, name, backend);
    if (out->ask == SR_STATUS_UNKNOWN_NAME &&
        gather_rules(out, name, service, false) != 0)
        out->ask = SR_STATUS_UNAVAILABLE;
    return out->ask;
}

enum sr_status
sr_transaction_refresh(struct sr_transaction *txn, const char *name)
{
    struct sr_backend backend;

    if (txn->ask != SR_STATUS_OK)
        return txn->ask;
    backend = txn->account->backend;
    sr_account_close(txn->account);
    txn->account = NULL;
    txn->has_temporary = false;
    txn->everywhere.locked = SR_LOCK_UNKNOWN;
    memset(&txn->fleet, 0, sizeof(txn->fleet));
    txn->ask = ask_backend(txn, &backend, name);
    return txn->ask;
}

/* The temporary password, if it is still the one in use. */
static enum sr_store_result
gather_temporary(struct sr_transaction *out, struct sr_store *store)
{
    struct sr_facts *facts = &out->account->facts;
    const char *secret = out->account->secret;
    enum sr_store_result result;
    sr_time until;

    result = sr_temporary_until(store, facts->uid, secret == NULL ? "" : secret,
                                &until);
    if (result == SR_STORE_OK)
        sr_transaction_set_temporary(out, until);
    return result;
}

void
sr_transaction_set_temporary(struct sr_transaction *out, sr_time until)
{
    out->has_temporary = until != SR_TIME_UNKNOWN;
    if (out->has_temporary)
        out->account->facts.temporary_until = until;
}

/* The backend's own lock; what the throttle may have put there is none. */
static struct sr_everywhere
backend_lock(const struct sr_facts *facts)
{
    if (facts->locked_why == SR_LOCK_WHY_THROTTLE ||
        facts->locked_why == SR_LOCK_WHY_SOURCE)
        return (struct sr_everywhere){SR_LOCK_NO, SR_LOCK_WHY_NONE,
                                      SR_TIME_UNKNOWN};
    return (struct sr_everywhere){facts->locked, facts->locked_why,
                                  facts->locked_until};
}

void
sr_transaction_merge_lockouts(struct sr_transaction *txn, sr_time claimed)
{
    struct sr_everywhere *everywhere = &txn->everywhere;
    const sr_time until =
        sr_lockout_everywhere(&txn->sides, &txn->fleet, claimed);

    *everywhere = txn->of_backend;
    if (everywhere->locked == SR_LOCK_UNKNOWN)
        everywhere->locked = SR_LOCK_NO;
    if (until != SR_TIME_UNKNOWN &&
        (everywhere->locked == SR_LOCK_NO ||
         (everywhere->locked == SR_LOCK_UNTIL && everywhere->until < until)))
        *everywhere =
            (struct sr_everywhere){SR_LOCK_UNTIL, SR_LOCK_WHY_THROTTLE, until};
}

/* The locks that there are; `store` NULL: nothing was ever remembered. */
static enum sr_store_result
gather_locks(struct sr_transaction *out, struct sr_store *store)
{
    const uid_t uid = out->account->facts.uid;
    enum sr_store_result result = SR_STORE_OK;

    out->of_backend = backend_lock(&out->account->facts);
    out->sides =
        (struct sr_class_lockouts){{SR_TIME_UNKNOWN, SR_TIME_UNKNOWN}, false};
    if (store != NULL && uid != (uid_t)-1)
        result = sr_attempt_sides(store, uid, &out->rules, &out->sides);
    sr_transaction_merge_lockouts(out, SR_TIME_UNKNOWN);
    return result;
}

static void
close_store(struct sr_store **store)
{
    sr_store_close(*store);
}

enum sr_store_result
sr_transaction_recall_in(struct sr_transaction *out, struct sr_store *store,
                         const struct sr_source *source)
{
    enum sr_store_result result = SR_STORE_OK;

    if (store != NULL)
        result = gather_temporary(out, store);
    if (result == SR_STORE_OK)
        result = gather_locks(out, store);
    if (result == SR_STORE_OK && store != NULL && source != NULL)
        result =
            sr_attempt_facts(store, source, &out->rules, &out->account->facts);
    out->store = result;
    return result;
}

enum sr_store_result
sr_transaction_recall(struct sr_transaction *out, const char *statedir,
                      const struct sr_source *source)
{
    __attribute__((cleanup(close_store))) struct sr_store *store = NULL;
    enum sr_store_result result;

    result = sr_store_open(statedir, SR_STORE_READ,
                           sr_attempt_wait_ms(&out->rules), &store);
    if (result == SR_STORE_NOT_FOUND)
        result = SR_STORE_OK; /* nothing was ever remembered */
    else if (result == SR_STORE_OK)
        result = sr_store_begin(store, false);
    if (result == SR_STORE_OK)
        result = sr_transaction_recall_in(out, store, source);
    out->store = result;
    if (result != SR_STORE_OK)
        snprintf(out->reason, sizeof(out->reason), "%s",
                 sr_store_strerror(result));
    return result;
}

/* ---- the ledgers of all hosts */

struct sr_shared_ledger
sr_shared_ledger(const struct sr_transaction *txn, bool is_known,
                 const char *only)
{
    const struct sr_config *config = txn->config;
    struct sr_shared_ledger way = {.is_there = false};

    if (!sr_shared_counts(&txn->rules, (uid_t)-1))
        return way;
    if (is_known) {
        if (txn->account == NULL ||
            !sr_shared_counts(&txn->rules, txn->account->facts.uid))
            return way;
        return sr_shared_ledger_open_by_name(config, txn->connections,
                                             txn->account->backend.name);
    }
    for (size_t i = 0; !way.is_there && i < config->backends.count; i++) {
        const char *name = config->backends.item[i];

        if (only == NULL || strcmp(only, name) == 0)
            way = sr_shared_ledger_open_by_name(config, txn->connections, name);
    }
    return way;
}

enum sr_status
sr_shared_locks_find(const struct sr_shared_ledger *way,
                     struct sr_transaction *txn, char *reason, size_t size)
{
    const struct sr_limits limits =
        sr_attempt_account_limits(&txn->rules, false);
    enum sr_status answer = SR_STATUS_OK;
    struct sr_shared_view view[2];

    sr_shared_locks_none(&txn->fleet);
    for (int class = 0; answer == SR_STATUS_OK && class < 2; class ++)
        answer = sr_shared_look(way, txn->account->facts.name,
                                class == SR_CLASS_FAMILIAR, &limits, false,
                                &view[class], reason, size);
    for (int class = 0; answer == SR_STATUS_OK && class < 2; class ++)
        txn->fleet.until[class] = view[class].locked_until;
    return answer;
}

/* Whether the source is familiar, which this host remembers. */
static bool
find_class(const char *statedir, uid_t uid, const struct sr_source *source,
           const struct sr_rules *rules, enum sr_source_class *class)
{
    enum sr_store_result result;
    struct sr_store *store;

    *class = source->is_own ? SR_CLASS_FAMILIAR : SR_CLASS_STRANGER;
    result = sr_store_open(statedir, SR_STORE_READ, sr_attempt_wait_ms(rules),
                           &store);
    if (result == SR_STORE_NOT_FOUND)
        return true;
    if (result == SR_STORE_OK)
        result = sr_store_begin(store, false);
    if (result == SR_STORE_OK)
        result = sr_attempt_class(store, uid, source, rules, class);
    sr_store_close(store);
    return result == SR_STORE_OK;
}

enum sr_status
sr_shared_facts(const struct sr_shared_ledger *way, struct sr_transaction *txn,
                const char *statedir, const struct sr_source *source,
                char *reason, size_t size)
{
    const struct sr_limits limits =
        sr_attempt_account_limits(&txn->rules, false);
    struct sr_facts *facts = &txn->account->facts;
    enum sr_source_class class;
    struct sr_shared_view view;
    enum sr_status answer;

    if (!find_class(statedir, facts->uid, source, &txn->rules, &class)) {
        snprintf(reason, size, "the state of this host cannot be read");
        return SR_STATUS_UNAVAILABLE;
    }
    answer = sr_shared_look(way, facts->name, class == SR_CLASS_FAMILIAR,
                            &limits, true, &view, reason, size);
    if (answer == SR_STATUS_OK) {
        txn->fleet.is_known[class] = true;
        txn->fleet.until[class] = view.locked_until;
    } else {
        sr_shared_locks_none(&txn->fleet);
    }
    sr_transaction_merge_lockouts(txn, SR_TIME_UNKNOWN);
    if (answer != SR_STATUS_OK || view.locked_until == SR_TIME_UNKNOWN ||
        facts->locked == SR_LOCK_ADMIN ||
        (facts->locked == SR_LOCK_UNTIL &&
         facts->locked_until >= view.locked_until))
        return answer;
    facts->locked = SR_LOCK_UNTIL;
    facts->locked_why = SR_LOCK_WHY_THROTTLE;
    facts->locked_until = view.locked_until;
    return answer;
}

/* The kernel's login uid of this process; (uid_t)-1 when not set or not told.
 */
static uid_t
login_uid(void)
{
    char text[16];
    char *end;
    unsigned long value;
    ssize_t size;
    int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return (uid_t)-1;
    size = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (size <= 0)
        return (uid_t)-1;
    text[size] = '\0';
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || value > UINT32_MAX)
        return (uid_t)-1;
    return (uid_t)value;
}

struct sr_caller
sr_transaction_caller(const struct sr_transaction *txn, bool forced)
{
    uid_t real = getuid();
    struct sr_caller caller = {.is_admin = real == 0 && !forced};

    if (txn->rules.require_logon)
        caller.is_logged_on =
            sr_change_logged_on(txn->account->facts.uid, login_uid(), real);
    return caller;
}

void
sr_transaction_end(struct sr_transaction *txn)
{
    sr_account_close(txn->account);
    txn->account = NULL;
    if (txn->owns_link)
        sr_connections_free(txn->connections);
    txn->connections = NULL;
}
