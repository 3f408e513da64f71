/*
 * Throttle: what a ledger of attempts allows.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/decide/throttle.h"

#define ALL_SLOTS UINT64_MAX

_Static_assert(SR_ATTEMPTS_MAX == 64, "the slots of a ledger are a bit mask");

static sr_time
later(sr_time when, int64_t seconds)
{
    sr_time sum;

    if (__builtin_add_overflow(when, seconds, &sum))
        return SR_TIME_NEVER;
    return sum;
}

static uint64_t
slot_bit(unsigned slot)
{
    return (uint64_t)1 << slot;
}

static unsigned
slot_count(const struct sr_limits *limits)
{
    return limits->attempts < SR_ATTEMPTS_MAX ? limits->attempts
                                              : SR_ATTEMPTS_MAX;
}

/* The slots whose failure the window has not passed yet. */
static uint64_t
consumed(const struct sr_ledger *ledger, const struct sr_limits *limits,
         sr_time now)
{
    uint64_t mask = 0;

    for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
        sr_time at = ledger->failed_at[slot];

        if (at != 0 && later(at, limits->window) > now)
            mask |= slot_bit(slot);
    }
    return mask;
}

static sr_time
last_failure(const struct sr_ledger *ledger)
{
    sr_time last = 0;

    for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
        if (ledger->failed_at[slot] > last)
            last = ledger->failed_at[slot];
    }
    return last;
}

/* Whether the lockouts of the past no longer count for the next one's length:
 * nothing has failed for long enough since the last of them ended. */
static bool
is_forgiven(const struct sr_ledger *ledger, const struct sr_limits *limits,
            sr_time now)
{
    const int64_t rest =
        limits->duration_max > SR_DAY ? limits->duration_max : SR_DAY;
    const sr_time last = last_failure(ledger);

    return later(ledger->locked_until, rest) <= now && later(last, rest) <= now;
}

/* duration, doubled for each lockout before this one. */
static int64_t
lockout_length(const struct sr_limits *limits, uint32_t level)
{
    int64_t length = limits->duration;

    while (level-- > 0 && length < limits->duration_max) {
        if (__builtin_mul_overflow(length, 2, &length))
            return limits->duration_max;
    }
    /* A duration longer than the longest is the administrator's word. */
    if (length > limits->duration_max &&
        limits->duration_max > limits->duration)
        length = limits->duration_max;
    return length < limits->duration ? limits->duration : length;
}

void
sr_ledger_init(struct sr_ledger *ledger)
{
    memset(ledger, 0, sizeof(*ledger));
}

/* Whether so many have failed in a row that nothing is verified any more. */
static bool
is_at_limit(const struct sr_ledger *ledger, const struct sr_limits *limits)
{
    return limits->limit != 0 && ledger->failures >= limits->limit;
}

/* Leave only so many open that the limit cannot be passed. */
static uint64_t
within_limit(const struct sr_ledger *ledger, const struct sr_limits *limits,
             uint64_t open)
{
    if (limits->limit == 0)
        return open;
    while (open != 0 &&
           (uint64_t)ledger->failures + (unsigned)__builtin_popcountll(open) >
               limits->limit)
        open &= ~slot_bit(63 - (unsigned)__builtin_clzll(open));
    return open;
}

uint64_t
sr_throttle_open(const struct sr_ledger *ledger, const struct sr_limits *limits,
                 sr_time now)
{
    const unsigned count = slot_count(limits);
    uint64_t used, in_reach, open;

    if (count == 0)
        return ALL_SLOTS;
    if (ledger->locked_until > now || is_at_limit(ledger, limits))
        return 0;
    in_reach = count == SR_ATTEMPTS_MAX ? ALL_SLOTS : slot_bit(count) - 1;
    used = consumed(ledger, limits, now);
    open = in_reach & ~used;
    /* `attempts` was lowered: failures in slots out of reach count as well,
     * each closes one that is in reach. */
    for (int left = __builtin_popcountll(used & ~in_reach);
         left > 0 && open != 0; left--)
        open &= ~slot_bit(63 - (unsigned)__builtin_clzll(open));
    return within_limit(ledger, limits, open);
}

