/*
 * Contact: the recovery contact.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/reset/channel.h"
#include "policy/reset/contact.h"
#include "policy/reset/limit.h"
#include "policy/reset/notice.h"
#include "policy/util/clock.h"
#include "policy/util/text.h"
#include "policy/util/words.h"

#define LIFE   600 /* seconds of a request */
#define DIGITS 6
#define TRIES  3

enum answer { NONE, CONFIRMED, REFUSED };

static bool
is_of(const struct sr_contact *contact, const struct sr_identity *id)
{
    return contact->name[0] != '\0' && contact->uid == id->uid &&
           strcmp(contact->name, id->name) == 0 &&
           strcmp(contact->backend, id->backend) == 0;
}

/* Write to each mail address of an account; `other` is about it. */
static void
write_to(struct sr_run *other, const char *body)
{
    struct sr_enrolment enrolment;
    struct sr_account_time time;

    if (body != NULL && sr_enrolment_get(other->store, &other->txn, &enrolment,
                                         &time) == SR_STORE_OK) {
        for (int i = 0; i < SR_ADDRESSES; i++) {
            const struct sr_letter letter = {
                .channel = SR_CHANNEL_MAIL,
                .address = enrolment.address[i],
                .subject = _("A user asks for your help"),
                .body = body,
                .life = LIFE,
            };

            if (enrolment.address[i][0] != '\0')
                sr_notice_queue(other, &letter);
        }
        explicit_bzero(&enrolment, sizeof(enrolment));
        sr_notice_send(other);
    }
}

/* ---- the owner names a contact */

struct naming {
    struct sr_identity id;
    int64_t wait;
    bool may_send;
};

/* Counted with the owner as a mail that is asked for, also where the contact
 * has no address: that must not be told. */
static bool
name_in(void *context, struct sr_enrolment *enrolment,
        const struct sr_account_time *time)
{
    struct naming *naming = context;
    struct sr_contact *contact = &enrolment->contact;

    naming->may_send =
        sr_channel_may_send(enrolment, SR_CHANNEL_MAIL, time->now, true);
    if (!naming->may_send)
        return false;
    sr_channel_note(enrolment, SR_CHANNEL_MAIL, time->now, true);
    sr_enrolment_remove(enrolment, SR_GATE_CONTACT);
    memcpy(contact->backend, naming->id.backend, sizeof(naming->id.backend));
    memcpy(contact->name, naming->id.name, sizeof(naming->id.name));
    contact->uid = naming->id.uid;
    sr_enrolment_set_up(enrolment, SR_GATE_CONTACT, naming->wait, time);
    return true;
}

/* Look up a user who may be the contact: another one than the owner. */
static bool
find_contact(struct sr_run *run, struct sr_run *other)
{
    __attribute__((cleanup(sr_run_wipe))) char *name = NULL;

    sr_run_say(run, _("Name a person whom you know well and who has an account "
                      "here. In a reset you call them, and they confirm that "
                      "it is you, beside another proof of yours."));
    name = sr_run_ask(run, true, "%s", _("User name of your contact: "));
    if (name == NULL || name[0] == '\0')
        return false;
    sr_run_other(run, name, other);
    if (sr_run_obstacle(other) == NULL && other->txn.uid != run->txn.uid)
        return true;
    sr_run_say(run, _("That is not another user who can help here."));
    return false;
}

bool
sr_contact_add(struct sr_run *run, int64_t wait)
{
    const struct sr_identity id = sr_run_identity(run);
    struct naming naming = {.wait = wait};
    struct sr_run other = {.peer = NULL};
    bool is_done = find_contact(run, &other);

    if (is_done) {
        naming.id = sr_run_identity(&other);
        is_done = sr_run_change(run, run, name_in, &naming);
    }
    if (is_done && !naming.may_send) {
        sr_run_say(run, _("Too many messages were sent. Try again later."));
        is_done = false;
    }
    if (is_done) {
        char *body =
            sr_message_fold(sr_format(_("%s names you as recovery contact on "
                                        "%s. If you agree, run there: "
                                        "selfreset accept %s"),
                                      id.name, run->host, id.name));

        write_to(&other, body);
        free(body);
        sr_run_say(run,
                   _("It counts after %s has run here: selfreset accept %s"),
                   naming.id.name, id.name);
    }
    sr_notice_wait(&other, 0);
    sr_transaction_end(&other.txn);
    return is_done;
}

/* ---- a request */

struct request {
    struct sr_run *run;
    char code[SR_CODE_SIZE];
    enum answer answer;
    bool is_open;
};

