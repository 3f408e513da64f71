/*
 * Padata: what a KDC adds to an error: the state of an account of Active
 * Directory, and what keys are made with.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_PADATA_H
#define SR_POLICY_BACKEND_KRB5_PADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MS-ERREF 2.3.1 */
#define SR_NTSTATUS_ACCOUNT_RESTRICTION  0xC000006Eu
#define SR_NTSTATUS_INVALID_LOGON_HOURS  0xC000006Fu
#define SR_NTSTATUS_INVALID_WORKSTATION  0xC0000070u
#define SR_NTSTATUS_PASSWORD_EXPIRED     0xC0000071u
#define SR_NTSTATUS_ACCOUNT_DISABLED     0xC0000072u
#define SR_NTSTATUS_TYPE_NOT_GRANTED     0xC000015Bu
#define SR_NTSTATUS_ACCOUNT_EXPIRED      0xC0000193u
#define SR_NTSTATUS_PASSWORD_MUST_CHANGE 0xC0000224u
#define SR_NTSTATUS_ACCOUNT_LOCKED_OUT   0xC0000234u
#define SR_NTSTATUS_FIREWALL_FAILED      0xC0000413u

/*
 * The status in the e-data of a KRB-ERROR: METHOD-DATA (RFC 4120, 5.9.1) with
 * an element of type PA-PW-SALT, whose first four bytes are the status in
 * little-endian order (MS-KILE 2.2.2).  0: there is none.  Pure.
 */
uint32_t sr_krb5_ntstatus(const uint8_t *bytes, size_t size);

/* The types of keys that a KDC has of an account, with what a password is mixed
 * into them (RFC 4120, 5.2.7.5). */
#define SR_KRB5_ETYPES_MAX 8
#define SR_KRB5_SALT_MAX   512
#define SR_KRB5_PARAMS_MAX 32

struct sr_krb5_etype {
    int32_t etype;
    size_t size; /* of the salt */
    uint8_t salt[SR_KRB5_SALT_MAX];
    size_t params_size; /* 0: those that the type has by itself */
    uint8_t params[SR_KRB5_PARAMS_MAX];
};

struct sr_krb5_etypes {
    struct sr_krb5_etype of[SR_KRB5_ETYPES_MAX];
    size_t count;
};

/*
 * Read them from METHOD-DATA with an element of type PA-ETYPE-INFO2; an entry
 * whose salt or parameters are too long is left out.  False: there is none.
 * Pure.
 */
bool sr_krb5_etypes(const uint8_t *bytes, size_t size,
                    struct sr_krb5_etypes *out);

#endif
