/*
 * Session: what a login shows and records.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_SESSION_H
#define SR_PAM_SESSION_H

#include "pam/context.h"

/* The work of pam_sm_open_session().  A session is never refused here:
 * PAM_SUCCESS. */
int sr_session_open(struct sr_pam_context *ctx);

/* The work of pam_sm_close_session(). */
void sr_session_close(pam_handle_t *pamh);

#endif
