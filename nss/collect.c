/*
 * Collect: reads all accounts of one backend.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nss/collect.h"
#include "nss/names.h"
#include "nss/report.h"
#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "policy/config/members.h"
#include "policy/publish/writer.h"
#include "policy/throttle/attempt.h"
#include "policy/throttle/shared_scan.h"

/* For the name service, in all. */
#define NAMES_MS 20000

/* Messages about single accounts; the others are only counted. */
#define MESSAGES 20

struct collection {
    const struct sr_config *config;
    int (*take)(void *context, const struct record *record);
    void *context;
    struct reading_result *result;
    struct sr_members *members;
    struct names *names;           /* NULL for local accounts */
    struct sr_shared_scan *ledger; /* NULL: there is none, or it is away */
    bool has_ledger;
    bool is_directory;
    struct sr_store *store; /* NULL: nothing was ever remembered */
    unsigned messages;
};

/* End the reading: nothing may be published. */
static int
fail(struct collection *collection, const char *reason)
{
    struct reading_result *result = collection->result;

    result->end = READING_FAILED;
    snprintf(result->reason, sizeof(result->reason), "%s", reason);
    return -1;
}

/* A directory may be the cause, and costs only its own accounts. */
static int
fail_memory(struct collection *collection)
{
    fail(collection, "out of memory");
    if (collection->is_directory)
        collection->result->end = READING_AWAY;
    return -1;
}

/* The store cannot be read: what would be published might be wrong. */
static int
fail_store(struct collection *collection, enum sr_store_result result)
{
    char reason[SR_ERROR_TEXT_SIZE];

    snprintf(reason, sizeof(reason),
             "what this host remembers cannot be read: %s",
             sr_store_strerror(result));
    return fail(collection, reason);
}

static void
leave_out(void *context, const char *name)
{
    struct collection *collection = context;

    collection->result->nameless++;
    if (collection->messages++ < MESSAGES)
        publish_say("The account \"%s\" is left out: its name cannot be "
                    "published.",
                    name);
}

/* Pass an account on, under the name in the record. */
static int
pass_on(struct collection *collection, const struct sr_facts *facts,
        const struct sr_rules *rules, struct record *record)
{
    if (!sr_snapshot_name(record->name)) {
        leave_out(collection, record->name);
        return 0;
    }
    record->is_exempt = record->is_exempt ||
                        sr_publish_is_exempt(collection->config, record->name);
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        if (sr_view_has(view, facts))
            sr_payload_encode(view, facts, rules, record->is_exempt,
                              &record->payload[view]);
    }
    return collection->take(collection->context, record);
}

static int
add_unknown(struct collection *collection, const struct sr_facts *facts,
            const struct sr_rules *rules, const char *reason,
            struct record *record)
{
    record->is_exempt = facts->uid == 0 || rules->is_break_glass ||
                        sr_publish_is_exempt(collection->config, facts->name);
    collection->result->unknown++;
    if (collection->messages++ < MESSAGES)
        publish_say("The state of \"%s\" is unknown: %s.", facts->name, reason);
    return pass_on(collection, facts, rules, record);
}

/* Look an account up in the shared ledger. */
static void
find_locks(struct collection *collection, struct sr_transaction *txn,
           struct record *record)
{
    const struct sr_facts *facts = &txn->account->facts;

    txn->shared = sr_lockouts_none();
    record->is_counted =
        collection->has_ledger && sr_shared_counts(&txn->rules, facts->uid);
    if (!record->is_counted)
        return;
    memcpy(record->account, facts->name, sizeof(record->account));
    record->limits = sr_attempt_shared_limits(&txn->rules);
    sr_shared_scan_locks(collection->ledger, facts->name, &record->limits,
                         (sr_time)time(NULL), &txn->shared);
    for (int class = 0; class < 2; class ++)
        record->until[class] = txn->shared.of[class].until;
}

static int
add_known(struct collection *collection, struct sr_transaction *txn,
          struct record *record)
{
    enum sr_store_result result =
        sr_transaction_recall_in(txn, collection->store, NULL);
    struct sr_facts facts;

    if (result != SR_STORE_OK)
        return fail_store(collection, result);
    sr_publish_facts(txn, &facts, &record->is_exempt);
    return pass_on(collection, &facts, &txn->rules, record);
}

