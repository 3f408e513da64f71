/*
 * Captive: whether the way into self-service reset for people who cannot log in
 * is safe and open: the captive account, what sshd lets it do, and the helper.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_CAPTIVE_H
#define SR_TOOLS_CHECK_CAPTIVE_H

#include "policy/config/settings.h"
#include "policy/reset/enrolment.h"
#include "policy/wire/link.h"
#include "tools/check/findings.h"

/* Where selfreset-helper listens for dialogues. */
#define CAPTIVE_SOCKET SR_RUNDIR "/" SR_LINK_RESET

/* Before all other files of the folder: of several blocks that match, sshd
 * takes the first value. */
#define CAPTIVE_SNIPPET "/etc/ssh/sshd_config.d/00-selfreset.conf"

/* The text of that file for an account, as a new string; NULL: out of memory.
 */
char *captive_snippet(const char *account);

/* Whether sshd is on this host. */
bool captive_has_sshd(void);

/*
 * Ask sshd what it would let a login of the account do, from here and from
 * elsewhere.  True: what the snippet says; otherwise `flaw` has the setting
 * that is another ("allowtcpforwarding is yes") or says that sshd cannot be
 * asked.
 */
bool captive_sshd_obeys(const char *account, char *flaw, size_t size);

/* Add what is wrong with the addresses of all enrolments, or that these cannot
 * be counted. */
void check_confirmations(const struct sr_enrolment_totals *totals,
                         struct findings *findings);

/* Add what is wrong, where reset is enabled. */
void check_captive(const struct sr_config *config, struct findings *findings);

#endif
