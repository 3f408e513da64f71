/*
 * Address: what codes are sent to, as its owner sets it up and confirms it
 * again.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/config/keys.h"
#include "policy/reset/address.h"
#include "policy/reset/channel.h"
#include "policy/reset/gate.h"
#include "policy/reset/known.h"
#include "policy/reset/notice.h"
#include "policy/reset/offer.h"
#include "policy/util/words.h"

#define TRIES      3
#define KNOWN_MOST 4 /* that are proposed */

static const struct {
    const char *ask;
    const char *none;    /* that was no address */
    const char *refused; /* it is one, but not of those that may be used */
} texts[SR_CHANNELS] = {
    [SR_CHANNEL_MAIL] =
        {N_("Mail address: "),
         N_("That is not an address such as ann@example.org."),
         N_("That mailbox is opened by the password that the code would reset. "
            "Use another one.")},
    [SR_CHANNEL_SMS] =
        {N_("Telephone number, such as +49 151 23456789: "),
         N_("That is not a number of 8 to 15 digits that begins with \"+\" and "
            "the code of its country."),
         N_("Numbers that begin so are not called from this system. Use "
            "another one.")},
    [SR_CHANNEL_VOICE] =
        {N_("Telephone number, such as +49 151 23456789: "),
         N_("That is not a number of 8 to 15 digits that begins with \"+\" and "
            "the code of its country."),
         N_("Numbers that begin so are not called from this system. Use "
            "another one.")},
    [SR_CHANNEL_PUSH] =
        {N_("Name of your device or topic, as the app shows it: "),
         N_("That is not a name of 1 to 127 letters, digits and signs without "
            "spaces."),
         ""},
};

/* ---- a new one */

struct addition {
    enum sr_channel_id channel;
    char address[SR_ADDRESS_MAX];
    char former[SR_ADDRESS_MAX]; /* that it has replaced; empty: none */
    bool is_known;               /* the directory has it */
    int64_t wait;
};

/* A second address is added to the first where there is room; a further one
 * replaces the last, and a code that was sent there is of no use any more. */
static bool
add_in(void *context, struct sr_enrolment *enrolment,
       const struct sr_account_time *time)
{
    struct addition *addition = context;
    const enum sr_channel_id channel = addition->channel;
    size_t size;
    char *const first = sr_enrolment_address(enrolment, channel, 0, &size);
    char *const second = sr_enrolment_address(enrolment, channel, 1, &size);
    const bool is_second = second != NULL && first[0] != '\0' &&
                           !sr_channel_is_same(first, addition->address);
    char *const place = is_second ? second : first;

    memset(addition->former, 0, sizeof(addition->former));
    if (strcmp(place, addition->address) != 0)
        memcpy(addition->former, place, strnlen(place, size - 1));
    if (addition->former[0] != '\0')
        memset(enrolment->sent[channel].code, 0, SR_HASH_MAX);
    memset(place, 0, size);
    memcpy(place, addition->address, strnlen(addition->address, size - 1));
    enrolment->confirmation[channel][is_second] =
        (struct sr_confirmation){time->wall, addition->is_known};
    sr_enrolment_set_up(enrolment, sr_channel_gate(channel), addition->wait,
                        time);
    return true;
}

/* Say which of the known addresses may be used, and forget the others. */
static void
propose(struct sr_run *run, enum sr_channel_id channel, struct sr_known *known)
{
    unsigned count = 0;

    for (unsigned i = 0; i < known->count && count < KNOWN_MOST; i++) {
        if (sr_channel_is_allowed(&run->config->reset, channel,
                                  known->address[i]))
            memmove(known->address[count++], known->address[i], SR_ADDRESS_MAX);
    }
    known->count = count;
    if (count == 1)
        sr_run_say(run,
                   _("The directory has %s. To use it, press Enter; or type "
                     "another one."),
                   known->address[0]);
    else if (count > 1)
        sr_run_say(run, _("The directory has these. Type the number of one, or "
                          "another one:"));
    for (unsigned i = 0; count > 1 && i < count; i++)
        sr_run_say(run, " %u  %s", i + 1, known->address[i]);
}

/* What an answer means: itself, or a proposal. */
static const char *
resolve(const struct sr_known *known, const char *answer)
{
    if (known->count == 1 && answer[0] == '\0')
        return known->address[0];
    if (known->count > 1 && answer[0] >= '1' && answer[1] == '\0' &&
        (unsigned)(answer[0] - '1') < known->count)
        return known->address[answer[0] - '1'];
    return answer;
}

