/*
 * Fleet: what a ledger that hosts share allows.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <limits.h>
#include <string.h>

#include "policy/decide/shared_ledger.h"
#include "policy/util/siphash.h"
#include "policy/util/text.h"

/* ---- the order */

/* Keys of the sort: what is settled first, by the time at which it failed. */
static bool
is_settled(const struct sr_shared_entry *entry, sr_time now, int64_t lifetime)
{
    /* One of the far future is of a clock that was set. */
    return entry->state == SR_SHARED_FAILED || now - entry->made >= lifetime ||
           entry->made - now >= lifetime;
}

/* When a settled entry failed.  One that was left pending can have been
 * verified until its time was over. */
static sr_time
failed_at(const struct sr_shared_entry *entry, int64_t lifetime)
{
    return entry->state == SR_SHARED_FAILED ? entry->changed
                                            : entry->made + lifetime;
}

/* Have every entry's `changed` be the time it is sorted and counted by.  What
 * comes from a server whose clock is ahead has failed now. */
static size_t
settle(struct sr_shared_list *list, sr_time now, int64_t lifetime)
{
    size_t settled = 0;

    for (size_t i = 0; i < list->count; i++) {
        struct sr_shared_entry *entry = &list->entry[i];

        if (is_settled(entry, now, lifetime)) {
            entry->changed = failed_at(entry, lifetime);
            entry->state = SR_SHARED_FAILED;
            if (entry->changed > now)
                entry->changed = now;
            settled++;
        } else {
            entry->changed = entry->made;
        }
    }
    return settled;
}

/* Whether one entry comes before another: failures first, then by time; the
 * random id decides between two of one second, so the order is a total one. */
static bool
is_earlier(const struct sr_shared_entry *a, const struct sr_shared_entry *b)
{
    const bool a_failed = a->state == SR_SHARED_FAILED;
    const bool b_failed = b->state == SR_SHARED_FAILED;

    if (a_failed != b_failed)
        return a_failed;
    if (a->changed != b->changed)
        return a->changed < b->changed;
    return strcmp(a->id, b->id) < 0;
}

/* Shell's sort, which needs neither memory nor recursion. */
static void
sort(struct sr_shared_entry *entry, size_t count,
     bool (*is_before)(const struct sr_shared_entry *a,
                       const struct sr_shared_entry *b))
{
    size_t gap = 1;

    while (gap < count / 3)
        gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3) {
        for (size_t i = gap; i < count; i++) {
            const struct sr_shared_entry moved = entry[i];
            size_t at = i;

            for (; at >= gap && is_before(&moved, &entry[at - gap]); at -= gap)
                entry[at] = entry[at - gap];
            entry[at] = moved;
        }
    }
}

/* ---- the fold */

/* The slot that a failure goes into: any that is open.  When none is, it came
 * from beyond, and renews the one that would open first. */
static unsigned
slot_for(const struct sr_ledger *ledger, const struct sr_limits *limits,
         sr_time at)
{
    const uint64_t open = sr_throttle_open(ledger, limits, at);
    unsigned oldest = 0;

    if (open != 0)
        return (unsigned)__builtin_ctzll(open);
    for (unsigned slot = 1; slot < limits->attempts; slot++) {
        if (ledger->failed_at[slot] < ledger->failed_at[oldest])
            oldest = slot;
    }
    return oldest;
}

static void
fold(struct sr_ledger *ledger, const struct sr_limits *limits, sr_time at)
{
    sr_throttle_failed(ledger, limits, slot_for(ledger, limits, at), at);
}

static void
fold_all(const struct sr_shared_entry *entry, size_t count,
         const struct sr_limits *limits, struct sr_ledger *ledger)
{
    sr_ledger_init(ledger);
    for (size_t i = 0; i < count; i++)
        fold(ledger, limits, entry[i].changed);
}

/* ---- what is not needed any more */

