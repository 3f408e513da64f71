/*
 * Attempt: one enclosed verification.
 *
 * To begin is to look: within one transaction, while nobody can write, read the
 * two ledgers and lock an open slot of each.  A slot that was had so is really
 * open, since a failure can only be recorded once the transaction is over.
 *
 * Nothing waits while it holds a lock, so there is no order that could
 * deadlock.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/throttle/attempt.h"
#include "policy/util/file_lock.h"
#include "policy/util/siphash.h"
#include "policy/util/signal_guard.h"
#include "policy/throttle/slots.h"

#define NO_SLOT (-1)

/* One of the two ledgers that an attempt is counted in. */
struct side {
    bool is_used; /* throttled at all */
    struct sr_limits limits;
    struct sr_ledger_key key;
    struct sr_ledger ledger;
    bool is_recorded; /* the store has a record of it */
    int slot;         /* held, or NO_SLOT */
    bool began_lockout;

    /* Of the last look. */
    bool is_dirty;
    uint64_t busy;   /* slots that others hold */
    uint64_t reaped; /* abandoned ones that are recorded with this look */
};

enum { ACCOUNT, SOURCE, SIDES };

struct sr_attempt {
    enum sr_begin answer;
    enum sr_store_result error;
    enum sr_store_result no_write; /* not OK: why nothing can be recorded */
    bool is_ahead;
    bool is_settled;
    bool is_known;
    bool is_keyless; /* buckets without the store's key: nothing to record in */
    bool ended_lockout; /* the account's: another process's, or ours ahead */
    bool by_source;     /* the source is locked out, or waited for */
    uid_t uid;
    struct sr_source source;
    unsigned wait_ms;
    sr_time until;           /* wall clock */
    sr_time temporary_until; /* wall clock */
    int slots;               /* descriptor */
    struct sr_store *store;  /* kept open for settle, unless ahead */
    struct sr_signal_guard shield;
    struct side side[SIDES];
    struct sr_memory memory_before; /* ahead: to take the notice back */
    struct sr_settled ahead;        /* ahead: what was recorded */
    char *statedir;                 /* NULL: the built-in one */
    char statedir_text[];
};

/* How one look ended. */
enum look {
    LOOK_TAKEN,
    LOOK_LOCKED,
    LOOK_WAIT,   /* for a slot in side.busy */
    LOOK_HELD,   /* all consumed, but those in side.busy may be given back */
    LOOK_WRITE,  /* something has to be recorded first: look again, to write */
    LOOK_FAILED, /* attempt->error says why */
};

/* The clocks of one transaction. */
struct times {
    sr_time now;
    sr_time wall;
};

static unsigned
dice(unsigned sides)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned)(now.tv_nsec / 1000) % sides;
}

static enum sr_store_result
from_errno(int error)
{
    switch (-error) {
    case 0:
        return SR_STORE_OK;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SR_STORE_FULL;
    case EROFS:
        return SR_STORE_READ_ONLY;
    case EPERM:
    case ELOOP:
        return SR_STORE_UNSAFE;
    default:
        return SR_STORE_FAILED;
    }
}

/* ---- slots */

static void
release(struct sr_attempt *attempt, struct side *side)
{
    if (side->slot != NO_SLOT)
        sr_slots_give(attempt->slots, &side->key, (unsigned)side->slot);
    side->slot = NO_SLOT;
}

static void
release_all(struct sr_attempt *attempt)
{
    for (size_t i = 0; i < SIDES; i++)
        release(attempt, &attempt->side[i]);
}

static void
close_slots(struct sr_attempt *attempt)
{
    sr_slots_close(attempt->slots);
    attempt->slots = -1;
    for (size_t i = 0; i < SIDES; i++)
        attempt->side[i].slot = NO_SLOT;
}

static void
close_store(struct sr_attempt *attempt)
{
    sr_store_close(attempt->store);
    attempt->store = NULL;
}

/* Stamp both slots with the time, or with 0 when they are settled. */
static int
stamp_all(struct sr_attempt *attempt, sr_stamp stamp)
{
    int error = 0;

    for (size_t i = 0; error == 0 && i < SIDES; i++) {
        const struct side *side = &attempt->side[i];

        if (side->slot != NO_SLOT)
            error = sr_slots_write(attempt->slots, &side->key,
                                   (unsigned)side->slot, stamp);
    }
    return error;
}

