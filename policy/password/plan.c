/*
 * Plan: what the preset, selfreset.conf and pwquality.conf ask of a password.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "policy/password/plan.h"

static unsigned
positive(int value)
{
    return value > 0 ? (unsigned)value : 0;
}

static unsigned
negative(int value)
{
    return value < 0 ? 0u - (unsigned)value : 0;
}

/* The settings of pwquality.conf that `ad` and `pwquality` follow. */
static void
plan_as_configured(struct sr_plan *plan, const struct sr_pwquality *pwq)
{
    const struct sr_pwquality_values *values = sr_pwquality_values(pwq);

    plan->need[SR_QUALITY_CLASS_DIGIT] = negative(values->dcredit);
    plan->need[SR_QUALITY_CLASS_UPPER] = negative(values->ucredit);
    plan->need[SR_QUALITY_CLASS_LOWER] = negative(values->lcredit);
    plan->need[SR_QUALITY_CLASS_OTHER] = negative(values->ocredit);
    plan->need[SR_QUALITY_SIMILAR] = positive(values->difok);
    plan->need[SR_QUALITY_ROTATED] = positive(values->difok);
    plan->need[SR_QUALITY_PALINDROME] = 1;
    plan->need[SR_QUALITY_REPEAT] = positive(values->maxrepeat);
    plan->need[SR_QUALITY_SEQUENCE] = positive(values->maxsequence);
    plan->need[SR_QUALITY_CLASS_REPEAT] = positive(values->maxclassrepeat);
    plan->need[SR_QUALITY_WORDS] = sr_pwquality_has_words(pwq);
}

static void
plan_nist(struct sr_plan *plan)
{
    plan->need[SR_QUALITY_LEN_MIN] = 15;
    plan->need[SR_QUALITY_NAME_USER] = 1;
    plan->need[SR_QUALITY_NAME_GECOS] = 1;
    plan->need[SR_QUALITY_NAME_HOST] = 1;
    plan->names = SR_NAMES_WHOLE;
}

static void
plan_ad(struct sr_plan *plan, const struct sr_pwquality *pwq)
{
    plan_as_configured(plan, pwq);
    plan->need[SR_QUALITY_LEN_MIN] = 7;
    plan->need[SR_QUALITY_CLASS_3OF5] = 3;
    plan->need[SR_QUALITY_NAME_USER] = 1;
    plan->need[SR_QUALITY_NAME_GECOS] = 1;
    plan->names = SR_NAMES_PART;
    plan->shortest_name = 3;
}

static void
plan_pwquality(struct sr_plan *plan, const struct sr_pwquality *pwq)
{
    const struct sr_pwquality_values *values = sr_pwquality_values(pwq);

    plan_as_configured(plan, pwq);
    plan->need[SR_QUALITY_LEN_MIN] = positive(values->minlen);
    plan->has_credits = true;
    plan->need[SR_QUALITY_CLASS_MIN] = positive(values->minclass);
    plan->four_classes = true;
    plan->need[SR_QUALITY_NAME_USER] = values->usercheck != 0;
    plan->need[SR_QUALITY_NAME_GECOS] = values->gecoscheck != 0;
    plan->names = SR_NAMES_PART_EITHER_WAY;
    plan->shortest_name = 4; /* the library's own; shorter ones are chance */
}

/* Rules that the account is exempt from (password.skip). */
static void
skip(struct sr_plan *plan, const struct sr_string_list *names)
{
    for (size_t i = 0; i < SR_QUALITY_RULE_COUNT; i++) {
        if (sr_string_list_has(names, sr_quality_rule_names[i]))
            plan->need[i] = 0;
    }
}

void
sr_plan_make(struct sr_plan *plan, const struct sr_rules *wanted,
             const struct sr_pwquality *pwq)
{
    *plan = (struct sr_plan){.need = {[SR_QUALITY_LEN_MAX] = 256,
                                      [SR_QUALITY_SAME_OLD] = 1,
                                      [SR_QUALITY_SAME_CASE] = 1}};
    if (wanted->preset == SR_PRESET_NIST)
        plan_nist(plan);
    else if (wanted->preset == SR_PRESET_AD)
        plan_ad(plan, pwq);
    else
        plan_pwquality(plan, pwq);
    plan->need[SR_QUALITY_DICTIONARY] =
        sr_pwquality_values(pwq)->dictcheck != 0 &&
        (wanted->preset == SR_PRESET_PWQUALITY ||
         sr_pwquality_dictionary(pwq) != SR_DICTIONARY_MISSING);
    if (wanted->min_length > 0) {
        plan->need[SR_QUALITY_LEN_MIN] = wanted->min_length;
        plan->has_credits = false;
    }
    if (wanted->max_length > 0)
        plan->need[SR_QUALITY_LEN_MAX] = wanted->max_length;
    plan->show_max = wanted->max_length > 0;
    if (wanted->min_classes > 0) {
        const bool is_ad =
            wanted->preset == SR_PRESET_AD && wanted->min_classes == 3;
        const bool is_plain = !is_ad && wanted->min_classes > 1;

        plan->need[SR_QUALITY_CLASS_3OF5] = is_ad ? 3 : 0;
        plan->need[SR_QUALITY_CLASS_MIN] = is_plain ? wanted->min_classes : 0;
        plan->four_classes = false;
    }
    skip(plan, &wanted->skip_quality);
}
