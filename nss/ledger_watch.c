/*
 * Ledger watch: finds published accounts whose lockout in the shared ledger has
 * changed.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nss/ledger_watch.h"
#include "nss/report.h"
#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "policy/throttle/attempt.h"

/* A lockout may end so many seconds earlier or later than was published: the
 * clocks of server and host differ. */
#define TOLERANCE 30

/* A backend with a shared ledger. */
struct counter {
    const char *name; /* of the configuration */
    struct sr_connections *connections;
    struct sr_shared_scan *scan; /* NULL: not read, or could not be */
    bool is_away;                /* which was printed */
};

/* An account that is published. */
struct noted {
    const struct counter *counter;
    struct sr_limits limits;
    sr_time until[2]; /* as it was published */
    char name[];
};

struct watch {
    const struct sr_config *config;
    struct counter *counter;
    size_t count;
    void *noted; /* a tree, by name and counter */
};

struct watch *
ledger_watch_new(const struct sr_config *config)
{
    const struct sr_string_list *names = &config->backends;
    struct watch *watch = calloc(1, sizeof(*watch));

    if (watch == NULL)
        return NULL;
    watch->config = config;
    watch->counter = calloc(names->count + 1, sizeof(*watch->counter));
    for (size_t i = 0; watch->counter != NULL && i < names->count; i++) {
        if (sr_config_shares(config) &&
            sr_shared_ledger_open_by_name(config, NULL, names->item[i])
                .is_there)
            watch->counter[watch->count++].name = names->item[i];
    }
    if (watch->counter == NULL) {
        ledger_watch_free(watch);
        watch = NULL;
    }
    return watch;
}

void
ledger_watch_free(struct watch *watch)
{
    if (watch == NULL)
        return;
    ledger_watch_forget(watch);
    for (size_t i = 0; i < watch->count; i++) {
        sr_connections_free(watch->counter[i].connections);
        sr_shared_scan_free(watch->counter[i].scan);
    }
    free(watch->counter);
    free(watch);
}

bool
ledger_watch_is_needed(const struct watch *watch)
{
    return watch->count > 0;
}

void
ledger_watch_forget(struct watch *watch)
{
    tdestroy(watch->noted, free);
    watch->noted = NULL;
}

/* ---- reading */

static struct counter *
find_counter(const struct watch *watch, const char *backend)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (strcmp(watch->counter[i].name, backend) == 0)
            return &watch->counter[i];
    }
    return NULL;
}

/* Note whether a ledger could be read (reason NULL), and print a change. */
static void
set_away(struct counter *counter, const char *reason)
{
    if (reason != NULL && !counter->is_away)
        publish_say_ledger_away(reason);
    else if (reason == NULL && counter->is_away)
        publish_say_info("What other hosts have counted is read again.");
    counter->is_away = reason != NULL;
}

/* Read a ledger.  The connection stays open, unless it has failed. */
static bool
read_counter(struct watch *watch, struct counter *counter)
{
    char reason[SR_ERROR_TEXT_SIZE] = "";
    struct sr_shared_ledger ledger;
    bool is_read;

    sr_shared_scan_free(counter->scan);
    counter->scan = NULL;
    if (counter->connections == NULL)
        counter->connections = sr_connections_new();
    ledger = sr_shared_ledger_open_by_name(watch->config, counter->connections,
                                           counter->name);
    is_read =
        ledger.is_there && sr_shared_scan_read(&ledger, &counter->scan, reason,
                                               sizeof(reason)) == SR_STATUS_OK;
    if (!is_read) {
        sr_connections_free(counter->connections);
        counter->connections = NULL;
    }
    set_away(counter, is_read ? NULL : reason);
    return is_read;
}

void
ledger_watch_set_away(struct watch *watch, const char *backend,
                      const char *reason)
{
    struct counter *counter = find_counter(watch, backend);

    if (counter != NULL)
        set_away(counter, reason);
}

/* ---- accounts */

static int
compare_noted(const void *left, const void *right)
{
    const struct noted *a = left, *b = right;
    const int order = strcmp(a->name, b->name);

    if (order != 0)
        return order;
    return a->counter < b->counter ? -1 : a->counter > b->counter;
}

