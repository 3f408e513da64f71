/*
 * Own: the flows of a user who is logged in, about the own account.
 *
 * What changes a gate needs the current password, and beside it a proof by a
 * gate where one is set up; without one, the new gate can be used for a reset
 * only after reset.new_gate_wait: a password alone must not be enough to make
 * a way around it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <langinfo.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "policy/account/verify.h"
#include "policy/reset/address.h"
#include "policy/reset/app.h"
#include "policy/reset/contact.h"
#include "policy/reset/gate.h"
#include "policy/reset/limit.h"
#include "policy/reset/notice.h"
#include "policy/reset/own.h"
#include "policy/reset/picture.h"
#include "policy/reset/renew.h"
#include "policy/reset/seal.h"
#include "policy/reset/signature.h"
#include "policy/util/words.h"

/* ---- who it is */

/* The account of the peer's uid.  What helps against a stranger does not need
 * that a reset is possible now, nor that any backend takes changes: to look, to
 * remove a gate, to report. */
static bool
find_account(struct sr_run *run, enum sr_reset_kind kind)
{
    const bool is_defence = kind == SR_RESET_STATUS ||
                            kind == SR_RESET_REMOVE ||
                            kind == SR_RESET_REPORT || kind == SR_RESET_DECLINE;
    const struct passwd *entry = getpwuid(run->peer->uid);

    run->is_own = true;
    run->is_counting = is_defence;
    if (entry == NULL) {
        sr_run_say(run, _("Your account has no name on this system."));
        return false;
    }
    if (!sr_run_account(run, entry->pw_name))
        return false;
    if ((run->obstacle == NULL || is_defence) && run->txn.ask == SR_STATUS_OK &&
        run->txn.uid == run->peer->uid)
        return true;
    sr_run_event(run, SR_EVENT_RESET_REFUSED, false, run->obstacle);
    sr_run_say(run, _("Self-service reset is not possible for your account."));
    sr_run_say_help(run);
    return false;
}

/* Read the account's enrolment; false after saying that it cannot be. */
static bool
read_enrolment(struct sr_run *run, struct sr_enrolment *enrolment,
               struct sr_account_time *time)
{
    const enum sr_store_result result =
        sr_enrolment_get(run->store, &run->txn, enrolment, time);

    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND)
        return true;
    sr_run_event(run, SR_EVENT_STATE, false, sr_store_strerror(result));
    sr_run_say(run, _("What is set up for your account cannot be read now."));
    sr_run_say_help(run);
    return false;
}

static bool
prove_password(struct sr_run *run)
{
    __attribute__((cleanup(sr_run_wipe))) char *password =
        sr_run_ask(run, false, "%s", _("Current password: "));
    struct sr_verify_outcome outcome;

    if (password == NULL || password[0] == '\0')
        return false;
    outcome = sr_verify(&run->txn, password);
    if (outcome.verified == SR_VERIFIED_WRONG)
        sr_run_event(run, SR_EVENT_WRONG_CURRENT, false, NULL);
    sr_run_pass_on(run, sr_verify_message(&run->txn, &outcome));
    if (outcome.verified == SR_VERIFIED_RIGHT)
        return true;
    if (outcome.verified == SR_VERIFIED_WRONG)
        sr_run_say(run, _("The current password is not right."));
    return false;
}

/* The gates that are set up and may be used, a ticket among them. */
static unsigned
usable_gates(const struct sr_run *run, const struct sr_enrolment *enrolment,
             const struct sr_account_time *time)
{
    unsigned mask = 0;

    for (int gate = 0; gate < SR_GATE_COUNT; gate++) {
        if (sr_enrolment_has(enrolment, (enum sr_gate_id)gate,
                             &run->config->reset, time))
            mask |= 1u << gate;
    }
    return mask & run->allowed;
}

/* The password, and a gate where there is one.  *wait is what a gate that is
 * set up now has to wait. */
static bool
prove(struct sr_run *run, int64_t *wait)
{
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    enum sr_gate_id gate;
    unsigned mask;

    *wait = run->txn.rules.reset_wait;
    if (!prove_password(run) || !read_enrolment(run, &enrolment, &time))
        return false;
    /* Its contact is asked in a reset only. */
    mask = usable_gates(run, &enrolment, &time) & ~(1u << SR_GATE_CONTACT);
    explicit_bzero(&enrolment, sizeof(enrolment));
    if (mask == 0)
        return true;
    gate = sr_gate_choose(run, mask, _("Prove it in one of these ways, too:"));
    if (gate == SR_GATE_COUNT || !sr_gate_try(run, gate))
        return false;
    *wait = 0;
    return true;
}

/* ---- set up */

struct addition {
    int64_t wait;
    uint8_t sealed[SR_SEALED_SIZE];
    int64_t step;
};

