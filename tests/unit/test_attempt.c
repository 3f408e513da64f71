/*
 * Unit tests of the attempt: real processes, and how many passwords they were
 * allowed to verify.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "policy/throttle/attempt.h"
#include "policy/util/signal_guard.h"
#include "tests/unit/scratch.h"

#define USER      ((uid_t)1000)
#define HERE      "192.0.2.1"
#define ELSEWHERE "198.51.100.9"

/* What the processes of one test share. */
struct world {
    char *dir;
    char state[128], run[128];
    struct sr_rules rules;
    int *counts; /* shared */
    int gate[2]; /* children wait here until all are there */
};

enum { VERIFIED, GONE, LOCKED, BUSY, FAILED, LOCKOUTS, COUNTS };

static int
setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    world->dir = scratch_make();
    snprintf(world->state, sizeof(world->state), "%s/state", world->dir);
    snprintf(world->run, sizeof(world->run), "%s/run", world->dir);
    world->rules.attempts = 5;
    world->rules.window = 15 * 60;
    world->rules.duration = 15 * 60;
    world->rules.duration_max = SR_DAY;
    world->rules.source_attempts = 30;
    world->rules.familiar = 30 * SR_DAY;
    world->rules.wait = 10;
    world->counts = scratch_shared(sizeof(int) * COUNTS);
    assert_int_equal(pipe(world->gate), 0);
    *state = world;
    return 0;
}

static int
teardown(void **state)
{
    struct world *world = *state;

    close(world->gate[0]);
    close(world->gate[1]);
    munmap(world->counts, sizeof(int) * COUNTS);
    scratch_remove(world->dir);
    free(world);
    return 0;
}

static void
count(const struct world *world, int which)
{
    __atomic_add_fetch(&world->counts[which], 1, __ATOMIC_SEQ_CST);
}

static struct sr_source
source_of(const char *address)
{
    struct sr_source source;

    sr_source_peer(&source, address);
    return source;
}

static struct sr_identity
id_of(uid_t uid, const char *name)
{
    struct sr_identity id = {.backend = "local", .uid = uid};

    if (name != NULL)
        snprintf(id.name, sizeof(id.name), "%s", name);
    else
        snprintf(id.name, sizeof(id.name), "user%u", (unsigned)uid);
    return id;
}

static struct sr_store *
open_store(const struct world *world, enum sr_store_mode mode)
{
    struct sr_store *store;

    WANT(sr_store_open(world->state, world->run, mode, &store) == SR_STORE_OK);
    return store;
}

/* ---- one attempt */

static enum sr_begin
begin_as(const struct world *world, uid_t uid, const char *name,
         const struct sr_source *source, bool ahead,
         struct sr_attempt **attempt)
{
    const struct sr_subject subject = {
        .is_known = name == NULL,
        .id = id_of(uid, name),
        .source = source,
        .rules = &world->rules,
    };

    return sr_attempt_begin(world->state, world->run, &subject, ahead, attempt);
}

/* Begin and settle; returns what begin said. */
static enum sr_begin
attempt_as(const struct world *world, uid_t uid, const char *name,
           const struct sr_source *source, enum sr_outcome outcome,
           struct sr_settled *settled)
{
    struct sr_attempt *attempt;
    struct sr_settled made;
    enum sr_begin begun;

    begun = begin_as(world, uid, name, source, false, &attempt);
    made = sr_attempt_settle(attempt, outcome);
    if (settled != NULL)
        *settled = made;
    else
        WANT(made.result == SR_STORE_OK);
    sr_attempt_free(attempt, false);
    return begun;
}

static enum sr_begin
guess(const struct world *world, uid_t uid, const char *address)
{
    const struct sr_source source = source_of(address);

    return attempt_as(world, uid, NULL, &source, SR_OUTCOME_WRONG, NULL);
}

static enum sr_begin
log_in(const struct world *world, uid_t uid, const char *address)
{
    const struct sr_source source = source_of(address);

    return attempt_as(world, uid, NULL, &source, SR_OUTCOME_RIGHT, NULL);
}

/* What the ledgers say without an attempt. */
static struct sr_facts
facts_of(const struct world *world, uid_t uid, const char *address)
{
    const struct sr_source source = source_of(address != NULL ? address : "");
    const struct sr_identity id = id_of(uid, NULL);
    struct sr_store *store = open_store(world, SR_STORE_READ);
    struct sr_lockout lockout;
    struct sr_memory memory;
    struct sr_facts facts;

    sr_facts_init(&facts);
    sr_memory_get(store, &id, &memory);
    WANT(sr_attempt_lockout(store, &id, &memory, &source, &world->rules, NULL,
                            &lockout) == SR_STORE_OK);
    sr_store_close(store);
    sr_lockout_set(&facts, &lockout);
    return facts;
}

static struct sr_notice
memory_of(const struct world *world, uid_t uid)
{
    const struct sr_identity id = id_of(uid, NULL);
    struct sr_store *store = open_store(world, SR_STORE_READ);
    struct sr_memory memory;
    struct sr_notice notice;

    sr_memory_get(store, &id, &memory);
    WANT(sr_attempt_notice(store, &id, &memory, &notice) == SR_STORE_OK);
    sr_store_close(store);
    return notice;
}

static struct sr_familiar
familiar_of(const struct world *world, uid_t uid, size_t which)
{
    const struct sr_identity id = id_of(uid, NULL);
    struct sr_store *store = open_store(world, SR_STORE_READ);
    struct sr_memory memory;

    sr_memory_get(store, &id, &memory);
    sr_store_close(store);
    return memory.familiar[which];
}

/* A login is over. */
static enum sr_store_result
logged_in(const struct world *world, uid_t uid, const struct sr_source *source,
          struct sr_notice *notice)
{
    const struct sr_identity id = id_of(uid, NULL);
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    enum sr_store_result result =
        sr_attempt_logged_in(store, &id, source, &world->rules, notice);

    sr_store_close(store);
    return result;
}

/* ---- one process */

static void
test_five_wrong_then_locked(void **state)
{
    const struct sr_source source = source_of(HERE);
    const struct world *world = *state;
    struct sr_attempt *attempt;
    struct sr_settled settled;
    const time_t now = time(NULL);

    for (int i = 0; i < 5; i++) {
        assert_int_equal(
            attempt_as(world, USER, NULL, &source, SR_OUTCOME_WRONG, &settled),
            SR_BEGIN_GO);
        assert_int_equal(settled.result, SR_STORE_OK);
        assert_int_equal(settled.began_lockout, i == 4);
        assert_false(settled.began_source_lockout);
    }
    assert_in_range(settled.until_wall, now + 900, now + 960);
    assert_int_equal(begin_as(world, USER, NULL, &source, false, &attempt),
                     SR_BEGIN_LOCKED);
    assert_in_range(sr_attempt_until(attempt), now + 900, now + 960);
    assert_false(sr_attempt_by_source(attempt));
    /* Even the right password, as nothing may be verified. */
    settled = sr_attempt_settle(attempt, SR_OUTCOME_RIGHT);
    assert_int_equal(settled.result, SR_STORE_OK);
    assert_false(settled.began_lockout);
    sr_attempt_free(attempt, false);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_LOCKED);
    assert_int_equal(memory_of(world, USER).failed, 7);
    assert_int_equal(facts_of(world, USER, HERE).locked, SR_LOCK_UNTIL);
    assert_int_equal(facts_of(world, USER, HERE).locked_why,
                     SR_LOCK_WHY_THROTTLE);
    assert_int_equal(facts_of(world, USER + 1, HERE).locked, SR_LOCK_NO);
    assert_int_equal(log_in(world, USER + 1, HERE), SR_BEGIN_GO);
}

