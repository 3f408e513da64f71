/*
 * Password: chauthtok in its two passes, and the line after the module that
 * stores.
 *
 * Each pass makes all its checks itself, because libpam may reach UPDATE in a
 * module whose PRELIM it skipped.  Nothing is remembered of a change before it
 * is stored (by pam_unix behind this line): that is what the settle line is
 * for.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "pam/authtok_cache.h"
#include "pam/credentials.h"
#include "pam/password.h"
#include "pam/prompt.h"
#include "policy/account/change.h"
#include "policy/account/verify.h"

#define PENDING_DATA "selfreset_pending"

/* One pass over a change. */
struct pass {
    struct sr_pam_context *ctx;
    struct sr_password_change *change;
    char *old;   /* the current password; NULL for an administrator */
    char *fresh; /* the new one, once it is acceptable */
};

static void
pending_cleanup(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status;
    free(data);
}

static struct sr_password_change *
pending_find(const struct sr_pam_context *ctx)
{
    const void *data = NULL;

    if (pam_get_data(ctx->pamh, PENDING_DATA, &data) != PAM_SUCCESS)
        return NULL;
    return (struct sr_password_change *)(uintptr_t)data; /* it is ours */
}

/* A change that was begun on this handle and never stored is over. */
static void
pending_drop(struct sr_pam_context *ctx)
{
    if (pending_find(ctx) != NULL)
        pam_set_data(ctx->pamh, PENDING_DATA, NULL, NULL);
}

static void
pass_end(struct pass *pass)
{
    sr_secret_free(&pass->old);
    sr_secret_free(&pass->fresh);
    free(pass->change);
}

static void
tell_error(struct pass *pass, char *text)
{
    sr_context_tell(pass->ctx, PAM_ERROR_MSG, text);
}

/* ---- the current password */

static int
verify_old(struct pass *pass, const char *password)
{
    struct sr_pam_context *ctx = pass->ctx;
    const struct sr_verify_outcome outcome = sr_verify(&ctx->txn, password);

    if (outcome.verified == SR_VERIFIED_WRONG) {
        sr_context_event(ctx, SR_EVENT_WRONG_CURRENT, "failed", NULL,
                         PAM_AUTH_ERR);
        pass->change->is_logged = true;
        sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_WRONG_CURRENT);
    }
    tell_error(pass, sr_verify_message(&ctx->txn, &outcome));
    switch (outcome.verified) {
    case SR_VERIFIED_RIGHT:
        return PAM_SUCCESS;
    case SR_VERIFIED_WRONG:
        return PAM_AUTH_ERR;
    case SR_VERIFIED_LOCKED:
        return PAM_PERM_DENIED;
    case SR_VERIFIED_UNAVAILABLE:
    case SR_VERIFIED_BUSY:
    case SR_VERIFIED_UNRECORDED:
        break;
    }
    return PAM_TRY_AGAIN;
}

/* There is no current password; the cause is for the log. */
static int
no_current(struct pass *pass, const char *cause)
{
    sr_password_change_failed(pass->change, &pass->ctx->txn, cause,
                              SR_ANSWER_NOT_CHANGED);
    sr_context_tell_text(pass->ctx, PAM_ERROR_MSG, SR_TEXT_NO_CURRENT);
    return PAM_AUTHTOK_RECOVERY_ERR;
}

/* Ask for the current password.  Whose it is is said first: sudo and su change
 * the user, and passwd takes a name. */
static int
ask_old(struct pass *pass)
{
    struct sr_pam_context *ctx = pass->ctx;
    int code;

    sr_context_tell(ctx, PAM_TEXT_INFO, sr_message_account(ctx->txn.name));
    code = sr_prompt_one(ctx, SR_TEXT_PROMPT_CURRENT, &pass->old);
    if (code == PAM_CONV_ERR)
        return no_current(pass, "no-answer");
    if (code == PAM_SUCCESS && pass->old[0] == '\0' &&
        !sr_verify_may_be_empty(&ctx->txn))
        return no_current(pass, "empty-answer");
    if (code == PAM_SUCCESS)
        code = sr_context_refresh(ctx, PAM_TRY_AGAIN);
    if (code == PAM_SUCCESS)
        code = sr_context_unknown_code(ctx, PAM_TRY_AGAIN); /* gone meanwhile */
    return code;
}

