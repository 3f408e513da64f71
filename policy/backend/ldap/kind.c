/*
 * LDAP kind: which kind of server an account is on, and what its entry and its
 * policy contain.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/backend/ldap/ad.h"
#include "policy/backend/ldap/ds389.h"
#include "policy/backend/ldap/kind.h"
#include "policy/backend/ldap/openldap.h"
#include "policy/backend/ldap/shadow.h"

size_t
sr_ldap_kind_append(const char *list[SR_LDAP_LIST_MAX], size_t count,
                    const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(list[i], name) == 0)
            return count;
    }
    if (count < SR_LDAP_LIST_MAX - 1)
        list[count++] = name;
    return count;
}

size_t
sr_ldap_kind_list(bool is_ad, enum sr_ldap_where where,
                  const char *list[SR_LDAP_LIST_MAX], size_t count)
{
    const struct {
        const struct sr_ldap_attribute *attribute;
        size_t count;
        bool is_ad;
    } kind[] = {
        {sr_ldap_openldap, sr_ldap_openldap_count, false},
        {sr_ldap_ds389, sr_ldap_ds389_count, false},
        {sr_ldap_shadow, sr_ldap_shadow_count, false},
        {sr_ldap_ad, sr_ldap_ad_count, true},
    };

    if (is_ad) {
        ; /* it has no others */
    } else if (where == SR_LDAP_OF_ACCOUNT) {
        count = sr_ldap_kind_append(list, count, "pwdPolicySubentry");
        count = sr_ldap_kind_append(list, count, "acctPolicySubentry");
    } else if (where == SR_LDAP_OF_POLICY) {
        /* Every policy has it: so it is known whether it can be read. */
        count = sr_ldap_kind_append(list, count, "pwdAttribute");
    }
    for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
        for (size_t k = 0; k < kind[i].count; k++) {
            if (kind[i].is_ad == is_ad && kind[i].attribute[k].where == where)
                count =
                    sr_ldap_kind_append(list, count, kind[i].attribute[k].name);
        }
    }
    list[count] = NULL;
    return count;
}

static bool
is_openldap(const struct sr_ldap_view *view)
{
    return sr_ldap_openldap_is(view) ||
           (!sr_ldap_ds389_is(view) &&
            (sr_ldap_view_has_policy(view) ||
             sr_ldap_entry_first(view->account, "pwdReset") != NULL ||
             sr_ldap_entry_first(view->account, "pwdPolicySubentry") != NULL));
}

/* Whether the server itself ages the password. */
static bool
ages(struct sr_ldap_view *view)
{
    if (sr_ldap_ds389_is(view))
        return sr_ldap_ds389_ages(view) == SR_YES;
    return sr_ldap_view_has_policy(view);
}

enum sr_ldap_kind
sr_ldap_kind(struct sr_ldap_view *view)
{
    if (view->is_ad)
        return SR_LDAP_AD;
    if (sr_ldap_shadow_is(view) && !ages(view))
        return SR_LDAP_SHADOW;
    if (sr_ldap_ds389_is(view))
        return SR_LDAP_DS389;
    return is_openldap(view) ? SR_LDAP_PPOLICY : SR_LDAP_PLAIN;
}

enum sr_ldap_kind
sr_ldap_kind_of_demand(struct sr_ldap_view *view)
{
    if (view->is_ad)
        return SR_LDAP_AD;
    if (sr_ldap_ds389_is(view))
        return sr_ldap_kind(view) == SR_LDAP_SHADOW &&
                       sr_ldap_ds389_enforces_reset(view) != SR_YES
                   ? SR_LDAP_SHADOW
                   : SR_LDAP_DS389;
    if (is_openldap(view))
        return SR_LDAP_PPOLICY;
    return sr_ldap_entry_first(view->account, "shadowLastChange") != NULL
               ? SR_LDAP_SHADOW
               : SR_LDAP_PLAIN;
}

const char *
sr_ldap_kind_facts(struct sr_ldap_view *view, struct sr_facts *facts)
{
    if (view->is_ad) {
        sr_ldap_ad_facts(view, facts);
        return view->fault;
    }
    if (is_openldap(view))
        sr_ldap_openldap_facts(view, facts);
    if (sr_ldap_ds389_is(view))
        sr_ldap_ds389_facts(view, facts);
    sr_ldap_shadow_facts(view, !ages(view), facts);
    return view->fault;
}

void
sr_ldap_kind_demands(const struct sr_ldap_view *of, struct sr_demands *demands)
{
    static const struct sr_ldap_entry none;
    struct sr_ldap_view view = {.account = &none, .policy = of->policy};

    memset(demands, 0, sizeof(*demands));
    if (of->is_ad)
        sr_ldap_ad_demands(&view, demands);
    else if (sr_ldap_ds389_is(&view))
        sr_ldap_ds389_demands(&view, demands);
    else
        sr_ldap_openldap_demands(&view, demands);
}

const char *
sr_ldap_policy_of(const struct sr_ldap_entry *account, const char *preset)
{
    const char *named = sr_ldap_entry_first(account, "pwdPolicySubentry");

    if (named == NULL)
        named = sr_ldap_entry_first(account, "msDS-ResultantPSO");
    return named != NULL ? named : preset;
}

char *
sr_ldap_fingerprint(const struct sr_ldap_entry *account)
{
    static const char *const moved[] = {"pwdChangedTime", "pwdUpdateTime",
                                        "shadowLastChange"};
    const char *expiry = sr_ldap_entry_first(account, "passwordExpirationTime");
    const char *reset = sr_ldap_entry_first(account, "pwdReset");
    /* Times are in whole seconds, and 389 may show none: that a change is
     * demanded tells a temporary password from the one that its owner chose. */
    bool is_reset =
        (reset != NULL && strcasecmp(reset, "true") == 0) ||
        (expiry != NULL && strcmp(expiry, SR_LDAP_DS389_EPOCH) == 0);
    const char *by = NULL;
    char mark[64], *out;

    for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]) && by == NULL; i++)
        by = sr_ldap_entry_first(account, moved[i]);
    if (sr_ldap_entry_first(account, "pwdLastSet") != NULL) {
        sr_ldap_ad_password_mark(account, mark, sizeof(mark));
        by = mark;
    }
    if (asprintf(&out, "ldap:%s:%s%s", account->dn, by == NULL ? "" : by,
                 is_reset ? ":reset" : "") < 0)
        return NULL;
    return out;
}
