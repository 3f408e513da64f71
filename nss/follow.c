/*
 * Follow: publishes all accounts, and then what changes in directories.
 *
 * One process with one thread waits for all events.  A change of an account
 * becomes a delta.  The shared ledgers change without the accounts and are read
 * every few seconds.  After a lost connection, a changed policy or a backend
 * that could not be asked, a run over all accounts is made, whose readings are
 * processes of their own.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "nss/changes.h"
#include "nss/follow.h"
#include "nss/report.h"
#include "nss/run.h"
#include "policy/backend/registry.h"
#include "policy/util/deadline.h"

/* A run starts so often in any case, and at least twice in nss.max_age. */
#define RUN_EVERY_S 300

/* The pause before a backend that is unreachable is asked again, at first and
 * at most; the same for a run that failed. */
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000

/* A watch begins by reading the directory, after which a run is due.  A run
 * waits for that so long, to read it only once; and a reading that takes longer
 * than the second time is broken off. */
#define BEGINNING_WAIT_MS 5000
#define BEGINNING_MAX_MS  300000

/* More accounts than that are not looked up one by one. */
#define CHANGED_MAX 200

/* A backend that can be followed. */
struct followed {
    struct sr_backend backend;
    size_t rank;            /* among the backends */
    struct sr_watch *watch; /* NULL: it is unreachable */
    int64_t due;            /* when to poll the watch or to start it again */
    int64_t pause;
    int64_t began; /* when the first reading began */
    bool is_beginning;
    bool is_told; /* that it is unreachable */
};

struct follower {
    const struct sr_config *config;
    bool is_verbose;
    struct followed *followed;
    size_t count;
    struct run *run; /* NULL: none is under way */
    bool needs_run;
    int64_t run_due; /* needed or not */
    int64_t run_pause;
    struct watch *ledgers; /* the shared ones */
    int64_t ledgers_due;
    int64_t ledgers_pause; /* when one could not be read */
};

static int64_t
longer(int64_t pause)
{
    return pause * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause * 2;
}

/* ---- one backend */

/* It is unreachable; what is published stays. */
static void
leave(struct followed *followed, const char *reason)
{
    if (followed->watch != NULL) {
        followed->backend.ops->watch->stop(followed->watch);
        followed->watch = NULL;
    }
    if (!followed->is_told)
        publish_say("The backend \"%s\" cannot be followed now: %s.",
                    followed->backend.name, reason);
    followed->is_told = true;
    followed->is_beginning = false;
    followed->due = sr_deadline_now() + followed->pause;
    followed->pause = longer(followed->pause);
}

static void
begin(struct followed *followed)
{
    struct sr_call call = sr_call_make(&followed->backend, NULL);

    call.error.code = SR_ERROR_MEMORY;
    followed->watch = followed->backend.ops->watch->start(&call);
    if (followed->watch == NULL) {
        leave(followed, sr_error_text(&call.error));
        return;
    }
    followed->is_beginning = true;
    followed->began = followed->due = sr_deadline_now();
}

static enum sr_watch_result
poll_watch(struct follower *follower, struct followed *followed,
           struct sr_call *call)
{
    enum sr_watch_result result = SR_WATCH_NO_MEMORY;
    struct sr_watcher watcher;
    struct changes changes;

    if (changes_begin(&changes, follower->config, follower->ledgers,
                      follower->is_verbose)) {
        changes.rank = followed->rank;
        watcher = changes_watcher(&changes);
        result =
            followed->backend.ops->watch->poll(call, followed->watch, &watcher);
    }
    changes_end(&changes);
    follower->needs_run = follower->needs_run || changes.needs_all;
    return result;
}

static void
note_complete(struct follower *follower, struct followed *followed)
{
    if (followed->is_told)
        publish_say_info("The backend \"%s\" is followed again.",
                         followed->backend.name);
    followed->is_told = false;
    followed->pause = PAUSE_MIN_MS;
    follower->needs_run = true;
}

