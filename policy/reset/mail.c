/*
 * Mail: codes by mail, as a gate and to confirm an address.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/reset/limit.h"
#include "policy/reset/mail.h"
#include "policy/reset/notice.h"
#include "policy/reset/queue.h"
#include "policy/util/words.h"

#define LIFE     600
#define MINUTE   60
#define HOUR     3600
#define HOUR_MAX 5
#define TRIES    3

/* The mails that count: a stranger does not use up those of the owner. */
static int
first_of(bool is_own)
{
    return is_own ? 0 : SR_SENDS_OWN;
}

static int
end_of(bool is_own)
{
    return is_own ? SR_SENDS_OWN : SR_SENDS;
}

bool
sr_mail_may_send(const struct sr_enrolment *enrolment, sr_time now, bool is_own)
{
    unsigned minute = 0, hour = 0, day = 0;

    for (int i = first_of(is_own); i < end_of(is_own); i++) {
        const sr_time at = enrolment->sent[i];

        minute += at != 0 && at > now - MINUTE;
        hour += at != 0 && at > now - HOUR;
        day += at != 0 && at > now - SR_DAY;
    }
    return minute == 0 && hour < HOUR_MAX &&
           day < (unsigned)(end_of(is_own) - first_of(is_own));
}

/* Without regard to case, in ASCII: the locale is the peer's. */
static bool
is_same(const char *a, const char *b)
{
    while (*a != '\0' &&
           (*a == *b || (((*a ^ *b) == 0x20) && ((*a | 0x20) >= 'a') &&
                         ((*a | 0x20) <= 'z')))) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

bool
sr_mail_is_of(const char *address, const struct sr_string_list *domains)
{
    const char *domain = strchr(address, '@');
    const size_t length = domain == NULL ? 0 : strlen(++domain);

    for (size_t i = 0; i < domains->count; i++) {
        const size_t size = strlen(domains->item[i]);

        if (length >= size &&
            is_same(domain + length - size, domains->item[i]) &&
            (length == size || domain[length - size - 1] == '.'))
            return true;
    }
    return false;
}

/* Note a mail in place of the oldest. */
static void
note_sent(struct sr_enrolment *enrolment, sr_time now, bool is_own)
{
    int oldest = first_of(is_own);

    for (int i = oldest + 1; i < end_of(is_own); i++) {
        if (enrolment->sent[i] < enrolment->sent[oldest])
            oldest = i;
    }
    enrolment->sent[oldest] = now;
}

/* The message with a code, without a name in it. */
static bool
queue_code(struct sr_run *run, const char *address, const char *code)
{
    char body[1024];
    bool is_queued;

    snprintf(body, sizeof(body),
             _("Code: %.4s %s\n\n"
               "It is for %s and valid for 10 minutes.\nReference: %s\n\n"
               "If you did not ask for it, nothing was changed, and there is "
               "nothing\nto do. Give the code to no other person."),
             code, code + 4, run->host, run->ref);
    is_queued = sr_notice_queue(run, address, _("Your code"), body, true, LIFE);
    explicit_bzero(body, sizeof(body));
    return is_queued;
}

/* ---- as a gate */

struct offer {
    char code[SR_CODE_SIZE];
    char hash[SR_HASH_MAX];
    char address[SR_ADDRESSES][SR_ADDRESS_MAX];
    bool is_new;
    bool is_own;
};

static bool
offer_in(void *context, struct sr_enrolment *enrolment,
         const struct sr_account_time *time)
{
    struct offer *offer = context;

    offer->is_new = sr_enrolment_has(enrolment, SR_GATE_MAIL, time) &&
                    sr_mail_may_send(enrolment, time->now, offer->is_own);
    if (!offer->is_new)
        return false;
    memcpy(enrolment->mail_code, offer->hash, sizeof(offer->hash));
    memcpy(offer->address, enrolment->address, sizeof(offer->address));
    enrolment->mail_until = time->now + LIFE;
    enrolment->mail_tries = 0;
    note_sent(enrolment, time->now, offer->is_own);
    return true;
}

/* What the user asks for, logged in, is counted with the account alone. */
static bool
begin_mail(struct sr_run *run, struct sr_mails *mails)
{
    memset(mails, 0, sizeof(*mails));
    return run->is_own || sr_limit_mail_begin(run, mails);
}

void
sr_mail_offer(struct sr_run *run)
{
    struct offer offer = {.is_own = run->is_own};
    struct sr_mails mails;
    const bool may = begin_mail(run, &mails);

    if (may && sr_code_make_digits(offer.code, SR_MAIL_LENGTH) &&
        sr_code_hash(offer.code, offer.hash) == 0 &&
        (run->why_not == NULL || run->is_own) &&
        sr_enrolment_change(run->store, &run->txn, offer_in, &offer) !=
            SR_STORE_OK)
        offer.is_new = false;
    if (may)
        sr_limit_mail_end(&mails, true);
    for (int i = 0; offer.is_new && i < SR_ADDRESSES; i++) {
        if (offer.address[i][0] != '\0')
            queue_code(run, offer.address[i], offer.code);
    }
    if (offer.is_new)
        sr_run_event(run, SR_EVENT_CODE_SENT, true, NULL);
    sr_notice_send(run);
    explicit_bzero(&offer, sizeof(offer));
}

/* ---- a new address */

struct addition {
    char address[SR_ADDRESS_MAX];
    int64_t wait;
    bool may_send;
};

static bool
note_in(void *context, struct sr_enrolment *enrolment,
        const struct sr_account_time *time)
{
    struct addition *addition = context;

    addition->may_send = sr_mail_may_send(enrolment, time->now, true);
    if (addition->may_send)
        note_sent(enrolment, time->now, true);
    return addition->may_send;
}

/* A second address is added to the first; a third one replaces the second. */
static bool
add_in(void *context, struct sr_enrolment *enrolment,
       const struct sr_account_time *time)
{
    const struct addition *addition = context;
    const bool is_second =
        enrolment->address[0][0] != '\0' &&
        strcasecmp(enrolment->address[0], addition->address) != 0;

    memset(enrolment->address[is_second], 0, SR_ADDRESS_MAX);
    memcpy(enrolment->address[is_second], addition->address, SR_ADDRESS_MAX);
    sr_enrolment_set_up(enrolment, SR_GATE_MAIL, addition->wait, time);
    return true;
}

static bool
ask_address(struct sr_run *run, char address[SR_ADDRESS_MAX])
{
    for (int tries = 0; tries < TRIES && !run->is_gone; tries++) {
        __attribute__((cleanup(sr_run_wipe))) char *answer =
            sr_run_ask(run, true, "%s", _("Mail address: "));

        if (answer == NULL)
            return false;
        if (!sr_queue_is_address(answer)) {
            sr_run_say(run, _("That is not an address such as "
                              "ann@example.org."));
        } else if (sr_mail_is_of(answer, &run->config->reset.mail_refuse)) {
            sr_run_say(run, _("That mailbox is opened by the password that the "
                              "code would reset. Use another one."));
        } else {
            snprintf(address, SR_ADDRESS_MAX, "%.255s", answer);
            return true;
        }
    }
    return false;
}

static bool
confirm(struct sr_run *run, const char *code)
{
    bool is_right = false;

    for (int tries = 0; tries < TRIES && !is_right && !run->is_gone; tries++) {
        char typed[SR_CODE_SIZE];
        __attribute__((cleanup(sr_run_wipe))) char *answer =
            sr_run_ask(run, true, "%s", _("Code from the mail: "));

        is_right = answer != NULL &&
                   sr_code_read(answer, SR_MAIL_LENGTH, typed) &&
                   strcmp(typed, code) == 0;
        if (!is_right && !run->is_gone)
            sr_run_say(run, _("Not accepted."));
    }
    return is_right;
}

bool
sr_mail_add(struct sr_run *run, int64_t wait)
{
    struct addition addition = {.wait = wait};
    char code[SR_CODE_SIZE];
    bool is_done = false;

    if (!ask_address(run, addition.address) ||
        !sr_code_make_digits(code, SR_MAIL_LENGTH))
        return false;
    if (sr_enrolment_change(run->store, &run->txn, note_in, &addition) !=
            SR_STORE_OK ||
        !addition.may_send) {
        sr_run_say(run, _("Too many mails were sent to your addresses. Try "
                          "again later."));
    } else if (queue_code(run, addition.address, code)) {
        sr_notice_send(run);
        sr_run_event(run, SR_EVENT_CODE_SENT, true, NULL);
        sr_run_say(run, _("A code of 8 digits is on its way to %s."),
                   addition.address);
        is_done = confirm(run, code) &&
                  sr_enrolment_change(run->store, &run->txn, add_in,
                                      &addition) == SR_STORE_OK;
    }
    explicit_bzero(code, sizeof(code));
    return is_done;
}
