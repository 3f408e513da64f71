/*
 * Signature: the proof by an ssh key or security key: a signature over a line
 * that is made for one try, checked by ssh-keygen(1).
 *
 * ssh-keygen runs as reset.mail_user, and has of this host the keys of the
 * account, the signature and the line, by descriptors; it opens no file that a
 * user could have put there.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_SIGNATURE_H
#define SR_POLICY_RESET_SIGNATURE_H

#include "policy/reset/run.h"

#define SR_SIGNATURE_SPACE "selfreset" /* the namespace */
#define SR_CHALLENGE_MAX   80

/* One try. */
struct sr_challenge {
    char line[SR_CHALLENGE_MAX]; /* to be signed, with a line feed */
};

/* Make the line: of this host, the name that was typed, and a random number. */
bool sr_challenge_make(const struct sr_run *run, const char *name,
                       struct sr_challenge *challenge);

/* Show it, and ask for the signature: one line after the other up to its last
 * one.  The person's ssh-agent may do it by `key`; NULL: it may not.  NULL: the
 * person is gone; empty: no signature was typed. */
char *sr_challenge_ask(struct sr_run *run, const struct sr_challenge *challenge,
                       const char *key);

/*
 * Which of the keys (those of an enrolment; some may be empty) has signed;
 * SR_KEYS: none.  Without any key it takes as long.  *is_broken: ssh-keygen
 * could not be run, after an event.
 */
unsigned sr_challenge_check(struct sr_run *run,
                            const struct sr_challenge *challenge,
                            char key[SR_KEYS][SR_KEY_MAX], const char *armoured,
                            bool *is_broken);

/*
 * Whether a key of an enrolment, by its place, serves: one that the directory
 * had when it was set up is revoked by taking it out there.  *is_broken: the
 * directory cannot be asked, after an event.
 */
bool sr_signature_serves(struct sr_run *run,
                         const struct sr_enrolment *enrolment, unsigned place,
                         bool *is_broken);

/* Ask for a key, with those that the directory has as a proposal, and have it
 * proved; true: it is stored.  The gate may be used for a reset after `wait`
 * seconds. */
bool sr_signature_add(struct sr_run *run, int64_t wait);

/* Show which keys are set up, each as a line below the gate. */
void sr_signature_show(struct sr_run *run,
                       const struct sr_enrolment *enrolment);

#endif
