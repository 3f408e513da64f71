/*
 * Check rules: each rule for new passwords, as a predicate and its texts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_CHECK_RULES_H
#define SR_POLICY_PASSWORD_CHECK_RULES_H

#include "policy/decide/facts.h"
#include "policy/password/plan.h"
#include "policy/password/pwquality_rule.h"
#include "policy/util/utf8.h"

struct sr_candidate {
    const char *password; /* NUL-terminated */
    const char *old;      /* the current one in the clear, or NULL */
    const char *user;
    const char *gecos; /* or NULL */
    const char *host;  /* the host's name, or NULL */
};

/* One check of a password; the candidate is NULL when the rules are listed. */
struct sr_check {
    const struct sr_candidate *candidate;
    struct sr_plan plan;
    struct sr_pwquality *pwq;
    locale_t locale;
    struct sr_points typed;
    struct sr_points folded;
    struct sr_points old; /* folded */
    size_t kinds[SR_KIND_COUNT];
};

struct sr_check_rule {
    /* SR_YES: broken.  SR_UNKNOWN: it cannot be found out. */
    enum sr_tri (*is_broken)(const struct sr_check *check,
                             const struct sr_check_rule *rule);
    enum sr_pwquality_rule library; /* the library's rule, if it checks */
    enum sr_kind kind;              /* of the characters that are counted */

    /*
     * The text, untranslated: `told` before the prompt, and `wrong`, or where
     * that is NULL the same one, when the rule is broken.  With `told_many`
     * both are formats for the number that the rule takes.
     */
    const char *told, *told_many;
    const char *wrong;

    /* Or a function for both: the text of the rule when check->candidate is
     * NULL, else of what is wrong.  Returns NULL when out of memory. */
    char *(*say)(const struct sr_check *check, unsigned need);
};

extern const struct sr_check_rule sr_check_rules[SR_QUALITY_RULE_COUNT];

#endif