static bool
ask(struct sr_run *run, struct addition *addition)
{
    const enum sr_channel_id channel = addition->channel;
    struct sr_known known;

    sr_known_read(&run->txn, channel, &known);
    propose(run, channel, &known);
    for (int tries = 0; tries < TRIES && !run->is_gone; tries++) {
        __attribute__((cleanup(sr_run_wipe))) char *answer =
            sr_run_ask(run, true, "%s", _(texts[channel].ask));

        if (answer == NULL)
            return false;
        if (!sr_channel_read(channel, resolve(&known, answer),
                             addition->address)) {
            sr_run_say(run, "%s", _(texts[channel].none));
        } else if (!sr_channel_is_allowed(&run->config->reset, channel,
                                          addition->address)) {
            sr_run_say(run, "%s", _(texts[channel].refused));
        } else {
            addition->is_known = sr_known_has(&known, addition->address);
            return true;
        }
    }
    return false;
}

static bool
store(struct sr_run *run, struct addition *addition)
{
    if (!sr_run_change(run, run, add_in, addition))
        return false;
    if (addition->former[0] != '\0')
        sr_notice_to(run, SR_NOTICE_REMOVED,
                     sr_channel_names[addition->channel], addition->channel,
                     addition->former);
    if (addition->channel == SR_CHANNEL_SMS ||
        addition->channel == SR_CHANNEL_VOICE)
        sr_run_say(run, _("A telephone number can be taken over by another "
                          "person. Set up a way of another kind, too."));
    return true;
}

bool
sr_address_add(struct sr_run *run, enum sr_channel_id channel, int64_t wait)
{
    struct addition addition = {.channel = channel, .wait = wait};
    const bool is_done = ask(run, &addition) &&
                         sr_offer_prove(run, channel, addition.address) &&
                         store(run, &addition);

    explicit_bzero(&addition, sizeof(addition));
    return is_done;
}

/* ---- those that are set up */

/* Why an address is to be confirmed again. */
enum doubt {
    DOUBT_NONE,
    DOUBT_LOST, /* the directory has it no more */
    DOUBT_OVERDUE,
    DOUBT_LAPSED,
};

static enum doubt
find_doubt(const struct sr_run *run, const struct sr_enrolment *enrolment,
           enum sr_channel_id channel, unsigned number, sr_time wall)
{
    const struct sr_confirmation *confirmation =
        &enrolment->confirmation[channel][number];
    const char *address = sr_enrolment_text(enrolment, channel, number);
    struct sr_known known;

    if (address[0] == '\0')
        return DOUBT_NONE;
    switch (sr_enrolment_validity(enrolment, channel, number,
                                  &run->config->reset, wall)) {
    case SR_LAPSED:
        return DOUBT_LAPSED;
    case SR_OVERDUE:
        return DOUBT_OVERDUE;
    case SR_VALID:
        break;
    }
    if (confirmation->is_known == 0)
        return DOUBT_NONE;
    sr_known_read(&run->txn, channel, &known);
    return sr_known_has_lost(&known, confirmation, address) ? DOUBT_LOST
                                                            : DOUBT_NONE;
}

static void
say_doubt(struct sr_run *run, enum doubt doubt, sr_time confirmed, sr_time wall)
{
    const struct sr_reset_config *config = &run->config->reset;
    char *when;

    switch (doubt) {
    case DOUBT_NONE:
        break;
    case DOUBT_LOST:
        sr_run_say(run, _("  The directory does not have it any more."));
        break;
    case DOUBT_OVERDUE:
        when = sr_message_when(
            confirmed + config->reconfirm + config->reconfirm_grace, wall);
        sr_run_say(run,
                   _("  It is to be confirmed again. Unless that is done, it "
                     "cannot be used any more %s."),
                   when == NULL ? "" : when);
        free(when);
        break;
    case DOUBT_LAPSED:
        sr_run_say(run, _("  It was not confirmed for too long, and cannot be "
                          "used until that is done."));
        break;
    }
}

/* An address with the name of its gate, so that its owner recognises it. */
static void
name_address(struct sr_run *run, enum sr_channel_id channel,
             const char *address)
{
    char masked[SR_ADDRESS_MAX];

    sr_channel_mask(channel, address, masked);
    if (masked[0] != '\0')
        sr_run_say(run, _("  to %s"), masked);
}

void
sr_address_show(struct sr_run *run, const struct sr_enrolment *enrolment,
                enum sr_channel_id channel, sr_time wall)
{
    bool is_doubtful = false;

