/*
 * Check survey: what is wrong with a backend, by what a survey of it found.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_SURVEY_H
#define SR_TOOLS_CHECK_SURVEY_H

#include "policy/backend/survey.h"
#include "policy/config/settings.h"
#include "tools/check/findings.h"

/* Judge a survey of the backend with this section, at the time `now`. */
void check_survey(const struct sr_survey *survey,
                  const struct sr_backend_config *config, sr_time now,
                  struct findings *findings);

#endif
