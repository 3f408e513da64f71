/*
 * What is published, and what is shown of it: the verdict on a payload is the
 * verdict on what went into it; the state groups are DESIGN's table; and every
 * reader of shadow(5) comes to the verdict's answer.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy/publish/view.h"
#include "policy/publish/bucket.h"
#include "policy/publish/delta.h"
#include "policy/decide/verdict.h"

/* Noon and a bit. */
#define TODAY ((sr_time)20600)
#define NOW   (TODAY * SR_DAY + 45296)

static const struct sr_caller LOGIN = {false, false};

/* Around now, and as far away as a number can be. */
static const sr_time few[] = {SR_TIME_UNKNOWN, SR_TIME_NEVER, NOW - 1, NOW,
                              NOW + 1};
#define FEW (sizeof(few) / sizeof(few[0]))

static const sr_time many[] = {
    SR_TIME_UNKNOWN,
    SR_TIME_NEVER,
    INT64_MIN + 1,
    NOW - 1,
    NOW,
    NOW + 1,
    NOW + SR_DAY,
    NOW + 14 * SR_DAY,
    NOW + 14 * SR_DAY + 1,
    INT64_MAX - 1,
    -1, /* less INT64_MAX it is "unknown" */
};
#define MANY (sizeof(many) / sizeof(many[0]))

/* The clocks at which an account is looked at. */
static const sr_time clocks[] = {
    INT64_MIN + 1, -1, 0, NOW - 1, NOW, NOW + 1, NOW + SR_DAY, INT64_MAX};
#define CLOCKS (sizeof(clocks) / sizeof(clocks[0]))

static struct sr_rules
plain_rules(void)
{
    struct sr_rules rules;

    memset(&rules, 0, sizeof(rules));
    rules.warn = 14 * SR_DAY;
    return rules;
}

static struct sr_facts
plain_facts(void)
{
    struct sr_facts facts;

    sr_facts_init(&facts);
    facts.answered = SR_YES;
    facts.has_password = SR_YES;
    facts.locked = SR_LOCK_NO;
    return facts;
}

/* xorshift: the same in every run. */
static uint64_t dice_state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t
dice(void)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return dice_state;
}

static bool
coin(void)
{
    return dice() >> 40 & 1;
}

/* Any 64 bits, or a time near now, or one of the special ones. */
static sr_time
any_time(void)
{
    switch (dice() >> 20 & 7) {
    case 0:
        return SR_TIME_UNKNOWN;
    case 1:
        return SR_TIME_NEVER;
    case 2:
        return (sr_time)dice();
    case 3:
        return many[(dice() >> 8) % MANY];
    case 4:
        return NOW + (sr_time)((dice() >> 8) % 9) - 4;
    default:
        return NOW + (sr_time)((dice() >> 8) % (80 * SR_DAY)) - 40 * SR_DAY;
    }
}

static enum sr_tri
any_tri(void)
{
    return (enum sr_tri)((dice() >> 16) % 3);
}

/* An enum that is usually harmless, so that the later states are reached. */
static enum sr_tri
seldom(void)
{
    return (dice() >> 16) % 8 == 0 ? SR_YES
           : any_tri() == SR_NO    ? SR_NO
                                   : SR_UNKNOWN;
}

static void
any_facts(struct sr_facts *facts)
{
    sr_facts_init(facts);
    facts->answered = (dice() >> 16) % 32 == 0 ? any_tri() : SR_YES;
    facts->disabled = seldom();
    facts->has_password = (dice() >> 16) % 8 == 0 ? SR_NO : SR_YES;
    facts->locked = coin() ? SR_LOCK_NO : (enum sr_lock)(dice() >> 16 & 3);
    facts->locked_why = (enum sr_lock_why)((dice() >> 16) % 5);
    facts->locked_until = any_time();
    facts->account_starts = coin() ? SR_TIME_UNKNOWN : any_time();
    facts->account_ends = coin() ? SR_TIME_UNKNOWN : any_time();
    facts->password_changed = any_time();
    facts->password_expires = any_time();
    facts->warn_from = coin() ? SR_TIME_UNKNOWN : any_time();
    facts->may_change_from = any_time();
    facts->inactive_from = any_time();
    facts->must_change = seldom();
    facts->temporary_until =
        (dice() >> 16) % 4 == 0 ? any_time() : SR_TIME_UNKNOWN;
    facts->grace_left = (int)((dice() >> 16) % 5) - 2;
    facts->cannot_change = seldom();
    facts->never_expires = seldom();
    facts->is_protected = seldom();
    facts->logon_hours = coin() ? SR_UNKNOWN : seldom();
    facts->hours_until = (dice() >> 16) % 4 == 0 ? any_time() : SR_TIME_UNKNOWN;
    facts->workstation = seldom() == SR_YES ? SR_NO : SR_YES;
}

