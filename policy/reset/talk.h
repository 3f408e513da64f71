/*
 * Talk: the conversation of a flow, which its caller has with a person, who
 * that is, and how it ended.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_TALK_H
#define SR_POLICY_RESET_TALK_H

#include <stdbool.h>
#include <sys/types.h>

struct sr_reset_talk {
    /* Show a text of one or more lines of at most 72 columns.  False: the
     * person is gone. */
    bool (*say)(void *data, const char *text);

    /*
     * Ask a question; `is_shown`: what is typed may be seen.  *answer is a new
     * string of at most 4095 bytes, which the flow wipes and frees.  False, and
     * *answer is NULL: the person has ended the dialogue, is gone, or has not
     * answered in time.
     */
    bool (*ask)(void *data, const char *prompt, bool is_shown, char **answer);

    /*
     * The same, shown, for a public key (`key` and `line` NULL), or for the
     * signature of a line by a key: where the person has an ssh-agent, it may
     * answer, with a whole signature in place of its first line.  NULL: ask()
     * is taken.
     */
    bool (*ask_agent)(void *data, const char *prompt, const char *key,
                      const char *line, char **answer);

    void *data;
};

/* Who talks, as the kernel knows it; and what the caller vouches for. */
struct sr_reset_peer {
    uid_t uid;            /* whose account the flows after RESET are about */
    uid_t real_uid;       /* of a set-user-ID program: its user */
    const char *process;  /* its entry of /proc; NULL: this process */
    const char *service;  /* for events: "selfreset"; NULL: none */
    const char *rhost;    /* the network peer, by a process that is trusted
                             (root's, the captive account's); NULL: none */
    const char *terminal; /* its terminal; NULL: not known */
    const char *config;   /* the configuration; NULL: the host's */
    bool is_greeter; /* the dialogue is that of a login program, which refuses
                        this login at its end and begins another one */
};

/* How a flow ended.  Every end but GONE has been explained to the person. */
enum sr_reset_end {
    SR_RESET_DONE,
    SR_RESET_REFUSED, /* nothing was done, or not all of it */
    SR_RESET_GONE,    /* the person left; what was proved is forgotten */
};

#endif
