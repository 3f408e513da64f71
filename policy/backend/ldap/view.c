/*
 * LDAP view: the attributes of an account and of its policies, read by the
 * tables of the kinds of servers.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <limits.h>
#include <string.h>

#include "policy/backend/ldap/syntax.h"
#include "policy/backend/ldap/view.h"

bool
sr_ldap_view_has_policy(const struct sr_ldap_view *view)
{
    return view->policy->count > 0;
}

static const struct sr_ldap_entry *
entry_of(const struct sr_ldap_view *view,
         const struct sr_ldap_attribute *attribute)
{
    static const struct sr_ldap_entry none;

    switch (attribute->where) {
    case SR_LDAP_OF_POLICY:
        return view->policy;
    case SR_LDAP_OF_INACTIVE:
        return view->inactive == NULL ? &none : view->inactive;
    case SR_LDAP_OF_DOMAIN:
        return view->domain == NULL ? &none : view->domain;
    case SR_LDAP_OF_ACCOUNT:
        break;
    }
    return view->account;
}

void
sr_ldap_view_fail(struct sr_ldap_view *view,
                  const struct sr_ldap_attribute *attribute)
{
    if (view->fault != NULL)
        return;
    view->fault = attribute->name;
    view->fault_of = entry_of(view, attribute);
}

/* The value by the one name or the other; servers return only one of them. */
static const char *
value_of(struct sr_ldap_view *view, const struct sr_ldap_attribute *attribute,
         const char *name)
{
    const struct sr_ldap_entry *entry = entry_of(view, attribute);
    size_t at = 0;
    const char *text =
        name == NULL ? NULL : sr_ldap_entry_next(entry, name, &at);

    if (text != NULL && sr_ldap_entry_next(entry, name, &at) != NULL)
        sr_ldap_view_fail(view, attribute);
    return text;
}

const struct sr_ldap_value *
sr_ldap_view_value(struct sr_ldap_view *view,
                   const struct sr_ldap_attribute *attribute)
{
    const struct sr_ldap_entry *entry = entry_of(view, attribute);
    size_t at = 0;
    const struct sr_ldap_value *value =
        sr_ldap_entry_value(entry, attribute->name, &at);

    if (value != NULL &&
        sr_ldap_entry_value(entry, attribute->name, &at) != NULL)
        sr_ldap_view_fail(view, attribute);
    return value;
}

const char *
sr_ldap_view_text(struct sr_ldap_view *view,
                  const struct sr_ldap_attribute *attribute)
{
    const char *text = value_of(view, attribute, attribute->name);

    return text != NULL ? text : value_of(view, attribute, attribute->alias);
}

/* The value of an attribute that is absent; -1: not known. */
static int64_t
preset_of(const struct sr_ldap_view *view,
          const struct sr_ldap_attribute *attribute)
{
    return entry_of(view, attribute)->count > 0 ? attribute->preset : -1;
}

sr_time
sr_ldap_view_time(struct sr_ldap_view *view,
                  const struct sr_ldap_attribute *attribute)
{
    const char *text = sr_ldap_view_text(view, attribute);
    sr_time when;

    if (text == NULL)
        return SR_TIME_UNKNOWN;
    if (sr_ldap_time(text, &when) == 0)
        return when;
    sr_ldap_view_fail(view, attribute);
    return SR_TIME_UNKNOWN;
}

/* A number, by the function that reads its text. */
static int64_t
number(struct sr_ldap_view *view, const struct sr_ldap_attribute *attribute,
       bool (*parse)(const char *text, int64_t most, int64_t *value))
{
    const char *text = sr_ldap_view_text(view, attribute);
    int64_t value = -1;

    if (text == NULL)
        return preset_of(view, attribute);
    /* 389 writes -1 where it has no limit. */
    if (strcmp(text, "-1") != 0 && !parse(text, SR_LDAP_NUMBER_MAX, &value))
        sr_ldap_view_fail(view, attribute);
    return value;
}

int64_t
sr_ldap_view_number(struct sr_ldap_view *view,
                    const struct sr_ldap_attribute *attribute)
{
    return number(view, attribute, sr_ldap_number);
}

int64_t
sr_ldap_view_duration(struct sr_ldap_view *view,
                      const struct sr_ldap_attribute *attribute)
{
    return number(view, attribute, sr_ldap_duration);
}

int64_t
sr_ldap_view_days(struct sr_ldap_view *view,
                  const struct sr_ldap_attribute *attribute)
{
    const char *text = sr_ldap_view_text(view, attribute);
    int64_t value = -1;

    if (text != NULL && !sr_ldap_days(text, &value))
        sr_ldap_view_fail(view, attribute);
    return value;
}

enum sr_tri
sr_ldap_view_switch(struct sr_ldap_view *view,
                    const struct sr_ldap_attribute *attribute)
{
    const char *text = sr_ldap_view_text(view, attribute);
    bool value;

    if (text == NULL) {
        switch (preset_of(view, attribute)) {
        case -1:
            return SR_UNKNOWN;
        case 0:
            return SR_NO;
        default:
            return SR_YES;
        }
    }
    if (sr_ldap_switch(text, &value))
        return value ? SR_YES : SR_NO;
    sr_ldap_view_fail(view, attribute);
    return SR_UNKNOWN;
}

int
sr_ldap_view_count(const struct sr_ldap_view *view,
                   const struct sr_ldap_attribute *attribute)
{
    const struct sr_ldap_entry *entry = entry_of(view, attribute);
    size_t at = 0;
    int count = 0;

    while (sr_ldap_entry_next(entry, attribute->name, &at) != NULL)
        count++;
    return count;
}

int
sr_ldap_view_grace(const struct sr_ldap_view *view, int64_t limit, int64_t used)
{
    int64_t left = limit - (used > 0 ? used : 0);

    if (limit < 0)
        return -1;
    if (left <= 0)
        return view->can_help ? -1 : 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}
