/*
 * Attempt: one throttled verification of a password.
 *
 * Nothing waits while it holds a slot, so there is no order that could
 * deadlock.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/throttle/attempt.h"
#include "policy/util/file_lock.h"
#include "policy/util/signal_guard.h"

#define NO_SLOT (-1)

/* A holder that has not written its record after that long does not move any
 * more (milliseconds).  A process that finds that it was so slow itself does
 * not verify. */
#define STUCK_MS 3000
#define SLOW_MS  2000

/* How long a refusal waits for a slot to be counted in. */
#define REFUSAL_MS 250

/* One of the two ledgers that an attempt is counted in. */
struct side {
    bool has_ledger;
    bool is_used; /* throttled: a slot is taken */
    bool began_lockout;
    int slot;     /* held, or NO_SLOT */
    uint64_t seq; /* of the record that this attempt wrote last */
    sr_time now;  /* of the last read */
    struct sr_limits limits;
    struct sr_ledger_key key;
    struct sr_ledger_file *file;
    struct sr_fold fold;
    struct sr_notice before; /* what was recorded ahead; to take it back */
    uint64_t busy;           /* of the last look: held by others */
    uint64_t seen[SR_ATTEMPTS_MAX]; /* seq of each slot when waiting began */
};

enum { ACCOUNT, SOURCE, SIDES };

struct sr_attempt {
    enum sr_begin answer;
    enum sr_store_result error;
    bool is_ahead;
    bool is_settled;
    bool ended_lockout;
    bool by_source;
    enum sr_source_class class;
    unsigned wait_ms;
    int64_t taken_ms; /* when the slots were taken */
    sr_time until;
    sr_time temporary_until;
    struct sr_source source;
    struct sr_store *store;
    struct sr_signal_guard guard;
    struct sr_settled ahead;
    char *statedir; /* NULL: the built-in ones */
    char *rundir;
    struct side side[SIDES];
};

/* How one look ended. */
enum look {
    LOOK_TAKEN,
    LOOK_LOCKED,
    LOOK_WAIT,   /* every open slot is held */
    LOOK_HELD,   /* all consumed, but a failure recorded ahead may go */
    LOOK_FAILED, /* attempt->error says why */
};

static uint64_t
bit(unsigned slot)
{
    return (uint64_t)1 << slot;
}

static unsigned
dice(unsigned sides)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned)(now.tv_nsec / 1000) % sides;
}

static sr_time
to_wall(const struct sr_attempt *attempt, const struct side *side, sr_time when)
{
    return sr_clock_to_wall(when, side->now,
                            sr_store_clock(attempt->store)->wall);
}

static sr_time
wall_now(const struct sr_attempt *attempt)
{
    return sr_store_clock(attempt->store)->wall;
}

/* ---- slots */

static void
release(struct side *side)
{
    if (side->slot != NO_SLOT)
        sr_ledger_give(side->file, (unsigned)side->slot);
    side->slot = NO_SLOT;
}

static void
release_all(struct sr_attempt *attempt)
{
    for (size_t i = 0; i < SIDES; i++)
        release(&attempt->side[i]);
}

static void
close_files(struct sr_attempt *attempt, bool forget)
{
    for (size_t i = 0; i < SIDES; i++) {
        if (forget)
            sr_ledger_forget(attempt->side[i].file);
        else
            sr_ledger_close(attempt->side[i].file);
        attempt->side[i].file = NULL;
        attempt->side[i].slot = NO_SLOT;
    }
}

static enum sr_store_result
read_side(struct side *side)
{
    const uint64_t own = side->slot != NO_SLOT ? bit((unsigned)side->slot) : 0;

    return sr_ledger_read(side->file, own, &side->fold, &side->now);
}

static const struct sr_record *
record_of(const struct side *side, int slot)
{
    return sr_ledger_record(side->file, (unsigned)slot);
}

/* The record that follows what a slot has. */
static struct sr_record
next_record(const struct side *side, int slot)
{
    return sr_record_next(&side->fold, record_of(side, slot), side->now);
}