/* The failures that the window still counts, the latest first; 0 after them. */
static void
recent(const struct sr_ledger *ledger, const struct sr_limits *limits,
       sr_time now, sr_time out[SR_ATTEMPTS_MAX])
{
    for (size_t i = 0; i < SR_ATTEMPTS_MAX; i++) {
        const sr_time failed = ledger->failed_at[i];
        const sr_time time = failed > now - limits->window ? failed : 0;
        size_t at = i;

        for (; at > 0 && out[at - 1] < time; at--)
            out[at] = out[at - 1];
        out[at] = time;
    }
}

/* How long a lockout would be that began now. */
static int64_t
next_length(const struct sr_ledger *ledger, const struct sr_limits *limits,
            sr_time now)
{
    struct sr_ledger next = {.level = ledger->level, .locked_until = now};

    for (unsigned slot = 0; slot < limits->attempts; slot++)
        sr_throttle_failed(&next, limits, slot, now);
    return next.locked_until - now;
}

/* Whether a lockout that is over still counts: for the time without a failure
 * that ends the doubling, when nothing has failed since. */
static bool
is_lockout_past(const struct sr_ledger *ledger, sr_time now)
{
    sr_time last = 0;

    for (size_t i = 0; i < SR_ATTEMPTS_MAX; i++) {
        if (ledger->failed_at[i] > last)
            last = ledger->failed_at[i];
    }
    return ledger->locked_until <= now && ledger->locked_until <= last;
}

/* Whether one ledger allows nothing, from now on, that the other would not.
 * Both have the same last failure. */
static bool
is_as_strict(const struct sr_ledger *ledger, const struct sr_ledger *than,
             const struct sr_limits *limits, sr_time now)
{
    sr_time ours[SR_ATTEMPTS_MAX], theirs[SR_ATTEMPTS_MAX];

    recent(ledger, limits, now, ours);
    recent(than, limits, now, theirs);
    for (size_t i = 0; i < SR_ATTEMPTS_MAX; i++) {
        if (ours[i] < theirs[i])
            return false;
    }
    if (ledger->locked_until < than->locked_until &&
        !is_lockout_past(than, now))
        return false;
    return next_length(ledger, limits, now) >= next_length(than, limits, now);
}

/* How many of the oldest failures can go.  The youngest stays: from it on it is
 * counted how long nothing has failed. */
static size_t
count_prunable(const struct sr_shared_list *list, size_t settled,
               const struct sr_ledger *ledger, const struct sr_limits *limits,
               sr_time now)
{
    size_t most = settled < SR_SHARED_PRUNE ? settled : SR_SHARED_PRUNE;
    struct sr_ledger rest;

    if (sr_throttle_idle(ledger, limits, now))
        return most;
    if (most == settled && most > 0)
        most--;
    for (; most > 0; most--) {
        fold_all(list->entry + most, settled - most, limits, &rest);
        /* No stricter either: a lockout that was served must not come back
         * because the failures that began it are not all there. */
        if (is_as_strict(&rest, ledger, limits, now) &&
            is_as_strict(ledger, &rest, limits, now))
            break;
    }
    return most;
}

/* ---- the result */

/* Those that are under way. */
struct under_way {
    unsigned pending, ahead;
    unsigned before; /* in the order, of the own one */
};

static struct under_way
count_under_way(const struct sr_shared_list *list, size_t settled,
                const char *own, struct sr_shared_judgement *judgement)
{
    struct under_way count = {0, 0, 0};

    for (size_t i = settled; i < list->count; i++) {
        const struct sr_shared_entry *entry = &list->entry[i];

        if (own != NULL && strcmp(entry->id, own) == 0) {
            judgement->has_own = true;
            count.before = count.pending + count.ahead;
        } else if (entry->state == SR_SHARED_AHEAD) {
            count.ahead++;
        } else {
            count.pending++;
        }
    }
    return count;
}

