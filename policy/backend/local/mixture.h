/*
 * Mixture: whether the local hashes differ in what they cost.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LOCAL_MIXTURE_H
#define SR_POLICY_BACKEND_LOCAL_MIXTURE_H

#include <stdbool.h>

/*
 * Whether an account of the file `shadow` (NULL: /etc/shadow) has a hash of
 * another method or cost than the one that is computed for a name that does not
 * exist (sr_crypt_verify() without a hash).  Reads the file; a file that cannot
 * be read is taken for a mixture.  *costliest is what the costliest of these
 * hashes takes (sr_crypt_estimate()), milliseconds; 0 where it is not known.
 */
bool sr_local_is_mixture(const char *shadow, unsigned *costliest);

#endif
