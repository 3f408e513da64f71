/*
 * Environment: keeping libraries from the environment of a set-user-ID program.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_ENVIRONMENT_H
#define SR_POLICY_UTIL_ENVIRONMENT_H

/*
 * Give the process an empty environment, but for LDAPNOINIT, while a library
 * reads it that would obey the user's variables.  Returns the environment, for
 * sr_environment_restore().  The variables themselves are not changed: another
 * thread may be reading them.
 */
char **sr_environment_hide(void);
void sr_environment_restore(char **environment);

#endif
