/*
 * Findings report: what "check" found, for people or as JSON, and the exit code
 * that it comes to.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_FINDINGS_REPORT_H
#define SR_TOOLS_CHECK_FINDINGS_REPORT_H

#include "tools/check/findings.h"
#include "tools/command.h"
#include "tools/json.h"

/* Print findings, the errors first.  Returns ctl_findings_code(). */
int ctl_findings(const struct findings *findings, bool is_json);

/* CTL_OK without findings, CTL_WARNINGS without errors, else CTL_ERRORS. */
int ctl_findings_code(const struct findings *findings);

/* The findings as an array of a larger document. */
void ctl_findings_json(struct json *json, const char *key,
                       const struct findings *findings);

#endif