static void
test_right_clears(void **state)
{
    const struct world *world = *state;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++)
            assert_int_equal(guess(world, USER, HERE), SR_BEGIN_GO);
        assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_GO);
    }
}

static bool
set_temporary(void *secret, struct sr_memory *memory)
{
    memory->temporary = (struct sr_temporary){
        .fingerprint = sr_memory_fingerprint(memory, secret),
        .issued = memory->now,
        .until = memory->now + 3600,
    };
    return true;
}

/* A temporary password of the hash `secret`, that ends in an hour. */
static void
issue_temporary(const struct world *world, char *secret)
{
    const struct sr_identity id = id_of(USER, NULL);
    struct sr_store *store = open_store(world, SR_STORE_WRITE);

    WANT(sr_memory_change(store, &id, set_temporary, secret) == SR_STORE_OK);
    sr_store_close(store);
}

static sr_time
temporary_as_tried(const struct world *world, bool is_known, const char *secret)
{
    const struct sr_source source = source_of(HERE);
    const struct sr_subject subject = {
        .is_known = is_known,
        .id = id_of(USER, NULL),
        .secret = secret,
        .source = &source,
        .rules = &world->rules,
    };
    struct sr_attempt *attempt;
    sr_time until;

    assert_int_equal(
        sr_attempt_begin(world->state, world->run, &subject, false, &attempt),
        SR_BEGIN_GO);
    until = sr_attempt_temporary(attempt);
    sr_attempt_settle(attempt, SR_OUTCOME_RIGHT);
    sr_attempt_free(attempt, false);
    return until;
}

static void
test_temporary_is_told(void **state)
{
    const struct world *world = *state;
    const sr_time end = time(NULL) + 3600;
    char secret[] = "$6$a";
    sr_time until;

    assert_int_equal(temporary_as_tried(world, true, "$6$a"), SR_TIME_UNKNOWN);
    issue_temporary(world, secret);
    until = temporary_as_tried(world, true, "$6$a");
    assert_true(until >= end && until <= end + 60);
    assert_int_equal(temporary_as_tried(world, true, "$6$b"), SR_TIME_UNKNOWN);
    assert_int_equal(temporary_as_tried(world, true, NULL), SR_TIME_UNKNOWN);
    assert_int_equal(temporary_as_tried(world, false, "$6$a"), SR_TIME_UNKNOWN);
}

static void
test_neither_counts_for_nothing(void **state)
{
    const struct sr_source source = source_of(HERE);
    const struct world *world = *state;

    for (int i = 0; i < 100; i++)
        assert_int_equal(
            attempt_as(world, USER, NULL, &source, SR_OUTCOME_NEITHER, NULL),
            SR_BEGIN_GO);
    assert_int_equal(memory_of(world, USER).failed, 0);
}

static void
test_source_is_throttled(void **state)
{
    const struct sr_source source = source_of(HERE);
    const struct world *world = *state;
    struct sr_attempt *attempt;
    struct sr_settled settled;

    for (uid_t uid = USER; uid < USER + 30; uid++) {
        assert_int_equal(
            attempt_as(world, uid, NULL, &source, SR_OUTCOME_WRONG, &settled),
            SR_BEGIN_GO);
        assert_int_equal(settled.began_source_lockout, uid == USER + 29);
    }
    assert_int_equal(begin_as(world, 7, NULL, &source, false, &attempt),
                     SR_BEGIN_LOCKED);
    assert_true(sr_attempt_by_source(attempt));
    sr_attempt_settle(attempt, SR_OUTCOME_WRONG);
    sr_attempt_free(attempt, false);
    assert_int_equal(log_in(world, 7, ELSEWHERE), SR_BEGIN_GO);
}

static void
test_root_is_throttled_by_source_only(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 29; i++)
        assert_int_equal(guess(world, 0, HERE), SR_BEGIN_GO);
    assert_int_equal(facts_of(world, 0, HERE).locked, SR_LOCK_NO);
    assert_int_equal(guess(world, 0, HERE), SR_BEGIN_GO);
    assert_int_equal(guess(world, 0, HERE), SR_BEGIN_LOCKED);
    assert_int_equal(log_in(world, 0, ELSEWHERE), SR_BEGIN_GO);
    assert_int_equal(memory_of(world, 0).failed, 31);
    world->rules.lock_root = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(guess(world, 0, ELSEWHERE), SR_BEGIN_GO);
    assert_int_equal(log_in(world, 0, "203.0.113.5"), SR_BEGIN_LOCKED);
}

static void
test_no_limits(void **state)
{
    struct world *world = *state;

    world->rules.attempts = 0;
    world->rules.source_attempts = 0;
    for (int i = 0; i < 70; i++)
        assert_int_equal(guess(world, USER, HERE), SR_BEGIN_GO);
    assert_int_equal(memory_of(world, USER).failed, 70);
}

static void
test_unknown_names(void **state)
{
    const struct sr_source source = source_of(HERE);
    const struct world *world = *state;

    for (int i = 0; i < 6; i++)
        assert_int_equal(attempt_as(world, (uid_t)-1, "nobody-here", &source,
                                    SR_OUTCOME_WRONG, NULL),
                         i < 5 ? SR_BEGIN_GO : SR_BEGIN_LOCKED);
    assert_int_equal(attempt_as(world, (uid_t)-1, "nobody-else", &source,
                                SR_OUTCOME_WRONG, NULL),
                     SR_BEGIN_GO);
}

/* A stranger locks himself out, not the owner where he was before. */
static void
test_familiar_source(void **state)
{
    const struct sr_source here = source_of(HERE);
    struct world *world = *state;
    struct sr_notice before;

    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_GO);
    assert_int_equal(logged_in(world, USER, &here, &before), SR_STORE_OK);
    assert_int_equal(before.failed, 0);
    for (int i = 0; i < 7; i++)
        guess(world, USER, ELSEWHERE);
    assert_int_equal(log_in(world, USER, ELSEWHERE), SR_BEGIN_LOCKED);
    assert_int_equal(log_in(world, USER, "203.0.113.5"), SR_BEGIN_LOCKED);
    assert_int_equal(facts_of(world, USER, ELSEWHERE).locked, SR_LOCK_UNTIL);
    assert_int_equal(facts_of(world, USER, HERE).locked, SR_LOCK_NO);
    assert_int_equal(facts_of(world, USER, NULL).locked, SR_LOCK_UNTIL);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_GO);
    /* The stranger's ledger is not the owner's to clear by logging in. */
    assert_int_equal(log_in(world, USER, ELSEWHERE), SR_BEGIN_LOCKED);
    assert_int_equal(logged_in(world, USER, &here, &before), SR_STORE_OK);
    assert_int_equal(before.failed, 10);
    assert_string_equal(before.from, ELSEWHERE);
    assert_int_equal(memory_of(world, USER).failed, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(guess(world, USER, HERE), SR_BEGIN_GO);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_LOCKED);
    world->rules.familiar = 0; /* off: one ledger for all */
    assert_int_equal(facts_of(world, USER, HERE).locked, SR_LOCK_UNTIL);
}