static void
any_rules(struct sr_rules *rules)
{
    memset(rules, 0, sizeof(*rules));
    rules->warn = (dice() >> 16) % 8 == 0 ? (int64_t)dice() : 14 * SR_DAY;
    rules->grace = coin() ? SR_GRACE_CHANGE : SR_GRACE_TEXT;
    rules->require_logon = (dice() >> 16) % 4 == 0;
    rules->is_logon_exempt = coin();
    rules->minimum_age = coin() ? 0 : (int64_t)(dice() >> 1);
    rules->is_protected = (dice() >> 16) % 16 == 0;
    rules->is_cannot_change = (dice() >> 16) % 16 == 0;
}

/* ---- the property: published and read back, the verdict is the same */

static unsigned long compared;

static void
compare(const struct sr_facts *facts, const struct sr_rules *rules,
        const struct sr_facts *back, const struct sr_rules *kept, sr_time now)
{
    struct sr_verdict a = sr_verdict(facts, rules, &LOGIN, now);
    struct sr_verdict b = sr_verdict(back, kept, &LOGIN, now);

    compared++;
    if (a.state != b.state || a.barred_by != b.barred_by ||
        a.grace_left != b.grace_left)
        fail_msg("%s, read back %s; barred %d %d grace %d %d at %lld: "
                 "expires %lld warn %lld %lld inactive %lld",
                 sr_state_name(a.state), sr_state_name(b.state), a.barred_by,
                 b.barred_by, a.grace_left, b.grace_left, (long long)now,
                 (long long)facts->password_expires,
                 (long long)facts->warn_from, (long long)back->warn_from,
                 (long long)facts->inactive_from);
    for (int call = SR_CALL_AUTHENTICATE; call <= SR_CALL_ACCOUNT; call++)
        assert_int_equal(
            sr_verdict_answer(&a, (enum sr_step)call, rules, &LOGIN),
            sr_verdict_answer(&b, (enum sr_step)call, kept, &LOGIN));
}

static void
publish(enum sr_view view, const struct sr_facts *facts,
        const struct sr_rules *rules, struct sr_facts *back,
        struct sr_rules *kept)
{
    struct sr_payload payload;
    bool is_exempt;

    sr_payload_encode(view, facts, rules, false, &payload);
    if (!sr_payload_decode(payload.bytes, payload.size, back, kept, &is_exempt))
        fail_msg("a payload of %zu bytes is not read back", payload.size);
}

static void
check_views(const struct sr_facts *facts, const struct sr_rules *rules,
            const sr_time *at, size_t count)
{
    for (int view = 0; view < SR_VIEW_COUNT; view++) {
        struct sr_facts back;
        struct sr_rules kept;

        publish((enum sr_view)view, facts, rules, &back, &kept);
        for (size_t i = 0; i < count; i++)
            compare(facts, rules, &back, &kept, at[i]);
    }
}

/* The rules, all 32 of them, with those of the facts that say the same. */
static void
vary_rules(struct sr_facts *facts)
{
    for (unsigned i = 0; i < 1u << 8; i++) {
        struct sr_rules rules = plain_rules();

        rules.require_logon = (i & 1) != 0;
        rules.is_logon_exempt = (i & 2) != 0;
        rules.is_protected = (i & 4) != 0;
        rules.is_cannot_change = (i & 8) != 0;
        rules.grace = i & 16 ? SR_GRACE_CHANGE : SR_GRACE_TEXT;
        rules.minimum_age = i & 32 ? SR_DAY : 0;
        facts->cannot_change = i & 64 ? SR_YES : SR_UNKNOWN;
        facts->is_protected = i & 128 ? SR_YES : SR_NO;
        check_views(facts, &rules, &clocks[4], 1);
    }
}

