/*
 * Check host: mistakes in the configuration, the files and the state.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_HOST_H
#define SR_TOOLS_CHECK_HOST_H

#include <stdbool.h>

#include "policy/config/settings.h"
#include "tools/check/findings.h"

/*
 * Load a configuration (NULL: the built-in path); every error becomes a
 * finding.  `is_trial`: no login reads this file, and the findings say what it
 * would do.  Returns the configuration, or NULL when there were errors.
 */
struct sr_config *check_config(const char *file, bool is_trial,
                               struct findings *findings);

/* Whether selfreset-helper, or an init in its place, listens at a socket of
 * wire/link.h. */
bool check_has_helper(const char *socket_path);

/* Whether SELinux is in enforcing mode (false without it) and keeps login
 * programs from the helper, too: nothing listens at its socket, or the socket
 * lacks the label that the policy module of selinux/ gives it. */
bool selinux_bars_logins(void);

/* The same as a finding: no policy lets login programs read shadow, so that
 * every password is refused. */
void check_selinux(struct findings *findings);

/* The command that sets the clock, by the service of time that runs here, or
 * that is installed, or could be. */
const char *check_clock_command(void);

/* Names in lists that are no users or groups of this host. */
void check_names(const struct sr_config *config, struct findings *findings);

/* The folders of the state, their modes, the store, and free space. */
void check_state(struct findings *findings);

/* Whether new passwords can be checked as the rules say. */
void check_quality(const struct sr_config *config, struct findings *findings);

#endif
