/*
 * Module: the six functions that libpam calls: begin, work, end.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "pam/account.h"
#include "pam/auth.h"
#include "pam/credentials.h"
#include "pam/guard.h"
#include "pam/password.h"
#include "pam/session.h"
#include "policy/backend/registry.h"

#define EXPORT __attribute__((visibility("default")))

/*
 * Whether the handle needs its backends again soon, so that connections are
 * kept: after authenticate comes acct_mgmt, then a forced change where it is
 * demanded, and the passes of a change follow each other.  A session follows
 * for hours or days.
 */
static bool
is_more_to_come(const struct sr_pam_context *ctx, int code)
{
    if (strcmp(ctx->channel, "auth") == 0)
        return true;
    if (strcmp(ctx->channel, "account") == 0)
        return code == PAM_NEW_AUTHTOK_REQD;
    return strcmp(ctx->channel, "password") == 0 &&
           (code == PAM_SUCCESS || code == PAM_IGNORE) &&
           (!ctx->args.settle || (ctx->flags & PAM_PRELIM_CHECK) != 0);
}

static int
run(pam_handle_t *pamh, int flags, const char *channel, int argc,
    const char **argv, int (*work)(struct sr_pam_context *ctx))
{
    struct sr_pam_context ctx;
    int code = sr_context_begin(&ctx, pamh, flags, channel, argc, argv);

    if (code == PAM_SUCCESS)
        code = work(&ctx);
    if (!is_more_to_come(&ctx, code))
        sr_connections_idle(ctx.txn.connections);
    sr_context_end(&ctx);
    return code;
}

EXPORT int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return run(pamh, flags, "auth", argc, argv, sr_authenticate);
}

/* An error would end a good login: what went wrong is logged. */
EXPORT int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    const bool removes = ((unsigned)flags & PAM_DELETE_CRED) != 0;

    if (!removes)
        sr_guard_confirm(pamh, false);
    if (sr_credentials_are_there(pamh))
        run(pamh, flags, "cred", argc, argv,
            removes ? sr_credentials_remove : sr_credentials_establish);
    return PAM_SUCCESS;
}

EXPORT int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    sr_guard_confirm(pamh, false);
    return run(pamh, flags, "account", argc, argv, sr_account);
}

EXPORT int
pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    int code = run(pamh, flags, "password", argc, argv, sr_chauthtok);

    /* Else the next module with use_authtok stores what was refused, or what
     * could not be judged.  An account that is not ours is neither. */
    if (((unsigned)flags & PAM_UPDATE_AUTHTOK) != 0 && code != PAM_SUCCESS &&
        code != PAM_IGNORE && code != PAM_USER_UNKNOWN)
        pam_set_item(pamh, PAM_AUTHTOK, NULL);
    return code;
}

EXPORT int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    sr_guard_confirm(pamh, true);
    run(pamh, flags, "session", argc, argv, sr_session_open);
    return PAM_SUCCESS; /* what went wrong is logged; the login was decided */
}

EXPORT int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    sr_session_close(pamh);
    if (sr_credentials_are_there(pamh))
        run(pamh, flags, "session", argc, argv, sr_credentials_remove);
    return PAM_SUCCESS;
}
