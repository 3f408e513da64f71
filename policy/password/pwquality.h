/*
 * Pwq: libpwquality, asked one rule at a time.  The library stops at the first
 * rule that is broken; here each rule is checked with all others made neutral,
 * so that all broken rules can be listed at once.
 *
 * The library is opened by its name and only here, so that a login which
 * changes no password never maps it.  With the dictionary it is not safe in
 * threads: one check at a time in a process.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_PWQUALITY_H
#define SR_POLICY_PASSWORD_PWQUALITY_H

#include "policy/decide/facts.h"

/* What pwquality.conf(5) and its drop-ins set. */
struct sr_pwquality_values {
    int difok;
    int minlen;
    int dcredit;
    int ucredit;
    int lcredit;
    int ocredit;
    int minclass;
    int maxrepeat;
    int maxclassrepeat;
    int maxsequence;
    int gecoscheck;
    int dictcheck;
    int usercheck;
    int usersubstr;
};

/* The rules that are asked of the library.  Those that count characters are
 * not among them: it counts bytes. */
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

struct sr_pwquality; /* opaque */

/*
 * Open the library (`soname` NULL: the one found at build time) and read the
 * host's settings (`conf` NULL: /etc/security/pwquality.conf and drop-ins).
 * Returns NULL on failure, with the reason for a person in `why`, cut to `size`
 * bytes; it names the library or the file.
 */
struct sr_pwquality *sr_pwquality_open(const char *soname, const char *conf,
                                       char *why, size_t size);

/* Close; NULL is allowed.  The library itself stays loaded. */
void sr_pwquality_close(struct sr_pwquality *pwq);

/* The host's settings; they live as long as `pwq`. */
const struct sr_pwquality_values *
sr_pwquality_values(const struct sr_pwquality *pwq);

/* Whether the host has words of its own that passwords may not contain. */
bool sr_pwquality_has_words(const struct sr_pwquality *pwq);

/* Whether the dictionary is there.  SR_UNKNOWN: the library does not say where
 * it would be. */
enum sr_tri sr_pwquality_has_dictionary(const struct sr_pwquality *pwq);

/*
 * Whether the password breaks one rule.  `old` is looked at by SIMILAR and
 * ROTATED, `user` by USER; both may be NULL.  SR_UNKNOWN: the library could not
 * say (no memory, a dictionary that is damaged).
 */
enum sr_tri sr_pwquality_breaks(const struct sr_pwquality *pwq,
                                enum sr_pwquality_rule rule,
                                const char *password, const char *old,
                                const char *user);

#endif
