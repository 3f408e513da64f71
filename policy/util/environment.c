/*
 * Environment: keeping libraries from the environment of a set-user-ID program.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdint.h>
#include <unistd.h>

#include "policy/util/environment.h"

char **
sr_environment_hide(void)
{
    static char quiet[] = "LDAPNOINIT=1";
    static char *const nothing[] = {quiet, NULL};
    char **environment = environ;

    environ = (char **)(uintptr_t)nothing;
    return environment;
}

void
sr_environment_restore(char **environment)
{
    environ = environment;
}
