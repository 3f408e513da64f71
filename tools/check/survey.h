/*
 * Check survey: what a survey of a directory found, what is wrong with it, and
 * what could not be seen.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_SURVEY_H
#define SR_TOOLS_CHECK_SURVEY_H

#include "policy/backend/survey.h"
#include "policy/config/settings.h"
#include "tools/check/findings.h"
#include "tools/report.h"

/* Check a survey of the backend with this section, at the time `now`. */
void check_survey(const struct sr_survey *survey,
                  const struct sr_backend_config *config, sr_time now,
                  struct findings *findings);

/* All that was found of the backend with this section. */
void report_survey(struct report *report, const struct sr_survey *survey,
                   const struct sr_backend_config *config);

/* The sentence with this number, from 0, on what could not be seen and how it
 * can; NULL: there are no more. */
const char *survey_hint(const struct sr_survey *survey, unsigned number);

/* What the service's identity and the owner may do with each attribute of the
 * test entry. */
void report_rights(struct report *report, const struct sr_survey *survey);

#endif
