/*
 * SipHash: the keyed hash.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/bytes.h"
#include "policy/siphash.h"

/* The four words stay in registers only where all of it is one function; each
 * lookup of the NSS door hashes a bucket. */
#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t
rotate(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

INLINE void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

INLINE void
sip_absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

uint64_t
sr_siphash(const uint8_t key[16], const void *bytes, size_t size)
{
    const uint64_t k0 = sr_get64(key), k1 = sr_get64(key + 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
                     k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
    const uint8_t *at = bytes;
    uint8_t tail[8] = {0};
    size_t left = size;

    for (; left >= 8; left -= 8, at += 8)
        sip_absorb(v, sr_get64(at));
    if (left > 0)
        memcpy(tail, at, left);
    tail[7] = (uint8_t)size;
    sip_absorb(v, sr_get64(tail));
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
