/*
 * Quality: is this new password acceptable?  One table of rules; the preset
 * says what each of them needs, the same table tells the rules before the
 * prompt and lists the broken ones after it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/util/text.h"
#include "policy/password/personal.h"
#include "policy/password/pwquality.h"
#include "policy/password/quality.h"
#include "policy/util/utf8.h"

#define DOMAIN   "selfreset"
#define N_(text) text

/* In the order in which they are told. */
enum rule_id {
    LEN_MIN,
    LEN_MAX,
    CLASS_MIN,
    CLASS_3OF5,
    CLASS_DIGIT,
    CLASS_UPPER,
    CLASS_LOWER,
    CLASS_OTHER,
    NAME_USER,
    NAME_GECOS,
    NAME_HOST,
    SAME_OLD,
    SAME_CASE,
    SIMILAR,
    ROTATED,
    PALINDROME,
    REPEAT,
    SEQUENCE,
    CLASS_REPEAT,
    WORDS,
    DICTIONARY,
    RULE_COUNT
};

/* How names are looked for: the whole password, or a part of it. */
enum name_mode { NAME_WHOLE, NAME_PART, NAME_PART_EITHER_WAY };

/* What the preset and the rules ask for. */
struct plan {
    unsigned need[RULE_COUNT]; /* 0: not asked for; else the number it takes */
    enum name_mode names;
    bool has_credits;  /* characters of each kind shorten the least length */
    bool four_classes; /* pwquality's classes instead of AD's five */
    bool show_max;
    size_t shortest_name;
};

/* One check, or (candidate NULL) one telling of the rules. */
struct check {
    const struct sr_candidate *candidate;
    struct plan plan;
    struct sr_pwquality *pwq;
    locale_t locale;
    struct sr_points typed;
    struct sr_points folded;
    struct sr_points old; /* folded */
    size_t kinds[SR_KIND_COUNT];
};

struct rule {
    const char *id;
    /* SR_YES: broken.  SR_UNKNOWN: cannot tell. */
    enum sr_tri (*is_broken)(const struct check *check,
                             const struct rule *rule);
    /* The text, of the rule when check->candidate is NULL, else of what is
     * wrong; NULL when out of memory.  Or two constant texts. */
    char *(*say)(const struct check *check, unsigned need);
    const char *told;  /* NULL: not told beforehand, see sr_quality_rules() */
    const char *wrong; /* NULL: the same */
    enum sr_pwquality_rule library;
};

static enum sr_tri
yes_if(bool holds)
{
    return holds ? SR_YES : SR_NO;
}

/* ---- length */

static size_t
count_others(const struct check *check)
{
    return check->typed.count - check->kinds[SR_KIND_DIGIT] -
           check->kinds[SR_KIND_UPPER] - check->kinds[SR_KIND_LOWER];
}

static size_t
credit(size_t count, int most)
{
    if (most <= 0)
        return 0;
    return count < (size_t)most ? count : (size_t)most;
}

/* pwquality.conf(5): a positive credit counts that many characters of a kind
 * twice. */
static unsigned
least_length(const struct check *check)
{
    const struct sr_pwquality_values *values;
    const size_t *kinds = check->kinds;
    unsigned need = check->plan.need[LEN_MIN];
    size_t all;

    if (!check->plan.has_credits || check->candidate == NULL)
        return need;
    values = sr_pwquality_values(check->pwq);
    all = credit(kinds[SR_KIND_DIGIT], values->dcredit) +
          credit(kinds[SR_KIND_UPPER], values->ucredit) +
          credit(kinds[SR_KIND_LOWER], values->lcredit) +
          credit(count_others(check), values->ocredit);
    return all < need ? need - (unsigned)all : 0;
}

static enum sr_tri
too_short(const struct check *check, const struct rule *rule)
{
    (void)rule;
    return yes_if(check->typed.count < least_length(check));
}

static char *
say_len_min(const struct check *check, unsigned need)
{
    const unsigned has = (unsigned)check->typed.count;

    if (check->candidate == NULL)
        return sr_format(dngettext(DOMAIN, "at least %u character",
                                   "at least %u characters", need),
                         need);
    need = least_length(check);
    return sr_format(dngettext(DOMAIN, "%u character too short: %u of %u",
                               "%u characters too short: %u of %u", need - has),
                     need - has, has, need);
}

