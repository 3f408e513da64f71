/*
 * Findings report: what "check" found, for people or as JSON, and the exit code
 * that it comes to.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>

#include "tools/check/findings_report.h"
#include "tools/output.h"

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

static void
print_one(const struct finding *finding)
{
    char *place = ctl_clean(finding->place);

    /* The place stays whole, to be clicked or copied. */
    printf("%s: %s\n", severity_name(finding->severity),
           place == NULL ? "?" : place);
    free(place);
    ctl_wrap(stdout, "  ", 2, finding->text);
    if (finding->subjects != NULL)
        ctl_wrap(stdout, "  Concerns: ", 4, finding->subjects);
    if (finding->more > 0)
        printf("    and %zu more\n", finding->more);
    ctl_wrap(stdout, "  To do: ", 4, finding->advice);
}

static void
print_text(const struct findings *findings)
{
    size_t errors = findings_count(findings, SEVERITY_ERROR);
    size_t warnings = findings_count(findings, SEVERITY_WARNING);

    for (int severity = SEVERITY_ERROR; severity <= SEVERITY_WARNING;
         severity++) {
        for (size_t i = 0; i < findings->count; i++) {
            if (findings->item[i].severity == (enum severity)severity)
                print_one(&findings->item[i]);
        }
    }
    if (findings->count == 0)
        puts("No mistakes were found.");
    else
        printf("%zu error%s, %zu warning%s.\n", errors, errors == 1 ? "" : "s",
               warnings, warnings == 1 ? "" : "s");
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
