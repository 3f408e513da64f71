/*
 * Gate: one way to prove who it is, and one try of it under the throttle.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/reset/app.h"
#include "policy/reset/contact.h"
#include "policy/reset/gate.h"
#include "policy/reset/limit.h"
#include "policy/reset/offer.h"
#include "policy/reset/resume.h"
#include "policy/reset/seal.h"
#include "policy/reset/shared.h"
#include "policy/reset/signature.h"
#include "policy/util/crypt.h"
#include "policy/util/file_lock.h"
#include "policy/util/words.h"

#define SENT_TRIES_MAX 5  /* of one code */
#define APP_WRONG_MAX  50 /* at all hosts together, since the last right one */

static const struct {
    const char *text; /* in a menu */
    const char *prompt;
    size_t length; /* of the code; 0: not a code of ours */
} gates[SR_GATE_COUNT] = {
    [SR_GATE_APP] = {N_("a code from your authenticator app"),
                     N_("Code from the app (6 digits): "), 0},
    [SR_GATE_CODES] = {N_("one of your recovery codes"), N_("Recovery code: "),
                       SR_RECOVERY_LENGTH},
    [SR_GATE_TICKET] = {N_("a ticket from the helpdesk"), N_("Ticket: "),
                        SR_TICKET_LENGTH},
    [SR_GATE_MAIL] = {N_("a code by mail"), N_("Code from the mail: "),
                      SR_MAIL_LENGTH},
    [SR_GATE_SMS] = {N_("a code by SMS"), N_("Code from the message: "),
                     SR_MAIL_LENGTH},
    [SR_GATE_VOICE] = {N_("a code by a telephone call"),
                       N_("Code from the call: "), SR_MAIL_LENGTH},
    [SR_GATE_PUSH] = {N_("a code by a message to your app (push)"),
                      N_("Code from the message: "), SR_MAIL_LENGTH},
    [SR_GATE_KEY] = {N_("an ssh key or security key"), "", 0},
    [SR_GATE_CONTACT] = {N_("your recovery contact"), "", 0},
    [SR_GATE_RESUME] = {N_("go on with a reset that was cut off"),
                        N_("Code to go on: "), SR_TICKET_LENGTH},
};

const char *
sr_gate_text(enum sr_gate_id gate)
{
    return _(gates[gate].text);
}

enum sr_gate_id
sr_gate_choose(struct sr_run *run, unsigned mask, const char *question)
{
    enum sr_gate_id offered[SR_GATE_COUNT];
    unsigned count = 0, number;
    char text[1024];
    size_t used = (size_t)snprintf(text, sizeof(text), "%s", question);

    for (int gate = 0; gate < SR_GATE_COUNT; gate++) {
        if ((mask >> gate & 1) == 0)
            continue;
        offered[count++] = (enum sr_gate_id)gate;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "\n %u  %s",
                                 count, _(gates[gate].text));
    }
    if (count == 0)
        return SR_GATE_COUNT;
    sr_run_say(run, "%s", text);
    number = sr_run_choose(run, count);
    return number == 0 ? SR_GATE_COUNT : offered[number - 1];
}

/* ---- checking */

/* One answer, and what is known of it before the enrolment is changed. */
struct trial {
    struct sr_run *run;
    enum sr_gate_id gate;
    char typed[2 * SR_CODE_SIZE]; /* as code or as digits; empty: neither */
    char hash[SR_HASH_MAX]; /* of the code, under the setting of its gate */
    uint8_t key[SR_SEAL_KEY];
    bool has_key;
    struct sr_challenge challenge;    /* of a signature */
    const char *armoured;             /* that was typed */
    char signer[SR_KEY_MAX];          /* the key it is right for; empty: none */
    bool is_broken;                   /* it could not be checked */
    char used_code_text[SR_USED_MAX]; /* what a right answer is good for: which
                                       */
    char words[SR_WORDS_MAX];  /* recovery code, of which ticket, which */
    struct sr_resumed resumed; /* reset that was cut off */
    bool is_right;
    bool is_unrecorded; /* what was used up could not be written */
    bool is_shared;     /* all hosts have one enrolment, */
    bool is_counted;    /* and it has counted a wrong answer */
};

/* A hash whose setting is that of the gate's codes; NULL: there is no code. */
static const char *
setting_of(const struct sr_enrolment *enrolment, enum sr_gate_id gate)
{
    const enum sr_channel_id channel = sr_gate_channel(gate);
    const char *hash = gate == SR_GATE_TICKET   ? enrolment->ticket
                       : gate == SR_GATE_RESUME ? enrolment->resume
                       : channel < SR_CHANNELS  ? enrolment->sent[channel].code
                                                : NULL;

    for (size_t i = 0; gate == SR_GATE_CODES && i < SR_CODES_COUNT; i++) {
        if (enrolment->code[i][0] != '\0')
            hash = enrolment->code[i];
    }
    return hash == NULL || hash[0] == '\0' ? NULL : hash;
}

