/*
 * Served: the calls of another process, made here for it.
 *
 * The functions of libpam that this folder uses are defined here, over the
 * connection; the program that this unit is in is not linked with libpam.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <locale.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include "pam/caller.h"
#include "pam/calls.h"
#include "pam/guard.h"
#include "pam/language.h"
#include "pam/prompt.h"
#include "pam/served.h"
#include "policy/account/captive.h"
#include "policy/account/identity.h"
#include "policy/reset/flow.h"
#include "policy/reset/mail_trial.h"
#include "policy/util/deadline.h"
#include "policy/util/text.h"
#include "policy/util/words.h"
#include "policy/wire/link.h"

/* How long a step may last, in milliseconds: the message that is due; the
 * input of a user, which for a password of authenticate may come later, over a
 * new connection, and which for the first questions of a reset, whose answers
 * everybody knows, comes soon; the next call. */
#define MESSAGE_MS  10000
#define PASSWORD_MS 60000
#define TYPED_MS    600000
#define FIRST_MS    120000
#define IDLE_MS     120000
/* And a whole dialogue of self-service reset. */
#define FLOW_MS 900000

#define FIRST_QUESTIONS 2 /* the name, and the choice of a way */

#define ARGUMENTS_MAX 32

enum { ITEMS = PAM_AUTHTOK_TYPE + 1 };

/* What a call keeps in the handle. */
struct datum {
    struct datum *next;
    char *name;
    void *data;
    void (*cleanup)(pam_handle_t *pamh, void *data, int status);
};

struct pam_handle {
    const struct sr_served_peer *peer;
    int fd;
    struct sr_wire *wire; /* the message that comes or goes */
    enum sr_pam_call call;
    int flags;
    char *item[ITEMS];
    char *terminal;
    struct sr_string_list variable; /* "NAME=VALUE" */
    struct sr_string_list changed;  /* by this call: the same, or "NAME" */
    struct sr_string_list argument;
    struct datum *data;       /* the latest first */
    uint32_t delay;           /* microseconds */
    int64_t end;              /* of the dialogue of reset; 0: this is none */
    const char *for_agent[3]; /* arguments of a question that an ssh-agent may
                                 answer */
    int first;    /* questions of it that are still to be answered soon */
    bool is_over; /* the peer is gone, or too late */
};

/* ---- items */

int
pam_get_item(const pam_handle_t *pamh, int type, const void **value)
{
    if (type < 0 || type >= ITEMS)
        return PAM_BAD_ITEM;
    *value = pamh->item[type];
    return PAM_SUCCESS;
}

/* Replace a text, which may be a secret. */
static int
replace(char **text, const char *fresh)
{
    char *copy = fresh == NULL ? NULL : strdup(fresh);

    if (fresh != NULL && copy == NULL)
        return PAM_BUF_ERR;
    sr_secret_free(text);
    *text = copy;
    return PAM_SUCCESS;
}

int
pam_set_item(pam_handle_t *pamh, int type, const void *value)
{
    if (type < 0 || type >= ITEMS)
        return PAM_BAD_ITEM;
    return replace(&pamh->item[type], value);
}

int
pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
    (void)prompt; /* the peer has asked already */
    *user = pamh->item[PAM_USER];
    return *user == NULL ? PAM_CONV_ERR : PAM_SUCCESS;
}

/* ---- the environment of the handle */

/* Where NAME of "NAME" or "NAME=VALUE" is in a list; its count: nowhere. */
static size_t
find_variable(const struct sr_string_list *list, const char *text)
{
    const size_t length = strcspn(text, "=");
    size_t at = 0;

    while (at < list->count && (strncmp(list->item[at], text, length) != 0 ||
                                list->item[at][length] != '='))
        at++;
    return at;
}

const char *
pam_getenv(pam_handle_t *pamh, const char *name)
{
    const size_t at = find_variable(&pamh->variable, name);

    return at == pamh->variable.count
               ? NULL
               : pamh->variable.item[at] + strlen(name) + 1;
}

