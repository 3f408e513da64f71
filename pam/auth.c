/*
 * Auth: authenticate, alone and around another module.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "pam/auth.h"
#include "pam/authtok_cache.h"
#include "pam/captive.h"
#include "pam/credentials.h"
#include "pam/greeter.h"
#include "pam/guard.h"
#include "pam/prompt.h"
#include "policy/util/clock.h"

/* Asked of libpam before anything else: it sleeps only when the stack fails,
 * so that every failure takes the same time. */
static void
ask_delay(struct sr_pam_context *ctx)
{
    if (ctx->txn.rules.delay > 0)
        pam_fail_delay(ctx->pamh, (unsigned)(ctx->txn.rules.delay * 1000000));
}

/*
 * The password is right: only now may the user be informed of the account's
 * state.  Where the account module will demand a change the password is kept as
 * `cache`; NULL: it is not known.
 */
static int
after_right(struct sr_pam_context *ctx, const char *cache, const char *password)
{
    const struct sr_message_context say = sr_transaction_message(&ctx->txn);
    const struct sr_caller caller = sr_transaction_caller(&ctx->txn, true);
    const struct sr_verdict verdict =
        sr_transaction_verdict(&ctx->txn, &caller);
    const enum sr_answer answer = sr_verdict_answer(
        &verdict, SR_CALL_AUTHENTICATE, &ctx->txn.rules, &caller);
    const int code = sr_answer_code(answer);

    if (code != PAM_SUCCESS) {
        sr_transaction_verdict_event(&ctx->txn, &verdict, code);
        sr_context_tell(ctx, PAM_ERROR_MSG,
                        sr_message_verdict(&verdict, answer, &say));
    } else if (password != NULL && sr_verdict_is_change_due(&verdict)) {
        /* A failure costs the person one more prompt, nothing else. */
        sr_authtok_cache_put(ctx->pamh, cache, ctx->txn.name,
                             ctx->txn.account->secret, password);
    }
    return code;
}

/* The code for what was verified, with what the user may be shown.
 */
static int
verified_code(struct sr_pam_context *ctx,
              const struct sr_verify_outcome *outcome)
{
    sr_context_tell(ctx, PAM_ERROR_MSG, sr_verify_message(&ctx->txn, outcome));
    switch (outcome->verified) {
    case SR_VERIFIED_RIGHT:
        return PAM_SUCCESS;
    case SR_VERIFIED_WRONG:
        sr_context_event(ctx, SR_EVENT_WRONG, "failed",
                         ctx->txn.reason[0] == '\0' ? NULL : ctx->txn.reason,
                         PAM_AUTH_ERR);
        sr_captive_hint(ctx);
        return sr_context_knows(ctx) ? PAM_AUTH_ERR : PAM_USER_UNKNOWN;
    case SR_VERIFIED_LOCKED:
        sr_captive_hint(ctx);
        return PAM_AUTH_ERR;
    case SR_VERIFIED_UNAVAILABLE:
    case SR_VERIFIED_BUSY:
    case SR_VERIFIED_UNRECORDED:
        break;
    }
    return PAM_AUTHINFO_UNAVAIL;
}

/*
 * Before another module.  The password is asked for here, so that a person who
 * gives up is not counted, and so that a name that is locked out looks like any
 * other.  Never a vote for the login.
 */
static int
authenticate_guard(struct sr_pam_context *ctx, const char *password)
{
    const struct sr_verify_outcome outcome = sr_guard_begin(ctx, password);

    return outcome.verified == SR_VERIFIED_RIGHT ? PAM_IGNORE
                                                 : verified_code(ctx, &outcome);
}

/*
 * A name that no backend has.  One that exists is served by a module behind
 * this line, so its attempt is treated as one at a guard line: that module's
 * success is confirmed or not.  One that does not is wrong, by the same work as
 * a wrong password of an account.
 */
static int
authenticate_unknown(struct sr_pam_context *ctx, const char *password)
{
    struct sr_verify_outcome outcome;
    int code;

    if (ctx->txn.uid != (uid_t)-1) {
        outcome = sr_guard_unknown(ctx, password);
        return verified_code(ctx, &outcome);
    }
    ctx->txn.context.is_stand_in = sr_is_sshd_fake(password);
    outcome = sr_verify(&ctx->txn, password);
    code = verified_code(ctx, &outcome);
    if (outcome.verified == SR_VERIFIED_WRONG)
        sr_guard_note(ctx, password);
    return code;
}

