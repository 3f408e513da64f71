/*
 * AD survey: what the domain controllers are, whether the keys and the names of
 * this host are of use there, and what its identity may do, by trying.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_AD_SURVEY_H
#define SR_POLICY_BACKEND_AD_SURVEY_H

#include "policy/backend/ad/session.h"
#include "policy/backend/survey.h"

/* Fill a survey in.  The test entry is left to the caller but for its rights. */
void sr_ad_survey(struct sr_ad_call *ad, struct sr_survey *survey);

#endif
