/*
 * Publish: at each event, what the rest of the system sees of the account.  A
 * failure is an event and never an answer: the login goes on.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "policy/config/config.h"
#include "pam/internal.h"

/* The lock is held for microseconds; a login does not wait for a stopped one.
 */
#define WAIT_MS 250

/* Why nothing was published; NULL when there is nothing to say. */
static const char *
cause_of(enum sr_publish_result result, const char *reason)
{
    switch (result) {
    case SR_PUBLISH_OK:
    case SR_PUBLISH_UNCHANGED:
    case SR_PUBLISH_OFF:
        return NULL;
    case SR_PUBLISH_BUSY:
        return "busy";
    case SR_PUBLISH_FULL:
        return "full";
    case SR_PUBLISH_FAILED:
        break;
    }
    return reason;
}

static void
tell(struct sr_pam_context *ctx, enum sr_publish_result result,
     const char *reason)
{
    const char *cause = cause_of(result, reason);

    if (cause != NULL)
        sr_context_event(ctx, SR_EVENT_PUBLISH_FAILED, "failed", cause, -1);
}

void
sr_context_publish(struct sr_pam_context *ctx)
{
    char reason[SR_ERROR_TEXT_SIZE] = "";
    enum sr_publish_result result = SR_PUBLISH_UNCHANGED;

    /* Nothing was learned of one that shows itself to its owner only: what
     * was learned at the last login stays. */
    if (!ctx->txn.account->is_closed)
        result = sr_publish_gathered(SR_PUBLISHED_DIR, &ctx->txn, ctx->sequence,
                                     WAIT_MS, reason, sizeof(reason));

    tell(ctx, result, reason);
}

void
sr_context_publish_anew(struct sr_pam_context *ctx)
{
    char reason[SR_ERROR_TEXT_SIZE] = "";
    /* A change of the password ends no lockout. */
    const struct sr_shared_locks fleet = {.is_known = {false, false}};
    enum sr_publish_result result = sr_publish_account_linked(
        ctx->config, ctx->txn.connections, &fleet, SR_PUBLISHED_DIR, NULL,
        ctx->user, WAIT_MS, reason, sizeof(reason));

    tell(ctx, result, reason);
}

/*
 * The work of publishing an account, for a name that is none of ours: root is
 * gathered, and the rest is done for nothing.
 */
static void
publish_nobody(const struct sr_config *config)
{
    struct sr_transaction txn;

    if (sr_transaction_begin(config, "root", NULL, NULL, &txn) == SR_STATUS_OK)
        sr_transaction_recall(&txn, NULL, NULL);
    sr_transaction_end(&txn);
    sr_publish_decoy(SR_PUBLISHED_DIR, WAIT_MS);
}

/*
 * A lockout takes as long whether the name (NULL: none of ours) exists or not,
 * and whether it is to be seen or not: it is not where the owner has another
 * source to come from.  What the fleet says the attempt has learned; to ask it
 * for the other side would take longer where the name exists.
 */
static enum sr_publish_result
publish_lockout(const struct sr_config *config,
                struct sr_connections *connections,
                const struct sr_shared_locks *fleet, const char *name,
                char *reason, size_t size)
{
    enum sr_publish_result result = SR_PUBLISH_UNCHANGED;

    if (name == NULL) {
        publish_nobody(config);
        return result;
    }
    result =
        sr_publish_account_linked(config, connections, fleet, SR_PUBLISHED_DIR,
                                  NULL, name, WAIT_MS, reason, size);
    if (result == SR_PUBLISH_UNCHANGED)
        sr_publish_decoy(SR_PUBLISHED_DIR, WAIT_MS);
    return result;
}

void
sr_context_publish_lockout(struct sr_pam_context *ctx,
                           const struct sr_verification *enclosed,
                           bool is_known)
{
    const char *name = is_known && sr_context_knows(ctx) ? ctx->user : NULL;
    char reason[SR_ERROR_TEXT_SIZE] = "";
    const struct sr_shared_locks fleet = sr_verification_locks(enclosed);
    enum sr_publish_result result =
        publish_lockout(ctx->config, ctx->txn.connections, &fleet, name, reason,
                        sizeof(reason));

    tell(ctx, result, reason);
}

void
sr_publish_later(const char *conf, const struct sr_verification *enclosed,
                 const char *name, struct sr_event *event)
{
    struct sr_config_errors errors = {0};
    const struct sr_shared_locks fleet = sr_verification_locks(enclosed);
    struct sr_config *config = sr_config_load(conf, &errors);
    enum sr_publish_result result = SR_PUBLISH_OFF;
    char reason[SR_ERROR_TEXT_SIZE] = "";

    if (config != NULL)
        result =
            publish_lockout(config, NULL, &fleet, name, reason, sizeof(reason));
    event->id = SR_EVENT_PUBLISH_FAILED;
    event->result = "failed";
    event->cause = cause_of(result, reason);
    if (event->cause != NULL)
        sr_event_send(event);
    sr_config_errors_free(&errors);
    sr_config_free(config);
}
