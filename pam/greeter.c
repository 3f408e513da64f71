/*
 * Greeter: the dialogue of a forgotten password, inside authenticate.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <security/pam_ext.h>

#include "pam/greeter.h"
#include "pam/prompt.h"
#include "policy/config/settings.h"
#include "policy/util/deadline.h"
#include "policy/util/text.h"
#include "policy/util/words.h"
#include "policy/wire/link.h"

#define HELPER_SOCKET SR_RUNDIR "/" SR_LINK_RESET

/* A program that answers whatever is asked, such as sddm with the password that
 * was typed, gets to an end. */
#define QUESTIONS_MAX 64

/* Bytes of a text in one message: lightdm's have 1024 with the user's name, and
 * one that is longer ends its greeter. */
#define TEXT_MAX 900

struct dialogue {
    struct sr_pam_context *ctx;
    int link; /* or -1 */
    struct sr_wire wire;
    char *text; /* said since the last question, or NULL */
    char *last; /* the last of what was said, or NULL */
    unsigned questions;
    bool is_done; /* what was wanted */
    int code;     /* of the call; PAM_SUCCESS: the dialogue goes on */
};

/* ---- texts */

/* Whether a line begins an item of a list, as fold.h knows it, or of a menu. */
static bool
is_item(const char *line)
{
    return strncmp(line, "- ", 2) == 0 ||
           (line[0] == ' ' && line[1] >= '0' && line[1] <= '9');
}

/* Whether no space is written between two characters: the end of `before`, and
 * the begin of `next`, of a script that has none (from U+3000 on, in UTF-8). */
static bool
is_spaceless(char before, char next)
{
    return (before & 0x80) != 0 && (unsigned char)next >= 0xe3;
}

/* Join the lines of each paragraph and item.  Behind a list "- ..." another
 * paragraph begins where a line is not indented. */
static void
unfold(char *text)
{
    bool is_list = text[0] == '-';
    char *put = text;

    for (const char *at = text; *at != '\0'; at++) {
        const bool is_indented = at[1] == ' ' && at[2] == ' ';

        if (*at != '\n') {
            *put++ = *at;
        } else if (at[1] == '\0' || is_item(at + 1) ||
                   (is_list && !is_indented)) {
            is_list = at[1] == '-';
            *put++ = '\n';
        } else {
            at += is_indented ? 2 : 0;
            if (!is_spaceless(put[-1], at[1]))
                *put++ = ' ';
        }
    }
    *put = '\0';
}

/* Keep a text until the next question. */
static void
say(struct dialogue *dialogue, const char *text)
{
    char *both;

    sr_secret_free(&dialogue->last);
    dialogue->last = strdup(text == NULL ? "" : text);
    if (dialogue->last != NULL)
        unfold(dialogue->last);
    both = dialogue->last == NULL ? NULL
           : dialogue->text == NULL
               ? strdup(dialogue->last)
               : sr_format("%s\n%s", dialogue->text, dialogue->last);
    sr_secret_free(&dialogue->text); /* it may have a code */
    dialogue->text = both;
    if (both == NULL)
        dialogue->code = PAM_BUF_ERR;
}

/* Show what was said; what is too long for one message by lines, or words. */
static void
show(struct dialogue *dialogue)
{
    char *at = dialogue->text;

    while (at != NULL && at[0] != '\0') {
        const size_t size = strlen(at);
        char *cut = size <= TEXT_MAX ? NULL : memrchr(at, '\n', TEXT_MAX);

        if (size > TEXT_MAX && cut == NULL)
            cut = memrchr(at, ' ', TEXT_MAX);
        if (cut != NULL)
            *cut = '\0';
        sr_context_converse(dialogue->ctx, PAM_TEXT_INFO, NULL, at);
        if (cut != NULL)
            *cut = ' '; /* all of it is to be wiped */
        at = cut == NULL ? NULL : cut + 1;
    }
    sr_secret_free(&dialogue->text);
}

/* Show what was said, and ask: also where libpam was told to be silent, since a
 * dialogue is nothing but its texts.  PAM_SUCCESS, with an answer; wipe it. */
static int
ask(struct dialogue *dialogue, int style, const char *prompt, char **answer)
{
    int code;

    *answer = NULL;
    show(dialogue);
    code = sr_context_converse(dialogue->ctx, style, answer, prompt);
    if (code == PAM_SUCCESS && *answer != NULL)
        return PAM_SUCCESS;
    sr_secret_free(answer);
    return code == PAM_BUF_ERR ? code : PAM_CONV_ERR;
}

/* The end of it: what was said stays until it was read. */
static void
finish(struct dialogue *dialogue)
{
    __attribute__((cleanup(sr_secret_free))) char *answer = NULL;

    if (dialogue->questions > 0 && dialogue->text != NULL)
        ask(dialogue, PAM_PROMPT_ECHO_ON, _("Press Enter to end. "), &answer);
    sr_context_tell(dialogue->ctx,
                    dialogue->is_done ? PAM_TEXT_INFO : PAM_ERROR_MSG,
                    dialogue->text == NULL ? dialogue->last : dialogue->text);
    if (dialogue->text == NULL)
        dialogue->last = NULL;
    dialogue->text = NULL;
}

