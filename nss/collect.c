/*
 * Collect: all accounts of all backends, with what this host remembers of them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/account_rules.h"
#include "nss/publisher.h"
#include "policy/backend/registry.h"
#include "policy/config/members.h"
#include "policy/publish/builder.h"

/* Accounts that are read in one transaction of the store: others, who want to
 * log in, wait for its lock meanwhile. */
#define BATCH 64

struct collection {
    struct publisher *publisher;
    struct sr_members *members;
    struct sr_store *store; /* NULL: nothing was ever remembered */
    unsigned batch;         /* accounts since the transaction began */
    const char *backend;    /* that is read now */
    bool is_elsewhere;      /* which is a directory */
    void *namesakes;        /* the names of this host, a tree */
    void *names;            /* of the accounts so far, a tree */
    int error;              /* negative errno: nothing may be published */
};

static int
find_rules(void *context, const char *name, gid_t group, struct sr_rules *rules)
{
    const struct collection *collection = context;
    struct sr_members_ask ask = {collection->members, group};
    const struct sr_member member = {name, sr_members_is_member, &ask};

    return sr_config_rules(collection->publisher->config, &member, NULL, rules);
}

/* See to it that a transaction is open, and not for too long. */
static enum sr_store_result
renew(struct collection *collection)
{
    if (collection->store == NULL)
        return SR_STORE_OK;
    if (collection->batch++ % BATCH != 0)
        return SR_STORE_OK;
    sr_store_abort(collection->store);
    return sr_store_begin(collection->store, false);
}

/* The store cannot be read: what would be published might be wrong. */
static int
fail_store(struct collection *collection, enum sr_store_result result)
{
    struct publisher *publisher = collection->publisher;

    snprintf(publisher->reason, sizeof(publisher->reason),
             "what this host remembers cannot be read: %s",
             sr_store_strerror(result));
    collection->error = -EIO;
    return -1;
}

static int
fail_memory(struct collection *collection)
{
    struct publisher *publisher = collection->publisher;

    snprintf(publisher->reason, sizeof(publisher->reason), "out of memory");
    collection->error = -ENOMEM;
    return -1;
}

/* Add an account; one that has no name to be published by is left out. */
static int
add(struct collection *collection, const struct sr_facts *facts,
    const struct sr_rules *rules, bool is_exempt)
{
    const int error =
        sr_builder_add(collection->publisher->build, facts, rules, is_exempt);

    return error != ENOMEM ? 0 : fail_memory(collection);
}

/* A name, and the backend whose account has it. */
struct taken {
    const char *backend;
    char name[];
};

static int
compare_taken(const void *a, const void *b)
{
    return strcmp(((const struct taken *)a)->name,
                  ((const struct taken *)b)->name);
}

/*
 * Whether an earlier backend has an account of that name, which is the one that
 * counts, in both views.  Returns SR_UNKNOWN when memory is out.
 */
static enum sr_tri
is_taken(struct collection *collection, const char *name)
{
    const size_t size = strlen(name) + 1;
    struct taken *taken, **found;

    if (collection->publisher->config->backends.count < 2)
        return SR_NO;
    taken = malloc(sizeof(*taken) + size);
    if (taken == NULL)
        return SR_UNKNOWN;
    taken->backend = collection->backend;
    memcpy(taken->name, name, size);
    found = tsearch(taken, &collection->names, compare_taken);
    if (found == NULL || *found != taken)
        free(taken);
    if (found == NULL)
        return SR_UNKNOWN;
    return (*found)->backend == collection->backend ? SR_NO : SR_YES;
}

static int
add_unknown(struct collection *collection, const struct sr_facts *facts,
            const struct sr_rules *rules, const char *reason)
{
    struct publisher *publisher = collection->publisher;

    publisher->unknown++;
    publisher_say("The state of \"%s\" is unknown: %s.", facts->name, reason);
    return add(collection, facts, rules,
               facts->uid == 0 || rules->is_break_glass ||
                   sr_publish_is_exempt(publisher->config, facts->name));
}

