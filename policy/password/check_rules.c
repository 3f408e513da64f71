/*
 * Check rules: each rule for new passwords, as a predicate and its texts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/password/check_rules.h"
#include "policy/password/personal.h"
#include "policy/util/text.h"
#include "policy/util/words.h"

static enum sr_tri
yes_if(bool holds)
{
    return holds ? SR_YES : SR_NO;
}

static unsigned
need_of(const struct sr_check *check, const struct sr_check_rule *rule)
{
    return check->plan.need[rule - sr_check_rules];
}

/* ---- length */

/* Characters of a kind; SPECIAL: all that are no digit and have no case. */
static size_t
count_kind(const struct sr_check *check, enum sr_kind kind)
{
    const size_t *kinds = check->kinds;

    if (kind != SR_KIND_SPECIAL)
        return kinds[kind];
    return check->typed.count - kinds[SR_KIND_DIGIT] - kinds[SR_KIND_UPPER] -
           kinds[SR_KIND_LOWER];
}

static size_t
credit(const struct sr_check *check, enum sr_kind kind, int most)
{
    const size_t count = count_kind(check, kind);

    if (most <= 0)
        return 0;
    return count < (size_t)most ? count : (size_t)most;
}

/* pwquality.conf(5): a positive credit counts that many characters of a kind
 * twice. */
static unsigned
least_length(const struct sr_check *check)
{
    const struct sr_pwquality_values *values;
    unsigned need = check->plan.need[SR_QUALITY_LEN_MIN];
    size_t all;

    if (!check->plan.has_credits || check->candidate == NULL)
        return need;
    values = sr_pwquality_values(check->pwq);
    all = credit(check, SR_KIND_DIGIT, values->dcredit) +
          credit(check, SR_KIND_UPPER, values->ucredit) +
          credit(check, SR_KIND_LOWER, values->lcredit) +
          credit(check, SR_KIND_SPECIAL, values->ocredit);
    return all < need ? need - (unsigned)all : 0;
}

static enum sr_tri
too_short(const struct sr_check *check, const struct sr_check_rule *rule)
{
    (void)rule;
    return yes_if(check->typed.count < least_length(check));
}

static char *
say_len_min(const struct sr_check *check, unsigned need)
{
    const unsigned has = (unsigned)check->typed.count;

    if (check->candidate == NULL)
        return sr_format(
            _n("at least %u character", "at least %u characters", need), need);
    need = least_length(check);
    return sr_format(_n("%u character too short: %u of %u",
                        "%u characters too short: %u of %u", need - has),
                     need - has, has, need);
}

static enum sr_tri
too_long(const struct sr_check *check, const struct sr_check_rule *rule)
{
    return yes_if(check->typed.count > need_of(check, rule));
}

static char *
say_len_max(const struct sr_check *check, unsigned need)
{
    const unsigned has = (unsigned)check->typed.count;

    if (check->candidate == NULL)
        return sr_format(
            _n("at most %u character", "at most %u characters", need), need);
    return sr_format(_n("%u character too long: %u of at most %u",
                        "%u characters too long: %u of at most %u", has - need),
                     has - need, has, need);
}

/* ---- classes */

static unsigned
count_classes(const struct sr_check *check)
{
    const size_t *kinds = check->kinds;
    unsigned count = 0;

    for (int kind = SR_KIND_UPPER; kind <= SR_KIND_DIGIT; kind++)
        count += kinds[kind] > 0;
    if (check->plan.four_classes)
        return count + (count_kind(check, SR_KIND_SPECIAL) > 0 ? 1 : 0);
    for (int kind = SR_KIND_SPECIAL; kind <= SR_KIND_LETTER; kind++)
        count += kinds[kind] > 0;
    return count;
}

static enum sr_tri
too_few_classes(const struct sr_check *check, const struct sr_check_rule *rule)
{
    return yes_if(count_classes(check) < need_of(check, rule));
}

static char *
say_classes(const struct sr_check *check, unsigned need)
{
    if (check->plan.four_classes)
        return sr_format(_("at least %u of: uppercase letters, "
                           "lowercase letters, digits, other characters"),
                         need);
    return sr_format(_("at least %u of: uppercase letters, lowercase "
                       "letters, digits, special characters, other letters"),
                     need);
}

