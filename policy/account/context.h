/*
 * Context: by which program, in which call and from where an account is used.
 * Filled in by the interface (PAM, helper); without any PAM type.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_CONTEXT_H
#define SR_POLICY_ACCOUNT_CONTEXT_H

#include "policy/decide/source.h"
#include "policy/decide/verdict.h"

struct sr_context {
    const char *channel; /* "auth", "account", "password", "session", "reset";
                            a constant */
    char service[64];    /* PAM_SERVICE or the program's name; may be empty */
    char terminal[64];   /* may be empty */
    char ref[12];        /* of a flow of self-service reset; may be empty */
    struct sr_source source;
    uid_t real_uid; /* of the process that asked */
    const char
        *process;     /* that process, as an entry of /proc; NULL: this one */
    bool is_served;   /* that process stores what a module behind ours stores,
                         and may do what this one may not */
    bool is_admin;    /* root acts on a user's account: texts are for root */
    bool is_stand_in; /* the password is not what the user typed (sshd's
                         stand-in): it is counted against no account */
    int64_t answered; /* when the password was there, by
                         sr_clock_milliseconds(); 0: not noted.  The time of a
                         refusal counts from then */
    bool allow_empty; /* the application admits accounts without a password */

    /* The number that the interface answers, for events; NULL: none. */
    int (*code)(enum sr_answer answer);
};

#endif
