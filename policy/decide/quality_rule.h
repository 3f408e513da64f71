/*
 * Quality rule: the rules that a new password can break, by their stable names.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_QUALITY_RULE_H
#define SR_POLICY_DECIDE_QUALITY_RULE_H

/* In the order in which they are listed. */
enum sr_quality_rule {
    SR_QUALITY_LEN_MIN,
    SR_QUALITY_LEN_MAX,
    SR_QUALITY_CLASS_MIN,
    SR_QUALITY_CLASS_3OF5,
    SR_QUALITY_CLASS_DIGIT,
    SR_QUALITY_CLASS_UPPER,
    SR_QUALITY_CLASS_LOWER,
    SR_QUALITY_CLASS_OTHER,
    SR_QUALITY_NAME_USER,
    SR_QUALITY_NAME_GECOS,
    SR_QUALITY_NAME_HOST,
    SR_QUALITY_SAME_OLD,
    SR_QUALITY_SAME_CASE,
    SR_QUALITY_SIMILAR,
    SR_QUALITY_ROTATED,
    SR_QUALITY_PALINDROME,
    SR_QUALITY_REPEAT,
    SR_QUALITY_SEQUENCE,
    SR_QUALITY_CLASS_REPEAT,
    SR_QUALITY_WORDS,
    SR_QUALITY_DICTIONARY,
    SR_QUALITY_RULE_COUNT
};

/* The names ("len.min") by their rules, ended by NULL. */
extern const char *const sr_quality_rule_names[];

#endif
