/*
 * LDAP device: entries below a container in which a directory keeps what hosts
 * share: failed attempts and enrolments.
 *
 * An entry is a device, a class that every server knows (RFC 4519 section 3.3):
 * its name is random or a hash, and serialNumber and description have the rest.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_DEVICE_H
#define SR_POLICY_BACKEND_LDAP_DEVICE_H

#include "policy/backend/ldap/session.h"

/* The DN of an entry below `base`; a new string, or NULL. */
char *sr_ldap_device_name(const char *base, const char *id);

/* Add the entry `dn`, which is that of `id`, on the connection as it is bound.
 * Sent once and never again. */
void sr_ldap_device_add(struct sr_ldap_session *session, const char *dn,
                        const char *id, const char *serial_number,
                        const char *description,
                        struct sr_ldap_response *answer);

/* NO_MEMORY or UNAVAILABLE for an answer that is no success; the error then
 * says what ("add an entry") could not be done below `base`, and why. */
enum sr_status sr_ldap_device_failed(struct sr_ldap_session *session,
                                     const char *base, const char *what,
                                     const struct sr_ldap_response *answer);

#endif
