/*
 * Flow: self-service reset, from the first question to the last sentence.
 *
 * Until a proof is accepted, what is said and asked does not depend on the name
 * that was typed: every way that the configuration allows is offered for every
 * name, and is asked for, counted and refused in the same way.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "policy/reset/commit.h"
#include "policy/reset/contact.h"
#include "policy/reset/flow.h"
#include "policy/reset/gate.h"
#include "policy/reset/notice.h"
#include "policy/reset/own.h"
#include "policy/reset/resume.h"
#include "policy/util/words.h"

#define TRIES_MAX    6    /* answers in one flow */
#define SEND_WAIT_MS 5000 /* at its end, for the mail program */

static unsigned
count_proofs(const struct sr_run *run)
{
    return sr_gate_proofs(run->proved, run->is_admin);
}

/* The gates of the menu, which are one more proof beside those that were
 * proved: before the first one the same for every name. */
static unsigned
find_left(struct sr_run *run)
{
    unsigned left = 0;

    for (unsigned gate = 0; gate < SR_GATE_COUNT; gate++) {
        const unsigned bit = 1u << gate;

        if (gate == SR_GATE_RESUME
                ? run->proved == 0
                : sr_gate_proofs(run->proved | bit, run->is_admin) >
                      count_proofs(run))
            left |= bit;
    }
    left &= run->offered;
    if ((left >> SR_GATE_CONTACT & 1) != 0 && !sr_contact_is_there(run))
        left &= ~(1u << SR_GATE_CONTACT);
    return left;
}

/* Collect the proofs. */
static bool
collect(struct sr_run *run)
{
    int tries = 0;

    while (!run->is_gone && tries < TRIES_MAX &&
           count_proofs(run) < run->proofs) {
        const enum sr_gate_id gate = sr_gate_choose(
            run, find_left(run),
            run->proved == 0 ? _("Prove that it is you. Choose a way:")
                             : _("One more proof, of another kind:"));

        if (gate == SR_GATE_COUNT)
            break;
        if (sr_gate_try(run, gate))
            sr_resume_keep(run);
        else
            tries++;
    }
    return count_proofs(run) >= run->proofs;
}

/* Ask for the name; what is no name is one that does not exist. */
static bool
ask_name(struct sr_run *run)
{
    __attribute__((cleanup(sr_run_wipe))) char *name = NULL;
    bool is_there;

    sr_run_say(run, _("Reset or unlock a password on %s.\nReference: %s"),
               run->host, run->ref);
    while (!run->is_gone && (name == NULL || name[0] == '\0')) {
        sr_run_wipe(&name);
        name = sr_run_ask(run, true, _("User name: "));
    }
    if (name != NULL && strlen(name) > SR_NAME_MAX)
        name[SR_NAME_MAX] = '\0';
    is_there = name != NULL && sr_run_account(run, name);
    if (name != NULL)
        sr_run_keep_floor(run, run->since);
    return is_there;
}

static enum sr_reset_end
reset(struct sr_run *run)
{
    enum sr_reset_end end;

    if (!ask_name(run))
        return run->is_gone ? SR_RESET_GONE : SR_RESET_REFUSED;
    sr_run_event(run, SR_EVENT_SELF_RESET_START, true, NULL);
    if (run->why_not != NULL)
        sr_run_event(run, SR_EVENT_RESET_REFUSED, false, run->why_not);
    if (!collect(run)) {
        sr_run_event(run, SR_EVENT_SELF_RESET_FAILED, false,
                     run->is_gone ? "left" : "SR-1032");
        sr_run_say(run, _("That did not work. Nothing was changed."));
        sr_run_say_help(run);
        end = run->is_gone ? SR_RESET_GONE : SR_RESET_REFUSED;
    } else {
        end = sr_commit(run);
    }
    if (end != SR_RESET_GONE)
        sr_resume_drop(run, end == SR_RESET_DONE);
    return end;
}

static bool
say_nothing(void *data, const char *text)
{
    (void)data;
    (void)text;
    return true;
}

enum sr_reset_end
sr_reset_flow(enum sr_reset_kind kind, const char *operand,
              const struct sr_reset_peer *peer,
              const struct sr_reset_talk *talk)
{
    struct sr_run run;
    enum sr_reset_end end = SR_RESET_REFUSED;

    if (sr_run_begin(&run, peer, talk))
        end =
            kind == SR_RESET_RESET ? reset(&run) : sr_own(&run, kind, operand);
    else if (run.is_gone)
        end = SR_RESET_GONE;
    /* Without a proof the time must not tell whether a mail was sent; the code
     * in it is of no use any more. */
    if (run.proved != 0 || run.is_own)
        sr_notice_wait(&run, SEND_WAIT_MS);
    sr_run_end(&run);
    return end;
}

/* By what is set up, of an account that may be reset. */
static enum sr_readiness
judge(const struct sr_run *run)
{
    enum sr_readiness readiness = SR_READY;
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    const enum sr_store_result result =
        sr_enrolment_get(run->store, &run->txn, &enrolment, &time);

    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND) {
        time.now = SR_TIME_MAX; /* what is new counts, too */
        if (!sr_run_has_enough(run, &enrolment, &time))
            readiness = SR_READY_NOT;
        else if (sr_enrolment_least_valid(&enrolment, &run->config->reset,
                                          time.wall) != SR_VALID)
            readiness = SR_READY_OVERDUE;
    }
    explicit_bzero(&enrolment, sizeof(enrolment));
    return readiness;
}

enum sr_readiness
sr_reset_readiness(const struct sr_reset_peer *peer)
{
    static const struct sr_reset_talk nobody = {.say = say_nothing};
    const struct passwd *entry = getpwuid(peer->uid);
    enum sr_readiness readiness = SR_READY;
    struct sr_run run;
    bool has_begun;

    if (entry == NULL)
        return readiness;
    has_begun = sr_run_begin(&run, peer, &nobody);
    run.is_own = run.is_counting = true;
    if (has_begun && sr_run_account(&run, entry->pw_name) &&
        run.obstacle == NULL)
        readiness = judge(&run);
    sr_run_end(&run);
    return readiness;
}