static enum sr_tri
too_long(const struct check *check, const struct rule *rule)
{
    (void)rule;
    return yes_if(check->typed.count > check->plan.need[LEN_MAX]);
}

static char *
say_len_max(const struct check *check, unsigned need)
{
    const unsigned has = (unsigned)check->typed.count;

    if (check->candidate == NULL)
        return sr_format(dngettext(DOMAIN, "at most %u character",
                                   "at most %u characters", need),
                         need);
    return sr_format(
        dngettext(DOMAIN, "%u character too long: %u of at most %u",
                  "%u characters too long: %u of at most %u", has - need),
        has - need, has, need);
}

/* ---- classes */

static unsigned
count_classes(const struct check *check)
{
    const size_t *kinds = check->kinds;
    unsigned count = 0;

    for (int kind = SR_KIND_UPPER; kind <= SR_KIND_DIGIT; kind++)
        count += kinds[kind] > 0;
    if (check->plan.four_classes)
        return count + (count_others(check) > 0 ? 1 : 0);
    for (int kind = SR_KIND_SPECIAL; kind <= SR_KIND_LETTER; kind++)
        count += kinds[kind] > 0;
    return count;
}

static enum sr_tri
too_few_classes(const struct check *check, const struct rule *rule)
{
    (void)rule;
    return yes_if(count_classes(check) <
                  check->plan.need[CLASS_MIN] + check->plan.need[CLASS_3OF5]);
}

static char *
say_classes(const struct check *check, unsigned need)
{
    if (check->plan.four_classes)
        return sr_format(
            dgettext(DOMAIN, "at least %u of: uppercase letters, "
                             "lowercase letters, digits, other characters"),
            need);
    return sr_format(
        dgettext(DOMAIN, "at least %u of: uppercase letters, lowercase "
                         "letters, digits, special characters, other letters"),
        need);
}

static enum sr_tri
too_few_digits(const struct check *check, const struct rule *rule)
{
    (void)rule;
    return yes_if(check->kinds[SR_KIND_DIGIT] < check->plan.need[CLASS_DIGIT]);
}

static enum sr_tri
too_few_uppers(const struct check *check, const struct rule *rule)
{
    (void)rule;
    return yes_if(check->kinds[SR_KIND_UPPER] < check->plan.need[CLASS_UPPER]);
}

static enum sr_tri
too_few_lowers(const struct check *check, const struct rule *rule)
{
    (void)rule;
    return yes_if(check->kinds[SR_KIND_LOWER] < check->plan.need[CLASS_LOWER]);
}

static enum sr_tri
too_few_others(const struct check *check, const struct rule *rule)
{
    (void)rule;
    return yes_if(count_others(check) < check->plan.need[CLASS_OTHER]);
}

static char *
say_digits(const struct check *check, unsigned need)
{
    (void)check;
    return sr_format(
        dngettext(DOMAIN, "at least %u digit", "at least %u digits", need),
        need);
}

static char *
say_uppers(const struct check *check, unsigned need)
{
    (void)check;
    return sr_format(dngettext(DOMAIN, "at least %u uppercase letter",
                               "at least %u uppercase letters", need),
                     need);
}

static char *
say_lowers(const struct check *check, unsigned need)
{
    (void)check;
    return sr_format(dngettext(DOMAIN, "at least %u lowercase letter",
                               "at least %u lowercase letters", need),
                     need);
}

static char *
say_others(const struct check *check, unsigned need)
{
    (void)check;
    return sr_format(
        dngettext(DOMAIN, "at least %u character that is not a letter or digit",
                  "at least %u characters that are not letters or "
                  "digits",
                  need),
        need);
}

/* ---- names */

static struct sr_personal_in
names_in(const struct check *check)
{
    return (struct sr_personal_in){
        .folded = &check->folded,
        .locale = check->locale,
        .shortest = check->plan.shortest_name,
        .or_backwards = check->plan.names == NAME_PART_EITHER_WAY,
    };
}