static int
add_account(void *context, struct sr_account *account,
            const struct sr_rules *rules, enum sr_status ask,
            const char *reason)
{
    struct collection *collection = context;
    struct record record = {.is_counted = false};
    struct sr_transaction txn = {.config = collection->config,
                                 .rules = *rules,
                                 .account = account,
                                 .ask = ask};

    memcpy(record.name, account->facts.name, sizeof(account->facts.name));
    if (collection->names != NULL &&
        names_resolve(collection->names, &account->facts, record.name,
                      record.other) == NAME_IS_ANOTHERS)
        return 0; /* a login passes it over too */
    record.is_renamed = strcmp(record.name, account->facts.name) != 0;
    collection->result->renamed += record.is_renamed;
    if (ask != SR_STATUS_OK)
        return add_unknown(collection, &account->facts, rules, reason, &record);
    find_locks(collection, &txn, &record);
    return add_known(collection, &txn, &record);
}

/* Read the shared ledger, if the backend has one. */
static void
read_ledger(struct collection *collection, const char *backend)
{
    struct reading_result *result = collection->result;
    struct sr_connections *connections;
    struct sr_shared_ledger ledger;

    if (!sr_config_shares(collection->config))
        return;
    connections = sr_connections_new();
    ledger =
        sr_shared_ledger_open_by_name(collection->config, connections, backend);
    collection->has_ledger = ledger.is_there;
    if (ledger.is_there &&
        sr_shared_scan_read(&ledger, &collection->ledger, result->ledger_reason,
                            sizeof(result->ledger_reason)) != SR_STATUS_OK)
        result->is_ledger_away = true;
    sr_connections_free(connections);
}

/* Open what the accounts are read with.  False: *result says why. */
static bool
prepare(struct collection *collection, const struct sr_backend *backend)
{
    enum sr_store_result result;
    int error = 0;

    collection->is_directory = backend->ops != &sr_backend_local;
    collection->members = sr_members_new(collection->config, NULL);
    if (collection->members == NULL)
        error = -ENOMEM;
    else if (collection->is_directory)
        error = names_new(NAMES_MS, &collection->names);
    if (error != 0) {
        fail(collection, strerror(-error));
        return false;
    }
    result = sr_store_open(NULL, NULL, SR_STORE_READ, &collection->store);
    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND)
        return true;
    fail_store(collection, result);
    return false;
}

static void
release(struct collection *collection)
{
    if (collection->names != NULL)
        collection->result->unasked = names_skipped(collection->names);
    if (collection->result->unasked > 0)
        publish_say(
            "The name service is slow or reports errors: %u names could "
            "not be asked for.",
            collection->result->unasked);
    if (collection->messages > MESSAGES)
        publish_say("%u more accounts could not be read or named.",
                    collection->messages - MESSAGES);
    sr_store_close(collection->store);
    sr_shared_scan_free(collection->ledger);
    names_free(collection->names);
    sr_members_free(collection->members);
}

/* A backend that cannot be asked. */
static void
set_away(struct reading_result *result, const struct sr_error *error)
{
    result->end = READING_AWAY;
    snprintf(result->reason, sizeof(result->reason), "%s",
             sr_error_text(error));
}

static void
enumerate(struct collection *collection, const struct sr_backend *backend)
{
    const struct sr_visitor visitor = {sr_members_rules, collection->members,
                                       add_account, collection, leave_out};
    struct sr_call call = sr_call_make(backend, NULL);
    enum sr_status status;

    read_ledger(collection, backend->name);
    status = sr_backend_enumerate(&call, &visitor);
    if (status == SR_STATUS_NO_MEMORY &&
        collection->result->end == READING_DONE)
        fail_memory(collection);
    else if (status != SR_STATUS_OK && collection->result->end == READING_DONE)
        set_away(collection->result, &call.error);
}

void
collect(const struct sr_config *config, const char *name,
        int (*take)(void *context, const struct record *record), void *context,
        struct reading_result *result)
{
    struct collection collection = {
        .config = config, .take = take, .context = context, .result = result};
    struct sr_backend backend;
    struct sr_error error;

    memset(result, 0, sizeof(*result));
    if (sr_backend_find(config, name, &backend, &error) != 0) {
        set_away(result, &error);
        return;
    }
    if (backend.ops->enumerate == NULL) {
        sr_error_set(&error, SR_ERROR_OTHER, "it cannot list its accounts");
        set_away(result, &error);
        return;
    }
    if (prepare(&collection, &backend))
        enumerate(&collection, &backend);
    release(&collection);
}