int
pam_putenv(pam_handle_t *pamh, const char *text)
{
    struct sr_string_list *list = &pamh->variable;
    const size_t at = find_variable(list, text);

    if (at < list->count) {
        free(list->item[at]);
        list->item[at] = list->item[--list->count];
    }
    if (sr_string_list_add(&pamh->changed, text, strlen(text)) != 0 ||
        (strchr(text, '=') != NULL &&
         sr_string_list_add(list, text, strlen(text)) != 0))
        return PAM_BUF_ERR;
    return PAM_SUCCESS;
}

/* ---- what calls keep */

static struct datum **
find_datum(pam_handle_t *pamh, const char *name)
{
    struct datum **at = &pamh->data;

    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

int
pam_get_data(const pam_handle_t *pamh, const char *name, const void **data)
{
    for (const struct datum *at = pamh->data; at != NULL; at = at->next) {
        if (strcmp(at->name, name) == 0) {
            *data = at->data;
            return PAM_SUCCESS;
        }
    }
    return PAM_NO_MODULE_DATA;
}

int
pam_set_data(pam_handle_t *pamh, const char *name, void *data,
             void (*cleanup)(pam_handle_t *pamh, void *data, int status))
{
    struct datum *datum = *find_datum(pamh, name);

    if (datum != NULL) {
        if (datum->cleanup != NULL)
            datum->cleanup(pamh, datum->data, PAM_DATA_REPLACE);
    } else {
        datum = calloc(1, sizeof(*datum));
        if (datum == NULL || (datum->name = strdup(name)) == NULL) {
            free(datum);
            return PAM_BUF_ERR;
        }
        datum->next = pamh->data;
        pamh->data = datum;
    }
    datum->data = data;
    datum->cleanup = cleanup;
    return PAM_SUCCESS;
}

/* ---- the conversation */

/* Send the message that was made; the connection is over when it cannot be. */
static bool
send_message(pam_handle_t *pamh)
{
    if (!pamh->is_over)
        pamh->is_over = sr_link_send(pamh->fd, pamh->wire,
                                     sr_deadline_now() + MESSAGE_MS) != 0;
    sr_wire_wipe(pamh->wire);
    return !pamh->is_over;
}

/* Say something of the dialogue itself: as the last message, or before it. */
static void
say_of_end(pam_handle_t *pamh, enum sr_wire_kind kind, enum sr_text text)
{
    const struct sr_message_context say = {.now = SR_TIME_UNKNOWN};
    char *out = sr_message_text(text, &say);

    sr_wire_begin(pamh->wire, kind);
    sr_wire_put_number(pamh->wire, SR_WIRE_STYLE, PAM_TEXT_INFO);
    sr_wire_put_text(pamh->wire, SR_WIRE_TEXT, out);
    free(out);
    send_message(pamh);
}

/* Receive the one that is due. */
static bool
receive_message(pam_handle_t *pamh, int wait_ms)
{
    int64_t end = sr_deadline_now() + wait_ms;
    int result = -EPIPE;

    if (pamh->end != 0 && pamh->end < end)
        end = pamh->end;
    if (!pamh->is_over)
        result = sr_link_receive(pamh->fd, pamh->wire, end);
    if (result == -ETIMEDOUT && pamh->end != 0)
        say_of_end(pamh, SR_WIRE_REFUSE, SR_TEXT_RESET_LATE);
    pamh->is_over = result != 0;
    return !pamh->is_over;
}

/* The answer to a question. */
static int
take_answer(pam_handle_t *pamh, char **answer)
{
    const int wait_ms = pamh->first > 0             ? FIRST_MS
                        : pamh->call == SR_PAM_AUTH ? PASSWORD_MS
                                                    : TYPED_MS;
    const char *text;
    int code;

    if (!receive_message(pamh, wait_ms))
        return PAM_CONV_ERR;
    if (pamh->first > 0)
        pamh->first--;
    if (sr_wire_kind(pamh->wire) != SR_WIRE_ANSWER) {
        pamh->is_over = true;
        return PAM_CONV_ERR;
    }
    text = sr_wire_text(pamh->wire, SR_WIRE_TEXT);
    code = (int)sr_wire_number(pamh->wire, SR_WIRE_CODE, PAM_SUCCESS);
    if (code == PAM_SUCCESS)
        code = text == NULL ? PAM_CONV_ERR : replace(answer, text);
    sr_wire_wipe(pamh->wire);
    return code;
}

int
pam_prompt(pam_handle_t *pamh, int style, char **answer, const char *pattern,
           ...)
{
    const bool is_question =
        style == PAM_PROMPT_ECHO_OFF || style == PAM_PROMPT_ECHO_ON;
    va_list arguments;
    char *text;

    va_start(arguments, pattern);
    text = sr_format_list(pattern, arguments);
    va_end(arguments);
    if (text == NULL)
        return PAM_BUF_ERR;
    sr_wire_begin(pamh->wire, is_question ? SR_WIRE_ASK : SR_WIRE_SAY);
    sr_wire_put_number(pamh->wire, SR_WIRE_STYLE, (uint32_t)style);
    sr_wire_put_text(pamh->wire, SR_WIRE_TEXT, text);
    for (size_t i = 0; is_question && i < 3; i++)
        sr_wire_put_text(pamh->wire, SR_WIRE_ARGUMENT, pamh->for_agent[i]);
    sr_secret_free(&text); /* it may have recovery codes */
    if (!send_message(pamh))
        return PAM_CONV_ERR;
    return is_question && answer != NULL ? take_answer(pamh, answer)
                                         : PAM_SUCCESS;
}

/* ---- the rest of libpam */

int
pam_fail_delay(pam_handle_t *pamh, unsigned microseconds)
{
    if (pamh->delay < microseconds)
        pamh->delay = microseconds;
    return PAM_SUCCESS;
}

void
pam_syslog(const pam_handle_t *pamh, int priority, const char *pattern, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, pattern);
    vsnprintf(line, sizeof(line), pattern, arguments);
    va_end(arguments);
    syslog(LOG_AUTHPRIV | priority, "pam_selfreset(%s): %s",
           pamh->item[PAM_SERVICE] == NULL ? "" : pamh->item[PAM_SERVICE],
           line);
}

