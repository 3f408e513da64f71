/*
 * Captive: the one login without a password, by which a person who forgot it
 * reaches self-service reset.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "pam/captive.h"
#include "policy/config/account_rules.h"
#include "policy/account/captive.h"
#include "policy/config/settings.h"

/* Whether the service leads to the captive account, if anything does. */
static bool
is_entry(const struct sr_pam_context *ctx)
{
    return !ctx->is_spare && sr_config_resets(ctx->config) &&
           sr_string_list_has(&ctx->config->reset.services,
                              ctx->txn.context.service);
}

bool
sr_captive_may_enter(struct sr_pam_context *ctx)
{
    const struct sr_context *context = &ctx->txn.context;
    uid_t uid = (uid_t)-1;
    const char *flaw;

    if (!is_entry(ctx) || !sr_captive_is(ctx->config, ctx->user) ||
        context->real_uid != 0 || !context->allow_empty)
        return false;
    flaw = sr_captive_flaw(ctx->user, &uid);
    if (flaw != NULL)
        sr_context_event(ctx, SR_EVENT_CAPTIVE_REFUSED, "failed", flaw,
                         PAM_AUTH_ERR);
    return flaw == NULL;
}

void
sr_captive_hint(struct sr_pam_context *ctx)
{
    if (is_entry(ctx) && ctx->config->reset.hint)
        sr_context_tell(ctx, PAM_TEXT_INFO,
                        sr_message_hint(ctx->config->reset.account));
}