/* The current password as typed: left by another module, or asked for. */
static int
type_old(struct pass *pass)
{
    struct sr_pam_context *ctx = pass->ctx;
    const void *item = NULL;

    pass->old =
        sr_authtok_cache_get(ctx->pamh, SR_AUTHTOK_TYPED, ctx->txn.name, NULL);
    sr_authtok_cache_drop(ctx->pamh,
                          SR_AUTHTOK_TYPED); /* once: it may be wrong */
    if (pass->old != NULL)
        return PAM_SUCCESS;
    if (pam_get_item(ctx->pamh, PAM_OLDAUTHTOK, &item) == PAM_SUCCESS &&
        item != NULL) {
        pass->old = strdup(item);
        return pass->old == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
    }
    if (ctx->args.use_first_pass) {
        sr_password_change_failed(
            pass->change, &ctx->txn,
            "use_first_pass: no module asked for the current password",
            SR_ANSWER_NOT_CHANGED);
        return PAM_AUTHTOK_RECOVERY_ERR;
    }
    return ask_old(pass);
}

/*
 * Have the current password, verified against the hash that is stored now.  One
 * that this process verified (authenticate, or the pass before) is valid as
 * long as that hash is; otherwise it is verified, and counted.
 */
static int
prove_old(struct pass *pass)
{
    struct sr_pam_context *ctx = pass->ctx;
    int code;

    if (pass->change->caller.is_admin)
        return PAM_SUCCESS;
    pass->old = sr_authtok_cache_get(ctx->pamh, SR_AUTHTOK_PROVED,
                                     ctx->txn.name, ctx->txn.account->secret);
    if (pass->old != NULL)
        return PAM_SUCCESS;
    code = type_old(pass);
    if (code == PAM_SUCCESS)
        code = verify_old(pass, pass->old);
    if (code == PAM_SUCCESS)
        code = sr_authtok_cache_put(ctx->pamh, SR_AUTHTOK_PROVED, ctx->txn.name,
                                    ctx->txn.account->secret, pass->old);
    return code;
}

static int
check_may_change(struct pass *pass)
{
    struct sr_pam_context *ctx = pass->ctx;
    enum sr_answer answer;
    char *text;

    if (!sr_context_knows(ctx))
        return sr_context_unknown_code(ctx, PAM_TRY_AGAIN);
    answer = sr_password_change_permit(pass->change, &ctx->txn, &text);
    tell_error(pass, text);
    return sr_answer_code(answer);
}

/* Whether the change may happen, and the current password. */
static int
check_and_prove(struct pass *pass)
{
    struct sr_pam_context *ctx = pass->ctx;
    bool was_closed;
    int code;

    pass->change = calloc(1, sizeof(*pass->change));
    if (pass->change == NULL)
        return PAM_BUF_ERR;
    pass->change->is_forced = (ctx->flags & PAM_CHANGE_EXPIRED_AUTHTOK) != 0;
    code = check_may_change(pass);
    was_closed = code == PAM_SUCCESS && ctx->txn.account->is_closed;
    if (code == PAM_SUCCESS)
        code = prove_old(pass);
    /* Only now there is something to check. */
    if (code == PAM_SUCCESS && was_closed && !ctx->txn.account->is_closed)
        code = check_may_change(pass);
    return code;
}

static int
prelim(struct sr_pam_context *ctx)
{
    __attribute__((cleanup(pass_end))) struct pass pass = {.ctx = ctx};
    int code;

    pending_drop(ctx);
    code = check_and_prove(&pass);
    if (code == PAM_SUCCESS && pass.old != NULL)
        code = pam_set_item(ctx->pamh, PAM_OLDAUTHTOK, pass.old);
    if (code != PAM_SUCCESS)
        return code;
    sr_context_event(ctx, SR_EVENT_CHANGE_START, NULL, NULL, -1);
    /*
     * Not a vote: another module stores the password, and it has to be asked
     * too.  In the stacks of the manual this also jumps over its PRELIM, which
     * would hash the current password once more.
     */
    return PAM_IGNORE;
}

/* ---- the new password */

