/*
 * Resume: a reset outlives a lost connection.
 *
 * After the first proof that was accepted a code is shown.  With it, after the
 * same user name and from the same entry (the uid that talks), another
 * connection goes on with what was proved, once, and until 15 minutes after
 * that proof.  The code is a gate of its own in the menu of every name, counted
 * as one, but is no proof.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_RESUME_H
#define SR_POLICY_RESET_RESUME_H

#include "policy/reset/run.h"

/* Keep what is proved now; the first time in a run, show the code for it. */
void sr_resume_keep(struct sr_run *run);

/* Take what an enrolment keeps, if the hash is that of its code: it is used up,
 * and run->proved is set.  For a change of an enrolment. */
bool sr_resume_take(struct sr_run *run, struct sr_enrolment *enrolment,
                    const struct sr_account_time *time, const char *hash);

/* Forget what is kept: the reset has ended. */
void sr_resume_drop(struct sr_run *run);

#endif