sr_time
sr_throttle_release(const struct sr_ledger *ledger,
                    const struct sr_limits *limits, sr_time now)
{
    sr_time when = ledger->locked_until > now ? ledger->locked_until : now;

    if (slot_count(limits) == 0)
        return now;
    if (is_at_limit(ledger, limits))
        return SR_TIME_NEVER;
    /* Each turn passes the next failure that leaves the window; the mask of
     * open slots can only grow by that. */
    for (unsigned turn = 0; turn <= SR_ATTEMPTS_MAX; turn++) {
        sr_time next = SR_TIME_NEVER;

        if (sr_throttle_open(ledger, limits, when) != 0)
            break;
        for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++) {
            sr_time end = ledger->failed_at[slot] == 0
                              ? when
                              : later(ledger->failed_at[slot], limits->window);

            if (end > when && end < next)
                next = end;
        }
        when = next;
        if (when == SR_TIME_NEVER)
            break;
    }
    return when;
}

bool
sr_throttle_failed(struct sr_ledger *ledger, const struct sr_limits *limits,
                   unsigned slot, sr_time now)
{
    if (slot_count(limits) == 0 || slot >= SR_ATTEMPTS_MAX)
        return false;
    if (is_forgiven(ledger, limits, now)) /* the first one after the pause */
        ledger->level = 0;
    if (now > ledger->failed_at[slot])
        ledger->failed_at[slot] = now > 0 ? now : 1;
    if (ledger->failures < UINT32_MAX)
        ledger->failures++;
    if (ledger->locked_until > now ||
        sr_throttle_open(ledger, limits, now) != 0)
        return false;
    ledger->locked_until = later(now, lockout_length(limits, ledger->level));
    if (ledger->level < UINT32_MAX)
        ledger->level++;
    return true;
}

void
sr_throttle_taken_back(struct sr_ledger *ledger, const struct sr_limits *limits,
                       unsigned slot, bool began_lockout, sr_time now)
{
    if (slot_count(limits) == 0 || slot >= SR_ATTEMPTS_MAX)
        return;
    ledger->failed_at[slot] = 0;
    if (ledger->failures > 0)
        ledger->failures--;
    if (!began_lockout || ledger->level == 0)
        return;
    ledger->level--;
    /* An earlier lockout's end is not known any more.  Now is later, so that
     * the doubling cannot be shaken off by cancelling. */
    ledger->locked_until = ledger->level > 0 ? now : 0;
}

bool
sr_throttle_idle(const struct sr_ledger *ledger, const struct sr_limits *limits,
                 sr_time now)
{
    if (slot_count(limits) == 0)
        return true;
    return ledger->locked_until <= now && !is_at_limit(ledger, limits) &&
           consumed(ledger, limits, now) == 0 &&
           (ledger->level == 0 || is_forgiven(ledger, limits, now));
}

unsigned
sr_throttle_weight(const struct sr_ledger *ledger,
                   const struct sr_limits *limits, sr_time now)
{
    unsigned failures;

    if (sr_throttle_idle(ledger, limits, now))
        return 0;
    failures = (unsigned)__builtin_popcountll(consumed(ledger, limits, now));
    if (ledger->locked_until <= now && failures == 0 &&
        is_forgiven(ledger, limits, now))
        return 1; /* at the limit */
    if (sr_throttle_open(ledger, limits, now) == 0)
        return SR_WEIGHT_LOCKED;
    return failures + (ledger->level < INT_MAX ? ledger->level : INT_MAX);
}

/* ---- the records of a ledger's file */

