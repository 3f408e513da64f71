/*
 * Tests of kpasswd.h, padata.h and srv.h: bytes that a server may have sent.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/krb5/kpasswd.h"
#include "policy/backend/krb5/padata.h"
#include "policy/backend/srv.h"

#define PART(text)                                                             \
    {                                                                          \
        (const uint8_t *)(text), sizeof(text) - 1                              \
    }

/* A copy that ends where the memory does, for sanitizers. */
static uint8_t *
exact(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);

    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

static void
test_request(void **state)
{
    static const uint8_t expected[] = "\0\x0b\0\1\0\2abcde";
    const struct sr_kpasswd_part ap_req = PART("ab"), priv = PART("cde");
    const struct sr_kpasswd_part large = {expected, 65530};
    uint8_t out[64];
    size_t size = sizeof(out);

    (void)state;
    assert_true(sr_kpasswd_request(&ap_req, &priv, 1, out, &size));
    assert_int_equal(size, sizeof(expected) - 1);
    assert_memory_equal(out, expected, size);
    size = 10;
    assert_false(sr_kpasswd_request(&ap_req, &priv, 1, out, &size));
    size = (size_t)-1;
    assert_false(sr_kpasswd_request(&large, &priv, 1, out, &size));
}

/* As openssl's asn1parse reads it: [0] OCTET STRING, [1] PrincipalName, [2]
 * GeneralString; RFC 3244, 2. */
static void
test_set_data(void **state)
{
    static const uint8_t expected[] =
        "\x30\x1c\xa0\x04\x04\x02pw\xa1\x0f\x30\x0d\xa0\x03\x02\x01\x01"
        "\xa1\x06\x30\x04\x1b\x02yu\xa2\x03\x1b\x01R";
    struct sr_kpasswd_target target = {
        .realm = "R", .realm_size = 1, .name_type = 1, .count = 1};
    const struct sr_kpasswd_part name = PART("yu");
    char text[301];
    uint8_t out[512];
    size_t size;

    (void)state;
    target.component[0] = name;
    size = sizeof(out);
    assert_true(sr_kpasswd_set_data(&target, "pw", out, &size));
    assert_int_equal(size, sizeof(expected) - 1);
    assert_memory_equal(out, expected, size);
    for (size = 0; size < sizeof(expected) - 1;) {
        uint8_t *room = malloc(size + 1);
        size_t most = size++;

        assert_false(sr_kpasswd_set_data(&target, "pw", room, &most));
        free(room);
    }
    memset(text, 'x', 300);
    text[300] = '\0';
    size = sizeof(out);
    assert_true(sr_kpasswd_set_data(&target, text, out, &size));
    assert_memory_equal(
        out, "\x30\x82\x01\x4a\xa0\x82\x01\x30\x04\x82\x01\x2cx", 13);
    assert_int_equal(size, 4 + 0x14a);
    target.name_type = 128;
    size = sizeof(out);
    assert_false(sr_kpasswd_set_data(&target, "pw", out, &size));
}

static void
test_parse(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool is_reply, is_error;
        size_t ap_rep, body;
    } cases[] = {
        {"\0\x09\0\1\0\2abc", 9, true, false, 2, 1},
        {"\0\x09\0\1\0\0abc", 9, true, true, 0, 3},
        {"\x7e\1", 2, true, true, 0, 2},
        {"\0\x08\0\1\0\2ab", 8, false, false, 0, 0}, /* nothing behind it */
        {"\0\x09\0\1\0\4abc", 9, false, false, 0, 0},
        {"\0\x0a\0\1\0\2abc", 9, false, false, 0, 0},
        {"\0\x08\0\1\0\2abc", 9, false, false, 0, 0},
        {"\0\x05\0\1\0", 5, false, false, 0, 0},
        {"", 0, false, false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *bytes = exact(cases[i].bytes, cases[i].size);
        struct sr_kpasswd_reply reply;

        assert_int_equal(sr_kpasswd_parse(bytes, cases[i].size, &reply),
                         cases[i].is_reply);
        if (cases[i].is_reply) {
            assert_int_equal(reply.is_error, cases[i].is_error);
            assert_int_equal(reply.ap_rep.size, cases[i].ap_rep);
            assert_int_equal(reply.body.size, cases[i].body);
            assert_ptr_equal(reply.body.bytes + reply.body.size,
                             bytes + cases[i].size);
        }
        free(bytes);
    }
}