/* Note in a record that the attempt failed, and from where. */
static void
sign(const struct sr_attempt *attempt, struct sr_record *record)
{
    record->failed_wall = wall_now(attempt);
    memcpy(record->failed_from, attempt->source.text,
           sizeof(record->failed_from));
}

/* Write the slot that is held. */
static enum sr_store_result
write_slot(struct side *side, struct sr_record *record)
{
    side->seq = record->seq;
    return sr_ledger_write(side->file, (unsigned)side->slot, record);
}

/*
 * A holder that died while it verified has failed: record that, so that a
 * success later clears it. Invalid records are replaced in the same way.
 */
static enum sr_store_result
reap(struct side *side)
{
    uint64_t lost = side->fold.dead | sr_ledger_damaged(side->file);
    enum sr_store_result result = SR_STORE_OK;

    for (; lost != 0 && result == SR_STORE_OK; lost &= lost - 1) {
        const int slot = __builtin_ctzll(lost);
        const struct sr_record *old;
        struct sr_record record;

        old = record_of(side, slot);
        if (old->time + side->limits.window <= side->now ||
            sr_ledger_take(side->file, (unsigned)slot, false) != 1)
            continue;
        result = read_side(side);
        if (result == SR_STORE_OK &&
            ((side->fold.dead | sr_ledger_damaged(side->file)) &
             bit((unsigned)slot)) != 0) {
            old = record_of(side, slot);
            record = next_record(side, slot);
            sr_record_fail(&record, &side->fold, &side->limits, (unsigned)slot,
                           old->time);
            result = sr_ledger_write(side->file, (unsigned)slot, &record);
        }
        sr_ledger_give(side->file, (unsigned)slot);
        if (result == SR_STORE_OK)
            result = read_side(side);
    }
    return result;
}

/* The slots that are free for the process that locks them. */
static uint64_t
open_slots(const struct side *side)
{
    return sr_throttle_open(&side->fold.ledger, &side->limits, side->now) &
           ~side->fold.busy;
}

/* Lock a slot and see whether it is still open.  LOOK_WAIT: not this one. */
static enum look
try_slot(struct sr_attempt *attempt, struct side *side, int slot, bool is_stuck)
{
    const int had = sr_ledger_take(side->file, (unsigned)slot, is_stuck);
    const uint32_t epoch = record_of(side, slot)->epoch;

    if (had < 0) {
        attempt->error = sr_store_judge(attempt->store, had);
        return LOOK_FAILED;
    }
    if (had == 0) {
        side->busy |= bit((unsigned)slot);
        return LOOK_WAIT;
    }
    attempt->error = read_side(side);
    if (attempt->error == SR_STORE_OK && (open_slots(side) >> slot & 1) != 0 &&
        record_of(side, slot)->epoch == epoch) {
        side->slot = slot;
        return LOOK_TAKEN;
    }
    sr_ledger_give(side->file, (unsigned)slot);
    return attempt->error == SR_STORE_OK ? LOOK_WAIT : LOOK_FAILED;
}

/* Lock an open slot of one ledger, any of them. */
static enum look
take(struct sr_attempt *attempt, struct side *side)
{
    const unsigned first = dice(SR_ATTEMPTS_MAX);
    enum look look = LOOK_WAIT;
    uint64_t open;

    side->busy = 0;
    attempt->error = read_side(side);
    if (attempt->error == SR_STORE_OK)
        attempt->error = reap(side);
    if (attempt->error != SR_STORE_OK)
        return LOOK_FAILED;
    open = open_slots(side);
    for (unsigned i = 0; look == LOOK_WAIT && i < SR_ATTEMPTS_MAX; i++) {
        const int slot = (int)((first + i) % SR_ATTEMPTS_MAX);

        if ((open >> slot & 1) == 0)
            continue;
        look = try_slot(attempt, side, slot, false);
        open = open_slots(side); /* it has read again */
    }
    if (look != LOOK_WAIT)
        return look;
    open = sr_throttle_open(&side->fold.ledger, &side->limits, side->now);
    side->busy |= side->fold.busy & open;
    if (open != 0)
        return LOOK_WAIT;
    return side->fold.ahead != 0 ? LOOK_HELD : LOOK_LOCKED;
}

/* ---- holders that do not move any more */