/* Those who share his address lock out each other, not the owner. */
/* ---- the lock that is published: it must hold from every source */

static sr_time
everywhere_of(const struct world *world, uid_t uid)
{
    const struct sr_lockouts shared = sr_lockouts_none();
    const struct sr_identity id = id_of(uid, NULL);
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    struct sr_lockouts host;
    struct sr_memory memory;
    struct sr_lockout lockout;

    sr_memory_get(store, &id, &memory);
    WANT(sr_attempt_classes(store, &id, &memory, &world->rules, &host) ==
         SR_STORE_OK);
    sr_store_close(store);
    lockout = sr_lockout_everywhere(&host, &shared, sr_lockout_none());
    return sr_lockout_is(&lockout) ? lockout.until : SR_TIME_UNKNOWN;
}

static void
remember(const struct world *world, const char *address)
{
    const struct sr_source source = source_of(address);

    assert_int_equal(logged_in(world, USER, &source, NULL), SR_STORE_OK);
}

static void
lock_out(const struct world *world, const char *address)
{
    for (int i = 0; i < 5; i++)
        assert_int_equal(guess(world, USER, address), SR_BEGIN_GO);
    assert_int_equal(guess(world, USER, address), SR_BEGIN_LOCKED);
}

static void
test_locked_everywhere(void **state)
{
    struct world *world = *state;
    const time_t now = time(NULL);

    assert_int_equal(everywhere_of(world, USER), SR_TIME_UNKNOWN);
    /* Nobody comes from anywhere familiar: strangers' guesses lock it. */
    lock_out(world, ELSEWHERE);
    assert_in_range(everywhere_of(world, USER), now + 900, now + 960);
    assert_int_equal(everywhere_of(world, USER + 1), SR_TIME_UNKNOWN);
    /* The owner comes from where he always does. */
    remember(world, HERE);
    assert_int_equal(everywhere_of(world, USER), SR_TIME_UNKNOWN);
    /* Off: all sources share one ledger. */
    world->rules.familiar = 0;
    assert_in_range(everywhere_of(world, USER), now + 900, now + 960);
    world->rules.familiar = 30 * SR_DAY;
    /* Both are locked: until the earlier end. */
    world->rules.window = 60;
    world->rules.duration = 60;
    lock_out(world, HERE);
    assert_in_range(everywhere_of(world, USER), now + 60, now + 120);
}

static void
test_locked_where_familiar_only(void **state)
{
    struct world *world = *state;

    remember(world, HERE);
    lock_out(world, HERE);
    assert_int_not_equal(facts_of(world, USER, HERE).locked, SR_LOCK_NO);
    assert_int_equal(everywhere_of(world, USER), SR_TIME_UNKNOWN);
}

/* Root is not locked out unless the rules say so. */
static void
test_root_everywhere(void **state)
{
    struct world *world = *state;

    world->rules.lock_root = true;
    for (int i = 0; i < 6; i++)
        guess(world, 0, ELSEWHERE);
    assert_int_not_equal(everywhere_of(world, 0), SR_TIME_UNKNOWN);
    world->rules.lock_root = false;
    assert_int_equal(everywhere_of(world, 0), SR_TIME_UNKNOWN);
}

/* A source that was familiar once counts no more. */
static void
run_forgotten(void *argument)
{
    struct world *world = argument;

    WANT(everywhere_of(world, USER) == SR_TIME_UNKNOWN);
    for (int i = 0; i < 6; i++)
        guess(world, USER, ELSEWHERE);
    WANT(everywhere_of(world, USER) != SR_TIME_UNKNOWN);
}

static void
test_forgotten_source_everywhere(void **state)
{
    struct world *world = *state;
    int status;

    remember(world, HERE);
    status = scratch_run_later(31 * SR_DAY, run_forgotten, world);
    if (status == SCRATCH_SKIP)
        skip();
    assert_int_equal(status, 0);
}

static void
test_familiar_source_of_many(void **state)
{
    const struct sr_source here = source_of(HERE);
    struct world *world = *state;

    world->rules.source_attempts = 3;
    assert_int_equal(logged_in(world, USER, &here, NULL), SR_STORE_OK);
    assert_int_equal(logged_in(world, 0, &here, NULL), SR_STORE_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(guess(world, USER + 1 + (uid_t)i, HERE), SR_BEGIN_GO);
    assert_int_equal(log_in(world, USER + 9, HERE), SR_BEGIN_LOCKED);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_GO);
    assert_int_equal(facts_of(world, USER, HERE).locked, SR_LOCK_NO);
    /* Root has no ledger but the source's, wherever it was before. */
    assert_int_equal(log_in(world, 0, HERE), SR_BEGIN_LOCKED);
    assert_int_equal(facts_of(world, 0, HERE).locked, SR_LOCK_UNTIL);
    /* And his own guesses are still counted, once. */
    for (int i = 0; i < 5; i++)
        assert_int_equal(guess(world, USER, HERE), SR_BEGIN_GO);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_LOCKED);
}

static void
test_own_session_is_familiar(void **state)
{
    const struct world *world = *state;
    struct sr_source own;

    sr_source_find(&own,
                   &(struct sr_origin){.real_uid = USER, .account = USER});
    for (int i = 0; i < 6; i++)
        guess(world, USER, ELSEWHERE);
    assert_int_equal(
        attempt_as(world, USER, NULL, &own, SR_OUTCOME_RIGHT, NULL),
        SR_BEGIN_GO);
    assert_int_equal(logged_in(world, USER, &own, NULL), SR_STORE_OK);
    assert_int_equal(familiar_of(world, USER, 0).seen, 0);
}

static void
test_familiar_sources_are_few(void **state)
{
    struct world *world = *state;
    char address[32];

    for (int i = 0; i < 12; i++) {
        struct sr_source source;

        snprintf(address, sizeof(address), "192.0.2.%d", i);
        source = source_of(address);
        assert_int_equal(logged_in(world, USER, &source, NULL), SR_STORE_OK);
    }
    for (int i = 0; i < 6; i++)
        guess(world, USER, ELSEWHERE);
    assert_int_equal(facts_of(world, USER, "192.0.2.11").locked, SR_LOCK_NO);
    for (size_t i = 0; i < SR_FAMILIAR_MAX; i++)
        assert_int_not_equal(familiar_of(world, USER, i).seen, 0);
}

/* ---- the slots left behind */

/* Die in the middle of a verification. */
static void
die_verifying(void *argument)
{
    const struct sr_source source = source_of(HERE);
    const struct world *world = argument;
    struct sr_attempt *attempt;

    if (begin_as(world, USER, NULL, &source, false, &attempt) == SR_BEGIN_GO)
        count(world, VERIFIED);
    _exit(0);
}

static void
test_a_death_is_a_failure(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 8; i++)
        assert_int_equal(scratch_run(die_verifying, world), 0);
    assert_int_equal(world->counts[VERIFIED], 5);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_LOCKED);
    assert_int_equal(facts_of(world, USER, HERE).locked, SR_LOCK_UNTIL);
}

