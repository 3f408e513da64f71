/*
 * Enclosed: one verification, counted by this host and by the fleet.
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
#include "policy/util/file_lock.h"

#define REASON_SIZE 160

/* What a verification may take beyond its backend's deadline: times of servers
 * are in whole seconds. */
#define SLACK 2

struct sr_verification {
    struct sr_attempt *attempt;
    enum sr_begin answer;
    bool is_counted; /* in the ledger below */
    bool is_decoy;
    bool has_own; /* our entry may be there */
    bool has_trouble;
    enum sr_shared_state state; /* of the own entry */
    struct sr_limits limits;
    int64_t lifetime;
    sr_time server;     /* the server's time when the own entry was added, */
    int64_t added;      /* and this host's clock, milliseconds */
    sr_time now;        /* the server's, of the last look */
    sr_time until_wall; /* LOCKED by the fleet */
    struct sr_shared_locks locks;
    struct sr_shared_judgement judgement;
    char own[SR_SHARED_ID_SIZE];
    char ledger[SR_SHARED_LEDGER_SIZE];
    char backend[SR_BACKEND_NAME_MAX + 1];
    char trouble[REASON_SIZE];
    struct sr_shared_list list;
};

/* ---- the way */

static const struct sr_backend_config *
find_config(const struct sr_config *config, const char *name)
{
    for (size_t i = 0; i < config->backend_count; i++) {
        if (strcmp(config->backend[i].name, name) == 0)
            return &config->backend[i];
    }
    return NULL;
}

struct sr_shared_ledger
sr_shared_ledger_open_by_name(const struct sr_config *config,
                              struct sr_connections *connections,
                              const char *name)
{
    const struct sr_backend_config *section = find_config(config, name);
    struct sr_shared_ledger way = {.connections = connections};
    char reason[REASON_SIZE];

    way.is_there = section != NULL && section->lockout_base != NULL &&
                   sr_backend_find(config, name, &way.backend, reason,
                                   sizeof(reason)) == 0 &&
                   way.backend.ops->fleet != NULL;
    return way;
}

bool
sr_shared_counts(const struct sr_rules *rules, uid_t uid)
{
    return rules->lockout_store == SR_LOCKOUT_LDAP && rules->attempts != 0 &&
           uid != 0;
}

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

/* ---- requests */

static bool
ask(struct sr_verification *enclosed, const struct sr_shared_ledger *way,
    struct sr_shared_request *request, enum sr_status *answer)
{
    char reason[REASON_SIZE] = "";

    *answer = sr_backend_fleet(&way->backend, way->connections, request, reason,
                               sizeof(reason));
    if (*answer == SR_STATUS_OK || *answer == SR_STATUS_UNKNOWN_NAME)
        return true;
    enclosed->has_trouble = true;
    snprintf(enclosed->trouble, sizeof(enclosed->trouble), "%s",
             *answer == SR_STATUS_NO_MEMORY ? "out of memory" : reason);
    return false;
}

static bool
trouble(struct sr_verification *enclosed, const char *why)
{
    enclosed->has_trouble = true;
    snprintf(enclosed->trouble, sizeof(enclosed->trouble), "%s", why);
    return false;
}

