/*
 * Run: publishes all accounts of all backends.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nss/acl.h"
#include "nss/carry_over.h"
#include "nss/reading.h"
#include "nss/report.h"
#include "nss/run.h"
#include "nss/stamp.h"
#include "policy/publish/groups.h"
#include "policy/publish/install.h"
#include "policy/publish/uptime.h"
#include "policy/publish/writer.h"
#include "policy/util/deadline.h"
#include "policy/util/name_map.h"

/* How long the lock of the published state is waited for. */
#define LOCK_WAIT_MS 10000

/* After so long the readings that have ended are published without the others.
 */
#define PATIENCE_MS 3000

/* The longest reading; less than TimeoutStartSec of the unit, and than half of
 * nss.max_age. */
#define READING_MAX_MS 240000

struct run {
    const struct sr_config *config;
    struct watch *watch;
    bool is_verbose;
    struct sr_publish_how how;
    struct stamp stamp;
    int64_t began;
    bool is_published; /* without the readings that are under way */
    size_t count;
    struct reading reading[];
};

static int64_t
reading_max(const struct run *run)
{
    const int64_t half = run->config->nss_max_age * 1000 / 2;

    return half < READING_MAX_MS ? half : READING_MAX_MS;
}

/* Find the ids of the state groups; 0 for those that are missing or not safe to
 * use, which is printed. */
static void
find_state_groups(uint32_t gid[SR_GROUP_COUNT])
{
    struct sr_state_groups found;
    char text[200], advice[200];
    int error = sr_state_groups_read(NULL, NULL, gid, &found);

    if (error != 0) {
        publish_say("The groups of this host cannot be read: %s.",
                    strerror(error));
        return;
    }
    for (enum sr_group group = 0; group < SR_GROUP_COUNT; group++) {
        if (sr_state_group_say(group, &found.item[group], text, advice,
                               sizeof(text)))
            publish_say("%s  No account is shown in it.  %s", text, advice);
    }
}

struct run *
run_start(const struct sr_config *config, struct watch *watch, bool is_verbose)
{
    const struct sr_string_list *backends = &config->backends;
    struct run *run =
        calloc(1, sizeof(*run) + backends->count * sizeof(run->reading[0]));

    if (run == NULL)
        return NULL;
    run->config = config;
    run->watch = watch;
    run->is_verbose = is_verbose;
    run->began = sr_deadline_now();
    stamp_take(&run->stamp);
    run->how = (struct sr_publish_how){
        .sequence = sr_publish_sequence(),
        .now = time(NULL),
        .max_age = config->nss_max_age,
        .is_listed = config->nss_enumerate,
        .is_public = config->nss_view == SR_PUBLICITY_PUBLIC,
        .wait_ms = LOCK_WAIT_MS,
        .grant = acl_set,
    };
    sr_uptime_read(&run->how.boot, &run->how.uptime);
    find_state_groups(run->how.gid);
    /* The directories first, so that they are read at the same time as the
     * local accounts.
     */
    for (size_t i = backends->count; i-- > 0; run->count++)
        reading_start(config, backends->item[i], &run->reading[i]);
    return run;
}

void
run_free(struct run *run)
{
    if (run == NULL)
        return;
    for (size_t i = 0; i < run->count; i++)
        reading_free(&run->reading[i]);
    free(run);
}

bool
run_is_old(const struct run *run)
{
    return stamp_is_old(&run->stamp);
}

size_t
run_poll_fds(const struct run *run, struct pollfd *poll_fd)
{
    size_t count = 0;

    for (size_t i = 0; i < run->count; i++) {
        if (run->reading[i].fd >= 0)
            poll_fd[count++] =
                (struct pollfd){.fd = run->reading[i].fd, .events = POLLIN};
    }
    return count;
}

int
run_wait_ms(const struct run *run)
{
    const int64_t due =
        run->began + (run->is_published ? reading_max(run) : PATIENCE_MS);
    const int64_t left = due - sr_deadline_now();

    return left > 0 ? (int)left : 0;
}

/* How many names of two accounts are printed. */
#define CONTESTED_SAID 20

/* ---- putting the readings together */

/* One snapshot that is made. */
struct merge {
    struct run *run;
    struct sr_builder *build;
    const struct reading *reading; /* whose accounts are added */
    struct sr_name_map names;      /* each with the number of its reading */
    struct sr_name_map renamed;    /* of a reading: how many have a name */
    bool is_final;
    const char *missing; /* what is missing; NULL: nothing */
    uint32_t unknown, nameless;
    uint32_t contested; /* accounts whose name another one has */
    bool is_partial;    /* a backend could not be asked */
};

/*
 * Whether an earlier backend has an account of that name, which is the one that
 * counts, in both views.  SR_UNKNOWN: out of memory.
 */
