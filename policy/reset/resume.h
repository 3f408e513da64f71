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

/* What was kept. */
struct sr_resumed {
    unsigned proved; /* gates, bit by enum, that are still allowed and set up */
    sr_time until;   /* ledger time */
    char used_code_text[SR_USED_MAX];
};

/* Take what an enrolment keeps, if the hash is that of its code, which is then
 * used up.  For a change of an enrolment: nothing of the run is changed. */
bool sr_resume_take(const struct sr_run *run, struct sr_enrolment *enrolment,
                    const struct sr_account_time *time, const char *hash,
                    struct sr_resumed *resumed);

/* Go on with what was taken, once that is recorded. */
void sr_resume_go_on(struct sr_run *run, const struct sr_resumed *resumed);

/* Forget what is kept, as the reset has ended: what this run keeps; what any
 * run keeps of the account where it `is_done`. */
void sr_resume_drop(struct sr_run *run, bool is_done);

#endif