static void
note_seen(struct side *side)
{
    for (int slot = 0; slot < SR_ATTEMPTS_MAX; slot++)
        side->seen[slot] =
            (side->busy >> slot & 1) != 0 ? record_of(side, slot)->seq : 0;
}

/* Whether the holder of a slot has not moved since waiting began, and is not
 * one that may be verifying. */
static bool
is_stuck(const struct side *side, int slot)
{
    const struct sr_record *record = record_of(side, slot);
    const bool verifies =
        record->state == SR_RECORD_TAKEN || record->state == SR_RECORD_AHEAD;

    return (side->busy >> slot & 1) != 0 && record->seq == side->seen[slot] &&
           (!verifies || side->now - record->time > SR_VERIFICATION_MAX);
}

/* Take a slot from a holder that is stuck, where all of them are held. */
static enum look
take_stuck(struct sr_attempt *attempt, struct side *side)
{
    for (int slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
        enum look look;

        if ((open_slots(side) >> slot & 1) == 0 || !is_stuck(side, slot))
            continue;
        look = try_slot(attempt, side, slot, true);
        if (look != LOOK_WAIT)
            return look;
    }
    return LOOK_WAIT;
}

/* ---- begin */

static void
note_lockout(struct sr_attempt *attempt, const struct side *side)
{
    attempt->until = to_wall(
        attempt, side,
        sr_throttle_release(&side->fold.ledger, &side->limits, side->now));
}

static enum look
take_all(struct sr_attempt *attempt, bool from_stuck)
{
    enum look look = LOOK_TAKEN;

    for (size_t i = 0; i < SIDES && look == LOOK_TAKEN; i++) {
        struct side *side = &attempt->side[i];

        if (!side->is_used)
            continue;
        look = take(attempt, side);
        if (look == LOOK_WAIT && from_stuck)
            look = take_stuck(attempt, side);
        attempt->by_source = i == SOURCE;
        if (look == LOOK_LOCKED || look == LOOK_HELD)
            note_lockout(attempt, side);
    }
    if (look != LOOK_TAKEN)
        release_all(attempt);
    return look;
}

/* Which lockouts the failure began, and when the later of them ends. */
static void
tell_lockouts(const struct sr_attempt *attempt, struct sr_settled *settled)
{
    settled->began_lockout = attempt->side[ACCOUNT].began_lockout;
    settled->began_source_lockout = attempt->side[SOURCE].began_lockout;
    for (size_t i = 0; i < SIDES; i++) {
        const struct side *side = &attempt->side[i];
        sr_time until;

        if (!side->began_lockout)
            continue;
        until = to_wall(
            attempt, side,
            sr_throttle_release(&side->fold.ledger, &side->limits, side->now));
        if (until > settled->until_wall)
            settled->until_wall = until;
    }
}

/* The ledger whose outcome has to be on disk before the answer leaves. */
static struct side *
synced_side(struct sr_attempt *attempt)
{
    struct side *account = &attempt->side[ACCOUNT];
    struct side *source = &attempt->side[SOURCE];

    return !account->is_used && source->is_used ? source : account;
}

/* Record that the slot's attempt has failed, as `state`, and read again: the
 * last of several failures sees that every slot is consumed, and begins the
 * lockout. */
static enum sr_store_result
record_failure(struct sr_attempt *attempt, struct side *side,
               enum sr_record_state state)
{
    const unsigned slot = (unsigned)side->slot;
    struct sr_record record = next_record(side, side->slot);
    enum sr_store_result result;

    side->began_lockout =
        sr_record_fail(&record, &side->fold, &side->limits, slot, side->now);
    record.state = state;
    sign(attempt, &record);
    result = write_slot(side, &record);
    if (result == SR_STORE_OK)
        result = read_side(side);
    if (result != SR_STORE_OK || side->began_lockout ||
        side->fold.ledger.locked_until > side->now ||
        sr_throttle_open(&side->fold.ledger, &side->limits, side->now) != 0)
        return result;
    /* As if this failure were only now recorded, beside the others. */
    side->fold.ledger.failed_at[slot] = 0;
    side->fold.ledger.failures--;
    record.fails--;
    record.total--;
    record.seq = side->fold.seq + 1;
    side->began_lockout =
        sr_record_fail(&record, &side->fold, &side->limits, slot, side->now);
    record.state = state;
    result = write_slot(side, &record);
    return result == SR_STORE_OK ? read_side(side) : result;
}

