/*
 * Source: where an attempt comes from, in the one form that it is counted by.
 * Pure, but for nothing: it asks neither the network nor the name service.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_SOURCE_H
#define SR_POLICY_DECIDE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Bytes of a source's text, with its end. */
#define SR_SOURCE_MAX 64

/* Which of an account's two ledgers: attempts from a source it logged in from
 * lately do not share one with attempts from anywhere else. */
enum sr_source_class { SR_CLASS_STRANGER = 0, SR_CLASS_FAMILIAR = 1 };

struct sr_source {
    char text[SR_SOURCE_MAX]; /* "192.0.2.7", "2001:db8:1:2::/64",
                                 "name:host.example", "console", "uid:1001" */
    bool is_remote;
    bool is_own;  /* the account's owner, or root, in a local session */
    bool is_user; /* a local user's session, whoever's: "uid:N" */
    uid_t user;   /* whose, when is_user */
};

/*
 * Work out the source.  `rhost` is PAM_RHOST (NULL or empty: a local caller).
 * `address` is the peer's address from a trusted place (sshd's SSH_CONNECTION),
 * or NULL; it wins over a host name in rhost.  An IPv4 address counts as /32,
 * an IPv6 one as /64, an IPv4-mapped one as IPv4.  A host name is lower-cased;
 * control bytes become '?'; a name too long for the buffer is cut and marked
 * with a hash of the whole, so that two long names stay two.  For a local
 * caller: "uid:N" when the real uid is not 0 or `local_user_root` says that a
 * root session called (su, sudo, cron), else "console".
 * is_own: local, and real_uid is the account's or root's own session.
 */
void sr_source_find(struct sr_source *source, const char *rhost,
                    const char *address, uid_t real_uid, bool local_user_root,
                    uid_t account);

#endif