/* Once it is recorded, and that is cleared, a death does not count again. */
static void
test_a_death_counts_once(void **state)
{
    const struct sr_source source = source_of(HERE);
    struct world *world = *state;
    struct sr_attempt *first, *second;

    world->rules.attempts = 2;
    world->rules.wait = 0;
    assert_int_equal(scratch_run(die_verifying, world), 0);
    assert_int_equal(begin_as(world, USER, NULL, &source, false, &first),
                     SR_BEGIN_GO);
    assert_int_equal(begin_as(world, USER, NULL, &source, false, &second),
                     SR_BEGIN_BUSY); /* it has seen the dead one's slot */
    sr_attempt_free(second, false);
    sr_attempt_settle(first, SR_OUTCOME_RIGHT);
    sr_attempt_free(first, false);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_GO);
    assert_int_equal(guess(world, USER, HERE), SR_BEGIN_GO);
    assert_int_equal(guess(world, USER, HERE), SR_BEGIN_GO);
    assert_int_equal(guess(world, USER, HERE), SR_BEGIN_LOCKED);
}

static void
die_behind_a_guard(void *argument)
{
    const struct sr_source source = source_of(HERE);
    struct sr_attempt *attempt;

    WANT(begin_as(argument, USER, NULL, &source, true, &attempt) ==
         SR_BEGIN_GO);
    _exit(0); /* recorded ahead; its stamp stays */
}

/* What a login has cleared does not come back with the stamp. */
static void
test_a_guards_death_counts_once(void **state)
{
    struct world *world = *state;

    assert_int_equal(scratch_run(die_behind_a_guard, world), 0);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_GO);
    for (int i = 0; i < 5; i++)
        assert_int_equal(guess(world, USER, HERE), SR_BEGIN_GO);
    assert_int_equal(guess(world, USER, HERE), SR_BEGIN_LOCKED);
}

static void
abandon(void *argument)
{
    const struct sr_source source = source_of(HERE);
    struct world *world = argument;
    struct sr_attempt *attempt;
    sigset_t mask;

    WANT(begin_as(world, USER, NULL, &source, false, &attempt) == SR_BEGIN_GO);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    WANT(sigismember(&mask, SIGTERM) == 1); /* shielded */
    sr_attempt_free(attempt, false);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    WANT(sigismember(&mask, SIGTERM) == 0);
}

static void
test_an_attempt_never_settled_is_a_failure(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 5; i++)
        assert_int_equal(scratch_run(abandon, world), 0);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_LOCKED);
}

static void
expect_go(void *argument)
{
    const struct world *world = argument;

    WANT(log_in(world, USER, HERE) == SR_BEGIN_GO);
}

static void
expect_locked(void *argument)
{
    const struct world *world = argument;

    WANT(log_in(world, USER, HERE) == SR_BEGIN_LOCKED);
}

static void
expect_five_more(void *argument)
{
    const struct world *world = argument;

    for (int i = 0; i < 7; i++)
        WANT(guess(world, USER, HERE) ==
             (i < 5 ? SR_BEGIN_GO : SR_BEGIN_LOCKED));
}

static void
later(long seconds, void (*run)(void *), struct world *world)
{
    const int status = scratch_run_later(seconds, run, world);

    if (status == SCRATCH_SKIP)
        skip();
    assert_int_equal(status, 0);
}

/* The first lockout is no longer for what nobody came to see. */
static void
expect_a_first_lockout(void *argument)
{
    const struct world *world = argument;

    for (int i = 0; i < 5; i++)
        WANT(guess(world, USER, HERE) == SR_BEGIN_GO);
    WANT(facts_of(world, USER, HERE).locked_until <= time(NULL) + 930);
}

static void
test_the_dead_are_forgotten_with_the_window(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 5; i++)
        assert_int_equal(scratch_run(die_verifying, world), 0);
    later(905, expect_a_first_lockout, world);
}

static void
test_lockouts_end_and_double(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 6; i++)
        guess(world, USER, HERE);
    later(890, expect_locked, world);
    later(905, expect_five_more, world);
    later(905 + 1790, expect_locked, world);
    later(905 + 1810, expect_go, world);
}

static void
in_another_boot(void *argument)
{
    struct world *world = argument;

    scratch_private_mounts();
    scratch_new_boot(world->dir, "01234567-89ab-cdef-0123-456789abcdef\n");
    WANT(log_in(world, USER, HERE) == SR_BEGIN_LOCKED);
    WANT(log_in(world, USER + 1, HERE) == SR_BEGIN_GO);
    WANT(guess(world, USER + 2, HERE) == SR_BEGIN_GO);
}

static void
test_a_boot_frees_nobody(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 5; i++)
        guess(world, USER, HERE);
    scratch_pass(in_another_boot, world);
}

/* ---- many processes */

/* Children wait at the gate, so that they all start together. */
static void
crowd(struct world *world, int size, void (*run)(struct world *, int))
{
    int status, bad = 0;
    char byte;

    for (int i = 0; i < size; i++) {
        if (fork() == 0) {
            close(world->gate[1]);
            WANT(read(world->gate[0], &byte, 1) == 0);
            run(world, i);
            _exit(0);
        }
    }
    close(world->gate[1]);
    world->gate[1] = -1;
    for (int i = 0; i < size; i++) {
        assert_true(wait(&status) > 0);
        bad += status != 0;
    }
    assert_int_equal(bad, 0);
}

static void
verify(struct world *world, const struct timespec *work)
{
    count(world, VERIFIED);
    nanosleep(work, NULL); /* the hash */
}

static void
tally(struct world *world, enum sr_begin begun)
{
    static const int which[] = {
        [SR_BEGIN_GO] = GONE,
        [SR_BEGIN_LOCKED] = LOCKED,
        [SR_BEGIN_BUSY] = BUSY,
        [SR_BEGIN_FAILED] = FAILED,
    };

    count(world, which[begun]);
}

static void
try_once(struct world *world, enum sr_outcome outcome, bool ahead, bool settles)
{
    const struct timespec work = {0, 3000000};
    const struct sr_source source = source_of(HERE);
    struct sr_attempt *attempt;
    struct sr_settled settled;
    enum sr_begin begun;

    begun = begin_as(world, USER, NULL, &source, ahead, &attempt);
    tally(world, begun);
    if (begun == SR_BEGIN_GO)
        verify(world, &work);
    if (!settles)
        _exit(0); /* as a stack does that ends at the module before */
    settled = sr_attempt_settle(attempt, outcome);
    WANT(settled.result == SR_STORE_OK);
    if (settled.began_lockout)
        count(world, LOCKOUTS);
    sr_attempt_free(attempt, false);
}

static void
guess_once(struct world *world, int index)
{
    (void)index;
    try_once(world, SR_OUTCOME_WRONG, false, true);
}

static void
log_in_once(struct world *world, int index)
{
    (void)index;
    try_once(world, SR_OUTCOME_RIGHT, false, true);
}

static void
test_200_guess_at_once(void **state)
{
    struct world *world = *state;

    world->rules.wait = 60;
    world->rules.source_attempts = 64;
    crowd(world, 200, guess_once);
    assert_int_equal(world->counts[VERIFIED], 5);
    assert_int_equal(world->counts[LOCKED], 195);
    assert_int_equal(world->counts[LOCKOUTS], 1);
    assert_int_equal(memory_of(world, USER).failed, 200);
}

static void
test_50_log_in_at_once(void **state)
{
    struct world *world = *state;

    world->rules.wait = 60;
    crowd(world, 50, log_in_once);
    assert_int_equal(world->counts[GONE], 50);
    assert_int_equal(memory_of(world, USER).failed, 0);
}

