/*
 * LDAP survey: what the servers are, and what this host may do there.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SURVEY_H
#define SR_POLICY_BACKEND_LDAP_SURVEY_H

#include "policy/backend/survey.h"

/* `survey` of struct sr_backend_ops. */
enum sr_status sr_ldap_survey(struct sr_call *call, struct sr_survey *survey);

#endif
