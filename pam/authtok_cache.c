/*
 * Authtok cache: a password kept in the PAM handle from one call to the next.
 *
 * The password typed at authenticate serves the forced change of the same
 * process.  It is kept in a page of its own, which is left out of core dumps
 * and is empty in a forked child, and masked with random bytes, so that neither
 * a core nor a read out of bounds reveals it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "pam/authtok_cache.h"
#include "policy/decide/rules.h"
#include "policy/util/siphash.h"

#define CACHE_MAGIC 0x5352484cu

struct cached {
    uint32_t magic; /* zero in a forked child */
    uint32_t size;  /* of the password, without its end */
    uint8_t key[16];
    uint64_t user;   /* keyed hash of the name */
    uint64_t secret; /* keyed hash of the stored hash it was proved against */
    uint8_t mask[SR_PASSWORD_BYTES_MAX];
    uint8_t text[SR_PASSWORD_BYTES_MAX];
};

static void
cached_free(struct cached *cached)
{
    if (cached == NULL)
        return;
    explicit_bzero(cached, sizeof(*cached));
    munmap(cached, sizeof(*cached));
}

/* libpam's cleanup.  In a process copy the page is empty already. */
static void
cached_cleanup(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status;
    cached_free(data);
}

static struct cached *
cached_new(void)
{
    struct cached *cached = mmap(NULL, sizeof(*cached), PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (cached == MAP_FAILED)
        return NULL;
    /* Old kernels may not know these; the mask is there all the same. */
    madvise(cached, sizeof(*cached), MADV_DONTDUMP);
    madvise(cached, sizeof(*cached), MADV_WIPEONFORK);
    if (getrandom(cached->key, sizeof(cached->key), 0) !=
            (ssize_t)sizeof(cached->key) ||
        getrandom(cached->mask, sizeof(cached->mask), 0) !=
            (ssize_t)sizeof(cached->mask)) {
        cached_free(cached);
        return NULL;
    }
    return cached;
}

int
sr_authtok_cache_put(pam_handle_t *pamh, const char *name, const char *user,
                     const char *secret, const char *password)
{
    size_t size = strlen(password);
    struct cached *cached;
    int code;

    if (size > SR_PASSWORD_BYTES_MAX)
        return PAM_BUF_ERR;
    cached = cached_new();
    if (cached == NULL)
        return PAM_BUF_ERR;
    cached->magic = CACHE_MAGIC;
    cached->size = (uint32_t)size;
    cached->user = sr_siphash(cached->key, user, strlen(user));
    cached->secret = sr_siphash(cached->key, secret, strlen(secret));
    for (size_t i = 0; i < size; i++)
        cached->text[i] = (uint8_t)password[i] ^ cached->mask[i];
    code = pam_set_data(pamh, name, cached, cached_cleanup);
    if (code != PAM_SUCCESS)
        cached_free(cached);
    return code;
}

char *
sr_authtok_cache_get(pam_handle_t *pamh, const char *name, const char *user,
                     const char *secret)
{
    const void *data = NULL;
    const struct cached *cached;
    char *password;

    if (pam_get_data(pamh, name, &data) != PAM_SUCCESS || data == NULL)
        return NULL;
    cached = data;
    if (cached->magic != CACHE_MAGIC ||
        cached->user != sr_siphash(cached->key, user, strlen(user)))
        return NULL;
    if (secret != NULL &&
        cached->secret != sr_siphash(cached->key, secret, strlen(secret)))
        return NULL;
    password = calloc(1, cached->size + 1u);
    for (size_t i = 0; password != NULL && i < cached->size; i++)
        password[i] = (char)(cached->text[i] ^ cached->mask[i]);
    return password;
}

void
sr_authtok_cache_drop(pam_handle_t *pamh, const char *name)
{
    const void *data = NULL;

    if (pam_get_data(pamh, name, &data) == PAM_SUCCESS && data != NULL)
        pam_set_data(pamh, name, NULL, NULL);
}
