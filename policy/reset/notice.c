/*
 * Notice: what a user is informed of by mail.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
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

bool
sr_notice_queue(struct sr_run *run, const char *address, const char *subject,
                const char *body, bool is_code, int64_t life)
{
    AUTO_FREE char *header = encode_subject(subject);
    AUTO_FREE char *message =
        header == NULL ? NULL
                       : sr_format("From: Self-service reset <%s>\n"
                                   "To: <%s>\n"
                                   "Subject: %s\n"
                                   "Auto-Submitted: auto-generated\n"
                                   "MIME-Version: 1.0\n"
                                   "Content-Type: text/plain; charset=%s\n"
                                   "Content-Transfer-Encoding: 8bit\n"
                                   "\n"
                                   "%s\n",
                                   run->config->reset.mail_from, address,
                                   header, charset(), body);
    struct sr_queued queued = {
        .until = sr_transaction_message(&run->txn).now + life,
        .is_code = is_code,
        .message = message,
    };
    int error = -ENOMEM;

    memcpy(queued.ref, run->ref, sizeof(queued.ref) - 1);
    memcpy(queued.user, run->txn.name, sizeof(queued.user) - 1);
    if (message != NULL)
        error = sr_queue_put(&queued);
    if (error == 0) {
        run->has_queued = true;
        return true;
    }
    sr_run_event(run, is_code ? SR_EVENT_SEND_FAILED : SR_EVENT_NOTICE_FAILED,
                 false, sr_strerror(-error));
    return false;
}

void
sr_notice(struct sr_run *run, enum sr_notice_kind kind, const char *what)
{
    const char *source = run->txn.context.source.text;
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    AUTO_FREE char *way =
        what == NULL ? strdup("") : sr_format(_("\nWay: %s"), what);
    AUTO_FREE char *from =
        source[0] == '\0' ? strdup("") : sr_format(_("\nFrom: %s"), source);
    AUTO_FREE char *body = NULL;

    if (way != NULL && from != NULL)
        body = sr_message_fold(sr_format(
            _("%s\n\nHost: %s%s%s\nReference: %s\n\n"
              "If it was not you, ask %s at once. If you can still sign in on "
              "%s, run \"selfreset report %s\" there, which stops all resets "
              "of your password."),
            _(texts[kind]), run->host, way, from, run->ref, sr_run_contact(run),
            run->host, run->ref));
    if (body == NULL || sr_enrolment_get(run->store, &run->txn, &enrolment,
                                         &time) != SR_STORE_OK)
        return;
    for (int i = 0; i < SR_ADDRESSES; i++) {
        if (enrolment.address[i][0] != '\0')
            sr_notice_queue(run, enrolment.address[i],
                            _("Your account: recovery of the password"), body,
                            false, LIFE);
    }
    explicit_bzero(&enrolment, sizeof(enrolment));
    sr_notice_send(run);
}

/* In a process of its own, since a mail program may be slow; without the
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
