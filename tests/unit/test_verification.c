/*
 * Unit tests of the attempt that a host and a directory count: what is asked of
 * the directory, in which order, and what comes of each answer.  The directory
 * is played by this program.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/account/account.h"
#include "policy/account/verification.h"
#include "tests/unit/scratch.h"

#define USER ((uid_t)1000)
#define NOW  ((sr_time)5000000) /* of the server, which is far in the past */

/* ---- the directory */

static struct {
    struct sr_shared_list list; /* of the ledger that is asked for most */
    char asked[256];            /* a letter each */
    char ledger[SR_SHARED_LEDGER_SIZE];
    char fails;      /* this request is refused */
    bool shows_none; /* of what was added */
    bool forgets;    /* entries are gone before they are changed */
    int lists_left;  /* so often are the entries of others shown */
    sr_time now;
    struct sr_shared_list decoy;
} server;

static struct sr_shared_list *
list_of(const char *ledger)
{
    return ledger != NULL && ledger[0] == 'd' ? &server.decoy : &server.list;
}

static struct sr_shared_entry *
find(struct sr_shared_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->entry[i].id, id) == 0)
            return &list->entry[i];
    }
    return NULL;
}

static void
add(struct sr_shared_list *list, const char *id, enum sr_shared_state state,
    sr_time at)
{
    struct sr_shared_entry *entry = &list->entry[list->count++];

    snprintf(entry->id, sizeof(entry->id), "%s", id);
    entry->state = state;
    entry->made = at;
    entry->changed = at;
}

static void
add_some(unsigned count, enum sr_shared_state state, sr_time at)
{
    for (unsigned i = 0; i < count; i++) {
        char id[SR_SHARED_ID_SIZE];

        snprintf(id, sizeof(id), "%032zx", server.list.count);
        add(&server.list, id, state, at);
    }
}

static void
drop(const char *id)
{
    struct sr_shared_list *const list[] = {&server.list, &server.decoy};

    for (size_t i = 0; i < 2; i++) {
        struct sr_shared_entry *entry = find(list[i], id);

        if (entry != NULL)
            *entry = list[i]->entry[--list[i]->count];
    }
}

/* Others that are under way end after a while. */
static void
end_others(void)
{
    if (server.lists_left == 0 || --server.lists_left > 0)
        return;
    while (server.list.count > 0 && server.list.entry[0].id[0] == '0')
        drop(server.list.entry[0].id);
}

static enum sr_status
serve(struct sr_shared_request *request)
{
    struct sr_shared_entry *entry;

    switch (request->what) {
    case SR_SHARED_KEY:
        memset(request->key, 7, sizeof(request->key));
        break;
    case SR_SHARED_ADD:
        snprintf(server.ledger, sizeof(server.ledger), "%s", request->ledger);
        add(list_of(request->ledger), request->id, request->state, server.now);
        break;
    case SR_SHARED_LIST:
        end_others();
        *request->list = *list_of(request->ledger);
        if (server.shows_none)
            request->list->count = 0;
        break;
    case SR_SHARED_MARK:
        if (server.forgets)
            drop(request->id);
        entry = find(&server.list, request->id);
        if (entry == NULL)
            return SR_STATUS_UNKNOWN_NAME;
        entry->state = request->state;
        entry->changed = server.now;
        break;
    case SR_SHARED_DROP:
        for (size_t i = 0; i < request->count; i++)
            drop(request->drop[i].id);
        break;
    case SR_SHARED_ALL:
        break;
    }
    return SR_STATUS_OK;
}

static enum sr_status
fake_ledger(struct sr_call *call, struct sr_shared_request *request)
{
    static const char letter[] = "KALMD";
    const size_t at = strlen(server.asked);

    if (at + 1 < sizeof(server.asked)) {
        server.asked[at] = letter[request->what];
        server.asked[at + 1] = '\0';
    }
    if (server.fails == letter[request->what]) {
        sr_error_set(&call->error, SR_ERROR_OTHER, "refused");
        return SR_STATUS_UNAVAILABLE;
    }
    return serve(request);
}

static const struct sr_backend_ops fake = {.type = "fake",
                                           .shared_ledger = fake_ledger};