/*
 * Whether a stamp that nobody holds is a failure that still counts: not when
 * the ledger has it (the process died after it had recorded, or a guard's stack
 * ended without a word), nor when the window has passed it.
 */
static bool
is_abandoned(const struct side *side, unsigned slot, sr_stamp stamp,
             sr_time now)
{
    const sr_time began = sr_slots_time(stamp, now);

    return stamp != 0 && now - began < side->limits.window &&
           side->ledger.failed_at[slot] < began;
}

/*
 * Having locked a slot, see whether it can be used.  LOOK_WAIT here means: not
 * this one.
 */
static enum look
claim(struct sr_attempt *attempt, struct side *side, unsigned slot, bool write,
      sr_time now)
{
    sr_stamp stamp;
    int error;

    error = sr_slots_read(attempt->slots, &side->key, slot, &stamp);
    if (error != 0) {
        attempt->error = from_errno(error);
        return LOOK_FAILED;
    }
    if (!is_abandoned(side, slot, stamp, now)) {
        side->slot = (int)slot;
        return LOOK_TAKEN;
    }
    if (attempt->no_write != SR_STORE_OK) { /* as good as consumed */
        sr_slots_give(attempt->slots, &side->key, slot);
        return LOOK_WAIT;
    }
    if (!write) {
        sr_slots_give(attempt->slots, &side->key, slot);
        return LOOK_WRITE;
    }
    sr_throttle_failed(&side->ledger, &side->limits, slot,
                       sr_slots_time(stamp, now));
    side->is_dirty = true;
    side->reaped |= (uint64_t)1 << slot;
    return LOOK_WAIT;
}

/*
 * The slots in which a password is being verified: held and stamped.  One that
 * is held without a stamp is only being looked at.
 */
static uint64_t
verifying(const struct sr_attempt *attempt, const struct side *side)
{
    uint64_t held = sr_slots_held(attempt->slots, &side->key, UINT64_MAX);
    sr_stamp stamp;

    for (unsigned slot = 0; held != 0 && slot < SR_ATTEMPTS_MAX; slot++) {
        if ((held >> slot & 1) != 0 &&
            sr_slots_read(attempt->slots, &side->key, slot, &stamp) == 0 &&
            stamp == 0)
            held &= ~((uint64_t)1 << slot);
    }
    return held;
}

/* Every slot is consumed.  One in which a password is being verified may be
 * given back (ahead), so that is waited for. */
static enum look
look_consumed(struct sr_attempt *attempt, struct side *side)
{
    release(attempt, side);
    side->busy = verifying(attempt, side);
    return side->busy != 0 ? LOOK_HELD : LOOK_LOCKED;
}

/* Try to have one slot, which a wait may have won already.  LOOK_WAIT: not this
 * one. */
static enum look
try_slot(struct sr_attempt *attempt, struct side *side, unsigned slot,
         bool write, sr_time now)
{
    int had = 1;

    if (side->slot != (int)slot)
        had = sr_slots_take(attempt->slots, &side->key, slot);
    if (had < 0) {
        attempt->error = from_errno(had);
        return LOOK_FAILED;
    }
    if (had == 0) {
        side->busy |= (uint64_t)1 << slot;
        return LOOK_WAIT;
    }
    side->slot = NO_SLOT;
    return claim(attempt, side, slot, write, now);
}

/* Lock an open slot of one ledger: the one that a wait has won, or else any,
 * beginning anywhere. */
static enum look
take(struct sr_attempt *attempt, struct side *side, bool write, sr_time now)
{
    uint64_t open = sr_throttle_open(&side->ledger, &side->limits, now);
    const unsigned first = dice(SR_ATTEMPTS_MAX);
    enum look look = LOOK_WAIT;

    side->busy = 0;
    if (side->slot != NO_SLOT && (open >> side->slot & 1) == 0)
        release(attempt, side);
    if (side->slot != NO_SLOT)
        look = try_slot(attempt, side, (unsigned)side->slot, write, now);
    for (unsigned i = 0; look == LOOK_WAIT && i < SR_ATTEMPTS_MAX; i++) {
        const unsigned slot = (first + i) % SR_ATTEMPTS_MAX;

        /* What claim() records closes slots. */
        open = sr_throttle_open(&side->ledger, &side->limits, now);
        if ((open >> slot & 1) != 0)
            look = try_slot(attempt, side, slot, write, now);
    }
    if (look != LOOK_WAIT)
        return look;
    if (sr_throttle_open(&side->ledger, &side->limits, now) == 0)
        return look_consumed(attempt, side);
    if (side->busy != 0)
        return LOOK_WAIT;
    /* Only abandoned ones, which cannot be recorded. */
    attempt->error = attempt->no_write;
    return LOOK_FAILED;
}

