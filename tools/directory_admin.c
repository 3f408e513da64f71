/*
 * Directory administration: changes to accounts that a directory keeps.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/account/never_expired.h"
#include "policy/backend/registry.h"
#include "policy/backend/survey.h"
#include "tools/directory_admin.h"
#include "tools/words.h"

bool
directory_is(const struct sr_transaction *txn)
{
    const struct sr_backend_ops *ops = txn->account->backend.ops;

    return ops->administer != NULL && !ops->only_gives_passwords;
}

static void
say_no_right(const struct sr_facts *facts, enum sr_order order,
             const char *reason)
{
    char text[1024];

    snprintf(
        text, sizeof(text),
        order == SR_ORDER_UNLOCK
            ? _("The directory does not allow the service's identity to end "
                "the lockout of %s (%s).")
        : order == SR_ORDER_REQUIRE_CHANGE
            ? _("The directory does not allow the service's identity to demand "
                "a change of the password of %s (%s).")
        : order == SR_ORDER_CLEAR_CHANGE
            ? _("The directory does not allow the service's identity to "
                "withdraw the demand for a change of %s (%s).")
        : order == SR_ORDER_NEVER_EXPIRES
            ? _("The directory does not allow the service's identity to "
                "restore the password that never expires of %s (%s).")
            : _("The directory does not allow the service's identity to set "
                "the password of %s (%s)."),
        facts->name, reason);
    ctl_error("%s  Nothing was done.  Run \"selfresetctl check --backend %s "
              "--test-entry %s\" to see its rights.",
              text, facts->backend, facts->name);
}

static void
say_refused(const struct sr_account *account, enum sr_order order,
            enum sr_refusal refusal, const char *reason)
{
    const struct sr_facts *facts = &account->facts;

    switch (refusal) {
    case SR_REFUSAL_NO_RIGHT:
    case SR_REFUSAL_WRONG_OLD:
        say_no_right(facts, order, reason);
        break;
    case SR_REFUSAL_READ_ONLY:
        ctl_error(
            "No server of \"uri\" takes changes (%s).  Nothing was done.  "
            "Add the one that does to \"uri\" of [backend %s].",
            reason, facts->backend);
        break;
    case SR_REFUSAL_CANNOT:
        ctl_error(
            "The directory does not allow the password of %s to be changed "
            "(%s).  Nothing was done.",
            facts->name, reason);
        break;
    case SR_REFUSAL_TOO_YOUNG:
        ctl_error("The directory says that the password of %s was changed too "
                  "recently (%s).  Nothing was done.  An identity with "
                  "\"manage\" access to userPassword is exempt.",
                  facts->name, reason);
        break;
    case SR_REFUSAL_OTHER:
        ctl_error("%s: %s  Nothing was done.", facts->name, reason);
        break;
    default:
        ctl_error(
            "The password policy of the directory refuses the new password "
            "of %s (%s).  Nothing was done.  Set password.min_length of "
            "this host to at least the directory's.",
            facts->name, reason);
    }
}

/* The password is set, and the rest is not, or is not known. */
static void
say_unsure(const struct sr_facts *facts, enum sr_order order,
           const char *reason)
{
    if (order == SR_ORDER_SET_PASSWORD)
        ctl_error("%s may have a new password now that nobody knows, and the "
                  "demand to change it was not set: %s.  Correct the cause and "
                  "run \"selfresetctl temporary %s\" again.",
                  facts->name, reason, facts->name);
    else
        ctl_error("The connection was lost, so the change may or may not have "
                  "been made (%s).  Run \"selfresetctl status %s\" to see.",
                  reason, facts->name);
}

