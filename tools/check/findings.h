/*
 * Findings: what "check" found, each once, with its place and what to do.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_FINDINGS_H
#define SR_TOOLS_CHECK_FINDINGS_H

#include "tools/command.h"
#include "tools/json.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct finding {
    enum severity severity;
    char *place; /* "/etc/pam.d/sshd:4", a file, or an account's name */
    char *text;
    char *advice;
    char *subjects;       /* services or accounts that have it, or NULL */
    size_t subject_count; /* names in `subjects` */
    size_t more;          /* that have it too, and are only counted */
};

struct findings {
    struct finding *item;
    size_t count;
    bool is_cut; /* memory ran out: there may be more */
};

/*
 * Add a finding at a line of a file; `line` 0: at `place` itself.  One that is
 * there already, at the same place and with the same text, gets `subject` (may
 * be NULL) added to its subjects.  `format` makes the text; it and `advice` are
 * translated.
 */
void findings_add_at(struct findings *findings, enum severity severity,
                     const char *place, unsigned line, const char *subject,
                     const char *advice, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

#define findings_add(findings, severity, place, ...)                           \
    findings_add_at(findings, severity, place, 0, __VA_ARGS__)

/* How many there are of a severity. */
size_t findings_count(const struct findings *findings, enum severity severity);

void findings_free(struct findings *findings);

/* Print findings, the errors first.  Returns ctl_findings_code(). */
int ctl_findings(const struct findings *findings, bool is_json);

/* The exit codes of a plugin of Nagios (Nagios Plugins' guidelines). */
enum nagios { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

/* One line for Nagios: the result, the first of the worst findings, and how
 * many there are, also as performance data.  Returns its exit code. */
int ctl_findings_nagios(const struct findings *findings);

/* The same when nothing could be checked: `why`, NAGIOS_UNKNOWN. */
int ctl_nagios_unknown(const char *why);

/* CTL_OK without findings, CTL_WARNINGS without errors, else CTL_ERRORS. */
int ctl_findings_code(const struct findings *findings);

/* The findings as an array of a larger document. */
void ctl_findings_json(struct json *json, const char *key,
                       const struct findings *findings);

#endif