static bool
add_in(void *context, struct sr_enrolment *enrolment,
       const struct sr_account_time *time)
{
    const struct addition *addition = context;

    memcpy(enrolment->app, addition->sealed, sizeof(enrolment->app));
    enrolment->app_step = addition->step;
    enrolment->app_drift = 0;
    sr_enrolment_set_up(enrolment, SR_GATE_APP, addition->wait, time);
    return true;
}

static bool
store(struct sr_run *run, struct addition *addition)
{
    if (sr_run_change(run, run, add_in, addition))
        return true;
    sr_run_say_help(run);
    return false;
}

static void
show_line(void *context, const char *line)
{
    sr_run_pass_on(context, strdup(line));
}

/* Show the address of the key for the app's camera. */
static void
show_picture(struct sr_run *run, const char *uri)
{
    const bool is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;

    if (!sr_picture(uri, is_utf8, show_line, run))
        sr_run_say(run, _("The QR code is too large for this terminal. Type "
                          "the key into the app."));
}

/* Ask for a code until it is right; *step is of which one. */
static bool
confirm_app(struct sr_run *run, const uint8_t secret[SR_APP_SECRET],
            const char *uri, int64_t *step)
{
    struct sr_enrolment scratch = {.app_step = 0};
    bool is_right = false;
    int pictures = 0;

    for (int tries = 0; tries < 3 && !is_right && !run->is_gone; tries++) {
        __attribute__((cleanup(sr_run_wipe))) char *answer = sr_run_ask(
            run, true, "%s", _("To confirm, type the code that it shows: "));

        if (answer != NULL && sr_picture_is_there() &&
            strcasecmp(answer, "qr") == 0 && pictures++ == 0) {
            show_picture(run, uri);
            tries--;
            continue;
        }
        is_right = answer != NULL &&
                   sr_app_check(&scratch, secret, answer,
                                sr_transaction_message(&run->txn).now);
        if (!is_right && !run->is_gone)
            sr_run_say(run, _("That is not the current code. The clock of the "
                              "device with the app has to be right."));
    }
    *step = scratch.app_step;
    return is_right;
}

static bool
add_app(struct sr_run *run, int64_t wait)
{
    const struct sr_identity id = sr_run_identity(run);
    struct addition addition = {.wait = wait};
    char text[SR_APP_TEXT], uri[SR_APP_URI];
    uint8_t secret[SR_APP_SECRET], key[SR_SEAL_KEY];
    struct sr_error error = {.text = ""};
    bool is_done = false;

    if (sr_seal_key(run->store, run->config->reset.seal_file, true, key,
                    &error) != 0 ||
        getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret) ||
        sr_seal(key, &id, secret, addition.sealed) != 0 ||
        !sr_app_text(secret, text)) {
        sr_run_event(run, SR_EVENT_UNSEAL, false, sr_error_text(&error));
        sr_run_say(run, _("Secrets cannot be kept on this system now."));
        sr_run_say_help(run);
    } else {
        sr_app_uri(secret, run->host, run->txn.name, uri);
        sr_run_say(run, _("Add an account to your authenticator app, one with "
                          "codes of 6 digits by time. Its key:"));
        sr_run_say(run, "%s", text);
        sr_run_say(run, _("The same as an address for the app:"));
        sr_run_say(run, "%s", uri);
        if (sr_picture_is_there())
            sr_run_say(run, _("To see it as a QR code, type: qr"));
        is_done = confirm_app(run, secret, uri, &addition.step) &&
                  store(run, &addition);
    }
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(key, sizeof(key));
    explicit_bzero(text, sizeof(text));
    explicit_bzero(uri, sizeof(uri));
    return is_done;
}

/* A gate was set up: its ledgers begin anew. */
static enum sr_reset_end
added(struct sr_run *run, enum sr_gate_id gate, int64_t wait)
{
    const struct sr_identity id = sr_run_identity(run);

    sr_gate_clear(run->store, &id, gate);
    sr_run_event(run, SR_EVENT_GATE_ADDED, true, sr_gate_name(gate));
    sr_notice(run, SR_NOTICE_ADDED, sr_gate_name(gate));
    if (gate != SR_GATE_CONTACT)
        sr_gate_say_usable(run, wait);
    if (gate != SR_GATE_CODES)
        sr_renew_used(run);
    return SR_RESET_DONE;
}

static enum sr_reset_end
unchanged(struct sr_run *run)
{
    sr_run_say(run, _("Nothing was changed."));
    return run->is_gone ? SR_RESET_GONE : SR_RESET_REFUSED;
}

/* The gates that a user sets up; a ticket comes from an administrator. */
#define OWN_GATES                                                              \
    (1u << SR_GATE_APP | 1u << SR_GATE_CODES | 1u << SR_GATE_MAIL |            \
     1u << SR_GATE_KEY | 1u << SR_GATE_SMS | 1u << SR_GATE_VOICE |             \
     1u << SR_GATE_PUSH | 1u << SR_GATE_CONTACT)

