/*
 * Offer: codes that are sent, as a gate and to confirm an address.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/keys.h"
#include "policy/reset/channel.h"
#include "policy/reset/limit.h"
#include "policy/reset/notice.h"
#include "policy/reset/offer.h"
#include "policy/util/words.h"

#define LIFE  600
#define TRIES 3

/* What is said of each channel. */
static const struct {
    const char *sent;   /* in a reset, to any name */
    const char *enough; /* no more messages now */
} texts[SR_CHANNELS] = {
    [SR_CHANNEL_MAIL] =
        {N_("If an address is set up for this name, a code of 8 digits is on "
            "its way to it. It is valid for 10 minutes. If none comes, look "
            "into the folder for spam, or type an empty line and choose "
            "another way."),
         N_("Too many mails were sent to your addresses. Try again later.")},
    [SR_CHANNEL_SMS] =
        {N_("If a number is set up for this name, a code of 8 digits is on its "
            "way to it by SMS. It is valid for 10 minutes. If none comes, type "
            "an empty line and choose another way."),
         N_("Too many codes were sent by SMS. Try again later.")},
    [SR_CHANNEL_VOICE] =
        {N_("If a number is set up for this name, it is called now, and a code "
            "of 8 digits is read out. It is valid for 10 minutes. If no call "
            "comes, type an empty line and choose another way."),
         N_("Too many calls were made. Try again later.")},
    [SR_CHANNEL_PUSH] =
        {N_("If an app is set up for this name, a message with a code of 8 "
            "digits is on its way to it. It is valid for 10 minutes. If none "
            "comes, type an empty line and choose another way."),
         N_("Too many messages were sent. Try again later.")},
};

/* ---- the number of a dialogue, and the message */

/* Make the number where there is none yet; false: no random bytes. */
static bool
make_number(struct sr_run *run)
{
    char digits[SR_CODE_SIZE];

    if (run->number[0] != '\0')
        return true;
    if (!sr_code_make_digits(digits, SR_NUMBER_LENGTH))
        return false;
    memcpy(run->number, digits, SR_NUMBER_LENGTH + 1);
    return true;
}

void
sr_offer_bind(const struct sr_run *run, enum sr_channel_id channel,
              char code[SR_CODE_SIZE])
{
    const size_t length = strnlen(code, SR_CODE_SIZE - 1);

    if (channel == SR_CHANNEL_PUSH && length > 0)
        snprintf(code + length, SR_CODE_SIZE - length, "%s", run->number);
}

/* What a person compares with the message. */
static void
say_number(struct sr_run *run, enum sr_channel_id channel)
{
    if (channel == SR_CHANNEL_PUSH)
        sr_run_say(run,
                   _("The message shows the number %s. If it shows another "
                     "one, it was not caused by you: do not use its code."),
                   run->number);
}

/* "1, 2, 3, ...": read out one by one. */
static void
spell(const char *code, char out[SR_CODE_SIZE * 3])
{
    size_t at = 0;

    for (; *code != '\0'; code++)
        at += (size_t)snprintf(out + at, SR_CODE_SIZE * 3 - at, "%s%c",
                               at == 0 ? "" : ", ", *code);
}

/* The text with a code, without the account's name in it. */
static void
write_text(const struct sr_run *run, enum sr_channel_id channel,
           const char *code, char *body, size_t size)
{
    char spelt[SR_CODE_SIZE * 3];

    spell(code, spelt);
    if (channel == SR_CHANNEL_MAIL)
        snprintf(body, size,
                 _("Code: %.4s %s\n\n"
                   "It is for %s and valid for 10 minutes.\nReference: %s\n\n"
                   "If you did not ask for it, nothing was changed, and there "
                   "is nothing\nto do. Give the code to no other person."),
                 code, code + 4, run->host, run->ref);
    else if (channel == SR_CHANNEL_SMS)
        snprintf(body, size,
                 _("Code: %.4s %s for %s, valid for 10 minutes. Give it to no "
                   "other person. Reference: %s"),
                 code, code + 4, run->host, run->ref);
    else if (channel == SR_CHANNEL_VOICE)
        snprintf(body, size,
                 _("This is a code for %s. The code is: %s. Once more: %s. "
                   "Give it to no other person."),
                 run->host, spelt, spelt);
    else
        snprintf(body, size,
                 _("Number: %s. Only if your screen shows this number, type "
                   "this code there: %.4s %s. It is for %s and valid for 10 "
                   "minutes. Give it to no other person. Reference: %s"),
                 run->number, code, code + 4, run->host, run->ref);
    explicit_bzero(spelt, sizeof(spelt));
}

