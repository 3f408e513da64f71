/*
 * Changes: publishes single accounts that have changed in a directory.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "nss/changes.h"
#include "nss/report.h"
#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "policy/publish/writer.h"

/* How long the lock of the published state is waited for. */
#define LOCK_WAIT_MS 10000

/* For the name service, for a batch. */
#define NAMES_MS 5000

bool
changes_begin(struct changes *changes, const struct sr_config *config,
              struct watch *watch, bool is_verbose)
{
    memset(changes, 0, sizeof(*changes));
    changes->config = config;
    changes->watch = watch;
    changes->is_verbose = is_verbose;
    changes->members = sr_members_new(config, NULL);
    changes->connections = sr_connections_new();
    return changes->members != NULL && changes->connections != NULL &&
           names_new(NAMES_MS, &changes->names) == 0;
}

void
changes_end(struct changes *changes)
{
    sr_connections_free(changes->connections);
    sr_members_free(changes->members);
    names_free(changes->names);
}

/* What a backend says of a name. */
static enum sr_status
ask_backend(struct changes *changes, const struct sr_backend *backend,
            const char *name, const struct sr_rules *rules)
{
    struct sr_call call = sr_call_make(backend, changes->connections);
    struct sr_account *account = NULL;
    const enum sr_status ask = sr_backend_look_up(&call, name, rules, &account);

    sr_account_close(account);
    return ask;
}

/* Whether a backend before the one that reports has an account of this name;
 * UNAVAILABLE: not known. */
static enum sr_status
ask_earlier(struct changes *changes, const char *name,
            const struct sr_rules *rules)
{
    enum sr_status ask = SR_STATUS_UNKNOWN_NAME;

    for (size_t i = 0; i < changes->rank && ask == SR_STATUS_UNKNOWN_NAME;
         i++) {
        struct sr_backend backend;
        struct sr_error error;

        if (sr_backend_find(changes->config, changes->config->backends.item[i],
                            &backend, &error) != 0)
            return SR_STATUS_UNAVAILABLE;
        ask = ask_backend(changes, &backend, name, rules);
    }
    return ask;
}

/* The result of publishing a delta. */
static void
note_result(struct changes *changes, const char *name,
            enum sr_publish_result result, const char *reason)
{
    switch (result) {
    case SR_PUBLISH_OK:
        if (changes->is_verbose)
            publish_say_info("Published: %s.", name);
        break;
    case SR_PUBLISH_UNCHANGED:
        break;
    case SR_PUBLISH_OFF:
    case SR_PUBLISH_BUSY:
    case SR_PUBLISH_FULL:
    case SR_PUBLISH_FAILED:
        publish_say("The change of \"%s\" was not published: %s.", name,
                    reason[0] == '\0' ? "busy or full" : reason);
        changes->needs_all = true;
        break;
    }
}

/* Publish an account, with what this host remembers of it.  Changes are
 * reported in their order: of two in one batch the second is newer. */
static void
put(struct changes *changes, struct sr_transaction *txn)
{
    const char *name = txn->account->facts.name;
    const uint64_t sequence = sr_publish_sequence();
    char reason[256] = "";

    if (!ledger_watch_add(changes->watch, txn))
        changes->needs_all = true;
    if (sr_transaction_recall(txn, NULL, NULL) != SR_STORE_OK) {
        note_result(changes, name, SR_PUBLISH_FAILED, txn->reason);
        return;
    }
    note_result(changes, name,
                sr_publish_gathered(SR_PUBLISHED_DIR, txn, sequence,
                                    LOCK_WAIT_MS, reason, sizeof(reason)),
                reason);
}

/*
 * Whether what the name service calls the account is published: another name
 * than the account's own, or, where it could not be asked, that it may have
 * one.  Only a run of all accounts adds these.
 */
static bool
has_names(const struct changes *changes, const char *name, const char *other)
{
    struct sr_published published;

    if (other[0] == '\0' && names_skipped(changes->names) == 0)
        return true;
    return sr_reader_find(SR_PUBLISHED_DIR, SR_VIEW_GROUPS,
                          other[0] != '\0' ? other : name, sr_reader_now(),
                          &published) == SR_FOUND_IT ||
           published.is_alias;
}

static int
take_account(void *context, struct sr_account *account,
             const struct sr_rules *rules, enum sr_status ask,
             const char *reason)
{
    struct changes *changes = context;
    struct sr_transaction txn = {.config = changes->config,
                                 .rules = *rules,
                                 .account = account,
                                 .ask = ask};
    char other[SR_NAME_MAX + 1];

    (void)reason; /* the next run prints it */
    if (ask == SR_STATUS_OK) {
        if (names_resolve(changes->names, &account->facts, txn.nss.name,
                          other) == NAME_IS_ANOTHERS)
            return 0;
        if (!has_names(changes, account->facts.name, other))
            changes->needs_all = true;
        txn.nss.exists = SR_YES;
        txn.nss.uid = account->facts.uid;
        ask = ask_earlier(changes, account->facts.name, rules);
        /* Another entry of the directory may have the name, too. */
        if (ask == SR_STATUS_UNKNOWN_NAME &&
            ask_backend(changes, &account->backend, account->facts.name,
                        rules) != SR_STATUS_OK)
            ask = SR_STATUS_AMBIGUOUS;
    }
    if (ask == SR_STATUS_UNKNOWN_NAME)
        put(changes, &txn);
    else
        changes->needs_all = true;
    return 0;
}

void
changes_publish(struct changes *changes, const char *name)
{
    const struct sr_lockouts fleet = sr_lockouts_unknown();
    struct sr_transaction txn;
    char reason[256] = "";

    switch (sr_transaction_begin_with(changes->config, changes->connections,
                                      name, NULL, NULL, &txn)) {
    case SR_STATUS_OK:
        put(changes, &txn);
        break;
    case SR_STATUS_UNKNOWN_NAME:
        note_result(changes, name,
                    sr_publish_account(changes->config, changes->connections,
                                       &fleet, SR_PUBLISHED_DIR, NULL, name,
                                       LOCK_WAIT_MS, reason, sizeof(reason)),
                    reason);
        break;
    case SR_STATUS_UNAVAILABLE:
    case SR_STATUS_AMBIGUOUS:
    case SR_STATUS_NO_MEMORY:
        changes->needs_all = true;
        break;
    }
    sr_transaction_end(&txn);
}

/* An account is gone; another may have its name.  Where it was published under
 * another name, only a run of all accounts finds that. */
static int
take_gone(void *context, const char *name)
{
    struct changes *changes = context;
    struct sr_published published;

    if (sr_reader_find(SR_PUBLISHED_DIR, SR_VIEW_SHADOW, name, sr_reader_now(),
                       &published) != SR_FOUND_IT)
        changes->needs_all = true;
    changes_publish(changes, name);
    return 0;
}

struct sr_watcher
changes_watcher(struct changes *changes)
{
    return (struct sr_watcher){
        {sr_members_rules, changes->members, take_account, changes, NULL},
        take_gone};
}
