/*
 * Seal: encrypts the secrets of enrolments, bound to their account.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "policy/reset/seal.h"
#include "policy/util/error.h"
#include "policy/util/io.h"
#include "policy/util/safe_open.h"
#include "policy/util/text.h"

#define CREDENTIAL "selfreset-seal"
#define STORED     "seal"
#define FILE_MAX   4096

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_Static_assert(SR_SEALED_SIZE == NONCE + SR_APP_SECRET +
                                     crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "nonce, text and tag");
_Static_assert(SR_SEAL_KEY == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "the key's size");

/* The key is a hash of what the file has, of any length from 32 bytes on. */
static int
read_key(int fd, const char *path, uint8_t key[SR_SEAL_KEY],
         struct sr_error *error)
{
    uint8_t bytes[FILE_MAX];
    struct stat status;
    ssize_t size = -1;
    int result = -1;

    if (fd < 0)
        sr_error_set(error, SR_ERROR_IDENTITY, "%s: %s", path,
                     sr_strerror(-fd));
    else if (fstat(fd, &status) != 0 ||
             !sr_safe_open_check(&status, S_IFREG, 077))
        sr_error_set(error, SR_ERROR_IDENTITY,
                     "%s must be root's, with mode 0600 or 0400", path);
    else if ((size = sr_read_all(fd, bytes, sizeof(bytes))) < SR_SEAL_KEY ||
             size == sizeof(bytes))
        sr_error_set(error, SR_ERROR_IDENTITY, "%s must have %d to %d bytes",
                     path, SR_SEAL_KEY, FILE_MAX - 1);
    else
        result =
            crypto_generichash(key, SR_SEAL_KEY, bytes, (size_t)size, NULL, 0);
    explicit_bzero(bytes, sizeof(bytes));
    if (fd >= 0)
        close(fd);
    return result;
}

/* The key in the store; another process may make it at the same time. */
static int
stored_key(struct sr_store *store, bool makes, uint8_t key[SR_SEAL_KEY],
           struct sr_error *error)
{
    uint8_t fresh[SR_SEAL_KEY];
    enum sr_store_result result;
    int fd = -1;

    result = sr_store_file(store, SR_STORE_SAVED, STORED, O_RDONLY, &fd, NULL);
    if (result == SR_STORE_NOT_FOUND && makes &&
        getrandom(fresh, sizeof(fresh), 0) == (ssize_t)sizeof(fresh)) {
        sr_store_put(store, SR_STORE_SAVED, STORED, fresh, sizeof(fresh), true,
                     false, NULL);
        result =
            sr_store_file(store, SR_STORE_SAVED, STORED, O_RDONLY, &fd, NULL);
    }
    explicit_bzero(fresh, sizeof(fresh));
    if (result == SR_STORE_OK)
        return read_key(fd, SR_RESET_STATEDIR "/" STORED, key, error);
    sr_error_set(error, SR_ERROR_IDENTITY, "%s: %s",
                 SR_RESET_STATEDIR "/" STORED, sr_store_strerror(result));
    return -1;
}

int
sr_seal_key(struct sr_store *store, const char *file, bool makes,
            uint8_t key[SR_SEAL_KEY], struct sr_error *error)
{
    const char *folder = secure_getenv("CREDENTIALS_DIRECTORY");
    char path[512] = "";

    if (sodium_init() < 0) {
        sr_error_set(error, SR_ERROR_OTHER, "libsodium cannot be used");
        return -1;
    }
    if (folder != NULL)
        sr_text_print(path, sizeof(path), "%s/" CREDENTIAL, folder);
    if (path[0] != '\0' && access(path, F_OK) == 0)
        file = path;
    return file == NULL
               ? stored_key(store, makes, key, error)
               : read_key(sr_safe_open(file, O_RDONLY, NULL), file, key, error);
}

/* What a sealed secret is bound to: "BACKEND\0NAME\0UID". */
static size_t
bind_to(const struct sr_identity *id, char out[SR_NAME_MAX + 48])
{
    return (size_t)sr_text_print(out, SR_NAME_MAX + 48, "%s%c%s%c%lu",
                                 id->backend, 0, id->name, 0,
                                 (unsigned long)id->uid);
}

int
sr_seal(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
        const uint8_t secret[SR_APP_SECRET], uint8_t sealed[SR_SEALED_SIZE])
{
    char bound[SR_NAME_MAX + 48];
    const size_t size = bind_to(id, bound);

    randombytes_buf(sealed, NONCE);
    return crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed + NONCE, NULL, secret, SR_APP_SECRET, (const uint8_t *)bound,
        size, NULL, sealed, key);
}

int
sr_unseal(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
          const uint8_t sealed[SR_SEALED_SIZE], uint8_t secret[SR_APP_SECRET])
{
    char bound[SR_NAME_MAX + 48];
    const size_t size = bind_to(id, bound);

    return crypto_aead_xchacha20poly1305_ietf_decrypt(
        secret, NULL, NULL, sealed + NONCE, SR_SEALED_SIZE - NONCE,
        (const uint8_t *)bound, size, sealed, key);
}
