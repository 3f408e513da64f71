/*
 * Check enumeration: whether all accounts of a directory can be read.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "policy/config/members.h"
#include "policy/publish/format.h"
#include "tools/check/enumeration.h"

struct enumeration {
    const struct sr_config *config;
    struct sr_members *members;
    struct findings *findings;
    const char *backend;
};

static int
find_rules(void *context, const char *name, gid_t group, struct sr_rules *rules)
{
    const struct enumeration *enumeration = context;
    struct sr_members_ask ask = {enumeration->members, group};
    const struct sr_member member = {name, sr_members_is_member, &ask};

    return sr_config_rules(enumeration->config, &member, NULL, rules);
}

static int
take_account(void *context, struct sr_account *account,
             const struct sr_rules *rules, enum sr_status ask,
             const char *reason)
{
    const struct enumeration *enumeration = context;
    const char *name = account->facts.name;

    (void)rules;
    if (ask != SR_STATUS_OK)
        findings_add(enumeration->findings, SEVERITY_WARNING,
                     enumeration->backend, name,
                     "Correct the entry.  Until then it is published with an "
                     "unknown state.",
                     "An account cannot be read: %s.", reason);
    else if (!sr_snapshot_name(name))
        findings_add(enumeration->findings, SEVERITY_WARNING,
                     enumeration->backend, name,
                     "Rename the account, if it is to log in on hosts.",
                     "The name of an account cannot be published.");
    return 0;
}

void
check_enumeration(const struct sr_config *config,
                  const struct sr_backend *backend, struct findings *findings)
{
    struct enumeration enumeration = {config, sr_members_new(), findings,
                                      backend->name};
    const struct sr_visitor visitor = {&enumeration, find_rules, take_account};
    struct sr_call call = sr_call_make(backend, NULL);

    if (enumeration.members == NULL || backend->ops->enumerate == NULL)
        return;
    if (sr_backend_enumerate(&call, &visitor) != SR_STATUS_OK)
        findings_add(findings, SEVERITY_ERROR, backend->name, NULL,
                     "Look at the server's limits on the size and the time of "
                     "searches, and on paged results.",
                     "selfreset-publish cannot read all accounts: %s.",
                     sr_error_text(&call.error));
    sr_members_free(enumeration.members);
}
