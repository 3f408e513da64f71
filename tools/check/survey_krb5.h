/*
 * Survey of Kerberos: what was found of the KDCs and of this host's keys, and
 * what is wrong, each with the command that corrects it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_SURVEY_KRB5_H
#define SR_TOOLS_CHECK_SURVEY_KRB5_H

#include "policy/backend/survey.h"
#include "policy/config/settings.h"
#include "tools/check/findings.h"
#include "tools/report.h"

/* Check a survey of the backend with this section. */
void check_survey_krb5(const struct sr_survey *survey,
                       const struct sr_backend_config *config,
                       struct findings *findings);

/* All that was found. */
void report_survey_krb5(struct report *report, const struct sr_survey *survey,
                        const struct sr_backend_config *config);

#endif