struct passwd *
pam_modutil_getpwnam(pam_handle_t *pamh, const char *user)
{
    (void)pamh; /* one thread, and no caller keeps it */
    return getpwnam(user);
}

/* ---- the caller */

static bool
is_root(const pam_handle_t *pamh)
{
    return pamh->peer->uid == 0;
}

void
sr_caller_find(const pam_handle_t *pamh, struct sr_pam_caller *caller)
{
    caller->real_uid = is_root(pamh) ? pamh->peer->real_uid : pamh->peer->uid;
    caller->is_trusted = true;
    caller->process = pamh->peer->process;
    caller->keeps_tickets = is_root(pamh);
}

void
sr_caller_terminal(const pam_handle_t *pamh, char *terminal, size_t size)
{
    snprintf(terminal, size, "%s",
             pamh->terminal == NULL ? "" : pamh->terminal);
}

bool
sr_hand_over(struct sr_pam_context *ctx, const struct sr_config *config,
             int *code)
{
    (void)ctx;
    (void)config;
    (void)code;
    return false; /* this is where it is handed to */
}

/* ---- a call */

/* Speak the language of the peer. */
static void
set_language(const struct sr_wire *wire)
{
    const char *locale = sr_wire_text(wire, SR_WIRE_LOCALE);
    const char *language = sr_wire_text(wire, SR_WIRE_LANGUAGE);

    bindtextdomain(SR_WORDS, SR_LOCALEDIR);
    if (!sr_language_is_name(locale) || setlocale(LC_ALL, locale) == NULL ||
        !SR_WORDS_FIT)
        setlocale(LC_ALL, "C");
    if (sr_language_is_name(language))
        setenv("LANGUAGE", language, 1);
    else
        unsetenv("LANGUAGE");
}

