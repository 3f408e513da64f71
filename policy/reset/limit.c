/*
 * Limit: how often an answer of a gate may be wrong, and how often a code may
 * be asked for.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "policy/backend/registry.h"
#include "policy/config/keys.h"
#include "policy/reset/limit.h"

#define MINUTE 60
#define HOUR   3600

/* Names that no account can have. */
#define GUESSED "guessed"
#define HOST    "/host"

/* Of a gate: wrong answers in an hour, how long it is locked then, and wrong
 * answers in all; 0: no limit, as what has 50 bits and more is not guessed, but
 * a stranger could use up its answers. */
struct bound {
    unsigned attempts;
    int64_t window;
    int64_t duration;
    unsigned limit;
};

static const struct bound of_gate[SR_GATE_COUNT] = {
    [SR_GATE_APP] = {5, HOUR, SR_DAY, 50},
    [SR_GATE_CODES] = {10, HOUR, HOUR, 0},
    [SR_GATE_TICKET] = {10, HOUR, HOUR, 0},
    [SR_GATE_MAIL] = {5, HOUR, SR_DAY, 50},
    [SR_GATE_KEY] = {10, HOUR, HOUR, 0},
    [SR_GATE_SMS] = {5, HOUR, SR_DAY, 50},
    [SR_GATE_VOICE] = {5, HOUR, SR_DAY, 50},
    [SR_GATE_PUSH] = {5, HOUR, SR_DAY, 50},
    [SR_GATE_CONTACT] = {3, HOUR, HOUR, 0}, /* requests */
    [SR_GATE_RESUME] = {10, HOUR, HOUR, 0},
};
static const struct bound of_account = {5, HOUR, SR_DAY, 0};
static const struct bound of_host = {60, 10 * MINUTE, 10 * MINUTE, 0};

/* Codes that one source may ask for: about half of what an account gets in a
 * day, and as many for all accounts as a small office needs: of what costs
 * money, a small part of the host's budget. */
static const struct bound of_source[SR_CHANNELS][2] = {
    [SR_CHANNEL_MAIL] = {{5, SR_DAY, SR_DAY, 0}, {20, HOUR, HOUR, 0}},
    [SR_CHANNEL_SMS] = {{3, SR_DAY, SR_DAY, 0}, {10, SR_DAY, SR_DAY, 0}},
    [SR_CHANNEL_VOICE] = {{3, SR_DAY, SR_DAY, 0}, {10, SR_DAY, SR_DAY, 0}},
    [SR_CHANNEL_PUSH] = {{5, SR_DAY, SR_DAY, 0}, {10, HOUR, HOUR, 0}},
};

/* A code of six or eight digits can be met by chance. */
static bool
is_guessed(enum sr_gate_id gate)
{
    return gate == SR_GATE_APP || sr_gate_channel(gate) < SR_CHANNELS;
}

/* ---- ledgers */

static struct sr_rules
rules_of(const struct bound *bound, const struct sr_rules *base,
         bool has_source)
{
    struct sr_rules rules = *base;

    rules.lock_root = true;
    rules.attempts = bound->attempts;
    rules.window = bound->window;
    rules.duration = rules.duration_max = bound->duration;
    rules.limit = bound->limit;
    rules.source_attempts = has_source ? 30 : 0;
    rules.familiar = 0;
    return rules;
}

/* The name that a ledger of an account is kept by. */
static struct sr_identity
part_of(const struct sr_identity *id, const char *part)
{
    struct sr_identity named = *id;

    snprintf(named.name, sizeof(named.name), "%.80s/%.*s", part,
             SR_NAME_MAX - 82, id->name);
    return named;
}

/* The name of a ledger of the host. */
static struct sr_identity
of_this_host(const char *name)
{
    struct sr_identity id = {.uid = 0};

    snprintf(id.backend, sizeof(id.backend), "%s", SR_LOCAL);
    snprintf(id.name, sizeof(id.name), "%s", name);
    return id;
}

/* The name and the bound of one of the ledgers of a gate. */
static struct sr_identity
ledger_of(const struct sr_identity *id, enum sr_gate_id gate, unsigned which,
          const struct bound **bound)
{
    *bound = which == SR_LIMIT_GATE      ? &of_gate[gate]
             : which == SR_LIMIT_ACCOUNT ? &of_account
                                         : &of_host;
    return which == SR_LIMIT_HOST
               ? of_this_host(HOST)
               : part_of(id,
                         which == SR_LIMIT_GATE ? sr_gate_name(gate) : GUESSED);
}

enum sr_store_result
sr_gate_standing(struct sr_store *store, const struct sr_identity *id,
                 enum sr_gate_id gate, struct sr_standing *standing)
{
    const struct sr_rules none = {.attempts = 0};
    enum sr_store_result result = SR_STORE_OK;
    struct sr_lockout lockout = sr_lockout_none();