/* An id that nobody else has. */
static bool
make_id(char id[SR_SHARED_ID_SIZE])
{
    uint8_t dice[(SR_SHARED_ID_SIZE - 1) / 2];

    if (getrandom(dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
        return false;
    for (size_t i = 0; i < sizeof(dice); i++)
        snprintf(id + 2 * i, 3, "%02x", dice[i]);
    return true;
}

/* Add our entry. */
static bool
enter(struct sr_verification *enclosed, const struct sr_shared_ledger *way,
      enum sr_shared_state state)
{
    struct sr_shared_request request = {
        .what = SR_SHARED_ADD,
        .ledger = enclosed->ledger,
        .id = enclosed->own,
        .state = state,
        .is_settling = state == SR_SHARED_FAILED,
    };
    enum sr_status answer;

    if (!make_id(enclosed->own))
        return trouble(enclosed, "no random numbers");
    enclosed->server = 0;
    enclosed->added = sr_clock_milliseconds();
    enclosed->has_own = ask(enclosed, way, &request, &answer);
    return enclosed->has_own;
}

/* Delete the first entries of the list, and our own. */
static bool
drop(struct sr_verification *enclosed, const struct sr_shared_ledger *way,
     size_t count, bool with_own, bool is_all, bool is_settling)
{
    struct sr_shared_request request = {
        .what = SR_SHARED_DROP,
        .ledger = enclosed->ledger,
        .drop = enclosed->list.entry,
        .count = count,
        .is_all = is_all && !enclosed->list.is_cut,
        .is_settling = is_settling,
    };
    enum sr_status answer;

    if (with_own && enclosed->has_own) {
        if (count == SR_SHARED_MAX)
            request.count--;
        memcpy(enclosed->list.entry[request.count++].id, enclosed->own,
               sizeof(enclosed->own));
        enclosed->has_own = false;
    }
    return request.count == 0 || ask(enclosed, way, &request, &answer);
}

/* Read the ledger and judge it. */
static bool
look(struct sr_verification *enclosed, const struct sr_shared_ledger *way)
{
    struct sr_shared_request request = {.what = SR_SHARED_LIST,
                                        .ledger = enclosed->ledger,
                                        .list = &enclosed->list};
    const char *own = enclosed->has_own ? enclosed->own : NULL;
    const struct sr_shared_entry *entry = NULL;
    enum sr_status answer;

    if (!ask(enclosed, way, &request, &answer))
        return false;
    if (own != NULL)
        entry = sr_shared_find(&enclosed->list, own);
    /* What does not show our entry may be another server, which does not show
     * all the others' either. */
    if (own != NULL && entry == NULL && !enclosed->list.is_cut)
        return trouble(enclosed, "what was added is not shown");
    if (entry != NULL && enclosed->server == 0)
        enclosed->server = entry->made;
    enclosed->now =
        enclosed->server + (sr_clock_milliseconds() - enclosed->added) / 1000;
    if (enclosed->server == 0)
        enclosed->now = sr_shared_latest(&enclosed->list);
    sr_shared_judge(&enclosed->list, own, &enclosed->limits, enclosed->now,
                    enclosed->lifetime, &enclosed->judgement);
    return true;
}

/* ---- begin */

/* An entry must not become too old while its owner waits. */
static bool
is_ageing(const struct sr_verification *enclosed)
{
    return sr_clock_milliseconds() - enclosed->added >
           enclosed->lifetime * 1000 / 3;
}

/*
 * Contend for room in the ledger.  Who gives way looks before coming back, so
 * that those who stay get through.  False: the directory is away.
 */
static bool
contend(struct sr_verification *enclosed, const struct sr_shared_ledger *way,
        int64_t deadline)
{
    const struct sr_shared_judgement *judgement = &enclosed->judgement;
    unsigned nap = 4;

    for (;;) {
        if (!enclosed->has_own && judgement->answer == SR_SHARED_GO &&
            !enter(enclosed, way, enclosed->state))
            return false;
        if (!look(enclosed, way))
            return false;
        if (judgement->answer == SR_SHARED_LOCKED ||
            (judgement->answer == SR_SHARED_GO && enclosed->has_own))
            return true;
        if (judgement->answer == SR_SHARED_GO)
            continue;
        if (enclosed->has_own &&
            (!judgement->may_stay || is_ageing(enclosed) ||
             sr_clock_milliseconds() >= deadline) &&
            !drop(enclosed, way, 0, true, false, false))
            return false;
        if (sr_clock_milliseconds() >= deadline)
            return true;
        sr_nap(nap / 2, nap);
        if (nap < 64)
            nap *= 2;
    }
}

/* The ledger that counts.  The key is read even where it is not needed. */
static bool
find_ledger(struct sr_verification *enclosed,
            const struct sr_shared_ledger *way,
            const struct sr_subject *subject)
{
    struct sr_shared_request request = {.what = SR_SHARED_KEY};
    enum sr_status answer;
    uint32_t dice = 0;

    if (!ask(enclosed, way, &request, &answer))
        return false;
    if (enclosed->is_decoy) {
        if (getrandom(&dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
            return trouble(enclosed, "no random numbers");
        sr_shared_decoy(dice, enclosed->ledger);
    } else if (subject->is_known) {
        sr_shared_account(subject->name,
                          sr_attempt_counted(enclosed->attempt) ==
                              SR_CLASS_FAMILIAR,
                          enclosed->ledger);
    } else {
        sr_shared_name(request.key, subject->name != NULL ? subject->name : "",
                       enclosed->ledger);
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
note_lock(struct sr_verification *enclosed, sr_time until)
{
    const enum sr_source_class class = sr_attempt_counted(enclosed->attempt);

    enclosed->locks.is_known[class] = true;
    enclosed->locks.until[class] = until;
}

static enum sr_begin
fleet_begin(struct sr_verification *enclosed,
            const struct sr_shared_ledger *way,
            const struct sr_subject *subject, int64_t deadline)
{
    const struct sr_shared_judgement *judgement = &enclosed->judgement;

    sr_shared_locks_none(&enclosed->locks); /* unless it answers */
    if (!find_ledger(enclosed, way, subject))
        return SR_BEGIN_GO;
    enclosed->is_counted = true;
    if (enclosed->is_decoy) {
        if (enter(enclosed, way, SR_SHARED_PENDING) && look(enclosed, way))
            memset(&enclosed->locks, 0, sizeof(enclosed->locks));
        return SR_BEGIN_LOCKED;
    }
    if (!contend(enclosed, way, deadline))
        return SR_BEGIN_GO;
    memset(&enclosed->locks, 0, sizeof(enclosed->locks));
    if (judgement->until != SR_TIME_UNKNOWN)
        enclosed->until_wall = to_wall(judgement->until, enclosed->now);
    switch (judgement->answer) {
    case SR_SHARED_GO:
        note_lock(enclosed, SR_TIME_UNKNOWN);
        return SR_BEGIN_GO;
    case SR_SHARED_WAIT:
        return SR_BEGIN_BUSY;
    case SR_SHARED_LOCKED:
        note_lock(enclosed, enclosed->until_wall);
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
                      struct sr_verification **enclosed)
{
    const int64_t deadline =
        sr_clock_milliseconds() + sr_attempt_wait_ms(subject->rules);
    struct sr_verification *begun = calloc(1, sizeof(*begun));
    enum sr_begin fleet;

    *enclosed = begun;
    if (begun == NULL)
        return SR_BEGIN_FAILED;
    begun->until_wall = SR_TIME_UNKNOWN;
    begun->state = ahead ? SR_SHARED_AHEAD : SR_SHARED_PENDING;
    begun->answer =
        sr_attempt_begin(statedir, rundir, subject, ahead, &begun->attempt);
    if (!way->is_there ||
        (begun->answer != SR_BEGIN_GO && begun->answer != SR_BEGIN_LOCKED))
        return begun->answer;
    begun->is_decoy = begun->answer == SR_BEGIN_LOCKED;
    begun->limits = sr_attempt_account_limits(subject->rules, false);
    begun->lifetime = sr_shared_lifetime(way);
    snprintf(begun->backend, sizeof(begun->backend), "%s", way->backend.name);
    fleet = fleet_begin(begun, way, subject, deadline);
    if (begun->answer == SR_BEGIN_GO)
        begun->answer = fleet;
    if (begun->answer == SR_BEGIN_BUSY) /* nothing was counted */
        sr_attempt_settle(begun->attempt, SR_OUTCOME_NEITHER);
    return begun->answer;
}

/* ---- settle */

/* Our entry has failed.  One that somebody has deleted meanwhile is added
 * anew. */
static bool
fail(struct sr_verification *enclosed, const struct sr_shared_ledger *way)
{
    struct sr_shared_request request = {
        .what = SR_SHARED_MARK,
        .id = enclosed->own,
        .state = SR_SHARED_FAILED,
        .is_settling = true,
    };
    enum sr_status answer = SR_STATUS_OK;

    if (!ask(enclosed, way, &request, &answer))
        return false;
    return answer == SR_STATUS_OK || enter(enclosed, way, SR_SHARED_FAILED);
}

static void
fleet_settle(struct sr_verification *enclosed,
             const struct sr_shared_ledger *way, enum sr_outcome outcome)
{
    const struct sr_shared_judgement *judgement = &enclosed->judgement;
    size_t spare = judgement->prunable;

    if (enclosed->is_decoy) /* what is left there is of hosts that died */
        spare = judgement->settled < SR_SHARED_PRUNE ? judgement->settled
                                                     : SR_SHARED_PRUNE;
    switch (outcome) {
    case SR_OUTCOME_WRONG:
        if (enclosed->has_own && fail(enclosed, way))
            drop(enclosed, way, spare, false, false, true);
        break;
    case SR_OUTCOME_RIGHT:
        drop(enclosed, way, judgement->settled, true, true, true);
        break;
    case SR_OUTCOME_LOCKED:
        drop(enclosed, way, spare, true, false, true);
        break;
    case SR_OUTCOME_NEITHER:
        drop(enclosed, way, 0, true, false, true);
        break;
    }
}

struct sr_settled
sr_verification_settle(struct sr_verification *enclosed,
                       const struct sr_shared_ledger *way,
                       enum sr_outcome outcome)
{
    const bool is_locked = enclosed->answer == SR_BEGIN_LOCKED;
    const bool is_counted = enclosed->is_counted && way->is_there;
    struct sr_settled settled;

    if (is_locked)
        outcome = SR_OUTCOME_LOCKED;
    settled = sr_attempt_settle(enclosed->attempt, outcome);
    enclosed->has_trouble = false;
    if (is_counted)
        fleet_settle(enclosed, way, outcome);
    enclosed->is_counted = false;
    if (is_counted && outcome == SR_OUTCOME_WRONG &&
        enclosed->judgement.begins_lockout) {
        settled.began_lockout = true;
        note_lock(enclosed,
                  to_wall(enclosed->judgement.begun_until, enclosed->now));
    }
    return settled;
}

/* ---- the rest of an attempt */

const struct sr_attempt *
sr_verification_attempt(const struct sr_verification *enclosed)
{
    return enclosed->attempt;
}

sr_time
sr_verification_until(const struct sr_verification *enclosed)
{
    return enclosed->until_wall != SR_TIME_UNKNOWN
               ? enclosed->until_wall
               : sr_attempt_until(enclosed->attempt);
}

struct sr_shared_locks
sr_verification_locks(const struct sr_verification *enclosed)
{
    return enclosed->locks;
}

bool
sr_verification_by_fleet(const struct sr_verification *enclosed)
{
    const enum sr_source_class class = sr_attempt_counted(enclosed->attempt);

    return enclosed->locks.is_known[class] &&
           enclosed->locks.until[class] != SR_TIME_UNKNOWN;
}

const char *
sr_verification_trouble(struct sr_verification *enclosed)
{
    if (!enclosed->has_trouble)
        return NULL;
    enclosed->has_trouble = false;
    return enclosed->trouble;
}

const char *
sr_verification_backend(const struct sr_verification *enclosed)
{
    return enclosed->backend[0] == '\0' ? NULL : enclosed->backend;
}

void
sr_verification_free(struct sr_verification *enclosed, bool forget)
{
    if (enclosed == NULL)
        return;
    sr_attempt_free(enclosed->attempt, forget);
    free(enclosed);
}

/* ---- outside of an attempt */

int64_t
sr_shared_lifetime(const struct sr_shared_ledger *way)
{
    return way->backend.config->timeout + SLACK;
}

static enum sr_status
read_list(const struct sr_shared_ledger *way, const char *ledger,
          bool may_recall, struct sr_shared_list *list, char *reason,
          size_t size)
{
    struct sr_shared_request request = {
        .what = SR_SHARED_LIST,
        .ledger = ledger,
        .may_recall = may_recall,
        .list = list,
    };

    return sr_backend_fleet(&way->backend, way->connections, &request, reason,
                            size);
}

enum sr_status
sr_shared_look(const struct sr_shared_ledger *way, const char *name,
               bool is_familiar, const struct sr_limits *limits,
               bool may_recall, struct sr_shared_view *view, char *reason,
               size_t size)
{
    struct sr_shared_list *list = calloc(1, sizeof(*list));
    struct sr_shared_judgement judgement;
    char ledger[SR_SHARED_LEDGER_SIZE];
    sr_time now = (sr_time)time(NULL);
    enum sr_status answer;

    *view = (struct sr_shared_view){.locked_until = SR_TIME_UNKNOWN};
    if (list == NULL)
        return SR_STATUS_NO_MEMORY;
    sr_shared_account(name, is_familiar, ledger);
    answer = read_list(way, ledger, may_recall, list, reason, size);
    if (answer == SR_STATUS_OK) {
        if (sr_shared_latest(list) > now)
            now = sr_shared_latest(list);
        sr_shared_judge(list, NULL, limits, now, sr_shared_lifetime(way),
                        &judgement);
        view->entries = list->count;
        view->failures = judgement.failures;
        if (judgement.answer == SR_SHARED_LOCKED)
            view->locked_until = to_wall(judgement.until, now);
    }
    free(list);
    return answer;
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

enum sr_status
sr_shared_clear(const struct sr_shared_ledger *way, const char *name,
                size_t *count, char *reason, size_t size)
{
    struct sr_shared_list *list = calloc(1, sizeof(*list));
    char ledger[SR_SHARED_LEDGER_SIZE];
    enum sr_status answer = list == NULL ? SR_STATUS_NO_MEMORY : SR_STATUS_OK;

    *count = 0;
    for (int class = 0; answer == SR_STATUS_OK && class < 2; class ++) {
        do {
            struct sr_shared_request request = {.what = SR_SHARED_DROP,
                                                .ledger = ledger};

            sr_shared_account(name, class == SR_CLASS_FAMILIAR, ledger);
            answer = read_list(way, ledger, false, list, reason, size);
            if (answer != SR_STATUS_OK || list->count == 0)
                break;
            request.drop = list->entry;
            request.count = list->count;
            *count += list->count;
            answer = sr_backend_fleet(&way->backend, way->connections, &request,
                                      reason, size);
        } while (answer == SR_STATUS_OK && list->is_cut);
    }
    free(list);
    return answer;
}
