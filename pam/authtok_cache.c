/*
 * Held: a password kept in the PAM handle from one call to the next.
 *
 * DESIGN wants the password typed at authenticate for the forced change of the
 * same process.  It lies in a page of its own that is left out of core dumps
 * and is empty in a forked child, and there under a random mask, so that
 * neither a core nor a stray read shows it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "pam/internal.h"
#include "policy/util/siphash.h"

#define HELD_MAGIC 0x5352484cu

struct held {
    uint32_t magic; /* zero in a forked child */
    uint32_t size;  /* of the password, without its end */
    uint8_t key[16];
    uint64_t user;   /* keyed hash of the name */
    uint64_t secret; /* keyed hash of the stored hash it was proved against */
    uint8_t mask[SR_PASSWORD_BYTES_MAX];
    uint8_t text[SR_PASSWORD_BYTES_MAX];
};

static void
held_free(struct held *held)
{
    if (held == NULL)
        return;
    explicit_bzero(held, sizeof(*held));
    munmap(held, sizeof(*held));
}

/* libpam's cleanup.  In a process copy the page is empty already. */
static void
held_cleanup(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status;
    held_free(data);
}

static struct held *
held_new(void)
{
    struct held *held = mmap(NULL, sizeof(*held), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (held == MAP_FAILED)
        return NULL;
    /* Old kernels may not know these; the mask is there all the same. */
    madvise(held, sizeof(*held), MADV_DONTDUMP);
    madvise(held, sizeof(*held), MADV_WIPEONFORK);
    if (getrandom(held->key, sizeof(held->key), 0) !=
            (ssize_t)sizeof(held->key) ||
        getrandom(held->mask, sizeof(held->mask), 0) !=
            (ssize_t)sizeof(held->mask)) {
        held_free(held);
        return NULL;
    }
    return held;
}

int
sr_authtok_cache_put(pam_handle_t *pamh, const char *name, const char *user,
                     const char *secret, const char *password)
{
    size_t size = strlen(password);
    struct held *held;
    int code;

    if (size > SR_PASSWORD_BYTES_MAX)
        return PAM_BUF_ERR;
    held = held_new();
    if (held == NULL)
        return PAM_BUF_ERR;
    held->magic = HELD_MAGIC;
    held->size = (uint32_t)size;
    held->user = sr_siphash(held->key, user, strlen(user));
    held->secret = sr_siphash(held->key, secret, strlen(secret));
    for (size_t i = 0; i < size; i++)
        held->text[i] = (uint8_t)password[i] ^ held->mask[i];
    code = pam_set_data(pamh, name, held, held_cleanup);
    if (code != PAM_SUCCESS)
        held_free(held);
    return code;
}

char *
sr_authtok_cache_get(pam_handle_t *pamh, const char *name, const char *user,
                     const char *secret)
{
    const void *data = NULL;
    const struct held *held;
    char *password;

    if (pam_get_data(pamh, name, &data) != PAM_SUCCESS || data == NULL)
        return NULL;
    held = data;
    if (held->magic != HELD_MAGIC ||
        held->user != sr_siphash(held->key, user, strlen(user)))
        return NULL;
    if (secret != NULL &&
        held->secret != sr_siphash(held->key, secret, strlen(secret)))
        return NULL;
    password = calloc(1, held->size + 1u);
    for (size_t i = 0; password != NULL && i < held->size; i++)
        password[i] = (char)(held->text[i] ^ held->mask[i]);
    return password;
}

void
sr_authtok_cache_drop(pam_handle_t *pamh, const char *name)
{
    const void *data = NULL;

    if (pam_get_data(pamh, name, &data) == PAM_SUCCESS && data != NULL)
        pam_set_data(pamh, name, NULL, NULL);
}