/* What every peer may say. */
static int
take_common(pam_handle_t *pamh)
{
    static const struct {
        int type;
        enum sr_wire_tag tag;
    } items[] = {
        {PAM_SERVICE, SR_WIRE_SERVICE}, {PAM_USER, SR_WIRE_USER},
        {PAM_AUTHTOK, SR_WIRE_AUTHTOK}, {PAM_OLDAUTHTOK, SR_WIRE_OLDAUTHTOK},
        {PAM_RHOST, SR_WIRE_RHOST},     {PAM_RUSER, SR_WIRE_RUSER},
        {PAM_TTY, SR_WIRE_TTY},
    };
    const size_t count = is_root(pamh) ? 7 : 4;
    int code = PAM_SUCCESS;

    set_language(pamh->wire);
    for (size_t i = 0; i < count && code == PAM_SUCCESS; i++)
        code = replace(&pamh->item[items[i].type],
                       sr_wire_text(pamh->wire, items[i].tag));
    return code;
}

/* What root says besides: the terminal, the environment and the arguments. */
static int
take_of_root(pam_handle_t *pamh)
{
    const char *text;

    if (replace(&pamh->terminal, sr_wire_text(pamh->wire, SR_WIRE_TERMINAL)) !=
        PAM_SUCCESS)
        return PAM_BUF_ERR;
    for (size_t i = 0;
         (text = sr_wire_text_at(pamh->wire, SR_WIRE_VARIABLE, i)) != NULL;
         i++) {
        if (pam_putenv(pamh, text) != PAM_SUCCESS)
            return PAM_BUF_ERR;
    }
    for (size_t i = 0;
         (text = sr_wire_text_at(pamh->wire, SR_WIRE_ARGUMENT, i)) != NULL;
         i++) {
        if (sr_string_list_add(&pamh->argument, text, strlen(text)) != 0)
            return PAM_BUF_ERR;
    }
    return pamh->argument.count <= ARGUMENTS_MAX ? PAM_SUCCESS
                                                 : PAM_SERVICE_ERR;
}

/* Take the call out of the message. */
static int
take_call(pam_handle_t *pamh)
{
    const struct sr_wire *wire = pamh->wire;
    const uint32_t call =
        sr_wire_number(wire, SR_WIRE_CALL_NUMBER, SR_PAM_CLOSE);
    int code;

    sr_string_list_free(&pamh->variable);
    sr_string_list_free(&pamh->argument);
    pamh->call = call < SR_PAM_CLOSE ? (enum sr_pam_call)call : SR_PAM_CLOSE;
    pamh->flags = (int)sr_wire_number(wire, SR_WIRE_FLAGS, 0);
    pamh->delay = 0;
    code = take_common(pamh);
    if (code == PAM_SUCCESS && is_root(pamh))
        code = take_of_root(pamh);
    sr_string_list_free(&pamh->changed);
    sr_wire_wipe(pamh->wire);
    return code;
}

/* Whether the name that the peer gives is its own: of its uid. */
static bool
is_own(const pam_handle_t *pamh)
{
    const char *user = pamh->item[PAM_USER];
    struct sr_nss_account account;

    if (user == NULL)
        return false;
    sr_nss_account_find(user, &account);
    return account.exists == SR_YES && account.uid == pamh->peer->uid;
}

/* Whether the peer may have this call made; else the cause. */
static bool
may_call(const pam_handle_t *pamh, const char **cause)
{
    *cause = NULL;
    if (pamh->call == SR_PAM_CLOSE)
        *cause = "not a call";
    else if (!is_root(pamh) && pamh->call != SR_PAM_AUTH &&
             pamh->call != SR_PAM_ACCOUNT)
        *cause = "a call that only root may ask for";
    else if (!is_root(pamh) && !is_own(pamh))
        *cause = "an account that is not the caller's own";
    return *cause == NULL;
}

static int
make_call(pam_handle_t *pamh)
{
    const char *argument[ARGUMENTS_MAX + 1] = {NULL};

    for (size_t i = 0; i < pamh->argument.count; i++)
        argument[i] = pamh->argument.item[i];
    if (pamh->call == SR_PAM_CRED || pamh->call == SR_PAM_OPEN) {
        /* The session is made by the peer. */
        sr_guard_confirm(pamh, pamh->call == SR_PAM_OPEN);
        return PAM_SUCCESS;
    }
    return sr_pam_call(pamh, pamh->call, pamh->flags, (int)pamh->argument.count,
                       argument);
}