static bool
queue_code(struct sr_run *run, enum sr_channel_id channel, const char *address,
           const char *code)
{
    char body[1024];
    const struct sr_letter letter = {
        .channel = channel,
        .address = address,
        .subject = _("Your code"),
        .body = body,
        .is_code = true,
        .life = LIFE,
    };
    bool is_queued;

    write_text(run, channel, code, body, sizeof(body));
    is_queued = sr_notice_queue(run, &letter);
    explicit_bzero(body, sizeof(body));
    return is_queued;
}

/* ---- as a gate */

struct offer {
    enum sr_channel_id channel;
    char code[SR_CODE_SIZE];
    char hash[SR_HASH_MAX];
    struct sr_enrolment enrolment; /* as it was then */
    const struct sr_reset_config *config;
    sr_time wall;
    bool is_new;
    bool is_own;
};

static bool
offer_in(void *context, struct sr_enrolment *enrolment,
         const struct sr_account_time *time)
{
    struct offer *offer = context;
    struct sr_sent *sent = &enrolment->sent[offer->channel];

    offer->is_new = sr_enrolment_has(enrolment, sr_channel_gate(offer->channel),
                                     offer->config, time) &&
                    sr_channel_may_send(enrolment, offer->channel, time->now,
                                        offer->is_own);
    if (!offer->is_new)
        return false;
    memcpy(sent->code, offer->hash, sizeof(offer->hash));
    sent->until = time->now + LIFE;
    sent->tries = 0;
    sr_channel_note(enrolment, offer->channel, time->now, offer->is_own);
    offer->enrolment = *enrolment;
    offer->wall = time->wall;
    return true;
}

/* What the user asks for, logged in, is counted with the account alone. */
static bool
begin_sending(struct sr_run *run, enum sr_channel_id channel,
              struct sr_sends *sends)
{
    memset(sends, 0, sizeof(*sends));
    return run->is_own || sr_limit_send_begin(run, channel, sends);
}

/* To every address of the channel that has not lapsed and that the
 * configuration still allows. */
static void
send_code(struct sr_run *run, struct offer *offer)
{
    const char *name = sr_channel_names[offer->channel];
    bool is_sent = false;

    for (unsigned i = 0; i < SR_ADDRESSES; i++) {
        const char *address =
            sr_enrolment_text(&offer->enrolment, offer->channel, i);

        if (address[0] == '\0' ||
            sr_enrolment_validity(&offer->enrolment, offer->channel, i,
                                  offer->config, offer->wall) == SR_LAPSED)
            continue;
        if (!sr_channel_is_allowed(&run->config->reset, offer->channel,
                                   address))
            sr_run_event(run, SR_EVENT_BAD_DESTINATION, false, name);
        else if (queue_code(run, offer->channel, address, offer->code))
            is_sent = true;
    }
    if (is_sent)
        sr_run_event(run, SR_EVENT_CODE_SENT, true, name);
}

