/*
 * Credentials: what a verified password leaves for the session, such as a
 * Kerberos ticket in a cache of the user.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_CREDENTIALS_H
#define SR_PAM_CREDENTIALS_H

#include "pam/context.h"

/* A password was verified: record whether there are credentials, and leave them
 * for another process. */
void sr_credentials_note(struct sr_pam_context *ctx);

/* The login ends before its session begins: remove what was left. */
void sr_credentials_drop(struct sr_pam_context *ctx);

/* Whether there is anything for the calls below to do. */
bool sr_credentials_are_there(pam_handle_t *pamh);

/* Put them into a cache of the user, or renew it; at the beginning of a session
 * only if there is none yet; remove it.  Return PAM_SUCCESS. */
int sr_credentials_establish(struct sr_pam_context *ctx);
int sr_credentials_begin(struct sr_pam_context *ctx);
int sr_credentials_remove(struct sr_pam_context *ctx);

#endif