static void
poll_backend(struct follower *follower, struct followed *followed)
{
    struct sr_call call = sr_call_make(&followed->backend, NULL);

    call.error.code = SR_ERROR_MEMORY;
    followed->is_beginning = false;
    switch (poll_watch(follower, followed, &call)) {
    case SR_WATCH_ALL:
        break;
    case SR_WATCH_BEGINNING:
        followed->is_beginning = true;
        break;
    case SR_WATCH_ANYTHING:
        note_complete(follower, followed);
        break;
    case SR_WATCH_AWAY:
    case SR_WATCH_NO_MEMORY:
        leave(followed, sr_error_text(&call.error));
        return;
    }
    if (followed->is_beginning &&
        sr_deadline_now() - followed->began > BEGINNING_MAX_MS) {
        leave(followed, "its first reading does not end");
        return;
    }
    followed->due = followed->watch->wait_ms < 0
                        ? INT64_MAX
                        : sr_deadline_now() + followed->watch->wait_ms;
}

/* ---- runs */

static int64_t
run_interval(const struct sr_config *config)
{
    const int64_t half = config->nss_max_age / 2;

    return (half < RUN_EVERY_S ? half : RUN_EVERY_S) * 1000;
}

/* Until when a run waits for watches that begin; 0: it does not wait. */
static int64_t
beginning_until(const struct follower *follower)
{
    int64_t until = 0;

    for (size_t i = 0; i < follower->count; i++) {
        const struct followed *followed = &follower->followed[i];

        if (followed->is_beginning &&
            followed->began + BEGINNING_WAIT_MS > until)
            until = followed->began + BEGINNING_WAIT_MS;
    }
    return until;
}

static int64_t
next_run(const struct follower *follower)
{
    const int64_t wait = beginning_until(follower);
    const int64_t due = follower->needs_run ? 0 : follower->run_due;

    return wait > due ? wait : due;
}

static void
start_run(struct follower *follower)
{
    follower->needs_run = false;
    follower->run =
        run_start(follower->config, follower->ledgers, follower->is_verbose);
    if (follower->run == NULL) {
        publish_fail("out of memory");
        follower->run_pause = longer(follower->run_pause);
        follower->run_due = sr_deadline_now() + follower->run_pause;
    }
}

/* Plan the next run; after a failure, soon. */
static void
end_run(struct follower *follower, int status)
{
    int64_t interval = run_interval(follower->config);

    if (status == PUBLISH_EXIT_OK) {
        follower->run_pause = PAUSE_MIN_MS;
    } else {
        follower->run_pause = longer(follower->run_pause);
        if (interval > follower->run_pause)
            interval = follower->run_pause;
    }
    if (run_is_old(follower->run))
        interval = PAUSE_MIN_MS;
    run_free(follower->run);
    follower->run = NULL;
    follower->run_due = sr_deadline_now() + interval;
    if (ledger_watch_is_needed(follower->ledgers))
        follower->ledgers_due =
            sr_deadline_now() + (int64_t)WATCH_PAUSE_S * 1000;
}

/* ---- the shared ledgers */

struct ledger_changes {
    struct changes batch;
    unsigned count;
};

static void
take_change(void *context, const char *name)
{
    struct ledger_changes *changes = context;

    if (changes->batch.needs_all || ++changes->count > CHANGED_MAX)
        changes->batch.needs_all = true;
    else
        changes_publish(&changes->batch, name);
}

/* Read the ledgers.  When one can be read again a run is due: the lockouts that
 * were published meanwhile are those of this host. */