/* Fold what may still be taken back, for the time when it is not. */
static sr_time
release_of_all(const struct sr_shared_list *list, size_t settled,
               const char *own, const struct sr_limits *limits,
               struct sr_ledger ledger, sr_time now)
{
    for (size_t i = settled; i < list->count; i++) {
        if (list->entry[i].state == SR_SHARED_AHEAD &&
            (own == NULL || strcmp(list->entry[i].id, own) != 0))
            fold(&ledger, limits, now);
    }
    return sr_throttle_release(&ledger, limits, now);
}

static bool
would_lock(struct sr_ledger ledger, const struct sr_limits *limits, sr_time now,
           sr_time *until)
{
    const bool locks = sr_throttle_failed(&ledger, limits,
                                          slot_for(&ledger, limits, now), now);

    *until =
        locks ? sr_throttle_release(&ledger, limits, now) : SR_TIME_UNKNOWN;
    return locks;
}

/* The own entry can be settled only by being too old: it is under way. */
static void
keep_own_under_way(struct sr_shared_list *list, const char *own, sr_time now,
                   int64_t lifetime)
{
    for (size_t i = 0; own != NULL && i < list->count; i++) {
        if (strcmp(list->entry[i].id, own) == 0 &&
            list->entry[i].state != SR_SHARED_FAILED &&
            is_settled(&list->entry[i], now, lifetime))
            list->entry[i].made = now;
    }
}

void
sr_shared_judge(struct sr_shared_list *list, const char *own,
                const struct sr_limits *limits, sr_time now, int64_t lifetime,
                struct sr_shared_judgement *judgement)
{
    struct sr_ledger ledger;
    struct under_way count;
    unsigned open;

    memset(judgement, 0, sizeof(*judgement));
    judgement->answer = SR_SHARED_GO;
    judgement->until = SR_TIME_UNKNOWN;
    judgement->begun_until = SR_TIME_UNKNOWN;
    if (limits->attempts == 0)
        return;
    keep_own_under_way(list, own, now, lifetime);
    judgement->settled = settle(list, now, lifetime);
    sort(list->entry, list->count, is_earlier);
    fold_all(list->entry, judgement->settled, limits, &ledger);
    count = count_under_way(list, judgement->settled, own, judgement);
    if (!list->is_cut)
        judgement->prunable =
            count_prunable(list, judgement->settled, &ledger, limits, now);
    open =
        (unsigned)__builtin_popcountll(sr_throttle_open(&ledger, limits, now));
    judgement->failures = limits->attempts - open;
    if (open == 0) {
        judgement->answer = SR_SHARED_LOCKED;
        judgement->until = sr_throttle_release(&ledger, limits, now);
    } else if (count.ahead >= open) {
        judgement->answer = SR_SHARED_HELD;
        judgement->until =
            release_of_all(list, judgement->settled, own, limits, ledger, now);
    } else if (count.pending + count.ahead >= open) {
        judgement->answer = SR_SHARED_WAIT;
        judgement->may_stay = judgement->has_own && count.before < open;
    }
    judgement->begins_lockout =
        would_lock(ledger, limits, now, &judgement->begun_until);
}

const struct sr_shared_entry *
sr_shared_find(const struct sr_shared_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->entry[i].id, id) == 0)
            return &list->entry[i];
    }
    return NULL;
}

sr_time
sr_shared_latest(const struct sr_shared_list *list)
{
    sr_time latest = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (list->entry[i].made > latest)
            latest = list->entry[i].made;
        if (list->entry[i].changed > latest)
            latest = list->entry[i].changed;
    }
    return latest;
}

/* ---- names */

/* Two hashes are wide enough for names never to meet, and the directory shows
 * no names to those who may see its entries' numbers. */
