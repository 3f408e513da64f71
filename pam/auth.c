/*
 * Auth: authenticate, and its two halves around another module.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "pam/internal.h"

/* Asked of libpam before anything else: it sleeps only when the stack fails,
 * so that every failure takes the same time. */
static void
ask_delay(struct sr_pam_context *ctx)
{
    if (ctx->txn.rules.delay > 0)
        pam_fail_delay(ctx->pamh, (unsigned)(ctx->txn.rules.delay * 1000000));
}

/* Keep the password when the account module will demand a change. */
static void
keep_for_change(struct sr_pam_context *ctx, const struct sr_verdict *verdict,
                const char *held, const char *password)
{
    /* Failing costs the person one more prompt, nothing else. */
    if (sr_verdict_is_change_due(verdict))
        sr_authtok_cache_put(ctx->pamh, held, ctx->user,
                             ctx->txn.account->secret, password);
}

/*
 * The password is right: only now may the person hear of the account.  It is
 * kept for the change as `held`, unless it is NULL.
 */
static int
after_right(struct sr_pam_context *ctx, const char *held, const char *password)
{
    struct sr_caller caller;
    struct sr_verdict verdict;
    enum sr_answer answer;
    int code;

    caller = sr_transaction_caller(&ctx->txn, true);
    verdict = sr_context_verdict(ctx, &caller);
    answer = sr_verdict_answer(&verdict, SR_CALL_AUTHENTICATE, &ctx->txn.rules,
                               &caller);
    code = sr_answer_code(answer);
    if (code == PAM_SUCCESS) {
        if (password != NULL)
            keep_for_change(ctx, &verdict, held, password);
    } else {
        struct sr_message_context say = sr_context_message(ctx);

        sr_context_verdict_event(ctx, &verdict, code);
        sr_context_tell(ctx, PAM_ERROR_MSG,
                        sr_message_verdict(&verdict, answer, &say));
    }
    return code;
}

static int
verified_code(struct sr_pam_context *ctx, enum sr_verified verified)
{
    switch (verified) {
    case SR_VERIFIED_RIGHT:
        return PAM_SUCCESS;
    case SR_VERIFIED_WRONG:
        sr_context_event(ctx, SR_EVENT_WRONG, "failed",
                         ctx->txn.reason[0] == '\0' ? NULL : ctx->txn.reason,
                         PAM_AUTH_ERR);
        return sr_context_knows(ctx) ? PAM_AUTH_ERR : PAM_USER_UNKNOWN;
    case SR_VERIFIED_LOCKED:
        return PAM_AUTH_ERR;
    case SR_VERIFIED_UNAVAILABLE:
        return PAM_AUTHINFO_UNAVAIL;
    }
    return PAM_SYSTEM_ERR;
}

/* Verify the password ourselves. */
static int
authenticate_alone(struct sr_pam_context *ctx)
{
    const char *password;
    int code;

    /* A name that NSS knows and we do not is the next module's to judge. */
    if (ctx->txn.ask == SR_STATUS_UNKNOWN_NAME && ctx->nss_uid != (uid_t)-1)
        return PAM_USER_UNKNOWN;
    code = sr_prompt_password(ctx, &password);
    if (code != PAM_SUCCESS)
        return code;
    code = verified_code(ctx, sr_verify(ctx, password));
    if (code != PAM_SUCCESS)
        return code;
    code = after_right(ctx, SR_AUTHTOK_PROVED, password);
    if (code == PAM_SUCCESS)
        sr_credentials_note(ctx);
    return code;
}

/*
 * Before another module.  The password is asked for here, so that a person who
 * gives up is not counted, and so that a locked-out name looks like any other.
 * Never a vote for the login: PAM_IGNORE.
 */
static int
authenticate_guard(struct sr_pam_context *ctx)
{
    const char *password;
    int code = sr_prompt_password(ctx, &password);

    if (code != PAM_SUCCESS)
        return code;
    switch (sr_verify_guard(ctx, password)) {
    case SR_VERIFIED_RIGHT:
        return PAM_IGNORE;
    case SR_VERIFIED_LOCKED:
        return PAM_AUTH_ERR;
    default:
        return PAM_AUTHINFO_UNAVAIL;
    }
}

/*
 * After another module, which said right.  No vote either: the line is reached
 * behind a failure, too, where the module between is only "sufficient".  And no
 * proof of the password, because that module may have looked at something else:
 * it is kept to be proved when a change needs it.
 */
static int
authenticate_settle(struct sr_pam_context *ctx)
{
    const void *password = NULL;
    int code;

    if (!sr_verify_settle(ctx) ||
        pam_get_item(ctx->pamh, PAM_AUTHTOK, &password) != PAM_SUCCESS)
        password = NULL;
    if (!sr_context_knows(ctx))
        return PAM_IGNORE; /* not our account: nothing to say about it */
    code = sr_context_recall(ctx, false, PAM_AUTHINFO_UNAVAIL);
    if (code == PAM_SUCCESS)
        code = after_right(ctx, SR_AUTHTOK_TYPED, password);
    return code == PAM_SUCCESS ? PAM_IGNORE : code;
}

int
sr_authenticate(struct sr_pam_context *ctx)
{
    /* What an earlier try on this handle proved or left proves nothing now. */
    sr_authtok_cache_drop(ctx->pamh, SR_AUTHTOK_PROVED);
    sr_authtok_cache_drop(ctx->pamh, SR_AUTHTOK_TYPED);
    if (ctx->args.settle)
        return authenticate_settle(ctx);
    sr_verify_guard_end(ctx);
    ask_delay(ctx);
    if (ctx->txn.ask == SR_STATUS_UNAVAILABLE ||
        ctx->txn.ask == SR_STATUS_AMBIGUOUS ||
        ctx->txn.ask == SR_STATUS_NO_MEMORY)
        return sr_context_unknown_code(ctx, PAM_AUTHINFO_UNAVAIL);
    return ctx->args.guard ? authenticate_guard(ctx) : authenticate_alone(ctx);
}
