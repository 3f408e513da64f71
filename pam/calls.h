/*
 * Calls: the six calls of libpam, made for the caller of a handle.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_CALLS_H
#define SR_PAM_CALLS_H

#include "pam/context.h"

/* Make a call; returns its answer. */
int sr_pam_call(pam_handle_t *pamh, enum sr_pam_call call, int flags, int argc,
                const char **argv);

/*
 * Whether the handle needs its backends again soon, so that connections are
 * kept: after authenticate comes acct_mgmt, then a forced change where it is
 * demanded, and the passes of a change follow each other.  A session follows
 * for hours or days.
 */
bool sr_pam_call_goes_on(const struct sr_pam_context *ctx, int code);

#endif
