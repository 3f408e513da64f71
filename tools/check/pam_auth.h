/*
 * PAM auth: paths through an auth stack that succeed uncounted, and stacks with
 * which no login succeeds.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_PAM_AUTH_H
#define SR_TOOLS_CHECK_PAM_AUTH_H

#include "tools/check/pam_service.h"

/*
 * A stack whose success no module has to prove.  Asked of every service,
 * whether it has pam_selfreset.so or not.
 */
void check_auth_open(const struct service *service);

/* A stack of auth or account that fails whatever pam_selfreset.so answers.  One
 * with a line that libpam cannot use is left to what is said of that line. */
void check_dead(const struct service *service, enum stack_type type);

/* All else about the auth stack. */
void check_auth(const struct service *service);

/*
 * Whether accounts of the name service's source `directory`, which this module
 * does not serve, can pass the stacks auth and account.
 */
void check_directory(const struct service *service, const char *directory);

#endif
