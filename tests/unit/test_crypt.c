/*
 * Test of crypt: published hashes, hashes that no password can have, costs,
 * and SipHash.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <crypt.h>
#include <string.h>

#include "count_crypt.h"
#include "policy/util/crypt.h"
#include "policy/util/siphash.h"

/* The first of each method is published with it (SHA-crypt's specification,
 * bcrypt's and scrypt's test vectors), or made by another implementation. */
static const struct vector {
    const char *password, *hash;
} vectors[] = {
    {"Hello world!", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3"
                     "uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"},
    {"Hello world!",
     "$6$rounds=5000$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
     "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"},
    {"Hello world!",
     "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
    {"Hello world!", "$1$abcdefgh$fzmjzFdo5nMtBG8gtud5e0"},
    {"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
    {"U*U*U*U*", "CCNf8Sbh3HDfQ"},
    {"pleaseletmein", "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf"
                      "9YDtcDdKvEqHJLV8D"},
    {"pleaseletmein",
     "$y$j9T$abcdefgh$pdYUsK9IwPRnxRYSjL5jadiBBbvZu1EqU08XI1GYfv6"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        crypt_count = 0;
        if (sr_crypt_verify(vectors[i].password, vectors[i].hash) != 1)
            fail_msg("%s: the right password is refused", vectors[i].hash);
        assert_int_equal(sr_crypt_verify("hello world!", vectors[i].hash), 0);
        assert_int_equal(crypt_count, 2);
    }
}

/* One changed character anywhere, one more, one less. */
static void
test_near_hashes(void **state)
{
    const char *hash = vectors[3].hash;
    char near[64];

    (void)state;
    for (size_t i = strlen("$1$abcdefgh$"); i < strlen(hash); i++) {
        strcpy(near, hash);
        near[i] = near[i] == 'x' ? 'y' : 'x';
        assert_int_equal(sr_crypt_verify(vectors[3].password, near), 0);
        strcpy(near, hash);
        near[i] = '\0';
        assert_int_equal(sr_crypt_verify(vectors[3].password, near), 0);
    }
    strcat(strcpy(near, hash), "x");
    assert_int_equal(sr_crypt_verify(vectors[3].password, near), 0);
}

/* All of these cost one hash, so that time does not tell them apart. */
static void
test_impossible(void **state)
{
    static const char *const hashes[] = {
        NULL,
        "",
        "*",
        "!",
        "!!",
        "*LK*",
        "*0",
        "*1",
        "x",
        "!CCNf8Sbh3HDfQ",
        "!$1$abcdefgh$fzmjzFdo5nMtBG8gtud5e0",
        "$99$unknown$method",
        "$6$bad:salt$",
        /* looks right, and crypt refuses its parameters */
        "$y$j75$saltstring000$pdYUsK9IwPRnxRYSjL5jadiBBbvZu1EqU08XI1GYfv6",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(hashes); i++) {
        crypt_count = 0;
        assert_int_equal(sr_crypt_verify("U*U*U*U*", hashes[i]), 0);
        if (crypt_count != 1)
            fail_msg("%s: %u hashes", hashes[i], crypt_count);
        assert_int_equal(sr_crypt_verify("", hashes[i]), 0);
    }
    assert_false(sr_crypt_is_usable(NULL));
    assert_false(sr_crypt_is_usable("!CCNf8Sbh3HDfQ"));
    assert_true(sr_crypt_is_usable("CCNf8Sbh3HDfQ"));
}

/* What shadow(5) fields of accounts without a usable password look like. */
static void
test_is_hash(void **state)
{
    static const char *const never[] = {
        NULL,
        "",
        "NP",
        "*LK*",
        "!",
        "!!",
        "*",
        "x",
        "xx",
        "*NP*",
        "LK",
        "LOCKED",
        "NOLOGIN",
        "UP",
        "*0",
        "*1",
        "!*",
        "nologin",
        "**********",
        "--",
        "..",
        "!CCNf8Sbh3HDfQ",
        "CCNf8Sbh3HDf",
        "CCNf8Sbh3HDfQx",
        "CCNf8Sbh3HDf!",
        "$6$",
        "$6$salt",
        "$6$salt$",
        "$y$j9T$salt",
        "$y$j9T$salt$",
        "$1$abcdefgh$fzmjzFdo5nMtBG8gtud5e",
        "$1$abcdefgh$",
        "$1$abcdefgh$fzmjzFdo5nMtBG8gtud5e0x",
        "$1$abcdefgh$fzmjzFdo5nMtBG8gtud5e*",
        "$99$unknown$method",
        "$",
        "$$",
        "_J9..CCCC",
        "{SSHA}abc",
        "*K*",
        "password",
        "NP NP",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(never); i++) {
        if (sr_crypt_is_hash(never[i]))
            fail_msg("%s", never[i]);
    }
    for (size_t i = 0; i < COUNT(vectors); i++) {
        if (!sr_crypt_is_hash(vectors[i].hash))
            fail_msg("%s", vectors[i].hash);
    }
}

/* Of every method that this system has, the outcome is one. */
static void
test_is_hash_of_methods(void **state)
{
    static const char *const prefix[] = {
        "$y$", "$gy$",   "$7$",  "$2b$", "$2y$", "$2a$", "$6$",
        "$5$", "$sha1$", "$md5", "$1$",  "$3$",  "_",    "",
    };
    unsigned tried = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(prefix); i++) {
        char setting[CRYPT_GENSALT_OUTPUT_SIZE], hash[CRYPT_OUTPUT_SIZE];
        unsigned long cost = strcmp(prefix[i], "$7$") == 0 ? 6 : 0;

        if (crypt_gensalt_rn(prefix[i], cost, NULL, 0, setting,
                             sizeof(setting)) == NULL)
            continue;
        tried++;
        assert_int_equal(sr_crypt_hash("a password of many characters", setting,
                                       hash, sizeof(hash)),
                         0);
        if (!sr_crypt_is_hash(hash) || sr_crypt_is_hash(setting))
            fail_msg("%s, %s", hash, setting);
        hash[strlen(hash) - 1] = '\0';
        if (sr_crypt_is_hash(hash))
            fail_msg("%s", hash);
    }
    assert_in_range(tried, 8, COUNT(prefix));
}

static void
test_hash(void **state)
{
    char hash[CRYPT_OUTPUT_SIZE];
    const size_t size = strlen(vectors[3].hash);

    (void)state;
    assert_int_equal(
        sr_crypt_hash(vectors[3].password, "$1$abcdefgh", hash, sizeof(hash)),
        0);
    assert_string_equal(hash, vectors[3].hash);
    assert_int_equal(
        sr_crypt_hash(vectors[3].password, "$1$abcdefgh", hash, size + 1), 0);
    assert_int_equal(
        sr_crypt_hash(vectors[3].password, "$1$abcdefgh", hash, size), -1);
    assert_int_equal(sr_crypt_hash("x", "!", hash, sizeof(hash)), -1);
}

static void
test_setting(void **state)
{
    char one[CRYPT_GENSALT_OUTPUT_SIZE], other[CRYPT_GENSALT_OUTPUT_SIZE];

    (void)state;
    assert_int_equal(sr_crypt_setting(one, sizeof(one)), 0);
    assert_int_equal(sr_crypt_setting(other, sizeof(other)), 0);
    assert_string_not_equal(one, other);
    assert_true(sr_crypt_same_cost(one, other));
    assert_true(sr_crypt_is_usable(one));
    assert_int_equal(sr_crypt_setting(other, strlen(one)), -1);
}

static void
test_same_cost(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } cases[] = {
        {"$y$j9T$one", "$y$j9T$other$hash", true},
        {"$y$j9T$salt", "$y$j8T$salt", false},
        {"$y$j9T$salt", "$gy$j9T$salt", false},
        {"$gy$j9T$one", "$gy$j9T$other", true},
        {"$7$CU..../....one", "$7$CU..../....other", true},
        {"$7$CU..../....salt", "$7$DU..../....salt", false},
        {"$7$CU..../....salt", "$7$CU..../..../salt", true},
        {"$2b$05$CCCCCCCCCCCCCCCCCCCCC.", "$2b$05$DCCCCCCCCCCCCCCCCCCCC.",
         true},
        {"$2b$05$CCCCCCCCCCCCCCCCCCCCC.", "$2b$06$CCCCCCCCCCCCCCCCCCCCC.",
         false},
        {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.",
         false},
        {"$6$one", "$6$other$hash", true},
        {"$6$salt", "$5$salt", false},
        {"$6$rounds=5000$one", "$6$rounds=5000$other", true},
        {"$6$rounds=5000$salt", "$6$rounds=50000$salt", false},
        {"$6$rounds=5000$salt", "$6$salt", false},
        {"$5$rounds=5000$one", "$5$rounds=5000$other", true},
        {"$sha1$24680$one", "$sha1$24680$other", true},
        {"$sha1$24680$salt", "$sha1$12345$salt", false},
        {"$md5,rounds=900$one", "$md5,rounds=900$other", true},
        {"$md5,rounds=900$salt", "$md5,rounds=901$salt", false},
        {"$md5$salt", "$md5,rounds=900$salt", false},
        {"$1$one", "$1$other", true},
        {"$1$salt", "$3$salt", false},
        {"_J9..CCCC", "_J9..DDDD", true},
        {"_J9..CCCC", "_K9..CCCC", false},
        {"CC", "DDNf8Sbh3HDfQ", true},
        {"CC", "_J9..CCCC", false},
        {"CC", "$1$salt", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (sr_crypt_same_cost(cases[i].one, cases[i].other) != cases[i].same ||
            sr_crypt_same_cost(cases[i].other, cases[i].one) != cases[i].same)
            fail_msg("%s and %s", cases[i].one, cases[i].other);
    }
}

/* From the paper (15 bytes) and its reference implementation. */
static void
test_siphash(void **state)
{
    static const struct {
        size_t size;
        uint64_t hash;
    } cases[] = {
        {0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd},
        {2, 0x0d6c8009d9a94f5a},  {7, 0xab0200f58b01d137},
        {8, 0x93f5f5799a932462},  {15, 0xa129ca6149be45e5},
        {63, 0x958a324ceb064572},
    };
    uint8_t key[16], bytes[64];

    (void)state;
    for (uint8_t i = 0; i < sizeof(key); i++)
        key[i] = i;
    for (uint8_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = i;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_true(sr_siphash(key, bytes, cases[i].size) == cases[i].hash);
    assert_true(sr_siphash(key, NULL, 0) == cases[0].hash);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_near_hashes),
        cmocka_unit_test(test_impossible),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_is_hash),
        cmocka_unit_test(test_is_hash_of_methods),
        cmocka_unit_test(test_setting),
        cmocka_unit_test(test_same_cost),
        cmocka_unit_test(test_siphash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
