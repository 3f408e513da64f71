/*
 * Follow: stay, and publish what directories tell of as it changes.
 *
 * One process, one thread, and one wait.  A change of an account becomes a
 * delta.  What hosts count together changes without that of an account, and is
 * read every few seconds.  Whatever leaves a doubt (a connection that was lost,
 * a policy that was changed, a backend that could not be asked) is settled by a
 * reading of everything, which replaces what is published at once or not at
 * all.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "policy/config/account_rules.h"
#include "policy/config/membership.h"
#include "nss/publisher.h"
#include "policy/backend/registry.h"
#include "policy/config/members.h"

/* Everything is read anew so often in any case, and at least twice as often as
 * a snapshot lasts. */
#define ALL_S 300

/* How long a backend that is away is left alone, at first and at most; the same
 * for a reading of everything that failed. */
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000

/* More accounts than that are not looked up one by one. */
#define CHANGED_MAX 200

/* A backend that can be followed. */
struct followed {
    struct sr_backend backend;
    size_t rank;                /* among the backends */
    struct sr_watch *following; /* NULL: it is away */
    int64_t due;                /* when to listen or to begin anew */
    int64_t pause;
    bool is_beginning;
    bool is_said; /* that it is away */
};

struct follower {
    const struct sr_config *config;
    bool is_verbose;
    struct followed *followed;
    size_t count;
    bool needs_all;
    int64_t all_due; /* needed or not */
    int64_t all_pause;
    struct watch *watch; /* over what hosts count together */
    int64_t watch_due;
    int64_t watch_pause; /* when it could not be read */

    /* of the batch under way */
    const struct followed *speaker;
    struct sr_members *members;
    struct sr_connections *connections;
};

static int64_t
clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t
longer(int64_t pause)
{
    return pause * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause * 2;
}

/* ---- one change */

static int
find_rules(void *context, const char *name, gid_t group, struct sr_rules *rules)
{
    const struct follower *follower = context;
    struct sr_members_ask ask = {follower->members, group};
    const struct sr_member member = {name, sr_members_is_member, &ask};

    return sr_config_rules(follower->config, &member, NULL, rules);
}

/* Whether a name is an account of a backend that is asked before the one that
 * tells of it; UNAVAILABLE: nobody knows. */
static enum sr_status
ask_earlier(struct follower *follower, const char *name,
            const struct sr_rules *rules)
{
    enum sr_status ask = SR_STATUS_UNKNOWN_NAME;

    for (size_t i = 0;
         i < follower->speaker->rank && ask == SR_STATUS_UNKNOWN_NAME; i++) {
        struct sr_account *account = NULL;
        struct sr_backend backend;
        struct sr_error error;
        struct sr_call call;

        if (sr_backend_find(follower->config,
                            follower->config->backends.item[i], &backend,
                            &error) != 0)
            return SR_STATUS_UNAVAILABLE;
        call = sr_call_make(&backend, follower->connections);
        ask = sr_backend_look_up(&call, name, rules, &account);
        sr_account_close(account);
    }
    return ask;
}

/* What became of a delta. */
static void
note_result(struct follower *follower, const char *name,
            enum sr_publish_result result, const char *reason)
{
    switch (result) {
    case SR_PUBLISH_OK:
        if (follower->is_verbose)
            publisher_say("Published: %s.", name);
        break;
    case SR_PUBLISH_UNCHANGED:
        break;
    case SR_PUBLISH_OFF:
    case SR_PUBLISH_BUSY:
    case SR_PUBLISH_FULL:
    case SR_PUBLISH_FAILED:
        publisher_say("The change of \"%s\" was not published: %s.", name,
                      reason[0] == '\0' ? "busy or full" : reason);
        follower->needs_all = true;
        break;
    }
}

/* Publish what was gathered, with what this host remembers.  Changes are told
 * in their order, and of two in one batch the second is the newer. */
