/*
 * Seal: encrypts the secrets of enrolments, bound to their account, by a key of
 * this host.
 *
 * XChaCha20-Poly1305 of libsodium.  The key is the credential "selfreset-seal"
 * that systemd passes (which it can bind to the TPM), else reset.seal_file,
 * else "seal" in the store of self-service reset, which is made when there is
 * none.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_SEAL_H
#define SR_POLICY_RESET_SEAL_H

#include "policy/decide/identity.h"
#include "policy/store/store.h"
#include "policy/util/error.h"

/* The store of self-service reset, as sr_store_open() and sr_attempt_begin()
 * take it. */
#define SR_RESET_STATEDIR SR_STATEDIR "/reset"
#define SR_RESET_RUNDIR   SR_RUNDIR "/reset"

#define SR_SEAL_KEY    32
#define SR_APP_SECRET  20 /* bytes, RFC 4226 section 4, R6 */
#define SR_SEAL_EXTRA  40 /* what a text is longer by when it is sealed */
#define SR_SEALED_SIZE (SR_APP_SECRET + SR_SEAL_EXTRA)

/*
 * Read the key; a store of NULL has none.  `file` is reset.seal_file or NULL;
 * with `makes` the one in the store is made.  Returns 0, or -1 and `error` says
 * why.  Wipe the key.
 */
int sr_seal_key(struct sr_store *store, const char *file, bool makes,
                uint8_t key[SR_SEAL_KEY], struct sr_error *error);

/* Seal the secret of an account's app.  Returns 0 or -1. */
int sr_seal(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
            const uint8_t secret[SR_APP_SECRET],
            uint8_t sealed[SR_SEALED_SIZE]);

/* The contrary; -1: another key, another account, or changed. */
int sr_unseal(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
              const uint8_t sealed[SR_SEALED_SIZE],
              uint8_t secret[SR_APP_SECRET]);

/*
 * The same for what a directory keeps of an account: an image of `size` bytes,
 * and back from `size` bytes with SR_SEAL_EXTRA of them.
 */
int sr_seal_image(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
                  const void *image, size_t size, uint8_t *sealed);
int sr_unseal_image(const uint8_t key[SR_SEAL_KEY],
                    const struct sr_identity *id, const uint8_t *sealed,
                    size_t size, void *image);

/* A hash of the account under the key, of 16 to 64 bytes: a name by which the
 * key's owners find it, and others do not know it.  Returns 0 or -1. */
int sr_seal_name(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
                 uint8_t *hash, size_t size);

#endif
