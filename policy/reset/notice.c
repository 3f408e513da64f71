/*
 * Notice: what a user is informed of.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <iconv.h>
#include <langinfo.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include "policy/config/keys.h"
#include "policy/reset/budget.h"
#include "policy/reset/notice.h"
#include "policy/reset/queue.h"
#include "policy/util/error.h"
#include "policy/util/file_lock.h"
#include "policy/util/safe_open.h"
#include "policy/util/text.h"
#include "policy/util/utf8.h"
#include "policy/util/words.h"

#define LIFE (24 * 3600)
/* Bytes in an encoded word, which has 75 characters at most. */
#define WORD   30
#define BASE64 sodium_base64_VARIANT_ORIGINAL

/* What has happened, for the reader whose account it is. */
static const char *const texts[SR_NOTICE_KINDS] = {
    [SR_NOTICE_RESET] =
        N_("The password of your account was reset by self-service."),
    [SR_NOTICE_UNLOCK] =
        N_("A lockout of your account was ended by self-service."),
    [SR_NOTICE_ADDED] =
        N_("A way to reset the password of your account was set up."),
    [SR_NOTICE_REMOVED] =
        N_("A way to reset the password of your account was removed."),
    [SR_NOTICE_TICKET] =
        N_("The helpdesk has issued a ticket, by which the password of your "
           "account can be reset."),
    [SR_NOTICE_CONTACT_REFUSED] =
        N_("Your recovery contact has refused a reset of the password of your "
           "account, for which another proof was accepted before."),
};

static void
free_text(char **text)
{
    if (*text != NULL)
        explicit_bzero(*text, strlen(*text));
    free(*text);
}
#define AUTO_FREE __attribute__((cleanup(free_text)))

/* ---- the form of a mail */

/* The character set that texts are translated into. */
static const char *
charset(void)
{
    const char *set = nl_langinfo(CODESET);

    return strncmp(set, "ANSI_", 5) == 0 ? "UTF-8" : set;
}

/* Whole characters of `text`, WORD bytes at most; of what is none, a byte. */
static size_t
measure_word(const char *text)
{
    mbstate_t state = {0};
    size_t used = 0;

    while (text[used] != '\0') {
        size_t length = mbrlen(text + used, MB_LEN_MAX, &state);

        if (length == 0 || length > MB_LEN_MAX) {
            memset(&state, 0, sizeof(state));
            length = 1;
        }
        if (used + length > WORD)
            break;
        used += length;
    }
    return used;
}

