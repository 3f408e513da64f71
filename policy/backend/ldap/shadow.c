/*
 * LDAP shadow: the shadow attributes of RFC 2307, which no server enforces.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "policy/backend/ldap/shadow.h"
#include "policy/decide/ageing.h"

enum { LAST_CHANGE, MIN, MAX, WARNING, INACTIVE, EXPIRE };

const struct sr_ldap_attribute sr_ldap_shadow[] = {
    [LAST_CHANGE] = {"shadowLastChange", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [MIN] = {"shadowMin", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [MAX] = {"shadowMax", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [WARNING] = {"shadowWarning", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [INACTIVE] = {"shadowInactive", NULL, SR_LDAP_OF_ACCOUNT, -1},
    [EXPIRE] = {"shadowExpire", NULL, SR_LDAP_OF_ACCOUNT, -1},
};
const size_t sr_ldap_shadow_count =
    sizeof(sr_ldap_shadow) / sizeof(sr_ldap_shadow[0]);

bool
sr_ldap_shadow_is(const struct sr_ldap_view *view)
{
    return sr_ldap_entry_first(view->account, "shadowLastChange") != NULL ||
           sr_ldap_entry_first(view->account, "shadowMin") != NULL ||
           sr_ldap_entry_first(view->account, "shadowMax") != NULL;
}

static long
days(struct sr_ldap_view *view, int attribute)
{
    return (long)sr_ldap_view_days(view, &sr_ldap_shadow[attribute]);
}

void
sr_ldap_shadow_facts(struct sr_ldap_view *view, bool ages,
                     struct sr_facts *facts)
{
    long end = days(view, EXPIRE);

    if (ages) {
        const struct sr_ageing ageing = {
            .changed = days(view, LAST_CHANGE),
            .min = days(view, MIN),
            .max = days(view, MAX),
            .warn = days(view, WARNING),
            .inactive = days(view, INACTIVE),
        };

        sr_ageing_facts(&ageing, facts);
    }
    if (end >= 0 && (facts->account_ends == SR_TIME_UNKNOWN ||
                     sr_ageing_day(end) < facts->account_ends))
        facts->account_ends = sr_ageing_day(end);
}
