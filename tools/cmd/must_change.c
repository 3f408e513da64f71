/*
 * Must-change: demand a change of the password at the next login, or withdraw
 * the demand.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/directory_admin.h"
#include "tools/each.h"
#include "tools/shadow.h"

/* Warn when the account could not log in with the demand. */
static void
warn_if_barred(const struct ctl *ctl, const struct sr_transaction *txn)
{
    struct sr_facts facts = txn->account->facts;
    struct sr_verdict verdict;

    facts.must_change = SR_YES;
    verdict = sr_verdict(&facts, &txn->rules, &ctl_at_login, ctl->now);
    if (verdict.state == SR_STATE_BARRED)
        ctl_error("Warning: %s (%s) does not allow %s to change the password "
                  "at a login, so the account cannot log in any more.  Run "
                  "\"selfresetctl must-change --clear %s\" to undo this.",
                  verdict.rule, sr_change_name(verdict.barred_by), facts.name,
                  facts.name);
}

/* Write the day of the last change. */
static int
set_day(struct ctl *ctl, const struct sr_facts *facts, long day)
{
    int code;

    ctl->is_changed = true;
    if (ctl->is_dry_run)
        return CTL_OK;
    code = shadow_set_changed(facts->name, day) == 0 ? CTL_OK : CTL_FAILED;

    ctl_event(SR_EVENT_MUST_CHANGE_SET, facts, NULL, code == CTL_OK,
              day == 0 ? "set" : "cleared");
    ctl->is_changed = code == CTL_OK;
    if (code != CTL_OK)
        ctl_error("Nothing was changed.");
    else
        ctl_publish(ctl, facts->name);
    return code;
}

static int
demand(struct ctl *ctl, const struct sr_transaction *txn,
       const struct shadow_line *line)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (facts->has_password == SR_NO) {
        ctl_error("%s has no password to change, so nothing was done.",
                  facts->name);
        return CTL_REFUSED;
    }
    if (line->changed == 0) {
        ctl_print(ctl,
                  "%s already has to change the password; nothing was done.",
                  facts->name);
        return CTL_OK;
    }
    if (set_day(ctl, facts, 0) != CTL_OK)
        return CTL_FAILED;
    ctl_print(ctl,
              ctl->is_dry_run
                  ? "%s would have to change the password at the next login."
                  : "%s has to change the password at the next login.",
              facts->name);
    warn_if_barred(ctl, txn);
    return CTL_OK;
}

static int
clear(struct ctl *ctl, const struct sr_transaction *txn,
      const struct shadow_line *line)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (txn->has_temporary) {
        ctl_error("The password of %s is temporary and has to be changed, so "
                  "nothing was done.  Run \"passwd %s\" to set one that does "
                  "not end.",
                  facts->name, facts->name);
        return CTL_REFUSED;
    }
    /* A day that is set must not be replaced: it tells the password's age. */
    if (line->changed != 0) {
        ctl_print(ctl,
                  "%s does not have to change the password; nothing was done.",
                  facts->name);
        return CTL_OK;
    }
    if (set_day(ctl, facts, shadow_day(ctl->now)) != CTL_OK)
        return CTL_FAILED;
    ctl_print(ctl,
              ctl->is_dry_run
                  ? "%s would no longer have to change the password, which "
                    "would count as changed today."
                  : "%s no longer has to change the password, which counts as "
                    "changed today.",
              facts->name);
    return CTL_OK;
}

static int
must_change(struct ctl *ctl, struct report *report, const char *name)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};
    __attribute__((cleanup(shadow_free))) struct shadow_line line = {0};
    const bool has_clear = *(const bool *)ctl->options;
    struct ctl_remembered remembered;
    int code = ctl_transaction_begin(ctl, name, "", &txn);

    (void)report;
    if (code == CTL_OK)
        code = ctl_remembered(&txn, &remembered);
    if (code != CTL_OK)
        return code;
    if (directory_is(&txn))
        return directory_must_change(ctl, name, &txn, has_clear);
    switch (shadow_read(txn.account->facts.name, &line)) {
    case SHADOW_OK:
        return has_clear ? clear(ctl, &txn, &line) : demand(ctl, &txn, &line);
    case SHADOW_NONE:
        ctl_error(CTL_NO_SHADOW, txn.account->facts.name);
        return CTL_REFUSED;
    default:
        return CTL_FAILED;
    }
}

int
ctl_must_change(struct ctl *ctl, int argc, char **argv)
{
    bool has_clear = false;
    const struct ctl_option options[] = {{"clear", &has_clear, NULL}};

    ctl->options = &has_clear;
    if (!ctl_parse(ctl, argc, argv, options, 1, 1, CTL_MANY) || !ctl_load(ctl))
        return ctl->exit;
    return ctl_each(ctl, "user", must_change);
}
