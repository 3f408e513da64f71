/*
 * Must-change: demand a change of the password at the next login, or withdraw
 * the demand.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "policy/account/never_expired.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/directory_admin.h"
#include "tools/each.h"
#include "tools/shadow.h"
#include "tools/words.h"

/* Warn when the demand is not seen, or the account could not log in with it. */
static void
warn_if_barred(const struct ctl *ctl, const struct sr_transaction *txn)
{
    struct sr_facts facts = txn->account->facts;
    struct sr_verdict verdict;

    if (directory_is(txn) && facts.must_change != SR_YES)
        ctl_error("Warning: the directory does not show the demand.  The "
                  "service's identity may lack the right to read it; run "
                  "\"selfresetctl check --backend %s --test-entry %s\" to see.",
                  facts.backend, facts.name);
    facts.must_change = SR_YES;
    verdict = sr_verdict(&facts, &txn->rules, &ctl_at_login, ctl->now);
    if (verdict.state == SR_STATE_BARRED)
        ctl_error("Warning: %s (%s) does not allow %s to change the password "
                  "at a login, so the account cannot log in any more.  Run "
                  "\"selfresetctl must-change --clear %s\" to undo this.",
                  verdict.rule, sr_change_name(verdict.barred_by), facts.name,
                  facts.name);
}

/* Make or withdraw the demand.  In the shadow file it is the day of the last
 * change; in a directory the facts are read again. */
static int
carry_out(struct ctl *ctl, struct sr_transaction *txn, bool has_clear)
{
    const struct sr_facts *facts = &txn->account->facts;
    const bool in_directory = directory_is(txn);
    int code = CTL_OK;

    ctl->is_changed = true;
    if (ctl->is_dry_run)
        return CTL_OK;
    if (in_directory)
        code = directory_order(
            txn, has_clear ? SR_ORDER_CLEAR_CHANGE : SR_ORDER_REQUIRE_CHANGE,
            NULL);
    else if (shadow_set_changed(facts->name,
                                has_clear ? shadow_day(ctl->now) : 0) != 0) {
        ctl_error("Nothing was changed.");
        code = CTL_FAILED;
    }
    ctl->is_changed = code == CTL_OK || code == CTL_PARTLY;
    ctl_event(SR_EVENT_MUST_CHANGE_SET, facts, NULL, code == CTL_OK,
              has_clear ? "cleared" : "set");
    if (code != CTL_OK)
        return code;
    ctl_publish(ctl, facts->name);
    if (!in_directory)
        return CTL_OK;
    if (sr_transaction_refresh(txn) == SR_STATUS_OK) {
        if (has_clear)
            sr_never_expired_restore(txn);
        return CTL_OK;
    }
    ctl_error("The change was made, but then %s could not be read: %s.",
              facts->name, _(txn->reason));
    return CTL_PARTLY;
}

static void
say_done(const struct ctl *ctl, const struct sr_transaction *txn,
         bool has_clear)
{
    const char *name = txn->account->facts.name;
    const bool would = ctl->is_dry_run;

    if (!has_clear)
        ctl_print(
            ctl,
            would
                ? N_("%s would have to change the password at the next login.")
                : N_("%s has to change the password at the next login."),
            name);
    else if (directory_is(txn))
        ctl_print(ctl,
                  would ? N_("%s would no longer have to change the password.")
                        : N_("%s no longer has to change the password."),
                  name);
    else
        ctl_print(ctl,
                  would ? N_("%s would no longer have to change the password, "
                             "which would count as changed today.")
                        : N_("%s no longer has to change the password, which "
                             "counts as changed today."),
                  name);
}

/* Whether the order makes sense: CTL_OK, or an exit code after saying why. */
static int
admit(const struct ctl *ctl, const struct sr_transaction *txn, bool has_clear)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (directory_is(txn) && ctl_admit(ctl, txn) != CTL_OK)
        return CTL_REFUSED;
    if (has_clear && txn->has_temporary) {
        ctl_error("The password of %s is temporary and has to be changed, so "
                  "nothing was done.  Run \"passwd %s\" to set one that does "
                  "not end.",
                  facts->name, facts->name);
        return CTL_REFUSED;
    }
    if (!has_clear && !directory_is(txn) && facts->has_password == SR_NO) {
        ctl_error("%s has no password to change, so nothing was done.",
                  facts->name);
        return CTL_REFUSED;
    }
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
    bool must;
    int code = ctl_transaction_begin(ctl, name, "", &txn);

    (void)report;
    if (code == CTL_OK)
        code = ctl_remembered(&txn, &remembered);
    if (code == CTL_OK && !directory_is(&txn))
        code = shadow_find(txn.account->facts.name, &line);
    if (code == CTL_OK)
        code = admit(ctl, &txn, has_clear);
    if (code != CTL_OK)
        return code;
    must = directory_is(&txn) ? txn.account->facts.must_change == SR_YES
                              : line.changed == 0;
    if (must != has_clear) { /* a day that is set is that of the last change */
        ctl_print(ctl,
                  has_clear
                      ? N_("%s does not have to change the password; nothing "
                           "was done.")
                      : N_("%s already has to change the password; nothing "
                           "was done."),
                  txn.account->facts.name);
        return CTL_OK;
    }
    code = carry_out(ctl, &txn, has_clear);
    if (code != CTL_OK)
        return code;
    say_done(ctl, &txn, has_clear);
    if (!has_clear && (!ctl->is_dry_run || !directory_is(&txn)))
        warn_if_barred(ctl, &txn);
    return CTL_OK;
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