/* Hash the code or check the signature, before the enrolment is locked: it
 * takes long.  Without anything to compare with it takes as long. */
static void
prepare(struct trial *trial)
{
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    const char *setting;

    sr_enrolment_get(trial->run->store, &trial->run->txn, &enrolment, &time);
    setting = setting_of(&enrolment, trial->gate);
    if (trial->gate == SR_GATE_APP) {
        struct sr_error error;

        trial->has_key =
            sr_seal_key(trial->run->store, trial->run->config->reset.seal_file,
                        false, trial->key, &error) == 0;
        if (!trial->has_key && enrolment.gate[SR_GATE_APP].since != 0)
            sr_run_event(trial->run, SR_EVENT_UNSEAL, false,
                         sr_error_text(&error));
    } else if (trial->gate == SR_GATE_KEY) {
        const unsigned which =
            sr_challenge_check(trial->run, &trial->challenge, enrolment.key,
                               trial->armoured, &trial->is_broken);

        if (which < SR_KEYS && sr_signature_serves(trial->run, &enrolment,
                                                   which, &trial->is_broken))
            memcpy(trial->signer, enrolment.key[which], SR_KEY_MAX);
    } else if (gates[trial->gate].length > 0 &&
               (setting == NULL ||
                sr_crypt_hash(trial->typed, setting, trial->hash,
                              SR_HASH_MAX) != 0)) {
        sr_crypt_verify(trial->typed, NULL);
    }
    explicit_bzero(&enrolment, sizeof(enrolment));
}

/* Each host counts by itself; what all of them may try together is bounded
 * where they have one enrolment. */
static bool
is_used_up(const struct trial *trial, const struct sr_enrolment *enrolment)
{
    return !trial->run->is_own && trial->is_shared &&
           enrolment->app_wrong >= APP_WRONG_MAX;
}

static bool
check_app(struct trial *trial, struct sr_enrolment *enrolment,
          const struct sr_account_time *time)
{
    const struct sr_identity id = sr_run_identity(trial->run);
    uint8_t secret[SR_APP_SECRET] = {0};
    bool is_right = false;

    if (!trial->has_key || is_used_up(trial, enrolment))
        return false;
    if (sr_unseal(trial->key, &id, enrolment->app, secret) == 0)
        is_right = sr_app_check(enrolment, secret, trial->typed, time->wall);
    else
        sr_run_event(trial->run, SR_EVENT_UNSEAL, false, "app");
    explicit_bzero(secret, sizeof(secret));
    trial->is_counted = trial->is_shared && !trial->run->is_own && !is_right;
    enrolment->app_wrong =
        is_right ? 0 : enrolment->app_wrong + trial->is_counted;
    return is_right;
}

/* A wrong answer counts against the code that was sent. */
static bool
use_sent(const struct trial *trial, struct sr_sent *sent,
         const struct sr_account_time *time)
{
    const bool is_right =
        sent->until > time->now && sr_code_is_equal(sent->code, trial->hash);

    if (is_right || ++sent->tries >= SENT_TRIES_MAX)
        memset(sent->code, 0, SR_HASH_MAX);
    return is_right;
}

/* A code is used up. */
static bool
use_code(struct trial *trial, struct sr_enrolment *enrolment,
         const struct sr_account_time *time)
{
    const enum sr_channel_id channel = sr_gate_channel(trial->gate);
    bool is_right = false;

    for (unsigned i = 0;
         trial->gate == SR_GATE_CODES && !is_right && i < SR_CODES_COUNT; i++) {
        is_right = sr_code_is_equal(enrolment->code[i], trial->hash);
        if (is_right) {
            memset(enrolment->code[i], 0, SR_HASH_MAX);
            snprintf(trial->used_code_text, SR_USED_MAX, "%u", i + 1);
        }
    }
    if (trial->gate == SR_GATE_TICKET) {
        is_right = sr_code_is_equal(enrolment->ticket, trial->hash);
        if (is_right) {
            memcpy(trial->words, enrolment->words, SR_WORDS_MAX);
            sr_enrolment_remove(enrolment, SR_GATE_TICKET);
        }
    }
    if (trial->gate == SR_GATE_RESUME)
        is_right = sr_resume_take(trial->run, enrolment, time, trial->hash,
                                  &trial->resumed);
    if (channel < SR_CHANNELS)
        is_right = use_sent(trial, &enrolment->sent[channel], time);
    return is_right;
}

