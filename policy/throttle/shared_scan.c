/*
 * Ledgers: what all hosts have counted of all accounts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/registry.h"
#include "policy/throttle/shared_scan.h"
#include "policy/util/clock.h"

/* Two numbers that are written as 32 hexadecimal digits. */
struct number {
    uint64_t high, low;
};

struct record {
    struct number ledger, id;
    sr_time made, changed;
    uint8_t class;
    uint8_t state;
};

struct sr_shared_scan {
    struct record *record;
    size_t count, room;
    int64_t lifetime;
    struct sr_shared_list list; /* the ledger that is evaluated */
};

/* ---- numbers */

static bool
read_half(const char *text, uint64_t *half)
{
    static const char digits[] = "0123456789abcdef";

    *half = 0;
    for (int i = 0; i < 16; i++) {
        const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);

        if (digit == NULL)
            return false;
        *half = *half << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

static bool
read_number(const char *text, struct number *number)
{
    return read_half(text, &number->high) &&
           read_half(text + 16, &number->low) && text[32] == '\0';
}

/* The class and the number in the name of an account's ledger. */
static bool
read_ledger(const char *text, struct record *record)
{
    record->class = text[0] == 'f' ? SR_CLASS_FAMILIAR : SR_CLASS_STRANGER;
    return (text[0] == 's' || text[0] == 'f') && text[1] == '-' &&
           read_number(text + 2, &record->ledger);
}

static int
compare_numbers(const struct number *a, const struct number *b)
{
    if (a->high != b->high)
        return a->high < b->high ? -1 : 1;
    return a->low < b->low ? -1 : a->low > b->low ? 1 : 0;
}

static int
compare_ledgers(const struct record *a, const struct record *b)
{
    if (a->class != b->class)
        return a->class < b->class ? -1 : 1;
    return compare_numbers(&a->ledger, &b->ledger);
}

/* By ledger and id, and of one entry the last state. */
static int
compare_records(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    int order = compare_ledgers(a, b);

    if (order == 0)
        order = compare_numbers(&a->id, &b->id);
    if (order == 0 && a->changed != b->changed)
        order = a->changed < b->changed ? -1 : 1;
    if (order == 0)
        order = (int)a->state - (int)b->state;
    return order;
}

/* ---- reading */

struct sr_shared_scan *
sr_shared_scan_new(int64_t lifetime)
{
    struct sr_shared_scan *ledgers = calloc(1, sizeof(*ledgers));

    if (ledgers != NULL)
        ledgers->lifetime = lifetime;
    return ledgers;
}

void
sr_shared_scan_free(struct sr_shared_scan *ledgers)
{
    if (ledgers != NULL)
        free(ledgers->record);
    free(ledgers);
}

size_t
sr_shared_scan_count(const struct sr_shared_scan *ledgers)
{
    return ledgers->count;
}

static bool
have_room(struct sr_shared_scan *ledgers)
{
    struct record *grown;
    size_t room;

    if (ledgers->count < ledgers->room)
        return true;
    room = ledgers->room == 0 ? 256 : ledgers->room * 2;
    grown = reallocarray(ledgers->record, room, sizeof(*grown));
    if (grown == NULL)
        return false;
    ledgers->record = grown;
    ledgers->room = room;
    return true;
}

enum sr_status
sr_shared_scan_add(void *context, const char *ledger,
                   const struct sr_shared_entry *entry)
{
    struct sr_shared_scan *ledgers = context;
    struct record record = {.made = entry->made,
                            .changed = entry->changed,
                            .state = (uint8_t)entry->state};

    if (!read_ledger(ledger, &record) || !read_number(entry->id, &record.id))
        return SR_STATUS_OK;
    if (ledgers->count == SR_SHARED_SCAN_MAX)
        return SR_STATUS_UNAVAILABLE;
    if (!have_room(ledgers))
        return SR_STATUS_NO_MEMORY;
    ledgers->record[ledgers->count++] = record;
    return SR_STATUS_OK;
}

static bool
is_same_entry(const struct record *a, const struct record *b)
{
    return compare_ledgers(a, b) == 0 && compare_numbers(&a->id, &b->id) == 0;
}

void
sr_shared_scan_sort(struct sr_shared_scan *ledgers)
{
    struct record *record = ledgers->record;
    size_t kept = 0;

    if (ledgers->count == 0)
        return;
    qsort(record, ledgers->count, sizeof(*record), compare_records);
    for (size_t i = 0; i < ledgers->count; i++) {
        if (i + 1 < ledgers->count && is_same_entry(&record[i], &record[i + 1]))
            continue;
        record[kept++] = record[i];
    }
    ledgers->count = kept;
}

enum sr_status
sr_shared_scan_read(const struct sr_shared_ledger *way,
                    struct sr_shared_scan **ledgers, char *reason, size_t size)
{
    struct sr_shared_scan *made = sr_shared_scan_new(sr_shared_lifetime(way));
    struct sr_shared_request request = {
        .what = SR_SHARED_ALL, .take = sr_shared_scan_add, .context = made};
    enum sr_status answer = SR_STATUS_NO_MEMORY;

    struct sr_call call = sr_call_make(&way->backend, way->connections);

    if (made != NULL)
        answer = sr_backend_shared_ledger(&call, &request);
    if (answer != SR_STATUS_OK)
        snprintf(reason, size, "%s", call.error.text);
    if (answer == SR_STATUS_OK) {
        sr_shared_scan_sort(made);
    } else {
        sr_shared_scan_free(made);
        made = NULL;
    }
    if (answer == SR_STATUS_NO_MEMORY)
        snprintf(reason, size, "out of memory");
    *ledgers = made;
    return answer;
}

/* ---- evaluating */

/* The first record of a ledger, or where it would be. */
static size_t
find_first(const struct sr_shared_scan *ledgers, const struct record *wanted)
{
    size_t low = 0, high = ledgers->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (compare_ledgers(&ledgers->record[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Put a ledger together.  Ids are needed for the own entry only, and there is
 * none here. */
static void
collect(struct sr_shared_scan *ledgers, const struct record *wanted)
{
    struct sr_shared_list *list = &ledgers->list;

    list->count = 0;
    list->is_cut = false;
    for (size_t i = find_first(ledgers, wanted);
         i < ledgers->count && !list->is_cut &&
         compare_ledgers(&ledgers->record[i], wanted) == 0;
         i++) {
        const struct record *record = &ledgers->record[i];

        list->is_cut = list->count == SR_SHARED_MAX;
        if (!list->is_cut)
            list->entry[list->count++] = (struct sr_shared_entry){
                .state = (enum sr_shared_state)record->state,
                .made = record->made,
                .changed = record->changed};
    }
}

static struct sr_lockout
judge(struct sr_shared_scan *ledgers, const struct sr_limits *limits,
      sr_time wall)
{
    struct sr_shared_judgement judgement;
    sr_time now = sr_shared_latest(&ledgers->list);

    if (now < wall)
        now = wall;
    sr_shared_judge(&ledgers->list, NULL, limits, now, ledgers->lifetime,
                    &judgement);
    return judgement.answer == SR_SHARED_LOCKED
               ? sr_lockout_until(sr_clock_to_wall(judgement.until, now, wall),
                                  SR_LOCK_WHY_THROTTLE)
               : sr_lockout_none();
}

void
sr_shared_scan_locks(struct sr_shared_scan *ledgers, const char *name,
                     const struct sr_limits *limits, sr_time wall,
                     struct sr_lockouts *locks)
{
    char ledger[SR_SHARED_LEDGER_SIZE];
    struct record wanted;

    *locks = sr_lockouts_none();
    if (ledgers == NULL || ledgers->count == 0)
        return;
    for (int class = 0; class < 2; class ++) {
        sr_shared_account(name, class == SR_CLASS_FAMILIAR, ledger);
        if (!read_ledger(ledger, &wanted))
            continue;
        collect(ledgers, &wanted);
        if (ledgers->list.count >= limits->attempts)
            locks->of[class] = judge(ledgers, limits, wall);
    }
}