static bool
ask_in(void *context, struct sr_enrolment *enrolment,
       const struct sr_account_time *time)
{
    struct request *request = context;
    struct sr_contact *contact = &enrolment->contact;

    request->is_open = sr_enrolment_has(enrolment, SR_GATE_CONTACT,
                                        &request->run->config->reset, time);
    if (!request->is_open)
        return false;
    contact->answer = NONE;
    contact->tries = 0;
    contact->asked = time->wall;
    contact->until = time->now + LIFE;
    memset(contact->ref, 0, sizeof(contact->ref));
    memset(contact->source, 0, sizeof(contact->source));
    snprintf(contact->ref, sizeof(contact->ref), "%.11s", request->run->ref);
    snprintf(contact->source, sizeof(contact->source), "%.63s",
             request->run->txn.context.source.text);
    memcpy(contact->code, request->code, DIGITS + 1);
    return true;
}

/* Read the answer to the request of this run, and use it up. */
static bool
read_in(void *context, struct sr_enrolment *enrolment,
        const struct sr_account_time *time)
{
    struct request *request = context;
    struct sr_contact *contact = &enrolment->contact;

    request->is_open = strcmp(contact->ref, request->run->ref) == 0 &&
                       contact->until > time->now;
    if (!request->is_open) /* there may be another one, which is not ours */
        request->answer = REFUSED;
    else
        request->answer = (enum answer)contact->answer;
    if (!request->is_open || request->answer == NONE)
        return false;
    if (request->answer == CONFIRMED)
        enrolment->gate[SR_GATE_CONTACT].used = time->wall;
    contact->until = 0;
    return true;
}

bool
sr_contact_is_there(struct sr_run *run)
{
    struct sr_run other = {.peer = NULL};
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    bool is_there = false;

    if ((run->allowed >> SR_GATE_CONTACT & 1) == 0 ||
        !sr_contact_counts(run->proved, run->is_admin) ||
        sr_enrolment_get(run->store, &run->txn, &enrolment, &time) !=
            SR_STORE_OK)
        return false;
    if (sr_enrolment_has(&enrolment, SR_GATE_CONTACT, &run->config->reset,
                         &time)) {
        sr_run_other(run, enrolment.contact.name, &other);
        is_there = sr_run_obstacle(&other) == NULL;
        if (is_there) {
            const struct sr_identity found = sr_run_identity(&other);

            is_there = is_of(&enrolment.contact, &found);
        }
    }
    sr_transaction_end(&other.txn);
    explicit_bzero(&enrolment, sizeof(enrolment));
    return is_there;
}

/* Each request is counted as an answer that is not right, since it may be that
 * of a person who only wants to be believed. */
static bool
is_counted(struct sr_run *run)
{
    struct sr_tries tries;
    unsigned locked;
    bool may;

    sr_limit_begin(run, SR_GATE_CONTACT, &tries);
    may = tries.begun == SR_BEGIN_GO;
    may = sr_limit_settle(&tries, SR_OUTCOME_WRONG, &locked) && may;
    sr_limit_end(&tries);
    if ((locked >> SR_LIMIT_GATE & 1) != 0 || !may)
        sr_run_event(run, SR_EVENT_GATE_LOCKED, false,
                     sr_gate_name(SR_GATE_CONTACT));
    if (!may)
        sr_run_say(run, _("Your contact was asked too often. Choose another "
                          "way."));
    return may;
}

/* Inform the contact, who may be waiting for a call. */
static void
tell_contact(struct sr_run *run)
{
    const struct sr_identity id = sr_run_identity(run);
    struct sr_run other = {.peer = NULL};
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    char *body = sr_message_fold(
        sr_format(_("%s asks for a new password on %s, and you can confirm it. "
                    "When they call you, run there: selfreset confirm %s"),
                  id.name, run->host, id.name));

    if (sr_enrolment_get(run->store, &run->txn, &enrolment, &time) ==
        SR_STORE_OK) {
        sr_run_other(run, enrolment.contact.name, &other);
        write_to(&other, body);
        sr_notice_wait(&other, 0);
        sr_transaction_end(&other.txn);
    }
    explicit_bzero(&enrolment, sizeof(enrolment));
    free(body);
}

/* Until there is an answer, the time is over, or another way is chosen.  A
 * confirmation that cannot be used up is none. */