/* The right password is not refused because of guesses that go on. */
static void
mixed(struct world *world, int index)
{
    try_once(world, index % 10 == 0 ? SR_OUTCOME_NEITHER : SR_OUTCOME_RIGHT,
             false, true);
}

static void
test_outages_among_logins(void **state)
{
    struct world *world = *state;

    world->rules.wait = 60;
    world->rules.attempts = 2;
    crowd(world, 40, mixed);
    assert_int_equal(world->counts[GONE], 40);
}

static void
guess_ahead(struct world *world, int index)
{
    try_once(world, SR_OUTCOME_WRONG, true, index % 2 == 0);
}

static void
test_200_guess_behind_a_guard(void **state)
{
    struct world *world = *state;

    world->rules.wait = 60;
    world->rules.source_attempts = 64;
    crowd(world, 200, guess_ahead);
    assert_int_equal(world->counts[VERIFIED], 5);
    assert_int_equal(world->counts[LOCKED], 195);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_LOCKED);
}

static void
log_in_ahead(struct world *world, int index)
{
    try_once(world, index % 5 == 0 ? SR_OUTCOME_NEITHER : SR_OUTCOME_RIGHT,
             true, true);
}

static void
test_50_log_in_behind_a_guard(void **state)
{
    struct world *world = *state;

    world->rules.wait = 60;
    crowd(world, 50, log_in_ahead);
    assert_int_equal(world->counts[GONE], 50);
    assert_int_equal(memory_of(world, USER).failed, 0);
    for (int i = 0; i < 5; i++) /* nothing has stayed in the ledgers */
        assert_int_equal(guess(world, USER, HERE), SR_BEGIN_GO);
    for (int i = 0; i < 25; i++)
        assert_int_equal(guess(world, USER + 1 + (uid_t)i, HERE), SR_BEGIN_GO);
    assert_int_equal(guess(world, USER + 99, HERE), SR_BEGIN_LOCKED);
}

/* kill -9 whenever; every verification that was begun counts. */
static void
guess_until_killed(void *argument)
{
    struct world *world = argument;
    const struct timespec work = {0, 300000};
    const struct sr_source source = source_of(HERE);

    for (;;) {
        struct sr_attempt *attempt;
        enum sr_begin begun;

        begun = begin_as(world, USER, NULL, &source, false, &attempt);
        if (begun == SR_BEGIN_GO)
            verify(world, &work);
        sr_attempt_settle(attempt, SR_OUTCOME_WRONG);
        sr_attempt_free(attempt, false);
        if (begun == SR_BEGIN_LOCKED)
            _exit(0);
    }
}

static void
test_500_killed(void **state)
{
    struct world *world = *state;
    int killed = 0, verified = 0, rounds = 0;

    srandom(11);
    world->rules.source_attempts = 64;
    for (int round = 0; killed < 500; round++) {
        struct world fresh = *world;

        snprintf(fresh.state, sizeof(fresh.state), "%s/s%d", world->dir, round);
        snprintf(fresh.run, sizeof(fresh.run), "%s/r%d", world->dir, round);
        fresh.counts[VERIFIED] = 0;
        for (int life = 2000;; life += 50) { /* long enough at last */
            const pid_t child = fork();
            int status;

            if (child == 0)
                guess_until_killed(&fresh);
            usleep((useconds_t)(random() % life));
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            if (!WIFSIGNALED(status))
                break; /* locked out before it was killed */
            killed++;
        }
        assert_in_range(fresh.counts[VERIFIED], 0, 5);
        verified += fresh.counts[VERIFIED];
        rounds++;
        if (round % 8 == 0)
            later(905, expect_go, &fresh);
    }
    print_message("%d killed, %d verified in %d rounds\n", killed, verified,
                  rounds);
    assert_true(verified > 0); /* it was about something */
}

/* ---- guard, in one process */

static void
test_ahead_is_recorded_before(void **state)
{
    const struct sr_source source = source_of(HERE);
    const struct sr_source elsewhere = source_of(ELSEWHERE);
    struct world *world = *state;
    struct sr_attempt *attempt;
    sigset_t mask;

    for (int i = 0; i < 4; i++)
        guess(world, USER, HERE);
    assert_int_equal(begin_as(world, USER, NULL, &elsewhere, true, &attempt),
                     SR_BEGIN_GO);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 0); /* no shield */
    assert_true(sr_attempt_ahead(attempt).began_lockout);
    assert_int_equal(facts_of(world, USER, HERE).locked, SR_LOCK_UNTIL);
    assert_int_equal(memory_of(world, USER).failed, 5);
    assert_string_equal(memory_of(world, USER).from, ELSEWHERE);
    assert_int_equal(sr_attempt_settle(attempt, SR_OUTCOME_NEITHER).result,
                     SR_STORE_OK);
    sr_attempt_free(attempt, false);
    assert_int_equal(facts_of(world, USER, HERE).locked, SR_LOCK_NO);
    assert_int_equal(memory_of(world, USER).failed, 4);
    assert_string_equal(memory_of(world, USER).from, HERE);
    assert_int_equal(begin_as(world, USER, NULL, &source, true, &attempt),
                     SR_BEGIN_GO);
    assert_true(sr_attempt_settle(attempt, SR_OUTCOME_WRONG).began_lockout);
    sr_attempt_free(attempt, false);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_LOCKED);
}

/* While the last slot may be given back nobody is told of a lockout. */
static void
test_a_guard_is_waited_for(void **state)
{
    const struct sr_source source = source_of(HERE);
    struct world *world = *state;
    struct sr_attempt *attempt;
    pid_t child;
    int status;

    world->rules.attempts = 1;
    world->rules.wait = 30;
    assert_int_equal(begin_as(world, USER, NULL, &source, true, &attempt),
                     SR_BEGIN_GO);
    child = fork();
    if (child == 0) {
        sr_attempt_free(attempt, true); /* a process copy */
        WANT(log_in(world, USER, HERE) == SR_BEGIN_GO);
        _exit(0);
    }
    usleep(30000); /* it waits in vain, however long this is */
    assert_int_equal(waitpid(child, &status, WNOHANG), 0);
    assert_int_equal(sr_attempt_settle(attempt, SR_OUTCOME_RIGHT).result,
                     SR_STORE_OK);
    sr_attempt_free(attempt, false);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);

    world->rules.wait = 0; /* not for ever */
    assert_int_equal(begin_as(world, USER, NULL, &source, true, &attempt),
                     SR_BEGIN_GO);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_LOCKED);
    sr_attempt_settle(attempt, SR_OUTCOME_RIGHT);
    sr_attempt_free(attempt, false);
    assert_int_equal(begin_as(world, USER, NULL, &source, false, &attempt),
                     SR_BEGIN_GO);
    {
        struct sr_attempt *second;

        assert_int_equal(begin_as(world, USER, NULL, &source, false, &second),
                         SR_BEGIN_BUSY);
        sr_attempt_free(second, false);
    }
    sr_attempt_settle(attempt, SR_OUTCOME_RIGHT);
    sr_attempt_free(attempt, false);
}

/* ---- faults */

static int
fill_disk(const struct world *world)
{
    int fd =
        open(scratch_path(world->state, "filler"), O_WRONLY | O_CREAT, 0600);

    WANT(fd >= 0);
    while (posix_fallocate(fd, lseek(fd, 0, SEEK_END), 4096) == 0)
        continue;
    return fd;
}