static const struct sr_backend_config section = {.timeout = 10};
static const struct sr_shared_ledger way = {
    .is_there = true,
    .backend = {.name = "corp", .ops = &fake, .config = &section},
};
static const struct sr_shared_ledger nowhere = {.is_there = false};

/* ---- the host */

struct world {
    char *dir;
    char state[128], run[128];
    struct sr_rules rules;
    struct sr_source source;
    struct sr_subject subject;
};

static int
setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    memset(&server, 0, sizeof(server));
    server.now = NOW;
    world->dir = scratch_make();
    snprintf(world->state, sizeof(world->state), "%s/state", world->dir);
    snprintf(world->run, sizeof(world->run), "%s/run", world->dir);
    world->rules = (struct sr_rules){.attempts = 5,
                                     .window = 900,
                                     .duration = 900,
                                     .duration_max = SR_DAY,
                                     .source_attempts = 0,
                                     .wait = 1};
    sr_source_peer(&world->source, "192.0.2.1");
    world->subject = (struct sr_subject){.is_known = true,
                                         .id = {"local", "ann", USER},
                                         .source = &world->source,
                                         .rules = &world->rules};
    *state = world;
    return 0;
}

static int
teardown(void **state)
{
    struct world *world = *state;

    scratch_remove(world->dir);
    free(world);
    return 0;
}

static enum sr_begin
begin(const struct world *world, const struct sr_shared_ledger *by, bool ahead,
      struct sr_verification **enclosed)
{
    server.asked[0] = '\0';
    return sr_verification_begin(world->state, world->run, &world->subject, by,
                                 ahead, enclosed);
}

/* Begin and settle; returns what begin said. */
static enum sr_begin
attempt(const struct world *world, enum sr_outcome outcome)
{
    struct sr_verification *enclosed;
    const enum sr_begin answer = begin(world, &way, false, &enclosed);

    assert_null(sr_verification_trouble(enclosed));
    if (answer != SR_BEGIN_BUSY)
        assert_int_equal(sr_verification_settle(enclosed, &way, outcome).result,
                         SR_STORE_OK);
    assert_null(sr_verification_trouble(enclosed));
    sr_verification_free(enclosed, false);
    return answer;
}

/* How many attempts the host itself would let go. */
static unsigned
left_here(const struct world *world)
{
    struct sr_verification *enclosed[8];
    unsigned count = 0;

    while (count < 8 &&
           begin(world, &nowhere, false, &enclosed[count]) == SR_BEGIN_GO)
        count++;
    for (unsigned i = 0; i < count; i++)
        sr_verification_settle(enclosed[i], &nowhere, SR_OUTCOME_NEITHER);
    for (unsigned i = 0; i <= count && i < 8; i++)
        sr_verification_free(enclosed[i], false);
    return count;
}

/* ---- tests */

static void
test_outcomes(void **state)
{
    struct world *world = *state;

    assert_int_equal(attempt(world, SR_OUTCOME_WRONG), SR_BEGIN_GO);
    assert_string_equal(server.asked, "KALM");
    assert_int_equal(server.list.count, 1);
    assert_int_equal(server.list.entry[0].state, SR_SHARED_FAILED);
    assert_int_equal(attempt(world, SR_OUTCOME_NEITHER), SR_BEGIN_GO);
    assert_string_equal(server.asked, "KALD");
    assert_int_equal(server.list.count, 1);
    assert_int_equal(attempt(world, SR_OUTCOME_RIGHT), SR_BEGIN_GO);
    assert_string_equal(server.asked, "KALD");
    assert_int_equal(server.list.count, 0);
    assert_int_equal(left_here(world), 5);
}

static void
test_nowhere(void **state)
{
    struct sr_verification *enclosed;

    assert_int_equal(begin(*state, &nowhere, false, &enclosed), SR_BEGIN_GO);
    assert_null(sr_verification_backend(enclosed));
    sr_verification_settle(enclosed, &nowhere, SR_OUTCOME_WRONG);
    assert_string_equal(server.asked, "");
    sr_verification_free(enclosed, false);
}