static void
read_ledgers(struct follower *follower)
{
    struct ledger_changes changes = {.count = 0};
    bool is_back = false;
    int64_t entries = -1;

    if (changes_begin(&changes.batch, follower->config, follower->ledgers,
                      follower->is_verbose))
        entries = ledger_watch_look(follower->ledgers, &is_back, take_change,
                                    &changes);
    changes_end(&changes.batch);
    follower->needs_run =
        follower->needs_run || is_back || changes.batch.needs_all;
    if (entries < 0) {
        follower->ledgers_due = sr_deadline_now() + follower->ledgers_pause;
        follower->ledgers_pause = longer(follower->ledgers_pause);
        return;
    }
    follower->ledgers_pause = (int64_t)WATCH_PAUSE_S * 1000;
    if (entries < (int64_t)WATCH_PAUSE_S * WATCH_PER_SECOND)
        entries = (int64_t)WATCH_PAUSE_S * WATCH_PER_SECOND;
    follower->ledgers_due =
        sr_deadline_now() + entries * 1000 / WATCH_PER_SECOND;
}

/* ---- the wait */

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int
time_until(const struct follower *follower, int64_t now)
{
    int64_t due = follower->run != NULL ? now + run_wait_ms(follower->run)
                                        : next_run(follower);

    due = earlier(due, follower->ledgers_due);
    for (size_t i = 0; i < follower->count; i++)
        due = earlier(due, follower->followed[i].due);
    return due <= now ? 0 : (int)earlier(due - now, INT32_MAX);
}

/* Wait until there is something to do.  `poll_fd` has room for the signals, the
 * watches and the readings.  Returns the signal that came, 0 for none, or a
 * negative errno. */
static int
await(struct follower *follower, int signals, struct pollfd *poll_fd)
{
    struct signalfd_siginfo info;
    nfds_t count = follower->count + 1;
    int ready;

    poll_fd[0] = (struct pollfd){.fd = signals, .events = POLLIN};
    for (size_t i = 0; i < follower->count; i++) {
        const struct sr_watch *watch = follower->followed[i].watch;

        poll_fd[i + 1] = (struct pollfd){.fd = watch == NULL ? -1 : watch->fd,
                                         .events = POLLIN};
    }
    if (follower->run != NULL)
        count += run_poll_fds(follower->run, poll_fd + count);
    ready = poll(poll_fd, count, time_until(follower, sr_deadline_now()));
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
    int status;

    for (size_t i = 0; i < follower->count; i++) {
        struct followed *followed = &follower->followed[i];

        if (followed->due > sr_deadline_now())
            continue;
        if (followed->watch == NULL)
            begin(followed);
        else
            poll_backend(follower, followed);
    }
    if (follower->ledgers_due <= sr_deadline_now())
        read_ledgers(follower);
    if (follower->run == NULL && next_run(follower) <= sr_deadline_now())
        start_run(follower);
    if (follower->run != NULL && run_continue(follower->run, &status))
        end_run(follower, status);
}

/* ---- start and end */

/* Find the backends that can be followed; the others are read by runs. */
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
            publish_say("The backend \"%s\" cannot be followed: %s.",
                        names->item[i], sr_error_text(&error));
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

static void
release(struct follower *follower)
{
    run_free(follower->run);
    for (size_t i = 0; i < follower->count; i++) {
        struct followed *followed = &follower->followed[i];

        if (followed->watch != NULL)
            followed->backend.ops->watch->stop(followed->watch);
    }
    ledger_watch_free(follower->ledgers);
    free(follower->followed);
}

int
follow(const struct sr_config *config, int signals, bool is_verbose)
{
    struct follower follower = {.config = config,
                                .is_verbose = is_verbose,
                                .needs_run = true,
                                .run_due = INT64_MAX,
                                .run_pause = PAUSE_MIN_MS,
                                .ledgers_due = INT64_MAX,
                                .ledgers_pause = PAUSE_MIN_MS};
    struct pollfd *poll_fd = NULL;
    int came = -ENOMEM;

    follower.ledgers = ledger_watch_new(config);
    if (follower.ledgers != NULL && find_followed(&follower))
        poll_fd = calloc(follower.count + config->backends.count + 1,
                         sizeof(*poll_fd));
    if (poll_fd != NULL) {
        do
            work(&follower);
        while ((came = await(&follower, signals, poll_fd)) == 0);
    }
    free(poll_fd);
    release(&follower);
    return came;
}