/* The password's half of the product, with every rule. */
static void
test_password(void **state)
{
    static const int grace[] = {-1, 0, 2};
    struct sr_facts facts = plain_facts();

    (void)state;
    compared = 0;
    for (size_t i = 0; i < FEW * FEW * FEW * 9; i++) {
        facts.password_expires = few[i % FEW];
        facts.inactive_from = few[i / FEW % FEW];
        facts.temporary_until = few[i / FEW / FEW % FEW];
        facts.grace_left = grace[i / FEW / FEW / FEW % 3];
        facts.must_change = (enum sr_tri)(i / FEW / FEW / FEW / 3);
        facts.has_password = SR_YES;
        vary_rules(&facts);
        facts.has_password = SR_NO;
        facts.never_expires = SR_NO;
        vary_rules(&facts);
        facts.never_expires = SR_YES;
        vary_rules(&facts);
        facts.never_expires = SR_UNKNOWN;
    }
    assert_true(compared > 1700000);
}

/* The account's half, with a password in each state and every clock. */
static void
test_account(void **state)
{
    struct sr_rules rules = plain_rules();
    struct sr_facts facts = plain_facts();

    (void)state;
    compared = 0;
    for (size_t i = 0; i < FEW * FEW * FEW * 4 * 5 * 3; i++) {
        facts.account_ends = few[i % FEW];
        facts.account_starts = few[i / FEW % FEW];
        facts.locked_until = few[i / FEW / FEW % FEW];
        facts.locked = (enum sr_lock)(i / FEW / FEW / FEW % 4);
        facts.locked_why = (enum sr_lock_why)(i / FEW / FEW / FEW / 4 % 5);
        facts.disabled = (enum sr_tri)(i / FEW / FEW / FEW / 4 / 5);
        for (int answered = SR_UNKNOWN; answered <= SR_YES; answered++) {
            facts.answered = (enum sr_tri)answered;
            for (size_t j = 0; j < FEW; j++) {
                facts.password_expires = few[j];
                check_views(&facts, &rules, clocks, CLOCKS);
            }
        }
    }
    assert_true(compared > 1700000);
}

/* What warnings and the minimum age are computed from. */
static void
test_warnings(void **state)
{
    static const int64_t periods[] = {INT64_MIN, -1,          0,
                                      1,         14 * SR_DAY, INT64_MAX};
    struct sr_facts facts = plain_facts();
    struct sr_rules rules = plain_rules();

    (void)state;
    compared = 0;
    for (size_t i = 0; i < MANY * MANY * MANY * 36; i++) {
        facts.password_expires = many[i % MANY];
        facts.warn_from = many[i / MANY % MANY];
        facts.password_changed = many[i / MANY / MANY % MANY];
        rules.warn = periods[i / MANY / MANY / MANY % 6];
        rules.minimum_age = periods[i / MANY / MANY / MANY / 6];
        check_views(&facts, &rules, clocks, CLOCKS);
    }
    assert_true(compared > 500000);
}

static void
test_random(void **state)
{
    (void)state;
    for (unsigned long i = 0; i < 300000; i++) {
        struct sr_facts facts;
        struct sr_rules rules;
        sr_time at[6];

        any_facts(&facts);
        any_rules(&rules);
        for (size_t j = 0; j < 6; j++)
            do
                at[j] = any_time();
            while (at[j] == SR_TIME_UNKNOWN);
        at[0] = SR_TIME_IS_SET(facts.password_expires) ? facts.password_expires
                                                       : NOW;
        check_views(&facts, &rules, at, 6);
    }
}

/* Published again, what was read back is the same to the byte: who compares
 * payloads must not take each for a change. */
static void
test_again(void **state)
{
    (void)state;
    for (unsigned long i = 0; i < 100000; i++) {
        const enum sr_view view = i & 1 ? SR_VIEW_SHADOW : SR_VIEW_GROUPS;
        struct sr_facts facts, back;
        struct sr_rules rules, kept;
        struct sr_payload first, second;
        const bool is_exempt = coin();
        bool read;

        any_facts(&facts);
        any_rules(&rules);
        sr_payload_encode(view, &facts, &rules, is_exempt, &first);
        assert_true(
            sr_payload_decode(first.bytes, first.size, &back, &kept, &read));
        assert_int_equal(is_exempt, read);
        sr_payload_encode(view, &back, &kept, read, &second);
        assert_int_equal(first.size, second.size);
        assert_memory_equal(first.bytes, second.bytes, first.size);
    }
}

/* A service that spares expired passwords does not change what is published;
 * and the groups view tells neither reasons nor when the password was set. */