static void
test_locked_by_others(void **state)
{
    struct world *world = *state;
    struct sr_verification *enclosed;
    const sr_time wall = (sr_time)time(NULL);

    add_some(5, SR_SHARED_FAILED, NOW - 100);
    assert_int_equal(begin(world, &way, false, &enclosed), SR_BEGIN_LOCKED);
    assert_in_range(sr_verification_until(enclosed), wall + 800 - 2,
                    wall + 800 + 2);
    sr_verification_settle(enclosed, &way, SR_OUTCOME_WRONG);
    sr_verification_free(enclosed, false);
    assert_string_equal(server.asked, "KALD");
    assert_int_equal(server.list.count, 5);
    /* It was not verified, and does not count here either. */
    assert_int_equal(left_here(world), 5);
}

static void
test_the_failure_that_locks(void **state)
{
    struct sr_verification *enclosed;

    add_some(4, SR_SHARED_FAILED, NOW - 100);
    assert_int_equal(begin(*state, &way, false, &enclosed), SR_BEGIN_GO);
    assert_true(
        sr_verification_settle(enclosed, &way, SR_OUTCOME_WRONG).began_lockout);
    sr_verification_free(enclosed, false);
}

static void
test_locked_here_is_a_decoy(void **state)
{
    struct world *world = *state;

    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(attempt(world, SR_OUTCOME_WRONG), SR_BEGIN_GO);
    server.list.count = 0; /* another host had a success */
    assert_int_equal(attempt(world, SR_OUTCOME_RIGHT), SR_BEGIN_LOCKED);
    assert_string_equal(server.asked, "KALD");
    assert_int_equal(server.ledger[0], 'd');
    assert_int_equal(server.decoy.count, 0);
}

static void
test_decoys_of_the_dead_are_pruned(void **state)
{
    struct world *world = *state;

    for (unsigned i = 0; i < 5; i++)
        attempt(world, SR_OUTCOME_WRONG);
    for (unsigned i = 0; i < 20; i++) {
        char id[SR_SHARED_ID_SIZE];

        snprintf(id, sizeof(id), "%032x", 1000 + i);
        add(&server.decoy, id, SR_SHARED_PENDING, NOW - 100);
    }
    assert_int_equal(attempt(world, SR_OUTCOME_WRONG), SR_BEGIN_LOCKED);
    assert_int_equal(server.decoy.count, 20 - SR_SHARED_PRUNE);
}

static void
test_others_under_way(void **state)
{
    struct world *world = *state;

    add_some(5, SR_SHARED_PENDING, NOW);
    server.lists_left = 3;
    assert_int_equal(attempt(world, SR_OUTCOME_RIGHT), SR_BEGIN_GO);
    /* Gives way, looks again, and comes back when there is room. */
    assert_string_equal(server.asked, "KALDLLALD");
    assert_int_equal(server.list.count, 0);
}

static void
test_others_that_stay(void **state)
{
    struct world *world = *state;

    add_some(5, SR_SHARED_PENDING, NOW);
    assert_int_equal(attempt(world, SR_OUTCOME_RIGHT), SR_BEGIN_BUSY);
    assert_int_equal(server.list.count, 5);
    assert_int_equal(left_here(world), 5);
    for (unsigned i = 0; i < 5; i++)
        server.list.entry[i].state = SR_SHARED_AHEAD;
    assert_int_equal(attempt(world, SR_OUTCOME_RIGHT), SR_BEGIN_LOCKED);
    assert_int_equal(server.list.count, 5);
    assert_int_equal(left_here(world), 5);
}

/* The directory refuses one kind of request: the host goes on alone. */
static void
test_trouble(void **state)
{
    static const char kind[] = "KALMD";
    struct world *world = *state;

    for (size_t i = 0; i < strlen(kind); i++) {
        struct sr_verification *enclosed;
        const bool is_late = kind[i] == 'M' || kind[i] == 'D';
        const char *why;

        memset(&server.list, 0, sizeof(server.list));
        server.fails = kind[i];
        assert_int_equal(begin(world, &way, false, &enclosed), SR_BEGIN_GO);
        why = sr_verification_trouble(enclosed);
        assert_int_equal(why != NULL, !is_late);
        assert_null(sr_verification_trouble(enclosed));
        sr_verification_settle(enclosed, &way,
                               kind[i] == 'D' ? SR_OUTCOME_RIGHT
                                              : SR_OUTCOME_WRONG);
        why = sr_verification_trouble(enclosed);
        assert_int_equal(why != NULL, is_late);
        if (why != NULL)
            assert_string_equal(why, "refused");
        sr_verification_free(enclosed, false);
    }
    server.fails = '\0';
    assert_int_equal(left_here(world), 5); /* the last one was right */
}

