/*
 * Hand over: calls that this process cannot answer, made by selfreset-helper.
 *
 * A process without root's rights can read neither hashes nor what this host
 * remembers; a process of root may be kept from shadow, from writing the state
 * or from the network by SELinux or by the sandbox of its unit.  The helper
 * then makes the call in its place, with the same code, and this end shows what
 * it says and asks what it asks.  Where no helper listens, the call is made
 * here, and answers what it can.
 *
 * The connection of a root process stays in its handle until no call follows
 * soon; the helper keeps there what a handle keeps from call to call.  No
 * connection of other processes outlasts a call.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_HAND_OVER_H
#define SR_PAM_HAND_OVER_H

#include "pam/context.h"

/* The application continues as after a success (setcred, open_session): inform
 * the helper that serves the handle, if one does; see guard.h. */
void sr_hand_over_confirm(pam_handle_t *pamh, enum sr_pam_call call);

#endif