static enum sr_tri
is_taken(struct merge *merge, const char *name)
{
    const intptr_t backend = merge->reading - merge->run->reading;
    struct sr_named *taken;

    if (merge->run->count < 2)
        return SR_NO;
    taken = sr_name_map_add(&merge->names, name);
    if (taken == NULL)
        return SR_UNKNOWN;
    if (taken->value < 0)
        taken->value = backend;
    return taken->value == backend ? SR_NO : SR_YES;
}

static int
add_record(void *context, const struct record *record)
{
    struct merge *merge = context;

    switch (is_taken(merge, record->name)) {
    case SR_YES:
        return 0;
    case SR_NO:
        break;
    case SR_UNKNOWN:
        return -1;
    }
    if (merge->run->watch != NULL && record->is_counted &&
        !ledger_watch_note(merge->run->watch, merge->reading->backend,
                           record->account, &record->limits, record->until))
        return -1;
    if (record->other[0] != '\0' &&
        sr_builder_add_alias(merge->build, record->other) != 0)
        return -1;
    return sr_builder_add_payloads(merge->build, record->name, record->payload,
                                   record->is_exempt);
}

/* ---- one name of two accounts */

/* Accounts by their own names, as a login finds them first; those of the name
 * service's are counted. */
static int
add_own(void *context, const struct record *record)
{
    struct merge *merge = context;
    struct sr_named *name;

    if (!record->is_renamed)
        return add_record(context, record);
    name = sr_name_map_add(&merge->renamed, record->name);
    if (name == NULL)
        return -1;
    name->value = name->value < 0 ? 1 : name->value + 1;
    return 0;
}

/* The others.  A login by a name that two of them have is refused, so that its
 * state is unknown. */
static int
add_renamed(void *context, const struct record *record)
{
    struct merge *merge = context;

    if (!record->is_renamed)
        return 0;
    if (sr_name_map_find(&merge->renamed, record->name)->value == 1)
        return add_record(context, record);
    merge->unknown++;
    if (merge->is_final && merge->contested++ < CONTESTED_SAID)
        publish_say("The state of \"%s\" is unknown: the name service has this "
                    "name for \"%s\" and for another account of \"%s\".",
                    record->name, record->other, merge->reading->backend);
    return is_taken(merge, record->name) == SR_UNKNOWN ||
                   sr_builder_add_alias(merge->build, record->name) != 0 ||
                   sr_builder_add_alias(merge->build, record->other) != 0
               ? -1
               : 0;
}

static int
add_records(struct merge *merge)
{
    int status;

    if (merge->reading->result.renamed == 0)
        return reading_each(merge->reading, add_record, merge);
    status = reading_each(merge->reading, add_own, merge);
    if (status == 0)
        status = reading_each(merge->reading, add_renamed, merge);
    sr_name_map_free(&merge->renamed);
    return status;
}

/* Print what a reading could not find out, once: for the last snapshot of a
 * run. */
static void
print_result(struct merge *merge)
{
    const struct reading_result *result = &merge->reading->result;

    if (!merge->is_final)
        return;
    if (result->end == READING_AWAY)
        publish_say("The backend \"%s\" cannot be asked: %s.",
                    merge->reading->backend, result->reason);
    if (result->nameless > 0)
        publish_say("%u accounts of \"%s\" are left out: their names cannot be "
                    "published.",
                    result->nameless, merge->reading->backend);
    if (merge->run->watch != NULL)
        ledger_watch_set_away(merge->run->watch, merge->reading->backend,
                              result->is_ledger_away ? result->ledger_reason
                                                     : NULL);
    else if (result->is_ledger_away)
        publish_say_ledger_away(result->ledger_reason);
}

/* Add the accounts of one reading.  False: nothing may be published. */
static bool
add_reading(struct merge *merge, const char **reason)
{
    const struct reading *reading = merge->reading;

    if (!reading->has_ended) {
        merge->is_partial = true;
        return true;
    }
    if (reading->result.end == READING_FAILED) {
        *reason = reading->result.reason;
        return false;
    }
    print_result(merge);
    merge->unknown += reading->result.unknown;
    merge->nameless += reading->result.nameless;
    if (reading->result.end == READING_AWAY)
        merge->is_partial = true;
    if (reading->result.is_ledger_away)
        merge->missing = "what other hosts have counted could not be read";
    *reason = "out of memory";
    if (reading->result.unasked > 0)
        merge->build->is_partial = true;
    return add_records(merge) == 0;
}

/* ---- the result */

static void
print_counts(const struct merge *merge, enum sr_publish_result result)
{
    printf("%s: %u accounts, %u of them of directories; %u unknown%s\n",
           result == SR_PUBLISH_UNCHANGED ? "newer already" : "published",
           sr_builder_count(merge->build, SR_VIEW_GROUPS),
           sr_builder_count(merge->build, SR_VIEW_SHADOW), merge->unknown,
           merge->is_partial ? "; what could not be asked was kept" : "");
}