/* A subject as a header has it (RFC 2047 2); NULL: out of memory. */
static char *
encode_subject(const char *subject)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    if (sr_utf8_is_ascii(subject)) {
        fputs(subject, out);
        subject = "";
    }
    while (subject[0] != '\0') {
        const size_t word = measure_word(subject);
        char encoded[sodium_base64_ENCODED_LEN(WORD, BASE64)];

        sodium_bin2base64(encoded, sizeof(encoded),
                          (const unsigned char *)subject, word, BASE64);
        subject += word;
        fprintf(out, "=?%s?B?%s%s", charset(), encoded,
                subject[0] == '\0' ? "?=" : "?=\n ");
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static char *
write_mail(const struct sr_run *run, const struct sr_letter *letter)
{
    AUTO_FREE char *header = encode_subject(letter->subject);

    return header == NULL
               ? NULL
               : sr_format("From: Self-service reset <%s>\n"
                           "To: <%s>\n"
                           "Subject: %s\n"
                           "Auto-Submitted: auto-generated\n"
                           "MIME-Version: 1.0\n"
                           "Content-Type: text/plain; charset=%s\n"
                           "Content-Transfer-Encoding: 8bit\n"
                           "\n"
                           "%s\n",
                           run->config->reset.mail_from, letter->address,
                           header, charset(), letter->body);
}

/* ---- the form for the programs of other channels */

/* A text of the locale in UTF-8, without control characters but line ends; what
 * cannot be converted becomes "?".  NULL: out of memory. */
static char *
to_utf8(const char *text)
{
    const size_t size = 4 * strlen(text) + 1;
    AUTO_FREE char *converted = calloc(1, size);
    char *out = calloc(1, size), *from = (char *)(uintptr_t)text,
         *to = converted;
    size_t left = strlen(text), room = size - 1;
    const iconv_t convert = iconv_open("UTF-8", charset());

    if (converted != NULL && convert != (iconv_t)-1 &&
        iconv(convert, &from, &left, &to, &room) != (size_t)-1)
        text = converted;
    if (convert != (iconv_t)-1)
        iconv_close(convert);
    if (out != NULL)
        sr_utf8_clean(text, true, out, size);
    return out;
}

/* The language of the texts, as their catalogue says in its header: letters. */
static void
find_language(char language[16])
{
    static const char key[] = "\nLanguage: ";
    const char *header = SR_WORDS_HEADER;
    const char *at = strstr(header, key);
    size_t length = 0;

    if (at != NULL)
        length = strspn(at + strlen(key), "abcdefghijklmnopqrstuvwxyz"
                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    if (at == NULL || length == 0 || length > 15)
        snprintf(language, 16, "en");
    else
        snprintf(language, 16, "%.*s", (int)length, at + strlen(key));
}

static char *
write_plain(const struct sr_run *run, const struct sr_letter *letter)
{
    AUTO_FREE char *text = to_utf8(letter->body);
    char language[16];

    find_language(language);
    return text == NULL
               ? NULL
               : sr_format("To: %s\n"
                           "Channel: %s\n"
                           "Type: %s\n"
                           "Reference: %s\n"
                           "Language: %s\n"
                           "\n"
                           "%s\n",
                           letter->address, sr_channel_names[letter->channel],
                           letter->is_code ? "code" : "notice", run->ref,
                           language, text);
}

/* ---- queueing */

/* Whether the budget lets it be sent; else after an event. */
static bool
is_within_budget(struct sr_run *run, const struct sr_letter *letter)
{
    const enum sr_budget_result result =
        sr_budget_take(run->store, &run->config->reset, letter->channel,
                       letter->address, letter->is_code);
    char cause[40];

    if (result == SR_BUDGET_OK)
        return true;
    snprintf(cause, sizeof(cause), "%s: %s", sr_channel_names[letter->channel],
             result == SR_BUDGET_HOST      ? "all"
             : result == SR_BUDGET_ADDRESS ? "one address"
                                           : "cannot be counted");
    sr_run_event(run,
                 result == SR_BUDGET_UNKNOWN ? SR_EVENT_STATE
                                             : SR_EVENT_SEND_BUDGET,
                 false, cause);
    return false;
}

bool
sr_notice_queue(struct sr_run *run, const struct sr_letter *letter)
{
    struct sr_queued queued = {
        .until = sr_transaction_message(&run->txn).now + letter->life,
        .channel = letter->channel,
        .is_code = letter->is_code,
    };
    AUTO_FREE char *message = NULL;
    int error = -ENOMEM;

    if (!is_within_budget(run, letter))
        return false;
    message = letter->channel == SR_CHANNEL_MAIL ? write_mail(run, letter)
                                                 : write_plain(run, letter);
    queued.message = message;
    memcpy(queued.ref, run->ref, sizeof(queued.ref) - 1);
    memcpy(queued.user, run->txn.name, sizeof(queued.user) - 1);
    if (message != NULL)
        error = sr_queue_put(&queued);
    if (error == 0) {
        run->has_queued = true;
        return true;
    }
    sr_run_event(
        run, letter->is_code ? SR_EVENT_SEND_FAILED : SR_EVENT_NOTICE_FAILED,
        false, sr_strerror(-error));
    return false;
}

/* ---- notices */

static char *
compose_mail(struct sr_run *run, enum sr_notice_kind kind, const char *what)
{
    const char *source = run->txn.context.source.text;
    AUTO_FREE char *way =
        what == NULL ? strdup("") : sr_format(_("\nWay: %s"), what);
    AUTO_FREE char *from =
        source[0] == '\0' ? strdup("") : sr_format(_("\nFrom: %s"), source);

    if (way == NULL || from == NULL)
        return NULL;
    return sr_message_fold(sr_format(
        _("%s\n\nHost: %s%s%s\nReference: %s\n\n"
          "If it was not you, ask %s at once. If you can still sign in on "
          "%s, run \"selfreset report %s\" there, which stops all resets "
          "of your password."),
        _(texts[kind]), run->host, way, from, run->ref, sr_run_contact(run),
        run->host, run->ref));
}

/* For a small screen, or to be read out. */
static char *
compose_short(struct sr_run *run, enum sr_notice_kind kind)
{
    return sr_format(_("%s (%s) If it was not you, ask %s at once. "
                       "Reference: %s"),
                     _(texts[kind]), run->host, sr_run_contact(run), run->ref);
}

/* Queue it; false: not. */
static bool
queue_notice(struct sr_run *run, enum sr_notice_kind kind, const char *what,
             enum sr_channel_id channel, const char *address)
{
    AUTO_FREE char *body = channel == SR_CHANNEL_MAIL
                               ? compose_mail(run, kind, what)
                               : compose_short(run, kind);
    const struct sr_letter letter = {
        .channel = channel,
        .address = address,
        .subject = _("Your account: recovery of the password"),
        .body = body,
        .life = LIFE,
    };

    return body != NULL && sr_notice_queue(run, &letter);
}

void
sr_notice_to(struct sr_run *run, enum sr_notice_kind kind, const char *what,
             enum sr_channel_id channel, const char *address)
{
    queue_notice(run, kind, what, channel, address);
    sr_notice_send(run);
}

void
sr_notice(struct sr_run *run, enum sr_notice_kind kind, const char *what)
{
    static const enum sr_channel_id order[SR_CHANNELS] = {
        SR_CHANNEL_MAIL, SR_CHANNEL_SMS, SR_CHANNEL_PUSH, SR_CHANNEL_VOICE};
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    bool is_sent = false;

    if (sr_enrolment_get(run->store, &run->txn, &enrolment, &time) !=
        SR_STORE_OK)
        return;
    for (int i = 0; i < SR_CHANNELS; i++) {
        const char *address;
        size_t size;

        if (order[i] == SR_CHANNEL_VOICE && is_sent)
            break;
        for (unsigned k = 0;
             (address = sr_enrolment_address(&enrolment, order[i], k, &size)) !=
             NULL;
             k++) {
            if (address[0] != '\0' &&
                queue_notice(run, kind, what, order[i], address))
                is_sent = true;
        }
    }
    explicit_bzero(&enrolment, sizeof(enrolment));
    sr_notice_send(run);
}

/* In a process of its own, since a program may be slow; without the
 * descriptors, whose other ends wait for their end. */
void
sr_notice_send(struct sr_run *run)
{
    struct sr_queue_result result;
    pid_t child;

    if (!run->has_queued)
        return;
    run->has_queued = false;
    sr_notice_wait(run, 0);
    child = fork();
    if (child == 0) {
        closefrom(0);
        sr_standard_fds_plug();
        signal(SIGCHLD, SIG_DFL);
        sr_queue_send(run->config, &result);
        _exit(0);
    }
    run->sender = child > 0 ? child : 0;
}

void
sr_notice_wait(struct sr_run *run, int64_t wait_ms)
{
    const int64_t until = sr_clock_milliseconds() + wait_ms;

    while (run->sender > 0) {
        const pid_t done = waitpid(run->sender, NULL, WNOHANG);

        if (done == run->sender || (done < 0 && errno != EINTR))
            run->sender = 0;
        else if (sr_clock_milliseconds() >= until)
            break;
        else
            sr_nap(5, 10);
    }
}