/* ---- the store's part of a look */

/* A store that cannot be made has no key, and no ledgers either: the buckets
 * only have to keep the slots apart. */
static enum sr_store_result
find_bucket(struct sr_attempt *attempt, struct sr_store *store,
            const char *text, bool is_name, struct sr_ledger_key *key)
{
    static const uint8_t none[16];
    enum sr_store_result result;

    result = is_name ? sr_ledger_key_name(store, text, key)
                     : sr_ledger_key_source(store, text, key);
    if (result != SR_STORE_NOT_FOUND || attempt->no_write == SR_STORE_OK)
        return result;
    attempt->is_keyless = true;
    key->kind = is_name ? SR_LEDGER_NAME : SR_LEDGER_SOURCE;
    key->class = SR_CLASS_STRANGER;
    key->id = (uint32_t)(sr_siphash(none, text, strlen(text)) %
                         (is_name ? SR_NAME_BUCKETS : SR_SOURCE_BUCKETS));
    return SR_STORE_OK;
}

/* Another key (the source became familiar while we waited): other slots. */
static void
set_key(struct sr_attempt *attempt, struct side *side,
        const struct sr_ledger_key *key)
{
    if (side->slot != NO_SLOT &&
        (side->key.kind != key->kind || side->key.id != key->id ||
         side->key.class != key->class))
        release(attempt, side);
    side->key = *key;
}

/*
 * An attempt from a familiar source counts for the account alone.  Otherwise
 * strangers who share the source (one address for a whole office) or its bucket
 * could lock the owner out.  An account without a ledger, root's, has no other
 * than the source's.
 */
static void
choose_source(struct sr_attempt *attempt, enum sr_source_class class)
{
    struct side *source = &attempt->side[SOURCE];

    source->is_used =
        source->limits.attempts > 0 &&
        !(class == SR_CLASS_FAMILIAR && attempt->side[ACCOUNT].is_used);
    if (!source->is_used)
        release(attempt, source);
}

static enum sr_store_result
find_keys(struct sr_attempt *attempt, struct sr_store *store,
          const struct sr_subject *subject)
{
    enum sr_source_class class = SR_CLASS_STRANGER;
    enum sr_store_result result;
    struct sr_ledger_key key;

    if (subject->is_known) {
        result = sr_attempt_class(store, subject->uid, subject->source,
                                  subject->rules, &class);
        key = sr_ledger_key_account(subject->uid, class);
    } else {
        result =
            find_bucket(attempt, store,
                        subject->name != NULL ? subject->name : "", true, &key);
    }
    if (result != SR_STORE_OK)
        return result;
    set_key(attempt, &attempt->side[ACCOUNT], &key);
    choose_source(attempt, class);
    result = find_bucket(attempt, store, subject->source->text, false, &key);
    if (result == SR_STORE_OK)
        set_key(attempt, &attempt->side[SOURCE], &key);
    return result;
}

static enum sr_store_result
read_ledgers(struct sr_attempt *attempt, struct sr_store *store)
{
    for (size_t i = 0; i < SIDES; i++) {
        struct side *side = &attempt->side[i];
        enum sr_store_result result;

        side->is_dirty = false;
        side->reaped = 0;
        if (!side->is_used)
            continue;
        result = sr_store_get_ledger(store, &side->key, &side->ledger);
        if (result != SR_STORE_OK && result != SR_STORE_NOT_FOUND)
            return result;
        side->is_recorded = result == SR_STORE_OK;
    }
    return SR_STORE_OK;
}

static enum sr_store_result
write_ledgers(const struct sr_attempt *attempt, struct sr_store *store,
              bool all)
{
    for (size_t i = 0; i < SIDES; i++) {
        const struct side *side = &attempt->side[i];
        enum sr_store_result result;

        if (!side->is_used || !(all || side->is_dirty))
            continue;
        result = sr_store_put_ledger(store, &side->key, &side->ledger);
        if (result != SR_STORE_OK)
            return result;
    }
    return SR_STORE_OK;
}