    /* The last one is the gate's own, whose numbers are told. */
    for (unsigned which = is_guessed(gate) ? SR_LIMITS : 1;
         which-- > 0 && result == SR_STORE_OK;) {
        const struct bound *bound;
        const struct sr_identity named = ledger_of(id, gate, which, &bound);
        const struct sr_rules rules = rules_of(bound, &none, false);
        const struct sr_limits limits =
            sr_attempt_account_limits(&rules, false);
        const struct sr_ledger_key key =
            sr_ledger_key_account(&named, SR_LEDGER_STRANGERS, NULL);

        result = sr_attempt_standing(store, &key, &limits, standing);
        if (result == SR_STORE_OK)
            lockout = sr_lockout_merge(lockout, standing->lockout);
    }
    standing->lockout = lockout;
    return result;
}

enum sr_store_result
sr_gate_clear(struct sr_store *store, const struct sr_identity *id,
              enum sr_gate_id gate)
{
    enum sr_store_result result = SR_STORE_OK;
    const unsigned end = is_guessed(gate) ? SR_LIMIT_HOST : SR_LIMIT_ACCOUNT;

    for (unsigned which = 0; which < end && result == SR_STORE_OK; which++) {
        const struct bound *bound;
        const struct sr_identity named = ledger_of(id, gate, which, &bound);

        result = sr_attempt_clear(store, &named, NULL);
    }
    return result;
}

/* ---- tries */

static enum sr_begin
begin(struct sr_run *run, const struct sr_identity *named, bool is_known,
      const struct bound *bound, bool has_source, struct sr_attempt **attempt)
{
    const struct sr_rules rules = rules_of(bound, &run->txn.rules, has_source);
    const struct sr_subject subject = {
        .is_known = is_known,
        .id = *named,
        .source = &run->txn.context.source,
        .rules = &rules,
    };

    return sr_attempt_begin(SR_RESET_STATEDIR, SR_RESET_RUNDIR, &subject, false,
                            attempt);
}

void
sr_limit_begin(struct sr_run *run, enum sr_gate_id gate, struct sr_tries *tries)
{
    const struct sr_identity id = sr_run_identity(run);
    const bool is_known = run->txn.ask == SR_STATUS_OK;

    memset(tries, 0, sizeof(*tries));
    tries->begun = SR_BEGIN_GO;
    /* From the widest on: each guards signals within the one before. */
    for (unsigned which = is_guessed(gate) ? SR_LIMITS : 1;
         which-- > 0 && tries->begun == SR_BEGIN_GO;) {
        const struct bound *bound;
        const struct sr_identity named = ledger_of(&id, gate, which, &bound);

        tries->which = which;
        tries->begun = begin(run, &named, is_known || which == SR_LIMIT_HOST,
                             bound, which == SR_LIMIT_GATE, &tries->of[which]);
    }
}

bool
sr_limit_settle(struct sr_tries *tries, enum sr_outcome outcome,
                unsigned *locked)
{
    bool is_recorded = true;

    *locked = 0;
    for (unsigned which = 0; which < SR_LIMITS; which++) {
        /* A lockout counts for the ledger that has it, not for the others. */
        const bool counts =
            tries->begun == SR_BEGIN_GO || tries->which == which;
        struct sr_settled settled;

        if (tries->of[which] == NULL)
            continue;
        settled = sr_attempt_settle(tries->of[which],
                                    counts ? outcome : SR_OUTCOME_NEITHER);
        is_recorded =
            is_recorded && settled.result == SR_STORE_OK && !settled.is_late;
        *locked |= settled.began_lockout ? 1u << which : 0;
    }
    return is_recorded;
}

sr_time
sr_limit_until(const struct sr_tries *tries)
{
    return sr_attempt_until(tries->of[tries->which]);
}

void
sr_limit_end(struct sr_tries *tries)
{
    for (unsigned which = 0; which < SR_LIMITS; which++) {
        sr_attempt_free(tries->of[which], false);
        tries->of[which] = NULL;
    }
}

/* ---- codes that are sent */

bool
sr_limit_send_begin(struct sr_run *run, enum sr_channel_id channel,
                    struct sr_sends *sends)
{
    const char *name = sr_channel_names[channel];
    const char *source = run->txn.context.source.text;
    const struct sr_identity id = sr_run_identity(run);
    char part[80];
    struct sr_identity named[2];
    bool may = true;

    memset(sends, 0, sizeof(*sends));
    snprintf(part, sizeof(part), "%s to %.60s", name, source);
    named[0] = part_of(&id, part);
    snprintf(part, sizeof(part), "/%s %.60s", name, source);
    named[1] = of_this_host(part);
    /* As names that do not exist, whose ledgers take no more room than is set
     * aside for them. */
    for (unsigned i = 0; i < 2 && may; i++)
        may = begin(run, &named[i], false, &of_source[channel][i], false,
                    &sends->of[i]) == SR_BEGIN_GO;
    if (may)
        return true;
    sr_run_event(run, SR_EVENT_SOURCE_THROTTLED, false, name);
    sr_limit_send_end(sends, false);
    return false;
}

void
sr_limit_send_end(struct sr_sends *sends, bool counts)
{
    for (unsigned i = 2; i-- > 0;) {
        if (sends->of[i] != NULL)
            sr_attempt_settle(sends->of[i],
                              counts ? SR_OUTCOME_WRONG : SR_OUTCOME_NEITHER);
        sr_attempt_free(sends->of[i], false);
        sends->of[i] = NULL;
    }
}
