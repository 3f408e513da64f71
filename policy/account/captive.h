/*
 * Captive: the account by which a person who cannot log in reaches
 * self-service reset (reset.account), and what must hold of it.
 *
 * Its login asks for no password, so it may be able to do nothing but run
 * selfreset(1).  Everything that this rests on is verified each time, and what
 * cannot be verified counts as wrong.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_CAPTIVE_H
#define SR_POLICY_ACCOUNT_CAPTIVE_H

#include <stdbool.h>
#include <sys/types.h>

struct sr_config;

/* Its login shell, the only program that it may run. */
#define SR_CAPTIVE_SHELL SR_BINDIR "/selfreset"

/* Its home, in which only root can make files.  One that is missing is
 * announced at each login, and pam_mkhomedir(8) would make it. */
#define SR_CAPTIVE_HOME "/"

/*
 * What is wrong with the account of this name, as the end of a sentence ("it
 * has ..."), or NULL: it exists, by exactly this name, its uid is its own and
 * not root's, its shell is the program above, which only root can have written,
 * it has no home that it could write, and its password is locked.  Needs root's
 * rights.  With NULL its uid is in *uid.
 */
const char *sr_captive_flaw(const char *name, uid_t *uid);

/* Whether reset is enabled, and `name` is that of the account, to the letter.
 */
bool sr_captive_is(const struct sr_config *config, const char *name);

/* Whether the host's configuration enables reset and has its captive account,
 * without a flaw, under this uid. */
bool sr_captive_has_uid(uid_t uid);

#endif
