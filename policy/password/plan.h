/*
 * Plan: what the preset, selfreset.conf and pwquality.conf ask of a password.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_PLAN_H
#define SR_POLICY_PASSWORD_PLAN_H

#include "policy/decide/quality_rule.h"
#include "policy/decide/rules.h"
#include "policy/password/pwquality.h"

/* How names are looked for: the whole password, or a part of it. */
enum sr_names_mode {
    SR_NAMES_WHOLE,
    SR_NAMES_PART,
    SR_NAMES_PART_EITHER_WAY,
};

struct sr_plan {
    /* 0: the rule does not hold; else the number that it takes, or 1 */
    unsigned need[SR_QUALITY_RULE_COUNT];
    enum sr_names_mode names;
    bool has_credits;  /* characters of each kind shorten the least length */
    bool four_classes; /* pwquality's classes instead of AD's five */
    bool show_max;     /* the greatest length was set by the administrator */
    size_t shortest_name;
};

/* A missing dictionary is left out, except with preset pwquality. */
void sr_plan_make(struct sr_plan *plan, const struct sr_rules *wanted,
                  const struct sr_pwquality *pwq);

#endif