static void
await(struct request *request)
{
    struct sr_run *run = request->run;

    while (request->answer == NONE && !run->is_gone) {
        __attribute__((cleanup(sr_run_wipe))) char *typed =
            sr_run_ask(run, true, "%s",
                       _("Press Enter when it is done, or type 0 to choose "
                         "another way: "));
        const int64_t since = sr_clock_milliseconds();
        bool is_stored;

        if (typed == NULL || typed[0] != '\0')
            break;
        is_stored = sr_run_change(run, run, read_in, request);
        if (!is_stored && request->answer == CONFIRMED)
            request->answer = NONE;
        sr_run_keep_floor(run, since);
        if (!is_stored)
            break;
        if (request->answer == NONE)
            sr_run_say(run, _("It is not confirmed yet."));
    }
}

/* Count it, keep it, and inform both; false: there is none to be answered. */
static bool
begin(struct request *request)
{
    struct sr_run *run = request->run;
    const struct sr_identity id = sr_run_identity(run);

    if (!is_counted(run) || !sr_code_make_digits(request->code, DIGITS) ||
        !sr_run_change(run, run, ask_in, request) || !request->is_open)
        return false;
    sr_run_event(run, SR_EVENT_CONTACT_ASKED, true, NULL);
    tell_contact(run);
    sr_run_say(run,
               _("Call your recovery contact and have them run here: selfreset "
                 "confirm %s\nRead these digits to them: %.3s %s\nThey are "
                 "valid for 10 minutes."),
               id.name, request->code, request->code + 3);
    return true;
}

bool
sr_contact_try(struct sr_run *run)
{
    struct request request = {.run = run};
    bool is_right = false;

    if (begin(&request)) {
        await(&request);
        is_right = request.answer == CONFIRMED;
        sr_run_event(run,
                     is_right ? SR_EVENT_GATE_PASSED : SR_EVENT_GATE_FAILED,
                     is_right, sr_gate_name(SR_GATE_CONTACT));
        if (request.answer != NONE)
            sr_run_say(run, "%s",
                       is_right ? _("Accepted.") : _("Not accepted."));
        if (request.answer == REFUSED && request.is_open)
            run->offered = 0;
        if (is_right)
            run->proved |= 1u << SR_GATE_CONTACT;
    }
    explicit_bzero(&request, sizeof(request));
    return is_right;
}

/* ---- what the contact does */

struct reply {
    struct sr_identity me;
    enum sr_reset_kind kind;
    char code[SR_CODE_SIZE]; /* what was typed; empty: no digits */
    bool is_no;              /* the request is refused */
    struct sr_contact contact;
    bool is_mine;       /* there was something to answer */
    enum answer answer; /* that is stored */
};

static bool
reply_in(void *context, struct sr_enrolment *enrolment,
         const struct sr_account_time *time)
{
    struct reply *reply = context;
    struct sr_contact *contact = &enrolment->contact;

    reply->answer = NONE;
    reply->is_mine = is_of(contact, &reply->me);
    if (!reply->is_mine)
        return false;
    if (reply->kind == SR_RESET_DECLINE) {
        sr_enrolment_remove(enrolment, SR_GATE_CONTACT);
        return true;
    }
    if (reply->kind == SR_RESET_ACCEPT) {
        reply->is_mine = contact->accepted == 0;
        contact->accepted = time->wall;
        return reply->is_mine;
    }
    /* The request that was shown, and no later one. */
    reply->is_mine = contact->until > time->now && contact->answer == NONE &&
                     strcmp(contact->ref, reply->contact.ref) == 0;
    if (!reply->is_mine)
        return false;
    if (!reply->is_no && strcmp(contact->code, reply->code) == 0)
        reply->answer = CONFIRMED;
    else if (reply->is_no || ++contact->tries >= TRIES)
        reply->answer = REFUSED;
    contact->answer = reply->answer;
    return true;
}

static void
say_nothing_there(struct sr_run *run)
{
    sr_run_say(run,
               _("There is nothing of this user that you can answer now."));
}

/* Whether there is a request for this contact; it is shown. */
static bool
show_request(struct sr_run *run, struct sr_run *owner, struct reply *reply)
{
    const struct sr_identity id = sr_run_identity(owner);
    const sr_time now = sr_transaction_message(&run->txn).now;
    const struct sr_contact *contact = &reply->contact;
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    char *when;

    if (sr_enrolment_get(run->store, &owner->txn, &enrolment, &time) !=
        SR_STORE_OK)
        return false;
    reply->contact = enrolment.contact;
    explicit_bzero(&enrolment, sizeof(enrolment));
    if (!is_of(contact, &reply->me) || contact->until <= time.now ||
        contact->answer != NONE)
        return false;
    when = sr_message_when(contact->asked, now);
    sr_run_say(run, _("%s asks for a new password: %s, from %s. Reference: %s"),
               id.name, when == NULL ? "" : when,
               contact->source[0] == '\0' ? run->host : contact->source,
               contact->ref);
    free(when);
    sr_run_say(run, _("Confirm it only while you speak with this person and "
                      "know the voice. Type the six digits that are read to "
                      "you; or \"no\", and the reset ends."));
    return true;
}