static enum sr_store_result
get_memory(const struct sr_attempt *attempt, struct sr_store *store,
           struct sr_memory *memory)
{
    enum sr_store_result result;

    result = attempt->is_known
                 ? sr_store_get_memory(store, attempt->uid, memory)
                 : sr_store_get_name_memory(
                       store, attempt->side[ACCOUNT].key.id, memory);
    return result == SR_STORE_NOT_FOUND ? SR_STORE_OK : result;
}

static enum sr_store_result
put_memory(const struct sr_attempt *attempt, struct sr_store *store,
           const struct sr_memory *memory)
{
    return attempt->is_known
               ? sr_store_put_memory(store, attempt->uid, memory)
               : sr_store_put_name_memory(store, attempt->side[ACCOUNT].key.id,
                                          memory);
}

/* Count a failed attempt for the notice at the next login. */
static enum sr_store_result
remember(struct sr_attempt *attempt, struct sr_store *store, sr_time wall)
{
    enum sr_store_result result;
    struct sr_memory memory;

    result = get_memory(attempt, store, &memory);
    if (result != SR_STORE_OK)
        return result;
    attempt->memory_before = memory;
    if (memory.failed < UINT32_MAX)
        memory.failed++;
    memory.failed_last = wall;
    memcpy(memory.failed_from, attempt->source.text,
           sizeof(memory.failed_from));
    return put_memory(attempt, store, &memory);
}

/* Take back what remember() did, as far as nobody has added to it. */
static enum sr_store_result
forget(struct sr_attempt *attempt, struct sr_store *store)
{
    const struct sr_memory *before = &attempt->memory_before;
    enum sr_store_result result;
    struct sr_memory memory;

    result = get_memory(attempt, store, &memory);
    if (result != SR_STORE_OK || memory.failed == 0)
        return result;
    memory.failed--;
    if (memory.failed == before->failed) {
        memory.failed_last = before->failed_last;
        memcpy(memory.failed_from, before->failed_from,
               sizeof(memory.failed_from));
    }
    return put_memory(attempt, store, &memory);
}

/* Record the failure in both ledgers and in the memory. */
static enum sr_store_result
record(struct sr_attempt *attempt, struct sr_store *store,
       const struct times *times)
{
    enum sr_store_result result;

    for (size_t i = 0; i < SIDES; i++) {
        struct side *side = &attempt->side[i];

        if (side->slot != NO_SLOT)
            side->began_lockout = sr_throttle_failed(
                &side->ledger, &side->limits, (unsigned)side->slot, times->now);
    }
    result = write_ledgers(attempt, store, true);
    return result == SR_STORE_OK ? remember(attempt, store, times->wall)
                                 : result;
}

/* ---- begin */

/* When the lockout ends, for people. */
static void
note_lockout(struct sr_attempt *attempt, const struct side *side,
             const struct times *times)
{
    attempt->until = sr_clock_to_wall(
        sr_throttle_release(&side->ledger, &side->limits, times->now),
        times->now, times->wall);
}

static enum look
take_both(struct sr_attempt *attempt, bool write, const struct times *times)
{
    enum look look = LOOK_TAKEN;

    for (size_t i = 0; i < SIDES && look == LOOK_TAKEN; i++) {
        struct side *side = &attempt->side[i];

        if (side->is_used)
            look = take(attempt, side, write, times->now);
        attempt->by_source = i == SOURCE;
        if (look == LOOK_LOCKED || look == LOOK_HELD)
            note_lockout(attempt, side, times);
    }
    if (look != LOOK_TAKEN)
        release_all(attempt);
    return look;
}

/* Give back the abandoned slots that this look has locked; once they are on
 * disk their stamps are done with. */
static void
give_reaped(struct sr_attempt *attempt, bool recorded)
{
    for (size_t i = 0; i < SIDES; i++) {
        struct side *side = &attempt->side[i];

        for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
            if ((side->reaped >> slot & 1) == 0)
                continue;
            /* Should this fail: the slot is consumed until it is too old. */
            if (recorded)
                sr_slots_write(attempt->slots, &side->key, slot, 0);
            sr_slots_give(attempt->slots, &side->key, slot);
        }
        side->reaped = 0;
    }
}

/* Which lockouts the failure began, and when the later of them ends. */
static void
tell_lockouts(const struct sr_attempt *attempt, const struct times *times,
              struct sr_settled *settled)
{
    sr_time until = 0;

