/*
 * Kpasswd: the messages by which a password is changed (RFC 3244), as bytes.
 *
 * Pure: no I/O and no Kerberos.  What is encrypted in them is for the caller.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_KPASSWD_H
#define SR_POLICY_BACKEND_KRB5_KPASSWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Version 1: the owner's own change, the new password as it is. */
#define SR_KPASSWD_VERSION 1
/* The version of RFC 3244, 2: a password that is set for a named principal. */
#define SR_KPASSWD_VERSION_SET 0xFF80

/* A part of a message; it belongs to the message. */
struct sr_kpasswd_part {
    const uint8_t *bytes;
    size_t size;
};

/* The result codes of RFC 3244. */
enum sr_kpasswd_code {
    SR_KPASSWD_SUCCESS,
    SR_KPASSWD_MALFORMED,
    SR_KPASSWD_HARD_ERROR,
    SR_KPASSWD_AUTH_ERROR,
    SR_KPASSWD_SOFT_ERROR, /* the policy refuses the new password */
    SR_KPASSWD_ACCESS_DENIED,
    SR_KPASSWD_BAD_VERSION,
    SR_KPASSWD_INITIAL_FLAG,
};

/* Why a policy refuses, as far as it is certain. */
enum sr_kpasswd_why {
    SR_KPASSWD_WHY_UNKNOWN,
    SR_KPASSWD_WHY_POLICY, /* the rules below are all that is said */
    SR_KPASSWD_WHY_TOO_SHORT,
    SR_KPASSWD_WHY_USED,
    SR_KPASSWD_WHY_TOO_YOUNG,
};

struct sr_kpasswd_reply {
    bool is_error; /* `body` is a KRB-ERROR; otherwise a KRB-PRIV */
    struct sr_kpasswd_part ap_rep;
    struct sr_kpasswd_part body;
};

struct sr_kpasswd_result {
    unsigned code; /* enum sr_kpasswd_code, or another number */
    enum sr_kpasswd_why why;
    /* Rules that Active Directory sends (30 bytes); 0: not known. */
    unsigned min_length;
    unsigned history;
    /* The server's words, for people: UTF-8, lines kept, other control
     * characters and invalid bytes replaced; empty: there are none. */
    char text[512];
};

#define SR_KPASSWD_COMPONENTS 8

/* The principal whose password is set; nothing is copied. */
struct sr_kpasswd_target {
    const char *realm;
    size_t realm_size;
    int32_t name_type; /* 0 to 127 */
    struct sr_kpasswd_part component[SR_KPASSWD_COMPONENTS];
    size_t count;
};

/*
 * Write the ChangePasswdData of RFC 3244, 2 (DER).  `out` has room for *size
 * bytes; *size gets the length.  False: no room, or a type of name that is
 * none.
 */
bool sr_kpasswd_set_data(const struct sr_kpasswd_target *target,
                         const char *password, uint8_t *out, size_t *size);

/*
 * Write the request of `ap_req` and `priv`, of a version.  `out` has room for
 * *size bytes; *size gets the length.  False: no room, or too long for the
 * format.
 */
bool sr_kpasswd_request(const struct sr_kpasswd_part *ap_req,
                        const struct sr_kpasswd_part *priv, unsigned version,
                        uint8_t *out, size_t *size);

/*
 * Take a reply apart.  Some servers send a KRB-ERROR without a header.  False:
 * it is not a reply.
 */
bool sr_kpasswd_parse(const uint8_t *bytes, size_t size,
                      struct sr_kpasswd_reply *reply);

/*
 * Read a result: the decrypted body, or the e-data of a KRB-ERROR.  False: it
 * is too short to have one.
 */
bool sr_kpasswd_result(const uint8_t *bytes, size_t size,
                       struct sr_kpasswd_result *result);

#endif