/* A signature is right while its key is set up. */
static bool
has_signer(const struct trial *trial, const struct sr_enrolment *enrolment)
{
    bool has = false;

    for (int i = 0; trial->signer[0] != '\0' && i < SR_KEYS; i++)
        has = has || strcmp(enrolment->key[i], trial->signer) == 0;
    return has;
}

static bool
check_in(void *context, struct sr_enrolment *enrolment,
         const struct sr_account_time *time)
{
    struct trial *trial = context;
    const enum sr_channel_id channel = sr_gate_channel(trial->gate);

    trial->is_right = trial->is_counted = false;
    if (!sr_enrolment_has(enrolment, trial->gate, &trial->run->config->reset,
                          time))
        return false;
    if (trial->gate == SR_GATE_APP)
        trial->is_right = check_app(trial, enrolment, time);
    else if (trial->gate == SR_GATE_KEY)
        trial->is_right = has_signer(trial, enrolment);
    else
        trial->is_right = use_code(trial, enrolment, time);
    if (trial->is_right)
        enrolment->gate[trial->gate].used = time->wall;
    if (trial->is_right && channel < SR_CHANNELS)
        sr_enrolment_confirm(enrolment, channel, &trial->run->config->reset,
                             time->wall);
    return trial->is_right || trial->is_counted || channel < SR_CHANNELS;
}

/* Why no answer is right; NULL: it may be.  What was cut off is gone on with
 * also where one of its proofs, a ticket, is used up. */
static const char *
find_obstacle(const struct trial *trial)
{
    struct sr_run *run = trial->run;

    if ((run->allowed >> trial->gate & 1) == 0)
        return "not allowed";
    if (trial->gate == SR_GATE_RESUME && run->obstacle == NULL &&
        run->why_not != NULL && strcmp(run->why_not, SR_RUN_TOO_FEW) == 0)
        return NULL;
    return run->is_own ? NULL : run->why_not;
}

/* Check, and use up.  False also when that cannot be recorded.  Something is
 * written only for an account that has the gate: this is said, and not counted,
 * only after a proof has shown who it is.  Before, the answer is a wrong one.
 */
static bool
check(struct trial *trial)
{
    enum sr_store_result result;

    trial->is_shared =
        sr_shared_is(trial->run->config, sr_run_identity(trial->run).backend);
    prepare(trial);
    trial->is_unrecorded = trial->is_broken;
    if (trial->is_broken || find_obstacle(trial) != NULL)
        return false;
    result = sr_enrolment_change(trial->run->store, &trial->run->txn, check_in,
                                 trial);
    if (result == SR_STORE_OK)
        return trial->is_right;
    trial->is_unrecorded = trial->run->proved != 0 || trial->run->is_own;
    sr_run_event(trial->run, SR_EVENT_STATE, false, sr_store_strerror(result));
    return false;
}

/* ---- one try */

static void
say_locked(struct sr_run *run, const struct sr_tries *tries)
{
    const sr_time until = sr_limit_until(tries);
    char *when =
        SR_TIME_IS_SET(until)
            ? sr_message_when(until, sr_transaction_message(&run->txn).now)
            : NULL;

    if (when != NULL)
        sr_run_say(run,
                   _("There were too many wrong answers. This way can be used "
                     "again %s. Another way may be open now."),
                   when);
    else
        sr_run_say(run, _("There were too many wrong answers. This way cannot "
                          "be used any more. Another way may be open."));
    free(when);
}

/* What is said of a try, and the events. */
static void
tell(struct sr_run *run, const struct trial *trial,
     const struct sr_tries *tries)
{
    const char *name = sr_gate_name(trial->gate);

    sr_run_event(run,
                 trial->is_right ? SR_EVENT_GATE_PASSED : SR_EVENT_GATE_FAILED,
                 trial->is_right, name);
    if (trial->is_unrecorded)
        sr_run_say(run, _("Your answer could not be recorded, so it does not "
                          "count. Try again later."));
    else if (tries->begun == SR_BEGIN_LOCKED)
        say_locked(run, tries);
    else
        sr_run_say(run, "%s",
                   trial->is_right ? _("Accepted.") : _("Not accepted."));
}

/* The events of lockouts: of a gate, of all that can be guessed of the account,
 * of these on the host. */
