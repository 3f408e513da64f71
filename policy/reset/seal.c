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
_Static_assert(SR_SEAL_EXTRA ==
                   NONCE + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "nonce and tag");
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

    result = store == NULL ? SR_STORE_NOT_FOUND
                           : sr_store_file(store, SR_STORE_SAVED, STORED,
                                           O_RDONLY, &fd, NULL);
    if (result == SR_STORE_NOT_FOUND && store != NULL && makes &&
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

/* What a sealed text is bound to: "BACKEND\0NAME\0UID", and what it is. */
#define BOUND_SIZE (SR_NAME_MAX + 64)

static size_t
bind_to(const struct sr_identity *id, const char *what, char out[BOUND_SIZE])
{
    return (size_t)sr_text_print(out, BOUND_SIZE, "%s%c%s%c%lu%s", id->backend,
                                 0, id->name, 0, (unsigned long)id->uid, what);
}

static int
seal(const uint8_t *key, const struct sr_identity *id, const char *what,
     const void *text, size_t size, uint8_t *sealed)
{
    char bound[BOUND_SIZE];
    const size_t bound_size = bind_to(id, what, bound);

    randombytes_buf(sealed, NONCE);
    return crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed + NONCE, NULL, text, size, (const uint8_t *)bound, bound_size,
        NULL, sealed, key);
}

static int
unseal(const uint8_t *key, const struct sr_identity *id, const char *what,
       const uint8_t *sealed, size_t size, void *text)
{
    char bound[BOUND_SIZE];
    const size_t bound_size = bind_to(id, what, bound);

    return size < SR_SEAL_EXTRA
               ? -1
               : crypto_aead_xchacha20poly1305_ietf_decrypt(
                     text, NULL, NULL, sealed + NONCE, size - NONCE,
                     (const uint8_t *)bound, bound_size, sealed, key);
}

int
sr_seal(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
        const uint8_t secret[SR_APP_SECRET], uint8_t sealed[SR_SEALED_SIZE])
{
    return seal(key, id, "", secret, SR_APP_SECRET, sealed);
}

int
sr_unseal(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
          const uint8_t sealed[SR_SEALED_SIZE], uint8_t secret[SR_APP_SECRET])
{
    return unseal(key, id, "", sealed, SR_SEALED_SIZE, secret);
}

int
sr_seal_image(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
              const void *image, size_t size, uint8_t *sealed)
{
    return seal(key, id, " enrolment", image, size, sealed);
}

int
sr_unseal_image(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
                const uint8_t *sealed, size_t size, void *image)
{
    return unseal(key, id, " enrolment", sealed, size, image);
}

int
sr_seal_name(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
             uint8_t *hash, size_t size)
{
    char bound[BOUND_SIZE];
    const size_t bound_size = bind_to(id, " name", bound);

    return crypto_generichash(hash, size, (const uint8_t *)bound, bound_size,
                              key, SR_SEAL_KEY);
}
