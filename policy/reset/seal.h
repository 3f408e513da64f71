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

#include "policy/reset/enrolment.h"
#include "policy/util/error.h"

#define SR_SEAL_KEY 32

/*
 * Read the key.  `file` is reset.seal_file or NULL; with `makes` the one in the
 * store is made.  Returns 0, or -1 and `error` says why.  Wipe the key.
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

#endif