static void
test_another_server(void **state)
{
    struct sr_verification *enclosed;

    server.shows_none = true;
    assert_int_equal(begin(*state, &way, false, &enclosed), SR_BEGIN_GO);
    assert_non_null(sr_verification_trouble(enclosed));
    sr_verification_settle(enclosed, &way, SR_OUTCOME_WRONG);
    assert_int_equal(server.list.entry[0].state, SR_SHARED_FAILED);
    sr_verification_free(enclosed, false);
}

/* An administrator has deleted what was under way. */
static void
test_an_entry_that_is_gone_fails_all_the_same(void **state)
{
    server.forgets = true;
    assert_int_equal(attempt(*state, SR_OUTCOME_WRONG), SR_BEGIN_GO);
    assert_string_equal(server.asked, "KALMA");
    assert_int_equal(server.list.count, 1);
    assert_int_equal(server.list.entry[0].state, SR_SHARED_FAILED);
}

static void
test_ahead(void **state)
{
    static const struct {
        enum sr_outcome outcome;
        size_t left;
    } row[] = {
        {SR_OUTCOME_WRONG, 1}, {SR_OUTCOME_NEITHER, 1}, {SR_OUTCOME_RIGHT, 0}};
    struct world *world = *state;

    for (size_t i = 0; i < 3; i++) {
        struct sr_verification *enclosed;

        assert_int_equal(begin(world, &way, true, &enclosed), SR_BEGIN_GO);
        assert_string_equal(sr_verification_backend(enclosed), "corp");
        assert_int_equal(server.list.entry[server.list.count - 1].state,
                         SR_SHARED_AHEAD);
        sr_verification_settle(enclosed, &way, row[i].outcome);
        assert_int_equal(server.list.count, row[i].left);
        if (server.list.count > 0)
            assert_int_equal(server.list.entry[0].state, SR_SHARED_FAILED);
        sr_verification_free(enclosed, false);
    }
    assert_int_equal(left_here(world), 5);
    add_some(5, SR_SHARED_FAILED, NOW);
    struct sr_verification *enclosed;
    assert_int_equal(begin(world, &way, true, &enclosed), SR_BEGIN_LOCKED);
    sr_verification_settle(enclosed, &way, SR_OUTCOME_WRONG);
    sr_verification_free(enclosed, false);
    assert_int_equal(server.list.count, 5);
    assert_int_equal(left_here(world), 5); /* taken back */
}

static void
test_unknown_names(void **state)
{
    struct world *world = *state;

    world->subject.is_known = false;
    assert_int_equal(attempt(world, SR_OUTCOME_WRONG), SR_BEGIN_GO);
    assert_int_equal(server.ledger[0], 'n');
    assert_string_equal(server.asked, "KALM");
    world->subject.is_known = true;
    assert_int_equal(attempt(world, SR_OUTCOME_WRONG), SR_BEGIN_GO);
    assert_int_equal(server.ledger[0], 's');
    world->source.is_own = true;
    assert_int_equal(attempt(world, SR_OUTCOME_WRONG), SR_BEGIN_GO);
    assert_int_equal(server.ledger[0], 'f');
}

/* ---- outside of an attempt */

