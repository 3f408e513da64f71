/*
 * Payload: what a view publishes of one account, as bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/decide/change.h"
#include "policy/publish/payload.h"
#include "policy/util/bytes.h"

/* ---- payloads: kinds of times, enumerations, grace, then the times set */

enum { AT_KINDS = 0, AT_BITS = 4, AT_GRACE = 8, AT_TIMES = 10 };

/* How a time is encoded: two bits. */
enum { KIND_UNKNOWN, KIND_NEVER, KIND_SET, KIND_BITS };

#define TIMES 10

_Static_assert(AT_TIMES + 8 * TIMES == SR_PAYLOAD_MAX, "all times have room");

/* The times in their order. */
static void
list_times(struct sr_facts *facts, sr_time *list[TIMES])
{
    list[0] = &facts->account_starts;
    list[1] = &facts->account_ends;
    list[2] = &facts->locked_until;
    list[3] = &facts->password_expires;
    list[4] = &facts->warn_from;
    list[5] = &facts->inactive_from;
    list[6] = &facts->temporary_until;
    list[7] = &facts->password_changed;
    list[8] = &facts->may_change_from;
    list[9] = &facts->hours_until;
}

/* The enumerations in the order of their bits. */
enum {
    BITS_ANSWERED = 0,
    BITS_DISABLED = 2,
    BITS_HAS_PASSWORD = 4,
    BITS_LOCKED = 6,
    BITS_MUST_CHANGE = 8,
    BITS_CANNOT_CHANGE = 10,
    BITS_NEVER_EXPIRES = 12,
    BITS_PROTECTED = 14,
    BITS_LOCKED_WHY = 16, /* three */
    BIT_NEEDS_LOGON = 19,
    BIT_GRACE_CHANGE = 20,
    BIT_EXEMPT = 21,
    BITS_LOGON_HOURS = 22,
    BITS_WORKSTATION = 24,
    BITS_END = 26
};

static uint32_t
pack_bits(const struct sr_facts *facts, const struct sr_rules *rules,
          bool is_exempt)
{
    return (uint32_t)facts->answered << BITS_ANSWERED |
           (uint32_t)facts->disabled << BITS_DISABLED |
           (uint32_t)facts->has_password << BITS_HAS_PASSWORD |
           (uint32_t)facts->locked << BITS_LOCKED |
           (uint32_t)facts->must_change << BITS_MUST_CHANGE |
           (uint32_t)facts->cannot_change << BITS_CANNOT_CHANGE |
           (uint32_t)facts->never_expires << BITS_NEVER_EXPIRES |
           (uint32_t)facts->is_protected << BITS_PROTECTED |
           (uint32_t)facts->locked_why << BITS_LOCKED_WHY |
           (uint32_t)rules->require_logon << BIT_NEEDS_LOGON |
           (uint32_t)(rules->grace == SR_GRACE_CHANGE) << BIT_GRACE_CHANGE |
           (uint32_t)facts->logon_hours << BITS_LOGON_HOURS |
           (uint32_t)facts->workstation << BITS_WORKSTATION |
           (uint32_t)is_exempt << BIT_EXEMPT;
}

/* Two bits that are an enum sr_tri; 3 is no value of it. */
static bool
take_tri(uint32_t bits, unsigned at, enum sr_tri *tri)
{
    *tri = (enum sr_tri)(bits >> at & 3);
    return *tri <= SR_YES;
}

static bool
unpack_bits(uint32_t bits, struct sr_facts *facts, struct sr_rules *rules,
            bool *is_exempt)
{
    facts->locked = (enum sr_lock)(bits >> BITS_LOCKED & 3);
    facts->locked_why = (enum sr_lock_why)(bits >> BITS_LOCKED_WHY & 7);
    rules->require_logon = (bits >> BIT_NEEDS_LOGON & 1) != 0;
    rules->grace =
        (bits >> BIT_GRACE_CHANGE & 1) != 0 ? SR_GRACE_CHANGE : SR_GRACE_TEXT;
    *is_exempt = (bits >> BIT_EXEMPT & 1) != 0;
    return bits >> BITS_END == 0 && facts->locked_why <= SR_LOCK_WHY_SOURCE &&
           take_tri(bits, BITS_ANSWERED, &facts->answered) &&
           take_tri(bits, BITS_DISABLED, &facts->disabled) &&
           take_tri(bits, BITS_HAS_PASSWORD, &facts->has_password) &&
           take_tri(bits, BITS_MUST_CHANGE, &facts->must_change) &&
           take_tri(bits, BITS_CANNOT_CHANGE, &facts->cannot_change) &&
           take_tri(bits, BITS_NEVER_EXPIRES, &facts->never_expires) &&
           take_tri(bits, BITS_LOGON_HOURS, &facts->logon_hours) &&
           take_tri(bits, BITS_WORKSTATION, &facts->workstation) &&
           take_tri(bits, BITS_PROTECTED, &facts->is_protected);
}

