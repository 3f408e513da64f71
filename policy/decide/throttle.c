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

uint64_t
sr_throttle_open(const struct sr_ledger *ledger, const struct sr_limits *limits,
                 sr_time now)
{
    const unsigned count = slot_count(limits);
    uint64_t used, in_reach, open;

    if (count == 0)
        return ALL_SLOTS;
    if (ledger->locked_until > now)
        return 0;
    in_reach = count == SR_ATTEMPTS_MAX ? ALL_SLOTS : slot_bit(count) - 1;
    used = consumed(ledger, limits, now);
    open = in_reach & ~used;
    /* `attempts` was lowered: failures in slots out of reach count as well,
     * each closes one that is in reach. */
    for (int left = __builtin_popcountll(used & ~in_reach);
         left > 0 && open != 0; left--)
        open &= ~slot_bit(63 - (unsigned)__builtin_clzll(open));
    return open;
}

sr_time
sr_throttle_release(const struct sr_ledger *ledger,
                    const struct sr_limits *limits, sr_time now)
{
    sr_time when = ledger->locked_until > now ? ledger->locked_until : now;

    if (slot_count(limits) == 0)
        return now;
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
    if (is_forgiven(ledger, limits, now)) /* the first one after the quiet */
        ledger->level = 0;
    if (now > ledger->failed_at[slot])
        ledger->failed_at[slot] = now > 0 ? now : 1;
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
    return ledger->locked_until <= now && consumed(ledger, limits, now) == 0 &&
           (ledger->level == 0 || is_forgiven(ledger, limits, now));
}