static void
with_a_full_disk(void *argument)
{
    const struct sr_source source = source_of(HERE);
    const struct sr_source new_source = source_of(ELSEWHERE);
    struct world *world = argument;
    struct sr_settled settled;
    int fd;

    scratch_private_mounts();
    WANT(mkdir(world->state, 0700) == 0);
    scratch_mount_small(world->state, 128 * 1024);
    WANT(guess(world, USER, HERE) == SR_BEGIN_GO);
    fd = fill_disk(world);
    /* Where there is a ledger it has room for every slot. */
    for (int i = 0; i < 4; i++)
        WANT(attempt_as(world, USER, NULL, &source, SR_OUTCOME_WRONG,
                        &settled) == SR_BEGIN_GO &&
             settled.result == SR_STORE_OK);
    WANT(log_in(world, USER, HERE) == SR_BEGIN_LOCKED);
    /* Where there is none it is kept in RUNDIR, and said so. */
    WANT(log_in(world, USER + 1, ELSEWHERE) == SR_BEGIN_GO);
    for (int i = 0; i < 5; i++) {
        WANT(attempt_as(world, USER + 1, NULL, &new_source, SR_OUTCOME_WRONG,
                        &settled) == SR_BEGIN_GO);
        WANT(settled.result == SR_STORE_FULL);
    }
    WANT(attempt_as(world, USER + 1, NULL, &new_source, SR_OUTCOME_RIGHT,
                    &settled) == SR_BEGIN_LOCKED);
    WANT(facts_of(world, USER + 1, ELSEWHERE).locked == SR_LOCK_UNTIL);
    WANT(log_in(world, USER + 2, "203.0.113.7") == SR_BEGIN_GO);
    WANT(unlink(scratch_path(world->state, "filler")) == 0);
    close(fd);
    /* What is in RUNDIR counts on. */
    WANT(log_in(world, USER + 1, ELSEWHERE) == SR_BEGIN_LOCKED);
    WANT(facts_of(world, USER + 1, ELSEWHERE).locked == SR_LOCK_UNTIL);
}

static void
test_disk_full(void **state)
{
    scratch_pass(with_a_full_disk, *state);
}

static void
when_read_only(void *argument)
{
    const struct sr_source source = source_of(HERE);
    struct world *world = argument;
    struct sr_attempt *attempt;
    struct sr_settled settled;

    scratch_private_mounts();
    if (access(world->state, F_OK) != 0)
        WANT(mkdir(world->state, 0700) == 0);
    WANT(mount(world->state, world->state, NULL, MS_BIND, NULL) == 0);
    WANT(mount(NULL, world->state, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
               NULL) == 0);
    WANT(log_in(world, USER, HERE) == SR_BEGIN_GO);
    for (int i = 0; i < 5; i++) {
        WANT(attempt_as(world, USER, NULL, &source, SR_OUTCOME_WRONG,
                        &settled) == SR_BEGIN_GO);
        WANT(settled.result == SR_STORE_READ_ONLY);
    }
    WANT(attempt_as(world, USER, NULL, &source, SR_OUTCOME_RIGHT, &settled) ==
         SR_BEGIN_LOCKED);
    WANT(begin_as(world, USER + 7, NULL, &source, true, &attempt) ==
         SR_BEGIN_FAILED); /* cannot be recorded ahead */
    WANT(sr_attempt_error(attempt) == SR_STORE_READ_ONLY);
    sr_attempt_free(attempt, false);
}

static void
test_read_only(void **state)
{
    struct world *world = *state;
    char command[256];

    scratch_pass(when_read_only, world); /* from the start */
    snprintf(command, sizeof(command), "rm -r '%s'", world->run);
    assert_int_equal(system(command), 0);
    assert_int_equal(log_in(world, USER + 1, HERE), SR_BEGIN_GO);
    assert_int_equal(guess(world, USER, HERE), SR_BEGIN_GO);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_GO);
    scratch_pass(when_read_only, world); /* with a store in it */
}

/* ---- damage */

/* The file of an account's ledger of strangers. */
static const char *
ledger_path(const struct world *world, uid_t uid)
{
    const struct sr_identity id = id_of(uid, NULL);
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", world->state,
             sr_ledger_key_account(&id, SR_LEDGER_STRANGERS, NULL).path);
    return path;
}

enum spoil { SPOIL_ALL, SPOIL_HALF, SPOIL_EMPTY, SPOIL_ZERO, SPOIL_ONE };

static void
spoil_file(const char *path, enum spoil how)
{
    size_t size;
    uint8_t *bytes = scratch_read(path, &size);

    switch (how) {
    case SPOIL_ALL:
        for (size_t i = 0; i < size; i++)
            bytes[i] ^= 0x5a;
        break;
    case SPOIL_HALF:
        size /= 2;
        break;
    case SPOIL_EMPTY:
        size = 0;
        break;
    case SPOIL_ZERO: /* what some file systems leave after a crash */
        memset(bytes + 512, 0, size - 512);
        break;
    case SPOIL_ONE:
        for (size_t at = 3 * 512; at < size; at += 512)
            bytes[at + 40] ^= 1;
        break;
    }
    scratch_write(path, bytes, size);
    free(bytes);
}

/* A damaged ledger is none without failures; it is reported once, and nobody
 * else is concerned. */
static void
test_damaged_ledger(void **state)
{
    const struct sr_source source = source_of(HERE);
    struct world *world = *state;

    for (enum spoil how = SPOIL_ALL; how <= SPOIL_ONE; how++) {
        const uid_t uid = USER + 10 * (uid_t)how;
        struct sr_attempt *attempt;
        int reports = 0;

        for (int i = 0; i < 4; i++)
            assert_int_equal(guess(world, uid, ELSEWHERE), SR_BEGIN_GO);
        spoil_file(ledger_path(world, uid), how);
        assert_int_equal(facts_of(world, uid, HERE).locked, SR_LOCK_UNTIL);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(
                begin_as(world, uid, NULL, &source, false, &attempt),
                SR_BEGIN_LOCKED);
            reports += sr_attempt_damage(attempt) != NULL;
            sr_attempt_settle(attempt, SR_OUTCOME_WRONG);
            sr_attempt_free(attempt, false);
        }
        assert_int_equal(reports, 1);
        assert_int_equal(log_in(world, uid + 1, HERE), SR_BEGIN_GO);
    }
}

static void
test_damage_costs_a_window(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 4; i++)
        guess(world, USER, HERE);
    spoil_file(ledger_path(world, USER), SPOIL_ALL);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_LOCKED);
    later(905, expect_five_more, world);
}

static void
test_unsafe_directories(void **state)
{
    const struct sr_source source = source_of(HERE);
    struct world *world = *state;
    struct sr_attempt *attempt;

    guess(world, USER, HERE);
    chmod(world->state, 0770);
    assert_int_equal(begin_as(world, USER, NULL, &source, false, &attempt),
                     SR_BEGIN_FAILED);
    assert_int_equal(sr_attempt_error(attempt), SR_STORE_UNSAFE);
    sr_attempt_free(attempt, false);
    chmod(world->state, 0700);
    chmod(ledger_path(world, USER), 0644);
    assert_int_equal(begin_as(world, USER, NULL, &source, false, &attempt),
                     SR_BEGIN_FAILED);
    assert_int_equal(sr_attempt_error(attempt), SR_STORE_UNSAFE);
    sr_attempt_free(attempt, false);
    chmod(ledger_path(world, USER), 0600);
    assert_int_equal(mkdir(world->run, 0755), 0);
    assert_int_equal(mkdir(scratch_path(world->run, "unsaved"), 0755), 0);
    chmod(scratch_path(world->run, "unsaved"), 0777);
    assert_int_equal(begin_as(world, USER, NULL, &source, false, &attempt),
                     SR_BEGIN_FAILED);
    assert_int_equal(sr_attempt_error(attempt), SR_STORE_UNSAFE);
    sr_attempt_free(attempt, false);
}

