/*
 * Tests of ageing: the ages of the configuration beside those of shadow,
 * against an oracle that asks each rule by itself at each moment.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "policy/decide/ageing.h"
#include "policy/decide/verdict.h"

struct input {
    struct sr_ageing shadow; /* days; -1: empty */
    struct sr_rules rules;
    sr_time stamp; /* SR_TIME_UNKNOWN: none */
};

/* When the password was changed; -1: nothing tells. */
static sr_time
changed_at(const struct input *in)
{
    if (in->shadow.changed > 0)
        return in->shadow.changed * SR_DAY;
    return in->stamp == SR_TIME_UNKNOWN ? -1 : in->stamp;
}

static bool
shadow_expires(const struct input *in)
{
    return in->shadow.changed > 0 && in->shadow.max >= 0 &&
           in->shadow.max < 10000;
}

static sr_time
shadow_end(const struct input *in)
{
    return (in->shadow.changed + in->shadow.max) * SR_DAY;
}

static bool
is_expired(const struct input *in, sr_time now)
{
    if (shadow_expires(in) && now >= shadow_end(in))
        return true;
    return in->rules.max_age > 0 && changed_at(in) >= 0 &&
           now - changed_at(in) >= in->rules.max_age;
}

/* The moment of the expiry, found by asking; -1: none within the years that the
 * test looks at. */