static bool
wants_more(struct sr_run *run)
{
    sr_run_say(run,
               _("Do you want to set up something, too?\n 1  yes\n 2  no"));
    return sr_run_choose(run, 2) == 1;
}

static enum sr_reset_end
enroll(struct sr_run *run)
{
    enum sr_gate_id gate = SR_GATE_COUNT;
    bool is_confirmed, is_done = false;
    int64_t wait;

    if (!prove(run, &wait))
        return unchanged(run);
    is_confirmed = sr_address_confirm(run, wait);
    if (!is_confirmed || wants_more(run))
        gate = sr_gate_choose(run, run->allowed & OWN_GATES,
                              _("What do you want to set up?"));
    if (gate == SR_GATE_APP)
        is_done = add_app(run, wait);
    else if (gate == SR_GATE_CODES)
        is_done = sr_renew_all(run, wait);
    else if (gate == SR_GATE_KEY)
        is_done = sr_signature_add(run, wait);
    else if (gate == SR_GATE_CONTACT)
        is_done = sr_contact_add(run, wait);
    else if (gate < SR_GATE_COUNT)
        is_done = sr_address_add(run, sr_gate_channel(gate), wait);
    if (is_done)
        return added(run, gate, wait);
    if (!is_confirmed)
        return unchanged(run);
    sr_renew_used(run);
    return SR_RESET_DONE;
}

static enum sr_reset_end
renew_codes(struct sr_run *run)
{
    int64_t wait;

    if ((run->allowed >> SR_GATE_CODES & 1) == 0) {
        sr_run_say(run, _("Recovery codes are not used on this system."));
        return SR_RESET_REFUSED;
    }
    if (!prove(run, &wait) || !sr_renew_all(run, wait))
        return unchanged(run);
    return added(run, SR_GATE_CODES, wait);
}

/* ---- show, remove, report */

static void
say_gate(struct sr_run *run, const struct sr_enrolment *enrolment,
         enum sr_gate_id gate, const struct sr_account_time *time)
{
    const struct sr_gate_record *record = &enrolment->gate[gate];
    const struct sr_identity id = sr_run_identity(run);
    struct sr_standing standing = {.failures = 0};
    char *used =
        record->used == 0 ? NULL : sr_message_when(record->used, time->wall);
    /* Of an address that has to be confirmed again more is said below. */
    const bool is_usable =
        sr_gate_channel(gate) < SR_CHANNELS
            ? record->usable <= time->now
            : sr_enrolment_has(enrolment, gate, &run->config->reset, time);
    unsigned left = 0;

    sr_gate_standing(run->store, &id, gate, &standing);
    for (int i = 0; i < SR_CODES_COUNT; i++)
        left += enrolment->code[i][0] != '\0';
    sr_run_say(run, "- %s%s", sr_gate_text(gate),
               is_usable ? "" : _(" (not yet usable)"));
    if (gate == SR_GATE_CONTACT)
        sr_run_say(run, "  %s", enrolment->contact.name);
    if (gate == SR_GATE_CODES)
        sr_run_say(run, _n("  %u code is left", "  %u codes are left", left),
                   left);
    if (sr_gate_channel(gate) < SR_CHANNELS)
        sr_address_show(run, enrolment, sr_gate_channel(gate), time->wall);
    if (gate == SR_GATE_KEY)
        sr_signature_show(run, enrolment);
    if (used != NULL)
        sr_run_say(run, _("  last used %s"), used);
    if (standing.in_a_row > 0)
        sr_run_say(run, _("  wrong answers since then: %u%s"),
                   (unsigned)standing.in_a_row,
                   sr_lockout_is(&standing.lockout) ? _("; it is locked") : "");
    free(used);
}

static enum sr_reset_end
show_status(struct sr_run *run)
{
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    unsigned count = 0;

    if (!read_enrolment(run, &enrolment, &time))
        return SR_RESET_REFUSED;
    for (int gate = 0; gate < SR_GATE_COUNT; gate++) {
        if (enrolment.gate[gate].since == 0)
            continue;
        if (count++ == 0)
            sr_run_say(run, _("To reset your password you can use:"));
        say_gate(run, &enrolment, (enum sr_gate_id)gate, &time);
    }
    if (count == 0)
        sr_run_say(run, _("Nothing is set up."));
    if (enrolment.reported != 0) {
        sr_run_say(run, _("A reset was reported as not yours, so none is "
                          "possible now."));
        sr_run_say_help(run);
    } else if (!sr_run_has_enough(run, &enrolment, &time)) {
        sr_run_say(run,
                   _n("A reset needs %u way that can be used. Run "
                      "\"selfreset enroll\" to set one up.",
                      "A reset needs %u ways of different kinds that can be "
                      "used. Run \"selfreset enroll\" to set one up.",
                      run->proofs),
                   run->proofs);
    }
    explicit_bzero(&enrolment, sizeof(enrolment));
    return SR_RESET_DONE;
}