/* libpwquality is asked as well: it knows the host's usersubstr. */
static enum sr_tri
holds_user(const struct check *check, const struct rule *rule)
{
    const struct sr_personal_in in = names_in(check);
    const struct sr_candidate *candidate = check->candidate;

    if (candidate->user == NULL)
        return SR_NO;
    if (check->plan.names == NAME_WHOLE)
        return yes_if(sr_personal_is(&in, candidate->user));
    if (sr_personal_contains(&in, candidate->user))
        return SR_YES;
    if (check->plan.names == NAME_PART)
        return SR_NO;
    return sr_pwquality_breaks(check->pwq, rule->library, candidate->password,
                               NULL, candidate->user);
}

static enum sr_tri
holds_gecos(const struct check *check, const struct rule *rule)
{
    const struct sr_personal_in in = names_in(check);
    const char *gecos = check->candidate->gecos;

    (void)rule;
    return yes_if(check->plan.names == NAME_WHOLE
                      ? sr_personal_is_word(&in, gecos)
                      : sr_personal_contains_word(&in, gecos));
}

static enum sr_tri
is_host(const struct check *check, const struct rule *rule)
{
    const struct sr_personal_in in = names_in(check);

    (void)rule;
    return yes_if(sr_personal_is_host(&in, check->candidate->host));
}

static char *
say_user(const struct check *check, unsigned need)
{
    (void)need;
    return sr_format("%s",
                     check->plan.names == NAME_WHOLE
                         ? dgettext(DOMAIN, "must not be the user name")
                         : dgettext(DOMAIN, "must not contain the user name"));
}

static char *
say_gecos(const struct check *check, unsigned need)
{
    (void)need;
    return sr_format(
        "%s",
        check->plan.names == NAME_WHOLE
            ? dgettext(DOMAIN, "must not be the full name of the user")
            : dgettext(DOMAIN, "must not contain the full name of the user"));
}

/* ---- the old password */

static enum sr_tri
is_old(const struct check *check, const struct rule *rule)
{
    const struct sr_candidate *candidate = check->candidate;

    (void)rule;
    return yes_if(candidate->old != NULL &&
                  strcmp(candidate->password, candidate->old) == 0);
}

static enum sr_tri
is_old_but_for_case(const struct check *check, const struct rule *rule)
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
by_library(const struct check *check, const struct rule *rule)
{
    return sr_pwquality_breaks(check->pwq, rule->library,
                               check->candidate->password,
                               check->candidate->old, check->candidate->user);
}

/* Cracklib calls everything below six bytes too short; that is told as the
 * length, and once is enough. */
static enum sr_tri
in_dictionary(const struct check *check, const struct rule *rule)
{
    if (strlen(check->candidate->password) < 6 &&
        check->typed.count < least_length(check))
        return SR_NO;
    return by_library(check, rule);
}

/* libpwquality 1.4.5 compares the first byte with a variable it never set. */
static enum sr_tri
repeats(const struct check *check, const struct rule *rule)
{
    const struct sr_points *typed = &check->typed;
    unsigned same = 1;

    (void)rule;
    for (size_t i = 1; i < typed->count; i++) {
        same = typed->at[i] == typed->at[i - 1] ? same + 1 : 1;
        if (same > check->plan.need[REPEAT])
            return SR_YES;
    }
    return SR_NO;
}

static char *
say_repeat(const struct check *check, unsigned need)
{
    (void)check;
    return sr_format(
        dngettext(DOMAIN, "the same character at most %u time in a row",
                  "the same character at most %u times in a row", need),
        need);
}

static char *
say_sequence(const struct check *check, unsigned need)
{
    (void)check;
    return sr_format(
        dngettext(DOMAIN, "no more than %u character in sequence, as in 1234",
                  "no more than %u characters in sequence, as in 1234", need),
        need);
}

/* pwquality's classes: what is no digit and has no case is another character.
 */
static enum sr_kind
of_four(enum sr_kind kind)
{
    return kind == SR_KIND_UPPER || kind == SR_KIND_LOWER ||
                   kind == SR_KIND_DIGIT
               ? kind
               : SR_KIND_SPECIAL;
}

