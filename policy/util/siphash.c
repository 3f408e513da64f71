/*
 * SipHash: the keyed hash.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/util/bytes.h"
#include "policy/util/siphash.h"

static uint64_t
rotate(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

/* The state is four words by value and not an array, so that compilers keep it
 * in registers: a lookup spends most of its own time here. */
struct state {
    uint64_t a, b, c, d;
};

static inline struct state
sip_round(struct state v)
{
    v.a += v.b;
    v.b = rotate(v.b, 13) ^ v.a;
    v.a = rotate(v.a, 32);
    v.c += v.d;
    v.d = rotate(v.d, 16) ^ v.c;
    v.a += v.d;
    v.d = rotate(v.d, 21) ^ v.a;
    v.c += v.b;
    v.b = rotate(v.b, 17) ^ v.c;
    v.c = rotate(v.c, 32);
    return v;
}

static inline struct state
sip_absorb(struct state v, uint64_t word)
{
    v.d ^= word;
    v = sip_round(sip_round(v));
    v.a ^= word;
    return v;
}

uint64_t
sr_siphash(const uint8_t key[16], const void *bytes, size_t size)
{
    const uint64_t k0 = sr_get64(key), k1 = sr_get64(key + 8);
    struct state v = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
                      k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
    const uint8_t *at = bytes;
    uint8_t tail[8] = {0};
    size_t left = size;

    for (; left >= 8; left -= 8, at += 8)
        v = sip_absorb(v, sr_get64(at));
    if (left > 0)
        memcpy(tail, at, left);
    tail[7] = (uint8_t)size;
    v = sip_absorb(v, sr_get64(tail));
    v.c ^= 0xff;
    for (int i = 0; i < 4; i++)
        v = sip_round(v);
    return v.a ^ v.b ^ v.c ^ v.d;
}
