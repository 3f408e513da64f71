/*
 * Unit tests of self-service reset: codes, the app's codes, sealing, enrolments
 * and the queue, as far as nothing of a host is needed.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/reset/app.h"
#include "policy/reset/budget.h"
#include "policy/reset/channel.h"
#include "policy/reset/code.h"
#include "policy/reset/enrolment.h"
#include "policy/reset/key.h"
#include "policy/reset/kind.h"
#include "policy/reset/queue.h"
#include "policy/reset/seal.h"
#include "policy/reset/shared.h"
#include "policy/util/number.h"
#include "tests/unit/scratch.h"

/* ---- codes */

static void
test_code_is_read_as_it_was_meant(void **state)
{
    char out[SR_CODE_SIZE];

    (void)state;
    assert_true(sr_code_read(" k7q4-2mxp ", 8, out));
    assert_string_equal(out, "K7Q42MXP");
    assert_true(sr_code_read("oIl0 1111", 8, out));
    assert_string_equal(out, "01101111");
    assert_false(sr_code_read("K7Q4-2MX", 8, out));
    assert_false(sr_code_read("K7Q4-2MXPP", 8, out));
    assert_false(sr_code_read("K7Q4-2MXU", 8, out)); /* no U */
    assert_false(sr_code_read("K7Q4\n2MXP", 8, out));
    assert_false(sr_code_read("", 8, out));
}

static void
test_codes_are_made_in_groups_and_differ(void **state)
{
    char one[SR_CODE_SIZE], two[SR_CODE_SIZE], plain[SR_CODE_SIZE];

    (void)state;
    assert_true(sr_code_make(one, SR_RECOVERY_LENGTH, 5));
    assert_true(sr_code_make(two, SR_RECOVERY_LENGTH, 5));
    assert_int_equal(strlen(one), 17);
    assert_int_equal(one[5], '-');
    assert_int_equal(one[11], '-');
    assert_string_not_equal(one, two);
    assert_true(sr_code_read(one, SR_RECOVERY_LENGTH, plain));
    assert_true(sr_code_make_digits(one, SR_MAIL_LENGTH));
    assert_int_equal(strspn(one, "0123456789"), SR_MAIL_LENGTH);
    assert_int_equal(strlen(one), SR_MAIL_LENGTH);
}

static void
test_kinds_have_their_names(void **state)
{
    (void)state;
    assert_int_equal(sr_reset_find("reset"), SR_RESET_RESET);
    assert_int_equal(sr_reset_find("report"), SR_RESET_REPORT);
    assert_int_equal(sr_reset_find("Reset"), SR_RESET_KINDS);
    assert_int_equal(sr_reset_find(""), SR_RESET_KINDS);
}

/* ---- the app */

/* RFC 6238, appendix B: SHA-1, with 8 digits; the last 6 are those of 6. */
static const uint8_t secret[SR_APP_SECRET] = "12345678901234567890";
static const struct {
    sr_time when;
    const char *code;
} vectors[] = {{59, "287082"},         {1111111109, "081804"},
               {1111111111, "050471"}, {1234567890, "005924"},
               {2000000000, "279037"}, {20000000000, "353130"}};

static void
test_app_takes_the_codes_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct sr_enrolment enrolment = {.app_step = 0};

        assert_true(
            sr_app_check(&enrolment, secret, vectors[i].code, vectors[i].when));
        assert_int_equal(enrolment.app_step, vectors[i].when / 30);
        assert_int_equal(enrolment.app_drift, 0);
    }
}

static void
test_app_takes_no_code_twice_or_of_an_earlier_step(void **state)
{
    struct sr_enrolment enrolment = {.app_step = 0};

    (void)state;
    assert_true(sr_app_check(&enrolment, secret, "050471", 1111111111));
    assert_false(sr_app_check(&enrolment, secret, "050471", 1111111111));
    /* 1111111109 is of the step before. */
    assert_false(sr_app_check(&enrolment, secret, "081804", 1111111111));
}

