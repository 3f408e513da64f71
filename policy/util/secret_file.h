/*
 * Secret file: passwords and keytabs of this host, in files that only root can
 * have written.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_SECRET_FILE_H
#define SR_POLICY_UTIL_SECRET_FILE_H

#include "policy/util/error.h"

/*
 * The first line of a file that is a regular one, root's, and of mode 0600 or
 * 0640 or stricter.  A new string for sr_secret_file_free(), or NULL, and
 * `error` says why.  An empty line is an error.
 */
char *sr_secret_file_read(const char *path, struct sr_error *error);

/* Wipe and free; for cleanup attributes. */
void sr_secret_file_free(char **secret);

/* Whether the file may be trusted as above (keytabs). */
bool sr_secret_file_is_safe(const char *path, struct sr_error *error);

/* The same of a key in PEM, which must not be encrypted: a library of TLS might
 * ask for its passphrase on the terminal of a login.  The path may be a
 * symbolic link of root's; the file that it leads to is judged. */
bool sr_secret_file_is_key(const char *path, struct sr_error *error);

#endif