static bool
remove_in(void *context, struct sr_enrolment *enrolment,
          const struct sr_account_time *time)
{
    (void)time;
    sr_enrolment_remove(enrolment, *(enum sr_gate_id *)context);
    return true;
}

static enum sr_reset_end
remove_gate(struct sr_run *run)
{
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    enum sr_gate_id gate;
    unsigned mask = 0;
    int64_t wait;

    if (!read_enrolment(run, &enrolment, &time))
        return SR_RESET_REFUSED;
    for (unsigned i = 0; i < SR_GATE_COUNT; i++)
        mask |= enrolment.gate[i].since != 0 ? 1u << i : 0;
    explicit_bzero(&enrolment, sizeof(enrolment));
    if (mask == 0) {
        sr_run_say(run, _("Nothing is set up."));
        return SR_RESET_REFUSED;
    }
    if (!prove(run, &wait))
        return unchanged(run);
    gate = sr_gate_choose(run, mask, _("What do you want to remove?"));
    if (gate == SR_GATE_COUNT)
        return unchanged(run);
    sr_notice(run, SR_NOTICE_REMOVED, sr_gate_name(gate));
    if (!sr_run_change(run, run, remove_in, &gate))
        return unchanged(run);
    sr_run_event(run, SR_EVENT_GATE_REMOVED, true, sr_gate_name(gate));
    sr_run_say(run, _("It is removed."));
    if (gate != SR_GATE_CODES)
        sr_renew_used(run);
    return SR_RESET_DONE;
}

static bool
report_in(void *context, struct sr_enrolment *enrolment,
          const struct sr_account_time *time)
{
    (void)context;
    enrolment->reported = time->wall;
    return true;
}

/* A reset that was not the user's: recovery is off until an administrator has
 * looked at it. */
static enum sr_reset_end
report(struct sr_run *run, const char *operand)
{
    __attribute__((cleanup(sr_run_wipe))) char *answer = NULL;
    char ref[SR_CODE_SIZE], cause[48];

    if (operand == NULL)
        operand = answer = sr_run_ask(
            run, true, "%s", _("Reference, as in the message you got: "));
    if (operand == NULL || !sr_code_read(operand, SR_REF_LENGTH, ref)) {
        sr_run_say(run, _("That is not a reference, such as K7Q4-2MXP."));
        return unchanged(run);
    }
    if (sr_enrolment_change(run->store, &run->txn, report_in, NULL) !=
        SR_STORE_OK) {
        sr_run_event(run, SR_EVENT_STATE, false, "report");
        return unchanged(run);
    }
    snprintf(cause, sizeof(cause), "%.4s-%.4s", ref, ref + 4);
    sr_run_event(run, SR_EVENT_REPORTED, true, cause);
    sr_run_say(run, _("It is reported. Your password cannot be reset until an "
                      "administrator has looked at it. If the password that "
                      "you know still works, change it now: run \"passwd\"."));
    sr_run_say_help(run);
    return SR_RESET_DONE;
}

/* What a recovery contact does for another user: somebody who cannot prove more
 * than a password does not vouch for anybody. */
static enum sr_reset_end
help(struct sr_run *run, enum sr_reset_kind kind, const char *name)
{
    bool is_done = false;
    int64_t wait;

    if (name == NULL || !prove(run, &wait))
        return unchanged(run);
    if (kind != SR_RESET_DECLINE && run->proved == 0)
        sr_run_say(run, _("Before you can help others, set up a way for "
                          "yourself: run \"selfreset enroll\"."));
    else
        is_done = sr_contact_answer(run, kind, name);
    sr_renew_used(run);
    return is_done ? SR_RESET_DONE : unchanged(run);
}

enum sr_reset_end
sr_own(struct sr_run *run, enum sr_reset_kind kind, const char *operand)
{
    if (!find_account(run, kind))
        return run->is_gone ? SR_RESET_GONE : SR_RESET_REFUSED;
    switch (kind) {
    case SR_RESET_ENROLL:
        return enroll(run);
    case SR_RESET_STATUS:
        return show_status(run);
    case SR_RESET_CODES:
        return renew_codes(run);
    case SR_RESET_REMOVE:
        return remove_gate(run);
    case SR_RESET_REPORT:
        return report(run, operand);
    case SR_RESET_ACCEPT:
    case SR_RESET_DECLINE:
    case SR_RESET_CONFIRM:
        return help(run, kind, operand);
    default:
        return SR_RESET_REFUSED;
    }
}