static void
test_app_takes_one_step_either_way_and_no_more(void **state)
{
    static const struct {
        int steps;
        bool is_right;
    } cases[] = {{-2, false}, {-1, true}, {0, true}, {1, true}, {2, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sr_enrolment enrolment = {.app_step = 0};

        assert_int_equal(sr_app_check(&enrolment, secret, "279037",
                                      2000000000 + 30 * cases[i].steps),
                         cases[i].is_right);
    }
}

static void
test_app_of_a_wrong_clock_needs_two_codes_once(void **state)
{
    struct sr_enrolment enrolment = {.app_step = 0};
    const sr_time now = 1111111109 - 5 * 30; /* the app is 5 steps ahead */

    (void)state;
    assert_false(sr_app_check(&enrolment, secret, "081804", now));
    assert_false(sr_app_check(&enrolment, secret, "050471 081804", now));
    assert_false(sr_app_check(&enrolment, secret, "081804 081804", now));
    assert_true(sr_app_check(&enrolment, secret, "081804 050471", now));
    assert_int_equal(enrolment.app_step, 1111111111 / 30);
    assert_int_equal(enrolment.app_drift, 1111111111 / 30 - now / 30);
    /* Used up, both; and the drift holds for single ones from now on. */
    assert_false(sr_app_check(&enrolment, secret, "081804 050471", now));
    enrolment.app_step = 0;
    assert_true(sr_app_check(&enrolment, secret, "050471",
                             1111111111 - enrolment.app_drift * 30));
    /* Two codes of steps too far away are none. */
    enrolment = (struct sr_enrolment){.app_step = 0};
    assert_false(sr_app_check(&enrolment, secret, "081804 050471",
                              1111111109 - 12 * 30));
}

static void
test_app_takes_digits_only(void **state)
{
    static const char *const wrong[] = {"",         "28708",        "2870822",
                                        "287O82",   "287082x",      "-",
                                        "287082 1", "2870822870822"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sr_enrolment enrolment = {.app_step = 0};

        assert_false(sr_app_check(&enrolment, secret, wrong[i], 59));
        assert_int_equal(enrolment.app_step, 0);
    }
    assert_true(sr_app_check(&(struct sr_enrolment){.app_step = 0}, secret,
                             " 287 082 ", 59));
}

static void
test_app_shows_its_secret_in_groups_and_as_uri(void **state)
{
    char text[SR_APP_TEXT], uri[SR_APP_URI];

    (void)state;
    assert_true(sr_app_text(secret, text));
    assert_string_equal(text, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    sr_app_uri(secret, "host", "an n@x", uri);
    assert_string_equal(uri, "otpauth://totp/host:an%20n%40x?secret="
                             "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=host");
}

/* ---- keys and signatures */

#define SHORT_RSA                                                              \
    "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDLmvz5Yz/k0MGEWK4WN/Ler+R87EDU"             \
    "hQHsAsnFJ6mzF8otVTxYo5ljrCiorFg6p9F0PaZx2MG6qk86GPEqNF4QlCH8"             \
    "Fge1KTZqzHEPnfGVV2gCfpiPJG6ha8HawlHjdz1R4mFCK48CgmCSu1XRZapW"             \
    "JJ2c2EmlXQx7WITI79akfQ=="

#define ED25519                                                                \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPWfW+JI2CHV3XcxiXSE1JdA"             \
    "vOLAdWV3eBdcydHdV8wx"

static void
test_keys_are_read_in_one_form(void **state)
{
    static const char *const lines[] = {ED25519, "  " ED25519 "  ann@example\n",
                                        ED25519 "\tx y"};
    char key[SR_KEY_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(sr_key_read(lines[i], key), SR_KEY_GOOD);
        assert_string_equal(key, ED25519);
        assert_ptr_equal(sr_key_plain(key), key);
    }
}

static void
test_keys_that_are_not_used(void **state)
{
    static const struct {
        const char *line;
        enum sr_key_fault fault;
    } cases[] = {
        {"", SR_KEY_NONE},
        {"ssh-ed25519", SR_KEY_NONE},
        {"ssh-ed25519 AAAA=AAA", SR_KEY_NONE},
        {ED25519 "AAAA", SR_KEY_NONE}, /* more than the key */
        {"ssh-rsa " SHORT_RSA, SR_KEY_SHORT},
        {"ssh-ed25519 " SHORT_RSA, SR_KEY_NONE}, /* another type within */
        {"no-pty " ED25519, SR_KEY_OPTIONS},
        {"verify-required " ED25519, SR_KEY_OPTIONS}, /* of no device */
        {"ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9w"
         "ZW5zc2guY29t",
         SR_KEY_KIND},
    };
    char key[SR_KEY_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(sr_key_read(cases[i].line, key), cases[i].fault);
        assert_string_equal(key, "");
    }
}

static const char signature[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg9Z9b4kjYIdXddzGJdITUl0C84s\n"
    "B1ZXd4F1zJ0d1XzDEAAAAJc2VsZnJlc2V0AAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1l\n"
    "ZDI1NTE5AAAAQPcYFA34+rtuQpaA7LzTdVdxaeHfrGfkfj8PXJx4RTgZBL/jtULKRMok77\n"
    "UaZpyuDBO3m1lbCq++mCiGHdlg8AQ=\n"
    "-----END SSH SIGNATURE-----\n";

static void
test_signatures_say_whose_they_are(void **state)
{
    struct sr_signature read;
    char damaged[sizeof(signature)];

    (void)state;
    assert_true(sr_key_read_signature(signature, "selfreset", &read));
    assert_true(sr_key_fits(ED25519, &read));
    assert_false(sr_key_fits("", &read));
    assert_false(sr_key_fits("verify-required " ED25519, &read));
    assert_false(sr_key_read_signature(signature, "file", &read));
    assert_false(sr_key_read_signature("", "selfreset", &read));
    for (size_t end = 0; end < sizeof(signature) - 2; end++) {
        snprintf(damaged, sizeof(damaged), "%.*s", (int)end, signature);
        assert_false(sr_key_read_signature(damaged, "selfreset", &read));
    }
}

/* ---- sealing */

static void
test_seal_opens_for_its_account_and_key_only(void **state)
{
    const struct sr_identity ann = {"local", "ann", 3000};
    const struct sr_identity bob = {"local", "bob", 3000};
    const struct sr_identity other = {"local", "ann", 3001};
    uint8_t key[SR_SEAL_KEY] = {1}, sealed[SR_SEALED_SIZE];
    uint8_t again[SR_SEALED_SIZE], out[SR_APP_SECRET];

    (void)state;
    assert_int_equal(sr_seal(key, &ann, secret, sealed), 0);
    assert_int_equal(sr_seal(key, &ann, secret, again), 0);
    assert_memory_not_equal(sealed, again, sizeof(sealed));
    assert_int_equal(sr_unseal(key, &ann, sealed, out), 0);
    assert_memory_equal(out, secret, sizeof(out));
    assert_int_not_equal(sr_unseal(key, &bob, sealed, out), 0);
    assert_int_not_equal(sr_unseal(key, &other, sealed, out), 0);
    key[0] = 2;
    assert_int_not_equal(sr_unseal(key, &ann, sealed, out), 0);
    key[0] = 1;
    for (size_t i = 0; i < sizeof(sealed); i++) {
        sealed[i] ^= 1;
        assert_int_not_equal(sr_unseal(key, &ann, sealed, out), 0);
        sealed[i] ^= 1;
    }
}

/* What a directory keeps is read by the same account and key only. */
static void
test_shared_text_is_of_its_account_and_key_only(void **state)
{
    const struct sr_identity ann = {"corp", "ann", 3000};
    const struct sr_identity other[] = {
        {"corp", "bob", 3000}, {"corp", "ann", 3001}, {"cor", "pann", 3000}};
    struct sr_account_file newer = sr_enrolment_file;
    const struct sr_account_file *kind = &sr_enrolment_file;
    uint8_t key[SR_SEAL_KEY] = {1};
    struct sr_enrolment body = {.reported = 7}, out;
    char *text = sr_shared_write(key, kind, &ann, &body), *again;

    (void)state;
    assert_int_equal(sr_shared_read(key, kind, &ann, text, &out), SR_STORE_OK);
    assert_memory_equal(&out, &body, sizeof(out));
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        assert_int_equal(sr_shared_read(key, kind, &other[i], text, &out),
                         SR_STORE_SEALED);
    for (size_t i = 0; i < strlen(text); i += 97) {
        const char had = text[i];

        text[i] = had == 'A' ? 'B' : 'A';
        assert_int_equal(sr_shared_read(key, kind, &ann, text, &out),
                         SR_STORE_SEALED);
        text[i] = had;
    }
    /* One of a version before has nothing of what came later. */
    for (int i = 0; i < SR_ACCOUNT_FILE_FORMERS; i++) {
        newer.version = kind->former[i].version;
        newer.size = kind->former[i].size;
        again = sr_shared_write(key, &newer, &ann, &body);
        memset(&out, 1, sizeof(out));
        assert_int_equal(sr_shared_read(key, kind, &ann, again, &out),
                         SR_STORE_OK);
        assert_memory_equal(&out, &body, sizeof(out));
        free(again);
    }
    newer = *kind;
    newer.version++;
    again = sr_shared_write(key, &newer, &ann, &body);
    assert_int_equal(sr_shared_read(key, kind, &ann, again, &out),
                     SR_STORE_SEALED);
    assert_int_equal(sr_shared_read(key, &newer, &ann, text, &out),
                     SR_STORE_SEALED);
    free(again);
    body.ticket_until = INT64_MIN; /* written by another program */
    again = sr_shared_write(key, kind, &ann, &body);
    assert_int_equal(sr_shared_read(key, kind, &ann, again, &out),
                     SR_STORE_SEALED);
    free(again);
    key[0] = 2;
    assert_int_equal(sr_shared_read(key, kind, &ann, text, &out),
                     SR_STORE_SEALED);
    free(text);
}

/* ---- enrolments */

/* No confirmation ends. */
static const struct sr_reset_config never = {.reconfirm = 0};

/* Set up an address that was confirmed at that time. */
static void
put_address(struct sr_enrolment *enrolment, enum sr_channel_id channel,
            unsigned number, const char *address, sr_time confirmed)
{
    size_t size;
    char *place = sr_enrolment_address(enrolment, channel, number, &size);

    assert_non_null(place);
    snprintf(place, size, "%s", address);
    enrolment->confirmation[channel][number].at = confirmed;
    enrolment->gate[sr_channel_gate(channel)].since = 1;
}

static void
test_a_confirmation_ends(void **state)
{
    static const struct sr_reset_config config = {.reconfirm = 100,
                                                  .reconfirm_grace = 50};
    static const struct {
        sr_time wall;
        enum sr_validity validity;
    } cases[] = {{900, SR_VALID},    {1000, SR_VALID},   {1100, SR_VALID},
                 {1101, SR_OVERDUE}, {1150, SR_OVERDUE}, {1151, SR_LAPSED},
                 {99999, SR_LAPSED}};
    struct sr_enrolment enrolment;

    (void)state;
    memset(&enrolment, 0, sizeof(enrolment));
    assert_int_equal(sr_enrolment_least_valid(&enrolment, &config, 99999),
                     SR_VALID);
    put_address(&enrolment, SR_CHANNEL_SMS, 0, "+4915123456789", 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct sr_account_time time = {.now = 2, .wall = cases[i].wall};

        assert_int_equal(sr_enrolment_validity(&enrolment, SR_CHANNEL_SMS, 0,
                                               &config, time.wall),
                         cases[i].validity);
        assert_int_equal(
            sr_enrolment_least_valid(&enrolment, &config, time.wall),
            cases[i].validity);
        assert_int_equal(
            sr_enrolment_has(&enrolment, SR_GATE_SMS, &config, &time),
            cases[i].validity != SR_LAPSED);
        assert_true(sr_enrolment_has(&enrolment, SR_GATE_SMS, &never, &time));
    }
}

static void
test_a_code_confirms_the_one_address_that_it_went_to(void **state)
{
    static const struct sr_reset_config config = {.reconfirm = 100,
                                                  .reconfirm_grace = 50};
    const struct sr_account_time time = {.now = 2, .wall = 1120};
    struct sr_enrolment enrolment;
    const struct sr_confirmation *mail =
        enrolment.confirmation[SR_CHANNEL_MAIL];

    (void)state;
    memset(&enrolment, 0, sizeof(enrolment));
    put_address(&enrolment, SR_CHANNEL_MAIL, 0, "a@example.org", 1000);
    put_address(&enrolment, SR_CHANNEL_MAIL, 1, "b@example.org", 1010);
    sr_enrolment_confirm(&enrolment, SR_CHANNEL_MAIL, &config, time.wall);
    assert_int_equal(mail[0].at, 1000);
    assert_int_equal(mail[1].at, 1010);
    /* The first one has lapsed, and gets no code. */
    assert_true(sr_enrolment_has(&enrolment, SR_GATE_MAIL, &config, &time));
    sr_enrolment_confirm(&enrolment, SR_CHANNEL_MAIL, &config, 1155);
    assert_int_equal(mail[0].at, 1000);
    assert_int_equal(mail[1].at, 1155);
    sr_enrolment_remove(&enrolment, SR_GATE_MAIL);
    for (size_t i = 0; i < sizeof(enrolment); i++)
        assert_int_equal(((const uint8_t *)&enrolment)[i], 0);
}

/* ---- what an older version has written */

static bool
is_any(const void *body)
{
    (void)body;
    return true;
}

static bool
put_body(void *context, void *body, const struct sr_account_time *time)
{
    const struct sr_enrolment *enrolment = context;

    (void)time;
    memcpy(body, enrolment, offsetof(struct sr_enrolment, confirmation));
    return true;
}

static bool
add_second(void *context, struct sr_enrolment *enrolment,
           const struct sr_account_time *time)
{
    (void)context;
    put_address(enrolment, SR_CHANNEL_MAIL, 1, "b@example.org", time->wall);
    sr_enrolment_set_up(enrolment, SR_GATE_MAIL, 0, time);
    return true;
}

static struct sr_store *
open_store(const char *dir)
{
    const char *const run = scratch_path(dir, "run");
    struct sr_store *store;

    assert_int_equal(
        sr_store_open(scratch_path(dir, "state"), run, SR_STORE_WRITE, &store),
        SR_STORE_OK);
    return store;
}

static void
test_a_second_address_does_not_confirm_the_first(void **state)
{
    struct sr_account_file older = sr_enrolment_file;
    struct sr_config config = {.reset = {.reconfirm = 100}};
    const struct sr_transaction txn = {
        .config = &config, .name = "ann", .uid = 3000};
    const struct sr_identity id = sr_transaction_identity(&txn);
    char *const dir = scratch_make();
    struct sr_store *store = open_store(dir);
    struct sr_account_time time;
    struct sr_enrolment body, room;

    (void)state;
    older.version = sr_enrolment_file.former[0].version;
    older.size = sr_enrolment_file.former[0].size;
    older.is_sound = is_any;
    memset(&body, 0, sizeof(body));
    put_address(&body, SR_CHANNEL_MAIL, 0, "a@example.org", 0);
    assert_int_equal(
        sr_account_file_change(store, &older, &id, &room, put_body, &body),
        SR_STORE_OK);
    assert_int_equal(sr_enrolment_change(store, &txn, add_second, NULL),
                     SR_STORE_OK);
    assert_int_equal(sr_enrolment_get(store, &txn, &body, &time), SR_STORE_OK);
    assert_int_equal(sr_enrolment_validity(&body, SR_CHANNEL_MAIL, 0,
                                           &config.reset, time.wall),
                     SR_LAPSED);
    assert_int_equal(sr_enrolment_validity(&body, SR_CHANNEL_MAIL, 1,
                                           &config.reset, time.wall),
                     SR_VALID);
    sr_store_close(store);
    scratch_remove(dir);
}

static bool
put_budget(void *context, void *body, const struct sr_account_time *time)
{
    ((struct sr_budget *)body)->since[0] = time->now;
    (void)context;
    return true;
}

static void
test_no_budget_tells_a_number(void **state)
{
    static const struct sr_identity id = {SR_LOCAL, "/sms +4915123456789", 0};
    struct sr_account_file older = sr_budget_file;
    const struct sr_reset_config config = {.reconfirm = 0};
    char *const dir = scratch_make();
    struct sr_store *store = open_store(dir);
    struct sr_account_time time;
    struct sr_budget body;

    (void)state;
    older.suffix = "budget";
    assert_int_equal(
        sr_account_file_change(store, &older, &id, &body, put_budget, NULL),
        SR_STORE_OK);
    assert_int_equal(sr_account_file_get(store, &older, &id, &body, &time),
                     SR_STORE_OK);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(sr_budget_take(store, &config, SR_CHANNEL_SMS,
                                        "+436641234567", true),
                         SR_BUDGET_OK);
    assert_int_equal(
        sr_budget_take(store, &config, SR_CHANNEL_SMS, "+436641234567", true),
        SR_BUDGET_ADDRESS);
    assert_int_equal(sr_account_file_get(store, &older, &id, &body, &time),
                     SR_STORE_NOT_FOUND);
    sr_store_close(store);
    scratch_remove(dir);
}

static void
test_enrolment_has_what_may_be_used(void **state)
{
    struct sr_enrolment enrolment;
    struct sr_account_time time = {.now = 1000, .wall = 2000};

    (void)state;
    memset(&enrolment, 0, sizeof(enrolment));
    for (int gate = 0; gate < SR_GATE_COUNT; gate++)
        assert_false(
            sr_enrolment_has(&enrolment, (enum sr_gate_id)gate, &never, &time));
    enrolment.gate[SR_GATE_APP].since = 5;
    enrolment.gate[SR_GATE_APP].usable = 1001;
    assert_false(sr_enrolment_has(&enrolment, SR_GATE_APP, &never, &time));
    time.now = 1001;
    assert_true(sr_enrolment_has(&enrolment, SR_GATE_APP, &never, &time));
    strcpy(enrolment.ticket, "x");
    enrolment.ticket_until = 1001;
    assert_false(sr_enrolment_has(&enrolment, SR_GATE_TICKET, &never, &time));
    enrolment.ticket_until = 1002;
    assert_true(sr_enrolment_has(&enrolment, SR_GATE_TICKET, &never, &time));
    sr_enrolment_remove(&enrolment, SR_GATE_TICKET);
    sr_enrolment_remove(&enrolment, SR_GATE_APP);
    for (size_t i = 0; i < sizeof(enrolment); i++)
        assert_int_equal(((const uint8_t *)&enrolment)[i], 0);
}

static void
test_enrolment_that_cannot_be_is_damaged(void **state)
{
    struct sr_enrolment *enrolment = calloc(1, sizeof(*enrolment));

    (void)state;
    assert_true(sr_enrolment_file.is_sound(enrolment));
    memset(enrolment->code[3], 'x', SR_HASH_MAX);
    assert_false(sr_enrolment_file.is_sound(enrolment));
    memset(enrolment->code[3], 0, SR_HASH_MAX);
    memset(enrolment->address[1], 'x', SR_ADDRESS_MAX);
    assert_false(sr_enrolment_file.is_sound(enrolment));
    memset(enrolment->address[1], 0, SR_ADDRESS_MAX);
    memset(enrolment->sms, '1', sizeof(enrolment->sms));
    assert_false(sr_enrolment_file.is_sound(enrolment));
    memset(enrolment->sms, 0, sizeof(enrolment->sms));
    memset(enrolment->device, 'x', sizeof(enrolment->device));
    assert_false(sr_enrolment_file.is_sound(enrolment));
    memset(enrolment->device, 0, sizeof(enrolment->device));
    enrolment->sent[SR_CHANNEL_PUSH].tries = -1;
    assert_false(sr_enrolment_file.is_sound(enrolment));
    enrolment->sent[SR_CHANNEL_PUSH].tries = 0;
    enrolment->gate[2].usable = -1;
    assert_false(sr_enrolment_file.is_sound(enrolment));
    enrolment->gate[2].usable = 0;
    enrolment->app_drift = 5000;
    assert_false(sr_enrolment_file.is_sound(enrolment));
    enrolment->app_drift = 0;
    assert_true(sr_enrolment_file.is_sound(enrolment));
    free(enrolment);
}

/* ---- the queue */

static void
test_queue_reads_what_it_wrote(void **state)
{
    struct sr_queued queued;
    char good[] = "selfreset queue 1\n1700000000\ncode\nK7Q4-2MXP\nann\n\n"
                  "To: <a@b>\n\ntext\n";
    char voice[] = "selfreset queue 1\n1\nvoice notice\nR\nann\n\nx\n";
    static const char *const bad[] = {
        "",
        "selfreset queue 2\n1\ncode\nR\nann\n\nx\n",
        "selfreset queue 1\nx\ncode\nR\nann\n\nx\n",
        "selfreset queue 1\n-1\ncode\nR\nann\n\nx\n",
        "selfreset queue 1\n99999999999999999999\ncode\nR\nann\n\nx\n",
        "selfreset queue 1\n1\nother\nR\nann\n\nx\n",
        "selfreset queue 1\n1\nsms\nR\nann\n\nx\n",
        "selfreset queue 1\n1\nfax code\nR\nann\n\nx\n",
        "selfreset queue 1\n1\nmail code\nR\nann\n\nx\n",
        "selfreset queue 1\n1\ncode\nREFERENCE-TOO-LONG\nann\n\nx\n",
        "selfreset queue 1\n1\ncode\nR\nann\nx\n",
        "selfreset queue 1\n1\ncode\nR\nann\n\n",
    };

    (void)state;
    assert_true(sr_queue_parse(good, &queued));
    assert_int_equal(queued.until, 1700000000);
    assert_true(queued.is_code);
    assert_string_equal(queued.ref, "K7Q4-2MXP");
    assert_string_equal(queued.user, "ann");
    assert_string_equal(queued.message, "To: <a@b>\n\ntext\n");
    assert_int_equal(queued.channel, SR_CHANNEL_MAIL);
    assert_true(sr_queue_parse(voice, &queued));
    assert_int_equal(queued.channel, SR_CHANNEL_VOICE);
    assert_false(queued.is_code);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *copy = strdup(bad[i]);

        assert_false(sr_queue_parse(copy, &queued));
        free(copy);
    }
}

static void
test_addresses_cannot_carry_headers(void **state)
{
    static const char *const good[] = {"a@b", "ann.lee+x@mail.example",
                                       "o'neil@example.org"};
    static const char *const bad[] = {
        "",        "a",           "@b",    "a@",     "a@b@c", "-f@b",
        "a b@c",   "a@b\nBcc: c", "a@b\r", "<a@b>",  "a,b@c", "a;b@c",
        "\"a\"@b", "a@b(x)",      "a\\@b", "|x@b",   "a@.b",  "\xc3\xa4@b",
        "a@b\x7f", "a:b@c",       "a@b.",  "a@b..c", "a%b@c", "b!a@c",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(sr_queue_is_address(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(sr_queue_is_address(bad[i]));
}

static void
test_messages_have_limits(void **state)
{
    static const struct {
        unsigned hour, day, own;
    } most[SR_CHANNELS] = {{5, 10, 6}, {3, 5, 3}, {3, 5, 3}, {3, 10, 6}};
    const sr_time now = 10 * SR_DAY;

    (void)state;
    for (int i = 0; i < SR_CHANNELS; i++) {
        struct sr_enrolment enrolment = {.app_step = 0};
        const enum sr_channel_id id = (enum sr_channel_id)i;
        sr_time *at = enrolment.sent[i].at;

        assert_true(sr_channel_may_send(&enrolment, id, now, false));
        sr_channel_note(&enrolment, id, now - 59, false);
        assert_false(sr_channel_may_send(&enrolment, id, now, false));
        assert_true(sr_channel_may_send(&enrolment, id, now + 1, false));
        memset(at, 0, sizeof(enrolment.sent[i].at));
        for (unsigned k = 0; k < most[i].hour; k++)
            sr_channel_note(&enrolment, id, now - 3599, false);
        assert_false(sr_channel_may_send(&enrolment, id, now, false));
        assert_true(sr_channel_may_send(&enrolment, id, now + 1, false));
        for (unsigned k = most[i].hour; k < most[i].day; k++)
            sr_channel_note(&enrolment, id, now - 3599, false);
        assert_false(
            sr_channel_may_send(&enrolment, id, now - 3600 + SR_DAY, false));
        assert_true(
            sr_channel_may_send(&enrolment, id, now - 3599 + SR_DAY, false));
        /* Those of the user, logged in, are counted apart. */
        assert_true(sr_channel_may_send(&enrolment, id, now, true));
        for (unsigned k = 0; k < most[i].own; k++)
            sr_channel_note(&enrolment, id, now - 3600, true);
        assert_false(sr_channel_may_send(&enrolment, id, now, true));
        /* And so are those of other channels. */
        assert_true(sr_channel_may_send(
            &enrolment, (enum sr_channel_id)((i + 1) % SR_CHANNELS), now,
            true));
    }
}

static void
test_budgets_end_and_begin_anew(void **state)
{
    static const unsigned bound[2] = {2, 3}, none[2] = {0, 0};
    struct sr_budget budget = {.count = {0}};

    (void)state;
    assert_true(sr_budget_count(&budget, bound, 100));
    assert_true(sr_budget_count(&budget, bound, 101));
    assert_false(sr_budget_count(&budget, bound, 3699));
    assert_true(sr_budget_count(&budget, bound, 3700));
    assert_false(sr_budget_count(&budget, bound, 3701)); /* the day's */
    assert_false(sr_budget_count(&budget, bound, 100 + SR_DAY - 1));
    assert_true(sr_budget_count(&budget, bound, 100 + SR_DAY));
    for (int i = 0; i < 1000; i++)
        assert_true(sr_budget_count(&budget, none, 100 + SR_DAY));
    assert_true(sr_budget_file.is_sound(&budget));
    budget.count[1] = -1;
    assert_false(sr_budget_file.is_sound(&budget));
    budget.count[1] = 0;
    budget.since[0] = -1;
    assert_false(sr_budget_file.is_sound(&budget));
}

/* ---- numbers */

static void
test_numbers_are_read_in_one_form(void **state)
{
    static const struct {
        const char *typed, *number, *masked;
    } good[] = {
        {"+4915123456789", "+4915123456789", "+49*********89"},
        {"+49 151 234-567.89", "+4915123456789", "+49*********89"},
        {"+12345678", "+12345678", "+12****78"},
        {"+123456789012345", "+123456789012345", "+12***********45"},
    };
    static const char *const bad[] = {
        "",
        "+",
        "4915123456789",
        "004915123456789",
        "015123456789",
        "+1234567",
        "+1234567890123456",
        "+0491512345678",
        "+49 (0)151 2345678",
        "+49/151/2345678",
        "+49 151  2345678",
        "+49 1512345678x12",
        "+491512345678,12",
        "+491512345678 ",
        " +491512345678",
        "+ 491512345678",
        "+49--1512345678",
        "+491512345678\nTo: +1900",
        "+491512345678\r",
        "+49\t1512345678",
        "+491512345678;rm -rf",
        "+49151\xc2\xa0"
        "2345678",
        "+4915\xd9\xa1"
        "2345678",
        "++491512345678",
        "+49+1512345678",
        "-f+491512345678",
        "+49151234-",
        "tel:+491512345678",
    };
    char out[SR_NUMBER_MAX], masked[SR_NUMBER_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(sr_number_read(good[i].typed, out));
        assert_string_equal(out, good[i].number);
        sr_number_mask(out, masked);
        assert_string_equal(masked, good[i].masked);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(sr_number_read(bad[i], out));
        assert_string_equal(out, "");
    }
}

static void
test_the_longest_prefix_decides(void **state)
{
    char all[] = "+49", service[] = "!+49900", free_one[] = "+499001",
         other[] = "+43", twice[] = "!+43";
    char *item[] = {service, all, free_one, other};
    char *contrary[] = {other, twice};
    char part[] = "+49900", rest[] = "!+49";
    char *orders[][2] = {{part, rest}, {rest, part}};
    const struct sr_string_list list = {item, 4}, none = {NULL, 0},
                                both = {contrary, 2};

    (void)state;
    assert_true(sr_number_is_allowed("+4915123456789", &list));
    assert_true(sr_number_is_allowed("+436641234567", &list));
    assert_false(sr_number_is_allowed("+49900234567", &list));
    assert_true(sr_number_is_allowed("+49900134567", &list));
    assert_false(sr_number_is_allowed("+41791234567", &list));
    assert_false(sr_number_is_allowed("+4915123456789", &none));
    assert_false(sr_number_is_allowed("+436641234567", &both));
    for (size_t i = 0; i < 2; i++) {
        const struct sr_string_list order = {orders[i], 2};

        assert_true(sr_number_is_allowed("+49900234567", &order));
        assert_false(sr_number_is_allowed("+4915123456789", &order));
    }
    assert_true(sr_number_is_prefix("+49 x", 3));
    assert_true(sr_number_is_prefix("!+4990", 6));
    assert_false(sr_number_is_prefix("+", 1));
    assert_false(sr_number_is_prefix("!", 1));
    assert_false(sr_number_is_prefix("", 0));
    assert_false(sr_number_is_prefix("49", 2));
    assert_false(sr_number_is_prefix("+049", 4));
    assert_false(sr_number_is_prefix("+4a", 3));
    assert_false(sr_number_is_prefix("+1234567890123456", 17));
}

static void
test_devices_are_one_word(void **state)
{
    static const char *const bad[] = {"",    "-x",       "a b",  "a\nTo: b",
                                      "a\t", "\xc3\xa4", "a\x7f"};
    char out[SR_ADDRESS_MAX], text[SR_ADDRESS_MAX];

    (void)state;
    assert_true(sr_channel_read(SR_CHANNEL_PUSH, "topic/4711+x@y", out));
    assert_string_equal(out, "topic/4711+x@y");
    sr_channel_mask(SR_CHANNEL_PUSH, out, text);
    assert_string_equal(text, "");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(sr_channel_read(SR_CHANNEL_PUSH, bad[i], out));
    memset(text, 'a', SR_DEVICE_MAX);
    text[SR_DEVICE_MAX] = '\0';
    assert_false(sr_channel_read(SR_CHANNEL_PUSH, text, out));
    text[SR_DEVICE_MAX - 1] = '\0';
    assert_true(sr_channel_read(SR_CHANNEL_PUSH, text, out));
}

/* ---- classes */

static void
test_gates_of_one_class_are_one_proof(void **state)
{
    const unsigned app = 1u << SR_GATE_APP, mail = 1u << SR_GATE_MAIL,
                   sms = 1u << SR_GATE_SMS, voice = 1u << SR_GATE_VOICE,
                   push = 1u << SR_GATE_PUSH, resume = 1u << SR_GATE_RESUME;

    (void)state;
    assert_int_equal(sr_gate_proofs(0, false), 0);
    assert_int_equal(sr_gate_proofs(resume, false), 0);
    assert_int_equal(sr_gate_proofs(sms | voice, false), 1);
    assert_int_equal(sr_gate_proofs(sms | mail, false), 2);
    assert_int_equal(sr_gate_proofs(sms | mail | voice, true), 1);
    assert_int_equal(sr_gate_proofs(sms | app, true), 2);
    assert_int_equal(sr_gate_proofs(mail | push, true), 2);
    assert_int_equal(sr_gate_proofs((1u << SR_GATE_COUNT) - 1, false), 8);
    for (int i = 0; i < SR_CHANNELS; i++)
        assert_int_equal(
            sr_gate_channel(sr_channel_gate((enum sr_channel_id)i)), i);
}

static void
test_domains_hold_for_what_is_below_them(void **state)
{
    char one[] = "corp.example";
    char *item[] = {one};
    const struct sr_string_list list = {item, 1};

    (void)state;
    assert_true(sr_channel_is_of("a@corp.example", &list));
    assert_true(sr_channel_is_of("a@mail.CORP.example", &list));
    assert_false(sr_channel_is_of("a@xcorp.example", &list));
    assert_false(sr_channel_is_of("a@corp.example.org", &list));
    assert_false(sr_channel_is_of("a@example", &list));
}

static void
test_a_contact_is_a_proof_beside_another(void **state)
{
    const unsigned contact = 1u << SR_GATE_CONTACT;
    struct sr_enrolment enrolment = {.app_step = 0};
    struct sr_account_time time = {.now = 5000, .wall = 5000};

    (void)state;
    assert_false(sr_contact_counts(contact, false));
    assert_true(sr_contact_counts(contact | 1u << SR_GATE_MAIL, false));
    assert_false(sr_contact_counts(contact | 1u << SR_GATE_MAIL, true));
    assert_true(sr_contact_counts(contact | 1u << SR_GATE_APP, true));
    sr_enrolment_set_up(&enrolment, SR_GATE_CONTACT, 0, &time);
    assert_false(sr_enrolment_has(&enrolment, SR_GATE_CONTACT, &never, &time));
    enrolment.contact.accepted = time.wall;
    assert_true(sr_enrolment_has(&enrolment, SR_GATE_CONTACT, &never, &time));
    assert_true(sr_enrolment_file.is_sound(&enrolment));
    memset(enrolment.contact.name, 'x', sizeof(enrolment.contact.name));
    assert_false(sr_enrolment_file.is_sound(&enrolment));
    sr_enrolment_remove(&enrolment, SR_GATE_CONTACT);
    assert_true(sr_enrolment_file.is_sound(&enrolment));
    enrolment.contact.tries = -1;
    assert_false(sr_enrolment_file.is_sound(&enrolment));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_is_read_as_it_was_meant),
        cmocka_unit_test(test_codes_are_made_in_groups_and_differ),
        cmocka_unit_test(test_kinds_have_their_names),
        cmocka_unit_test(test_app_takes_the_codes_of_the_rfc),
        cmocka_unit_test(test_app_takes_no_code_twice_or_of_an_earlier_step),
        cmocka_unit_test(test_app_takes_one_step_either_way_and_no_more),
        cmocka_unit_test(test_app_of_a_wrong_clock_needs_two_codes_once),
        cmocka_unit_test(test_app_takes_digits_only),
        cmocka_unit_test(test_app_shows_its_secret_in_groups_and_as_uri),
        cmocka_unit_test(test_keys_are_read_in_one_form),
        cmocka_unit_test(test_keys_that_are_not_used),
        cmocka_unit_test(test_signatures_say_whose_they_are),
        cmocka_unit_test(test_seal_opens_for_its_account_and_key_only),
        cmocka_unit_test(test_shared_text_is_of_its_account_and_key_only),
        cmocka_unit_test(test_enrolment_has_what_may_be_used),
        cmocka_unit_test(test_a_confirmation_ends),
        cmocka_unit_test(test_a_code_confirms_the_one_address_that_it_went_to),
        cmocka_unit_test(test_a_second_address_does_not_confirm_the_first),
        cmocka_unit_test(test_no_budget_tells_a_number),
        cmocka_unit_test(test_enrolment_that_cannot_be_is_damaged),
        cmocka_unit_test(test_a_contact_is_a_proof_beside_another),
        cmocka_unit_test(test_queue_reads_what_it_wrote),
        cmocka_unit_test(test_addresses_cannot_carry_headers),
        cmocka_unit_test(test_messages_have_limits),
        cmocka_unit_test(test_budgets_end_and_begin_anew),
        cmocka_unit_test(test_numbers_are_read_in_one_form),
        cmocka_unit_test(test_the_longest_prefix_decides),
        cmocka_unit_test(test_devices_are_one_word),
        cmocka_unit_test(test_gates_of_one_class_are_one_proof),
        cmocka_unit_test(test_domains_hold_for_what_is_below_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
