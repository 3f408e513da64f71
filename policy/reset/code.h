/*
 * Code: random codes for people, in Crockford's base 32 (no I, L, O, U).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_CODE_H
#define SR_POLICY_RESET_CODE_H

#include <stdbool.h>
#include <stddef.h>

#define SR_REF_LENGTH      8  /* of a flow's reference */
#define SR_RECOVERY_LENGTH 15 /* 75 bits */
#define SR_TICKET_LENGTH   10 /* 50 bits */
#define SR_MAIL_LENGTH     8  /* digits, of what is sent by any channel */
#define SR_NUMBER_LENGTH   2  /* digits, of a dialogue */
#define SR_CODE_SIZE       24 /* of any, in groups, with its end */

/* A new code of `length` random characters in groups of `group`, joined by "-";
 * 0: in one.  False when there are no random bytes. */
bool sr_code_make(char out[SR_CODE_SIZE], size_t length, size_t group);

/* The same of decimal digits, each as likely. */
bool sr_code_make_digits(char out[SR_CODE_SIZE], size_t length);

/*
 * A code as it was typed, without spaces and dashes, in capitals, and with what
 * looks alike as it was meant (o: 0; i, l: 1).  False unless it has `length`
 * characters of the alphabet.
 */
bool sr_code_read(const char *typed, size_t length, char out[SR_CODE_SIZE]);

/* Hash a code under a new setting, into SR_HASH_MAX bytes.  Returns 0 or -1. */
#define SR_HASH_MAX 128
int sr_code_hash(const char *code, char hash[SR_HASH_MAX]);

/* Whether two hashes of that many bytes, filled up with zeros, are the same and
 * not empty; in a time that does not depend on where they differ. */
bool sr_code_is_equal(const char *a, const char *b);

#endif
