/*
 * Session: at a logon, record the session, say how many attempts failed before
 * it, and remember where it came from.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "pam/captive.h"
#include "pam/credentials.h"
#include "pam/nag.h"
#include "pam/session.h"
#include "policy/throttle/query.h"
#include "policy/account/session.h"
#include "policy/throttle/attempt.h"
#include "policy/util/error.h"

/* In the handle of a logon whose session was recorded. */
#define RECORD_DATA "selfreset_session"

/* Record a session that proves that its user is logged on. */
static void
record(struct sr_pam_context *ctx)
{
    int error;

    if (!ctx->txn.rules.is_logon_service || ctx->txn.context.real_uid != 0)
        return;
    error = sr_session_record(NULL, NULL, ctx->txn.uid);
    if (error == 0)
        pam_set_data(ctx->pamh, RECORD_DATA, NULL, NULL);
    else if (ctx->txn.account != NULL &&
             sr_change_requires_logon(&ctx->txn.account->facts,
                                      &ctx->txn.rules))
        sr_context_event(ctx, SR_EVENT_STATE, "failed", sr_strerror(-error),
                         -1);
}

/* Say what failed since the last login, and remember the source. */
static void
give_notice(struct sr_pam_context *ctx)
{
    const struct sr_message_context say = sr_transaction_message(&ctx->txn);
    const struct sr_identity id = sr_transaction_identity(&ctx->txn);
    enum sr_store_result result;
    struct sr_notice notice;
    struct sr_store *store;

    result = sr_store_open(NULL, NULL, SR_STORE_WRITE, &store);
    if (result == SR_STORE_OK)
        result = sr_attempt_logged_in(store, &id, &ctx->txn.context.source,
                                      &ctx->txn.rules, &notice);
    sr_store_close(store);
    if (result == SR_STORE_OK)
        sr_context_tell(ctx, PAM_TEXT_INFO, sr_message_failures(&notice, &say));
    else
        sr_context_event(ctx, SR_EVENT_STATE, "failed",
                         sr_store_strerror(result), -1);
}

int
sr_session_open(struct sr_pam_context *ctx)
{
    const struct sr_source *source = &ctx->txn.context.source;

    if (sr_credentials_are_there(ctx->pamh))
        sr_credentials_begin(ctx);
    /* What failed at the captive account concerns none of those who use it. */
    if (ctx->txn.uid == (uid_t)-1 || sr_captive_may_enter(ctx))
        return PAM_SUCCESS;
    record(ctx);
    /* sudo, cron and the like are no logins: the notice must wait for one.  Nor
     * is it one when root becomes another user: no user would read it. */
    if (!ctx->txn.rules.spare_expired &&
        !(source->is_user && source->user == 0 && ctx->txn.uid != 0))
        give_notice(ctx);
    sr_nag(ctx);
    return PAM_SUCCESS;
}

void
sr_session_close(pam_handle_t *pamh)
{
    const void *data = NULL;

    if (pam_get_data(pamh, RECORD_DATA, &data) != PAM_SUCCESS)
        return;
    sr_session_forget(NULL);
    pam_set_data(pamh, RECORD_DATA, NULL, NULL);
}