static void
test_told(void **state)
{
    struct sr_facts facts = plain_facts(), back;
    struct sr_rules rules = plain_rules(), kept;
    struct sr_payload plain, spared;

    (void)state;
    facts.password_changed = NOW - SR_DAY;
    facts.may_change_from = NOW;
    facts.locked_why = SR_LOCK_WHY_THROTTLE;
    rules.minimum_age = 3 * SR_DAY;
    publish(SR_VIEW_GROUPS, &facts, &rules, &back, &kept);
    assert_true(back.password_changed == SR_TIME_UNKNOWN);
    assert_true(back.may_change_from == SR_TIME_UNKNOWN);
    assert_int_equal(SR_LOCK_WHY_NONE, back.locked_why);
    publish(SR_VIEW_SHADOW, &facts, &rules, &back, &kept);
    assert_true(back.password_changed == NOW - SR_DAY);
    assert_true(back.may_change_from == NOW + 2 * SR_DAY);
    assert_int_equal(SR_LOCK_WHY_THROTTLE, back.locked_why);
    sr_payload_encode(SR_VIEW_SHADOW, &facts, &rules, false, &plain);
    rules.spare_expired = true;
    sr_payload_encode(SR_VIEW_SHADOW, &facts, &rules, false, &spared);
    assert_memory_equal(plain.bytes, spared.bytes, plain.size);
    assert_false(kept.spare_expired);
}

/* ---- state groups */

#define MUST     SR_GROUP_BIT(SR_GROUP_MUST_CHANGE)
#define EXPIRED  SR_GROUP_BIT(SR_GROUP_EXPIRED)
#define EXPIRING SR_GROUP_BIT(SR_GROUP_EXPIRING)
#define LOCKED   SR_GROUP_BIT(SR_GROUP_LOCKED)
#define OK       SR_GROUP_BIT(SR_GROUP_OK)
#define UNKNOWN  SR_GROUP_BIT(SR_GROUP_UNKNOWN)

/* One row a state: what it is shown as; for BARRED, what the change is due for
 * decides. */
static unsigned
expected_groups(const struct sr_facts *facts, enum sr_state state)
{
    static const unsigned row[SR_STATE_COUNT] = {
        [SR_STATE_DISABLED] = LOCKED,
        [SR_STATE_ENDED] = LOCKED,
        [SR_STATE_NOT_YET] = LOCKED,
        [SR_STATE_LOCKED] = LOCKED,
        [SR_STATE_LAPSED] = EXPIRED,
        [SR_STATE_MUST_CHANGE] = MUST | OK,
        [SR_STATE_OUT_OF_HOURS] = LOCKED,
        [SR_STATE_OFF_WORKSTATION] = LOCKED,
        [SR_STATE_EXPIRED] = EXPIRED | OK,
        [SR_STATE_GRACE] = EXPIRED | OK,
        [SR_STATE_EXPIRING] = EXPIRING | OK,
        [SR_STATE_OK] = OK,
        [SR_STATE_UNKNOWN] = UNKNOWN,
    };
    const bool is_temporary = facts->temporary_until != SR_TIME_UNKNOWN;

    if (state == SR_STATE_BARRED)
        return facts->must_change == SR_YES || is_temporary ? MUST : EXPIRED;
    return row[state];
}

static void
check_groups(const struct sr_facts *facts, const struct sr_rules *rules,
             sr_time now)
{
    const struct sr_verdict v = sr_verdict(facts, rules, &LOGIN, now);
    const enum sr_answer answer =
        sr_verdict_answer(&v, SR_CALL_ACCOUNT, rules, &LOGIN);
    const bool lets_in =
        answer == SR_ANSWER_OK || answer == SR_ANSWER_CHANGE_NOW;
    const unsigned groups = sr_view_groups(facts, rules, false, now);
    const unsigned exempt = sr_view_groups(facts, rules, true, now);
    const unsigned account = groups & (LOCKED | OK | UNKNOWN);

    if (groups != expected_groups(facts, v.state))
        fail_msg("%s: groups %#x, expected %#x", sr_state_name(v.state), groups,
                 expected_groups(facts, v.state));
    /* acct-ok means what PAM means. */
    assert_int_equal(lets_in, (groups & OK) != 0);
    /* One acct- group or none; never both in and out. */
    assert_true((account & (account - 1)) == 0);
    assert_true(account != 0 || (groups & (MUST | EXPIRED)) != 0);
    assert_true((exempt & (LOCKED | UNKNOWN | MUST | EXPIRED)) == 0);
    assert_true((exempt & OK) != 0);
    assert_int_equal(exempt & EXPIRING, groups & EXPIRING);
}

