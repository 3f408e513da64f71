/*
 * Crypt: hash and compare, with every intermediate wiped.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_CRYPT_H
#define SR_POLICY_UTIL_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether `password` hashes to `hash`: one crypt_r(3), compared in constant
 * time.  A hash that no password can have ("*", "!...", empty, unknown method)
 * is never right, and costs one hash of the system's preferred method all the
 * same.  So does NULL, for names that do not exist.
 * Returns 1 right, 0 wrong, -1 when crypt itself failed (out of memory).
 */
int sr_crypt_verify(const char *password, const char *hash);

/*
 * Hash under a crypt(5) setting into `out`.  Returns 0 or -1.
 */
int sr_crypt_hash(const char *password, const char *setting, char *out,
                  size_t size);

/*
 * A new random setting of the system's preferred method at its default cost.
 * Returns 0 or -1.
 */
int sr_crypt_setting(char *out, size_t size);

/*
 * Whether crypt can compute with this hash or setting: not NULL, empty, "*",
 * "!...", nor of a method that this system does not know or has disabled.
 */
bool sr_crypt_is_usable(const char *hash);

/*
 * Whether a text can be the outcome of crypt(3) for any password at all: crypt
 * can compute with it, and it has the length and the characters of its method's
 * hashes.  "NP", "x", "*LK*", a setting without a hash and a truncated hash are
 * not; the first are settings of DES in form.  Computes nothing.
 */
bool sr_crypt_is_hash(const char *text);

/*
 * True when two settings have the same method and cost, whatever their salt.
 * A cost that is written out and the same cost as a default differ.
 */
bool sr_crypt_same_cost(const char *a, const char *b);

#endif
