/*
 * Verification: one verification, counted by this host and by the shared
 * ledger.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "policy/account/verification.h"
#include "policy/backend/registry.h"
#include "policy/util/file_lock.h"

struct sr_verification {
    struct sr_attempt *attempt;
    enum sr_begin answer;
    bool is_counted; /* in the ledger below */
    bool is_decoy;
    bool is_overflow; /* a name for which its bucket has no place */
    bool has_own;     /* our entry may be there */
    bool has_trouble;
    enum sr_shared_state state; /* of the own entry */
    struct sr_limits limits;
    int64_t lifetime;
    sr_time server;     /* the server's time when the own entry was added, */
    int64_t added;      /* and this host's clock, milliseconds */
    sr_time now;        /* the server's, of the last look */
    sr_time until_wall; /* LOCKED by the shared ledger */
    struct sr_lockouts locks;
    struct sr_shared_judgement judgement;
    char own[SR_SHARED_ID_SIZE];
    char ledger[SR_SHARED_LEDGER_SIZE];
    char tag[SR_SHARED_TAG_SIZE]; /* where the ledger is a bucket; else empty */
    size_t all; /* entries of the bucket that the list has, own ones first */
    char backend[SR_BACKEND_NAME_MAX + 1];
    char trouble[SR_ERROR_TEXT_SIZE + 64];
    struct sr_shared_list *list; /* only where it is counted: it is large */
};

/* ---- requests */

static bool
ask(struct sr_verification *verification, const struct sr_shared_ledger *way,
    struct sr_shared_request *request, enum sr_status *answer)
{
    struct sr_call call = sr_call_make(&way->backend, way->connections);

    *answer = sr_backend_shared_ledger(&call, request);
    if (*answer == SR_STATUS_OK || *answer == SR_STATUS_UNKNOWN_NAME)
        return true;
    verification->has_trouble = true;
    snprintf(verification->trouble, sizeof(verification->trouble), "%s",
             *answer == SR_STATUS_NO_MEMORY ? "out of memory"
                                            : call.error.text);
    return false;
}

static bool
trouble(struct sr_verification *verification, const char *why)
{
    verification->has_trouble = true;
    snprintf(verification->trouble, sizeof(verification->trouble), "%s", why);
    return false;
}

