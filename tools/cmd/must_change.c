/*
 * Must-change: demand a change of the password at the next login, or no longer.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/directory_admin.h"
#include "tools/shadow.h"

/* Say what the demand would come to for this account at a login prompt. */
static void
warn_if_barred(const struct ctl *ctl, const struct sr_transaction *txn)
{
    struct sr_facts facts = txn->account->facts;
    struct sr_verdict verdict;

    facts.must_change = SR_YES;
    verdict = sr_verdict(&facts, &txn->rules, &ctl_at_login, ctl->now);
    if (verdict.state == SR_STATE_BARRED)
        ctl_error("Attention: %s (%s) forbids %s to change the password at a "
                  "login.  With this demand the account cannot log in at all.  "
                  "\"selfresetctl must-change --clear %s\" takes it back.",
                  verdict.rule, sr_change_name(verdict.barred_by), facts.name,
                  facts.name);
}

/* Write the day, and tell. */
static int
set_day(const struct ctl *ctl, const struct sr_facts *facts, long day)
{
    int code = shadow_set_changed(facts->name, day) == 0 ? CTL_OK : CTL_FAILED;

    ctl_event(SR_EVENT_MUST_CHANGE_SET, facts, NULL, code == CTL_OK,
              day == 0 ? "set" : "cleared");
    if (code != CTL_OK)
        ctl_error("Nothing was changed.");
    else
        ctl_publish(ctl, facts->name);
    return code;
}

static int
demand(const struct ctl *ctl, const struct sr_transaction *txn,
       const struct shadow_line *line)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (facts->has_password == SR_NO) {
        ctl_error("%s has no password that could be changed.  Nothing was "
                  "done.",
                  facts->name);
        return CTL_REFUSED;
    }
    if (line->changed == 0) {
        printf("%s already has to change the password. "
               "There was nothing to do.\n",
               facts->name);
        return CTL_OK;
    }
    if (set_day(ctl, facts, 0) != CTL_OK)
        return CTL_FAILED;
    printf("%s has to change the password at the next login.\n", facts->name);
    warn_if_barred(ctl, txn);
    return CTL_OK;
}

static int
clear(const struct ctl *ctl, const struct sr_transaction *txn,
      const struct shadow_line *line)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (txn->has_temporary) {
        ctl_error("The password of %s is a temporary one, which has to be "
                  "changed.  \"passwd %s\" sets a lasting one.  Nothing was "
                  "done.",
                  facts->name, facts->name);
        return CTL_REFUSED;
    }
    /* Setting a day where one is would make an old password young. */
    if (line->changed != 0) {
        printf("%s does not have to change the password. "
               "There was nothing to do.\n",
               facts->name);
        return CTL_OK;
    }
    if (set_day(ctl, facts, shadow_day(ctl->now)) != CTL_OK)
        return CTL_FAILED;
    printf("%s no longer has to change the password.\n"
           "It counts as changed today.\n",
           facts->name);
    return CTL_OK;
}

int
ctl_must_change(struct ctl *ctl, int argc, char **argv)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};
    __attribute__((cleanup(shadow_free))) struct shadow_line line = {0};
    struct ctl_remembered remembered;
    bool has_clear = false;
    const struct ctl_option options[] = {{"clear", &has_clear, NULL}};
    int code;

    if (!ctl_parse(ctl, argc, argv, options, 1, 1, 1))
        return ctl->exit;
    code = ctl_transaction_begin(ctl, ctl->operand[0], "", &txn);
    if (code == CTL_OK)
        code = ctl_remembered(&txn, &remembered);
    if (code != CTL_OK)
        return code;
    if (elsewhere_is(&txn))
        return elsewhere_must_change(ctl, &txn, has_clear);
    switch (shadow_read(txn.account->facts.name, &line)) {
    case SHADOW_OK:
        return has_clear ? clear(ctl, &txn, &line) : demand(ctl, &txn, &line);
    case SHADOW_NONE:
        ctl_error("%s has no line in the shadow file of this host.  Its "
                  "password is kept elsewhere.  Nothing was done.",
                  txn.account->facts.name);
        return CTL_REFUSED;
    default:
        return CTL_FAILED;
    }
}
