/*
 * Renew: recovery codes, made anew.
 *
 * Each is a random code of 75 bits, kept as its hash.  All hashes have the same
 * setting, so that one hash finds out which code was typed: with that many bits
 * a salt for each adds nothing.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/reset/renew.h"
#include "policy/util/crypt.h"
#include "policy/util/words.h"

struct renewal {
    char code[SR_CODES_COUNT][SR_CODE_SIZE];
    char hash[SR_CODES_COUNT][SR_HASH_MAX];
    int only; /* one of them, by its number; -1: all */
    int64_t wait;
    bool is_stored;
};

/* Make what is to be made; a single one under the setting of the others. */
static bool
make(struct renewal *renewal, const char *setting)
{
    char fresh[SR_HASH_MAX], plain[SR_CODE_SIZE];
    bool is_made = true;

    if (setting == NULL && sr_crypt_setting(fresh, sizeof(fresh)) == 0)
        setting = fresh;
    for (int i = 0; setting != NULL && is_made && i < SR_CODES_COUNT; i++) {
        if (renewal->only >= 0 && renewal->only != i)
            continue;
        is_made =
            sr_code_make(renewal->code[i], SR_RECOVERY_LENGTH, 5) &&
            sr_code_read(renewal->code[i], SR_RECOVERY_LENGTH, plain) &&
            sr_crypt_hash(plain, setting, renewal->hash[i], SR_HASH_MAX) == 0;
    }
    explicit_bzero(plain, sizeof(plain));
    return setting != NULL && is_made;
}

static bool
store_in(void *context, struct sr_enrolment *enrolment,
         const struct sr_account_time *time)
{
    struct renewal *renewal = context;

    renewal->is_stored =
        renewal->only < 0 || enrolment->gate[SR_GATE_CODES].since != 0;
    for (int i = 0; renewal->is_stored && i < SR_CODES_COUNT; i++) {
        if (renewal->only < 0 || renewal->only == i)
            memcpy(enrolment->code[i], renewal->hash[i], SR_HASH_MAX);
    }
    if (renewal->is_stored && renewal->only < 0)
        sr_enrolment_set_up(enrolment, SR_GATE_CODES, renewal->wait, time);
    return renewal->is_stored;
}

static bool
store(struct sr_run *run, struct renewal *renewal)
{
    const enum sr_store_result result =
        sr_enrolment_change(run->store, &run->txn, store_in, renewal);

    if (result == SR_STORE_OK && renewal->is_stored)
        return true;
    sr_run_event(run, SR_EVENT_STATE, false, sr_store_strerror(result));
    return false;
}

void
sr_renew_used(struct sr_run *run)
{
    struct renewal renewal = {.only = atoi(run->used_code_text) - 1};
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    const char *setting = NULL;

    if (renewal.only < 0)
        return;
    sr_enrolment_get(run->store, &run->txn, &enrolment, &time);
    for (int i = 0; i < SR_CODES_COUNT; i++) {
        if (enrolment.code[i][0] != '\0')
            setting = enrolment.code[i];
    }
    if (make(&renewal, setting) && store(run, &renewal))
        sr_run_say(run,
                   _("The recovery code number %s was used up. Write down the "
                     "one that replaces it: %s"),
                   run->used_code_text, renewal.code[renewal.only]);
    explicit_bzero(&enrolment, sizeof(enrolment));
    explicit_bzero(&renewal, sizeof(renewal));
}

/* Whether a code that is asked for was written down; it is not used up. */
static bool
confirm(struct sr_run *run, const struct renewal *renewal)
{
    const int which = (int)(renewal->code[0][0] % SR_CODES_COUNT);
    bool is_right = false;

    for (int tries = 0; tries < 3 && !is_right && !run->is_gone; tries++) {
        char typed[SR_CODE_SIZE], wanted[SR_CODE_SIZE];
        __attribute__((cleanup(sr_run_wipe))) char *answer = sr_run_ask(
            run, true, _("To confirm, type code number %d: "), which + 1);

        is_right =
            answer != NULL &&
            sr_code_read(renewal->code[which], SR_RECOVERY_LENGTH, wanted) &&
            sr_code_read(answer, SR_RECOVERY_LENGTH, typed) &&
            strcmp(typed, wanted) == 0;
        explicit_bzero(typed, sizeof(typed));
        explicit_bzero(wanted, sizeof(wanted));
        if (!is_right && !run->is_gone)
            sr_run_say(run, _("That is not code number %d."), which + 1);
    }
    return is_right;
}

bool
sr_renew_all(struct sr_run *run, int64_t wait)
{
    struct renewal renewal = {.only = -1, .wait = wait};
    char text[SR_CODES_COUNT * (SR_CODE_SIZE + 8)];
    size_t used = 0;
    bool is_done = false;

    if (make(&renewal, NULL)) {
        for (int i = 0; i < SR_CODES_COUNT; i++)
            used +=
                (size_t)snprintf(text + used, sizeof(text) - used, "%s %d  %s",
                                 i == 0 ? "" : "\n", i + 1, renewal.code[i]);
        sr_run_say(run, _("Write these recovery codes down, and keep them "
                          "where no other person finds them. They are shown "
                          "only now, and each can be used once."));
        sr_run_say(run, "%s", text);
        is_done = confirm(run, &renewal) && store(run, &renewal);
    }
    explicit_bzero(text, sizeof(text));
    explicit_bzero(&renewal, sizeof(renewal));
    return is_done;
}
