/*
 * Check other files: settings of pam_faillock, pam_pwquality and pam_pwhistory
 * that are not in force.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/other_files.h"
#include "policy/config/value.h"
#include "tools/check/other_files.h"
#include "tools/words.h"

struct comparison {
    const struct sr_config *config;
    struct findings *findings;
    const char *word; /* of selfreset.defaults_from */
    bool is_listed;
    struct sr_config_errors errors; /* of the file */
};

static void
report(const struct comparison *comparison, const struct sr_other_line *line,
       const char *why)
{
    char advice[1024];

    if (comparison->is_listed)
        snprintf(advice, sizeof(advice), "%s",
                 _("Make the line say what is in force, or correct "
                   "selfreset.conf."));
    else
        snprintf(advice, sizeof(advice),
                 _("Add \"%s\" to selfreset.defaults_from, or make the line "
                   "say what is in force."),
                 comparison->word);
    findings_add_at(
        comparison->findings, SEVERITY_WARNING, line->file, line->line, NULL,
        advice, "\"%s%s%s\" is not in force, though scanners read it: %s.",
        line->name, line->value[0] == '\0' ? "" : " = ", line->value, _(why));
}

/* The setting of a key that counts, of those that a line has made. */
static const struct sr_setting *
find_setting(const struct sr_config *config, const struct sr_key *key,
             const char *group)
{
    for (size_t i = config->setting_count; i-- > 0;) {
        const struct sr_setting *setting = &config->setting[i];

        if (setting->key == key && setting->line > 0 &&
            (group == NULL ? setting->owner == NULL
                           : setting->owner != NULL &&
                                 strcmp(setting->owner, group) == 0))
            return setting;
    }
    return NULL;
}

/* The number that a key has for all, or for a group. */
static int64_t
number_in_force(const struct sr_config *config, const struct sr_key *key,
                const struct sr_setting *setting)
{
    const char *structure = key->scope == SR_SCOPE_GLOBAL
                                ? (const char *)config
                                : (const char *)&config->rules;
    const void *member = structure + key->offset;

    if (setting != NULL)
        return setting->value.number;
    switch (key->type) {
    case SR_KEY_SWITCH:
        return *(const bool *)member;
    case SR_KEY_COUNT:
        return *(const unsigned *)member;
    case SR_KEY_DURATION:
        return *(const int64_t *)member;
    default:
        return *(const int *)member;
    }
}

static void
compare(void *context, const char *section, const char *name, const char *group,
        const char *text, const struct sr_other_line *from)
{
    const struct comparison *comparison = context;
    const struct sr_config *config = comparison->config;
    const struct sr_key *key = sr_key_find(section, name);
    const struct sr_setting *setting = find_setting(config, key, group);
    union sr_value value;
    char why[512], values[SR_VALUE_WORDS], what[256];

    if (group == NULL)
        snprintf(what, sizeof(what), "%s.%s", section, name);
    else
        snprintf(what, sizeof(what), _("%s.%s for the group %s"), section, name,
                 group);

    if (sr_value_parse(key, text, &value) != 0) {
        sr_value_describe(&comparison->errors, key, values, sizeof(values));
        snprintf(why, sizeof(why), _("%s.%s must be %s"), section, name,
                 values);
    } else if (number_in_force(config, key, setting) == value.number) {
        return;
    } else if (setting != NULL && setting->file != NULL) {
        snprintf(why, sizeof(why), _("%s has another value by %.150s:%u"), what,
                 setting->file, setting->line);
    } else {
        snprintf(why, sizeof(why), _("%s has another value"), what);
    }
    report(comparison, from, why);
}

/* The text has at most one %ld, see sr_other_visitor. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void
report_odd(void *context, const struct sr_other_line *line, const char *why,
           long number)
{
    char text[256];

    snprintf(text, sizeof(text), _(why), number);
    report(context, line, text);
}
#pragma GCC diagnostic pop

/* Times of pam_faillock that contradict those of selfreset.conf. */
static void
check_times(const struct comparison *comparison,
            const struct sr_other_lines *lines)
{
    const struct sr_rules *rules = &comparison->config->rules;
    const struct sr_other_line *window = sr_other_find(lines, "fail_interval");
    const struct sr_other_line *time = sr_other_find(lines, "unlock_time");

    if (rules->duration < rules->window && (window != NULL || time != NULL))
        report(comparison, window == NULL ? time : window,
               N_("lockout.duration is shorter than lockout.window"));
    if (rules->duration > rules->duration_max &&
        (window != NULL || time != NULL))
        report(comparison, time == NULL ? window : time,
               N_("lockout.duration is longer than lockout.duration_max"));
}

/* What libpwquality reads, and selfreset.conf or this module overrules. */
static void
check_quality_lines(const struct comparison *comparison,
                    const struct sr_other_lines *lines)
{
    const struct sr_rules *rules = &comparison->config->rules;
    const struct sr_other_line *length = sr_other_find(lines, "minlen");
    const struct sr_other_line *classes = sr_other_find(lines, "minclass");
    const struct sr_other_line *enforcing = sr_other_find(lines, "enforcing");

    if (rules->preset == SR_PRESET_PWQUALITY && length != NULL &&
        rules->min_length > 0 && rules->min_length != atol(length->value))
        report(comparison, length, N_("password.min_length has another value"));
    if (rules->preset == SR_PRESET_PWQUALITY && classes != NULL &&
        rules->min_classes > 0 && rules->min_classes != atol(classes->value))
        report(comparison, classes,
               N_("password.min_classes has another value"));
    if (enforcing != NULL && strcmp(enforcing->value, "0") == 0)
        report(comparison, enforcing, N_("rules are always enforced"));
}

static void
check_file(struct comparison *comparison, enum sr_other other)
{
    const struct sr_other_visitor visitor = {
        .set = compare, .odd = report_odd, .context = comparison};
    struct sr_config_errors *errors = &comparison->errors;
    struct sr_stamps stamps = {.item = NULL};
    struct sr_other_lines lines;

    comparison->word = sr_other_words[other];
    comparison->is_listed = sr_string_list_has(
        &comparison->config->defaults_from, comparison->word);
    sr_other_read(other, &lines, &stamps, errors);
    for (size_t i = 0; i < errors->count; i++)
        findings_add(comparison->findings, SEVERITY_WARNING,
                     sr_other_path(other), NULL, "Correct it.",
                     "It cannot be compared with what is in force: %s.",
                     errors->item[i]);
    sr_other_visit(other, &lines, &visitor);
    if (other == SR_OTHER_PWQUALITY)
        check_quality_lines(comparison, &lines);
    if (other == SR_OTHER_FAILLOCK)
        check_times(comparison, &lines);
    sr_other_lines_free(&lines);
    sr_stamps_free(&stamps);
    sr_config_errors_free(errors);
}

void
check_other_files(const struct sr_config *config, struct findings *findings)
{
    struct comparison comparison = {
        .config = config, .findings = findings, .errors.words = ctl_words};

    for (int i = 0; i < SR_OTHER_COUNT; i++)
        check_file(&comparison, (enum sr_other)i);
}