/* Mark the slots as taken, or as failed ahead.  From here on a process that
 * dies has failed. */
static enum sr_store_result
mark(struct sr_attempt *attempt)
{
    enum sr_store_result result = SR_STORE_OK;

    for (size_t i = 0; i < SIDES && result == SR_STORE_OK; i++) {
        struct side *side = &attempt->side[i];
        struct sr_record record;

        if (side->slot == NO_SLOT)
            continue;
        if (attempt->is_ahead) {
            side->before = side->fold.notice;
            result = record_failure(attempt, side, SR_RECORD_AHEAD);
            continue;
        }
        record = next_record(side, side->slot);
        record.state = SR_RECORD_TAKEN;
        result = write_slot(side, &record);
    }
    if (result == SR_STORE_OK && attempt->is_ahead)
        result = sr_ledger_sync(synced_side(attempt)->file);
    if (result == SR_STORE_OK && attempt->is_ahead)
        tell_lockouts(attempt, &attempt->ahead);
    return result;
}

/* The failure that was recorded ahead was none. */
static void
take_back(const struct side *side, struct sr_record *record)
{
    sr_record_take_back(record, &side->fold, &side->limits,
                        (unsigned)side->slot, side->began_lockout, side->now);
    record->failed_wall = side->before.last;
    memcpy(record->failed_from, side->before.from, sizeof(record->failed_from));
}

/* Put back what mark() wrote where nothing will be verified. */
static void
unmark(struct sr_attempt *attempt)
{
    for (size_t i = 0; i < SIDES; i++) {
        struct side *side = &attempt->side[i];
        struct sr_record record;

        if (side->slot == NO_SLOT || side->seq == 0 ||
            read_side(side) != SR_STORE_OK)
            continue;
        record = next_record(side, side->slot);
        if (attempt->is_ahead)
            take_back(side, &record);
        write_slot(side, &record);
        side->began_lockout = false;
    }
    release_all(attempt);
}

/* Whether all that was locked was locked only a moment ago: another process
 * may otherwise have taken this one for stuck. */
static bool
was_quick(int64_t since)
{
    return sr_clock_milliseconds() - since < SLOW_MS;
}

static enum look
look(struct sr_attempt *attempt, bool from_stuck)
{
    const int64_t since = sr_clock_milliseconds();
    enum look found = take_all(attempt, from_stuck);

    if (found != LOOK_TAKEN)
        return found;
    attempt->taken_ms = since;
    attempt->error = mark(attempt);
    if (attempt->error == SR_STORE_OK && was_quick(since))
        return LOOK_TAKEN;
    if (attempt->error == SR_STORE_OK) {
        release_all(attempt); /* stays taken: a failure */
        return LOOK_WAIT;
    }
    unmark(attempt);
    return LOOK_FAILED;
}

static enum sr_begin
begin_marked(struct sr_attempt *attempt)
{
    const int64_t began = sr_clock_milliseconds();
    const int64_t deadline = began + attempt->wait_ms;
    enum look found = look(attempt, false);

    for (size_t i = 0; i < SIDES && found == LOOK_WAIT; i++) {
        if (attempt->side[i].is_used)
            note_seen(&attempt->side[i]);
    }
    while (found == LOOK_WAIT || found == LOOK_HELD) {
        const int64_t now = sr_clock_milliseconds();

        if (now >= deadline)
            return found == LOOK_HELD ? SR_BEGIN_LOCKED : SR_BEGIN_BUSY;
        sr_nap(2, 10); /* a verification takes some 20 ms */
        found = look(attempt, now - began > STUCK_MS);
    }
    if (found == LOOK_TAKEN)
        return SR_BEGIN_GO;
    return found == LOOK_LOCKED ? SR_BEGIN_LOCKED : SR_BEGIN_FAILED;
}

/* ---- which ledgers count */