static void
test_results(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        unsigned code;
        enum sr_kpasswd_why why;
        const char *text;
    } cases[] = {
        {"\0\0", 2, 0, SR_KPASSWD_WHY_UNKNOWN, ""},
        {"\0\4New password is too short.\nPlease\tx\n", 37, 4,
         SR_KPASSWD_WHY_TOO_SHORT, "New password is too short.\nPlease x"},
        {"\0\4New password was used previously. P", 37, 4, SR_KPASSWD_WHY_USED,
         "New password was used previously. P"},
        {"\0\4it was changed too recently.", 30, 4, SR_KPASSWD_WHY_TOO_YOUNG,
         "it was changed too recently."},
        {"\0\4or the minimum password age may not have elapsed.", 51, 4,
         SR_KPASSWD_WHY_TOO_YOUNG,
         "or the minimum password age may not have elapsed."},
        /* Only a refusal has a reason. */
        {"\0\2it was changed too recently.", 30, 2, SR_KPASSWD_WHY_UNKNOWN,
         "it was changed too recently."},
        {"\0\4a\x1b[1mb\x07\xff\xe2\x80\xae"
         "c",
         14, 4, SR_KPASSWD_WHY_UNKNOWN, "a?[1mb???c"},
        {"\1\4x\0y", 5, 260, SR_KPASSWD_WHY_UNKNOWN, "x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *bytes = exact(cases[i].bytes, cases[i].size);
        struct sr_kpasswd_result result;

        assert_true(sr_kpasswd_result(bytes, cases[i].size, &result));
        assert_int_equal(result.code, cases[i].code);
        assert_int_equal(result.why, cases[i].why);
        assert_string_equal(result.text, cases[i].text);
        free(bytes);
    }
    assert_false(sr_kpasswd_result((const uint8_t *)"\0", 1,
                                   &(struct sr_kpasswd_result){0}));
}

/* A text of any length fits. */
static void
test_long_text(void **state)
{
    struct sr_kpasswd_result result;
    uint8_t *bytes = exact("", 0);

    (void)state;
    for (size_t size = 2; size < 2000; size += 7) {
        bytes = realloc(bytes, size);
        assert_non_null(bytes);
        memset(bytes, 'x', size);
        assert_true(sr_kpasswd_result(bytes, size, &result));
        assert_true(strlen(result.text) < sizeof(result.text));
    }
    free(bytes);
}

static void
test_policy_of_active_directory(void **state)
{
    uint8_t bytes[32] = {0, 4, 0, 0, 0, 0, 0, 12, 0, 0, 0, 24, 0, 0, 0, 1};
    struct sr_kpasswd_result result;

    (void)state;
    assert_true(sr_kpasswd_result(bytes, sizeof(bytes), &result));
    assert_int_equal(result.why, SR_KPASSWD_WHY_POLICY);
    assert_int_equal(result.min_length, 12);
    assert_int_equal(result.history, 24);
    assert_string_equal(result.text, "");
    /* One byte less is a text, an empty one. */
    assert_true(sr_kpasswd_result(bytes, sizeof(bytes) - 1, &result));
    assert_int_equal(result.why, SR_KPASSWD_WHY_UNKNOWN);
    assert_int_equal(result.min_length, 0);
}

/* METHOD-DATA with PA-ETYPE-INFO2 (19) and PA-PW-SALT (3), and what is cut off
 * it. */
static void
test_ntstatus(void **state)
{
    static const uint8_t data[] =
        "\x30\x27\x30\x0d\xa1\x03\x02\x01\x13\xa2\x06\x04\x04\x30\x02\x30\x00"
        "\x30\x16\xa1\x03\x02\x01\x03\xa2\x0f\x04\x0d\x72\x00\x00\xc0\x00\x00"
        "\x00\x00\x01\x00\x00\x00\x00";
    const size_t size = sizeof(data) - 1;
    uint8_t *bytes;

    (void)state;
    assert_int_equal(sr_krb5_ntstatus(data, size),
                     SR_NTSTATUS_ACCOUNT_DISABLED);
    for (size_t cut = 0; cut < size; cut++) {
        bytes = exact(data, cut);
        assert_int_equal(sr_krb5_ntstatus(bytes, cut), 0);
        free(bytes);
    }
    for (size_t at = 0; at < size; at++) {
        bytes = exact(data, size);
        bytes[at] ^= 0x80; /* must not read beyond */
        sr_krb5_ntstatus(bytes, size);
        free(bytes);
    }
}