/* ---- the helper */

/* It does not listen, or was lost. */
static void
lose(struct dialogue *dialogue, enum sr_text text)
{
    struct sr_pam_context *ctx = dialogue->ctx;

    dialogue->code = PAM_AUTHINFO_UNAVAIL;
    sr_context_event(ctx, SR_EVENT_HELPER_LOST, "failed",
                     "a dialogue of self-service reset", PAM_AUTHINFO_UNAVAIL);
    sr_context_tell_text(ctx, PAM_ERROR_MSG, text);
}

/* Send the message that was made.  A helper that has ended has said why before
 * it hears anything; that is read next. */
static void
send_message(struct dialogue *dialogue)
{
    const int sent = sr_link_send(dialogue->link, &dialogue->wire,
                                  sr_deadline_now() + SR_LINK_HEARD_MS);

    sr_wire_wipe(&dialogue->wire);
    if (sent != 0 && sent != -EPIPE)
        lose(dialogue, SR_TEXT_RESET_LOST);
}

static void
begin(struct dialogue *dialogue)
{
    const struct sr_context *context = &dialogue->ctx->txn.context;
    struct sr_wire *wire = &dialogue->wire;

    dialogue->link =
        sr_link_connect(HELPER_SOCKET, sr_deadline_now() + SR_LINK_HEARD_MS);
    if (dialogue->link < 0 || !sr_link_may_trust(dialogue->link)) {
        lose(dialogue, SR_TEXT_RESET_ABSENT);
        return;
    }
    sr_wire_hello(wire);
    send_message(dialogue);
    sr_wire_begin(wire, SR_WIRE_FLOW);
    sr_wire_put_text(wire, SR_WIRE_TEXT, "reset");
    sr_wire_put_text(wire, SR_WIRE_SERVICE, context->service);
    sr_wire_put_text(wire, SR_WIRE_TERMINAL, context->terminal);
    sr_language_put(wire);
    if (dialogue->code == PAM_SUCCESS)
        send_message(dialogue);
}

/* A question of the helper's. */
static void
answer_helper(struct dialogue *dialogue)
{
    __attribute__((cleanup(sr_secret_free))) char *answer = NULL;
    struct sr_wire *wire = &dialogue->wire;
    const char *text = sr_wire_text(wire, SR_WIRE_TEXT);
    const int style =
        sr_wire_number(wire, SR_WIRE_STYLE, SR_WIRE_HIDDEN) == SR_WIRE_HIDDEN
            ? PAM_PROMPT_ECHO_OFF
            : PAM_PROMPT_ECHO_ON;
    int code = PAM_CONV_ERR;

    if (dialogue->questions++ < QUESTIONS_MAX)
        code = ask(dialogue, style, text == NULL ? "" : text, &answer);
    sr_wire_begin(wire, SR_WIRE_ANSWER);
    if (code == PAM_SUCCESS)
        sr_wire_put_text(wire, SR_WIRE_TEXT, answer);
    else
        sr_wire_put_number(wire, SR_WIRE_CODE, SR_WIRE_NO_ANSWER);
    send_message(dialogue);
    if (code != PAM_SUCCESS)
        dialogue->code = code;
}

/* One message of the helper's. */
static void
hear(struct dialogue *dialogue)
{
    const struct sr_wire *wire = &dialogue->wire;

    if (sr_link_receive(dialogue->link, &dialogue->wire,
                        sr_deadline_now() + SR_LINK_ANSWERED_MS) != 0) {
        lose(dialogue, SR_TEXT_RESET_LOST);
        return;
    }
    switch (sr_wire_kind(wire)) {
    case SR_WIRE_SAY:
        say(dialogue, sr_wire_text(wire, SR_WIRE_TEXT));
        break;
    case SR_WIRE_ASK:
        answer_helper(dialogue);
        break;
    case SR_WIRE_REFUSE:
        say(dialogue, sr_wire_text(wire, SR_WIRE_TEXT));
        dialogue->code = PAM_AUTH_ERR;
        break;
    case SR_WIRE_END:
        dialogue->is_done = sr_wire_number(wire, SR_WIRE_CODE, 1) == 0;
        dialogue->code = PAM_AUTH_ERR;
        break;
    default:
        lose(dialogue, SR_TEXT_RESET_LOST);
    }
}

int
sr_greeter(struct sr_pam_context *ctx)
{
    struct dialogue *dialogue = calloc(1, sizeof(*dialogue));
    int code;

    if (dialogue == NULL)
        return PAM_BUF_ERR;
    dialogue->ctx = ctx;
    dialogue->code = PAM_SUCCESS;
    pam_fail_delay(ctx->pamh, (unsigned)(ctx->config->rules.delay * 1000000));
    ctx->flags &= ~(unsigned)PAM_SILENT;
    begin(dialogue);
    while (dialogue->code == PAM_SUCCESS)
        hear(dialogue);
    code = dialogue->code;
    if (code == PAM_AUTH_ERR)
        finish(dialogue);
    if (dialogue->link >= 0)
        close(dialogue->link);
    sr_wire_wipe(&dialogue->wire);
    sr_secret_free(&dialogue->text);
    sr_secret_free(&dialogue->last);
    free(dialogue);
    return code;
}