/*
 * An attempt from a familiar source counts for the account alone.  Otherwise
 * strangers who share the source (one address for a whole office) could lock
 * the owner out.  An account without a ledger, root's, has no other
 * than the source's; a caller without a source has none of that.
 */
static void
choose_source(struct sr_attempt *attempt, bool is_known)
{
    struct side *source = &attempt->side[SOURCE];

    source->has_ledger = attempt->source.text[0] != '\0' &&
                         source->limits.attempts > 0 &&
                         !(is_known && attempt->class == SR_CLASS_FAMILIAR &&
                           attempt->side[ACCOUNT].is_used);
    source->is_used = source->has_ledger;
}

static bool
leave_as_it_is(void *context, struct sr_memory *memory)
{
    (void)context;
    (void)memory;
    return true;
}

static enum sr_store_result
find_account(struct sr_attempt *attempt, const struct sr_subject *subject)
{
    struct sr_memory memory;
    enum sr_store_result result =
        sr_memory_get(attempt->store, &subject->id, &memory);

    if (result == SR_STORE_NOT_FOUND)
        result = SR_STORE_OK;
    if (result == SR_STORE_OK) {
        attempt->class =
            sr_attempt_class(&memory, subject->source, subject->rules);
        attempt->side[ACCOUNT].key = sr_attempt_ledger(
            &subject->id, &memory, subject->source, subject->rules);
        if (subject->secret != NULL)
            attempt->temporary_until =
                sr_memory_temporary(&memory, subject->secret);
        /* Its time continues from what is recorded first in a boot. */
        if (memory.is_new_boot && memory.temporary.until != 0)
            sr_memory_change(attempt->store, &subject->id, leave_as_it_is,
                             NULL);
    }
    explicit_bzero(&memory, sizeof(memory));
    return result;
}

/* The same look for a name that has no memory. */
static void
find_nothing(struct sr_attempt *attempt, const struct sr_subject *subject)
{
    struct sr_identity id = subject->id;
    struct sr_memory memory;

    id.backend[0] = '\0';
    sr_memory_get(attempt->store, &id, &memory);
}

static enum sr_store_result
find_keys(struct sr_attempt *attempt, const struct sr_subject *subject)
{
    struct side *account = &attempt->side[ACCOUNT];
    struct side *source = &attempt->side[SOURCE];
    enum sr_store_result result;

    account->has_ledger = true;
    if (subject->is_known) {
        result = find_account(attempt, subject);
    } else {
        find_nothing(attempt, subject);
        result =
            sr_ledger_key_name(attempt->store, subject->id.name, &account->key);
    }
    choose_source(attempt, subject->is_known);
    if (result == SR_STORE_OK && source->has_ledger)
        result = sr_ledger_key_source(attempt->store, attempt->source.text,
                                      &source->key);
    return result;
}

static enum sr_store_result
open_ledgers(struct sr_attempt *attempt)
{
    enum sr_store_result result = SR_STORE_OK;

    for (size_t i = 0; i < SIDES && result == SR_STORE_OK; i++) {
        struct side *side = &attempt->side[i];

        if (!side->has_ledger)
            continue;
        result = sr_ledger_open(attempt->store, &side->key, &side->limits,
                                &side->file);
        side->is_used = result == SR_STORE_OK && side->limits.attempts > 0 &&
                        !sr_ledger_is_overflow(side->file);
    }
    return result;
}

/* ---- the object */

static char *
copy_of(const char *text, bool *is_failed)
{
    char *copy = text == NULL ? NULL : strdup(text);

    *is_failed = *is_failed || (text != NULL && copy == NULL);
    return copy;
}