bool
sr_record_is_sound(const struct sr_record *record)
{
    return record->state < SR_RECORD_STATES && sr_time_is_sound(record->time) &&
           (record->state == SR_RECORD_FREE || record->time > 0) &&
           sr_time_is_sound(record->locked_until) &&
           sr_time_is_sound(record->failed_wall) &&
           sr_clock_is_sound(&record->clock);
}

static bool
is_failure(const struct sr_record *record)
{
    return record->state == SR_RECORD_FAILED ||
           record->state == SR_RECORD_AHEAD;
}

/* Whether a failure counts that was recorded in this slot.  One that has the
 * number of the latest success was written at the same time, in another slot:
 * its writer and that of the success did not see each other. */
static bool
counts(const struct sr_record *record, uint64_t right)
{
    return is_failure(record) && record->seq >= right;
}

/* Failures in one slot since the success `right`.  A record whose writer had
 * not seen that success yet counts its own failure alone. */
static uint32_t
fails_since(const struct sr_record *record, uint64_t right)
{
    if (record->right == right)
        return record->fails;
    return counts(record, right) ? 1 : 0;
}

struct sr_clock
sr_fold_clock(const struct sr_record *slot, unsigned count)
{
    struct sr_clock clock = {.latest = 0};
    uint64_t newest = 0;
    sr_time latest = 0;

    for (unsigned i = 0; i < count; i++) {
        if (slot[i].seq >= newest && slot[i].seq != 0) {
            newest = slot[i].seq;
            clock = slot[i].clock;
        }
        if (slot[i].clock.latest > latest)
            latest = slot[i].clock.latest;
    }
    clock.latest = latest;
    return clock;
}

/* The state of the whole ledger by its records. */
static void
fold_common(const struct sr_record *slot, unsigned count, struct sr_fold *out)
{
    uint64_t noted = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct sr_record *record = &slot[i];

        if (record->seq > out->seq)
            out->seq = record->seq;
        if (record->right > out->right)
            out->right = record->right;
        if (record->failed_wall > out->notice.last ||
            (record->failed_wall == out->notice.last && record->seq > noted)) {
            noted = record->seq;
            out->notice.last = record->failed_wall;
            memcpy(out->notice.from, record->failed_from,
                   sizeof(out->notice.from));
            out->notice.from[sizeof(out->notice.from) - 1] = '\0';
        }
        out->notice.failed += record->total;
    }
}

/* Whether a record has a later lockout since the latest success than was found
 * so far.  Of two that were recorded at once the longer one counts. */
static bool
begins_later(const struct sr_record *record, const struct sr_fold *out)
{
    return record->lock_seq != 0 && record->lock_seq >= out->right &&
           (record->lock_seq > out->lock_seq ||
            (record->lock_seq == out->lock_seq &&
             record->locked_until > out->ledger.locked_until));
}

static void
fold_slot(const struct sr_record *record, unsigned slot, bool is_held,
          sr_time now, struct sr_fold *out)
{
    const bool is_young = now - record->time <= SR_VERIFICATION_MAX;

    out->ledger.failures += fails_since(record, out->right);
    if (begins_later(record, out)) {
        out->lock_seq = record->lock_seq;
        out->ledger.locked_until = record->locked_until;
        out->ledger.level = record->level;
    }
    if (record->state == SR_RECORD_TAKEN) {
        if (is_held && is_young) {
            out->busy |= slot_bit(slot);
            return;
        }
        if (!is_held)
            out->dead |= slot_bit(slot);
        out->ledger.failed_at[slot] = record->time;
    } else if (counts(record, out->right)) {
        out->ledger.failed_at[slot] = record->time;
        if (record->state == SR_RECORD_AHEAD && is_held && is_young)
            out->ahead |= slot_bit(slot);
    }
}

