/*
 * Change: whether a caller may change this password, here and now.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "policy/decide/change.h"

sr_time
sr_change_from(const struct sr_facts *facts, const struct sr_rules *rules)
{
    sr_time from = facts->may_change_from;
    sr_time by_rule;

    if (rules->minimum_age <= 0 || !SR_TIME_IS_SET(facts->password_changed))
        return from;
    if (__builtin_add_overflow(facts->password_changed, rules->minimum_age,
                               &by_rule))
        by_rule = SR_TIME_NEVER;
    return from == SR_TIME_UNKNOWN || by_rule > from ? by_rule : from;
}

static bool
is_due(const struct sr_facts *facts, sr_time now)
{
    return facts->must_change == SR_YES ||
           facts->temporary_until != SR_TIME_UNKNOWN ||
           sr_facts_expired(facts, now);
}

/* The owner's refusals that do not pass with time, except for must-log-on. */
static struct sr_change
owner_refusal(const struct sr_facts *facts, const struct sr_rules *rules,
              sr_time now)
{
    struct sr_change refused = {SR_CHANGE_ALLOWED, SR_TIME_UNKNOWN, NULL};

    if (facts->cannot_change == SR_YES || rules->is_cannot_change) {
        refused.result = SR_CHANGE_CANNOT;
        refused.rule =
            rules->is_cannot_change ? "change.cannot_change" : "cannot_change";
    } else if (facts->has_password == SR_NO) {
        refused.result = SR_CHANGE_NO_PASSWORD;
        refused.rule = "has_password";
    } else if (sr_facts_expired(facts, now) &&
               facts->inactive_from != SR_TIME_UNKNOWN &&
               facts->inactive_from <= now) {
        refused.result = SR_CHANGE_INACTIVE;
        refused.rule = "inactive_from";
    } else if (sr_facts_expired(facts, now) && facts->grace_left == 0) {
        refused.result = SR_CHANGE_NO_GRACE;
        refused.rule = "grace_left";
    }
    return refused;
}

bool
sr_change_requires_logon(const struct sr_facts *facts,
                         const struct sr_rules *rules)
{
    return (rules->require_logon || facts->requires_logon == SR_YES) &&
           !rules->is_logon_exempt;
}

struct sr_change
sr_change(const struct sr_facts *facts, const struct sr_rules *rules,
          const struct sr_caller *caller, sr_time now)
{
    struct sr_change change = {SR_CHANGE_ALLOWED, SR_TIME_UNKNOWN, NULL};
    sr_time from;

    if (facts->is_protected == SR_YES || rules->is_protected) {
        change.result = SR_CHANGE_PROTECTED;
        change.rule = rules->is_protected ? "change.protected" : "is_protected";
        return change;
    }
    if (caller->is_admin)
        return change;
    change = owner_refusal(facts, rules, now);
    if (change.result != SR_CHANGE_ALLOWED)
        return change;
    if (sr_change_requires_logon(facts, rules) && !caller->is_logged_on) {
        change.result = SR_CHANGE_REQUIRE_LOGON;
        change.rule =
            rules->require_logon ? "change.require_logon" : "requires_logon";
        return change;
    }
    from = sr_change_from(facts, rules);
    if (from != SR_TIME_UNKNOWN && now < from && !is_due(facts, now)) {
        change.result = SR_CHANGE_TOO_YOUNG;
        change.when = from;
        change.rule = from == facts->may_change_from ? "may_change_from"
                                                     : "change.minimum_age";
    }
    return change;
}

const char *
sr_change_name(enum sr_change_result result)
{
    static const char *const name[SR_CHANGE_RESULT_COUNT] = {
        [SR_CHANGE_ALLOWED] = "allowed",
        [SR_CHANGE_PROTECTED] = "protected",
        [SR_CHANGE_CANNOT] = "cannot-change",
        [SR_CHANGE_NO_PASSWORD] = "no-password",
        [SR_CHANGE_INACTIVE] = "inactive",
        [SR_CHANGE_NO_GRACE] = "no-grace",
        [SR_CHANGE_REQUIRE_LOGON] = "require-logon",
        [SR_CHANGE_TOO_YOUNG] = "too-young",
    };

    return (unsigned)result < SR_CHANGE_RESULT_COUNT ? name[result] : NULL;
}
