/*
 * Age: how old the password of an account is, when it expires, and which rule
 * says so.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/directory_admin.h"
#include "tools/each.h"
#include "tools/report.h"
#include "tools/shadow.h"

/* Where the time of the last change is from; NULL: it is not known. */
static const char *
changed_by(const struct sr_transaction *txn)
{
    __attribute__((cleanup(shadow_free))) struct shadow_line line = {0};
    const struct sr_facts *facts = &txn->account->facts;

    if (!SR_TIME_IS_SET(facts->password_changed))
        return NULL;
    if (directory_is(txn))
        return "directory";
    return shadow_read(facts->name, &line) == CTL_OK && line.hash != NULL &&
                   line.changed >= 0
               ? "shadow"
               : "record";
}

/* What ends the password; NULL: it has no end. */
static const char *
expires_by(const struct sr_transaction *txn)
{
    const struct sr_facts *facts = &txn->account->facts;
    const struct sr_rules *rules = &txn->rules;

    if (facts->never_expires == SR_YES ||
        !SR_TIME_IS_SET(facts->password_expires))
        return NULL;
    if (directory_is(txn))
        return "directory";
    return rules->max_age > 0 && facts->password_expires ==
                                     facts->password_changed + rules->max_age
               ? "expiry.max_age"
               : "shadow";
}

static void
report_age(struct report *report, const struct ctl *ctl,
           const struct sr_transaction *txn)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (!report->is_json)
        report_text(report, "user", facts->name);
    report_text(report, "backend", facts->backend);
    report_tri(report, "has_password", facts->has_password);
    report_time(report, "password_changed", facts->password_changed);
    report_text(report, "changed_by", changed_by(txn));
    if (SR_TIME_IS_SET(facts->password_changed) &&
        facts->password_changed <= ctl->now)
        report_duration(report, "age", ctl->now - facts->password_changed);
    else
        report_text(report, "age", NULL);
    report_time(report, "may_change_from", sr_change_from(facts, &txn->rules));
    report_time(report, "warn_from", facts->warn_from);
    report_time(report, "password_expires", facts->password_expires);
    report_text(report, "expires_by", expires_by(txn));
    report_time(report, "inactive_from", facts->inactive_from);
    report_tri(report, "must_change", facts->must_change);
}

static int
age(struct ctl *ctl, struct report *report, const char *name)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};
    struct ctl_remembered remembered;
    int code = ctl_transaction_begin(ctl, name, "", &txn);

    if (code == CTL_OK)
        code = ctl_remembered(&txn, &remembered);
    if (code != CTL_OK)
        return code;
    if (!report->is_json && report->items > 1)
        putchar('\n');
    report_age(report, ctl, &txn);
    if (txn.account->facts.must_change == SR_YES ||
        sr_facts_expired(&txn.account->facts, ctl->now))
        return CTL_CHANGE;
    return CTL_OK;
}

int
ctl_age(struct ctl *ctl, int argc, char **argv)
{
    if (!ctl_parse(ctl, argc, argv, NULL, 0, 1, CTL_MANY) || !ctl_load(ctl))
        return ctl->exit;
    return ctl_each(ctl, "user", age);
}