void
sr_shared_account(const char *name, bool is_familiar,
                  char ledger[SR_SHARED_LEDGER_SIZE])
{
    static const uint8_t first[SR_SHARED_KEY_SIZE] = "fleet: the first";
    static const uint8_t second[SR_SHARED_KEY_SIZE] = "fleet: the other";
    const size_t size = strlen(name);

    sr_text_print(ledger, SR_SHARED_LEDGER_SIZE, "%c-%016llx%016llx",
                  is_familiar ? 'f' : 's',
                  (unsigned long long)sr_siphash(first, name, size),
                  (unsigned long long)sr_siphash(second, name, size));
}

void
sr_shared_name(const uint8_t key[SR_SHARED_KEY_SIZE], const char *name,
               char ledger[SR_SHARED_LEDGER_SIZE], char tag[SR_SHARED_TAG_SIZE])
{
    const uint32_t hash = (uint32_t)sr_siphash(key, name, strlen(name));

    sr_text_print(ledger, SR_SHARED_LEDGER_SIZE, "n-%04x",
                  (unsigned)(hash % SR_SHARED_BUCKETS));
    sr_text_print(tag, SR_SHARED_TAG_SIZE, "%08x", (unsigned)hash);
}

void
sr_shared_decoy(uint32_t dice, char ledger[SR_SHARED_LEDGER_SIZE])
{
    sr_text_print(ledger, SR_SHARED_LEDGER_SIZE, "d-%04x",
                  (unsigned)(dice % SR_SHARED_BUCKETS));
}

/* ---- buckets */

static bool
has_tag(const struct sr_shared_entry *entry, const char *tag)
{
    return strncmp(entry->id, tag, SR_SHARED_TAG_SIZE - 1) == 0;
}

static bool
is_of_smaller_id(const struct sr_shared_entry *a,
                 const struct sr_shared_entry *b)
{
    return strcmp(a->id, b->id) < 0;
}

size_t
sr_shared_gather(struct sr_shared_list *list, const char *tag)
{
    const size_t all = list->count;
    struct sr_shared_entry entry;
    size_t own = 0;

    for (size_t i = 0; i < all; i++) {
        if (has_tag(&list->entry[i], tag)) {
            entry = list->entry[i];
            list->entry[i] = list->entry[own];
            list->entry[own++] = entry;
        }
    }
    sort(list->entry + own, all - own, is_of_smaller_id);
    list->count = own;
    return all;
}

/* How many entries from here on are of one name. */
static size_t
group_size(const struct sr_shared_entry *entry, size_t count)
{
    size_t size = 1;

    while (size < count && has_tag(&entry[size], entry->id))
        size++;
    return size;
}

/* Exchange two stretches that follow each other: the second comes first. */
static void
swap_stretches(struct sr_shared_entry *entry, size_t first, size_t second,
               struct sr_shared_list *room)
{
    memcpy(room->entry, entry + first, second * sizeof(*entry));
    memmove(entry + second, entry, first * sizeof(*entry));
    memcpy(entry, room->entry, second * sizeof(*entry));
}

size_t
sr_shared_evict(struct sr_shared_entry *others, size_t count,
                const struct sr_limits *limits, sr_time now, int64_t lifetime,
                struct sr_shared_list *room, bool *is_full)
{
    struct sr_shared_judgement judgement;
    size_t names = 0, size, at = 0, chosen = 0;
    unsigned least = UINT_MAX;

    for (size_t i = 0; i < count; i += size, names++) {
        size = group_size(others + i, count - i);
        memcpy(room->entry, others + i, size * sizeof(*others));
        room->count = size;
        room->is_cut = false;
        sr_shared_judge(room, NULL, limits, now, lifetime, &judgement);
        if (judgement.answer != SR_SHARED_LOCKED &&
            judgement.failures < least) {
            least = judgement.failures;
            at = i;
            chosen = size;
        }
    }
    *is_full = names >= SR_SHARED_PLACES && chosen == 0;
    if (names < SR_SHARED_PLACES || chosen == 0)
        return 0;
    swap_stretches(others, at, chosen, room);
    return chosen;
}
