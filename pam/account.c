/*
 * Account: may this account be used now?  Asked of the backend itself, because
 * key logins, cron and su by root never ran authenticate.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "pam/account.h"
#include "pam/captive.h"
#include "pam/credentials.h"
#include "pam/guard.h"
#include "policy/account/publishing.h"

/* Add what other hosts have counted.  A directory that cannot be asked locks
 * nobody out. */
static void
ask_shared_ledger(struct sr_pam_context *ctx)
{
    const struct sr_shared_ledger way =
        sr_shared_ledger(&ctx->txn, true, ctx->args.backend);
    char reason[SR_ERROR_TEXT_SIZE] = "";

    if (way.is_there &&
        sr_shared_facts(&way, &ctx->txn, NULL, &ctx->txn.context.source, reason,
                        sizeof(reason)) != SR_STATUS_OK)
        sr_context_event(ctx, SR_EVENT_SHARED_AWAY, "failed", reason, -1);
}

/*
 * Add what this host remembers, and publish it, whatever the verdict will be.
 * Services that an expired password does not stop are not stopped by what this
 * host remembers either, and root must be able to come in by key to repair the
 * store: those continue without it.  Nor can guesses at the captive account,
 * which has no password, keep people from reset.  The failure of an attempt
 * that is still under way on this handle, recorded ahead, is no lockout.
 */
static int
remember(struct sr_pam_context *ctx)
{
    const bool is_under_way = sr_guard_is_for(ctx);
    int code;

    if (ctx->txn.rules.spare_expired || sr_captive_may_enter(ctx))
        return PAM_SUCCESS;
    code = sr_context_recall(ctx, !is_under_way, PAM_AUTHINFO_UNAVAIL);
    if (code == PAM_SUCCESS && !is_under_way) {
        ask_shared_ledger(ctx);
        sr_transaction_publish(&ctx->txn);
    }
    return ctx->txn.account->facts.uid == 0 ? PAM_SUCCESS : code;
}

int
sr_account(struct sr_pam_context *ctx)
{
    struct sr_message_context say = sr_transaction_message(&ctx->txn);
    struct sr_caller caller;
    struct sr_verdict verdict;
    struct sr_change change;
    enum sr_answer answer;
    int code;

    if (sr_captive_is_refused(ctx)) {
        sr_context_event(ctx, SR_EVENT_CAPTIVE_REFUSED, "failed",
                         "greeters have no session for it", PAM_PERM_DENIED);
        sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_RESET_ONLY);
        return PAM_PERM_DENIED;
    }
    if (!sr_context_knows(ctx))
        return sr_context_unknown_code(ctx, PAM_AUTHINFO_UNAVAIL);
    code = remember(ctx);
    if (code != PAM_SUCCESS)
        return code;
    caller = sr_transaction_caller(&ctx->txn, true);
    verdict = sr_transaction_verdict(&ctx->txn, &caller);
    answer =
        sr_verdict_answer(&verdict, SR_CALL_ACCOUNT, &ctx->txn.rules, &caller);
    code = sr_answer_code(answer);
    /* The advice to use passwd(1) is for the session that begins now. */
    caller.is_logged_on = true;
    change =
        sr_change(&ctx->txn.account->facts, &ctx->txn.rules, &caller, say.now);
    say.change = &change;
    sr_transaction_verdict_event(&ctx->txn, &verdict, code);
    sr_context_tell(ctx, code == PAM_SUCCESS ? PAM_TEXT_INFO : PAM_ERROR_MSG,
                    sr_message_verdict(&verdict, answer, &say));
    if (code != PAM_SUCCESS && code != PAM_NEW_AUTHTOK_REQD)
        sr_credentials_drop(ctx);
    return code;
}
