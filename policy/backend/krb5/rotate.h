/*
 * Rotate: new keys for this host's own account, in the keytab before the KDC
 * has them.
 *
 * Whatever the process is stopped by, the keytab has the keys that the KDC has:
 * it keeps those that were in use, and a login that finds the newest ones not
 * to be in use takes the ones before (initial.c).  The password that the new
 * ones are of is in a file from before it is sent until the keys were proved:
 * as long as that exists there is no other one, and the keytab loses no key of
 * the account.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_ROTATE_H
#define SR_POLICY_BACKEND_KRB5_ROTATE_H

#include "policy/backend/krb5/session.h"

/* Room for a password that is made. */
#define SR_KRB5_SECRET_SIZE 64

/* Make a password that every rule accepts, of 256 random bits.  False: there
 * are no random numbers. */
bool sr_krb5_secret_make(char secret[SR_KRB5_SECRET_SIZE]);

/*
 * Write a password to the file `path`, by way of the file `aside` in the same
 * directory: on disk, and with the owner and mode of the file `like`, which may
 * be `aside`: root's, 0600.  Returns 0 or a negative errno.
 */
int sr_krb5_secret_write(const char *secret, const char *aside,
                         const char *path, const char *like);

/*
 * Read the password that an earlier rotation has left in the file `path`, if
 * there is one.  False: it cannot be read, and `error` says why.
 */
bool sr_krb5_secret_read(const char *path, char secret[SR_KRB5_SECRET_SIZE],
                         bool *is_there, struct sr_error *error);

/* Whether a file can be replaced: files can be made beside it.  False: `error`
 * says why. */
bool sr_krb5_secret_may_write(const char *path, struct sr_error *error);

/*
 * Rotate the keys of the account whose key is config->principal, or the first
 * one of the keytab; or complete a rotation that did not come to its end.
 * UNSURE: what the KDC has is not proved; the next login finds out, and the
 * next rotation goes on.  REFUSED and FAILED: the KDC has not taken the new
 * keys now. On all but DONE the session's error says why; SR-5004: the KDC does
 * not accept this host's keys.  `is_trial`: only get what it begins with, write
 * nothing, and change nothing.
 */
enum sr_write sr_krb5_rotate(struct sr_krb5_session *session, bool is_trial);

#endif
