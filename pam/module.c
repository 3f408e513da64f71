/*
 * Module: the six functions that libpam calls.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "pam/calls.h"
#include "pam/hand_over.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return sr_pam_call(pamh, SR_PAM_AUTH, flags, argc, argv);
}

EXPORT int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    if (((unsigned)flags & PAM_DELETE_CRED) == 0)
        sr_hand_over_confirm(pamh, SR_PAM_CRED);
    return sr_pam_call(pamh, SR_PAM_CRED, flags, argc, argv);
}

EXPORT int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return sr_pam_call(pamh, SR_PAM_ACCOUNT, flags, argc, argv);
}

EXPORT int
pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return sr_pam_call(pamh, SR_PAM_PASSWORD, flags, argc, argv);
}

EXPORT int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    sr_hand_over_confirm(pamh, SR_PAM_OPEN);
    return sr_pam_call(pamh, SR_PAM_OPEN, flags, argc, argv);
}

EXPORT int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return sr_pam_call(pamh, SR_PAM_CLOSE, flags, argc, argv);
}
