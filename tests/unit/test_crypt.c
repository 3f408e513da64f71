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
#include <stdio.h>
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

/* What crypt takes for them, within a factor of four of what was measured; and
 * what it would take for the rest of the numbers that can be written there. */
static void
test_estimate(void **state)
{
    static const struct {
        const char *setting;
        unsigned least, most;
    } cases[] = {
        {"$6$salt$", 1, 6},
        {"$6$rounds=1000000$salt$", 200, 1200},
        {"$5$rounds=1000000$salt$", 150, 1000},
        {"$2b$12$CCCCCCCCCCCCCCCCCCCCC.", 100, 750},
        {"$2y$05$CCCCCCCCCCCCCCCCCCCCC.", 1, 6},
        {"$y$j9T$salt", 12, 90},
        {"$y$jFT$salt", 800, 6000},
        {"$gy$j9T$salt", 12, 90},
        {"$y$j9T/5$salt", 50, 400}, /* t 8 */
        {"$7$CU..../....salt", 60, 480},
        {"$7$EU..../....salt", 250, 2000},
        {"$sha1$1000000$salt$", 400, 3000},
        {"$md5,rounds=100000$salt$", 60, 480},
        {"$md5$salt$", 2, 20},
        {"_zzz.salt", 15, 120},
        {"_zzzzsalt", 1000, 8000},
        {"$1$salt$", 0, 0},
        {"$3$$", 0, 0},
        {"CC", 0, 0},
        {"*", 0, 0},
        {"", 0, 0},
        {"$y$", 0, 0},
        {"$y$j", 0, 0},
        {"$7$C", 0, 0},
        {"_zz", 0, 0},
        {"$y$j!T$salt", 0, 0},
        {"$6$rounds=999999999$salt$", 100000, UINT32_MAX},
        {"$5$rounds=999999999$salt$", 100000, UINT32_MAX},
        {"$6$rounds=99999999999999999999999$salt$", UINT32_MAX, UINT32_MAX},
        {"$2b$31$CCCCCCCCCCCCCCCCCCCCC.", 10000000, UINT32_MAX},
        {"$2b$99$CCCCCCCCCCCCCCCCCCCCC.", UINT32_MAX, UINT32_MAX},
        {"$y$jPT$salt", 1000000, UINT32_MAX},
        {"$y$jjT$salt", UINT32_MAX, UINT32_MAX},
        {"$y$j9zzzzzz$salt", 1000000, UINT32_MAX},   /* r */
        {"$y$j9T.zzzzzz$salt", 1000000, UINT32_MAX}, /* p */
        {"$y$j9T/zzzzzz$salt", 1000000, UINT32_MAX}, /* t */
        {"$gy$j9T/zzzzzz$salt", 1000000, UINT32_MAX},
        {"$7$zU..../....salt", UINT32_MAX, UINT32_MAX},
        {"$7$CzzzzzzzzzzNaCl", 1000000, UINT32_MAX},
        {"$sha1$4294967295$salt$", 1000000, UINT32_MAX},
        {"$md5,rounds=4294963199$salt$", 1000000, UINT32_MAX},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const unsigned ms = sr_crypt_estimate(cases[i].setting);

        if (ms < cases[i].least || ms > cases[i].most)
            fail_msg("%s: %u ms", cases[i].setting, ms);
    }
}

/* No hash that takes minutes or days is computed: the decoy's is. */
static void
test_too_costly(void **state)
{
    static const char hash[] = "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
                               "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
    static const struct {
        const char *setting;
        size_t length; /* of the method's hash */
    } cases[] = {
        {"$6$rounds=999999999$saltstring", 86},
        {"$5$rounds=999999999$saltstring", 43},
        {"$y$j9T/zzzzzz$abcdefgh", 43},
        {"$sha1$4294967295$abcdefgh", 28},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char whole[CRYPT_OUTPUT_SIZE];

        snprintf(whole, sizeof(whole), "%s$%.*s", cases[i].setting,
                 (int)cases[i].length, hash);
        assert_false(sr_crypt_is_hash(whole));
        crypt_count = 0;
        assert_int_equal(sr_crypt_verify("x", whole), 0);
        assert_int_equal(crypt_count, 1);
    }
    /* What is only slow, is computed. */
    assert_true(sr_crypt_is_usable("$6$rounds=10000000$saltstring$"));
    assert_true(sr_crypt_is_usable("$2b$16$CCCCCCCCCCCCCCCCCCCCC."));
    assert_true(sr_crypt_is_usable("$y$jFT$abcdefgh"));
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
        cmocka_unit_test(test_estimate),
        cmocka_unit_test(test_too_costly),
        cmocka_unit_test(test_siphash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