static struct sr_attempt *
make_attempt(const char *statedir, const char *rundir,
             const struct sr_subject *subject, bool ahead)
{
    struct sr_attempt *attempt = calloc(1, sizeof(*attempt));
    bool is_failed = false;

    if (attempt == NULL)
        return NULL;
    attempt->statedir = copy_of(statedir, &is_failed);
    attempt->rundir = copy_of(rundir, &is_failed);
    attempt->is_ahead = ahead;
    attempt->source = *subject->source;
    attempt->wait_ms = sr_attempt_wait_ms(subject->rules);
    attempt->until = SR_TIME_UNKNOWN;
    attempt->temporary_until = SR_TIME_UNKNOWN;
    attempt->ahead.until_wall = SR_TIME_UNKNOWN;
    /* Root is counted by source, so without one by account. */
    attempt->side[ACCOUNT].limits = sr_attempt_account_limits(
        subject->rules, subject->is_known && subject->id.uid == 0 &&
                            subject->source->text[0] != '\0');
    attempt->side[SOURCE].limits = sr_attempt_source_limits(subject->rules);
    attempt->side[ACCOUNT].is_used = attempt->side[ACCOUNT].limits.attempts > 0;
    for (size_t i = 0; i < SIDES; i++)
        attempt->side[i].slot = NO_SLOT;
    if (is_failed) {
        sr_attempt_free(attempt, true);
        return NULL;
    }
    return attempt;
}

/* One try; another one follows when it turns out that nothing can be saved. */
static enum sr_begin
begin_once(struct sr_attempt *attempt, const struct sr_subject *subject)
{
    attempt->error = find_keys(attempt, subject);
    if (attempt->error == SR_STORE_OK)
        attempt->error = open_ledgers(attempt);
    if (attempt->error != SR_STORE_OK)
        return SR_BEGIN_FAILED;
    return begin_marked(attempt);
}

static enum sr_begin
begin_guarded(struct sr_attempt *attempt, const struct sr_subject *subject)
{
    enum sr_begin answer;

    attempt->error = sr_store_open(attempt->statedir, attempt->rundir,
                                   SR_STORE_WRITE, &attempt->store);
    if (attempt->error != SR_STORE_OK)
        return SR_BEGIN_FAILED;
    answer = begin_once(attempt, subject);
    /* On a full disk right passwords are accepted, and wrong ones are counted
     * in RUNDIR. */
    if (answer == SR_BEGIN_FAILED &&
        sr_store_no_write(attempt->store) != SR_STORE_OK) {
        close_files(attempt, false);
        answer = begin_once(attempt, subject);
    }
    /* What is recorded ahead has to outlive this boot. */
    if (answer == SR_BEGIN_GO && attempt->is_ahead &&
        sr_store_no_write(attempt->store) != SR_STORE_OK) {
        unmark(attempt);
        attempt->error = sr_store_no_write(attempt->store);
        answer = SR_BEGIN_FAILED;
    }
    return answer;
}

enum sr_begin
sr_attempt_begin(const char *statedir, const char *rundir,
                 const struct sr_subject *subject, bool ahead,
                 struct sr_attempt **attempt)
{
    struct sr_attempt *begun = make_attempt(statedir, rundir, subject, ahead);

    *attempt = begun;
    if (begun == NULL)
        return SR_BEGIN_FAILED;
    if (sr_signal_guard_begin(&begun->guard) != 0) {
        begun->error = SR_STORE_FAILED;
        begun->answer = SR_BEGIN_FAILED;
        return begun->answer;
    }
    begun->answer = begin_guarded(begun, subject);
    if (begun->answer == SR_BEGIN_GO || begun->answer == SR_BEGIN_LOCKED)
        begun->error = SR_STORE_OK;
    if (begun->answer != SR_BEGIN_LOCKED)
        begun->until = SR_TIME_UNKNOWN;
    if (begun->answer == SR_BEGIN_BUSY || begun->answer == SR_BEGIN_FAILED)
        close_files(begun, false);
    if (begun->answer != SR_BEGIN_GO || ahead)
        sr_signal_guard_end(&begun->guard);
    return begun->answer;
}

/* ---- settle */

/* Whether the slot still has the record that this attempt wrote. */
static bool
is_mine(const struct side *side)
{
    return record_of(side, side->slot)->seq == side->seq;
}

/* The ledger was replaced, or the slot was taken from us: record the failure
 * again, in what counts now.  Where no slot can be had all are consumed or in
 * use, and no guess was won by it. */
static void
record_again(struct sr_attempt *attempt, struct side *side)
{
    struct sr_ledger_file *old = side->file;

    if (sr_ledger_open(attempt->store, &side->key, &side->limits,
                       &side->file) != SR_STORE_OK) {
        side->file = old;
        return;
    }
    sr_ledger_close(old);
    side->slot = NO_SLOT;
    if (sr_ledger_is_overflow(side->file) || take(attempt, side) != LOOK_TAKEN)
        return;
    record_failure(attempt, side, SR_RECORD_FAILED);
    sr_ledger_sync(side->file);
}