void
sr_offer(struct sr_run *run, enum sr_channel_id channel)
{
    const int64_t since = sr_clock_milliseconds();
    struct offer offer = {.channel = channel,
                          .config = &run->config->reset,
                          .is_own = run->is_own};
    char bound[SR_CODE_SIZE];
    struct sr_sends sends;
    const bool may = begin_sending(run, channel, &sends);

    if (make_number(run) && may &&
        sr_code_make_digits(offer.code, SR_MAIL_LENGTH)) {
        memcpy(bound, offer.code, sizeof(bound));
        sr_offer_bind(run, channel, bound);
        if (sr_code_hash(bound, offer.hash) == 0 &&
            (run->why_not == NULL || run->is_own) &&
            sr_enrolment_change(run->store, &run->txn, offer_in, &offer) !=
                SR_STORE_OK)
            offer.is_new = false;
    }
    if (may)
        sr_limit_send_end(&sends, true);
    if (offer.is_new)
        send_code(run, &offer);
    sr_notice_send(run);
    explicit_bzero(&offer, sizeof(offer));
    explicit_bzero(bound, sizeof(bound));
    sr_run_keep_floor(run, since);
    sr_run_say(run, "%s", _(texts[channel].sent));
    say_number(run, channel);
}

/* ---- to one address */

struct proof {
    enum sr_channel_id channel;
    const char *address;
    bool may_send;
};

static bool
note_in(void *context, struct sr_enrolment *enrolment,
        const struct sr_account_time *time)
{
    struct proof *proof = context;

    proof->may_send =
        sr_channel_may_prove(enrolment, proof->channel, time->now);
    if (proof->may_send)
        sr_channel_note(enrolment, proof->channel, time->now, true);
    return proof->may_send;
}

static bool
confirm(struct sr_run *run, enum sr_channel_id channel, const char *code)
{
    bool is_right = false;

    for (int tries = 0; tries < TRIES && !is_right && !run->is_gone; tries++) {
        char typed[SR_CODE_SIZE];
        __attribute__((cleanup(sr_run_wipe))) char *answer = sr_run_ask(
            run, true, "%s",
            channel == SR_CHANNEL_MAIL    ? _("Code from the mail: ")
            : channel == SR_CHANNEL_VOICE ? _("Code from the call: ")
                                          : _("Code from the message: "));

        is_right = answer != NULL &&
                   sr_code_read(answer, SR_MAIL_LENGTH, typed) &&
                   strcmp(typed, code) == 0;
        explicit_bzero(typed, sizeof(typed));
        if (!is_right && !run->is_gone)
            sr_run_say(run, _("Not accepted."));
    }
    return is_right;
}

/* What the person now waits for. */
static void
say_sent(struct sr_run *run, const struct proof *proof)
{
    char masked[SR_ADDRESS_MAX];

    sr_channel_mask(proof->channel, proof->address, masked);
    if (proof->channel == SR_CHANNEL_VOICE)
        sr_run_say(run,
                   _("%s is called now, and a code of 8 digits is read "
                     "out."),
                   masked);
    else if (masked[0] == '\0')
        sr_run_say(run, _("A code of 8 digits is on its way to your device."));
    else
        sr_run_say(run, _("A code of 8 digits is on its way to %s."), masked);
    say_number(run, proof->channel);
}

bool
sr_offer_prove(struct sr_run *run, enum sr_channel_id channel,
               const char *address)
{
    struct proof proof = {.channel = channel, .address = address};
    char code[SR_CODE_SIZE];
    bool is_right = false;

    if (!make_number(run) || !sr_code_make_digits(code, SR_MAIL_LENGTH))
        return false;
    if (sr_enrolment_change(run->store, &run->txn, note_in, &proof) !=
            SR_STORE_OK ||
        !proof.may_send || !queue_code(run, channel, address, code)) {
        sr_run_say(run, "%s", _(texts[channel].enough));
    } else {
        sr_notice_send(run);
        sr_run_event(run, SR_EVENT_CODE_SENT, true, sr_channel_names[channel]);
        say_sent(run, &proof);
        is_right = confirm(run, channel, code);
    }
    explicit_bzero(code, sizeof(code));
    return is_right;
}
