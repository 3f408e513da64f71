/*
 * Quality: is this new password acceptable?  Lists every rule that it breaks.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/password/check_rules.h"
#include "policy/password/encoding.h"
#include "policy/password/quality.h"
#include "policy/util/text.h"
#include "policy/util/words.h"

/* Replace all findings by the reason. */
static enum sr_quality
unavailable(struct sr_findings *findings, const char *why)
{
    sr_findings_free(findings);
    (void)sr_findings_add(findings, "quality", why);
    return SR_QUALITY_UNAVAILABLE;
}

/* The formats of the table have one %u each: a test makes every text. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
/* The text of a rule, or of what is wrong; NULL when out of memory. */
static char *
text_of(const struct sr_check *check, const struct sr_check_rule *rule,
        unsigned need)
{
    if (rule->say != NULL)
        return rule->say(check, need);
    if (rule->told_many != NULL)
        return sr_format(_n(rule->told, rule->told_many, need), need);
    return strdup(_(check->candidate != NULL && rule->wrong != NULL
                        ? rule->wrong
                        : rule->told));
}

#pragma GCC diagnostic pop

static int
add_rule(const struct sr_check *check, size_t which,
         struct sr_findings *findings)
{
    char *text =
        text_of(check, &sr_check_rules[which], check->plan.need[which]);
    int status;

    if (text == NULL)
        return -1;
    status = sr_findings_add(findings, sr_quality_rule_names[which], text);
    explicit_bzero(text, strlen(text));
    free(text);
    return status;
}

static void
check_free(struct sr_check **check)
{
    if (*check == NULL)
        return;
    sr_pwquality_close((*check)->pwq);
    if ((*check)->locale != (locale_t)0)
        freelocale((*check)->locale);
    explicit_bzero(*check, sizeof(**check));
    free(*check);
}

static const char *
why_no_dictionary(const struct sr_check *check)
{
    switch (sr_pwquality_dictionary(check->pwq)) {
    case SR_DICTIONARY_MISSING:
        return _("the dictionary that pwquality.conf requires "
                 "does not exist");
    case SR_DICTIONARY_DAMAGED:
        return _("the dictionary is damaged");
    case SR_DICTIONARY_GOOD:
    case SR_DICTIONARY_UNKNOWN:
        break;
    }
    return NULL;
}

/* Open the library and make the plan.  Returns NULL, or why not. */
static const char *
check_begin(struct sr_check *check, const struct sr_quality_host *host,
            const struct sr_rules *wanted, char *why, size_t size)
{
    const char *missing = NULL;

    check->pwq = sr_pwquality_open(host->library, host->conf, why, size);
    if (check->pwq == NULL)
        return why;
    sr_plan_make(&check->plan, wanted, check->pwq);
    if (check->plan.need[SR_QUALITY_DICTIONARY] > 0)
        missing = why_no_dictionary(check);
    if (missing != NULL)
        return missing;
    check->locale = sr_utf8_locale();
    return check->locale != (locale_t)0 ? NULL : _("out of memory");
}

static void
check_read(struct sr_check *check, const struct sr_candidate *candidate)
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
check_all(const struct sr_check *check, struct sr_findings *findings)
{
    for (size_t i = 0; i < SR_QUALITY_RULE_COUNT; i++) {
        enum sr_tri broken;

        if (check->plan.need[i] == 0)
            continue;
        broken = sr_check_rules[i].is_broken(check, &sr_check_rules[i]);
        if (broken == SR_UNKNOWN)
            return unavailable(findings, i == SR_QUALITY_DICTIONARY
                                             ? _("the dictionary is damaged")
                                             : _("out of memory"));
        if (broken == SR_YES && add_rule(check, i, findings) != 0)
            return unavailable(findings, _("out of memory"));
    }
    return SR_QUALITY_DONE;
}

enum sr_quality
sr_quality_check_on(const struct sr_quality_host *host,
                    const struct sr_candidate *candidate,
                    const struct sr_rules *wanted, struct sr_findings *findings)
{
    __attribute__((cleanup(check_free))) struct sr_check *check = NULL;
    const char *id = sr_quality_encoding(candidate->password);
    const char *why;
    char buffer[256];

    if (id != NULL)
        return sr_findings_add(findings, id, sr_quality_encoding_text(id)) == 0
                   ? SR_QUALITY_DONE
                   : SR_QUALITY_UNAVAILABLE;
    check = calloc(1, sizeof(*check));
    if (check == NULL)
        return unavailable(findings, _("out of memory"));
    why = check_begin(check, host, wanted, buffer, sizeof(buffer));
    if (why != NULL)
        return unavailable(findings, why);
    check_read(check, candidate);
    return check_all(check, findings);
}

/* Whether the rule is shown before the prompt. */
static bool
is_told(const struct sr_check_rule *rule)
{
    return rule->told != NULL || rule->say != NULL;
}

enum sr_quality
sr_quality_rules_on(const struct sr_quality_host *host,
                    const struct sr_rules *wanted, struct sr_findings *findings)
{
    __attribute__((cleanup(check_free))) struct sr_check *check =
        calloc(1, sizeof(*check));
    const char *why;
    char buffer[256];

    if (check == NULL)
        return unavailable(findings, _("out of memory"));
    why = check_begin(check, host, wanted, buffer, sizeof(buffer));
    if (why != NULL)
        return unavailable(findings, why);
    for (size_t i = 0; i < SR_QUALITY_RULE_COUNT; i++) {
        const unsigned need = check->plan.need[i];

        if (need == 0 || !is_told(&sr_check_rules[i]) ||
            (i == SR_QUALITY_LEN_MIN && need == 1) ||
            (i == SR_QUALITY_LEN_MAX && !check->plan.show_max))
            continue;
        if (add_rule(check, i, findings) != 0)
            return unavailable(findings, _("out of memory"));
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
