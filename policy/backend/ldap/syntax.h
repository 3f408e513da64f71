/*
 * LDAP syntax: attribute values as numbers, times and switches.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SYNTAX_H
#define SR_POLICY_BACKEND_LDAP_SYNTAX_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/util/time.h"

/*
 * A generalized time (RFC 4517) in seconds.  Returns 0 or -1.  A time before
 * 1970 is 0: nothing here is that old, and servers write such times for "not at
 * all".
 */
int sr_ldap_time(const char *text, sr_time *when);

/*
 * The same as slapd's ppolicy overlay reads it: the seconds since 1970 by the
 * Julian calendar, of which 32 bits without a sign are kept.  So what is before
 * 1970 or after 2105 is another time; the beginning of the year 0 is 0.
 */
int sr_ldap_slapd_time(const char *text, sr_time *when);

/* A number in digits only; one above `most` is `most`. */
bool sr_ldap_number(const char *text, int64_t most, int64_t *value);

/* A number of seconds, or as 389 reads it of others behind which one letter
 * says which, in either case: weeks, days, hours, minutes or seconds. */
bool sr_ldap_duration(const char *text, int64_t most, int64_t *value);

/* TRUE or FALSE (RFC 4517), or 389's on and off, 1 and 0. */
bool sr_ldap_switch(const char *text, bool *value);

/* A number of days of RFC 2307; empty and -1 mean "none", which is -1. */
bool sr_ldap_days(const char *text, int64_t *value);

#endif