    settled->began_lockout = attempt->side[ACCOUNT].began_lockout;
    settled->began_source_lockout = attempt->side[SOURCE].began_lockout;
    for (size_t i = 0; i < SIDES; i++) {
        const struct side *side = &attempt->side[i];
        sr_time release;

        if (!side->began_lockout)
            continue;
        release = sr_throttle_release(&side->ledger, &side->limits, times->now);
        if (release > until)
            until = release;
    }
    if (until != 0)
        settled->until_wall = sr_clock_to_wall(until, times->now, times->wall);
}

/* Write what the look found out; it counts only when that is on disk. */
static enum look
conclude(struct sr_attempt *attempt, struct sr_store *store, enum look look,
         const struct times *times)
{
    enum sr_store_result result;

    if (look == LOOK_TAKEN && attempt->is_ahead)
        result = record(attempt, store, times);
    else
        result = write_ledgers(attempt, store, false);
    if (result == SR_STORE_OK)
        result = sr_store_commit(store);
    give_reaped(attempt, result == SR_STORE_OK);
    if (result == SR_STORE_OK && look == LOOK_TAKEN && attempt->is_ahead)
        tell_lockouts(attempt, times, &attempt->ahead);
    if (result == SR_STORE_OK)
        return look;
    stamp_all(attempt, 0); /* nothing has been verified in them */
    release_all(attempt);
    attempt->error = result;
    return LOOK_FAILED;
}

/* Stamping is part of the look: from here on a dead process has failed. */
static enum look
stamp_taken(struct sr_attempt *attempt, const struct times *times)
{
    const int error = stamp_all(attempt, sr_slots_stamp(times->now));

    if (error == 0)
        return LOOK_TAKEN;
    stamp_all(attempt, 0);
    release_all(attempt);
    attempt->error = from_errno(error);
    return LOOK_FAILED;
}

static enum look
look_at(struct sr_attempt *attempt, struct sr_store *store,
        const struct sr_subject *subject, bool write)
{
    enum sr_store_result result;
    struct times times;
    enum look look;

    result = sr_store_now(store, &times.now, &times.wall);
    if (result == SR_STORE_OK)
        result = find_keys(attempt, store, subject);
    if (result == SR_STORE_NOT_FOUND && !write)
        return LOOK_WRITE; /* there is no store yet */
    if (result == SR_STORE_OK && !write && sr_store_is_new_boot(store) &&
        attempt->no_write == SR_STORE_OK)
        return LOOK_WRITE;
    if (result == SR_STORE_OK)
        result = read_ledgers(attempt, store);
    if (result == SR_STORE_OK && subject->is_known && subject->secret != NULL)
        result = sr_temporary_until(store, subject->uid, subject->secret,
                                    &attempt->temporary_until);
    if (result != SR_STORE_OK) {
        attempt->error = result;
        return LOOK_FAILED;
    }
    look = take_both(attempt, write, &times);
    if (look == LOOK_TAKEN)
        look = stamp_taken(attempt, &times);
    if (write && look != LOOK_FAILED)
        look = conclude(attempt, store, look, &times);
    return look;
}

static enum look
look_once(struct sr_attempt *attempt, struct sr_store *store,
          const struct sr_subject *subject, bool write)
{
    enum sr_store_result result;
    enum look look;

    result = sr_store_begin(store, write);
    if (result != SR_STORE_OK) {
        attempt->error = result;
        return LOOK_FAILED;
    }
    look = look_at(attempt, store, subject, write);
    give_reaped(attempt, false); /* what was not concluded */
    sr_store_abort(store);
    return look;
}

/* Whether a failure to write still lets the ledgers be read. */
static bool
is_write_failure(enum sr_store_result result)
{
    return result == SR_STORE_FULL || result == SR_STORE_READ_ONLY;
}

static enum look
look(struct sr_attempt *attempt, struct sr_store *store,
     const struct sr_subject *subject)
{
    enum look found = LOOK_WRITE;

    if (!attempt->is_ahead)
        found = look_once(attempt, store, subject, false);
    if (found != LOOK_WRITE)
        return found;
    found = look_once(attempt, store, subject, true);
    if (found != LOOK_FAILED || attempt->is_ahead ||
        !is_write_failure(attempt->error))
        return found;
    /* Right passwords are let in from a full disk; wrong ones stay bounded by
     * their stamps. */
    attempt->no_write = attempt->error;
    return look_once(attempt, store, subject, false);
}

