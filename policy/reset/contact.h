/*
 * Contact: the recovery contact, a second user whom the owner of an account has
 * named, who confirms a reset in a session of his own.
 *
 * The owner names him, he accepts, and either of them ends it.  Who is named
 * gets a mail, which is counted as one that the owner asks for (channel.h).  He
 * is one proof beside another one, never the first: a stranger who has proved
 * nothing cannot have him asked, and is not told that there is one.  A request
 * shows six digits, which the owner reads to him and he types: a bare "yes"
 * would be given to anybody.  It can be answered for 10 minutes, by him alone,
 * after a proof of his own, and three are made in an hour.  The owner is
 * informed of one that was refused: somebody has a proof of his.
 *
 * A contact whose account is disabled, ended or gone, or whose name another
 * account has now, is none: backend, name and uid are compared each time.  An
 * account that is made anew with the same three cannot be told apart.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_CONTACT_H
#define SR_POLICY_RESET_CONTACT_H

#include "policy/reset/kind.h"
#include "policy/reset/run.h"

/* Whether the contact of the account can be asked now, beside what was proved
 * in this run.  Only after a proof that was accepted. */
bool sr_contact_is_there(struct sr_run *run);

/* Make a request and wait for its answer; says whether it was confirmed.  One
 * that was refused ends the run: nothing is offered any more. */
bool sr_contact_try(struct sr_run *run);

/* Let the owner, who has proved it, name a contact, who counts `wait` seconds
 * after that, and not before he has accepted. */
bool sr_contact_add(struct sr_run *run, int64_t wait);

/* What a contact, who has proved it, does about the user `name`:
 * SR_RESET_ACCEPT, SR_RESET_DECLINE or SR_RESET_CONFIRM.  False: nothing was
 * done; it was said why. */
bool sr_contact_answer(struct sr_run *run, enum sr_reset_kind kind,
                       const char *name);

#endif
