/*
 * Captive: the one login without a password, by which a person who forgot it
 * reaches self-service reset; and the line that names it after a failed login.
 *
 * It fails closed: what does not hold, or cannot be found out, leaves an
 * account whose password is locked, as any other.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_CAPTIVE_H
#define SR_PAM_CAPTIVE_H

#include "pam/context.h"

/*
 * Whether this is a login of the captive account to a service that runs its
 * shell and nothing else.  All of this must hold:
 *
 * - reset.enable, in a configuration without an error;
 * - the name is reset.account, to the letter;
 * - the service is one of reset.services;
 * - the call is made by root for nobody else: no set-user-ID program of a user,
 *   and no process without root's rights;
 * - the application admits accounts without a password
 *   (PAM_DISALLOW_NULL_AUTHTOK is not set).  sshd does so only where
 *   sshd_config(5) says "PermitEmptyPasswords yes", as the block "Match User"
 *   does that forces the command and forbids forwarding: where sshd does not
 *   obey that block, it does not get this account;
 * - sr_captive_flaw() finds nothing.
 *
 * A login for which only the last of these does not hold is recorded.
 */
bool sr_captive_may_enter(struct sr_pam_context *ctx);

/*
 * Whether this is the authentication of that name by a greeter, which has the
 * dialogue of a reset in it and refuses: by root, for one of reset.greeters,
 * and from this host, as the name of no peer shows.  The account has no other
 * part in it, so nothing else is verified of it.
 */
bool sr_captive_talks(struct sr_pam_context *ctx);

/* Whether this is the account, at a service that has no session for it. */
bool sr_captive_is_refused(const struct sr_pam_context *ctx);

/* After a wrong password, where the configuration wants it (reset.hint): have
 * the user informed of the captive account. */
void sr_captive_hint(struct sr_pam_context *ctx);

#endif