/* The start of warnings; verdict.c computes it from the warning period where
 * the backend has none. */
static sr_time
warn_from(const struct sr_facts *facts, const struct sr_rules *rules)
{
    sr_time from;

    if (facts->warn_from != SR_TIME_UNKNOWN ||
        !SR_TIME_IS_SET(facts->password_expires))
        return facts->warn_from;
    if (rules->warn <= 0)
        return SR_TIME_NEVER;
    if (__builtin_sub_overflow(facts->password_expires, rules->warn, &from) ||
        from == SR_TIME_UNKNOWN)
        from = INT64_MIN + 1;
    return from;
}

/* Write the rules of this account into its facts. */
static void
apply_rules(enum sr_view view, const struct sr_rules *rules,
            struct sr_facts *facts)
{
    facts->warn_from = warn_from(facts, rules);
    facts->may_change_from = sr_change_from(facts, rules);
    if (rules->is_protected)
        facts->is_protected = SR_YES;
    if (rules->is_cannot_change)
        facts->cannot_change = SR_YES;
    if (view == SR_VIEW_GROUPS) {
        facts->password_changed = SR_TIME_UNKNOWN;
        facts->may_change_from = SR_TIME_UNKNOWN;
        facts->locked_why = SR_LOCK_WHY_NONE;
    }
}

void
sr_payload_encode(enum sr_view view, const struct sr_facts *facts,
                  const struct sr_rules *rules, bool is_exempt,
                  struct sr_payload *payload)
{
    struct sr_facts facts_out = *facts;
    struct sr_rules rules_out = *rules;
    sr_time *times[TIMES];
    uint32_t kinds = 0;
    int grace = facts->grace_left;

    apply_rules(view, rules, &facts_out);
    rules_out.require_logon = sr_change_requires_logon(facts, rules);
    list_times(&facts_out, times);
    payload->size = AT_TIMES;
    for (unsigned i = 0; i < TIMES; i++) {
        uint32_t kind = KIND_SET;

        if (!SR_TIME_IS_SET(*times[i]))
            kind = *times[i] == SR_TIME_NEVER ? KIND_NEVER : KIND_UNKNOWN;
        kinds |= kind << (2 * i);
        if (kind != KIND_SET)
            continue;
        sr_put64(payload->bytes + payload->size, (uint64_t)*times[i]);
        payload->size += 8;
    }
    grace = grace < -1 ? -1 : grace > INT16_MAX ? INT16_MAX : grace;
    sr_put32(payload->bytes + AT_KINDS, kinds);
    sr_put32(payload->bytes + AT_BITS,
             pack_bits(&facts_out, &rules_out, is_exempt));
    sr_put16(payload->bytes + AT_GRACE, (uint16_t)grace);
}

bool
sr_payload_decode(const uint8_t *bytes, size_t size, struct sr_facts *facts,
                  struct sr_rules *rules, bool *is_exempt)
{
    sr_time *times[TIMES];
    size_t at = AT_TIMES;
    uint32_t kinds;

    sr_facts_init(facts);
    memset(rules, 0, sizeof(*rules));
    if (size < AT_TIMES ||
        !unpack_bits(sr_get32(bytes + AT_BITS), facts, rules, is_exempt))
        return false;
    facts->grace_left = (int16_t)sr_get16(bytes + AT_GRACE);
    kinds = sr_get32(bytes + AT_KINDS);
    list_times(facts, times);
    for (unsigned i = 0; i < TIMES; i++, kinds >>= 2) {
        switch (kinds & 3) {
        case KIND_UNKNOWN:
            break;
        case KIND_NEVER:
            *times[i] = SR_TIME_NEVER;
            break;
        case KIND_SET:
            if (size - at < 8)
                return false;
            *times[i] = (sr_time)sr_get64(bytes + at);
            if (!SR_TIME_IS_SET(*times[i]))
                return false;
            at += 8;
            break;
        default:
            return false;
        }
    }
    return kinds == 0 && at == size && facts->grace_left >= -1;
}

void
sr_payload_of_alias(struct sr_payload *payload)
{
    payload->bytes[0] = 1;
    payload->size = 1;
}