static void
send_end(pam_handle_t *pamh, int code)
{
    struct sr_wire *wire = pamh->wire;

    sr_wire_begin(wire, SR_WIRE_END);
    sr_wire_put_number(wire, SR_WIRE_CODE, (uint32_t)code);
    sr_wire_put_number(wire, SR_WIRE_DELAY, pamh->delay);
    sr_wire_put_text(wire, SR_WIRE_AUTHTOK, pamh->item[PAM_AUTHTOK]);
    sr_wire_put_text(wire, SR_WIRE_OLDAUTHTOK, pamh->item[PAM_OLDAUTHTOK]);
    for (size_t i = 0; i < pamh->changed.count; i++)
        sr_wire_put_text(wire, SR_WIRE_VARIABLE, pamh->changed.item[i]);
    send_message(pamh);
    replace(&pamh->item[PAM_AUTHTOK], NULL);
    replace(&pamh->item[PAM_OLDAUTHTOK], NULL);
}

/* ---- a connection */

static void
refuse(pam_handle_t *pamh, const char *cause, enum sr_text reason)
{
    const struct sr_message_context say = {.now = SR_TIME_UNKNOWN};
    const struct sr_event event = {
        .id = SR_EVENT_HELPER_REFUSED,
        .uid = pamh->peer->uid,
        .service = "selfreset-helper",
        .channel = "helper",
        .result = "failed",
        .cause = cause,
        .pam_code = -1,
    };
    char *text = sr_message_text(reason, &say);

    sr_event_send(&event);
    sr_wire_begin(pamh->wire, SR_WIRE_REFUSE);
    sr_wire_put_number(pamh->wire, SR_WIRE_STYLE, PAM_ERROR_MSG);
    sr_wire_put_text(pamh->wire, SR_WIRE_TEXT, text);
    free(text);
    send_message(pamh);
    pamh->is_over = true;
}

/* The first message: the version of the protocol. */
static void
greet(pam_handle_t *pamh)
{
    if (!receive_message(pamh, MESSAGE_MS))
        return;
    if (sr_wire_kind(pamh->wire) != SR_WIRE_HELLO ||
        sr_wire_number(pamh->wire, SR_WIRE_VERSION_NUMBER, 0) !=
            SR_WIRE_VERSION)
        refuse(pamh, "another version of the protocol", SR_TEXT_HELPER_LOST);
}

/* ---- a dialogue of self-service reset */

/* Take what the peer says of it out of the message. */
static int
take_flow(pam_handle_t *pamh, bool is_trusted)
{
    const struct sr_wire *wire = pamh->wire;
    const char *operand = sr_wire_text(wire, SR_WIRE_ARGUMENT);
    int code;

    sr_string_list_free(&pamh->argument);
    set_language(wire);
    code = replace(&pamh->terminal, sr_wire_text(wire, SR_WIRE_TERMINAL));
    if (code == PAM_SUCCESS && is_trusted)
        code =
            replace(&pamh->item[PAM_RHOST], sr_wire_text(wire, SR_WIRE_RHOST));
    if (code == PAM_SUCCESS && is_root(pamh))
        code = replace(&pamh->item[PAM_SERVICE],
                       sr_wire_text(wire, SR_WIRE_SERVICE));
    if (code == PAM_SUCCESS && operand != NULL &&
        sr_string_list_add(&pamh->argument, operand, strlen(operand)) != 0)
        code = PAM_BUF_ERR;
    sr_wire_wipe(pamh->wire);
    return code;
}

static bool
say_of_flow(void *data, const char *text)
{
    return pam_prompt(data, PAM_TEXT_INFO, NULL, "%s", text) == PAM_SUCCESS;
}

static bool
ask_of_flow(void *data, const char *prompt, bool is_shown, char **answer)
{
    *answer = NULL;
    return pam_prompt(data, is_shown ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF,
                      answer, "%s", prompt) == PAM_SUCCESS;
}