static enum sr_tri
class_repeats(const struct check *check, const struct rule *rule)
{
    enum sr_kind kind, last = SR_KIND_NONE;
    unsigned same = 0;

    (void)rule;
    for (size_t i = 0; i < check->typed.count; i++) {
        kind = of_four(sr_point_kind(check->typed.at[i], check->locale));
        same = kind == last ? same + 1 : 1;
        if (same > check->plan.need[CLASS_REPEAT])
            return SR_YES;
        last = kind;
    }
    return SR_NO;
}

static char *
say_class_repeat(const struct check *check, unsigned need)
{
    (void)check;
    return sr_format(
        dngettext(DOMAIN, "no more than %u character of one kind in a row",
                  "no more than %u characters of one kind in a row", need),
        need);
}

/* What is told beforehand is what a person can plan for.  A palindrome, say, is
 * made by nobody who does not mean to. */
static const struct rule rules[RULE_COUNT] = {
    [LEN_MIN] = {"len.min", too_short, say_len_min, "", NULL,
                 SR_PWQUALITY_NONE},
    [LEN_MAX] = {"len.max", too_long, say_len_max, "", NULL, SR_PWQUALITY_NONE},
    [CLASS_MIN] = {"class.min", too_few_classes, say_classes, "", NULL,
                   SR_PWQUALITY_NONE},
    [CLASS_3OF5] = {"class.3of5", too_few_classes, say_classes, "", NULL,
                    SR_PWQUALITY_NONE},
    [CLASS_DIGIT] = {"class.digit", too_few_digits, say_digits, "", NULL,
                     SR_PWQUALITY_NONE},
    [CLASS_UPPER] = {"class.upper", too_few_uppers, say_uppers, "", NULL,
                     SR_PWQUALITY_NONE},
    [CLASS_LOWER] = {"class.lower", too_few_lowers, say_lowers, "", NULL,
                     SR_PWQUALITY_NONE},
    [CLASS_OTHER] = {"class.other", too_few_others, say_others, "", NULL,
                     SR_PWQUALITY_NONE},
    [NAME_USER] = {"name.user", holds_user, say_user, "", NULL,
                   SR_PWQUALITY_USER},
    [NAME_GECOS] = {"name.gecos", holds_gecos, say_gecos, "", NULL,
                    SR_PWQUALITY_NONE},
    [NAME_HOST] = {"name.host", is_host, NULL,
                   N_("must not be the name of this computer"), NULL,
                   SR_PWQUALITY_NONE},
    [SAME_OLD] = {"same.old", is_old, NULL,
                  N_("different from the current password"),
                  N_("the same as the current password"), SR_PWQUALITY_NONE},
    [SAME_CASE] = {"same.case", is_old_but_for_case, NULL, NULL,
                   N_("differs from the current password only in uppercase and "
                      "lowercase letters"),
                   SR_PWQUALITY_NONE},
    [SIMILAR] = {"similar", by_library, NULL,
                 N_("not too similar to the current password"),
                 N_("too similar to the current password; change more of it"),
                 SR_PWQUALITY_SIMILAR},
    [ROTATED] = {"rotated", by_library, NULL, NULL,
                 N_("the current password rotated; change more of it"),
                 SR_PWQUALITY_ROTATED},
    [PALINDROME] = {"palindrome", by_library, NULL, NULL,
                    N_("reads the same backwards; add or change a character"),
                    SR_PWQUALITY_PALINDROME},
    [REPEAT] = {"repeat", repeats, say_repeat, "", NULL, SR_PWQUALITY_NONE},
    [SEQUENCE] = {"sequence", by_library, say_sequence, "", NULL,
                  SR_PWQUALITY_SEQUENCE},
    [CLASS_REPEAT] = {"class.repeat", class_repeats, say_class_repeat, "", NULL,
                      SR_PWQUALITY_NONE},
    [WORDS] = {"words", by_library, NULL,
               N_("must not contain a word that is forbidden here"),
               N_("contains a word that is forbidden here"),
               SR_PWQUALITY_WORDS},
    [DICTIONARY] = {"dictionary", in_dictionary, NULL,
                    N_("not based on a common word or a simple pattern"),
                    N_("based on a common word or a simple pattern; use "
                       "several unrelated words"),
                    SR_PWQUALITY_DICTIONARY},
};