static void
test_facts(void **state)
{
    struct world *world = *state;
    struct sr_account account = {.facts = {.name = "ann", .uid = USER}};
    struct sr_transaction txn = {.rules = world->rules, .account = &account};
    const sr_time wall = (sr_time)time(NULL);
    char reason[64];

    assert_int_equal(sr_shared_facts(&way, &txn, world->state, &world->source,
                                     reason, sizeof(reason)),
                     SR_STATUS_OK);
    assert_false(sr_lockout_is(&txn.lockout));
    add_some(5, SR_SHARED_FAILED, wall - 100);
    assert_int_equal(sr_shared_facts(&way, &txn, world->state, &world->source,
                                     reason, sizeof(reason)),
                     SR_STATUS_OK);
    assert_int_equal(txn.lockout.why, SR_LOCK_WHY_THROTTLE);
    assert_in_range(txn.lockout.until, wall + 798, wall + 802);
    /* The facts are the backend's; a later lock of it stays, and one by hand.
     */
    assert_int_equal(account.facts.locked, SR_LOCK_UNKNOWN);
    txn.lockout = sr_lockout_until(wall + 5000, SR_LOCK_WHY_DIRECTORY);
    sr_shared_facts(&way, &txn, world->state, &world->source, reason,
                    sizeof(reason));
    assert_int_equal(txn.lockout.until, wall + 5000);
    assert_int_equal(txn.lockout.why, SR_LOCK_WHY_DIRECTORY);
    txn.lockout = sr_lockout_until(SR_TIME_NEVER, SR_LOCK_WHY_ADMIN);
    sr_shared_facts(&way, &txn, world->state, &world->source, reason,
                    sizeof(reason));
    assert_int_equal(txn.lockout.why, SR_LOCK_WHY_ADMIN);
}

static void
test_clear(void **state)
{
    char reason[64];
    size_t count;

    (void)state;
    add_some(3, SR_SHARED_FAILED, NOW);
    add_some(1, SR_SHARED_PENDING, NOW);
    assert_int_equal(
        sr_shared_clear(&way, "ann", &count, reason, sizeof(reason)),
        SR_STATUS_OK);
    assert_int_equal(count, 4);
    assert_int_equal(server.list.count, 0);
    add_some(1, SR_SHARED_FAILED, NOW);
    server.fails = 'D';
    assert_int_equal(
        sr_shared_clear(&way, "ann", &count, reason, sizeof(reason)),
        SR_STATUS_UNAVAILABLE);
    assert_string_equal(reason, "refused");
}

/* ---- what is known of the fleet afterwards */

static void
assert_known(const struct sr_verification *enclosed, bool strangers,
             bool familiar)
{
    const struct sr_lockouts locks = sr_verification_locks(enclosed);

    assert_int_equal(locks.is_known[SR_CLASS_STRANGER], strangers);
    assert_int_equal(locks.is_known[SR_CLASS_FAMILIAR], familiar);
}

static void
test_what_an_attempt_learns(void **state)
{
    struct world *world = *state;
    const sr_time wall = (sr_time)time(NULL);
    struct sr_verification *enclosed;
    sr_time until;

    /* There is room: nobody is locked out on the side that was tried. */
    begin(world, &way, false, &enclosed);
    assert_known(enclosed, true, false);
    sr_verification_settle(enclosed, &way, SR_OUTCOME_WRONG);
    until = sr_verification_locks(enclosed).of[SR_CLASS_STRANGER].until;
    assert_int_equal(until, SR_TIME_UNKNOWN);
    sr_verification_free(enclosed, false);
    /* Its own failure begins the lockout. */
    add_some(3, SR_SHARED_FAILED, NOW - 100);
    begin(world, &way, false, &enclosed);
    sr_verification_settle(enclosed, &way, SR_OUTCOME_WRONG);
    assert_known(enclosed, true, false);
    until = sr_verification_locks(enclosed).of[SR_CLASS_STRANGER].until;
    assert_in_range(until, wall + 900 - 2, wall + 900 + 2);
    sr_verification_free(enclosed, false);
    /* It finds the lockout. */
    begin(world, &way, false, &enclosed);
    sr_verification_settle(enclosed, &way, SR_OUTCOME_WRONG);
    assert_known(enclosed, true, false);
    until = sr_verification_locks(enclosed).of[SR_CLASS_STRANGER].until;
    assert_in_range(until, wall + 900 - 2, wall + 900 + 2);
    sr_verification_free(enclosed, false);
}