static bool
ask_agent_of_flow(void *data, const char *prompt, const char *key,
                  const char *line, char **answer)
{
    pam_handle_t *pamh = data;
    bool is_answered;

    pamh->for_agent[0] = line == NULL ? SR_WIRE_PUBLIC_KEY : SR_WIRE_SIGNATURE;
    pamh->for_agent[1] = key;
    pamh->for_agent[2] = line;
    is_answered = ask_of_flow(data, prompt, true, answer);
    memset(pamh->for_agent, 0, sizeof(pamh->for_agent));
    return is_answered;
}

/* Many people have the captive account; few of them are at one place. */
static const char *
admit_captive(const pam_handle_t *pamh)
{
    struct sr_source source = {.text = ""};

    if (pamh->item[PAM_RHOST] != NULL)
        sr_source_peer(&source, pamh->item[PAM_RHOST]);
    return pamh->peer->admit(source.text);
}

/*
 * Whether the peer may have this dialogue; else the cause.  The captive account
 * is nobody's own.  Any user may reset what he has forgotten, as he could by
 * that account.
 */
static bool
may_talk(const pam_handle_t *pamh, enum sr_reset_kind kind, bool is_captive,
         const char **cause)
{
    *cause = NULL;
    if (kind == SR_RESET_KINDS)
        *cause = "no dialogue of that name";
    else if (is_captive && kind != SR_RESET_RESET)
        *cause = "a dialogue about the captive account";
    else if (is_captive)
        *cause = admit_captive(pamh);
    return *cause == NULL;
}

/* How ready a user is for a reset, which a login asks: the code of the answer.
 */
static int
readiness_of(const pam_handle_t *pamh)
{
    const char *user = sr_wire_text(pamh->wire, SR_WIRE_USER);
    struct sr_reset_peer peer = {.process = pamh->peer->process};
    struct sr_nss_account account = {.exists = SR_NO};
    enum sr_readiness readiness = SR_READY;

    if (user != NULL)
        sr_nss_account_find(user, &account);
    peer.uid = peer.real_uid = account.uid;
    if (account.exists == SR_YES)
        readiness = sr_reset_readiness(&peer);
    return readiness == SR_READY           ? PAM_SUCCESS
           : readiness == SR_READY_OVERDUE ? SR_WIRE_OVERDUE
                                           : PAM_AUTHTOK_ERR;
}

/* Try the mail program, and say what came of it. */
static bool
try_mail(pam_handle_t *pamh)
{
    const char *text = sr_wire_text(pamh->wire, SR_WIRE_ARGUMENT);
    char *address = text == NULL ? NULL : strdup(text);
    char why[SR_MAIL_TRIAL_TEXT];
    const bool is_good = sr_mail_trial(NULL, address, why);

    pam_prompt(pamh, PAM_TEXT_INFO, NULL, "%s", why);
    free(address);
    return is_good;
}

/* Have a dialogue.  The network address is only for root and for the captive
 * account to say, whose program is ours. */
static void
serve_flow(pam_handle_t *pamh)
{
    const bool is_captive = sr_captive_has_uid(pamh->peer->uid);
    const bool is_trusted = is_root(pamh) || is_captive;
    const struct sr_reset_talk talk = {
        .say = say_of_flow,
        .ask = ask_of_flow,
        .ask_agent = ask_agent_of_flow,
        .data = pamh,
    };
    struct sr_reset_peer peer = {
        .uid = pamh->peer->uid,
        .real_uid = pamh->peer->real_uid,
        .process = pamh->peer->process,
        .service = "selfreset",
    };
    const char *name = sr_wire_text(pamh->wire, SR_WIRE_TEXT);
    const enum sr_reset_kind kind =
        name == NULL ? SR_RESET_KINDS : sr_reset_find(name);
    enum sr_reset_end end = SR_RESET_REFUSED;
    const char *cause;
    int code;

    pamh->call = SR_PAM_PASSWORD; /* whose answers may take the longest */
    pamh->end = sr_deadline_now() + FLOW_MS;
    pamh->first = kind == SR_RESET_RESET ? FIRST_QUESTIONS : 0;
    code = take_flow(pamh, is_trusted);
    if (!may_talk(pamh, kind, is_captive, &cause)) {
        refuse(pamh, cause,
               is_captive && kind != SR_RESET_RESET ? SR_TEXT_RESET_ONLY
                                                    : SR_TEXT_RESET_BUSY);
        return;
    }
    peer.rhost = pamh->item[PAM_RHOST];
    peer.terminal = pamh->terminal;
    peer.is_greeter = pamh->item[PAM_SERVICE] != NULL;
    if (peer.is_greeter)
        peer.service = pamh->item[PAM_SERVICE];
    if (code == PAM_SUCCESS)
        end = sr_reset_flow(
            kind, pamh->argument.count > 0 ? pamh->argument.item[0] : NULL,
            &peer, &talk);
    if (end == SR_RESET_GONE)
        say_of_end(pamh, SR_WIRE_SAY, SR_TEXT_RESET_LEFT);
    send_end(pamh, end == SR_RESET_DONE ? PAM_SUCCESS : PAM_AUTHTOK_ERR);
}

