/*
 * Pwquality rule: asks libpwquality, or cracklib directly, about one rule.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_PWQUALITY_RULE_H
#define SR_POLICY_PASSWORD_PWQUALITY_RULE_H

#include "policy/password/pwquality.h"

/* The rules that the library checks.  Those that count characters are not among
 * them: it counts bytes. */
enum sr_pwquality_rule {
    SR_PWQUALITY_NONE,
    SR_PWQUALITY_SIMILAR,
    SR_PWQUALITY_ROTATED,
    SR_PWQUALITY_PALINDROME,
    SR_PWQUALITY_SEQUENCE,
    SR_PWQUALITY_USER,
    SR_PWQUALITY_WORDS,
    SR_PWQUALITY_DICTIONARY,
};

/*
 * Whether the password breaks one rule.  `old` is used by SIMILAR and
 * ROTATED, `user` by USER; both may be NULL.  SR_UNKNOWN: the library could not
 * say (no memory, a dictionary that is damaged).
 */
enum sr_tri sr_pwquality_breaks(const struct sr_pwquality *pwq,
                                enum sr_pwquality_rule rule,
                                const char *password, const char *old,
                                const char *user);

#endif
