/*
 * Unit tests of the recovery contact: what its changes of an enrolment do, also
 * when they are made again with what there is then.  The source is compiled
 * into this test.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "policy/reset/contact.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct sr_identity bob = {
    .backend = "local", .name = "bob", .uid = 4711};
static struct sr_config config; /* all settings are 0 */

/* The account of ann, who has named bob; he has accepted. */
static struct sr_enrolment
make_enrolment(const struct sr_account_time *time)
{
    struct sr_enrolment enrolment = {.app_step = 0};
    struct naming naming = {.id = bob};

    assert_true(name_in(&naming, &enrolment, time));
    enrolment.contact.accepted = time->wall;
    return enrolment;
}

/* The same with a request of the run. */
static struct sr_enrolment
make_request(struct sr_run *run, const struct sr_account_time *time)
{
    struct sr_enrolment enrolment = make_enrolment(time);
    struct request request = {.run = run, .code = "123456"};

    run->config = &config;
    snprintf(run->ref, sizeof(run->ref), "K7Q4-2MXP");
    assert_true(ask_in(&request, &enrolment, time));
    assert_true(request.is_open);
    return enrolment;
}

static struct reply
reply_of(const struct sr_enrolment *enrolment, const char *code)
{
    struct reply reply = {.me = bob,
                          .kind = SR_RESET_CONFIRM,
                          .is_no = code == NULL,
                          .contact = enrolment->contact};

    snprintf(reply.code, sizeof(reply.code), "%s", code == NULL ? "" : code);
    return reply;
}

static void
test_namings_are_bounded(void **state)
{
    struct sr_account_time time = {.now = 100000, .wall = 100000};
    struct sr_enrolment enrolment = make_enrolment(&time);
    struct naming naming = {.id = bob};
    unsigned count = 1;

    (void)state;
    naming.id.uid = 4712;
    assert_false(name_in(&naming, &enrolment, &time));
    assert_false(naming.may_send);
    assert_int_equal(enrolment.contact.uid, bob.uid);
    assert_int_equal(enrolment.contact.accepted, time.wall);
    for (time.now += 61; time.now < 100000 + SR_DAY - 61; time.now += 61)
        count += name_in(&naming, &enrolment, &time);
    assert_int_equal(count, SR_SENDS_OWN);
    assert_int_equal(enrolment.contact.uid, 4712);
    assert_int_equal(enrolment.contact.accepted, 0);
    /* Mails that the owner asks for are counted with them. */
    assert_false(
        sr_channel_may_send(&enrolment, SR_CHANNEL_MAIL, time.now, true));
    assert_true(
        sr_channel_may_send(&enrolment, SR_CHANNEL_MAIL, time.now, false));
}

static void
test_a_request_of_a_contact_removed_meanwhile_is_none(void **state)
{
    const struct sr_account_time time = {.now = 100000, .wall = 100000};
    struct sr_enrolment enrolment = make_enrolment(&time);
    struct sr_run run = {.config = &config, .ref = "K7Q4-2MXP"};
    struct request request = {.run = &run, .code = "123456"};

    (void)state;
    assert_true(ask_in(&request, &enrolment, &time));
    assert_true(request.is_open);
    sr_enrolment_remove(&enrolment, SR_GATE_CONTACT);
    assert_false(ask_in(&request, &enrolment, &time));
    assert_false(request.is_open);
}

static void
test_an_answer_that_came_second_is_none(void **state)
{
    const struct sr_account_time time = {.now = 100000, .wall = 100000};
    struct sr_run run = {.peer = NULL};
    struct sr_enrolment enrolment = make_request(&run, &time), later;
    struct reply reply = reply_of(&enrolment, "123456");

    (void)state;
    later = enrolment;
    assert_true(reply_in(&reply, &enrolment, &time));
    assert_int_equal(reply.answer, CONFIRMED);
    /* Made again after another one has refused, or the contact was changed. */
    later.contact.answer = REFUSED;
    assert_false(reply_in(&reply, &later, &time));
    assert_int_equal(reply.answer, NONE);
    assert_false(reply.is_mine);
    later.contact.uid++;
    reply.answer = CONFIRMED;
    assert_false(reply_in(&reply, &later, &time));
    assert_int_equal(reply.answer, NONE);
}

static void
test_wrong_digits_are_counted_over_dialogues(void **state)
{
    const struct sr_account_time time = {.now = 100000, .wall = 100000};
    struct sr_run run = {.peer = NULL};
    struct sr_enrolment enrolment = make_request(&run, &time);

    (void)state;
    for (int i = 1; i <= TRIES; i++) { /* each in one of its own */
        struct reply reply = reply_of(&enrolment, i == 1 ? "" : "654321");

        assert_true(reply_in(&reply, &enrolment, &time));
        assert_int_equal(reply.answer, i < TRIES ? NONE : REFUSED);
    }
}

static void
test_an_answer_is_read_once_and_in_time(void **state)
{
    struct sr_account_time time = {.now = 100000, .wall = 100000};
    struct sr_run run = {.peer = NULL};
    struct sr_enrolment enrolment = make_request(&run, &time), late;
    struct reply reply = reply_of(&enrolment, "123456");
    struct request request = {.run = &run};

    (void)state;
    assert_false(read_in(&request, &enrolment, &time));
    assert_int_equal(request.answer, NONE);
    assert_true(reply_in(&reply, &enrolment, &time));
    late = enrolment;
    assert_true(read_in(&request, &enrolment, &time));
    assert_int_equal(request.answer, CONFIRMED);
    assert_false(read_in(&request, &enrolment, &time));
    assert_int_equal(request.answer, REFUSED);
    time.now += LIFE;
    assert_false(read_in(&request, &late, &time));
    assert_int_equal(request.answer, REFUSED);
    assert_false(request.is_open);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_namings_are_bounded),
        cmocka_unit_test(test_a_request_of_a_contact_removed_meanwhile_is_none),
        cmocka_unit_test(test_an_answer_that_came_second_is_none),
        cmocka_unit_test(test_wrong_digits_are_counted_over_dialogues),
        cmocka_unit_test(test_an_answer_is_read_once_and_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
