/*
 * SipHash: the keyed hash that finds damage, chooses files, and keeps what is
 * hashed from being guessed by who does not know the key.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_SIPHASH_H
#define SR_POLICY_UTIL_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 (Aumasson and Bernstein, 2012) of bytes under a 16-byte key.
 * Pure. */
uint64_t sr_siphash(const uint8_t key[16], const void *bytes, size_t size);

#endif