/* The person has given up. */
static int
give_up(struct pass *pass)
{
    sr_password_change_failed(pass->change, &pass->ctx->txn, "no-answer",
                              SR_ANSWER_NOT_CHANGED);
    sr_context_tell_text(pass->ctx, PAM_ERROR_MSG, SR_TEXT_UNCHANGED);
    return PAM_AUTHTOK_ERR;
}

static int
judge(struct pass *pass, const char *fresh, int tries_left)
{
    char *text;
    const enum sr_answer answer = sr_password_change_judge(
        pass->change, &pass->ctx->txn, pass->old, fresh, tries_left, &text);

    sr_context_tell(pass->ctx,
                    answer == SR_ANSWER_OK ? PAM_TEXT_INFO : PAM_ERROR_MSG,
                    text);
    return sr_answer_code(answer);
}

/* One try: prompt, check, prompt again.  PAM_TRY_AGAIN: another may follow. */
static int
try_new(struct pass *pass, int tries_left)
{
    __attribute__((cleanup(sr_secret_free))) char *fresh = NULL;
    __attribute__((cleanup(sr_secret_free))) char *again = NULL;
    int code;

    if (sr_prompt_one(pass->ctx, SR_TEXT_PROMPT_NEW, &fresh) != PAM_SUCCESS ||
        fresh[0] == '\0')
        return give_up(pass);
    code = judge(pass, fresh, tries_left);
    if (code != PAM_SUCCESS)
        return code;
    if (sr_prompt_one(pass->ctx, SR_TEXT_PROMPT_AGAIN, &again) != PAM_SUCCESS)
        return give_up(pass);
    if (strcmp(fresh, again) != 0) {
        tell_error(pass, sr_message_mismatch(tries_left));
        return PAM_TRY_AGAIN;
    }
    pass->fresh = fresh;
    fresh = NULL;
    return PAM_SUCCESS;
}

/* A new password that an earlier module took: checked once, never asked for. */
static int
use_new(struct pass *pass)
{
    const void *item = NULL;

    if (pam_get_item(pass->ctx->pamh, PAM_AUTHTOK, &item) != PAM_SUCCESS ||
        item == NULL) {
        sr_password_change_failed(
            pass->change, &pass->ctx->txn,
            "use_authtok: no module asked for a new password",
            SR_ANSWER_NOT_CHANGED);
        return PAM_AUTHTOK_ERR;
    }
    pass->fresh = strdup(item);
    if (pass->fresh == NULL)
        return PAM_BUF_ERR;
    return judge(pass, pass->fresh, 0) == PAM_SUCCESS ? PAM_SUCCESS
                                                      : PAM_AUTHTOK_ERR;
}

/* Store the new password, where the backend does that itself. */
static int
store(struct pass *pass, int tries_left)
{
    char *text;
    const enum sr_answer answer =
        sr_password_change_store(pass->change, &pass->ctx->txn, pass->old,
                                 pass->fresh, tries_left, &text);

    tell_error(pass, text);
    if (answer != SR_ANSWER_OK)
        sr_secret_free(&pass->fresh);
    return sr_answer_code(answer);
}

static void
show_rules(struct pass *pass)
{
    char *rules, *demands;

    sr_password_change_rules(pass->change, &pass->ctx->txn, &rules, &demands);
    sr_context_tell(pass->ctx, PAM_TEXT_INFO, rules);
    sr_context_tell(pass->ctx, PAM_TEXT_INFO, demands);
}

static int
choose_new(struct pass *pass)
{
    int tries = (int)pass->ctx->txn.rules.tries;
    int code = PAM_TRY_AGAIN;

    if (pass->ctx->args.use_authtok) {
        code = use_new(pass);
        return code == PAM_SUCCESS ? store(pass, 0) : code;
    }
    show_rules(pass);
    for (int left = tries - 1; code == PAM_TRY_AGAIN && left >= 0; left--) {
        code = try_new(pass, left);
        if (code == PAM_SUCCESS)
            code = store(pass, left);
    }
    if (code == PAM_TRY_AGAIN)
        sr_context_tell_text(pass->ctx, PAM_ERROR_MSG, SR_TEXT_NO_TRIES);
    return code;
}

/* ---- handing over, and what comes after */