static void
with_limits(void *argument)
{
    const struct rlimit fsize = {0, RLIM_INFINITY};
    struct world *world = argument;

    umask(0);
    WANT(setrlimit(RLIMIT_FSIZE, &fsize) == 0);
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    for (int i = 0; i < 6; i++) {
        if (guess(world, USER, HERE) != (i < 5 ? SR_BEGIN_GO : SR_BEGIN_LOCKED))
            _exit(2);
    }
    if (open("/", O_PATH) != 0)
        _exit(3); /* something is left in 0 */
}

static void
with_three_files(void *argument)
{
    const struct rlimit files = {3, 3};
    const struct sr_source source = source_of(HERE);
    struct world *world = argument;
    struct sr_attempt *attempt;

    WANT(setrlimit(RLIMIT_NOFILE, &files) == 0);
    WANT(begin_as(world, USER, NULL, &source, false, &attempt) ==
         SR_BEGIN_FAILED);
    WANT(sr_attempt_error(attempt) == SR_STORE_FAILED);
    sr_attempt_free(attempt, false);
}

static void
test_hostile_limits(void **state)
{
    assert_int_equal(scratch_run(with_three_files, *state), 0);
    assert_int_equal(scratch_run(with_limits, *state), 0);
    assert_int_equal(scratch_run(with_three_files, *state), 0);
}

/* ---- the shield */

static void
as_set_user_id(void *argument)
{
    const struct sr_source source = source_of(HERE);
    struct world *world = argument;
    struct sr_attempt *attempt;
    uid_t real, effective, saved;

    WANT(log_in(world, USER, HERE) == SR_BEGIN_GO);
    if (setresuid(4321, 0, 0) != 0)
        _exit(SCRATCH_SKIP);
    WANT(begin_as(world, USER, NULL, &source, false, &attempt) == SR_BEGIN_GO);
    WANT(getresuid(&real, &effective, &saved) == 0);
    WANT(real == 0 && effective == 0 && saved == 0);
    WANT(sr_attempt_settle(attempt, SR_OUTCOME_RIGHT).result == SR_STORE_OK);
    WANT(getresuid(&real, &effective, &saved) == 0);
    WANT(real == 4321 && effective == 0 && saved == 0);
    sr_attempt_free(attempt, false);
}

/* A user namespace that does not know the user who started the program: it
 * could not be given back, and whoever asks would take the caller for root. */
static void
as_a_user_of_elsewhere(void *argument)
{
    const struct sr_source source = source_of(HERE);
    struct world *world = argument;
    struct sr_attempt *attempt;
    int map;

    WANT(log_in(world, USER, HERE) == SR_BEGIN_GO);
    if (setresuid(4321, 0, 0) != 0 || unshare(CLONE_NEWUSER) != 0)
        _exit(SCRATCH_SKIP);
    map = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    if (map < 0 || write(map, "0 0 1", 5) != 5)
        _exit(SCRATCH_SKIP);
    WANT(getuid() != 0 && geteuid() == 0);
    WANT(begin_as(world, USER, NULL, &source, false, &attempt) ==
         SR_BEGIN_FAILED);
    WANT(getuid() != 0 && geteuid() == 0);
    sr_attempt_free(attempt, false);
    WANT(getuid() != 0);
}

/* A program whose real uid cannot be given back does not run on as root. */
static void
as_one_that_lost_the_right(void *argument)
{
    struct __user_cap_header_struct head = {.version =
                                                _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[2];
    struct sr_signal_guard guard;
    int *end = argument;

    *end = 1;
    if (setresuid(4321, 0, 0) != 0)
        _exit(SCRATCH_SKIP);
    WANT(sr_signal_guard_begin(&guard) == 0);
    WANT(syscall(SYS_capget, &head, caps) == 0);
    caps[0].effective &= ~(1u << CAP_SETUID);
    WANT(syscall(SYS_capset, &head, caps) == 0);
    *end = 2;
    sr_signal_guard_end(&guard);
    *end = 3;
}

static void
test_the_real_uid_that_stays(void **state)
{
    const struct world *world = *state;
    int status;
    pid_t child;

    if (geteuid() != 0)
        skip();
    child = fork();
    if (child == 0) {
        as_one_that_lost_the_right(world->counts);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SCRATCH_SKIP)
        skip();
    assert_int_equal(world->counts[0], 2);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

static void
test_the_real_uid_is_given_back(void **state)
{
    if (geteuid() != 0)
        skip();
    scratch_pass(as_a_user_of_elsewhere, *state);
}

static void
test_the_real_uid_is_shielded(void **state)
{
    if (geteuid() != 0)
        skip();
    scratch_pass(as_set_user_id, *state);
}

/* ---- bounds */

/* What all files of the state take. */
static long
size_of(const struct world *world)
{
    char command[256], line[64] = "";
    FILE *output;

    snprintf(command, sizeof(command), "du -s --block-size=1 '%s'",
             world->state);
    output = popen(command, "r");
    assert_non_null(output);
    assert_non_null(fgets(line, sizeof(line), output));
    assert_int_equal(pclose(output), 0);
    return strtol(line, NULL, 10);
}

/* The bound of store.h for the default limits, and the folders. */
#define BOUND ((16l + 46l + 1l) << 20)

/* Names and sources that are never the same twice, each in its own attempt. */
static void
test_a_flood_of_attempts(void **state)
{
    const long names = 3000;
    struct world *world = *state;
    char name[32], address[32];

    for (long i = 0; i < names; i++) {
        struct sr_source source;

        snprintf(name, sizeof(name), "name%ld", i);
        snprintf(address, sizeof(address), "10.%ld.%ld.1", i >> 8, i & 255);
        source = source_of(address);
        attempt_as(world, (uid_t)-1, name, &source, SR_OUTCOME_WRONG, NULL);
    }
    print_message("%ld attempts: %ld KiB\n", names, size_of(world) / 1024);
    assert_true(size_of(world) < BOUND);
}

/* Peers without end lock out neither the console nor root's own sessions. */
static void
test_peers_share_no_ledger_with_this_host(void **state)
{
    static const char *const here[] = {"console", "uid:0",     "uid:1000",
                                       "pts",     "display:0", "ruser:1000"};
    const struct world *world = *state;
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    struct sr_ledger_key key;
    char text[32];

    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(sr_ledger_key_source(store, here[i], &key), 0);
        assert_int_equal(strncmp(key.path, "here/", 5), 0);
    }
    for (long i = 0; i < 400000; i++) {
        snprintf(text, sizeof(text), "10.%ld.%ld.%ld", i >> 16, i >> 8 & 255,
                 i & 255);
        assert_int_equal(sr_ledger_key_source(store, text, &key), 0);
        assert_int_equal(strncmp(key.path, "sources/", 8), 0);
    }
    sr_store_close(store);
}

/* A source of this host, a user. */
static struct sr_source
user_source(uid_t uid)
{
    struct sr_source source = {.is_user = true, .user = uid};

    snprintf(source.text, sizeof(source.text), "uid:%u", (unsigned)uid);
    return source;
}

/* More users than there are ledgers for: none of them locks out another one,
 * nor root at the console. */
static void
test_users_lock_out_themselves_only(void **state)
{
    const struct sr_source console = {.text = "console"};
    struct world *world = *state;

    world->rules.attempts = 0;
    world->rules.source_attempts = 1;
    for (uid_t uid = 3000; uid < 3600; uid++) {
        const struct sr_source source = user_source(uid);

        assert_int_equal(
            attempt_as(world, USER, NULL, &source, SR_OUTCOME_WRONG, NULL),
            SR_BEGIN_GO);
        if (uid < 3100) /* places are plenty yet */
            assert_int_equal(
                attempt_as(world, USER, NULL, &source, SR_OUTCOME_RIGHT, NULL),
                SR_BEGIN_LOCKED);
    }
    assert_int_equal(
        attempt_as(world, 0, NULL, &console, SR_OUTCOME_RIGHT, NULL),
        SR_BEGIN_GO);
}

/* A peer that has not failed is not locked out, however many others are. */
static void
test_peers_lock_out_themselves_only(void **state)
{
    struct world *world = *state;
    char address[32];

    world->rules.attempts = 0;
    world->rules.source_attempts = 1;
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(address, sizeof(address), "2001:db8:%x::1", i);
        assert_int_equal(guess(world, USER, address), SR_BEGIN_GO);
    }
    for (unsigned i = 1; i < 250; i++) {
        snprintf(address, sizeof(address), "192.0.2.%u", i);
        assert_int_equal(log_in(world, USER, address), SR_BEGIN_GO);
    }
}