/* What came by the socket of dialogues. */
static void
serve_dialogue(pam_handle_t *pamh)
{
    const char *name = sr_wire_text(pamh->wire, SR_WIRE_TEXT);

    if (sr_wire_kind(pamh->wire) != SR_WIRE_FLOW)
        refuse(pamh, "not a dialogue", SR_TEXT_HELPER_LOST);
    else if (is_root(pamh) && name != NULL &&
             strcmp(name, SR_WIRE_IS_ENROLLED) == 0)
        send_end(pamh, readiness_of(pamh));
    else if (is_root(pamh) && name != NULL &&
             strcmp(name, SR_WIRE_TRY_MAIL) == 0)
        send_end(pamh, try_mail(pamh) ? PAM_SUCCESS : PAM_AUTHTOK_ERR);
    else
        serve_flow(pamh);
    pamh->is_over = true;
}

static void
serve_one(pam_handle_t *pamh)
{
    const char *cause;
    int code;

    if (pamh->peer->is_dialogue) {
        serve_dialogue(pamh);
        return;
    }
    if (sr_wire_kind(pamh->wire) != SR_WIRE_CALL) {
        refuse(pamh, "not a call", SR_TEXT_HELPER_LOST);
        return;
    }
    code = take_call(pamh);
    if (!may_call(pamh, &cause)) {
        refuse(pamh, cause, SR_TEXT_NO_ROOT);
        return;
    }
    if (code == PAM_SUCCESS)
        code = make_call(pamh);
    send_end(pamh, code);
    pamh->is_over = pamh->is_over || !is_root(pamh);
}

/* As pam_end(3): in the order of libpam, the latest first. */
static void
end(pam_handle_t *pamh)
{
    struct datum *datum;

    while ((datum = pamh->data) != NULL) {
        pamh->data = datum->next;
        if (datum->cleanup != NULL)
            datum->cleanup(pamh, datum->data, PAM_ABORT);
        free(datum->name);
        free(datum);
    }
    for (int type = 0; type < ITEMS; type++)
        sr_secret_free(&pamh->item[type]);
    sr_secret_free(&pamh->terminal);
    sr_string_list_free(&pamh->variable);
    sr_string_list_free(&pamh->changed);
    sr_string_list_free(&pamh->argument);
    sr_wire_wipe(pamh->wire);
    free(pamh->wire);
}

void
sr_serve(int fd, const struct sr_served_peer *peer)
{
    pam_handle_t handle = {.fd = fd, .peer = peer};
    int wait_ms = MESSAGE_MS;

    handle.wire = calloc(1, sizeof(*handle.wire));
    if (handle.wire == NULL)
        return;
    greet(&handle);
    while (!handle.is_over && receive_message(&handle, wait_ms)) {
        serve_one(&handle);
        wait_ms = handle.call == SR_PAM_PASSWORD ? TYPED_MS : IDLE_MS;
    }
    end(&handle);
}

void
sr_serve_refuse(int fd, const struct sr_served_peer *peer, const char *cause)
{
    pam_handle_t handle = {.fd = fd, .peer = peer};

    handle.wire = calloc(1, sizeof(*handle.wire));
    if (handle.wire == NULL)
        return;
    refuse(&handle, cause, SR_TEXT_BUSY);
    end(&handle);
}