static int
add_account(void *context, struct sr_account *account,
            const struct sr_rules *rules, enum sr_status ask,
            const char *reason)
{
    struct collection *collection = context;
    struct sr_transaction txn = {.config = collection->publisher->config,
                                 .rules = *rules,
                                 .account = account,
                                 .ask = ask};
    enum sr_store_result result;
    struct sr_facts facts;
    bool is_exempt;

    /* In login it would be passed over, too. */
    if (collection->is_elsewhere &&
        publisher_collisions_has(&collection->namesakes, &account->facts))
        return 0;
    switch (is_taken(collection, account->facts.name)) {
    case SR_YES:
        return 0;
    case SR_NO:
        break;
    case SR_UNKNOWN:
        return fail_memory(collection);
    }
    if (ask != SR_STATUS_OK)
        return add_unknown(collection, &account->facts, rules, reason);
    if (!ledger_watch_add(collection->publisher->watch, &txn))
        return fail_memory(collection);
    result = renew(collection);
    if (result == SR_STORE_OK)
        result = sr_transaction_recall_in(&txn, collection->store, NULL);
    if (result != SR_STORE_OK)
        return fail_store(collection, result);
    sr_publish_facts(&txn, &facts, &is_exempt);
    return add(collection, &facts, rules, is_exempt);
}

static bool
find_namesakes(struct collection *collection, const struct sr_backend_ops *ops,
               struct sr_error *failure)
{
    int error = 0;

    collection->is_elsewhere = ops != &sr_backend_local;
    if (collection->is_elsewhere && collection->namesakes == NULL)
        error = publisher_collisions_read(&collection->namesakes);
    if (error != 0)
        sr_error_set(failure, SR_ERROR_OTHER, "/etc/passwd: %s",
                     strerror(-error));
    return error == 0;
}

static void
collect_backend(struct collection *collection, const char *name)
{
    struct publisher *publisher = collection->publisher;
    const struct sr_visitor visitor = {collection, find_rules, add_account};
    struct sr_backend backend;
    struct sr_call call = sr_call_make(&backend, NULL);
    enum sr_status ask = SR_STATUS_UNAVAILABLE;

    collection->backend = name;
    if (sr_backend_find(publisher->config, name, &backend, &call.error) == 0) {
        if (backend.ops->enumerate == NULL)
            sr_error_set(&call.error, SR_ERROR_OTHER,
                         "it cannot name its accounts");
        else if (find_namesakes(collection, backend.ops, &call.error)) {
            if (!ledger_watch_read(publisher->watch, name))
                publisher->is_alone = true;
            ask = sr_backend_enumerate(&call, &visitor);
        }
    }
    if (ask == SR_STATUS_NO_MEMORY && collection->error == 0)
        fail_memory(collection);
    if (ask != SR_STATUS_UNAVAILABLE)
        return;
    publisher->is_partial = true;
    publisher_say("The backend \"%s\" cannot be asked: %s.", name,
                  sr_error_text(&call.error));
}

bool
publisher_collect(struct publisher *publisher)
{
    const struct sr_string_list *backends = &publisher->config->backends;
    struct collection collection = {.publisher = publisher};
    enum sr_store_result result;

    collection.members = sr_members_new();
    if (collection.members == NULL) {
        snprintf(publisher->reason, sizeof(publisher->reason), "out of memory");
        return false;
    }
    ledger_watch_forget(publisher->watch);
    result = sr_store_open(NULL, SR_STORE_READ, PUBLISHER_WAIT_MS,
                           &collection.store);
    if (result != SR_STORE_OK && result != SR_STORE_NOT_FOUND)
        fail_store(&collection, result);
    for (size_t i = 0; collection.error == 0 && i < backends->count; i++)
        collect_backend(&collection, backends->item[i]);
    sr_store_close(collection.store);
    sr_members_free(collection.members);
    tdestroy(collection.names, free);
    publisher_collisions_free(&collection.namesakes);
    return collection.error == 0;
}