static enum sr_tri
too_few(const struct sr_check *check, const struct sr_check_rule *rule)
{
    return yes_if(count_kind(check, rule->kind) < need_of(check, rule));
}

/* ---- names */

static struct sr_personal_in
names_in(const struct sr_check *check)
{
    return (struct sr_personal_in){
        .folded = &check->folded,
        .locale = check->locale,
        .shortest = check->plan.shortest_name,
        .or_backwards = check->plan.names == SR_NAMES_PART_EITHER_WAY,
    };
}

/* The library is asked as well, for the host's usersubstr. */
static enum sr_tri
holds_user(const struct sr_check *check, const struct sr_check_rule *rule)
{
    const struct sr_personal_in in = names_in(check);
    const struct sr_candidate *candidate = check->candidate;

    if (candidate->user == NULL)
        return SR_NO;
    if (check->plan.names == SR_NAMES_WHOLE)
        return yes_if(sr_personal_is(&in, candidate->user));
    if (sr_personal_contains(&in, candidate->user))
        return SR_YES;
    if (check->plan.names == SR_NAMES_PART)
        return SR_NO;
    return sr_pwquality_breaks(check->pwq, rule->library, candidate->password,
                               NULL, candidate->user);
}

static enum sr_tri
holds_gecos(const struct sr_check *check, const struct sr_check_rule *rule)
{
    const struct sr_personal_in in = names_in(check);
    const char *gecos = check->candidate->gecos;

    (void)rule;
    return yes_if(check->plan.names == SR_NAMES_WHOLE
                      ? sr_personal_is_word(&in, gecos)
                      : sr_personal_contains_word(&in, gecos));
}

static enum sr_tri
is_host(const struct sr_check *check, const struct sr_check_rule *rule)
{
    const struct sr_personal_in in = names_in(check);

    (void)rule;
    return yes_if(sr_personal_is_host(&in, check->candidate->host));
}

static char *
say_user(const struct sr_check *check, unsigned need)
{
    (void)need;
    return sr_format("%s", check->plan.names == SR_NAMES_WHOLE
                               ? _("must not be the user name")
                               : _("must not contain the user name"));
}

static char *
say_gecos(const struct sr_check *check, unsigned need)
{
    (void)need;
    return sr_format("%s",
                     check->plan.names == SR_NAMES_WHOLE
                         ? _("must not be the full name of the user")
                         : _("must not contain the full name of the user"));
}

/* ---- the old password */

static enum sr_tri
is_old(const struct sr_check *check, const struct sr_check_rule *rule)
{
    const struct sr_candidate *candidate = check->candidate;

    (void)rule;
    return yes_if(candidate->old != NULL &&
                  strcmp(candidate->password, candidate->old) == 0);
}

static enum sr_tri
is_old_but_for_case(const struct sr_check *check,
                    const struct sr_check_rule *rule)
{
    const struct sr_points *new = &check->folded, *old = &check->old;

    return yes_if(
        check->candidate->old != NULL && is_old(check, rule) == SR_NO &&
        new->count ==
            old->count &&memcmp(new->at, old->at,
                                new->count * sizeof(new->at[0])) == 0);
}

/* ---- patterns and words */

static enum sr_tri
by_library(const struct sr_check *check, const struct sr_check_rule *rule)
{
    return sr_pwquality_breaks(check->pwq, rule->library,
                               check->candidate->password,
                               check->candidate->old, check->candidate->user);
}

/* Not by libpwquality: 1.4.5 compares the first byte with a variable that it
 * never set, and counts bytes. */
static enum sr_tri
repeats(const struct sr_check *check, const struct sr_check_rule *rule)
{
    const struct sr_points *typed = &check->typed;
    unsigned same = 1;

    for (size_t i = 1; i < typed->count; i++) {
        same = typed->at[i] == typed->at[i - 1] ? same + 1 : 1;
        if (same > need_of(check, rule))
            return SR_YES;
    }
    return SR_NO;
}

/* pwquality's classes: what is no digit and has no case is SPECIAL. */
static enum sr_kind
of_four(enum sr_kind kind)
{
    return kind == SR_KIND_UPPER || kind == SR_KIND_LOWER ||
                   kind == SR_KIND_DIGIT
               ? kind
               : SR_KIND_SPECIAL;
}

