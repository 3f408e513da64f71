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
    return check != CRYPT_SALT_INVALID && check != CRYPT_SALT_METHOD_DISABLED &&
           sr_crypt_estimate(hash) <= SR_CRYPT_MS_MAX;
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
    /* Crypt can refuse a setting that looked usable, which takes no time.  The
     * decoy fails for want of memory only. */
    computed = compute(password, decoy(buffer, sizeof(buffer)), data);
    return computed != NULL ? 0 : -1;
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

/* ---- methods and costs */

/* crypt's base 64. */
static const char alphabet[] = "./0123456789"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz";

/* The product, or the largest number. */
static uint64_t
times(uint64_t a, uint64_t b)
{
    uint64_t product;

    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t
power_of_two(uint64_t exponent)
{
    return exponent < 64 ? (uint64_t)1 << exponent : UINT64_MAX;
}

/* The units that a cost counts, each of which takes the same time.  0: crypt
 * refuses the cost. */

static uint64_t
count_decimal(const char *cost)
{
    return strtoull(cost, NULL, 10);
}

static uint64_t
count_log(const char *cost)
{
    return power_of_two(count_decimal(cost));
}

/* SHA-crypt: 5000 where nothing is written. */
static uint64_t
count_rounds(const char *cost)
{
    const size_t size = strlen("rounds=");

    return strncmp(cost, "rounds=", size) == 0 ? count_decimal(cost + size)
                                               : 5000;
}

/* Sun MD5 adds 4096 to what is written. */
static uint64_t
count_sun(const char *cost)
{
    const size_t size = strlen(",rounds=");

    return 4096 + (strncmp(cost, ",rounds=", size) == 0
                       ? count_decimal(cost + size)
                       : 0);
}

/* `size` letters, the lowest six bits first; false: not all are letters. */
static bool
read_letters(const char **cost, size_t size, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < size; i++, ++*cost) {
        const char *at = **cost == '\0' ? NULL : strchr(alphabet, **cost);

        if (at == NULL)
            return false;
        *number |= (uint64_t)(at - alphabet) << (6 * i);
    }
    return true;
}

static uint64_t
count_bsdi(const char *cost)
{
    uint64_t count;

    return read_letters(&cost, 4, &count) ? count : 0;
}

/* The logarithm of N, r and p; each block of r is mixed twice. */
static uint64_t
count_scrypt(const char *cost)
{
    uint64_t log, r, p;

    if (!read_letters(&cost, 1, &log) || !read_letters(&cost, 5, &r) ||
        !read_letters(&cost, 5, &p))
        return 0;
    return times(times(power_of_two(log), r), p);
}

/*
 * A number of yescrypt's, `least` at least.  The first letter has the number of
 * those that follow, the highest six bits first, and what remains of itself.
 */
static bool
read_number(const char **cost, uint64_t least, uint64_t *number)
{
    static const struct {
        uint64_t letter, base; /* the first of this length, and its number */
    } lengths[] = {{0, 0},      {48, 48},     {56, 560},
                   {60, 16944}, {62, 541232}, {63, 17318448}};
    uint64_t first, next;
    size_t more = 0;

    if (!read_letters(cost, 1, &first))
        return false;
    while (more + 1 < sizeof(lengths) / sizeof(lengths[0]) &&
           lengths[more + 1].letter <= first)
        more++;
    *number = first - lengths[more].letter;
    for (size_t i = 0; i < more; i++) {
        if (!read_letters(cost, 1, &next))
            return false;
        *number = *number << 6 | next;
    }
    *number += lengths[more].base + least;
    return true;
}

/*
 * Flavour, the logarithm of N, r, and where a set of bits follows, those of p
 * and t (time) that are not as usual; the others do not count here.
 */
static uint64_t
count_yescrypt(const char *cost)
{
    uint64_t flavour, log, r, set = 0, p = 1, t = 0;

    if (!read_number(&cost, 0, &flavour) || !read_number(&cost, 1, &log) ||
        !read_number(&cost, 1, &r))
        return 0;
    if (*cost != '$' && *cost != '\0' && !read_number(&cost, 1, &set))
        return 0;
    if (((set & 1) != 0 && !read_number(&cost, 2, &p)) ||
        ((set & 2) != 0 && !read_number(&cost, 1, &t)))
        return 0;
    return times(times(power_of_two(log), r), times(p, t + 1));
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
    uint64_t (*count)(const char *cost); /* NULL: it is fixed and low */
    uint64_t ns;                         /* for one unit */
} methods[] = {
    {"$y$", 43, 0, true, NULL, count_yescrypt, 300},  /* yescrypt */
    {"$gy$", 43, 0, true, NULL, count_yescrypt, 300}, /* gost-yescrypt */
    {"$7$", 43, 11, false, NULL, count_scrypt, 300},  /* scrypt */
    /* bcrypt: salt 22, hash 31 */
    {"$2a$", 53, 0, true, NULL, count_log, 62500},
    {"$2b$", 53, 0, true, NULL, count_log, 62500},
    {"$2x$", 53, 0, true, NULL, count_log, 62500},
    {"$2y$", 53, 0, true, NULL, count_log, 62500},
    {"$6$", 86, 0, true, "rounds=", count_rounds, 430}, /* SHA-512 */
    {"$5$", 43, 0, true, "rounds=", count_rounds, 335}, /* SHA-256 */
    {"$sha1$", 28, 0, true, NULL, count_decimal, 1000}, /* NetBSD SHA-1 */
    /* Sun MD5: "$md5,rounds=N$" or "$md5$" */
    {"$md5", 22, 0, true, NULL, count_sun, 1600},
    {"$1$", 22, 0, false, NULL, NULL, 0},       /* MD5 */
    {"$3$", 32, 0, false, NULL, NULL, 0},       /* NT */
    {"_", 19, 4, false, NULL, count_bsdi, 160}, /* BSDi DES: salt 4, hash 11 */
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

unsigned
sr_crypt_estimate(const char *setting)
{
    const struct method *method = find_method(setting);
    uint64_t ms;

    if (method == NULL || method->count == NULL)
        return 0;
    ms = times(method->count(setting + strlen(method->prefix)), method->ns) /
         1000000;
    return ms < UINT32_MAX ? (unsigned)ms : UINT32_MAX;
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
