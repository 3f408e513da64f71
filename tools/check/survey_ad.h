/*
 * Survey of Active Directory: what was found of a domain and of this host's
 * account there, and what is amiss, each with the command that repairs it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_SURVEY_AD_H
#define SR_TOOLS_CHECK_SURVEY_AD_H

#include "policy/backend/survey.h"
#include "policy/config/settings.h"
#include "tools/check/findings.h"
#include "tools/report.h"

/* Judge a survey of the backend with this section, beside check_survey_krb5();
 * `attempts` are those of this host's own lockout. */
void check_survey_ad(const struct sr_survey *survey,
                     const struct sr_backend_config *config, unsigned attempts,
                     struct findings *findings);

/* The command that gives this host a key that the domain knows. */
void check_survey_ad_join(const struct sr_survey_ad *ad,
                          const struct sr_backend_config *config, char *out,
                          size_t size);

/* What was found beside report_survey_krb5(). */
void report_survey_ad(struct report *report, const struct sr_survey *survey);

#endif
