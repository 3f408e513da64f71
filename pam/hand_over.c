/*
 * Hand over: calls that this process cannot answer, made by selfreset-helper.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <security/pam_ext.h>

#include "pam/caller.h"
#include "pam/calls.h"
#include "pam/captive.h"
#include "pam/hand_over.h"
#include "pam/prompt.h"
#include "pam/reach.h"
#include "policy/util/deadline.h"
#include "policy/wire/link.h"

#define HELPER_DATA   "selfreset_helper"
#define HELPER_SOCKET SR_RUNDIR "/" SR_LINK_NAME

/* The connection of a handle.  Other code of the process can close the
 * descriptor, which is another file then; a forked process has the handle, too,
 * but it is not in the conversation. */
struct connection {
    int fd;
    pid_t owner;
    struct stat file;
};

/* One call as it is handed over. */
struct call {
    struct sr_pam_context *ctx;
    struct connection *connection;
    struct sr_wire *wire;
    bool was_there; /* the connection had served an earlier call */
    bool is_refused;
    bool is_cancelled; /* a question was not answered */
    int code;
};

/* How it ended. */
enum ending {
    ENDED,  /* answered: call->code */
    ABSENT, /* no helper listens */
    LOST,   /* it went away, or spoke what cannot be understood */
};

/* ---- the connection */

static bool
is_ours(const struct connection *connection)
{
    struct stat now;

    return fstat(connection->fd, &now) == 0 &&
           now.st_dev == connection->file.st_dev &&
           now.st_ino == connection->file.st_ino;
}

static void
connection_free(struct connection *connection)
{
    if (connection != NULL && is_ours(connection))
        close(connection->fd);
    free(connection);
}

static void
connection_cleanup(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status; /* a process copy closes its copy, which ends nothing */
    connection_free(data);
}

static void
connection_drop(pam_handle_t *pamh)
{
    pam_set_data(pamh, HELPER_DATA, NULL, NULL);
}

/* The connection that the handle keeps, or NULL. */
static struct connection *
connection_find(pam_handle_t *pamh)
{
    const void *data = NULL;
    struct connection *connection;

    if (pam_get_data(pamh, HELPER_DATA, &data) != PAM_SUCCESS || data == NULL)
        return NULL;
    connection = (struct connection *)(uintptr_t)data; /* libpam says const */
    return connection->owner == getpid() ? connection : NULL;
}

/* Send the message that was made.  A helper that refuses has said so before it
 * hears anything; that is read next. */
static bool
send_message(const struct call *call)
{
    const int sent = sr_link_send(call->connection->fd, call->wire,
                                  sr_deadline_now() + SR_LINK_HEARD_MS);

    return sent == 0 || sent == -EPIPE;
}

static enum ending
connect_helper(struct call *call)
{
    const int64_t end = sr_deadline_now() + SR_LINK_HEARD_MS;
    struct connection *made;
    int fd = sr_link_connect(HELPER_SOCKET, end);

    if (fd < 0)
        return fd == -ETIMEDOUT ? LOST : ABSENT;
    made = calloc(1, sizeof(*made));
    if (made == NULL || fstat(fd, &made->file) != 0 || !sr_link_may_trust(fd)) {
        close(fd);
        free(made);
        return LOST;
    }
    made->fd = fd;
    made->owner = getpid();
    if (pam_set_data(call->ctx->pamh, HELPER_DATA, made, connection_cleanup) !=
        PAM_SUCCESS) {
        connection_free(made);
        return LOST;
    }
    call->connection = made;
    sr_wire_hello(call->wire);
    return send_message(call) ? ENDED : LOST;
}

/* Have a connection: the one of this handle, or a new one. */
static enum ending
have_connection(struct call *call)
{
    call->connection = connection_find(call->ctx->pamh);
    call->was_there = call->connection != NULL;
    if (!call->was_there)
        return connect_helper(call);
    return is_ours(call->connection) && !sr_link_is_dead(call->connection->fd)
               ? ENDED
               : LOST;
}

/* ---- what is sent */

static void
put_item(struct sr_wire *wire, enum sr_wire_tag tag, pam_handle_t *pamh,
         int type)
{
    const void *value = NULL;

    if (pam_get_item(pamh, type, &value) == PAM_SUCCESS)
        sr_wire_put_text(wire, tag, value);
}

static void
put_variable(struct sr_wire *wire, pam_handle_t *pamh, const char *name)
{
    const char *value = pam_getenv(pamh, name);
    char *text;

    if (value == NULL)
        return;
    text = sr_format("%s=%s", name, value);
    sr_wire_put_text(wire, SR_WIRE_VARIABLE, text);
    free(text);
}

static bool
has_tokens(enum sr_pam_call call)
{
    return call == SR_PAM_AUTH || call == SR_PAM_PASSWORD;
}

static void
put_tokens(struct sr_wire *wire, pam_handle_t *pamh)
{
    put_item(wire, SR_WIRE_AUTHTOK, pamh, PAM_AUTHTOK);
    put_item(wire, SR_WIRE_OLDAUTHTOK, pamh, PAM_OLDAUTHTOK);
}

