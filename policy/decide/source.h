/*
 * Source: where an attempt comes from, in the one form by which it is counted.
 * Pure: asks neither the network nor the name service.
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
    /* "192.0.2.7", "2001:db8:1:2::/64", "name:host.example", "console", "pts",
     * "display:0", "uid:1001", "ruser:1001".  Empty: the caller is not known by
     * anything; then there is no ledger of the source, and it never becomes
     * familiar. */
    char text[SR_SOURCE_MAX];
    bool is_remote; /* a network peer, or not known to be on this host */
    bool is_own;    /* a process of the account's own uid, or a root session */
    bool is_user;   /* a local user's process, "uid:N" or "ruser:N" */
    uid_t user;     /* its uid, when is_user */
};

/* What the kernel and the application report of an attempt. Zero, (uid_t)-1
 * and empty texts: nothing. */
struct sr_origin {
    const char *rhost;   /* PAM_RHOST */
    const char *tty;     /* PAM_TTY */
    const char *address; /* the peer's address from sshd's SSH_CONNECTION; it
                            wins over a host name in rhost */
    uid_t real_uid;      /* of the process, by the kernel */
    uid_t ruser;         /* the uid of PAM_RUSER, (uid_t)-1: none */
    uid_t account;       /* the uid of the account, (uid_t)-1: none */
    bool takes_password; /* the call verifies a password */
    bool is_background;  /* a service without a user at it, such as cron */
};

/*
 * Work out the source.  The first of these that holds:
 *
 * - A real uid other than 0 (a set-user-ID program: su, sudo, schroot, screen
 *   lockers, polkit's helper): "uid:N".  PAM_RHOST and PAM_RUSER are then this
 *   host's name and the same user, and are ignored.
 * - A peer: an IPv4 address (/32), an IPv6 one (/64; without its scope), an
 *   IPv4-mapped one and one of 64:ff9b::/96 (RFC 6052) as IPv4; else a host
 *   name in lower case without a final dot, "name:HOST".  Brackets and a port
 *   ("[::1]:22", "192.0.2.7:5900", "host::5900") are left out.  Words that
 *   applications write for "no peer" ("unknown", "localhost", ":0") are none.
 *   Control bytes become '?'; a name too long for the buffer is cut and marked
 *   with a hash of the whole.
 * - A session of root: PAM_RUSER is root; or a call without a password that
 *   names no terminal, or of a background service.  "uid:0".
 * - A terminal: "console" for a local or serial one, "pts" for a pseudo
 *   terminal, "display:N" for an X display.  Other words that applications put
 *   into PAM_TTY ("ssh", "ftp", "dovecot", "xrdp-sesman") name none.
 * - PAM_RUSER, from a root helper of a local program (polkit): "ruser:N".  The
 *   kernel does not verify it, so it shares no ledger with "uid:N", and is
 *   never the account's own session.
 * - Otherwise none.
 *
 * PAM_RUSER counts only from a process of root that names no peer, and no word
 * that is no terminal: network services put there what the peer typed.
 */
void sr_source_find(struct sr_source *source, const struct sr_origin *origin);

/* The source of a peer as an administrator or PAM_RHOST writes it; empty when
 * the text names none. */
void sr_source_peer(struct sr_source *source, const char *peer);

/* Whether the text of a source names something of this host: a terminal or a
 * local user. */
bool sr_source_is_here(const char *text);

#endif