static int
carry_out(const struct sr_transaction *txn, enum sr_order order,
          const char *password)
{
    struct sr_account *account = txn->account;
    struct sr_call call = sr_call_make(&account->backend, txn->connections);
    const char *reason = _(call.error.text);
    enum sr_refusal refusal;

    switch (sr_backend_administer(&call, account, order, password, &refusal)) {
    case SR_WRITE_DONE:
        if (account->skips_history)
            ctl_event(SR_EVENT_HISTORY_SKIPPED, &account->facts, NULL, true,
                      NULL);
        return CTL_OK;
    case SR_WRITE_REFUSED:
        say_refused(account, order, refusal, _(reason));
        return CTL_REFUSED;
    case SR_WRITE_UNSURE:
        say_unsure(&account->facts, order, _(reason));
        return CTL_PARTLY;
    default:
        ctl_error("The directory cannot be asked: %s.  Nothing was done.",
                  _(reason));
        return CTL_FAILED;
    }
}

int
directory_order(const struct sr_transaction *txn, enum sr_order order,
                const char *password)
{
    const bool ends = sr_never_expired_ends(txn, order);
    enum sr_store_result result;
    int code;

    /* Before it is done: without an effect the note does no harm. */
    result = ends ? sr_never_expired_note(txn, true) : SR_STORE_OK;
    if (result != SR_STORE_OK) {
        ctl_error("It cannot be remembered that the password of %s never "
                  "expired: %s.  Nothing was done.",
                  txn->account->facts.name, _(sr_store_strerror(result)));
        return CTL_FAILED;
    }
    code = carry_out(txn, order, password);
    if (ends && code != CTL_OK && code != CTL_PARTLY)
        sr_never_expired_note(txn, false);
    return code;
}

/* ---- unlock */

bool
directory_is_locked(const struct ctl *ctl, const struct sr_transaction *txn)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (!directory_is(txn))
        return false;
    if (txn->account->is_idle && facts->account_ends <= ctl->now)
        return true;
    if (facts->locked_why != SR_LOCK_WHY_DIRECTORY)
        return false;
    return facts->locked == SR_LOCK_ADMIN ||
           (facts->locked == SR_LOCK_UNTIL &&
            (!SR_TIME_IS_SET(facts->locked_until) ||
             facts->locked_until > ctl->now));
}

int
directory_unlock(const struct ctl *ctl, const struct sr_transaction *txn)
{
    int code = ctl_admit(ctl, txn);

    if (code == CTL_OK && !ctl->is_dry_run)
        code = directory_order(txn, SR_ORDER_UNLOCK, NULL);
    if (code == CTL_OK)
        ctl_print(
            ctl,
            ctl->is_dry_run
                ? N_("The lockout of %s in the directory would be ended.")
                : N_("The lockout of %s in the directory has been ended."),
            txn->account->facts.name);
    return code;
}

/* ---- status */

/* The facts that the directory did not show. */
static void
report_unknown(struct report *report, const struct sr_facts *facts)
{
    const char *const fact[] = {
        facts->locked == SR_LOCK_UNKNOWN ? "locked" : NULL,
        facts->password_changed == SR_TIME_UNKNOWN ? "password_changed" : NULL,
        facts->password_expires == SR_TIME_UNKNOWN ? "password_expires" : NULL,
        facts->must_change == SR_UNKNOWN ? "must_change" : NULL,
    };

    report_list(report, "not_shown", fact, sizeof(fact) / sizeof(fact[0]),
                "nothing");
}

void
directory_report(struct report *report, const struct sr_transaction *txn)
{
    const struct sr_account *account = txn->account;
    struct sr_survey survey = {.is_brief = true};
    struct sr_call call = sr_call_make(&account->backend, txn->connections);

    if (account->backend.ops->survey == NULL)
        return;
    if (sr_backend_survey(&call, &survey) != SR_STATUS_OK)
        survey.name[0] = '\0';
    report_section(report, "directory", "Directory");
    report_text(report, "server", survey.name[0] == '\0' ? NULL : survey.name);
    report_text(report, "uri", survey.used[0] == '\0' ? NULL : survey.used);
    report_unknown(report, &account->facts);
    report_section_end(report);
}
