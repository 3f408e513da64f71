/*
 * Findings: see findings.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/util/text.h"
#include "tools/check/findings.h"
#include "tools/output.h"
#include "tools/words.h"

/* The names that are kept; more would only be counted. */
#define SUBJECTS_MAX 100

static void
finding_free(struct finding *finding)
{
    free(finding->place);
    free(finding->text);
    free(finding->advice);
    free(finding->subjects);
}

/* Whether the list "a, b, c" has this name. */
static bool
has_subject(const char *subjects, const char *subject)
{
    size_t length = strlen(subject);

    for (const char *at = subjects; at != NULL;) {
        if (strncmp(at, subject, length) == 0 &&
            (at[length] == '\0' || at[length] == ','))
            return true;
        at = strstr(at, ", ");
        at = at == NULL ? NULL : at + 2;
    }
    return false;
}

static bool
add_subject(struct finding *finding, const char *subject)
{
    char *longer = NULL;

    if (subject == NULL || finding->more > 0 ||
        has_subject(finding->subjects, subject)) {
        finding->more += subject != NULL && finding->more > 0;
        return true;
    }
    if (finding->subject_count == SUBJECTS_MAX) {
        finding->more++;
        return true;
    }
    finding->subject_count++;
    if (asprintf(&longer, "%s%s%s",
                 finding->subjects == NULL ? "" : finding->subjects,
                 finding->subjects == NULL ? "" : ", ", subject) < 0)
        return false;
    free(finding->subjects);
    finding->subjects = longer;
    return true;
}

static struct finding *
find(struct findings *findings, const char *place, const char *text)
{
    for (size_t i = 0; i < findings->count; i++) {
        struct finding *finding = &findings->item[i];

        if (strcmp(finding->place, place) == 0 &&
            strcmp(finding->text, text) == 0)
            return finding;
    }
    return NULL;
}

/* Append a finding, whose strings it takes.  NULL when out of memory. */
static struct finding *
append(struct findings *findings, const struct finding *added)
{
    struct finding *item =
        reallocarray(findings->item, findings->count + 1, sizeof(*item));

    if (item == NULL)
        return NULL;
    findings->item = item;
    item[findings->count] = *added;
    return &item[findings->count++];
}

void
findings_add_at(struct findings *findings, enum severity severity,
                const char *place, unsigned line, const char *subject,
                const char *advice, const char *format, ...)
{
    struct finding added = {.severity = severity, .advice = strdup(_(advice))};
    struct finding *finding = NULL;
    va_list list;

    va_start(list, format);
    if (vasprintf(&added.text, _(format), list) < 0)
        added.text = NULL;
    va_end(list);
    added.place = line == 0 ? strdup(place) : sr_format("%s:%u", place, line);
    if (added.text != NULL && added.place != NULL && added.advice != NULL) {
        finding = find(findings, added.place, added.text);
        if (finding == NULL && (finding = append(findings, &added)) != NULL)
            memset(&added, 0, sizeof(added));
    }
    finding_free(&added);
    if (finding == NULL || !add_subject(finding, subject))
        findings->is_cut = true;
}

size_t
findings_count(const struct findings *findings, enum severity severity)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++)
        count += findings->item[i].severity == severity;
    return count;
}

void
findings_free(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        finding_free(&findings->item[i]);
    free(findings->item);
    memset(findings, 0, sizeof(*findings));
}

/* ---- output */

static const char *
severity_name(enum severity severity)
{
    return severity == SEVERITY_ERROR ? "error" : "warning";
}

void
ctl_findings_json(struct json *json, const char *key,
                  const struct findings *findings)
{
    json_array(json, key);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->item[i];

        json_object(json, NULL);
        json_string(json, "severity", severity_name(finding->severity));
        json_string(json, "place", finding->place);
        json_string(json, "text", finding->text);
        json_string(json, "advice", finding->advice);
        json_string(json, "subjects", finding->subjects);
        json_number(json, "more_subjects", (int64_t)finding->more);
        json_end(json);
    }
    json_end(json);
}

static void
print_json(const struct findings *findings)
{
    struct json json;

    json_begin(&json, stdout);
    ctl_findings_json(&json, NULL, findings);
}

static bool
is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whether two findings differ in their places and subjects only. */
static bool
is_same_cause(const struct finding *a, const struct finding *b)
{
    return a->severity == b->severity && is_same_text(a->text, b->text) &&
           is_same_text(a->advice, b->advice);
}

static bool
is_told(const struct findings *findings, size_t number)
{
    for (size_t i = 0; i < number; i++) {
        if (is_same_cause(&findings->item[i], &findings->item[number]))
            return true;
    }
    return false;
}

static void
print_place(const struct finding *finding)
{
    char *place = ctl_clean(finding->place);

    /* The place stays whole, to be clicked or copied. */
    printf("%s: %s\n",
           finding->severity == SEVERITY_ERROR ? _("error") : _("warning"),
           place == NULL ? "?" : place);
    free(place);
}