/* What is missing in what is published; NULL: nothing. */
static const char *
part_missing(const struct merge *merge)
{
    return merge->is_partial     ? "a backend could not be asked"
           : merge->unknown > 0  ? "accounts could not be read"
           : merge->nameless > 0 ? "accounts have names that cannot be "
                                   "published"
                                 : merge->missing;
}

int
run_conclude(enum sr_publish_result result, const char *reason)
{
    switch (result) {
    case SR_PUBLISH_OK:
    case SR_PUBLISH_UNCHANGED:
        return PUBLISH_EXIT_OK;
    case SR_PUBLISH_OFF:
        return publish_fail("there is no snapshot yet; run " PUBLISH_PROGRAM
                            " without --user first");
    case SR_PUBLISH_BUSY:
        return publish_fail("another process keeps the lock");
    case SR_PUBLISH_FULL:
        return publish_fail(
            "the disk is full, or a limit on the size of files holds");
    case SR_PUBLISH_FAILED:
        break;
    }
    return publish_fail(reason);
}

/* Print and log the result of the last snapshot of a run. */
static int
conclude(const struct merge *merge, enum sr_publish_result result,
         const char *reason)
{
    const char *missing = part_missing(merge);
    const int status = run_conclude(result, reason);

    if (status != PUBLISH_EXIT_OK)
        return status;
    if (reason[0] != '\0')
        publish_say("A part is missing: %s.", reason);
    if (merge->run->is_verbose)
        print_counts(merge, result);
    if (result == SR_PUBLISH_UNCHANGED)
        return PUBLISH_EXIT_OK;
    if (missing != NULL) {
        publish_log(SR_EVENT_PUBLISH_PARTLY, missing);
        return PUBLISH_EXIT_PARTLY;
    }
    publish_log(SR_EVENT_PUBLISHED, NULL);
    return PUBLISH_EXIT_OK;
}

/* Merge all readings that have ended, and write the snapshot. */
static int
publish(struct run *run, bool is_final)
{
    struct merge merge = {.run = run, .is_final = is_final};
    enum sr_publish_result result;
    const char *why = "out of memory";
    char reason[256] = "";
    bool is_good;
    int status;

    merge.build = sr_builder_new(&run->how);
    is_good = merge.build != NULL;
    if (run->watch != NULL)
        ledger_watch_forget(run->watch);
    for (size_t i = 0; is_good && i < run->count; i++) {
        merge.reading = &run->reading[i];
        is_good = add_reading(&merge, &why);
    }
    if (is_good && merge.is_partial)
        is_good = carry_over(run->config, SR_PUBLISHED_DIR, &run->how,
                             merge.build) == 0;
    if (!is_good) {
        status = publish_fail(why);
    } else {
        result = sr_builder_commit(merge.build, SR_PUBLISHED_DIR, reason,
                                   sizeof(reason));
        status = is_final ? conclude(&merge, result, reason)
                          : run_conclude(result, reason);
    }
    sr_name_map_free(&merge.names);
    sr_builder_free(merge.build);
    return status;
}

/* ---- the readings */

static bool
has_failed(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        if (run->reading[i].has_ended &&
            run->reading[i].result.end == READING_FAILED)
            return true;
    }
    return false;
}

static bool
is_any_open(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        if (!run->reading[i].has_ended)
            return true;
    }
    return false;
}

static void
publish_early(struct run *run)
{
    run->is_published = true;
    /* A large directory takes longer each time, and is published when it has
     * been read: no reason for a warning. */
    for (size_t i = 0; i < run->count && run->is_verbose; i++) {
        if (!run->reading[i].has_ended)
            publish_print(LOG_INFO,
                          "The backend \"%s\" is still being read; the others "
                          "are published without waiting.",
                          run->reading[i].backend);
    }
    publish(run, false);
}

static void
cancel_all(struct run *run)
{
    char reason[80];

    snprintf(reason, sizeof(reason),
             "its accounts were not read within %lld seconds",
             (long long)(reading_max(run) / 1000));
    for (size_t i = 0; i < run->count; i++) {
        if (!run->reading[i].has_ended)
            reading_cancel(&run->reading[i], reason);
    }
}

bool
run_continue(struct run *run, int *status)
{
    int64_t spent;

    for (size_t i = 0; i < run->count; i++)
        reading_continue(&run->reading[i]);
    spent = sr_deadline_now() - run->began;
    if (is_any_open(run) && spent >= reading_max(run))
        cancel_all(run);
    if (!is_any_open(run) || has_failed(run)) {
        *status = publish(run, true);
        return true;
    }
    if (!run->is_published && spent >= PATIENCE_MS)
        publish_early(run);
    return false;
}