/* ---- presets */

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

/* What a host sets in pwquality.conf and both `ad` and `pwquality` follow. */
static void
plan_as_configured(struct plan *plan, const struct sr_pwquality *pwq)
{
    const struct sr_pwquality_values *values = sr_pwquality_values(pwq);

    plan->need[CLASS_DIGIT] = negative(values->dcredit);
    plan->need[CLASS_UPPER] = negative(values->ucredit);
    plan->need[CLASS_LOWER] = negative(values->lcredit);
    plan->need[CLASS_OTHER] = negative(values->ocredit);
    plan->need[SIMILAR] = positive(values->difok);
    plan->need[ROTATED] = positive(values->difok);
    plan->need[PALINDROME] = 1;
    plan->need[REPEAT] = positive(values->maxrepeat);
    plan->need[SEQUENCE] = positive(values->maxsequence);
    plan->need[CLASS_REPEAT] = positive(values->maxclassrepeat);
    plan->need[WORDS] = sr_pwquality_has_words(pwq);
}

static void
plan_nist(struct plan *plan)
{
    plan->need[LEN_MIN] = 15;
    plan->need[NAME_USER] = 1;
    plan->need[NAME_GECOS] = 1;
    plan->need[NAME_HOST] = 1;
    plan->names = NAME_WHOLE;
}

static void
plan_ad(struct plan *plan, const struct sr_pwquality *pwq)
{
    plan_as_configured(plan, pwq);
    plan->need[LEN_MIN] = 7;
    plan->need[CLASS_3OF5] = 3;
    plan->need[NAME_USER] = 1;
    plan->need[NAME_GECOS] = 1;
    plan->names = NAME_PART;
    plan->shortest_name = 3;
}

static void
plan_pwquality(struct plan *plan, const struct sr_pwquality *pwq)
{
    const struct sr_pwquality_values *values = sr_pwquality_values(pwq);

    plan_as_configured(plan, pwq);
    plan->need[LEN_MIN] = positive(values->minlen);
    plan->has_credits = true;
    plan->need[CLASS_MIN] = positive(values->minclass);
    plan->four_classes = true;
    plan->need[NAME_USER] = values->usercheck != 0;
    plan->need[NAME_GECOS] = values->gecoscheck != 0;
    plan->names = NAME_PART_EITHER_WAY;
    plan->shortest_name = 4; /* the library's own; shorter ones are chance */
}

/*
 * The preset, and what selfreset.conf says over it.  A missing dictionary is
 * left out where the preset does not depend on the host's settings alone.
 */
static void
make_plan(struct plan *plan, const struct sr_rules *wanted,
          const struct sr_pwquality *pwq)
{
    *plan = (struct plan){
        .need = {[LEN_MAX] = 256, [SAME_OLD] = 1, [SAME_CASE] = 1}};
    if (wanted->preset == SR_PRESET_NIST)
        plan_nist(plan);
    else if (wanted->preset == SR_PRESET_AD)
        plan_ad(plan, pwq);
    else
        plan_pwquality(plan, pwq);
    plan->need[DICTIONARY] = sr_pwquality_values(pwq)->dictcheck != 0 &&
                             (wanted->preset == SR_PRESET_PWQUALITY ||
                              sr_pwquality_has_dictionary(pwq) != SR_NO);
    if (wanted->min_length > 0) {
        plan->need[LEN_MIN] = wanted->min_length;
        plan->has_credits = false;
    }
    if (wanted->max_length > 0)
        plan->need[LEN_MAX] = wanted->max_length;
    plan->show_max = wanted->max_length > 0;
    if (wanted->min_classes > 0) {
        const bool is_ad =
            wanted->preset == SR_PRESET_AD && wanted->min_classes == 3;

        plan->need[CLASS_3OF5] = is_ad ? 3 : 0;
        plan->need[CLASS_MIN] = is_ad ? 0 : wanted->min_classes;
        plan->four_classes = false;
    }
}