    for (unsigned i = 0; i < SR_ADDRESSES; i++) {
        const enum doubt doubt = find_doubt(run, enrolment, channel, i, wall);

        /* It cannot be masked, and nobody has proved anything. */
        if (channel != SR_CHANNEL_MAIL)
            name_address(run, channel,
                         sr_enrolment_text(enrolment, channel, i));
        say_doubt(run, doubt, sr_enrolment_confirmed(enrolment, channel, i),
                  wall);
        is_doubtful = is_doubtful || doubt != DOUBT_NONE;
    }
    if (is_doubtful)
        sr_run_say(run, _("  To confirm it, run: selfreset enroll"));
}

struct confirmation {
    enum sr_channel_id channel;
    const char *address;
    bool is_known;
    int64_t wait; /* of the gate, where the address has lapsed */
    const struct sr_reset_config *config;
    bool is_there;   /* it was not replaced meanwhile */
    bool is_waiting; /* the gate has to wait */
};

static bool
confirm_in(void *context, struct sr_enrolment *enrolment,
           const struct sr_account_time *time)
{
    struct confirmation *confirmation = context;
    const enum sr_channel_id channel = confirmation->channel;
    unsigned i = 0;

    while (i < SR_ADDRESSES && strcmp(sr_enrolment_text(enrolment, channel, i),
                                      confirmation->address) != 0)
        i++;
    confirmation->is_there = i < SR_ADDRESSES;
    if (!confirmation->is_there)
        return false;
    confirmation->is_waiting =
        confirmation->wait > 0 &&
        sr_enrolment_validity(enrolment, channel, i, confirmation->config,
                              time->wall) == SR_LAPSED;
    if (confirmation->is_waiting)
        enrolment->gate[sr_channel_gate(channel)].usable =
            time->now + confirmation->wait;
    enrolment->confirmation[channel][i] =
        (struct sr_confirmation){time->wall, confirmation->is_known};
    return true;
}

/* Whether it is confirmed. */
static bool
confirm(struct sr_run *run, enum sr_channel_id channel, const char *address,
        int64_t wait)
{
    struct confirmation confirmation = {.channel = channel,
                                        .address = address,
                                        .wait = wait,
                                        .config = &run->config->reset};
    struct sr_known known;

    sr_run_say(run, _("Is it still yours?\n 1  yes, send a code there now\n"
                      " 2  no, or later"));
    if (sr_run_choose(run, 2) != 1) {
        sr_run_say(run, _("To remove it, run \"selfreset remove\"."));
        return false;
    }
    if (!sr_offer_prove(run, channel, address))
        return false;
    sr_known_read(&run->txn, channel, &known);
    confirmation.is_known = sr_known_has(&known, address);
    if (!sr_run_change(run, run, confirm_in, &confirmation) ||
        !confirmation.is_there)
        return false;
    sr_run_event(run, SR_EVENT_GATE_CONFIRMED, true, sr_channel_names[channel]);
    sr_run_say(run, _("It is confirmed."));
    if (confirmation.is_waiting) {
        sr_notice(run, SR_NOTICE_ADDED, sr_channel_names[channel]);
        sr_gate_say_usable(run, wait);
    }
    return true;
}

/* Whether one of those that may be used needed to be, and is confirmed. */
static bool
confirm_one(struct sr_run *run, const struct sr_enrolment *enrolment,
            enum sr_channel_id channel, unsigned number, sr_time wall,
            int64_t wait)
{
    const char *address = sr_enrolment_text(enrolment, channel, number);
    const enum sr_gate_id gate = sr_channel_gate(channel);
    const enum doubt doubt = find_doubt(run, enrolment, channel, number, wall);

    if (doubt == DOUBT_NONE || (run->allowed >> gate & 1) == 0 ||
        !sr_channel_is_allowed(&run->config->reset, channel, address))
        return false;
    sr_run_say(run, "- %s", sr_gate_text(gate));
    name_address(run, channel, address);
    say_doubt(run, doubt, sr_enrolment_confirmed(enrolment, channel, number),
              wall);
    return confirm(run, channel, address, wait);
}

bool
sr_address_confirm(struct sr_run *run, int64_t wait)
{
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    bool is_any = false;

    if (sr_enrolment_get(run->store, &run->txn, &enrolment, &time) !=
        SR_STORE_OK)
        return false;
    for (unsigned i = 0; i < SR_CHANNELS * SR_ADDRESSES && !run->is_gone; i++) {
        if (confirm_one(run, &enrolment, (enum sr_channel_id)(i / SR_ADDRESSES),
                        i % SR_ADDRESSES, time.wall, wait))
            is_any = true;
    }
    explicit_bzero(&enrolment, sizeof(enrolment));
    return is_any;
}
