/*
 * Survey report: what a survey of a backend found, and what it could not see.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_SURVEY_REPORT_H
#define SR_TOOLS_CHECK_SURVEY_REPORT_H

#include "policy/backend/survey.h"
#include "policy/config/settings.h"
#include "tools/report.h"

/* All that was found of the backend with this section. */
void report_survey(struct report *report, const struct sr_survey *survey,
                   const struct sr_backend_config *config);

/* The sentence with this number, from 0, on what could not be seen and how it
 * can; NULL: there are no more. */
const char *survey_hint(const struct sr_survey *survey, unsigned number);

#endif