static void
put(struct follower *follower, struct sr_transaction *txn)
{
    const char *name = txn->account->facts.name;
    const uint64_t sequence = sr_publish_sequence();
    char reason[256] = "";

    if (!ledger_watch_add(follower->watch, txn))
        follower->needs_all = true;
    if (sr_transaction_recall(txn, NULL, NULL) != SR_STORE_OK) {
        note_result(follower, name, SR_PUBLISH_FAILED, txn->reason);
        return;
    }
    note_result(follower, name,
                sr_publish_gathered(SR_PUBLISHED_DIR, txn, sequence,
                                    PUBLISHER_WAIT_MS, reason, sizeof(reason)),
                reason);
}

/* Whether the account is another than the one that this host knows by its
 * name; UNAVAILABLE: nobody knows. */
static enum sr_status
compare_uid(const struct sr_facts *facts)
{
    uid_t uid = (uid_t)-1;

    switch (sr_config_uid_nss(facts->name, &uid)) {
    case SR_NO:
        return SR_STATUS_UNKNOWN_NAME;
    case SR_YES:
        return uid == facts->uid ? SR_STATUS_UNKNOWN_NAME : SR_STATUS_OK;
    default:
        return SR_STATUS_UNAVAILABLE;
    }
}

static int
take_account(void *context, struct sr_account *account,
             const struct sr_rules *rules, enum sr_status ask,
             const char *reason)
{
    struct follower *follower = context;
    struct sr_transaction txn = {.config = follower->config,
                                 .rules = *rules,
                                 .account = account,
                                 .ask = ask};

    (void)reason; /* the reading of everything says it */
    if (ask == SR_STATUS_OK)
        ask = compare_uid(&account->facts);
    if (ask == SR_STATUS_UNKNOWN_NAME)
        ask = ask_earlier(follower, account->facts.name, rules);
    if (ask == SR_STATUS_UNKNOWN_NAME)
        put(follower, &txn);
    else if (ask != SR_STATUS_OK)
        follower->needs_all = true;
    return 0;
}

/* Look somebody up and publish him.  Who cannot be asked for is left as he is.
 */
static void
publish_name(struct follower *follower, const char *name)
{
    const struct sr_shared_locks fleet = {.is_known = {false, false}};
    struct sr_transaction txn;
    char reason[256] = "";

    switch (sr_transaction_begin_with(follower->config, follower->connections,
                                      name, NULL, NULL, &txn)) {
    case SR_STATUS_OK:
        put(follower, &txn);
        break;
    case SR_STATUS_UNKNOWN_NAME:
        note_result(follower, name,
                    sr_publish_account_linked(
                        follower->config, follower->connections, &fleet,
                        SR_PUBLISHED_DIR, NULL, name, PUBLISHER_WAIT_MS, reason,
                        sizeof(reason)),
                    reason);
        break;
    case SR_STATUS_UNAVAILABLE:
    case SR_STATUS_AMBIGUOUS:
    case SR_STATUS_NO_MEMORY:
        follower->needs_all = true;
        break;
    }
    sr_transaction_end(&txn);
}

/* Somebody is gone; another may have the name. */
static int
take_gone(void *context, const char *name)
{
    publish_name(context, name);
    return 0;
}

/* ---- one backend */

/* It is away; what is published stays. */
static void
leave(struct follower *follower, struct followed *followed, const char *reason)
{
    if (followed->following != NULL) {
        followed->backend.ops->watch->stop(followed->following);
        followed->following = NULL;
    }
    if (!followed->is_said)
        publisher_say("The backend \"%s\" cannot be followed now: %s.",
                      followed->backend.name, reason);
    followed->is_said = true;
    followed->is_beginning = false;
    followed->due = clock_ms() + followed->pause;
    followed->pause = longer(followed->pause);
    (void)follower;
}

static void
begin(struct follower *follower, struct followed *followed)
{
    struct sr_call call = sr_call_make(&followed->backend, NULL);

    call.error.code = SR_ERROR_MEMORY;
    followed->following = followed->backend.ops->watch->start(&call);
    if (followed->following == NULL) {
        leave(follower, followed, sr_error_text(&call.error));
        return;
    }
    followed->is_beginning = true;
    followed->due = clock_ms();
}