/* Count a failure that is in no slot, for the notice. */
static enum sr_store_result
record_refusal(struct sr_attempt *attempt, struct side *side)
{
    const int64_t until = sr_clock_milliseconds() + REFUSAL_MS;
    const int first = SR_ATTEMPTS_MAX + (int)dice(SR_REFUSAL_SLOTS);
    struct sr_record record;
    enum sr_store_result result;
    int slot = first;

    do {
        result = read_side(side);
        if (result != SR_STORE_OK)
            return result;
        if (sr_ledger_take(side->file, (unsigned)slot, false) == 1)
            break;
        slot = SR_ATTEMPTS_MAX + (slot + 1) % SR_REFUSAL_SLOTS;
        if (slot == first)
            sr_nap(0, 2);
    } while (sr_clock_milliseconds() < until);
    result = read_side(side);
    if (result == SR_STORE_OK) {
        record = next_record(side, slot);
        record.fails = 0;
        record.total++;
        sign(attempt, &record);
        result = sr_ledger_write(side->file, (unsigned)slot, &record);
    }
    sr_ledger_give(side->file, (unsigned)slot);
    return result;
}

static enum sr_store_result
settle_right_side(struct sr_attempt *attempt, struct side *side, bool clears)
{
    const struct sr_ledger *ledger = &side->fold.ledger;
    struct sr_record record = next_record(side, side->slot);
    uint64_t open;

    if (attempt->is_ahead)
        take_back(side, &record);
    open = sr_throttle_open(ledger, &side->limits, side->now);
    if (clears)
        attempt->ended_lockout = open == 0;
    if (clears && (ledger->failures > 0 || side->fold.lock_seq != 0))
        sr_record_right(&record);
    return write_slot(side, &record);
}

static enum sr_store_result
settle_side(struct sr_attempt *attempt, size_t which, enum sr_outcome outcome)
{
    struct side *side = &attempt->side[which];
    enum sr_store_result result = read_side(side);

    if (result != SR_STORE_OK)
        return result;
    if (!is_mine(side)) { /* taken from us */
        if (outcome == SR_OUTCOME_WRONG && !attempt->is_ahead)
            record_again(attempt, side);
        return SR_STORE_OK;
    }
    if (outcome != SR_OUTCOME_WRONG)
        return settle_right_side(
            attempt, side, which == ACCOUNT && outcome == SR_OUTCOME_RIGHT);
    if (attempt->is_ahead) {
        struct sr_record record = *record_of(side, side->slot);

        record.state = SR_RECORD_FAILED;
        return write_slot(side, &record);
    }
    return record_failure(attempt, side, SR_RECORD_FAILED);
}

/* Failures are in the ledger that counts now, and on disk. */
static enum sr_store_result
settle_wrong_for_good(struct sr_attempt *attempt)
{
    enum sr_store_result result;
    struct side *side;

    for (size_t i = 0; i < SIDES; i++) {
        side = &attempt->side[i];
        if (side->slot != NO_SLOT && !sr_ledger_is_current(side->file))
            record_again(attempt, side);
    }
    side = synced_side(attempt);
    result = sr_ledger_sync(side->file);
    if (result == SR_STORE_OK)
        result = sr_ledger_unsaved(side->file);
    return result;
}

static enum sr_store_result
settle_stored(struct sr_attempt *attempt, enum sr_outcome outcome)
{
    struct side *account = &attempt->side[ACCOUNT];
    enum sr_store_result result = SR_STORE_OK;

    for (size_t i = 0; i < SIDES; i++) {
        enum sr_store_result one = SR_STORE_OK;

        if (attempt->side[i].slot != NO_SLOT)
            one = settle_side(attempt, i, outcome);
        if (one != SR_STORE_OK)
            result = one;
    }
    if (outcome != SR_OUTCOME_WRONG || result != SR_STORE_OK)
        return result;
    if (account->slot == NO_SLOT && !attempt->is_ahead)
        result = record_refusal(attempt, account);
    return result == SR_STORE_OK ? settle_wrong_for_good(attempt) : result;
}