static void
test_groups(void **state)
{
    unsigned seen[SR_STATE_COUNT] = {0};

    (void)state;
    for (unsigned long i = 0; i < 500000; i++) {
        struct sr_facts facts;
        struct sr_rules rules;

        any_facts(&facts);
        any_rules(&rules);
        check_groups(&facts, &rules, NOW);
        seen[sr_verdict(&facts, &rules, &LOGIN, NOW).state]++;
    }
    /* The dice throw every state, and none but rarely. */
    for (int i = 0; i < SR_STATE_COUNT; i++)
        if (seen[i] < 1000)
            fail_msg("%s: only %u", sr_state_name((enum sr_state)i), seen[i]);
}

/* Time takes acct-ok away and never gives it, but at the end of a lock and at
 * the start; and no pw- group goes away but for a worse one. */
static void
test_monotone(void **state)
{
    (void)state;
    for (unsigned long i = 0; i < 200000; i++) {
        struct sr_facts facts;
        struct sr_rules rules;
        unsigned before, after;
        sr_time now = NOW - 5;

        any_facts(&facts);
        any_rules(&rules);
        facts.account_starts = SR_TIME_UNKNOWN;
        facts.hours_until = SR_TIME_NEVER;
        if (facts.locked == SR_LOCK_UNTIL)
            facts.locked = SR_LOCK_NO;
        before = sr_view_groups(&facts, &rules, false, now);
        for (; now < NOW + 5; now++, before = after) {
            after = sr_view_groups(&facts, &rules, false, now);
            assert_true((after & OK) == 0 || (before & OK) != 0);
            assert_true((after & LOCKED) != 0 || (before & LOCKED) == 0);
            assert_int_equal(after & UNKNOWN, before & UNKNOWN);
            if ((after & LOCKED) == 0 && (before & EXPIRED) != 0)
                assert_true((after & EXPIRED) != 0);
            if ((after & LOCKED) == 0 && (before & EXPIRING) != 0)
                assert_true((after & (EXPIRING | EXPIRED)) != 0);
            if ((after & LOCKED) == 0 && (before & MUST) != 0)
                assert_true((after & (MUST | EXPIRED)) != 0);
        }
    }
}

static void
test_names(void **state)
{
    static const char *const name[] = {
        "pw-must-change", "pw-expired", "pw-expiring",
        "acct-locked",    "acct-ok",    "acct-state-unknown",
    };

    (void)state;
    for (int i = 0; i < SR_GROUP_COUNT; i++)
        assert_string_equal(name[i], sr_group_name((enum sr_group)i));
    assert_null(sr_group_name(SR_GROUP_COUNT));
}

/* ---- shadow(5): what its readers take it for */

enum reading { IN, WARNED, CHANGE, TOKEN, ACCOUNT };

static const char *const reading_name[] = {"in", "in, warned", "change",
                                           "token expired", "account expired"};

/* The day as readers have it: towards zero. */
static long
reader_day(sr_time now)
{
    return (long)(now / 86400);
}

/* pam_unix of Linux-PAM 1.5: a limit is passed the day after. */
static enum reading
pam_1_5(const struct sr_view_shadow *s, long today)
{
    const long age = today - s->changed;

    if (s->expire != -1 && today >= s->expire)
        return ACCOUNT;
    if (s->changed == 0)
        return CHANGE;
    if (age < 0)
        return IN;
    if (s->max != -1 && s->inactive != -1 && age > s->max &&
        age > s->inactive && age > s->max + s->inactive)
        return TOKEN;
    if (s->max != -1 && age > s->max)
        return CHANGE;
    return s->max != -1 && s->warn != -1 && age > s->max - s->warn ? WARNED
                                                                   : IN;
}

/* pam_unix of Linux-PAM 1.7: a limit is passed on its day. */
static enum reading
pam_1_7(const struct sr_view_shadow *s, long today)
{
    const long age = today - s->changed;

    if (s->expire >= 0 && today >= s->expire)
        return ACCOUNT;
    if (s->changed == 0)
        return CHANGE;
    if (s->changed < 0 || age < 0 || s->max < 0)
        return IN;
    if (s->inactive >= 0 && age >= s->max + s->inactive)
        return TOKEN;
    if (age >= s->max)
        return CHANGE;
    return s->warn > 0 && (s->warn > s->max || age >= s->max - s->warn) ? WARNED
                                                                        : IN;
}