/* Each batch has groups and connections of its own: none is old. */
static enum sr_watch_result
hear_batch(struct follower *follower, struct followed *followed,
           struct sr_call *call)
{
    const struct sr_watcher listener = {{follower, find_rules, take_account},
                                        take_gone};
    enum sr_watch_result heard = SR_WATCH_NO_MEMORY;

    follower->speaker = followed;
    follower->members = sr_members_new();
    follower->connections = sr_connections_new();
    if (follower->members != NULL && follower->connections != NULL)
        heard = followed->backend.ops->watch->poll(call, followed->following,
                                                   &listener);
    sr_connections_free(follower->connections);
    sr_members_free(follower->members);
    return heard;
}

static void
hear(struct follower *follower, struct followed *followed)
{
    struct sr_call call = sr_call_make(&followed->backend, NULL);

    call.error.code = SR_ERROR_MEMORY;
    followed->is_beginning = false;
    switch (hear_batch(follower, followed, &call)) {
    case SR_WATCH_ALL:
        break;
    case SR_WATCH_BEGINNING:
        followed->is_beginning = true;
        break;
    case SR_WATCH_ANYTHING:
        if (followed->is_said)
            publisher_say("The backend \"%s\" is followed again.",
                          followed->backend.name);
        followed->is_said = false;
        followed->pause = PAUSE_MIN_MS;
        follower->needs_all = true;
        break;
    case SR_WATCH_AWAY:
    case SR_WATCH_NO_MEMORY:
        leave(follower, followed, sr_error_text(&call.error));
        return;
    }
    followed->due = followed->following->wait_ms < 0
                        ? INT64_MAX
                        : clock_ms() + followed->following->wait_ms;
}

/* ---- everything */

static int64_t
all_interval(const struct sr_config *config)
{
    const int64_t half = config->nss_max_age / 2;

    return (half < ALL_S ? half : ALL_S) * 1000;
}

/* Whether a backend is still telling what there is, for the first time. */
static bool
is_any_beginning(const struct follower *follower)
{
    for (size_t i = 0; i < follower->count; i++) {
        if (follower->followed[i].is_beginning)
            return true;
    }
    return false;
}

static void
publish_all(struct follower *follower)
{
    int64_t interval = all_interval(follower->config);

    follower->needs_all = false;
    if (publisher_publish_all(follower->config, follower->watch,
                              follower->is_verbose) == EXIT_OK) {
        follower->all_pause = PAUSE_MIN_MS;
    } else {
        follower->all_pause = longer(follower->all_pause);
        if (interval > follower->all_pause)
            interval = follower->all_pause;
    }
    follower->all_due = clock_ms() + interval;
    if (ledger_watch_is_needed(follower->watch))
        follower->watch_due = clock_ms() + (int64_t)WATCH_PAUSE_S * 1000;
}

/* ---- what hosts count together */

struct changes {
    struct follower *follower;
    unsigned count;
};

static void
take_change(void *context, const char *name)
{
    struct changes *changes = context;
    struct follower *follower = changes->follower;

    if (follower->needs_all || ++changes->count > CHANGED_MAX) {
        follower->needs_all = true;
        return;
    }
    /* Nothing that was read of an account before is good enough. */
    if (follower->connections == NULL)
        follower->connections = sr_connections_new();
    publish_name(follower, name);
}

/* Look at the ledgers.  Once they can be read again everything is read: what
 * was published meanwhile is what this host knows. */
static void
watch(struct follower *follower)
{
    struct changes changes = {follower, 0};
    bool is_back;
    int64_t entries;

    follower->connections = NULL;
    entries =
        ledger_watch_look(follower->watch, &is_back, take_change, &changes);
    sr_connections_free(follower->connections);
    follower->connections = NULL;
    if (is_back)
        follower->needs_all = true;
    if (entries < 0) {
        follower->watch_due = clock_ms() + follower->watch_pause;
        follower->watch_pause = longer(follower->watch_pause);
        return;
    }
    follower->watch_pause = (int64_t)WATCH_PAUSE_S * 1000;
    if (entries < (int64_t)WATCH_PAUSE_S * WATCH_PER_SECOND)
        entries = (int64_t)WATCH_PAUSE_S * WATCH_PER_SECOND;
    follower->watch_due = clock_ms() + entries * 1000 / WATCH_PER_SECOND;
}

