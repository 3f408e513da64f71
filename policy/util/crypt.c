/*
 * Crypt: hash and compare, with every intermediate wiped.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "policy/util/crypt.h"

/*
 * A setting whose only use is its cost.  "$y$j9T$" is what crypt_gensalt(3)
 * gives for yescrypt at its default cost, which Debian, Fedora and Arch use.
 */
#define DECOY_FALLBACK "$y$j9T$SelfresetDecoySalt0000."

/* crypt_data holds the password's hash state: 32 KiB, so not on the stack. */
static struct crypt_data *
crypt_data_new(void)
{
    return calloc(1, sizeof(struct crypt_data));
}

static void
crypt_data_free(struct crypt_data **data)
{
    if (*data != NULL)
        explicit_bzero(*data, sizeof(**data));
    free(*data);
}

int
sr_crypt_setting(char *out, size_t size)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    int status = -1;

    /* NULL prefix: the system's preferred method; NULL bytes: getrandom(2). */
    if (crypt_gensalt_rn(NULL, 0, NULL, 0, setting, sizeof(setting)) != NULL &&
        strlen(setting) < size) {
        memcpy(out, setting, strlen(setting) + 1);
        status = 0;
    }
    explicit_bzero(setting, sizeof(setting));
    return status;
}

/* Equal in a time that depends on the lengths only. */
static bool
equal(const char *a, const char *b)
{
    size_t size = strlen(a);
    volatile unsigned char differ = size == strlen(b) ? 0 : 1;

    if (differ == 0) {
        for (size_t i = 0; i < size; i++)
            differ |= (unsigned char)(a[i] ^ b[i]);
    }
    return differ == 0;
}

bool
sr_crypt_is_usable(const char *hash)
{
    int check;

    if (hash == NULL || hash[0] == '\0')
        return false;
    check = crypt_checksalt(hash);
    return check != CRYPT_SALT_INVALID && check != CRYPT_SALT_METHOD_DISABLED;
}

/* A decoy setting of the preferred method; a random salt costs nothing. */
static const char *
decoy(char *buffer, size_t size)
{
    return sr_crypt_setting(buffer, size) == 0 ? buffer : DECOY_FALLBACK;
}

/* One hash.  NULL for crypt's failure tokens ("*0", "*1") too, which are never
 * a password's hash. */
static const char *
compute(const char *password, const char *setting, struct crypt_data *data)
{
    const char *computed = crypt_r(password, setting, data);

    return computed == NULL || computed[0] == '*' ? NULL : computed;
}

int
sr_crypt_verify(const char *password, const char *hash)
{
    __attribute__((cleanup(crypt_data_free))) struct crypt_data *data =
        crypt_data_new();
    char buffer[CRYPT_GENSALT_OUTPUT_SIZE];
    const char *computed = NULL;

    if (data == NULL)
        return -1;
    if (sr_crypt_is_usable(hash))
        computed = compute(password, hash, data);
    if (computed != NULL)
        return equal(computed, hash) ? 1 : 0;
    /* Also for a hash that looked usable and is not: that took no time. */
    (void)compute(password, decoy(buffer, sizeof(buffer)), data);
    return 0;
}

int
sr_crypt_hash(const char *password, const char *setting, char *out, size_t size)
{
    __attribute__((cleanup(crypt_data_free))) struct crypt_data *data =
        crypt_data_new();
    const char *computed;

    if (data == NULL)
        return -1;
    computed = compute(password, setting, data);
    if (computed == NULL || strlen(computed) >= size)
        return -1;
    memcpy(out, computed, strlen(computed) + 1);
    return 0;
}

/*
 * Where the salt begins, by method (crypt(5)).  The cost is either a field that
 * is always there, one that is marked by "rounds=", or of a fixed width.
 */
static const struct method {
    const char *prefix;
    size_t width;         /* of a cost without an end of its own */
    bool has_field;       /* a cost follows, up to the next "$" */
    const char *optional; /* only if it begins like this */
} methods[] = {
    {"$y$", 0, true, NULL},      /* yescrypt */
    {"$gy$", 0, true, NULL},     /* gost-yescrypt */
    {"$7$", 11, false, NULL},    /* scrypt: N 1, r 5, p 5 characters */
    {"$2a$", 0, true, NULL},     /* bcrypt */
    {"$2b$", 0, true, NULL},     /* bcrypt */
    {"$2x$", 0, true, NULL},     /* bcrypt */
    {"$2y$", 0, true, NULL},     /* bcrypt */
    {"$6$", 0, true, "rounds="}, /* SHA-512 */
    {"$5$", 0, true, "rounds="}, /* SHA-256 */
    {"$sha1$", 0, true, NULL},   /* NetBSD SHA-1 */
    {"$md5", 0, true, NULL},     /* Sun MD5: "$md5,rounds=N$" or "$md5$" */
    {"$1$", 0, false, NULL},     /* MD5 */
    {"$3$", 0, false, NULL},     /* NT */
    {"_", 4, false, NULL},       /* BSDi DES */
};

/* The length of method and cost; 0 for DES, which has one cost. */
static size_t
cost_length(const char *setting)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        const struct method *method = &methods[i];
        const size_t prefix = strlen(method->prefix);
        const char *rest = setting + prefix;

        if (strncmp(setting, method->prefix, prefix) != 0)
            continue;
        if (method->has_field &&
            (method->optional == NULL ||
             strncmp(rest, method->optional, strlen(method->optional)) == 0))
            return prefix + strcspn(rest, "$");
        return prefix + strnlen(rest, method->width);
    }
    return 0;
}

bool
sr_crypt_same_cost(const char *a, const char *b)
{
    size_t size = cost_length(a);

    return size == cost_length(b) && strncmp(a, b, size) == 0;
}