/* Find the note of an account, or make one.  NULL: out of memory. */
static struct noted *
note(struct watch *watch, const struct counter *counter, const char *name)
{
    const size_t size = strlen(name) + 1;
    struct noted *made = calloc(1, sizeof(*made) + size);
    struct noted **found;

    if (made == NULL)
        return NULL;
    made->counter = counter;
    memcpy(made->name, name, size);
    found = tsearch(made, &watch->noted, compare_noted);
    if (found == NULL || *found != made)
        free(made);
    return found == NULL ? NULL : *found;
}

bool
ledger_watch_note(struct watch *watch, const char *backend, const char *name,
                  const struct sr_limits *limits, const sr_time until[2])
{
    const struct counter *counter = find_counter(watch, backend);
    struct noted *noted;

    if (counter == NULL)
        return true;
    noted = note(watch, counter, name);
    if (noted == NULL)
        return false;
    noted->limits = *limits;
    memcpy(noted->until, until, sizeof(noted->until));
    return true;
}

bool
ledger_watch_add(struct watch *watch, struct sr_transaction *txn)
{
    const struct sr_facts *facts = &txn->account->facts;
    const struct counter *counter = find_counter(watch, facts->backend);
    const struct sr_limits limits = sr_attempt_shared_limits(&txn->rules);
    sr_time until[2];

    txn->shared = sr_lockouts_none();
    if (counter == NULL || !sr_shared_counts(&txn->rules, facts->uid))
        return true;
    sr_shared_scan_locks(counter->scan, facts->name, &limits,
                         (sr_time)time(NULL), &txn->shared);
    for (int class = 0; class < 2; class ++)
        until[class] = txn->shared.of[class].until;
    return ledger_watch_note(watch, facts->backend, facts->name, &limits,
                             until);
}

/* ---- looking again */

/* Whether the published lockout of one class of sources is out of date. */
static bool
is_other(sr_time before, sr_time after, sr_time now)
{
    const bool was = before > now, is = after > now;

    if (!was || !is)
        return was != is;
    return before - after > TOLERANCE || after - before > TOLERANCE;
}

struct look {
    sr_time now;
    void (*changed)(void *context, const char *name);
    void *context;
    const char **name; /* of accounts that changed: the callback changes the
                        * tree */
    size_t count, capacity;
};

static void
look_at(const void *node, VISIT visit, void *closure)
{
    struct noted *noted = *(struct noted *const *)node;
    struct look *look = closure;
    struct sr_lockouts locks;
    const char **grown;

    if ((visit != postorder && visit != leaf) || noted->counter->scan == NULL)
        return;
    sr_shared_scan_locks(noted->counter->scan, noted->name, &noted->limits,
                         look->now, &locks);
    if (!is_other(noted->until[0], locks.of[0].until, look->now) &&
        !is_other(noted->until[1], locks.of[1].until, look->now))
        return;
    /* Reported once: when publishing fails the next run publishes it. */
    for (int class = 0; class < 2; class ++)
        noted->until[class] = locks.of[class].until;
    if (look->count == look->capacity) {
        const size_t capacity = look->capacity == 0 ? 64 : look->capacity * 2;

        grown = reallocarray(look->name, capacity, sizeof(*grown));
        if (grown == NULL)
            return; /* the next run publishes it */
        look->name = grown;
        look->capacity = capacity;
    }
    look->name[look->count++] = noted->name;
}

int64_t
ledger_watch_look(struct watch *watch, bool *is_back,
                  void (*changed)(void *context, const char *name),
                  void *context)
{
    struct look look = {.now = (sr_time)time(NULL)};
    int64_t entries = 0;

    *is_back = false;
    for (size_t i = 0; i < watch->count; i++) {
        struct counter *counter = &watch->counter[i];
        const bool was_away = counter->is_away;

        if (!read_counter(watch, counter))
            entries = -1;
        else if (entries >= 0)
            entries += (int64_t)sr_shared_scan_count(counter->scan);
        *is_back = *is_back || (was_away && !counter->is_away);
    }
    twalk_r(watch->noted, look_at, &look);
    for (size_t i = 0; i < look.count; i++)
        changed(context, look.name[i]);
    free(look.name);
    return entries;
}
