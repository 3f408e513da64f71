/*
 * Guard: the attempt that another module of the stack decides, kept in the
 * handle until its outcome is known.
 *
 * The failure is recorded before the other module runs.  That a line behind it
 * is reached proves nothing, since a stack can continue after a failure; nor
 * does PAM_AUTHINFO_UNAVAIL at the end, which another module may answer for a
 * wrong password.  A success is confirmed only by what only success brings: the
 * application calls pam_setcred, pam_acct_mgmt or pam_open_session.  In any
 * other case the failure counts: applications end a handle with PAM_SUCCESS
 * after a failure, too.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_GUARD_H
#define SR_PAM_GUARD_H

#include "pam/context.h"
#include "policy/account/verify.h"

/*
 * Record the failure ahead and keep the attempt in the handle.
 * SR_VERIFIED_RIGHT: continue with the other module.  The transaction and the
 * configuration then belong to the handle; the call must end.
 */
struct sr_verify_outcome sr_guard_begin(struct sr_pam_context *ctx,
                                        const char *password);

/*
 * The same at a line that is not a guard, for a name that exists in no backend,
 * with the work of verifying: SR_VERIFIED_WRONG.  A module behind this line
 * serves it.
 */
struct sr_verify_outcome sr_guard_unknown(struct sr_pam_context *ctx,
                                          const char *password);

/* The call has done the work of verifying without an account, and the next
 * lines of the stack are not to count it again. */
void sr_guard_note(struct sr_pam_context *ctx, const char *password);

/*
 * Whether the password in the handle has been recorded ahead for this name
 * already, at an earlier line of the same stack: it counts once.  (libpam wipes
 * the item between two runs of a stack.)
 */
bool sr_guard_has_run(const struct sr_pam_context *ctx);

/* Whether an attempt for the call's account is kept, and not yet confirmed. */
bool sr_guard_is_for(const struct sr_pam_context *ctx);

/* The application continues as after a success: to pam_setcred or
 * pam_acct_mgmt, or with is_session to pam_open_session. */
void sr_guard_confirm(pam_handle_t *pamh, bool is_session);

/* Before the next try on this handle: the failure of the last one counts. */
void sr_guard_end(pam_handle_t *pamh);

#endif