/* Names that do not exist behave as one that does: each is locked out by its
 * own failures, and by nothing else, as long as there are ledgers. */
static void
test_unknown_names_are_apart(void **state)
{
    const struct sr_source source = source_of(HERE);
    struct world *world = *state;
    struct sr_settled settled;
    char name[32];

    world->rules.attempts = 1;
    world->rules.source_attempts = 0;
    for (unsigned i = 0; i < 800; i++) {
        snprintf(name, sizeof(name), "name%u", i);
        assert_int_equal(attempt_as(world, (uid_t)-1, name, &source,
                                    SR_OUTCOME_WRONG, &settled),
                         SR_BEGIN_GO);
        assert_true(settled.began_lockout);
        assert_int_equal(attempt_as(world, (uid_t)-1, name, &source,
                                    SR_OUTCOME_WRONG, &settled),
                         SR_BEGIN_LOCKED);
    }
}

/* Every ledger that a million names and sources come to, each filled up. */
static void
test_a_million_names(void **state)
{
    struct world *world = *state;
    const struct sr_limits limits[2] = {
        sr_attempt_account_limits(&world->rules, false),
        sr_attempt_source_limits(&world->rules),
    };
    struct sr_store *store = open_store(world, SR_STORE_WRITE);
    char text[32];
    long made = 0;

    for (long i = 0; i < 1000000; i++) {
        struct sr_ledger_key key[2];

        snprintf(text, sizeof(text), "name%ld", i);
        assert_int_equal(sr_ledger_key_name(store, text, &key[0]), 0);
        assert_int_equal(sr_ledger_key_source(store, text, &key[1]), 0);
        for (size_t k = 0; k < 2; k++) {
            struct sr_ledger_file *file;

            if (access(scratch_path(world->state, key[k].path), F_OK) == 0)
                continue;
            assert_int_equal(sr_ledger_open(store, &key[k], &limits[k], &file),
                             SR_STORE_OK);
            sr_ledger_close(file);
            made++;
        }
    }
    sr_store_close(store);
    print_message("1000000 names: %ld ledgers, %ld KiB\n", made,
                  size_of(world) / 1024);
    assert_int_equal(made, SR_NAME_LEDGERS + SR_SOURCE_LEDGERS);
    assert_true(size_of(world) < BOUND);
    assert_int_equal(log_in(world, USER, HERE), SR_BEGIN_GO);
}

#define ATTEMPT_TEST(test)                                                     \
    cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ATTEMPT_TEST(test_five_wrong_then_locked),
        ATTEMPT_TEST(test_right_clears),
        ATTEMPT_TEST(test_temporary_is_told),
        ATTEMPT_TEST(test_neither_counts_for_nothing),
        ATTEMPT_TEST(test_source_is_throttled),
        ATTEMPT_TEST(test_root_is_throttled_by_source_only),
        ATTEMPT_TEST(test_no_limits),
        ATTEMPT_TEST(test_unknown_names),
        ATTEMPT_TEST(test_familiar_source),
        ATTEMPT_TEST(test_locked_everywhere),
        ATTEMPT_TEST(test_locked_where_familiar_only),
        ATTEMPT_TEST(test_root_everywhere),
        ATTEMPT_TEST(test_forgotten_source_everywhere),
        ATTEMPT_TEST(test_familiar_source_of_many),
        ATTEMPT_TEST(test_own_session_is_familiar),
        ATTEMPT_TEST(test_familiar_sources_are_few),
        ATTEMPT_TEST(test_a_death_is_a_failure),
        ATTEMPT_TEST(test_a_death_counts_once),
        ATTEMPT_TEST(test_a_guards_death_counts_once),
        ATTEMPT_TEST(test_an_attempt_never_settled_is_a_failure),
        ATTEMPT_TEST(test_the_dead_are_forgotten_with_the_window),
        ATTEMPT_TEST(test_lockouts_end_and_double),
        ATTEMPT_TEST(test_a_boot_frees_nobody),
        ATTEMPT_TEST(test_200_guess_at_once),
        ATTEMPT_TEST(test_50_log_in_at_once),
        ATTEMPT_TEST(test_outages_among_logins),
        ATTEMPT_TEST(test_200_guess_behind_a_guard),
        ATTEMPT_TEST(test_50_log_in_behind_a_guard),
        ATTEMPT_TEST(test_500_killed),
        ATTEMPT_TEST(test_ahead_is_recorded_before),
        ATTEMPT_TEST(test_a_guard_is_waited_for),
        ATTEMPT_TEST(test_disk_full),
        ATTEMPT_TEST(test_read_only),
        ATTEMPT_TEST(test_damaged_ledger),
        ATTEMPT_TEST(test_damage_costs_a_window),
        ATTEMPT_TEST(test_unsafe_directories),
        ATTEMPT_TEST(test_hostile_limits),
        ATTEMPT_TEST(test_the_real_uid_is_shielded),
        ATTEMPT_TEST(test_the_real_uid_is_given_back),
        ATTEMPT_TEST(test_the_real_uid_that_stays),
        ATTEMPT_TEST(test_a_flood_of_attempts),
        ATTEMPT_TEST(test_peers_share_no_ledger_with_this_host),
        ATTEMPT_TEST(test_users_lock_out_themselves_only),
        ATTEMPT_TEST(test_peers_lock_out_themselves_only),
        ATTEMPT_TEST(test_unknown_names_are_apart),
        ATTEMPT_TEST(test_a_million_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