/* ---- findings */

int
sr_findings_add(struct sr_findings *findings, const char *id, const char *what)
{
    struct sr_broken *item = reallocarray(findings->item, findings->count + 1,
                                          sizeof(findings->item[0]));
    char *copy;

    if (item == NULL)
        return -1;
    findings->item = item;
    copy = strdup(what);
    if (copy == NULL)
        return -1;
    item += findings->count++;
    snprintf(item->id, sizeof(item->id), "%s", id);
    item->text = copy;
    return 0;
}

/* Texts tell the length of a password, so they are wiped. */
void
sr_findings_free(struct sr_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        explicit_bzero(findings->item[i].text, strlen(findings->item[i].text));
        free(findings->item[i].text);
    }
    free(findings->item);
    *findings = (struct sr_findings){NULL, 0};
}

/* Nothing but the reason is left. */
static enum sr_quality
unavailable(struct sr_findings *findings, const char *why)
{
    char *all;

    sr_findings_free(findings);
    all = sr_format(dgettext(DOMAIN, "this computer cannot check the rules for "
                                     "passwords (%s)"),
                    why);
    if (all != NULL)
        (void)sr_findings_add(findings, "quality", all);
    free(all);
    return SR_QUALITY_UNAVAILABLE;
}

static int
add_rule(const struct check *check, const struct rule *rule,
         struct sr_findings *findings)
{
    const unsigned need = check->plan.need[rule - rules];
    const char *constant = check->candidate != NULL && rule->wrong != NULL
                               ? rule->wrong
                               : rule->told;
    char *made;
    int status;

    if (rule->say == NULL)
        return sr_findings_add(findings, rule->id, dgettext(DOMAIN, constant));
    made = rule->say(check, need);
    if (made == NULL)
        return -1;
    status = sr_findings_add(findings, rule->id, made);
    explicit_bzero(made, strlen(made));
    free(made);
    return status;
}

/* ---- one check */

static void
check_free(struct check **check)
{
    if (*check == NULL)
        return;
    sr_pwquality_close((*check)->pwq);
    if ((*check)->locale != (locale_t)0)
        freelocale((*check)->locale);
    explicit_bzero(*check, sizeof(**check));
    free(*check);
}

/* Everything that a rule may look at.  Returns NULL, or why not. */
static const char *
check_begin(struct check *check, const struct sr_quality_host *host,
            const struct sr_rules *wanted, char *why, size_t size)
{
    check->pwq = sr_pwquality_open(host->library, host->conf, why, size);
    if (check->pwq == NULL)
        return why;
    make_plan(&check->plan, wanted, check->pwq);
    if (check->plan.need[DICTIONARY] > 0 &&
        sr_pwquality_has_dictionary(check->pwq) == SR_NO)
        return dgettext(DOMAIN, "the dictionary that pwquality.conf requires "
                                "does not exist");
    check->locale = sr_utf8_locale();
    return check->locale != (locale_t)0 ? NULL
                                        : dgettext(DOMAIN, "out of memory");
}

static void
check_read(struct check *check, const struct sr_candidate *candidate)
{
    check->candidate = candidate;
    sr_points_read(&check->typed, candidate->password);
    check->folded = check->typed;
    sr_points_fold(&check->folded, check->locale);
    if (candidate->old != NULL) {
        sr_points_read(&check->old, candidate->old);
        sr_points_fold(&check->old, check->locale);
    }
    for (size_t i = 0; i < check->typed.count; i++)
        check->kinds[sr_point_kind(check->typed.at[i], check->locale)]++;
}

static enum sr_quality
check_all(const struct check *check, struct sr_findings *findings)
{
    for (size_t i = 0; i < RULE_COUNT; i++) {
        enum sr_tri broken;

        if (check->plan.need[i] == 0)
            continue;
        broken = rules[i].is_broken(check, &rules[i]);
        if (broken == SR_UNKNOWN)
            return unavailable(
                findings, i == DICTIONARY
                              ? dgettext(DOMAIN, "the dictionary is damaged")
                              : dgettext(DOMAIN, "out of memory"));
        if (broken == SR_YES && add_rule(check, &rules[i], findings) != 0)
            return unavailable(findings, dgettext(DOMAIN, "out of memory"));
    }
    return SR_QUALITY_DONE;
}

