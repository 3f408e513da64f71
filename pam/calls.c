/*
 * Calls: the six calls of libpam: begin, work, end.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "pam/account.h"
#include "pam/auth.h"
#include "pam/calls.h"
#include "pam/credentials.h"
#include "pam/guard.h"
#include "pam/password.h"
#include "pam/session.h"
#include "policy/backend/registry.h"

bool
sr_pam_call_goes_on(const struct sr_pam_context *ctx, int code)
{
    switch (ctx->call) {
    case SR_PAM_AUTH:
        return true;
    case SR_PAM_ACCOUNT:
        return code == PAM_NEW_AUTHTOK_REQD;
    case SR_PAM_PASSWORD:
        return (code == PAM_SUCCESS || code == PAM_IGNORE) &&
               (!ctx->args.settle || (ctx->flags & PAM_PRELIM_CHECK) != 0);
    case SR_PAM_CRED:
    case SR_PAM_OPEN:
    case SR_PAM_CLOSE:
        break;
    }
    return false;
}

static int
run(pam_handle_t *pamh, enum sr_pam_call call, int flags, int argc,
    const char **argv, int (*work)(struct sr_pam_context *ctx))
{
    struct sr_pam_context ctx;
    int code = sr_context_begin(&ctx, pamh, call, flags, argc, argv);

    if (code == PAM_SUCCESS && !ctx.is_answered)
        code = work(&ctx);
    if (!sr_pam_call_goes_on(&ctx, code))
        sr_connections_idle(ctx.txn.connections);
    sr_context_end(&ctx);
    return code;
}

static int
change(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    int code = run(pamh, SR_PAM_PASSWORD, flags, argc, argv, sr_chauthtok);

    /* Else the next module with use_authtok stores what was refused, or what
     * could not be decided.  An account that is not ours is neither. */
    if (((unsigned)flags & PAM_UPDATE_AUTHTOK) != 0 && code != PAM_SUCCESS &&
        code != PAM_IGNORE && code != PAM_USER_UNKNOWN)
        pam_set_item(pamh, PAM_AUTHTOK, NULL);
    return code;
}

/* An error would end a good login: what went wrong is logged. */
static void
set_credentials(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    const bool removes = ((unsigned)flags & PAM_DELETE_CRED) != 0;

    if (!removes)
        sr_guard_confirm(pamh, false);
    if (sr_credentials_are_there(pamh))
        run(pamh, SR_PAM_CRED, flags, argc, argv,
            removes ? sr_credentials_remove : sr_credentials_establish);
}

int
sr_pam_call(pam_handle_t *pamh, enum sr_pam_call call, int flags, int argc,
            const char **argv)
{
    switch (call) {
    case SR_PAM_AUTH:
        return run(pamh, call, flags, argc, argv, sr_authenticate);
    case SR_PAM_ACCOUNT:
        sr_guard_confirm(pamh, false);
        return run(pamh, call, flags, argc, argv, sr_account);
    case SR_PAM_PASSWORD:
        return change(pamh, flags, argc, argv);
    case SR_PAM_CRED:
        set_credentials(pamh, flags, argc, argv);
        break;
    case SR_PAM_OPEN: /* what goes wrong is logged; the login was decided */
        sr_guard_confirm(pamh, true);
        run(pamh, call, flags, argc, argv, sr_session_open);
        break;
    case SR_PAM_CLOSE:
        sr_session_close(pamh);
        if (sr_credentials_are_there(pamh))
            run(pamh, call, flags, argc, argv, sr_credentials_remove);
        break;
    }
    return PAM_SUCCESS;
}
