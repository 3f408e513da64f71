/*
 * Key: public keys and signatures of OpenSSH, as text.  Pure.
 *
 * Only which key it is and how good is found out here; that a signature is
 * right, ssh-keygen finds out (signature.h).  The forms are those of RFC 4253
 * 6.6, RFC 5656 3.1, RFC 8709 4, and of OpenSSH's PROTOCOL.sshsig and
 * PROTOCOL.u2f.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_KEY_H
#define SR_POLICY_RESET_KEY_H

#include <stdbool.h>
#include <stddef.h>

#define SR_KEY_MAX       1024 /* bytes of a key as text, with its end */
#define SR_SIGNATURE_MAX 6144 /* of an armoured signature */

/* Why a line is not used. */
enum sr_key_fault {
    SR_KEY_GOOD,
    SR_KEY_NONE,    /* it is not a public key, or is damaged */
    SR_KEY_KIND,    /* of a kind that is not used: DSA, a certificate, ... */
    SR_KEY_SHORT,   /* RSA with fewer than 2048 bits */
    SR_KEY_LONG,    /* more bytes than are kept */
    SR_KEY_OPTIONS, /* with options other than verify-required, which limit
                       it in ways that are not known here */
};

/*
 * Read a line as a file .pub, authorized_keys or a directory has it: an option
 * verify-required, the type, base 64, and a comment.  `out` is the same without
 * the comment, "verify-required" first where it is there.
 */
enum sr_key_fault sr_key_read(const char *line, char out[SR_KEY_MAX]);

/* What a signature says of itself. */
struct sr_signature {
    char key[SR_KEY_MAX]; /* the key that it says to be of, as above */
    bool is_device;       /* made by a security key; then: */
    bool is_touched;      /*   that was touched */
    bool is_verified;     /*   by a user whose PIN or finger was checked */
};

/*
 * Read an armoured signature over a message in a namespace.  False: it is none,
 * or is in another namespace.
 */
bool sr_key_read_signature(const char *armoured, const char *name_space,
                           struct sr_signature *out);

/* Whether a key, as sr_key_read() has made it, may have made the signature: it
 * is that key, and what it demands of a security key was done.  A touch is
 * demanded always. */
bool sr_key_fits(const char *key, const struct sr_signature *signature);

/* The key without what stands before its type. */
const char *sr_key_plain(const char *key);

#endif