/* Lengths of several bytes, and none that runs over. */
static void
test_ntstatus_lengths(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        uint32_t status;
    } cases[] = {
        {"\x30\x81\x11\x30\x0f\xa1\x03\x02\x01\x03\xa2\x08\x04\x81\x05\x24\x02"
         "\x00\xc0\x00",
         20, SR_NTSTATUS_PASSWORD_MUST_CHANGE},
        {"\x30\x80\x30\x00", 4, 0},
        {"\x30\x85\x01\x01\x01\x01\x01", 7, 0},
        {"\x30\x84\xff\xff\xff\xff\x30", 7, 0},
        {"\x30\x84\xff\xff\xff", 5, 0},
        {"\x30", 1, 0},
        /* A status of three bytes is none. */
        {"\x30\x0e\x30\x0c\xa1\x03\x02\x01\x03\xa2\x05\x04\x03\x24\x02\x00", 16,
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *bytes = exact(cases[i].bytes, cases[i].size);

        assert_int_equal(sr_krb5_ntstatus(bytes, cases[i].size),
                         cases[i].status);
        free(bytes);
    }
}

/* METHOD-DATA with PA-ETYPE-INFO2: AES 256 with a salt, AES 128 with
 * parameters, a private type, RC4 without a salt. */
static void
test_etypes(void **state)
{
    static const uint8_t data[] =
        "\x30\x38\x30\x36\xa1\x03\x02\x01\x13\xa2\x2f\x04\x2d\x30\x2b"
        "\x30\x0d\xa0\x03\x02\x01\x12\xa1\x06\x1b\x04SALT"
        "\x30\x0b\xa0\x03\x02\x01\x11\xa2\x04\x04\x02\x00\x01"
        "\x30\x06\xa0\x04\x02\x02\xff\x7b"
        "\x30\x05\xa0\x03\x02\x01\x17";
    const size_t size = sizeof(data) - 1;
    struct sr_krb5_etypes etypes;
    uint8_t *bytes;

    (void)state;
    assert_true(sr_krb5_etypes(data, size, &etypes));
    assert_int_equal(etypes.count, 3);
    assert_int_equal(etypes.of[0].etype, 18);
    assert_int_equal(etypes.of[0].size, 4);
    assert_memory_equal(etypes.of[0].salt, "SALT", 4);
    assert_int_equal(etypes.of[0].params_size, 0);
    assert_int_equal(etypes.of[1].etype, 17);
    assert_int_equal(etypes.of[1].size, 0);
    assert_int_equal(etypes.of[1].params_size, 2);
    assert_memory_equal(etypes.of[1].params, "\0\1", 2);
    assert_int_equal(etypes.of[2].etype, 23);
    assert_int_equal(etypes.of[2].size, 0);
    for (size_t cut = 0; cut < size; cut++) {
        bytes = exact(data, cut);
        assert_false(sr_krb5_etypes(bytes, cut, &etypes));
        free(bytes);
    }
    for (size_t at = 0; at < size; at++) {
        bytes = exact(data, size);
        bytes[at] ^= 0x80; /* must not read beyond */
        sr_krb5_etypes(bytes, size, &etypes);
        assert_true(etypes.count <= SR_KRB5_ETYPES_MAX);
        free(bytes);
    }
}

/* ---- hosts of DNS */

/* A record of _s.x, which stands at byte 12: a host, or none, of one letter. */
#define RECORD(type, priority, port, host)                                     \
    "\xc0\x0c" type "\0\1\0\0\0\0\0\x09" priority "\0\0" port "\1" host "\0"

static const char answer[] = "\0\7\x81\x80\0\1\0\3\0\0\0\0"
                             "\2_s\1x\0\0\x21\0\1" /* the question */
    RECORD("\0\x21", "\1\2", "\1\x85", "b") RECORD("\0\1", "\0\0", "\0\0", "c")
        RECORD("\0\x21", "\0\0", "\0\x58", "a");