static enum sr_tri
class_repeats(const struct sr_check *check, const struct sr_check_rule *rule)
{
    enum sr_kind kind, last = SR_KIND_NONE;
    unsigned same = 0;

    for (size_t i = 0; i < check->typed.count; i++) {
        kind = of_four(sr_point_kind(check->typed.at[i], check->locale));
        same = kind == last ? same + 1 : 1;
        if (same > need_of(check, rule))
            return SR_YES;
        last = kind;
    }
    return SR_NO;
}

/* A text for one and a text for several, for translators. */
#define COUNTED(one, many) .told = N_(one), .told_many = N_(many)

/* Rules that are not broken by accident, such as the palindrome's, are not
 * shown before the prompt: they have no `told` and no `say`. */
/* clang-format off */
const struct sr_check_rule sr_check_rules[SR_QUALITY_RULE_COUNT] = {
    [SR_QUALITY_LEN_MIN] = {too_short, .say = say_len_min},
    [SR_QUALITY_LEN_MAX] = {too_long, .say = say_len_max},
    [SR_QUALITY_CLASS_MIN] = {too_few_classes, .say = say_classes},
    [SR_QUALITY_CLASS_3OF5] = {too_few_classes, .say = say_classes},
    [SR_QUALITY_CLASS_DIGIT] = {too_few, .kind = SR_KIND_DIGIT,
        COUNTED("at least %u digit", "at least %u digits")},
    [SR_QUALITY_CLASS_UPPER] = {too_few, .kind = SR_KIND_UPPER,
        COUNTED("at least %u uppercase letter",
                "at least %u uppercase letters")},
    [SR_QUALITY_CLASS_LOWER] = {too_few, .kind = SR_KIND_LOWER,
        COUNTED("at least %u lowercase letter",
                "at least %u lowercase letters")},
    [SR_QUALITY_CLASS_OTHER] = {too_few, .kind = SR_KIND_SPECIAL,
        COUNTED("at least %u character that is not a letter or digit",
                "at least %u characters that are not letters or digits")},
    [SR_QUALITY_NAME_USER] = {holds_user, .library = SR_PWQUALITY_USER,
        .say = say_user},
    [SR_QUALITY_NAME_GECOS] = {holds_gecos, .say = say_gecos},
    [SR_QUALITY_NAME_HOST] = {is_host,
        .told = N_("must not be the name of this computer")},
    [SR_QUALITY_SAME_OLD] = {is_old,
        .told = N_("different from the current password"),
        .wrong = N_("the same as the current password")},
    [SR_QUALITY_SAME_CASE] = {is_old_but_for_case,
        .wrong = N_("differs from the current password only in uppercase and "
                    "lowercase letters")},
    [SR_QUALITY_SIMILAR] = {by_library, .library = SR_PWQUALITY_SIMILAR,
        .told = N_("not too similar to the current password"),
        .wrong = N_("too similar to the current password; change more of it")},
    [SR_QUALITY_ROTATED] = {by_library, .library = SR_PWQUALITY_ROTATED,
        .wrong = N_("the current password rotated; change more of it")},
    [SR_QUALITY_PALINDROME] = {by_library, .library = SR_PWQUALITY_PALINDROME,
        .wrong = N_("reads the same backwards; add or change a character")},
    [SR_QUALITY_REPEAT] = {repeats,
        COUNTED("the same character at most %u time in a row",
                "the same character at most %u times in a row")},
    [SR_QUALITY_SEQUENCE] = {by_library, .library = SR_PWQUALITY_SEQUENCE,
        COUNTED("no more than %u character in sequence, as in 1234",
                "no more than %u characters in sequence, as in 1234")},
    [SR_QUALITY_CLASS_REPEAT] = {class_repeats,
        COUNTED("no more than %u character of one kind in a row",
                "no more than %u characters of one kind in a row")},
    [SR_QUALITY_WORDS] = {by_library, .library = SR_PWQUALITY_WORDS,
        .told = N_("must not contain a word that is forbidden here"),
        .wrong = N_("contains a word that is forbidden here")},
    [SR_QUALITY_DICTIONARY] = {by_library, .library = SR_PWQUALITY_DICTIONARY,
        .told = N_("not based on a common word or a simple pattern"),
        .wrong = N_("based on a common word or a simple pattern; use several "
                    "unrelated words")},
};
/* clang-format on */