/* Whether the verification took so long that it has failed whatever its result.
 * What another module verifies may take any time. */
static bool
is_late(const struct sr_attempt *attempt)
{
    return !attempt->is_ahead && sr_clock_milliseconds() - attempt->taken_ms >
                                     (int64_t)SR_VERIFICATION_MAX * 1000;
}

/* The outcome that is recorded. */
static enum sr_outcome
recorded_outcome(struct sr_attempt *attempt, enum sr_outcome outcome,
                 struct sr_settled *settled)
{
    if (attempt->answer == SR_BEGIN_LOCKED) { /* nothing was verified */
        attempt->is_ahead = false;
        return SR_OUTCOME_WRONG;
    }
    if (outcome == SR_OUTCOME_LOCKED) {
        if (attempt->is_ahead)
            return SR_OUTCOME_NEITHER;
        unmark(attempt); /* as if it had been so here */
        return SR_OUTCOME_WRONG;
    }
    settled->is_late = is_late(attempt);
    return settled->is_late ? SR_OUTCOME_WRONG : outcome;
}

struct sr_settled
sr_attempt_settle(struct sr_attempt *attempt, enum sr_outcome outcome)
{
    struct sr_settled settled = {.result = SR_STORE_OK,
                                 .until_wall = SR_TIME_UNKNOWN};
    enum sr_outcome recorded;

    if (attempt->is_settled ||
        (attempt->answer != SR_BEGIN_GO && attempt->answer != SR_BEGIN_LOCKED))
        return settled;
    attempt->is_settled = true;
    if (!attempt->guard.is_up && sr_signal_guard_begin(&attempt->guard) != 0) {
        settled.result = SR_STORE_FAILED;
        return settled;
    }
    recorded = recorded_outcome(attempt, outcome, &settled);
    settled.result = settle_stored(attempt, recorded);
    /* Frozen between reading the clock and writing the record: see is_late().
     */
    if (!settled.is_late && recorded != SR_OUTCOME_WRONG && is_late(attempt)) {
        settled.is_late = true;
        settle_stored(attempt, SR_OUTCOME_WRONG);
    }
    settled.ended_lockout = attempt->ended_lockout && !settled.is_late &&
                            settled.result == SR_STORE_OK;
    if (recorded == SR_OUTCOME_RIGHT && !settled.is_late)
        settled.result = SR_STORE_OK;
    if (recorded == SR_OUTCOME_WRONG && attempt->is_ahead)
        settled = attempt->ahead;
    else if (recorded == SR_OUTCOME_WRONG && settled.result == SR_STORE_OK)
        tell_lockouts(attempt, &settled);
    close_files(attempt, false);
    sr_signal_guard_end(&attempt->guard);
    return settled;
}

/* ---- the rest */

struct sr_settled
sr_attempt_ahead(const struct sr_attempt *attempt)
{
    return attempt->ahead;
}

sr_time
sr_attempt_until(const struct sr_attempt *attempt)
{
    return attempt->until;
}

sr_time
sr_attempt_temporary(const struct sr_attempt *attempt)
{
    return attempt->temporary_until;
}

enum sr_source_class
sr_attempt_counted(const struct sr_attempt *attempt)
{
    return attempt->class;
}

bool
sr_attempt_by_source(const struct sr_attempt *attempt)
{
    return attempt->answer == SR_BEGIN_LOCKED && attempt->by_source;
}

enum sr_store_result
sr_attempt_error(const struct sr_attempt *attempt)
{
    return attempt->error;
}

const char *
sr_attempt_damage(const struct sr_attempt *attempt)
{
    return attempt->store == NULL ? NULL : sr_store_damage(attempt->store);
}

void
sr_attempt_free(struct sr_attempt *attempt, bool forget)
{
    if (attempt == NULL)
        return;
    close_files(attempt, forget);
    sr_store_close(attempt->store);
    if (!forget)
        sr_signal_guard_end(&attempt->guard);
    free(attempt->statedir);
    free(attempt->rundir);
    free(attempt);
}
