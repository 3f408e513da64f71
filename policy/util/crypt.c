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
 * A setting that is used for its cost only.  "$y$j9T$" is crypt_gensalt(3)'s
 * default for yescrypt, the preferred method of Debian, Fedora and Arch.
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

/* One hash; NULL also for crypt's failure tokens ("*0", "*1"). */
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
    /* Crypt can refuse a setting that looked usable, which takes no time. */
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
 * Methods (crypt(5)).  The cost is either a field that is always there, one
 * that begins with `optional`, or of a fixed width.
 */
static const struct method {
    const char *prefix;
    size_t hash;          /* characters after the last "$" or "_" */
    size_t width;         /* of a cost without an end of its own */
    bool has_field;       /* a cost follows, up to the next "$" */
    const char *optional; /* only if it begins like this */
} methods[] = {
    {"$y$", 43, 0, true, NULL},      /* yescrypt */
    {"$gy$", 43, 0, true, NULL},     /* gost-yescrypt */
    {"$7$", 43, 11, false, NULL},    /* scrypt: N 1, r 5, p 5 characters */
    {"$2a$", 53, 0, true, NULL},     /* bcrypt: salt 22, hash 31 */
    {"$2b$", 53, 0, true, NULL},     /* bcrypt */
    {"$2x$", 53, 0, true, NULL},     /* bcrypt */
    {"$2y$", 53, 0, true, NULL},     /* bcrypt */
    {"$6$", 86, 0, true, "rounds="}, /* SHA-512 */
    {"$5$", 43, 0, true, "rounds="}, /* SHA-256 */
    {"$sha1$", 28, 0, true, NULL},   /* NetBSD SHA-1 */
    {"$md5", 22, 0, true, NULL},     /* Sun MD5: "$md5,rounds=N$" or "$md5$" */
    {"$1$", 22, 0, false, NULL},     /* MD5 */
    {"$3$", 32, 0, false, NULL},     /* NT */
    {"_", 19, 4, false, NULL},       /* BSDi DES: cost 4, salt 4, hash 11 */
};

static const struct method *
find_method(const char *setting)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strncmp(setting, methods[i].prefix, strlen(methods[i].prefix)) == 0)
            return &methods[i];
    }
    return NULL;
}

/* DES has 13 characters; bigcrypt 11 more for each further 8 of the password,
 * which has 128 at most. */
static bool
is_des_length(size_t length)
{
    return length >= 13 && length <= 178 && (length - 13) % 11 == 0;
}

bool
sr_crypt_is_hash(const char *text)
{
    static const char alphabet[] = "./0123456789abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const struct method *method;
    const char *last;
    size_t length;

    if (!sr_crypt_is_usable(text))
        return false;
    method = find_method(text);
    last = strrchr(text, '$');
    last = last != NULL ? last + 1 : text + (text[0] == '_' ? 1 : 0);
    length = strlen(last);
    if (strspn(last, alphabet) != length)
        return false;
    if (method != NULL)
        return length == method->hash;
    /* Methods of later versions of the library begin with "$", too. */
    return text[0] == '$' ? length > 0 : is_des_length(length);
}

/* The length of method and cost; 0 for DES, which has one cost. */
static size_t
cost_length(const char *setting)
{
    const struct method *method = find_method(setting);
    size_t prefix;
    const char *rest;

    if (method == NULL)
        return 0;
    prefix = strlen(method->prefix);
    rest = setting + prefix;
    if (method->has_field &&
        (method->optional == NULL ||
         strncmp(rest, method->optional, strlen(method->optional)) == 0))
        return prefix + strcspn(rest, "$");
    return prefix + strnlen(rest, method->width);
}

bool
sr_crypt_same_cost(const char *a, const char *b)
{
    size_t size = cost_length(a);

    return size == cost_length(b) && strncmp(a, b, size) == 0;
}