/* Older ones of both let the last day of the account pass. */
static enum reading
pam_late(const struct sr_view_shadow *s, long today)
{
    struct sr_view_shadow later = *s;

    if (later.expire != -1)
        later.expire++;
    return pam_1_5(&later, today);
}

/* sshd by itself, which knows no token that may not be changed. */
static enum reading
sshd_alone(const struct sr_view_shadow *s, long today)
{
    const long left = s->changed + s->max - today;

    if (s->expire != -1 && s->expire - today < 0)
        return ACCOUNT;
    if (s->changed == 0)
        return CHANGE;
    if (s->max == -1)
        return IN;
    if (left < 0)
        return CHANGE;
    return left <= s->warn ? WARNED : IN;
}

/* shadow's own: `most` days are never. */
static enum reading
shadow_own(const struct sr_view_shadow *s, long today, long most)
{
    if (s->expire > 0 && today >= s->expire)
        return ACCOUNT;
    if (s->changed == 0)
        return CHANGE;
    if (s->changed > 0 && s->max >= 0 && s->inactive >= 0 &&
        today >= s->changed + s->max + s->inactive)
        return TOKEN;
    if (s->changed != -1 && s->max != -1 && s->max < most &&
        today >= s->changed + s->max)
        return CHANGE;
    if (s->changed == -1 || s->max == -1 || s->warn == -1)
        return IN;
    return s->changed + s->max - today <= s->warn ? WARNED : IN;
}

static enum reading
shadow_4_13(const struct sr_view_shadow *s, long today)
{
    return shadow_own(s, today, 10000);
}

static enum reading
shadow_4_17(const struct sr_view_shadow *s, long today)
{
    return shadow_own(s, today, INT64_MAX);
}

static const struct {
    const char *name;
    enum reading (*read)(const struct sr_view_shadow *, long today);
    bool knows_token;
} readers[] = {
    {"Linux-PAM 1.5", pam_1_5, true},   {"Linux-PAM 1.7", pam_1_7, true},
    {"a late reader", pam_late, true},  {"sshd", sshd_alone, false},
    {"shadow 4.13", shadow_4_13, true}, {"shadow 4.17", shadow_4_17, true},
};

/* The verdict's answer as a reading; a lock for a time is left to the groups.
 */
static enum reading
expected_reading(const struct sr_facts *facts, const struct sr_rules *rules,
                 sr_time now)
{
    struct sr_facts open = *facts;
    struct sr_verdict v;

    if (open.locked == SR_LOCK_UNTIL)
        open.locked = SR_LOCK_NO;
    v = sr_verdict(&open, rules, &LOGIN, now);
    switch (sr_verdict_answer(&v, SR_CALL_ACCOUNT, rules, &LOGIN)) {
    case SR_ANSWER_OK:
        return v.state == SR_STATE_EXPIRING || v.state == SR_STATE_GRACE
                   ? WARNED
                   : IN;
    case SR_ANSWER_CHANGE_NOW:
        return CHANGE;
    case SR_ANSWER_TOKEN_EXPIRED:
        return TOKEN;
    default:
        return ACCOUNT;
    }
}

static bool
is_change_due(const struct sr_facts *facts, const struct sr_rules *rules,
              sr_time now)
{
    struct sr_facts open = *facts;
    struct sr_verdict v;

    if (open.locked == SR_LOCK_UNTIL)
        open.locked = SR_LOCK_NO;
    v = sr_verdict(&open, rules, &LOGIN, now);
    return sr_verdict_is_change_due(&v);
}

/* Whether pam_unix, or shadow's passwd by itself, would say "too early"; who
 * counts from day 0 has no minimum to count. */
static bool
refuses_change(const struct sr_view_shadow *s, long today)
{
    if (s->changed == 0 || s->max < 0)
        return s->min > 0;
    return s->min > s->max || (s->min > 0 && today - s->changed < s->min);
}

static void
check_sane(const struct sr_view_shadow *s)
{
    const long field[] = {s->changed, s->min,      s->max,
                          s->warn,    s->inactive, s->expire};

    assert_true(s->password == '*' || s->password == '!');
    for (size_t i = 0; i < 6; i++)
        assert_in_range(field[i] + 1, 0, 1000000001);
    assert_true(s->expire != 0);
    assert_true(s->password != '!' || s->expire == 1);
}

