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

/* The costliest hash that is computed, milliseconds by sr_crypt_estimate(). */
#define SR_CRYPT_MS_MAX 8000

/*
 * Whether `password` hashes to `hash`: one crypt_r(3), compared in constant
 * time.  A hash that no password can have ("*", "!...", empty, unknown method)
 * is never right, nor is one that is too costly, and costs one hash of the
 * system's preferred method all the same.  So does NULL, for names that do not
 * exist.
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
 * How long crypt takes for this hash or setting, by the cost that is written in
 * it: milliseconds on one core of an ordinary computer of 2020, rounded down.
 * Nothing is computed.  0 for what has a low cost that is fixed (MD5, DES, NT),
 * and for what crypt refuses.
 */
unsigned sr_crypt_estimate(const char *setting);

/*
 * Whether crypt can compute with this hash or setting in the time of a login:
 * not NULL, empty, "*", "!...", nor of a method that this system does not know
 * or has disabled, nor of a cost above SR_CRYPT_MS_MAX.
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
