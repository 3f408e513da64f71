/*
 * Session: at a login, tell of the failed attempts before it, and remember
 * where it came from.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "pam/internal.h"

/* The notice about failed attempts, and where the login came from. */
static int
record_login(struct sr_pam_context *ctx)
{
    struct sr_message_context say = sr_context_message(ctx);
    struct sr_memory memory;
    enum sr_store_result result;

    /* sudo, cron and the like are no logins: the notice must wait for one. */
    if (ctx->txn.rules.spare_expired || ctx->nss_uid == (uid_t)-1)
        return PAM_SUCCESS;
    /* Nor is it when root becomes somebody: nobody came, and nobody reads. */
    if (ctx->source.is_user && ctx->source.user == 0 && ctx->nss_uid != 0)
        return PAM_SUCCESS;
    result = sr_attempt_logged_in(NULL, ctx->nss_uid, &ctx->source,
                                  &ctx->txn.rules, &memory);
    if (result == SR_STORE_OK)
        sr_context_tell(ctx, PAM_TEXT_INFO, sr_message_failures(&memory, &say));
    else
        sr_context_event(ctx, SR_EVENT_STATE, "failed",
                         sr_store_strerror(result), -1);
    return PAM_SUCCESS; /* a session is never refused here */
}

int
sr_session_open(struct sr_pam_context *ctx)
{
    if (sr_credentials_are_there(ctx->pamh))
        sr_credentials_begin(ctx);
    return record_login(ctx);
}