static void
tell_lockouts(struct sr_run *run, enum sr_gate_id gate, unsigned locked)
{
    if ((locked >> SR_LIMIT_GATE & 1) != 0)
        sr_run_event(run, SR_EVENT_GATE_LOCKED, false, sr_gate_name(gate));
    if ((locked >> SR_LIMIT_ACCOUNT & 1) != 0)
        sr_run_event(run, SR_EVENT_GATE_LOCKED, false, "guessed");
    if ((locked >> SR_LIMIT_HOST & 1) != 0)
        sr_run_event(run, SR_EVENT_CIRCUIT, false, sr_gate_name(gate));
}

/* Verify under the throttle. */
static void
verify(struct trial *trial)
{
    struct sr_tries tries;
    unsigned locked;

    sr_limit_begin(trial->run, trial->gate, &tries);
    if (tries.begun == SR_BEGIN_GO)
        trial->is_right = check(trial);
    else if (tries.begun == SR_BEGIN_LOCKED)
        prepare(trial);
    else
        trial->is_unrecorded = true;
    if (!sr_limit_settle(&tries,
                         trial->is_right || trial->is_unrecorded
                             ? SR_OUTCOME_NEITHER
                             : SR_OUTCOME_WRONG,
                         &locked))
        trial->is_unrecorded = true;
    if (trial->is_unrecorded)
        trial->is_right = false;
    if (tries.begun == SR_BEGIN_LOCKED)
        locked |= 1u << tries.which;
    tell_lockouts(trial->run, trial->gate, locked);
    tell(trial->run, trial, &tries);
    sr_limit_end(&tries);
}

/* What was typed, as a code of the gate. */
static void
read_answer(struct trial *trial, const char *answer)
{
    const size_t length = gates[trial->gate].length;
    char code[SR_CODE_SIZE];

    if (length == 0)
        snprintf(trial->typed, sizeof(trial->typed), "%.*s",
                 (int)sizeof(trial->typed) - 1, answer);
    else if (sr_code_read(answer, length, code)) {
        sr_offer_bind(trial->run, sr_gate_channel(trial->gate), code);
        snprintf(trial->typed, sizeof(trial->typed), "%s", code);
    }
    explicit_bzero(code, sizeof(code));
}

/* Ask for what the gate takes; NULL: the person is gone. */
static char *
ask_for(struct trial *trial)
{
    struct sr_run *run = trial->run;

    if (trial->gate != SR_GATE_KEY)
        return sr_run_ask(run, true, "%s", _(gates[trial->gate].prompt));
    if (!sr_challenge_make(run, run->typed, &trial->challenge))
        return NULL;
    return sr_challenge_ask(run, &trial->challenge, NULL);
}

/* A right answer that was recorded counts now, for this run. */
static void
apply(struct trial *trial)
{
    struct sr_run *run = trial->run;

    if (trial->gate == SR_GATE_RESUME) {
        sr_resume_go_on(run, &trial->resumed);
        return;
    }
    run->proved |= 1u << trial->gate;
    if (trial->gate == SR_GATE_CODES)
        memcpy(run->used_code_text, trial->used_code_text, SR_USED_MAX);
    if (trial->gate == SR_GATE_TICKET) {
        memcpy(run->words, trial->words, SR_WORDS_MAX);
        sr_run_say(run, _("Read these words to the helpdesk: %s"), run->words);
    }
}

bool
sr_gate_try(struct sr_run *run, enum sr_gate_id gate)
{
    struct trial trial = {.run = run, .gate = gate};
    bool is_right = false;
    int64_t since;
    char *answer;

    if (gate == SR_GATE_CONTACT)
        return sr_contact_try(run);
    if (sr_gate_channel(gate) < SR_CHANNELS)
        sr_offer(run, sr_gate_channel(gate));
    answer = ask_for(&trial);
    since = sr_clock_milliseconds();
    /* An empty line goes back to the choice. */
    if (answer != NULL && answer[0] != '\0') {
        trial.armoured = answer;
        read_answer(&trial, answer);
        verify(&trial);
        is_right = trial.is_right;
        sr_run_keep_floor(run, since);
    }
    sr_run_wipe(&answer);
    if (is_right)
        apply(&trial);
    explicit_bzero(&trial, sizeof(trial));
    return is_right;
}

void
sr_gate_say_usable(struct sr_run *run, int64_t wait)
{
    const sr_time now = sr_transaction_message(&run->txn).now;
    char *when = wait > 0 ? sr_message_when(now + wait, now) : NULL;

    if (when == NULL)
        sr_run_say(run, _("It is set up and can be used now."));
    else
        sr_run_say(run,
                   _("It is set up, and can be used to reset the password %s: "
                     "that leaves time to notice if it was not you."),
                   when);
    free(when);
}