static void
check_shadow(const struct sr_facts *facts, const struct sr_rules *rules,
             sr_time now)
{
    const enum reading expected = expected_reading(facts, rules, now);
    const long today = reader_day(now);
    struct sr_view_shadow shown;
    struct sr_facts back;
    struct sr_rules kept;

    compared++;
    publish(SR_VIEW_SHADOW, facts, rules, &back, &kept);
    if (!sr_view_shadow(&back, &kept, now, &shown)) {
        assert_true(facts->answered != SR_YES || now < 2 * SR_DAY ||
                    today >= 1000000000);
        return;
    }
    assert_int_equal(SR_YES, facts->answered);
    check_sane(&shown);
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        enum reading is = readers[i].read(&shown, today);

        if (is == expected ||
            (expected == TOKEN && is == CHANGE && !readers[i].knows_token))
            continue;
        fail_msg("%s: %s, expected %s at %lld of day %ld: changed %ld min %ld "
                 "max %ld warn %ld inactive %ld expire %ld",
                 readers[i].name, reading_name[is], reading_name[expected],
                 (long long)now, today, shown.changed, shown.min, shown.max,
                 shown.warn, shown.inactive, shown.expire);
    }
    /* Nor is a change by a grace login too early. */
    if (is_change_due(facts, rules, now))
        assert_false(refuses_change(&shown, today));
}

/* `now` moved by seconds, as far as numbers go. */
static sr_time
moved(sr_time now, sr_time by)
{
    sr_time sum;

    return __builtin_add_overflow(now, by, &sum) ? SR_TIME_NEVER : sum;
}

/* Times about `now`, at its second, its midnights and far off. */
static sr_time
near(sr_time now, unsigned choice)
{
    const sr_time midnight = now - now % SR_DAY;
    const sr_time list[] = {
        SR_TIME_UNKNOWN,
        SR_TIME_NEVER,
        moved(now, -1),
        now,
        moved(now, 1),
        midnight,
        moved(midnight, SR_DAY - 1),
        moved(midnight, SR_DAY),
        moved(midnight, 2 * SR_DAY),
        moved(midnight, -1),
        moved(midnight, 14 * SR_DAY),
        moved(midnight, 15 * SR_DAY),
        moved(now, -11000 * SR_DAY),
        moved(now, 11000 * SR_DAY),
        1,
        0,
        INT64_MIN + 1,
        INT64_MAX - 1,
        moved(now, 14 * SR_DAY),
        moved(now, 14 * SR_DAY + 1),
    };

    return list[choice % (sizeof(list) / sizeof(list[0]))];
}

static const sr_time days[] = {
    TODAY * SR_DAY - 1,
    TODAY *SR_DAY,
    TODAY *SR_DAY + 1,
    NOW,
    (TODAY + 1) * SR_DAY - 1,
    -1,
    -SR_DAY,
    0,
    1,
    SR_DAY - 1,
    SR_DAY,
    2 * SR_DAY - 1,
    2 * SR_DAY,
    3 * SR_DAY + 7,
    INT64_C(4102444800), /* 2100 */
    INT64_C(4102444800) + 43200,
    INT64_C(253402300799), /* the end of 9999 */
    INT64_C(1000000000) * SR_DAY - SR_DAY - 1,
    INT64_C(1000000000) * SR_DAY,
    INT64_MIN + 1,
    INT64_MAX - 1,
};
#define DAYS (sizeof(days) / sizeof(days[0]))

/* The password's times crossed with each other, at each clock. */
static void
test_shadow_password(void **state)
{
    struct sr_rules rules = plain_rules();

    (void)state;
    compared = 0;
    for (size_t i = 0; i < DAYS; i++) {
        for (unsigned j = 0; j < 20 * 20 * 20; j++) {
            struct sr_facts facts = plain_facts();
            unsigned bits = (unsigned)dice() & 15;

            facts.password_expires = near(days[i], j);
            facts.password_changed = near(days[i], j / 20);
            facts.may_change_from = near(days[i], j / 400);
            facts.inactive_from = near(days[i], (unsigned)(dice() >> 32));
            facts.warn_from = bits & 1 ? near(days[i], (unsigned)(dice() >> 32))
                                       : SR_TIME_UNKNOWN;
            facts.grace_left = bits & 2 ? 2 : -1;
            rules.grace = bits & 4 ? SR_GRACE_CHANGE : SR_GRACE_TEXT;
            rules.require_logon = (bits & 8) != 0;
            check_shadow(&facts, &rules, days[i]);
        }
    }
    assert_true(compared > 100000);
}