void
sr_fold(const struct sr_record *slot, unsigned count, uint64_t held,
        sr_time now, struct sr_fold *out)
{
    memset(out, 0, sizeof(*out));
    out->clock = sr_fold_clock(slot, count);
    fold_common(slot, count, out);
    for (unsigned i = 0; i < count && i < SR_ATTEMPTS_MAX; i++)
        fold_slot(&slot[i], i, (held >> i & 1) != 0, now, out);
}

void
sr_fold_refusals(const struct sr_record *record, unsigned count,
                 struct sr_fold *out)
{
    const uint64_t right = out->right;

    fold_common(record, count, out);
    out->right = right;
}

void
sr_fold_merge(struct sr_fold *fold, const struct sr_fold *other, int64_t ahead)
{
    unsigned to = SR_ATTEMPTS_MAX;

    if (other->ledger.locked_until != 0 &&
        later(other->ledger.locked_until, -ahead) > fold->ledger.locked_until)
        fold->ledger.locked_until = later(other->ledger.locked_until, -ahead);
    if (other->ledger.level > fold->ledger.level)
        fold->ledger.level = other->ledger.level;
    fold->ledger.failures += other->ledger.failures;
    fold->notice.failed += other->notice.failed;
    for (unsigned i = 0; i < SR_ATTEMPTS_MAX; i++) {
        if (other->ledger.failed_at[i] == 0)
            continue;
        /* In slots that are out of reach: each closes one that is not. */
        while (to > 0 && (fold->ledger.failed_at[to - 1] != 0 ||
                          (fold->busy >> (to - 1) & 1) != 0))
            to--;
        if (to == 0)
            break;
        fold->ledger.failed_at[to - 1] =
            later(other->ledger.failed_at[i], -ahead);
    }
}

struct sr_record
sr_record_next(const struct sr_fold *fold, const struct sr_record *slot,
               sr_time now)
{
    struct sr_record next = {
        .seq = fold->seq + 1,
        .right = fold->right,
        .lock_seq = fold->lock_seq,
        .time = now,
        .locked_until = fold->lock_seq != 0 ? fold->ledger.locked_until : 0,
        .failed_wall = fold->notice.last,
        .clock = fold->clock,
        .level = fold->lock_seq != 0 ? fold->ledger.level : 0,
        .fails = fails_since(slot, fold->right),
        .total = slot->total,
        .epoch = slot->epoch,
    };

    next.clock.latest = now > next.clock.latest ? now : next.clock.latest;
    memcpy(next.failed_from, fold->notice.from, sizeof(next.failed_from));
    return next;
}

/* Carry a lockout that was begun or taken back with this record. */
static void
set_lockout(struct sr_record *next, const struct sr_ledger *ledger)
{
    next->lock_seq = next->seq;
    next->locked_until = ledger->locked_until;
    next->level = ledger->level;
}

bool
sr_record_fail(struct sr_record *next, const struct sr_fold *fold,
               const struct sr_limits *limits, unsigned slot, sr_time at)
{
    struct sr_ledger ledger = fold->ledger;
    bool began;

    next->state = SR_RECORD_FAILED;
    next->time = at;
    if (next->fails < UINT32_MAX)
        next->fails++;
    if (next->total < UINT32_MAX)
        next->total++;
    began = sr_throttle_failed(&ledger, limits, slot, at);
    if (began)
        set_lockout(next, &ledger);
    return began;
}

void
sr_record_right(struct sr_record *next)
{
    next->right = next->seq;
    next->fails = 0;
    next->lock_seq = 0;
    next->locked_until = 0;
    next->level = 0;
}

void
sr_record_take_back(struct sr_record *next, const struct sr_fold *fold,
                    const struct sr_limits *limits, unsigned slot,
                    bool began_lockout, sr_time now)
{
    struct sr_ledger ledger = fold->ledger;

    if (next->fails > 0)
        next->fails--;
    if (next->total > 0)
        next->total--;
    sr_throttle_taken_back(&ledger, limits, slot, began_lockout, now);
    if (began_lockout)
        set_lockout(next, &ledger);
}