/* Add the names of a list to those of a finding. */
static void
add_subjects(struct finding *finding, const char *subjects)
{
    while (subjects != NULL) {
        const char *end = strstr(subjects, ", ");
        char *one = end == NULL ? strdup(subjects)
                                : strndup(subjects, (size_t)(end - subjects));

        add_subject(finding, one);
        free(one);
        subjects = end == NULL ? NULL : end + 2;
    }
}

/* One cause, below all places that have it, with the subjects of all. */
static void
print_cause(const struct findings *findings, size_t number)
{
    const struct finding *finding = &findings->item[number];
    struct finding all = {.subjects = NULL};
    size_t more = 0;

    for (size_t i = number; i < findings->count; i++) {
        const struct finding *each = &findings->item[i];

        if (!is_same_cause(each, finding))
            continue;
        print_place(each);
        add_subjects(&all, each->subjects);
        more += each->more;
    }
    ctl_wrap(stdout, "  ", 2, finding->text);
    if (all.subjects != NULL)
        ctl_wrap(stdout, _("  Concerns: "), 4, all.subjects);
    if (all.more + more > 0)
        printf(_n("    and %zu more\n", "    and %zu more\n", all.more + more),
               all.more + more);
    ctl_wrap(stdout, _("  To do: "), 4, finding->advice);
    free(all.subjects);
}

/* "1 error, 2 warnings." */
static void
print_counts(size_t errors, size_t warnings)
{
    char *of_errors = sr_format(_n("%zu error", "%zu errors", errors), errors);
    char *of_warnings =
        sr_format(_n("%zu warning", "%zu warnings", warnings), warnings);

    if (of_errors != NULL && of_warnings != NULL) {
        /* TRANSLATORS: "1 error, 2 warnings." */
        printf(_("%s, %s."), of_errors, of_warnings);
        putchar('\n');
    }
    free(of_errors);
    free(of_warnings);
}

static void
print_text(const struct findings *findings)
{
    size_t errors = findings_count(findings, SEVERITY_ERROR);
    size_t warnings = findings_count(findings, SEVERITY_WARNING);

    for (int severity = SEVERITY_ERROR; severity <= SEVERITY_WARNING;
         severity++) {
        for (size_t i = 0; i < findings->count; i++) {
            if (findings->item[i].severity == (enum severity)severity &&
                !is_told(findings, i))
                print_cause(findings, i);
        }
    }
    if (findings->count == 0)
        puts(_("No mistakes were found."));
    else
        print_counts(errors, warnings);
}

/* A text within the line, in which '|' begins the performance data. */
static void
print_plain(const char *text)
{
    char *clean = ctl_clean(text);

    for (const char *at = clean; at != NULL && *at != '\0'; at++)
        putchar(*at == '|' ? '/' : *at == '\n' ? ' ' : *at);
    free(clean);
}

int
ctl_nagios_unknown(const char *why)
{
    fputs("SELFRESET UNKNOWN: ", stdout);
    print_plain(why);
    putchar('\n');
    return NAGIOS_UNKNOWN;
}

int
ctl_findings_nagios(const struct findings *findings)
{
    const size_t errors = findings_count(findings, SEVERITY_ERROR);
    const size_t warnings = findings_count(findings, SEVERITY_WARNING);
    const enum severity worst = errors > 0 ? SEVERITY_ERROR : SEVERITY_WARNING;
    size_t first = 0;

    if (findings->is_cut)
        return ctl_nagios_unknown("out of memory");
    printf("SELFRESET %s: %zu error%s, %zu warning%s",
           errors > 0     ? "CRITICAL"
           : warnings > 0 ? "WARNING"
                          : "OK",
           errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
    while (first < findings->count && findings->item[first].severity != worst)
        first++;
    if (first < findings->count) {
        fputs("; ", stdout);
        print_plain(findings->item[first].place);
        fputs(": ", stdout);
        print_plain(findings->item[first].text);
    }
    /* VALUE;WARN;CRIT: more than this many. */
    printf(" | errors=%zu;;0 warnings=%zu;0\n", errors, warnings);
    return errors > 0     ? NAGIOS_CRITICAL
           : warnings > 0 ? NAGIOS_WARNING
                          : NAGIOS_OK;
}

int
ctl_findings(const struct findings *findings, bool is_json)
{
    if (is_json)
        print_json(findings);
    else
        print_text(findings);
    return ctl_findings_code(findings);
}

int
ctl_findings_code(const struct findings *findings)
{
    if (findings->is_cut) {
        ctl_error("Out of memory: there may be more.");
        return CTL_ERRORS;
    }
    if (findings_count(findings, SEVERITY_ERROR) > 0)
        return CTL_ERRORS;
    return findings->count > 0 ? CTL_WARNINGS : CTL_OK;
}
