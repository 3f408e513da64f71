/*
 * LDAP init: the first use of libldap in a process.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_INIT_H
#define SR_POLICY_BACKEND_LDAP_INIT_H

#include <ldap.h>

/*
 * Use libldap for the first time in this process, before anything else is asked
 * of it: without SASL mechanisms that take long to load, and without waiting
 * for name servers.  Further calls have no effect.
 */
void sr_ldap_first_use(void);

#endif
