/*
 * AD values: the attributes of Active Directory whose values are numbers in
 * units of their own, or bytes.
 *
 * Pure.  A value that does not have its syntax is refused as a whole: none
 * of these functions guesses.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_AD_VALUES_H
#define SR_POLICY_BACKEND_LDAP_AD_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/decide/facts.h"
#include "policy/util/time.h"

/* In times: never; in intervals: the one that never ends. */
#define SR_AD_NEVER    INT64_MAX
#define SR_AD_INFINITE INT64_MIN

/* Attributes by their number in replPropertyMetaData (MS-ADTS 3.1.1.3.1.1.2;
 * MS-DRSR 5.16.4: the prefix 9 is 1.2.840.113556.1.4). */
#define SR_AD_UNICODE_PWD  0x9005Au
#define SR_AD_PWD_LAST_SET 0x90060u

/* An integer or large integer (MS-ADTS 3.1.1.2.2.2): digits with no more than a
 * sign before them, and within 64 bits. */
bool sr_ad_number(const char *text, int64_t *value);

/* The same within 32 bits; those with the highest bit set are written as
 * negative numbers. */
bool sr_ad_bits(const char *text, uint32_t *value);

/*
 * A time in units of 100 ns since 1601 (FILETIME, MS-DTYP 2.3.3) in seconds
 * since 1970, rounded down; SR_AD_NEVER is SR_TIME_NEVER.  False: negative.
 */
bool sr_ad_time(int64_t filetime, sr_time *when);

/*
 * An interval in units of -100 ns in seconds, rounded up; 0 is 0, and one that
 * never ends INT64_MAX.  False: it is positive.
 */
bool sr_ad_interval(int64_t interval, int64_t *seconds);

/*
 * logonHours (MS-ADA1 2.375): 21 bytes, a bit for each hour of a week in UTC,
 * which begins with the first hour of a Sunday.  *until is when the answer
 * becomes another one; SR_TIME_NEVER: it does not.  False: not 21 bytes.
 */
bool sr_ad_hours(const uint8_t *bytes, size_t size, sr_time now,
                 bool *is_allowed, sr_time *until);

/*
 * Whether a value of logonHours of this size limits the hours.  An empty one
 * does not; one that is not of 21 bytes neither does so for Samba.  What it is
 * to Windows, which has units of other lengths in its protocols
 * (MS-SAMR 2.2.6.5) but shows only bytes by LDAP, is not documented: the value
 * has to be read.
 */
bool sr_ad_limits_hours(size_t size, bool is_samba);

/*
 * Whether this host is one of userWorkstations (MS-ADA3 2.352): names separated
 * by commas, compared with `host` and its first label, without regard to case.
 * An empty value has every host; commas and blanks alone have none, as for
 * domain controllers.
 */
bool sr_ad_workstations(const char *list, const char *host);

/*
 * The stamp of an attribute in replPropertyMetaData (MS-DRSR 4.1.10.1.2, as a
 * property metadata vector of version 1): when it was last written, and how
 * often.  *when is SR_TIME_UNKNOWN when there is none.  False: malformed.
 */
bool sr_ad_stamp(const uint8_t *bytes, size_t size, uint32_t attribute,
                 sr_time *when, uint32_t *version);

/*
 * Whether the discretionary list of a security descriptor (MS-DTYP 2.4.6)
 * denies its owner the right to change the password: SR_YES or SR_NO as an
 * access check for Everyone, Authenticated Users, SELF and `sid` would find;
 * SR_UNKNOWN when no entry is about them.  sid may be NULL.  False: malformed.
 */
bool sr_ad_denies_change(const uint8_t *bytes, size_t size, const uint8_t *sid,
                         size_t sid_size, enum sr_tri *denies);

/* Whether bytes are one security identifier (MS-DTYP 2.4.2.2). */
bool sr_ad_is_sid(const uint8_t *bytes, size_t size);

/* It as text, "S-1-5-..." (MS-DTYP 2.4.2.1); empty: it is none, or too long. */
void sr_ad_sid_text(const uint8_t *bytes, size_t size, char *out,
                    size_t out_size);

/* Whether an identifier is of a group that AdminSDHolder protects (MS-ADTS
 * 3.1.1.6.1.3), or of the built-in administrator. */
bool sr_ad_is_privileged(const uint8_t *sid, size_t size);

#endif
