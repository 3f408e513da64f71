/*
 * NTSTATUS: the state that a KDC of Active Directory adds to an error.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_NTSTATUS_H
#define SR_POLICY_BACKEND_KRB5_NTSTATUS_H

#include <stddef.h>
#include <stdint.h>

/* MS-ERREF 2.3.1 */
#define SR_NTSTATUS_INVALID_LOGON_HOURS  0xC000006Fu
#define SR_NTSTATUS_INVALID_WORKSTATION  0xC0000070u
#define SR_NTSTATUS_PASSWORD_EXPIRED     0xC0000071u
#define SR_NTSTATUS_ACCOUNT_DISABLED     0xC0000072u
#define SR_NTSTATUS_ACCOUNT_EXPIRED      0xC0000193u
#define SR_NTSTATUS_PASSWORD_MUST_CHANGE 0xC0000224u
#define SR_NTSTATUS_ACCOUNT_LOCKED_OUT   0xC0000234u

/*
 * The status in the e-data of a KRB-ERROR: METHOD-DATA (RFC 4120, 5.9.1) with
 * an element of type PA-PW-SALT, whose first four bytes are the status in
 * little-endian order (MS-KILE 2.2.2).  0: there is none.  Pure.
 */
uint32_t sr_krb5_ntstatus(const uint8_t *bytes, size_t size);

#endif
