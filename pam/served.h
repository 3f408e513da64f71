/*
 * Served: the calls of another process, made here for it.
 *
 * A handle of libpam's kind represents the handle of that process: its items
 * are what came with the call, its conversation is the connection, and what the
 * calls keep in it lasts as long as the connection does.  So each call answers
 * as it would in the process itself, by the same code.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_SERVED_H
#define SR_PAM_SERVED_H

#include <stdbool.h>
#include <sys/types.h>

/* The process at the other end, as the kernel knows it. */
struct sr_served_peer {
    uid_t uid;           /* effective, when it connected */
    uid_t real_uid;      /* of a set-user-ID program: its user */
    const char *process; /* its entry of /proc, which never becomes another's */

    /* By which socket it came: for dialogues of self-service reset, and nothing
     * else, or for calls. */
    bool is_dialogue;

    /* Whether one more dialogue of the captive account may be had from this
     * source: NULL, or why not. */
    const char *(*admit)(const char *source);
};

/*
 * Serve a connection until it ends.  A peer of root may have any call made,
 * and what it reports of it is trusted.  Any other peer may have its own
 * password verified and its own account checked, once, by this host's
 * configuration and from the source that its uid is.  Each may have the
 * dialogues of self-service reset: about its own account, or a reset, in which
 * the account is asked for; the captive account only that.
 */
void sr_serve(int fd, const struct sr_served_peer *peer);

/* Answer the peer that nothing is done for it; `cause` is that of the event. */
void sr_serve_refuse(int fd, const struct sr_served_peer *peer,
                     const char *cause);

#endif