/* Verify the password.  The backend can find out by that that it has no such
 * account. */
static int
authenticate_alone(struct sr_pam_context *ctx, const char *password)
{
    struct sr_verify_outcome outcome;
    int code;

    ctx->txn.context.is_stand_in = sr_is_sshd_fake(password);
    outcome = sr_verify(&ctx->txn, password);
    if (outcome.is_absent) {
        sr_transaction_set_absent(&ctx->txn);
        return authenticate_unknown(ctx, password);
    }
    code = verified_code(ctx, &outcome);
    if (code == PAM_SUCCESS)
        code = after_right(ctx, SR_AUTHTOK_PROVED, password);
    if (code == PAM_SUCCESS && ctx->keeps_tickets)
        sr_credentials_note(ctx);
    return code;
}

/*
 * After another module.  No vote either, because the line can be reached behind
 * a failure.  And no proof of the password, because that module may have looked
 * at something else: it is kept to be verified when a change needs it.
 */
static int
authenticate_settle(struct sr_pam_context *ctx)
{
    const void *password = NULL;
    int code;

    if (!sr_guard_is_for(ctx) ||
        pam_get_item(ctx->pamh, PAM_AUTHTOK, &password) != PAM_SUCCESS)
        password = NULL;
    if (!sr_context_knows(ctx))
        return PAM_IGNORE; /* not our account: nothing to say about it */
    code = sr_context_recall(ctx, false, PAM_AUTHINFO_UNAVAIL);
    if (code == PAM_SUCCESS)
        code = after_right(ctx, SR_AUTHTOK_TYPED, password);
    return code == PAM_SUCCESS ? PAM_IGNORE : code;
}

/* A password that is yet to be typed, be it the same one, is another attempt
 * than the last one on this handle, which ends. */
static void
end_last_attempt(struct sr_pam_context *ctx)
{
    const void *item = NULL;

    if (pam_get_item(ctx->pamh, PAM_AUTHTOK, &item) != PAM_SUCCESS ||
        item == NULL)
        sr_guard_end(ctx->pamh);
}

/*
 * The password first, then the account: nothing that is done before the prompt
 * depends on the name.  Everything that follows is part of the refusal's time.
 */
static int
ask_and_look_up(struct sr_pam_context *ctx, const char **password)
{
    int code;

    end_last_attempt(ctx);
    code = sr_prompt_password(ctx, password);
    ctx->txn.context.answered = sr_clock_milliseconds();
    if (code == PAM_SUCCESS)
        code = sr_context_look_up(ctx);
    ask_delay(ctx);
    if (code == PAM_SUCCESS && (ctx->txn.ask == SR_STATUS_UNAVAILABLE ||
                                ctx->txn.ask == SR_STATUS_AMBIGUOUS ||
                                ctx->txn.ask == SR_STATUS_NO_MEMORY))
        code = sr_context_unknown_code(ctx, PAM_AUTHINFO_UNAVAIL);
    return code;
}

int
sr_authenticate(struct sr_pam_context *ctx)
{
    const char *password;
    int code;

    /* What an earlier try on this handle proved or left proves nothing now. */
    sr_authtok_cache_drop(ctx->pamh, SR_AUTHTOK_PROVED);
    sr_authtok_cache_drop(ctx->pamh, SR_AUTHTOK_TYPED);
    if (ctx->args.settle)
        return authenticate_settle(ctx);
    if (sr_captive_talks(ctx))
        return sr_greeter(ctx);
    /* A guard is no vote for a login. */
    if (!ctx->args.guard && sr_captive_may_enter(ctx))
        return PAM_SUCCESS;
    code = ask_and_look_up(ctx, &password);
    if (code != PAM_SUCCESS)
        return code;
    if (sr_guard_has_run(ctx))
        return ctx->args.guard ? PAM_IGNORE : PAM_USER_UNKNOWN;
    sr_guard_end(ctx->pamh);
    if (ctx->args.guard)
        return authenticate_guard(ctx, password);
    return sr_context_knows(ctx) ? authenticate_alone(ctx, password)
                                 : authenticate_unknown(ctx, password);
}