static int
start(struct pass *pass)
{
    char *text;
    const enum sr_answer answer = sr_password_change_start(
        pass->change, &pass->ctx->txn, pass->old, &text);

    tell_error(pass, text);
    return sr_answer_code(answer);
}

/*
 * Give the new password to the module behind this line.  The current one is
 * hidden from it: it is verified, and pam_unix would hash it twice more. settle
 * puts it back for keyrings and the like.
 */
static int
hand_over(struct pass *pass, bool *is_stored)
{
    pam_handle_t *pamh = pass->ctx->pamh;
    int code = pam_set_item(pamh, PAM_AUTHTOK, pass->fresh);

    *is_stored = pass->change->is_stored;
    if (code == PAM_SUCCESS)
        code = pam_set_item(pamh, PAM_OLDAUTHTOK, NULL);
    if (code == PAM_SUCCESS)
        code = pam_set_data(pamh, PENDING_DATA, pass->change, pending_cleanup);
    if (code == PAM_SUCCESS)
        pass->change = NULL;
    return code;
}

static int
update(struct sr_pam_context *ctx)
{
    __attribute__((cleanup(pass_end))) struct pass pass = {.ctx = ctx};
    bool is_stored = false;
    int code;

    pending_drop(ctx);
    code = check_and_prove(&pass);
    if (code == PAM_SUCCESS)
        code = start(&pass);
    if (code == PAM_SUCCESS)
        code = choose_new(&pass);
    if (code == PAM_SUCCESS)
        code = hand_over(&pass, &is_stored);
    if (code == PAM_TRY_AGAIN)
        code = PAM_AUTHTOK_ERR; /* TRY_AGAIN is for PRELIM */
    if (code != PAM_SUCCESS && sr_context_knows(ctx)) {
        sr_authtok_cache_drop(ctx->pamh, SR_AUTHTOK_PROVED);
        if (pass.change != NULL)
            sr_password_change_failed(pass.change, &ctx->txn, NULL,
                                      SR_ANSWER_NOT_CHANGED);
    }
    /* Stored already: jump over the module that would. */
    if (code == PAM_SUCCESS && is_stored)
        code = PAM_IGNORE;
    return code;
}

static void
restore_old(struct sr_pam_context *ctx)
{
    __attribute__((cleanup(sr_secret_free))) char *old =
        sr_authtok_cache_get(ctx->pamh, SR_AUTHTOK_PROVED, ctx->txn.name, NULL);

    if (old != NULL)
        pam_set_item(ctx->pamh, PAM_OLDAUTHTOK, old);
}

static int
settle(struct sr_pam_context *ctx)
{
    struct sr_password_change *pending = pending_find(ctx);
    const void *fresh = NULL;
    bool is_stored;
    char *text;

    if ((ctx->flags & PAM_PRELIM_CHECK) != 0)
        return sr_context_knows(ctx) ? PAM_SUCCESS : PAM_IGNORE;
    if (!sr_context_knows(ctx) || pending == NULL ||
        pending->uid != ctx->txn.uid ||
        strcmp(pending->name, ctx->txn.name) != 0)
        return PAM_IGNORE;
    if (pam_get_item(ctx->pamh, PAM_AUTHTOK, &fresh) != PAM_SUCCESS)
        fresh = NULL;
    is_stored = sr_password_change_finish(pending, &ctx->txn, fresh, &text);
    sr_context_tell(ctx, is_stored ? PAM_TEXT_INFO : PAM_ERROR_MSG, text);
    if (is_stored && ctx->keeps_tickets)
        sr_credentials_note(ctx);
    restore_old(ctx);
    sr_authtok_cache_drop(ctx->pamh, SR_AUTHTOK_PROVED);
    pending_drop(ctx);
    return is_stored ? PAM_SUCCESS : PAM_AUTHTOK_ERR;
}

int
sr_chauthtok(struct sr_pam_context *ctx)
{
    if (ctx->args.settle)
        return settle(ctx);
    if ((ctx->flags & PAM_PRELIM_CHECK) != 0)
        return prelim(ctx);
    if ((ctx->flags & PAM_UPDATE_AUTHTOK) != 0)
        return update(ctx);
    return PAM_SERVICE_ERR;
}
