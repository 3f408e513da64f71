/*
 * Known: the addresses and the public keys that a directory has of an account,
 * which are offered to its owner to set up.
 *
 * They count for nothing until the owner has confirmed one, by a code or a
 * signature, with the proofs that every new gate needs: a mailbox or a number
 * in a directory can be an old one, and many directories let whoever has the
 * password write all of them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_KNOWN_H
#define SR_POLICY_RESET_KNOWN_H

#include "policy/reset/enrolment.h"

#define SR_KNOWN_MAX 16

struct sr_known {
    bool is_whole;  /* these are all that the directory has */
    unsigned count; /* in its order, each in its one spelling and once */
    char address[SR_KNOWN_MAX][SR_ADDRESS_MAX];
};

/*
 * Read those of a channel: the attributes are reset.mail_attributes and
 * phone_attributes.  What is no address is left out, and none of the others.
 * None for what push messages are sent to, and for accounts of this host.
 */
void sr_known_read(const struct sr_transaction *txn, enum sr_channel_id channel,
                   struct sr_known *known);

/* Whether an address is among them; and whether the directory has certainly no
 * longer one that it had when it was confirmed. */
bool sr_known_has(const struct sr_known *known, const char *address);
bool sr_known_has_lost(const struct sr_known *known,
                       const struct sr_confirmation *confirmation,
                       const char *address);

/* ---- public keys */

#define SR_KNOWN_KEYS 8

struct sr_known_keys {
    enum sr_tri decides; /* NO: no attribute is configured, or the account is
                            none of a directory; UNKNOWN: it cannot be read, and
                            `error` says why */
    struct sr_error error;
    unsigned count; /* of the first that may be used, each once */
    char key[SR_KNOWN_KEYS][SR_KEY_MAX]; /* as sr_key_read() makes them */
    struct sr_string_list values;        /* all of them */
};

/*
 * Read the keys of reset.key_attributes.  A value is lines as in
 * authorized_keys; in altSecurityIdentities it may begin with "SSHKey:".  What
 * is no such key is left out, and none of the others.  Free them.
 */
void sr_known_keys_read(const struct sr_transaction *txn,
                        struct sr_known_keys *known);
void sr_known_keys_free(struct sr_known_keys *known);

/* Whether the directory has a key, however many there are.  YES where it does
 * not decide, UNKNOWN where it cannot be read. */
enum sr_tri sr_known_keys_has(const struct sr_known_keys *known,
                              const char *key);

#endif
