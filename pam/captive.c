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

/* Whether the service is one of those that lead to a reset, by the captive
 * account or by its name, if anything does. */
static bool
is_one_of(const struct sr_pam_context *ctx,
          const struct sr_string_list *services)
{
    return !ctx->is_spare && sr_config_resets(ctx->config) &&
           sr_string_list_has(services, ctx->txn.context.service);
}

/* Whether nothing says that a peer on the network is at the other end. */
static bool
is_here(const struct sr_pam_context *ctx)
{
    struct sr_source peer;
    const void *rhost = NULL;

    if (pam_get_item(ctx->pamh, PAM_RHOST, &rhost) != PAM_SUCCESS)
        return false;
    sr_source_peer(&peer, rhost);
    return !peer.is_remote && pam_getenv(ctx->pamh, "SSH_CONNECTION") == NULL;
}

bool
sr_captive_may_enter(struct sr_pam_context *ctx)
{
    const struct sr_context *context = &ctx->txn.context;
    uid_t uid = (uid_t)-1;
    const char *flaw;

    if (!is_one_of(ctx, &ctx->config->reset.services) ||
        !sr_captive_is(ctx->config, ctx->user) || context->real_uid != 0 ||
        !context->allow_empty)
        return false;
    flaw = sr_captive_flaw(ctx->user, &uid);
    if (flaw != NULL)
        sr_context_event(ctx, SR_EVENT_CAPTIVE_REFUSED, "failed", flaw,
                         PAM_AUTH_ERR);
    return flaw == NULL;
}

bool
sr_captive_is_refused(const struct sr_pam_context *ctx)
{
    return is_one_of(ctx, &ctx->config->reset.greeters) &&
           sr_captive_is(ctx->config, ctx->user);
}

bool
sr_captive_talks(struct sr_pam_context *ctx)
{
    return ctx->call == SR_PAM_AUTH && !ctx->args.settle &&
           ctx->txn.context.real_uid == 0 && sr_captive_is_refused(ctx) &&
           is_here(ctx);
}

void
sr_captive_hint(struct sr_pam_context *ctx)
{
    const struct sr_reset_config *reset = &ctx->config->reset;

    if (reset->hint && (is_one_of(ctx, &reset->services) ||
                        (is_one_of(ctx, &reset->greeters) && is_here(ctx))))
        sr_context_tell(ctx, PAM_TEXT_INFO,
                        sr_message_hint(ctx->config->reset.account));
}
