/*
 * Policy bench: what the pure functions cost, in nanoseconds.
 *
 * Prints a line for each: name, median and spread (the middle half) over the
 * rounds.  The facts are of an account whose password is about to expire, so
 * that the verdict has to look at every state before; the ledger is full.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <inttypes.h>
#include <shadow.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/decide/change.h"
#include "policy/decide/throttle.h"
#include "policy/decide/verdict.h"

#define ROUNDS 21
#define CALLS  20000
#define NOW    ((sr_time)1800000000)

struct setting {
    struct sr_facts facts;
    struct sr_rules rules;
    struct sr_caller caller;
    struct sr_ledger ledger;
    struct sr_limits limits;
};

/* Results go here, so that no call can be left out. */
static volatile unsigned long sink;

static void
verdict(struct setting *setting)
{
    struct sr_verdict result =
        sr_verdict(&setting->facts, &setting->rules, &setting->caller, NOW);

    sink += (unsigned long)result.state;
}

static void
answer(struct setting *setting)
{
    struct sr_verdict result =
        sr_verdict(&setting->facts, &setting->rules, &setting->caller, NOW);

    sink += (unsigned long)sr_verdict_answer(&result, SR_CALL_ACCOUNT,
                                             &setting->rules, &setting->caller);
}

static void
change(struct setting *setting)
{
    struct sr_change result =
        sr_change(&setting->facts, &setting->rules, &setting->caller, NOW);

    sink += (unsigned long)result.result;
}

static void
throttle_open(struct setting *setting)
{
    sink += sr_throttle_open(&setting->ledger, &setting->limits, NOW);
}

static void
throttle_release(struct setting *setting)
{
    sink += (unsigned long)sr_throttle_release(&setting->ledger,
                                               &setting->limits, NOW);
}

static void
throttle_failed(struct setting *setting)
{
    setting->ledger.failed_at[0] = 0;
    setting->ledger.locked_until = 0;
    sink += sr_throttle_failed(&setting->ledger, &setting->limits, 0, NOW);
}

/* What the facts of a local account are read from, by the C library. */
static void
parse_shadow(struct setting *setting)
{
    struct spwd entry, *found = NULL;
    char buffer[256];

    (void)setting;
    if (sgetspent_r("ann:$y$j9T$Vw1/yVgkqqvvEAqcHnfDo/$"
                    "4QkkbMVeTVAmbVrLKh6tq0qdWVhlSzIVgBaCJYwZBL5:20000:1:90:7:"
                    "30:20500:",
                    &entry, buffer, sizeof(buffer), &found) == 0)
        sink += (unsigned long)entry.sp_expire;
}

static const struct {
    const char *name;
    void (*call)(struct setting *setting);
} subject[] = {
    {"sr_verdict", verdict},
    {"sr_verdict+answer", answer},
    {"sr_change", change},
    {"sr_throttle_open", throttle_open},
    {"sr_throttle_release", throttle_release},
    {"sr_throttle_failed", throttle_failed},
    {"sgetspent_r", parse_shadow}, /* the peer */
};

static void
prepare(struct setting *setting)
{
    *setting = (struct setting){
        .rules = {.warn = 14 * SR_DAY, .minimum_age = SR_DAY, .tries = 3},
        .caller = {.is_logged_on = true},
        .limits = {.attempts = SR_ATTEMPTS_MAX,
                   .window = 900,
                   .duration = 900,
                   .duration_max = SR_DAY},
    };
    sr_facts_init(&setting->facts);
    setting->facts.answered = SR_YES;
    setting->facts.has_password = SR_YES;
    setting->facts.disabled = SR_NO;
    setting->facts.locked = SR_LOCK_NO;
    setting->facts.account_ends = NOW + 400 * SR_DAY;
    setting->facts.password_changed = NOW - 80 * SR_DAY;
    setting->facts.password_expires = NOW + 10 * SR_DAY;
    setting->facts.may_change_from = NOW - 79 * SR_DAY;
    setting->facts.inactive_from = NOW + 40 * SR_DAY;
    setting->facts.must_change = SR_NO;
    setting->facts.cannot_change = SR_NO;
    setting->facts.is_protected = SR_NO;
    sr_ledger_init(&setting->ledger);
    for (unsigned slot = 0; slot < SR_ATTEMPTS_MAX; slot++)
        setting->ledger.failed_at[slot] = NOW - slot;
}

static int64_t
nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
run(size_t index, struct setting *setting)
{
    double taken[ROUNDS];

    for (size_t round = 0; round < ROUNDS; round++) {
        const int64_t began = nanoseconds();

        for (unsigned i = 0; i < CALLS; i++)
            subject[index].call(setting);
        taken[round] = (double)(nanoseconds() - began) / CALLS;
    }
    qsort(taken, ROUNDS, sizeof(taken[0]), compare);
    printf("%s %.1f %.1f\n", subject[index].name, taken[ROUNDS / 2],
           taken[ROUNDS * 3 / 4] - taken[ROUNDS / 4]);
}

int
main(void)
{
    struct setting setting;

    prepare(&setting);
    for (size_t i = 0; i < sizeof(subject) / sizeof(subject[0]); i++)
        run(i, &setting);
    return 0;
}