static void
test_what_an_attempt_does_not_learn(void **state)
{
    struct world *world = *state;
    struct sr_verification *enclosed;

    begin(world, &nowhere, false, &enclosed);
    sr_verification_settle(enclosed, &nowhere, SR_OUTCOME_NEITHER);
    assert_known(enclosed, false, false);
    sr_verification_free(enclosed, false);
    /* Those that are recorded ahead may be taken back. */
    add_some(5, SR_SHARED_AHEAD, NOW);
    assert_int_equal(begin(world, &way, false, &enclosed), SR_BEGIN_LOCKED);
    sr_verification_settle(enclosed, &way, SR_OUTCOME_WRONG);
    assert_known(enclosed, false, false);
    sr_verification_free(enclosed, false);
    server.list.count = 0;
    /* A directory that is away locks nobody out. */
    server.fails = 'A';
    begin(world, &way, false, &enclosed);
    sr_verification_settle(enclosed, &way, SR_OUTCOME_WRONG);
    assert_known(enclosed, true, true);
    sr_verification_free(enclosed, false);
    server.fails = '\0';
    /* Locked out here: the work is done on a decoy. */
    for (unsigned i = 0; i < 4; i++)
        attempt(world, SR_OUTCOME_WRONG);
    assert_int_equal(begin(world, &way, false, &enclosed), SR_BEGIN_LOCKED);
    sr_verification_settle(enclosed, &way, SR_OUTCOME_WRONG);
    assert_known(enclosed, false, false);
    sr_verification_free(enclosed, false);
}

static void
test_both_sides_are_found(void **state)
{
    struct world *world = *state;
    struct sr_account account = {.facts = {.name = "ann", .uid = USER}};
    struct sr_transaction txn = {.rules = world->rules, .account = &account};
    const sr_time wall = (sr_time)time(NULL);
    char reason[64];

    add_some(5, SR_SHARED_FAILED, wall - 100);
    assert_int_equal(sr_shared_locks_find(&way, &txn, reason, sizeof(reason)),
                     SR_STATUS_OK);
    assert_true(txn.shared.is_known[0] && txn.shared.is_known[1]);
    assert_in_range(txn.shared.of[0].until, wall + 798, wall + 802);
    assert_in_range(txn.shared.of[1].until, wall + 798, wall + 802);
    server.fails = 'L';
    assert_int_equal(sr_shared_locks_find(&way, &txn, reason, sizeof(reason)),
                     SR_STATUS_UNAVAILABLE);
    assert_true(txn.shared.is_known[0] && txn.shared.is_known[1]);
    assert_int_equal(txn.shared.of[0].until, SR_TIME_UNKNOWN);
    assert_int_equal(txn.shared.of[1].until, SR_TIME_UNKNOWN);
}

/* ---- who is counted where */

static void
test_ways(void **state)
{
    struct sr_backend_config sections[] = {{.name = (char *)(uintptr_t) "one"}};
    char *names[] = {(char *)(uintptr_t) "local", (char *)(uintptr_t) "one"};
    struct sr_config config = {
        .backends = {names, 2}, .backend = sections, .backend_count = 1};
    struct sr_account account = {.backend = {.name = "one"},
                                 .facts = {.uid = USER}};
    struct sr_transaction txn = {.config = &config, .account = &account};

    (void)state;
    /* None of these has a ledger, so no module is even looked for. */
    assert_false(sr_shared_ledger(&txn, true, NULL).is_there);
    txn.rules.lockout_store = SR_LOCKOUT_LDAP;
    assert_false(sr_shared_ledger(&txn, true, NULL).is_there);
    txn.rules.attempts = 5;
    assert_false(sr_shared_ledger(&txn, true, NULL).is_there);
    assert_false(sr_shared_ledger(&txn, false, NULL).is_there);
    account.backend.name = "local";
    assert_false(sr_shared_ledger(&txn, true, NULL).is_there);
    txn.account = NULL;
    assert_false(sr_shared_ledger(&txn, true, NULL).is_there);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_outcomes),
        TEST(test_nowhere),
        TEST(test_locked_by_others),
        TEST(test_the_failure_that_locks),
        TEST(test_locked_here_is_a_decoy),
        TEST(test_decoys_of_the_dead_are_pruned),
        TEST(test_others_under_way),
        TEST(test_others_that_stay),
        TEST(test_trouble),
        TEST(test_another_server),
        TEST(test_an_entry_that_is_gone_fails_all_the_same),
        TEST(test_ahead),
        TEST(test_unknown_names),
        TEST(test_facts),
        TEST(test_clear),
        TEST(test_what_an_attempt_learns),
        TEST(test_what_an_attempt_does_not_learn),
        TEST(test_both_sides_are_found),
        TEST(test_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