static void
test_shadow_random(void **state)
{
    unsigned seen[5] = {0};

    (void)state;
    for (unsigned long i = 0; i < 1000000; i++) {
        const sr_time now = days[(dice() >> 16) % DAYS];
        struct sr_facts facts;
        struct sr_rules rules;

        any_facts(&facts);
        any_rules(&rules);
        facts.password_expires = near(now, (unsigned)(dice() >> 32));
        facts.password_changed = near(now, (unsigned)(dice() >> 32));
        facts.may_change_from = near(now, (unsigned)(dice() >> 32));
        if (coin()) {
            facts.account_starts = SR_TIME_UNKNOWN;
            facts.account_ends = near(now, (unsigned)(dice() >> 32));
            facts.temporary_until = SR_TIME_UNKNOWN;
        }
        check_shadow(&facts, &rules, now);
        if (facts.answered == SR_YES)
            seen[expected_reading(&facts, &rules, now)]++;
    }
    for (int i = 0; i < 5; i++)
        assert_true(seen[i] > 5000);
}

/* Some that a person can read. */
static void
test_shadow_cases(void **state)
{
    struct sr_facts facts = plain_facts();
    struct sr_rules rules = plain_rules();
    struct sr_view_shadow shown;

    (void)state;
    facts.password_changed = (TODAY - 10) * SR_DAY + 5;
    facts.password_expires = (TODAY + 80) * SR_DAY + 5;
    facts.warn_from = (TODAY + 66) * SR_DAY + 5;
    facts.may_change_from = (TODAY - 9) * SR_DAY + 5;
    facts.inactive_from = (TODAY + 110) * SR_DAY + 5;
    facts.account_ends = (TODAY + 300) * SR_DAY;
    assert_true(sr_view_shadow(&facts, &rules, NOW, &shown));
    assert_int_equal('*', shown.password);
    assert_int_equal(TODAY - 10, shown.changed);
    assert_int_equal(1, shown.min);
    assert_int_equal(90, shown.max);
    assert_int_equal(14, shown.warn);
    assert_int_equal(30, shown.inactive);
    assert_int_equal(TODAY + 300, shown.expire);
    /* What nslcd makes "no ageing" of. */
    facts.must_change = SR_YES;
    facts.password_changed = SR_TIME_UNKNOWN;
    assert_true(sr_view_shadow(&facts, &rules, NOW, &shown));
    assert_int_equal(0, shown.changed);
    facts.disabled = SR_YES;
    assert_true(sr_view_shadow(&facts, &rules, NOW, &shown));
    assert_int_equal('!', shown.password);
    assert_int_equal(1, shown.expire);
    facts.answered = SR_NO;
    assert_false(sr_view_shadow(&facts, &rules, NOW, &shown));
}

/* A stranger who locks an account for a time hides nothing of its password. */
static void
test_shadow_lock(void **state)
{
    struct sr_facts facts = plain_facts();
    struct sr_rules rules = plain_rules();
    struct sr_view_shadow open, locked;

    (void)state;
    facts.password_expires = NOW - 30 * SR_DAY;
    assert_true(sr_view_shadow(&facts, &rules, NOW, &open));
    facts.locked = SR_LOCK_UNTIL;
    facts.locked_until = NOW + 60;
    assert_true(sr_view_shadow(&facts, &rules, NOW, &locked));
    assert_int_equal('*', locked.password);
    assert_int_equal(open.changed, locked.changed);
    assert_int_equal(open.max, locked.max);
    assert_int_equal(open.inactive, locked.inactive);
    assert_int_equal(-1, locked.expire);
    facts.locked = SR_LOCK_ADMIN;
    assert_true(sr_view_shadow(&facts, &rules, NOW, &locked));
    assert_int_equal('!', locked.password);
    assert_int_equal(1, locked.expire);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_account),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_monotone),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_shadow_password),
        cmocka_unit_test(test_shadow_random),
        cmocka_unit_test(test_shadow_cases),
        cmocka_unit_test(test_shadow_lock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