/* Ask until the request has its answer, which is stored; else it stays NONE. */
static void
ask_digits(struct sr_run *run, struct sr_run *owner, struct reply *reply)
{
    bool is_there = true;

    while (is_there && reply->answer == NONE) {
        __attribute__((cleanup(sr_run_wipe))) char *typed =
            sr_run_ask(run, true, "%s", _("Six digits, or no: "));

        if (typed == NULL || typed[0] == '\0')
            break;
        reply->is_no =
            strcasecmp(typed, "no") == 0 || strcasecmp(typed, _("no")) == 0;
        if (!sr_code_read(typed, DIGITS, reply->code))
            reply->code[0] = '\0';
        is_there = sr_run_change(run, owner, reply_in, reply);
        if (!is_there)
            reply->answer = NONE;
        else if (!reply->is_mine)
            say_nothing_there(run);
        else if (!reply->is_no && reply->answer != CONFIRMED)
            sr_run_say(run, _("Not accepted."));
        is_there = is_there && reply->is_mine;
    }
}

/* Inform the owner, one of whose proofs somebody has, by the reference and the
 * source of that reset. */
static void
tell_owner(struct sr_run *owner, const struct sr_contact *contact)
{
    char *source = owner->txn.context.source.text;

    memcpy(owner->ref, contact->ref, sizeof(contact->ref));
    snprintf(source, sizeof(owner->txn.context.source.text), "%s",
             contact->source);
    sr_notice(owner, SR_NOTICE_CONTACT_REFUSED, NULL);
}

/* Answer a request. */
static bool
confirm(struct sr_run *run, struct sr_run *owner, struct reply *reply)
{
    char cause[SR_NAME_MAX + 32];

    if (show_request(run, owner, reply))
        ask_digits(run, owner, reply);
    else
        say_nothing_there(run);
    if (reply->answer == NONE)
        return false;
    snprintf(cause, sizeof(cause), "%s by %s",
             reply->answer == CONFIRMED ? "confirmed" : "refused",
             run->txn.name);
    sr_run_event(owner, SR_EVENT_CONTACT_ANSWERED, true, cause);
    if (reply->answer == CONFIRMED) {
        sr_run_say(run, _("It is confirmed."));
    } else {
        tell_owner(owner, &reply->contact);
        sr_run_say(run, _("It is refused, and that reset ends."));
    }
    return reply->answer == CONFIRMED || reply->is_no;
}

/* Accept or decline, and inform the owner. */
static bool
settle(struct sr_run *run, struct sr_run *owner, struct reply *reply)
{
    const struct sr_identity id = sr_run_identity(owner);
    const bool is_accept = reply->kind == SR_RESET_ACCEPT;
    const char *name = sr_gate_name(SR_GATE_CONTACT);

    if (owner->txn.ask == SR_STATUS_OK &&
        !sr_run_change(run, owner, reply_in, reply))
        return false;
    if (!reply->is_mine) {
        say_nothing_there(run);
        return false;
    }
    sr_run_event(owner, is_accept ? SR_EVENT_GATE_ADDED : SR_EVENT_GATE_REMOVED,
                 true, name);
    sr_notice(owner, is_accept ? SR_NOTICE_ADDED : SR_NOTICE_REMOVED, name);
    if (is_accept)
        sr_run_say(run,
                   _("You are the recovery contact of %s now. When you are "
                     "called for help with a reset, run: selfreset confirm %s"),
                   id.name, id.name);
    else
        sr_run_say(run, _("It is removed."));
    return true;
}

bool
sr_contact_answer(struct sr_run *run, enum sr_reset_kind kind, const char *name)
{
    struct reply reply = {.me = sr_run_identity(run), .kind = kind};
    struct sr_run owner;
    bool is_done;

    sr_run_other(run, name, &owner);
    is_done = kind == SR_RESET_CONFIRM ? confirm(run, &owner, &reply)
                                       : settle(run, &owner, &reply);
    sr_notice_wait(&owner, 0);
    sr_transaction_end(&owner.txn);
    explicit_bzero(&reply, sizeof(reply));
    return is_done;
}