/* Try to have one of the busy slots. */
static bool
win_slot(struct sr_attempt *attempt, struct side *side)
{
    for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
        if ((side->busy >> slot & 1) != 0 &&
            sr_slots_take(attempt->slots, &side->key, slot) == 1) {
            side->slot = (int)slot;
            return true;
        }
    }
    return false;
}

/*
 * Wait until one of the busy slots is had (open ones), or until the password in
 * one of them has been verified (consumed ones).  False: the deadline came.
 */
static bool
wait_for_slot(struct sr_attempt *attempt, enum look why, int64_t deadline)
{
    struct side *side = &attempt->side[attempt->by_source ? SOURCE : ACCOUNT];

    while (sr_clock_milliseconds() < deadline) {
        /* A verification takes some 20 ms. */
        sr_nap(2, 10);
        if (why == LOOK_HELD
                ? (verifying(attempt, side) & side->busy) != side->busy
                : win_slot(attempt, side))
            return true;
    }
    return false;
}

static enum sr_begin
begin_with(struct sr_attempt *attempt, struct sr_store *store,
           const struct sr_subject *subject)
{
    const int64_t deadline = sr_clock_milliseconds() + attempt->wait_ms;

    for (;;) {
        const enum look found = look(attempt, store, subject);

        switch (found) {
        case LOOK_TAKEN:
            return SR_BEGIN_GO;
        case LOOK_LOCKED:
            return SR_BEGIN_LOCKED;
        case LOOK_WRITE:
        case LOOK_FAILED:
            return SR_BEGIN_FAILED;
        case LOOK_WAIT:
        case LOOK_HELD:
            break;
        }
        if (!wait_for_slot(attempt, found, deadline))
            return found == LOOK_HELD ? SR_BEGIN_LOCKED : SR_BEGIN_BUSY;
    }
}

static struct sr_attempt *
make_attempt(const char *statedir, const struct sr_subject *subject, bool ahead)
{
    const size_t size = statedir != NULL ? strlen(statedir) + 1 : 0;
    struct sr_attempt *attempt = calloc(1, sizeof(*attempt) + size);

    if (attempt == NULL)
        return NULL;
    if (statedir != NULL) {
        memcpy(attempt->statedir_text, statedir, size);
        attempt->statedir = attempt->statedir_text;
    }
    attempt->is_ahead = ahead;
    attempt->is_known = subject->is_known;
    attempt->uid = subject->uid;
    attempt->source = *subject->source;
    attempt->wait_ms = sr_attempt_wait_ms(subject->rules);
    attempt->until = SR_TIME_UNKNOWN;
    attempt->temporary_until = SR_TIME_UNKNOWN;
    attempt->ahead.until_wall = SR_TIME_UNKNOWN;
    attempt->slots = -1;
    attempt->side[ACCOUNT].limits = sr_attempt_account_limits(
        subject->rules, subject->is_known && subject->uid == 0);
    attempt->side[SOURCE].limits = sr_attempt_source_limits(subject->rules);
    if (subject->source->text[0] == '\0')
        attempt->side[SOURCE].limits.attempts = 0;
    for (size_t i = 0; i < SIDES; i++) {
        attempt->side[i].is_used = attempt->side[i].limits.attempts > 0;
        attempt->side[i].slot = NO_SLOT;
    }
    return attempt;
}

static enum sr_begin
begin_shielded(struct sr_attempt *attempt, const char *rundir,
               const struct sr_subject *subject)
{
    enum sr_begin answer;

    attempt->slots = sr_slots_open(rundir);
    if (attempt->slots < 0) {
        attempt->error = from_errno(attempt->slots);
        return SR_BEGIN_FAILED;
    }
    attempt->error = sr_store_open(attempt->statedir, SR_STORE_WRITE,
                                   attempt->wait_ms, &attempt->store);
    if (attempt->error != SR_STORE_OK)
        return SR_BEGIN_FAILED;
    sr_store_set_guarded(attempt->store);
    answer = begin_with(attempt, attempt->store, subject);
    /* What could not be written then may be writable at settle. */
    if (attempt->is_ahead || attempt->no_write != SR_STORE_OK)
        close_store(attempt);
    return answer;
}

