/*
 * Quality rule: the rules that a new password can break, by their stable names.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stddef.h>

#include "policy/decide/quality_rule.h"

const char *const sr_quality_rule_names[SR_QUALITY_RULE_COUNT + 1] = {
    [SR_QUALITY_LEN_MIN] = "len.min",
    [SR_QUALITY_LEN_MAX] = "len.max",
    [SR_QUALITY_CLASS_MIN] = "class.min",
    [SR_QUALITY_CLASS_3OF5] = "class.3of5",
    [SR_QUALITY_CLASS_DIGIT] = "class.digit",
    [SR_QUALITY_CLASS_UPPER] = "class.upper",
    [SR_QUALITY_CLASS_LOWER] = "class.lower",
    [SR_QUALITY_CLASS_OTHER] = "class.other",
    [SR_QUALITY_NAME_USER] = "name.user",
    [SR_QUALITY_NAME_GECOS] = "name.gecos",
    [SR_QUALITY_NAME_HOST] = "name.host",
    [SR_QUALITY_SAME_OLD] = "same.old",
    [SR_QUALITY_SAME_CASE] = "same.case",
    [SR_QUALITY_SIMILAR] = "similar",
    [SR_QUALITY_ROTATED] = "rotated",
    [SR_QUALITY_PALINDROME] = "palindrome",
    [SR_QUALITY_REPEAT] = "repeat",
    [SR_QUALITY_SEQUENCE] = "sequence",
    [SR_QUALITY_CLASS_REPEAT] = "class.repeat",
    [SR_QUALITY_WORDS] = "words",
    [SR_QUALITY_DICTIONARY] = "dictionary",
    [SR_QUALITY_RULE_COUNT] = NULL,
};