/* The call and, for root, what a handle says of it.  Of any other process only
 * what it may say for itself: the helper knows it by the kernel. */
static void
make_call(struct call *call)
{
    struct sr_pam_context *ctx = call->ctx;
    struct sr_wire *wire = call->wire;

    sr_wire_begin(wire, SR_WIRE_CALL);
    sr_wire_put_number(wire, SR_WIRE_CALL_NUMBER, ctx->call);
    sr_wire_put_number(wire, SR_WIRE_FLAGS, ctx->flags);
    put_item(wire, SR_WIRE_SERVICE, ctx->pamh, PAM_SERVICE);
    sr_wire_put_text(wire, SR_WIRE_USER, ctx->user);
    sr_language_put(wire);
    if (has_tokens(ctx->call))
        put_tokens(wire, ctx->pamh);
    if (geteuid() != 0)
        return;
    for (int i = 0; i < ctx->argc; i++)
        sr_wire_put_text(wire, SR_WIRE_ARGUMENT, ctx->argv[i]);
    put_item(wire, SR_WIRE_RHOST, ctx->pamh, PAM_RHOST);
    put_item(wire, SR_WIRE_RUSER, ctx->pamh, PAM_RUSER);
    put_item(wire, SR_WIRE_TTY, ctx->pamh, PAM_TTY);
    sr_wire_put_text(wire, SR_WIRE_TERMINAL, ctx->txn.context.terminal);
    put_variable(wire, ctx->pamh, "SSH_CONNECTION");
    put_variable(wire, ctx->pamh, "SSH_AUTH_INFO_0");
    put_variable(wire, ctx->pamh, "SELFRESET_LOGIN");
}

/* ---- what it says */

static void
show(struct call *call)
{
    const char *text = sr_wire_text(call->wire, SR_WIRE_TEXT);
    const int style =
        (int)sr_wire_number(call->wire, SR_WIRE_STYLE, PAM_ERROR_MSG);

    if (text != NULL && !sr_context_is_silent(call->ctx))
        sr_context_converse(call->ctx, style, NULL, text);
}

/*
 * Have a question answered.  The password of authenticate stays in the handle,
 * as the module leaves it; so a helper that has gone away meanwhile, which
 * takes no more than a minute, is asked again without another prompt.
 */
static enum ending
answer(struct call *call)
{
    __attribute__((cleanup(sr_secret_free))) char *typed = NULL;
    const char *text = sr_wire_text(call->wire, SR_WIRE_TEXT);
    pam_handle_t *pamh = call->ctx->pamh;
    const int style =
        (int)sr_wire_number(call->wire, SR_WIRE_STYLE, PAM_PROMPT_ECHO_OFF);
    int code =
        sr_context_converse(call->ctx, style, &typed, text == NULL ? "" : text);

    if (code == PAM_SUCCESS && typed == NULL)
        code = PAM_CONV_ERR;
    if (code == PAM_SUCCESS && call->ctx->call == SR_PAM_AUTH &&
        style == PAM_PROMPT_ECHO_OFF)
        code = pam_set_item(pamh, PAM_AUTHTOK, typed);
    sr_wire_begin(call->wire, SR_WIRE_ANSWER);
    if (code == PAM_SUCCESS)
        sr_wire_put_text(call->wire, SR_WIRE_TEXT, typed);
    else
        sr_wire_put_number(call->wire, SR_WIRE_CODE, (uint32_t)code);
    call->is_cancelled = code != PAM_SUCCESS;
    return send_message(call) ? ENDED : LOST;
}

/* What the call leaves in the handle. */
static void
take_end(struct call *call)
{
    const struct sr_wire *wire = call->wire;
    pam_handle_t *pamh = call->ctx->pamh;
    const uint32_t delay = sr_wire_number(wire, SR_WIRE_DELAY, 0);
    const char *variable;

    call->code = (int)sr_wire_number(wire, SR_WIRE_CODE, PAM_SYSTEM_ERR);
    if (delay > 0)
        pam_fail_delay(pamh, delay);
    if (has_tokens(call->ctx->call)) {
        pam_set_item(pamh, PAM_AUTHTOK, sr_wire_text(wire, SR_WIRE_AUTHTOK));
        pam_set_item(pamh, PAM_OLDAUTHTOK,
                     sr_wire_text(wire, SR_WIRE_OLDAUTHTOK));
    }
    for (size_t i = 0;
         (variable = sr_wire_text_at(wire, SR_WIRE_VARIABLE, i)) != NULL; i++)
        pam_putenv(pamh, variable);
}

/* The code for a call that has got no answer. */
static int
lost_code(const struct sr_pam_context *ctx)
{
    if (ctx->call != SR_PAM_PASSWORD)
        return sr_context_spares_root(ctx) ? PAM_SUCCESS : PAM_AUTHINFO_UNAVAIL;
    return (ctx->flags & PAM_UPDATE_AUTHTOK) != 0 ? PAM_AUTHTOK_ERR
                                                  : PAM_TRY_AGAIN;
}