enum sr_begin
sr_attempt_begin(const char *statedir, const char *rundir,
                 const struct sr_subject *subject, bool ahead,
                 struct sr_attempt **attempt)
{
    struct sr_attempt *begun = make_attempt(statedir, subject, ahead);

    *attempt = begun;
    if (begun == NULL)
        return SR_BEGIN_FAILED;
    if (sr_signal_guard_begin(&begun->shield) != 0) {
        begun->error = SR_STORE_FAILED;
        begun->answer = SR_BEGIN_FAILED;
        return begun->answer;
    }
    begun->answer = begin_shielded(begun, rundir, subject);
    if (begun->answer != SR_BEGIN_GO)
        close_slots(begun);
    if (begun->answer == SR_BEGIN_GO || begun->answer == SR_BEGIN_LOCKED)
        begun->error = SR_STORE_OK;
    if (begun->answer != SR_BEGIN_LOCKED)
        begun->until = SR_TIME_UNKNOWN;
    if (begun->answer != SR_BEGIN_GO || ahead)
        sr_signal_guard_end(&begun->shield);
    return begun->answer;
}

/* ---- settle */

/*
 * The ledger is about to go, and with it what tells a stamp that is recorded (a
 * guard's, whose process ended without a word) from one that is not: such
 * stamps go too, or their failures would come back.
 */
static void
wipe_recorded(struct sr_attempt *attempt, const struct side *side,
              const struct times *times)
{
    for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
        sr_stamp stamp = 0;

        if (side->ledger.failed_at[slot] == 0 || side->slot == (int)slot ||
            sr_slots_take(attempt->slots, &side->key, slot) != 1)
            continue;
        if (sr_slots_read(attempt->slots, &side->key, slot, &stamp) == 0 &&
            stamp != 0 &&
            sr_slots_time(stamp, times->now) <= side->ledger.failed_at[slot])
            sr_slots_write(attempt->slots, &side->key, slot, 0);
        sr_slots_give(attempt->slots, &side->key, slot);
    }
}

static enum sr_store_result
settle_right(struct sr_attempt *attempt, struct sr_store *store,
             const struct times *times)
{
    struct side *account = &attempt->side[ACCOUNT];
    struct side *source = &attempt->side[SOURCE];
    enum sr_store_result result = SR_STORE_OK;

    if (account->is_used) {
        attempt->ended_lockout =
            sr_throttle_open(&account->ledger, &account->limits, times->now) ==
            0;
        wipe_recorded(attempt, account, times);
        result = sr_store_drop_ledger(store, &account->key);
    }
    if (result != SR_STORE_OK || !attempt->is_ahead)
        return result;
    if (source->slot != NO_SLOT) {
        sr_throttle_taken_back(&source->ledger, &source->limits,
                               (unsigned)source->slot, source->began_lockout,
                               times->now);
        result = sr_store_put_ledger(store, &source->key, &source->ledger);
    }
    return result == SR_STORE_OK ? forget(attempt, store) : result;
}

/* Neither right nor wrong: what was recorded ahead was never so. */
static enum sr_store_result
settle_neither(struct sr_attempt *attempt, struct sr_store *store,
               const struct times *times)
{
    enum sr_store_result result;

    for (size_t i = 0; i < SIDES; i++) {
        struct side *side = &attempt->side[i];

        if (side->slot == NO_SLOT)
            continue;
        sr_throttle_taken_back(&side->ledger, &side->limits,
                               (unsigned)side->slot, side->began_lockout,
                               times->now);
        side->is_dirty = true;
    }
    result = write_ledgers(attempt, store, false);
    return result == SR_STORE_OK ? forget(attempt, store) : result;
}

/* A refusal while locked out consumes nothing, and writes what a failure
 * writes: its records, as they are. */
static enum sr_store_result
settle_wrong(struct sr_attempt *attempt, struct sr_store *store,
             const struct times *times)
{
    for (size_t i = 0; i < SIDES; i++) {
        if (!attempt->side[i].is_recorded && attempt->side[i].slot == NO_SLOT)
            attempt->side[i].is_used = false; /* no empty records */
    }
    return record(attempt, store, times);
}

static enum sr_store_result
settle_in(struct sr_attempt *attempt, struct sr_store *store,
          enum sr_outcome outcome, struct times *times)
{
    enum sr_store_result result;