/* ---- the wait */

static int
time_until(const struct follower *follower, int64_t now)
{
    int64_t due = follower->all_due;

    if (!is_any_beginning(follower)) {
        if (follower->watch_due < due)
            due = follower->watch_due;
        if (follower->needs_all)
            due = now;
    }
    for (size_t i = 0; i < follower->count; i++) {
        if (follower->followed[i].due < due)
            due = follower->followed[i].due;
    }
    return due <= now              ? 0
           : due - now > INT32_MAX ? INT32_MAX
                                   : (int)(due - now);
}

/* Wait until there is something to do.  Returns the signal that came, 0 for
 * none, or a negative errno. */
static int
await(struct follower *follower, int signals, struct pollfd *poll_fd)
{
    struct signalfd_siginfo info;
    int ready;

    poll_fd[0] = (struct pollfd){.fd = signals, .events = POLLIN};
    for (size_t i = 0; i < follower->count; i++) {
        const struct sr_watch *following = follower->followed[i].following;

        poll_fd[i + 1] = (struct pollfd){
            .fd = following == NULL ? -1 : following->fd, .events = POLLIN};
    }
    ready =
        poll(poll_fd, follower->count + 1, time_until(follower, clock_ms()));
    if (ready < 0)
        return errno == EINTR ? 0 : -errno;
    for (size_t i = 0; i < follower->count; i++) {
        if (poll_fd[i + 1].revents != 0)
            follower->followed[i].due = 0;
    }
    if (poll_fd[0].revents != 0 &&
        read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        return (int)info.ssi_signo;
    return 0;
}

static void
work(struct follower *follower)
{
    for (size_t i = 0; i < follower->count; i++) {
        struct followed *followed = &follower->followed[i];

        if (followed->due > clock_ms())
            continue;
        if (followed->following == NULL)
            begin(follower, followed);
        else
            hear(follower, followed);
    }
    if (is_any_beginning(follower))
        return;
    if (!follower->needs_all && follower->watch_due <= clock_ms())
        watch(follower);
    if (follower->needs_all || follower->all_due <= clock_ms())
        publish_all(follower);
}

/* ---- the life */

/* The backends that can be followed; the others are read now and then. */
static bool
find_followed(struct follower *follower)
{
    const struct sr_string_list *names = &follower->config->backends;
    struct sr_error error;

    follower->followed = calloc(names->count + 1, sizeof(*follower->followed));
    if (follower->followed == NULL)
        return false;
    for (size_t i = 0; i < names->count; i++) {
        struct followed *followed = &follower->followed[follower->count];

        if (sr_backend_find(follower->config, names->item[i],
                            &followed->backend, &error) != 0) {
            publisher_say("The backend \"%s\" cannot be followed: %s.",
                          names->item[i], error.text);
            continue;
        }
        if (followed->backend.ops->watch == NULL)
            continue;
        followed->rank = i;
        followed->pause = PAUSE_MIN_MS;
        follower->count++;
    }
    return true;
}

int
publisher_follow(const struct sr_config *config, int signals, bool is_verbose)
{
    struct follower follower = {.config = config,
                                .is_verbose = is_verbose,
                                .needs_all = true,
                                .all_pause = PAUSE_MIN_MS,
                                .watch_pause = PAUSE_MIN_MS};
    struct pollfd *poll_fd = NULL;
    int came = -ENOMEM;

    follower.all_due = INT64_MAX;
    follower.watch_due = INT64_MAX;
    follower.watch = ledger_watch_new(config, true);
    if (follower.watch != NULL && find_followed(&follower))
        poll_fd = calloc(follower.count + 1, sizeof(*poll_fd));
    if (poll_fd != NULL) {
        do
            work(&follower);
        while ((came = await(&follower, signals, poll_fd)) == 0);
    }
    for (size_t i = 0; i < follower.count; i++) {
        if (follower.followed[i].following != NULL)
            follower.followed[i].backend.ops->watch->stop(
                follower.followed[i].following);
    }
    ledger_watch_free(follower.watch);
    free(poll_fd);
    free(follower.followed);
    return came;
}