static const char *
encoding_text(const char *id)
{
    if (strcmp(id, "len.empty") == 0)
        return dgettext(DOMAIN, "empty");
    if (strcmp(id, "len.bytes") == 0)
        return dgettext(DOMAIN, "longer than this host can store");
    if (strcmp(id, "enc.control") == 0)
        return dgettext(DOMAIN, "contains a control character");
    return dgettext(DOMAIN, "contains characters that are not UTF-8 text");
}

static bool
is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

const char *
sr_quality_encoding(const char *password)
{
    const char *at = password;
    uint32_t point = 0;
    int status;

    if (password[0] == '\0')
        return "len.empty";
    if (strnlen(password, SR_PASSWORD_BYTES_MAX + 1) > SR_PASSWORD_BYTES_MAX)
        return "len.bytes";
    while ((status = sr_utf8_next(&at, &point)) > 0 && !is_control(point))
        continue;
    explicit_bzero(&point, sizeof(point));
    if (status > 0)
        return "enc.control";
    return status < 0 ? "enc.utf8" : NULL;
}

enum sr_quality
sr_quality_check_on(const struct sr_quality_host *host,
                    const struct sr_candidate *candidate,
                    const struct sr_rules *wanted, struct sr_findings *findings)
{
    __attribute__((cleanup(check_free))) struct check *check = NULL;
    const char *id = sr_quality_encoding(candidate->password);
    const char *why;
    char buffer[256];

    if (id != NULL)
        return sr_findings_add(findings, id, encoding_text(id)) == 0
                   ? SR_QUALITY_DONE
                   : SR_QUALITY_UNAVAILABLE;
    check = calloc(1, sizeof(*check));
    if (check == NULL)
        return unavailable(findings, dgettext(DOMAIN, "out of memory"));
    why = check_begin(check, host, wanted, buffer, sizeof(buffer));
    if (why != NULL)
        return unavailable(findings, why);
    check_read(check, candidate);
    return check_all(check, findings);
}

enum sr_quality
sr_quality_rules_on(const struct sr_quality_host *host,
                    const struct sr_rules *wanted, struct sr_findings *findings)
{
    __attribute__((cleanup(check_free))) struct check *check =
        calloc(1, sizeof(*check));
    const char *why;
    char buffer[256];

    if (check == NULL)
        return unavailable(findings, dgettext(DOMAIN, "out of memory"));
    why = check_begin(check, host, wanted, buffer, sizeof(buffer));
    if (why != NULL)
        return unavailable(findings, why);
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (check->plan.need[i] == 0 || rules[i].told == NULL ||
            (i == LEN_MAX && !check->plan.show_max))
            continue;
        if (add_rule(check, &rules[i], findings) != 0)
            return unavailable(findings, dgettext(DOMAIN, "out of memory"));
    }
    return SR_QUALITY_DONE;
}

/* The host's own library and settings. */
static const struct sr_quality_host this_host = {NULL, NULL};

enum sr_quality
sr_quality_check(const struct sr_candidate *candidate,
                 const struct sr_rules *wanted, struct sr_findings *findings)
{
    return sr_quality_check_on(&this_host, candidate, wanted, findings);
}

enum sr_quality
sr_quality_rules(const struct sr_rules *wanted, struct sr_findings *findings)
{
    return sr_quality_rules_on(&this_host, wanted, findings);
}

bool
sr_quality_binds(const struct sr_findings *findings,
                 const struct sr_rules *wanted, bool is_admin)
{
    if (!is_admin || wanted->root == SR_ROOT_ENFORCE)
        return true;
    for (size_t i = 0; i < findings->count; i++) {
        const char *id = findings->item[i].id;

        if (strncmp(id, "enc.", 4) == 0 || strcmp(id, "len.bytes") == 0 ||
            strcmp(id, "len.empty") == 0)
            return true;
    }
    return false;
}