    result = sr_store_begin(store, true);
    if (result != SR_STORE_OK)
        return result;
    result = sr_store_now(store, &times->now, &times->wall);
    if (result == SR_STORE_OK)
        result = read_ledgers(attempt, store);
    if (result == SR_STORE_OK) {
        if (outcome == SR_OUTCOME_RIGHT)
            result = settle_right(attempt, store, times);
        else if (outcome == SR_OUTCOME_WRONG)
            result = settle_wrong(attempt, store, times);
        else
            result = settle_neither(attempt, store, times);
    }
    if (result == SR_STORE_OK)
        return sr_store_commit(store);
    sr_store_abort(store);
    return result;
}

static enum sr_store_result
settle_stored(struct sr_attempt *attempt, enum sr_outcome outcome,
              struct times *times)
{
    enum sr_store_result result = SR_STORE_OK;

    if (attempt->is_keyless)
        return attempt->no_write;
    if (attempt->store == NULL)
        result = sr_store_open(attempt->statedir, SR_STORE_WRITE,
                               attempt->wait_ms, &attempt->store);
    if (result != SR_STORE_OK)
        return result;
    sr_store_set_guarded(attempt->store);
    result = settle_in(attempt, attempt->store, outcome, times);
    close_store(attempt);
    return result;
}

/* Whether an outcome changes anything that the store keeps. */
static bool
is_to_be_stored(const struct sr_attempt *attempt, enum sr_outcome outcome)
{
    switch (outcome) {
    case SR_OUTCOME_WRONG:
        return !attempt->is_ahead; /* it has been */
    case SR_OUTCOME_RIGHT:
        return attempt->is_ahead || (attempt->side[ACCOUNT].is_used &&
                                     attempt->side[ACCOUNT].is_recorded);
    case SR_OUTCOME_NEITHER:
    case SR_OUTCOME_LOCKED:
        break;
    }
    return attempt->is_ahead;
}

/* Locked out elsewhere: the slots are free, and the rest is as if it had been
 * so here.  What was recorded ahead is taken back. */
static enum sr_outcome
give_up(struct sr_attempt *attempt)
{
    if (attempt->is_ahead)
        return SR_OUTCOME_NEITHER;
    stamp_all(attempt, 0);
    release_all(attempt);
    return SR_OUTCOME_WRONG;
}

struct sr_settled
sr_attempt_settle(struct sr_attempt *attempt, enum sr_outcome outcome)
{
    struct sr_settled settled = {.result = SR_STORE_OK,
                                 .until_wall = SR_TIME_UNKNOWN};
    const bool was_locked = attempt->answer == SR_BEGIN_LOCKED;
    struct times times = {0, 0};
    bool unsettled;

    if (attempt->is_settled || (attempt->answer != SR_BEGIN_GO && !was_locked))
        return settled;
    attempt->is_settled = true;
    if (outcome == SR_OUTCOME_LOCKED)
        outcome = give_up(attempt);
    if (was_locked) { /* nothing was verified, so nothing can be right */
        outcome = SR_OUTCOME_WRONG;
        attempt->is_ahead = false;
    }
    if (!attempt->shield.is_up &&
        sr_signal_guard_begin(&attempt->shield) != 0) {
        settled.result = SR_STORE_FAILED;
        return settled;
    }
    if (is_to_be_stored(attempt, outcome))
        settled.result = settle_stored(attempt, outcome, &times);
    unsettled = settled.result != SR_STORE_OK && outcome == SR_OUTCOME_WRONG;
    settled.ended_lockout =
        attempt->ended_lockout && settled.result == SR_STORE_OK;
    if (outcome == SR_OUTCOME_RIGHT)
        settled.result = SR_STORE_OK;
    if (outcome == SR_OUTCOME_WRONG && !attempt->is_ahead &&
        settled.result == SR_STORE_OK)
        tell_lockouts(attempt, &times, &settled);
    else if (outcome == SR_OUTCOME_WRONG && attempt->is_ahead)
        settled = attempt->ahead;
    if (!unsettled)
        stamp_all(attempt, 0);
    close_slots(attempt);
    sr_signal_guard_end(&attempt->shield);
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
    return attempt->side[ACCOUNT].key.class;
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

void
sr_attempt_free(struct sr_attempt *attempt, bool forget)
{
    if (attempt == NULL)
        return;
    close_store(attempt);
    if (forget) {
        if (attempt->slots >= 0)
            close(attempt->slots);
    } else {
        close_slots(attempt);
        sr_signal_guard_end(&attempt->shield);
    }
    free(attempt);
}
