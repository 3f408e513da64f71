/*
 * Kerberos survey: what the KDCs are, and whether the keys of this host are of
 * use there, by trying.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_SURVEY_H
#define SR_POLICY_BACKEND_KRB5_SURVEY_H

#include "policy/backend/krb5/session.h"
#include "policy/backend/survey.h"

/* Fill a survey in; `backend` is the name of the section. */
void sr_krb5_survey(struct sr_krb5_session *session, const char *backend,
                    struct sr_survey *survey);

#endif