/* A unique id, which begins with the tag. */
static bool
make_id(const char *tag, char id[SR_SHARED_ID_SIZE])
{
    uint8_t dice[(SR_SHARED_ID_SIZE - 1) / 2];

    if (getrandom(dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
        return false;
    for (size_t i = 0; i < sizeof(dice); i++)
        snprintf(id + 2 * i, 3, "%02x", dice[i]);
    memcpy(id, tag, strlen(tag));
    return true;
}

/* Add our entry. */
static bool
enter(struct sr_verification *verification, const struct sr_shared_ledger *way,
      enum sr_shared_state state)
{
    struct sr_shared_request request = {
        .what = SR_SHARED_ADD,
        .ledger = verification->ledger,
        .id = verification->own,
        .state = state,
        .is_settling = state == SR_SHARED_FAILED,
    };
    enum sr_status answer;

    if (!make_id(verification->tag, verification->own))
        return trouble(verification, "no random numbers");
    verification->server = 0;
    verification->added = sr_clock_milliseconds();
    verification->has_own = ask(verification, way, &request, &answer);
    return verification->has_own;
}

/* Delete the first entries of the list, and our own. */
static bool
drop(struct sr_verification *verification, const struct sr_shared_ledger *way,
     size_t count, bool with_own, bool is_all, bool is_settling)
{
    struct sr_shared_request request = {
        .what = SR_SHARED_DROP,
        .ledger = verification->ledger,
        .drop = verification->list->entry,
        .count = count,
        .is_all = is_all && !verification->list->is_cut,
        .is_settling = is_settling,
    };
    enum sr_status answer;

    if (with_own && verification->has_own) {
        if (count == SR_SHARED_MAX)
            request.count--;
        memcpy(verification->list->entry[request.count++].id, verification->own,
               sizeof(verification->own));
        verification->has_own = false;
    }
    return request.count == 0 || ask(verification, way, &request, &answer);
}

/* Read the ledger and evaluate it. */
static bool
look(struct sr_verification *verification, const struct sr_shared_ledger *way)
{
    struct sr_shared_request request = {.what = SR_SHARED_LIST,
                                        .ledger = verification->ledger,
                                        .list = verification->list};
    const char *own = verification->has_own ? verification->own : NULL;
    const struct sr_shared_entry *entry = NULL;
    enum sr_status answer;

    if (!ask(verification, way, &request, &answer))
        return false;
    if (own != NULL)
        entry = sr_shared_find(verification->list, own);
    /* What does not show our entry may be another server, which does not show
     * all the others' either. */
    if (own != NULL && entry == NULL)
        return trouble(verification, "what was added is not shown");
    if (entry != NULL && verification->server == 0)
        verification->server = entry->made;
    verification->now = verification->server +
                        (sr_clock_milliseconds() - verification->added) / 1000;
    if (verification->server == 0)
        verification->now = sr_shared_latest(verification->list);
    verification->all = verification->list->count;
    if (verification->tag[0] != '\0')
        verification->all =
            sr_shared_gather(verification->list, verification->tag);
    sr_shared_judge(verification->list, own, &verification->limits,
                    verification->now, verification->lifetime,
                    &verification->judgement);
    return true;
}

/* ---- begin */

/* An entry must not become too old while its owner waits. */
static bool
is_ageing(const struct sr_verification *verification)
{
    return sr_clock_milliseconds() - verification->added >
           verification->lifetime * 1000 / 3;
}

/*
 * Contend for room in the ledger.  Who gives way looks before coming back, so
 * that those who stay get through.  False: the directory is away.
 */
static bool
contend(struct sr_verification *verification,
        const struct sr_shared_ledger *way, int64_t deadline)
{
    const struct sr_shared_judgement *judgement = &verification->judgement;
    unsigned nap = 4;

    for (;;) {
        if (!verification->has_own && judgement->answer == SR_SHARED_GO &&
            !enter(verification, way, verification->state))
            return false;
        if (!look(verification, way))
            return false;
        if (judgement->answer == SR_SHARED_LOCKED ||
            (judgement->answer == SR_SHARED_GO && verification->has_own))
            return true;
        if (judgement->answer == SR_SHARED_GO)
            continue;
        if (verification->has_own &&
            (!judgement->may_stay || is_ageing(verification) ||
             sr_clock_milliseconds() >= deadline) &&
            !drop(verification, way, 0, true, false, false))
            return false;
        if (sr_clock_milliseconds() >= deadline)
            return true;
        sr_nap(nap / 2, nap);
        if (nap < 64)
            nap *= 2;
    }
}

/*
 * A bucket keeps to its size: another name gives way.  Where all others are
 * locked out, a name that is new to it is not counted here, so that nothing
 * that was tried with other names locks it out.
 */
static bool
make_place(struct sr_verification *verification,
           const struct sr_shared_ledger *way)
{
    const size_t own = verification->list->count;
    struct sr_shared_list *room;
    enum sr_status answer;
    bool is_full = false;
    struct sr_shared_request request = {
        .what = SR_SHARED_DROP,
        .ledger = verification->ledger,
        .drop = verification->list->entry + own,
    };

    if (verification->all == own)
        return true;
    room = calloc(1, sizeof(*room));
    if (room == NULL)
        return trouble(verification, "out of memory");
    request.count = sr_shared_evict(verification->list->entry + own,
                                    verification->all - own,
                                    &verification->limits, verification->now,
                                    verification->lifetime, room, &is_full);
    free(room);
    verification->is_overflow = is_full && own == 1;
    return request.count == 0 || ask(verification, way, &request, &answer);
}

/* The ledger that counts.  The key is read even where it is not needed. */
static bool
find_ledger(struct sr_verification *verification,
            const struct sr_shared_ledger *way,
            const struct sr_subject *subject)
{
    struct sr_shared_request request = {.what = SR_SHARED_KEY};
    enum sr_status answer;
    uint32_t dice = 0;

    verification->list = calloc(1, sizeof(*verification->list));
    if (verification->list == NULL)
        return trouble(verification, "out of memory");
    if (!ask(verification, way, &request, &answer))
        return false;
    if (verification->is_decoy) {
        if (getrandom(&dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
            return trouble(verification, "no random numbers");
        sr_shared_decoy(dice, verification->ledger);
    } else if (subject->is_known) {
        sr_shared_account(subject->id.name,
                          sr_attempt_counted(verification->attempt) ==
                              SR_CLASS_FAMILIAR,
                          verification->ledger);
    } else {
        sr_shared_name(request.key, subject->id.name, verification->ledger,
                       verification->tag);
    }
    explicit_bzero(request.key, sizeof(request.key));
    return true;
}

/* The end of a lockout by this host's wall clock. */
static sr_time
to_wall(sr_time until, sr_time now)
{
    return sr_clock_to_wall(until, now, (sr_time)time(NULL));
}

/* The side that the attempt is counted on is locked out until then; unknown: it
 * is not. */
static void
note_lock(struct sr_verification *verification, sr_time until)
{
    const enum sr_source_class class =
        sr_attempt_counted(verification->attempt);

    verification->locks.is_known[class] = true;
    verification->locks.of[class] =
        until == SR_TIME_UNKNOWN
            ? sr_lockout_none()
            : sr_lockout_until(until, SR_LOCK_WHY_THROTTLE);
}

static enum sr_begin
shared_begin(struct sr_verification *verification,
             const struct sr_shared_ledger *way,
             const struct sr_subject *subject, int64_t deadline)
{
    const struct sr_shared_judgement *judgement = &verification->judgement;

    verification->locks = sr_lockouts_none(); /* unless it answers */
    if (!find_ledger(verification, way, subject))
        return SR_BEGIN_GO;
    verification->is_counted = true;
    if (verification->is_decoy) {
        if (enter(verification, way, SR_SHARED_PENDING) &&
            look(verification, way))
            verification->locks = sr_lockouts_unknown();
        return SR_BEGIN_LOCKED;
    }
    if (!contend(verification, way, deadline) ||
        (judgement->answer == SR_SHARED_GO && !make_place(verification, way)))
        return SR_BEGIN_GO;
    verification->locks = sr_lockouts_unknown();
    if (judgement->until != SR_TIME_UNKNOWN)
        verification->until_wall = to_wall(judgement->until, verification->now);
    switch (judgement->answer) {
    case SR_SHARED_GO:
        note_lock(verification, SR_TIME_UNKNOWN);
        return SR_BEGIN_GO;
    case SR_SHARED_WAIT:
        return SR_BEGIN_BUSY;
    case SR_SHARED_LOCKED:
        note_lock(verification, verification->until_wall);
        break;
    case SR_SHARED_HELD: /* may be taken back */
        break;
    }
    return SR_BEGIN_LOCKED;
}

enum sr_begin
sr_verification_begin(const char *statedir, const char *rundir,
                      const struct sr_subject *subject,
                      const struct sr_shared_ledger *way, bool ahead,
                      struct sr_verification **verification)
{
    const int64_t deadline =
        sr_clock_milliseconds() + sr_attempt_wait_ms(subject->rules);
    struct sr_verification *begun = calloc(1, sizeof(*begun));
    enum sr_begin shared;

    *verification = begun;
    if (begun == NULL)
        return SR_BEGIN_FAILED;
    begun->until_wall = SR_TIME_UNKNOWN;
    begun->locks = sr_lockouts_unknown();
    begun->state = ahead ? SR_SHARED_AHEAD : SR_SHARED_PENDING;
    begun->answer =
        sr_attempt_begin(statedir, rundir, subject, ahead, &begun->attempt);
    if (!way->is_there ||
        (begun->answer != SR_BEGIN_GO && begun->answer != SR_BEGIN_LOCKED))
        return begun->answer;
    begun->is_decoy = begun->answer == SR_BEGIN_LOCKED;
    begun->limits = sr_attempt_shared_limits(subject->rules);
    begun->lifetime = sr_shared_lifetime(way);
    snprintf(begun->backend, sizeof(begun->backend), "%s", way->backend.name);
    shared = shared_begin(begun, way, subject, deadline);
    if (begun->answer == SR_BEGIN_GO)
        begun->answer = shared;
    if (begun->answer == SR_BEGIN_BUSY) /* nothing was counted */
        sr_attempt_settle(begun->attempt, SR_OUTCOME_NEITHER);
    return begun->answer;
}

/* ---- settle */

/* Our entry has failed.  One that was deleted meanwhile is added
 * anew. */
static bool
fail(struct sr_verification *verification, const struct sr_shared_ledger *way)
{
    struct sr_shared_request request = {
        .what = SR_SHARED_MARK,
        .id = verification->own,
        .state = SR_SHARED_FAILED,
        .is_settling = true,
    };
    enum sr_status answer = SR_STATUS_OK;

    if (!ask(verification, way, &request, &answer))
        return false;
    return answer == SR_STATUS_OK || enter(verification, way, SR_SHARED_FAILED);
}

static void
shared_settle(struct sr_verification *verification,
              const struct sr_shared_ledger *way, enum sr_outcome outcome)
{
    const struct sr_shared_judgement *judgement = &verification->judgement;
    size_t spare = judgement->prunable;

    if (verification->is_decoy) /* what is left there is of hosts that died */
        spare = judgement->settled < SR_SHARED_PRUNE ? judgement->settled
                                                     : SR_SHARED_PRUNE;
    switch (outcome) {
    case SR_OUTCOME_WRONG:
        if (verification->is_overflow)
            drop(verification, way, 0, true, false, true);
        else if (verification->has_own && fail(verification, way))
            drop(verification, way, spare, false, false, true);
        break;
    case SR_OUTCOME_RIGHT:
        drop(verification, way, judgement->settled, true, true, true);
        break;
    case SR_OUTCOME_LOCKED:
        drop(verification, way, spare, true, false, true);
        break;
    case SR_OUTCOME_NEITHER:
        drop(verification, way, 0, true, false, true);
        break;
    }
}

struct sr_settled
sr_verification_settle(struct sr_verification *verification,
                       const struct sr_shared_ledger *way,
                       enum sr_outcome outcome)
{
    const bool is_locked = verification->answer == SR_BEGIN_LOCKED;
    const bool is_counted = verification->is_counted && way->is_there;
    struct sr_settled settled;

    if (is_locked)
        outcome = SR_OUTCOME_LOCKED;
    settled = sr_attempt_settle(verification->attempt, outcome);
    if (settled.is_late) /* no success any more */
        outcome = SR_OUTCOME_WRONG;
    verification->has_trouble = false;
    if (is_counted)
        shared_settle(verification, way, outcome);
    verification->is_counted = false;
    if (is_counted && outcome == SR_OUTCOME_WRONG &&
        !verification->is_overflow && verification->judgement.begins_lockout) {
        settled.began_lockout = true;
        note_lock(verification, to_wall(verification->judgement.begun_until,
                                        verification->now));
    }
    return settled;
}

/* ---- the rest of an attempt */

const struct sr_attempt *
sr_verification_attempt(const struct sr_verification *verification)
{
    return verification->attempt;
}

sr_time
sr_verification_until(const struct sr_verification *verification)
{
    const struct sr_lockout none = sr_lockout_none();
    const sr_time here = sr_attempt_until(verification->attempt);
    const sr_time there = verification->until_wall;

    return sr_lockout_merge(here == SR_TIME_UNKNOWN
                                ? none
                                : sr_lockout_until(here, SR_LOCK_WHY_THROTTLE),
                            there == SR_TIME_UNKNOWN
                                ? none
                                : sr_lockout_until(there, SR_LOCK_WHY_THROTTLE))
        .until;
}

struct sr_lockouts
sr_verification_locks(const struct sr_verification *verification)
{
    return verification->locks;
}

bool
sr_verification_by_shared_ledger(const struct sr_verification *verification)
{
    const enum sr_source_class class =
        sr_attempt_counted(verification->attempt);

    return verification->locks.is_known[class] &&
           sr_lockout_is(&verification->locks.of[class]);
}

const char *
sr_verification_trouble(struct sr_verification *verification)
{
    if (!verification->has_trouble)
        return NULL;
    verification->has_trouble = false;
    return verification->trouble;
}

const char *
sr_verification_backend(const struct sr_verification *verification)
{
    return verification->backend[0] == '\0' ? NULL : verification->backend;
}

void
sr_verification_free(struct sr_verification *verification, bool forget)
{
    if (verification == NULL)
        return;
    sr_attempt_free(verification->attempt, forget);
    free(verification->list);
    free(verification);
}