static sr_time
end_of(const struct input *in, sr_time horizon)
{
    sr_time low = 0, high = horizon;

    if (!is_expired(in, horizon))
        return -1;
    while (low < high) {
        sr_time middle = low + (high - low) / 2;

        if (is_expired(in, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool
is_inactive(const struct input *in, sr_time now, sr_time end)
{
    if (!is_expired(in, now))
        return false;
    if (shadow_expires(in) && in->shadow.inactive >= 0 &&
        now >= shadow_end(in) + in->shadow.inactive * SR_DAY)
        return true;
    return in->rules.inactive > 0 && now - end >= in->rules.inactive;
}

static bool
is_warned(const struct input *in, sr_time now, sr_time end)
{
    bool has_own = shadow_expires(in) && in->shadow.warn >= 0;
    bool own = has_own && now >= end - in->shadow.warn * SR_DAY;
    bool config = in->rules.warn > 0 && now >= end - in->rules.warn;

    if (is_expired(in, now))
        return false;
    if (!has_own)
        return config;
    switch (in->rules.warn_by) {
    case SR_WARN_BY_ACCOUNT:
        return own;
    case SR_WARN_BY_CONFIG:
        return config;
    case SR_WARN_BY_EARLIER:
        return own || config;
    }
    return false;
}

static long
one_of(const long *values, size_t count)
{
    return values[(size_t)random() % count];
}
#define ONE_OF(...)                                                            \
    one_of((const long[]){__VA_ARGS__},                                        \
           sizeof((const long[]){__VA_ARGS__}) / sizeof(long))

static struct input
make_input(void)
{
    struct input in = {
        .shadow = {.changed = ONE_OF(-1, 1, 100, 101),
                   .min = -1,
                   .max = ONE_OF(-1, 0, 5, 30, 9999, 10000, 99999),
                   .warn = ONE_OF(-1, 0, 7, 40),
                   .inactive = ONE_OF(-1, 0, 3, 30)},
        .stamp = ONE_OF(0, 1) == 0 ? SR_TIME_UNKNOWN
                                   : 100 * SR_DAY + ONE_OF(0, 1, 4321),
    };

    in.rules.max_age = ONE_OF(0, 1, 3600, 5 * SR_DAY, 90 * SR_DAY);
    in.rules.inactive = ONE_OF(0, 1, SR_DAY, 10 * SR_DAY);
    in.rules.warn = ONE_OF(0, 3600, 14 * SR_DAY);
    in.rules.warn_by = (enum sr_warn_by)ONE_OF(0, 1, 2);
    return in;
}

static struct sr_facts
facts_of(const struct input *in)
{
    struct sr_facts facts;

    sr_facts_init(&facts);
    facts.answered = facts.has_password = SR_YES;
    facts.password_expires = SR_TIME_NEVER;
    facts.never_expires = SR_YES;
    facts.must_change = SR_NO;
    sr_ageing_facts(&in->shadow, &facts);
    sr_ageing_apply(&in->rules, SR_TIME_UNKNOWN, &facts);
    sr_ageing_apply(&in->rules, in->stamp, &facts);
    return facts;
}

static void
check_at(const struct input *in, const struct sr_facts *facts, sr_time now,
         sr_time end)
{
    static const struct sr_caller caller = {false, false};
    struct sr_verdict verdict = sr_verdict(facts, &in->rules, &caller, now);
    enum sr_state expected = SR_STATE_OK;

    if (end >= 0 && is_inactive(in, now, end))
        expected = SR_STATE_BARRED;
    else if (end >= 0 && is_expired(in, now))
        expected = SR_STATE_EXPIRED;
    else if (end >= 0 && is_warned(in, now, end))
        expected = SR_STATE_EXPIRING;
    if (verdict.state != expected)
        fail_msg("at %lld, end %lld: %s instead of %s; shadow %ld %ld %ld %ld, "
                 "stamp %lld, max_age %lld inactive %lld warn %lld by %d",
                 (long long)now, (long long)end, sr_state_name(verdict.state),
                 sr_state_name(expected), in->shadow.changed, in->shadow.max,
                 in->shadow.warn, in->shadow.inactive, (long long)in->stamp,
                 (long long)in->rules.max_age, (long long)in->rules.inactive,
                 (long long)in->rules.warn, (int)in->rules.warn_by);
}

static void
test_oracle(void **state)
{
    static const sr_time around[] = {-1, 0, 1};
    const sr_time horizon = 20000 * SR_DAY;

    (void)state;
    srandom(1);
    for (int round = 0; round < 20000; round++) {
        const struct input in = make_input();
        const struct sr_facts facts = facts_of(&in);
        const sr_time end = end_of(&in, horizon);
        const sr_time moments[] = {
            changed_at(&in) < 0 ? 0 : changed_at(&in),
            end,
            end - in.rules.warn,
            end - in.shadow.warn * SR_DAY,
            end + in.rules.inactive,
            shadow_end(&in) + in.shadow.inactive * SR_DAY,
            horizon,
        };

        for (size_t m = 0; m < sizeof(moments) / sizeof(moments[0]); m++) {
            for (size_t a = 0; a < 3; a++) {
                if (moments[m] + around[a] >= 0)
                    check_at(&in, &facts, moments[m] + around[a], end);
            }
        }
    }
}

/* Nothing applies where there is no password, or where it must be changed. */
static void
test_exempt(void **state)
{
    const struct sr_rules rules = {.max_age = 1, .inactive = 1};
    struct sr_facts facts;

    (void)state;
    sr_facts_init(&facts);
    facts.has_password = SR_NO;
    facts.password_changed = 0;
    sr_ageing_apply(&rules, 5, &facts);
    assert_int_equal(facts.password_expires, SR_TIME_UNKNOWN);
    facts.has_password = facts.must_change = SR_YES;
    sr_ageing_apply(&rules, 5, &facts);
    assert_int_equal(facts.password_expires, SR_TIME_UNKNOWN);
}

/* The stamp also begins the minimum age. */
static void
test_minimum(void **state)
{
    const struct sr_rules rules = {.minimum_age = 100};
    struct sr_facts facts;

    (void)state;
    sr_facts_init(&facts);
    facts.has_password = SR_YES;
    assert_int_equal(sr_change_from(&facts, &rules), SR_TIME_UNKNOWN);
    sr_ageing_apply(&rules, 5, &facts);
    assert_int_equal(sr_change_from(&facts, &rules), 105);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_exempt),
        cmocka_unit_test(test_minimum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