/* One message of the helper's: whether it was the last. */
static bool
hear(struct call *call, enum ending *ending)
{
    switch (sr_wire_kind(call->wire)) {
    case SR_WIRE_SAY:
        show(call);
        return false;
    case SR_WIRE_ASK:
        *ending = answer(call);
        return *ending != ENDED;
    case SR_WIRE_END:
        take_end(call);
        return true;
    case SR_WIRE_REFUSE:
        show(call);
        call->code = lost_code(call->ctx);
        call->is_refused = true;
        return true;
    case SR_WIRE_HELLO:
    case SR_WIRE_CALL:
    case SR_WIRE_ANSWER:
    case SR_WIRE_FLOW:
    case SR_WIRE_KINDS_END:
        break;
    }
    *ending = LOST;
    return true;
}

static enum ending
converse(struct call *call)
{
    enum ending ending = ENDED;
    bool is_last = false;

    make_call(call);
    if (!send_message(call))
        return LOST;
    while (!is_last) {
        if (sr_link_receive(call->connection->fd, call->wire,
                            sr_deadline_now() + SR_LINK_ANSWERED_MS) != 0)
            return LOST;
        is_last = hear(call, &ending);
    }
    return ending;
}

/* ---- a call */

static enum ending
try(struct call *call)
{
    enum ending ending = have_connection(call);

    if (ending == ENDED)
        ending = converse(call);
    if (ending != ENDED || call->is_refused || geteuid() != 0 ||
        !sr_pam_call_goes_on(call->ctx, call->code))
        connection_drop(call->ctx->pamh);
    return ending;
}

/* Whether a call can be made again from its beginning: what was counted once is
 * counted twice at worst.  A change depends on what is lost. */
static bool
may_repeat(const struct call *call)
{
    if (call->is_cancelled)
        return false;
    return call->ctx->call != SR_PAM_PASSWORD ||
           ((call->ctx->flags & PAM_PRELIM_CHECK) != 0 && !call->was_there);
}

static void
tell_lost(struct call *call)
{
    struct sr_pam_context *ctx = call->ctx;

    call->code = call->is_cancelled ? PAM_CONV_ERR : lost_code(ctx);
    if (call->is_cancelled)
        return;
    sr_context_event(ctx, SR_EVENT_HELPER_LOST, "failed", NULL, call->code);
    sr_context_tell_text(ctx, PAM_ERROR_MSG,
                         call->code == PAM_SUCCESS       ? SR_TEXT_SPARE_ROOT
                         : call->code == PAM_AUTHTOK_ERR ? SR_TEXT_HELPER_UNSURE
                                                         : SR_TEXT_HELPER_LOST);
}

static bool
make(struct sr_pam_context *ctx, int *code)
{
    struct call call = {.ctx = ctx};
    enum ending ending;

    *code = sr_context_names(ctx);
    if (*code != PAM_SUCCESS)
        return true;
    call.wire = calloc(1, sizeof(*call.wire));
    if (call.wire == NULL) {
        *code = PAM_BUF_ERR;
        return true;
    }
    ending = try(&call);
    if (ending == LOST && may_repeat(&call))
        ending = try(&call);
    if (ending == LOST)
        tell_lost(&call);
    *code = ending == ABSENT ? PAM_SUCCESS : call.code;
    sr_wire_wipe(call.wire);
    free(call.wire);
    return ending != ABSENT;
}

bool
sr_hand_over(struct sr_pam_context *ctx, const struct sr_config *config,
             int *code)
{
    const bool is_question = ctx->call == SR_PAM_AUTH ||
                             ctx->call == SR_PAM_ACCOUNT ||
                             ctx->call == SR_PAM_PASSWORD;

    if (!is_question)
        return false;
    /* Of its own account, a process may ask about a password that is verified
     * there.  Its word that another module's was right is worth nothing. */
    if (geteuid() != 0)
        return config == NULL && ctx->call != SR_PAM_PASSWORD &&
               !ctx->args.guard && !ctx->args.settle && make(ctx, code);
    if (config == NULL)
        return connection_find(ctx->pamh) != NULL && make(ctx, code);
    /* A dialogue of self-service reset needs nothing but a helper. */
    return !sr_captive_talks(ctx) && !sr_reach(config) && make(ctx, code);
}

void
sr_hand_over_confirm(pam_handle_t *pamh, enum sr_pam_call kind)
{
    struct sr_pam_context ctx = {.pamh = pamh, .call = kind};
    struct call call = {.ctx = &ctx};

    if (connection_find(pamh) == NULL || sr_context_names(&ctx) != PAM_SUCCESS)
        return;
    call.wire = calloc(1, sizeof(*call.wire));
    if (call.wire == NULL)
        return;
    try(&call);
    sr_wire_wipe(call.wire);
    free(call.wire);
}
