/*
 * Count crypt: crypt_r(3) and crypt_gensalt_rn(3) in place of the library's,
 * to count hashes and to choose the system's preferred method.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TESTS_COUNT_CRYPT_H
#define SR_TESTS_COUNT_CRYPT_H

/* How many hashes were computed; failed calls do no work and do not count. */
extern unsigned crypt_count;

/* The preferred method and its cost, as crypt_gensalt(3) takes them; NULL and
 * 0: the library's own. */
extern const char *preferred_method;
extern unsigned long preferred_cost;

#endif
