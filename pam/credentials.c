/*
 * Credentials: what a verified password leaves for the session, such as a
 * Kerberos ticket in a cache of the user.
 *
 * sshd verifies in a process of its own and begins the session in another one,
 * which gets nothing but the environment of the handle: a name in it leads to
 * what was left.  Nothing here fails a login.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include "pam/credentials.h"
#include "policy/backend/registry.h"

#define CREDENTIALS_DATA "selfreset_credentials"
#define HANDLE_VARIABLE  "SELFRESET_LOGIN"
#define CACHE_VARIABLE   "KRB5CCNAME"

/* What is known of the credentials on a handle. */
struct credentials {
    char *user;  /* whose they are */
    char *place; /* made on this handle; NULL: none yet */
};

static void
credentials_free(struct credentials *credentials)
{
    if (credentials == NULL)
        return;
    free(credentials->user);
    free(credentials->place);
    free(credentials);
}

static void
credentials_cleanup(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status;
    credentials_free(data);
}

static struct credentials *
find(pam_handle_t *pamh)
{
    const void *data = NULL;

    if (pam_get_data(pamh, CREDENTIALS_DATA, &data) != PAM_SUCCESS)
        return NULL;
    return (struct credentials *)(uintptr_t)data; /* libpam says const */
}

/* Record whose they are; an earlier record is replaced. */
static struct credentials *
record(struct sr_pam_context *ctx)
{
    struct credentials *made = calloc(1, sizeof(*made));

    if (made != NULL)
        made->user = strdup(ctx->user);
    if (made == NULL || made->user == NULL ||
        pam_set_data(ctx->pamh, CREDENTIALS_DATA, made, credentials_cleanup) !=
            PAM_SUCCESS) {
        credentials_free(made);
        return NULL;
    }
    return made;
}

/* A call of the account's backend, if that has credentials. */
static bool
has_call(struct sr_pam_context *ctx, struct sr_call *call)
{
    if (!sr_context_knows(ctx) ||
        ctx->txn.account->verifier.ops->credentials == NULL)
        return false;
    *call = sr_call_make(&ctx->txn.account->verifier, ctx->txn.connections);
    return true;
}

static void
put_variable(struct sr_pam_context *ctx, const char *name, const char *value)
{
    char *text = NULL;

    if (asprintf(&text, "%s=%s", name, value) < 0)
        return;
    pam_putenv(ctx->pamh, text);
    free(text);
}

/* Remove what was left for another process. */
static void
drop_left(struct sr_pam_context *ctx, struct sr_call *call)
{
    const char *handle = pam_getenv(ctx->pamh, HANDLE_VARIABLE);

    if (handle == NULL)
        return;
    sr_backend_drop(call, ctx->txn.account, handle);
    pam_putenv(ctx->pamh, HANDLE_VARIABLE);
}

void
sr_credentials_note(struct sr_pam_context *ctx)
{
    struct sr_call call;
    char *handle = NULL;
    enum sr_status status;

    if (!has_call(ctx, &call))
        return;
    drop_left(ctx, &call);
    status = sr_backend_hand_over(&call, ctx->txn.account, &handle);
    if (status == SR_STATUS_OK && record(ctx) != NULL && handle != NULL)
        put_variable(ctx, HANDLE_VARIABLE, handle);
    else if (status == SR_STATUS_UNAVAILABLE)
        sr_context_event(ctx, SR_EVENT_BACKEND_DOWN, "failed", call.error.text,
                         -1);
    free(handle);
}

void
sr_credentials_drop(struct sr_pam_context *ctx)
{
    struct sr_call call;

    if (has_call(ctx, &call))
        drop_left(ctx, &call);
}

bool
sr_credentials_are_there(pam_handle_t *pamh)
{
    return find(pamh) != NULL || pam_getenv(pamh, HANDLE_VARIABLE) != NULL;
}

/* The place to be renewed: of this handle; or of the caller's own session.  The
 * user can have chosen either name (pam_env reads a file of his), so the
 * backend goes there with his rights only, or makes a new place. */
static const char *
place_of(struct sr_pam_context *ctx)
{
    const unsigned renew = PAM_REINITIALIZE_CRED | PAM_REFRESH_CRED;
    const char *place = pam_getenv(ctx->pamh, CACHE_VARIABLE);

    if (place != NULL || (ctx->flags & renew) == 0 ||
        ctx->txn.context.real_uid != ctx->txn.account->facts.uid)
        return place;
    return getenv(CACHE_VARIABLE);
}

static void
establish(struct sr_pam_context *ctx, struct sr_call *call)
{
    const struct passwd *entry = pam_modutil_getpwnam(ctx->pamh, ctx->user);
    struct credentials *credentials = find(ctx->pamh);
    struct sr_credential_want want = {
        .handle = pam_getenv(ctx->pamh, HANDLE_VARIABLE),
        .place = place_of(ctx),
    };
    char *name = NULL;
    enum sr_status status = SR_STATUS_UNAVAILABLE;

    if (entry != NULL && entry->pw_uid == ctx->txn.account->facts.uid) {
        want.gid = entry->pw_gid;
        status = sr_backend_establish(call, ctx->txn.account, &want, &name);
    }
    pam_putenv(ctx->pamh, HANDLE_VARIABLE);
    if (status == SR_STATUS_OK) {
        if (credentials == NULL)
            credentials = record(ctx);
        if (credentials != NULL &&
            (want.place == NULL || strcmp(name, want.place) != 0)) {
            free(credentials->place);
            credentials->place = strdup(name);
        }
        put_variable(ctx, CACHE_VARIABLE, name); /* want.place ends here */
    } else if (status != SR_STATUS_UNKNOWN_NAME) {
        sr_context_event(ctx, SR_EVENT_CREDENTIALS, "failed", call->error.text,
                         -1);
    }
    free(name);
}

int
sr_credentials_establish(struct sr_pam_context *ctx)
{
    const struct credentials *credentials = find(ctx->pamh);
    struct sr_call call;

    /* sudo proves one user and begins a session of another. */
    if (has_call(ctx, &call) &&
        (credentials == NULL || strcmp(credentials->user, ctx->user) == 0))
        establish(ctx, &call);
    return PAM_SUCCESS;
}

int
sr_credentials_begin(struct sr_pam_context *ctx)
{
    const struct credentials *credentials = find(ctx->pamh);

    /* Unless setcred has done it. */
    if (credentials != NULL && credentials->place != NULL)
        return PAM_SUCCESS;
    return sr_credentials_establish(ctx);
}

int
sr_credentials_remove(struct sr_pam_context *ctx)
{
    struct credentials *credentials = find(ctx->pamh);
    const struct passwd *entry;
    struct sr_call call;

    if (credentials == NULL || !has_call(ctx, &call) ||
        strcmp(credentials->user, ctx->user) != 0)
        return PAM_SUCCESS;
    drop_left(ctx, &call);
    entry = pam_modutil_getpwnam(ctx->pamh, ctx->user);
    if (credentials->place != NULL && entry != NULL &&
        sr_backend_destroy(&call, ctx->txn.account, entry->pw_gid,
                           credentials->place) != SR_STATUS_OK)
        sr_context_event(ctx, SR_EVENT_CREDENTIALS, "failed", call.error.text,
                         -1);
    pam_putenv(ctx->pamh, CACHE_VARIABLE);
    pam_set_data(ctx->pamh, CREDENTIALS_DATA, NULL, NULL);
    return PAM_SUCCESS;
}