static void
test_hosts(void **state)
{
    struct sr_srv found[4];

    (void)state;
    assert_int_equal(sr_srv_read((const unsigned char *)answer,
                                 sizeof(answer) - 1, found, 4),
                     2);
    assert_string_equal(found[0].host, "a");
    assert_int_equal(found[0].port, 88);
    assert_int_equal(found[0].priority, 0);
    assert_string_equal(found[1].host, "b");
    assert_int_equal(found[1].port, 389);
    assert_int_equal(found[1].priority, 258);
    assert_int_equal(sr_srv_read((const unsigned char *)answer,
                                 sizeof(answer) - 1, found, 1),
                     1);
}

/* The first priorities are kept, and no name is taken that a URI would make
 * more than a host of. */
static void
test_hosts_kept(void **state)
{
    static const char many[] =
        "\0\7\x81\x80\0\0\0\6\0\0\0\0" RECORD("\0\x21", "\0\5", "\0\x58", "f")
            RECORD("\0\x21", "\0\4", "\0\x58", "e")
                RECORD("\0\x21", "\0\1", "\0\x58", "/")
                    RECORD("\0\x21", "\0\1", "\0\0", "p")
                        RECORD("\0\x21", "\0\2", "\0\x58", "b")
                            RECORD("\0\x21", "\0\3", "\0\x58", "c");
    struct sr_srv found[2];

    (void)state;
    assert_int_equal(
        sr_srv_read((const unsigned char *)many, sizeof(many) - 1, found, 2),
        2);
    assert_string_equal(found[0].host, "b");
    assert_string_equal(found[1].host, "c");
}

/* One port of a host is one, in whatever letters, by the better priority; ports
 * 0 and the root, "no such service", are none. */
static void
test_hosts_once(void **state)
{
    static const char many[] = "\0\7\x81\x80\0\0\0\7\0\0\0\0" RECORD(
        "\0\x21", "\0\5", "\0\x58", "a") RECORD("\0\x21", "\0\2", "\0\x58", "b")
        RECORD("\0\x21", "\0\1", "\0\x58", "A")
            RECORD("\0\x21", "\0\1", "\0\0", "c")
                RECORD("\0\x21", "\0\3", "\0\x59", "a")
                    RECORD("\0\x21", "\0\7", "\0\x58",
                           "b") "\xc0\x0c\0\x21\0\1\0\0\0\0\0\7\0\1\0\0\0\x58";
    struct sr_srv found[8];

    (void)state;
    assert_int_equal(
        sr_srv_read((const unsigned char *)many, sizeof(many) - 1, found, 8),
        3);
    assert_string_equal(found[0].host, "A");
    assert_int_equal(found[0].priority, 1);
    assert_string_equal(found[1].host, "b");
    assert_int_equal(found[1].priority, 2);
    assert_int_equal(found[2].port, 0x59);
}

/* By weights within a priority, and never beyond it. */
static void
test_hosts_spread(void **state)
{
    unsigned heavy = 0, even = 0;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct sr_srv found[] = {
            {"a", 389, 1, 1}, {"b", 389, 1, 999}, {"c", 389, 1, 0},
            {"d", 389, 2, 0}, {"e", 389, 2, 0},   {"f", 389, 3, 65535},
        };

        sr_srv_spread(found, 6);
        assert_true(strchr("abc", found[0].host[0]) != NULL);
        assert_string_equal(found[2].host, "c");
        assert_true(strchr("de", found[3].host[0]) != NULL);
        assert_string_equal(found[5].host, "f");
        heavy += found[0].host[0] == 'b';
        even += found[3].host[0] == 'd';
    }
    assert_true(heavy > 950);
    assert_true(even > 300 && even < 700);
}

static void
test_hosts_cut_off(void **state)
{
    struct sr_srv found[4];

    (void)state;
    for (size_t size = 0; size < sizeof(answer) - 1; size++) {
        uint8_t *cut = exact(answer, size);

        assert_true(sr_srv_read(cut, size, found, 4) < 2);
        free(cut);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_set_data),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_policy_of_active_directory),
        cmocka_unit_test(test_ntstatus),
        cmocka_unit_test(test_ntstatus_lengths),
        cmocka_unit_test(test_etypes),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_hosts_cut_off),
        cmocka_unit_test(test_hosts_kept),
        cmocka_unit_test(test_hosts_once),
        cmocka_unit_test(test_hosts_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
