/*
 * Elsewhere: orders for accounts that are kept in a directory.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/registry.h"
#include "policy/backend/survey.h"
#include "tools/directory_admin.h"

#define REASON_SIZE 512

bool
elsewhere_is(const struct sr_transaction *txn)
{
    return txn->account->backend.ops->administer != NULL;
}

int
elsewhere_admit(const struct ctl *ctl, const struct sr_transaction *txn)
{
    const struct sr_caller admin = {.is_admin = true};
    const struct sr_facts *facts = &txn->account->facts;
    struct sr_change change = sr_change(facts, &txn->rules, &admin, ctl->now);

    if (change.result == SR_CHANGE_ALLOWED)
        return CTL_OK;
    ctl_error("The password of %s is protected (%s): nobody changes it here.  "
              "Nothing was done.",
              facts->name, change.rule);
    return CTL_REFUSED;
}

static void
say_no_right(const struct sr_facts *facts, enum sr_order order,
             const char *reason)
{
    static const char *const what[] = {
        [SR_ORDER_UNLOCK] = "end the lockout",
        [SR_ORDER_REQUIRE_CHANGE] = "demand a change",
        [SR_ORDER_CLEAR_CHANGE] = "take the demand back",
        [SR_ORDER_SET_PASSWORD] = "set the password",
    };

    ctl_error("The directory does not let the service's identity %s of %s "
              "(%s).  \"selfresetctl check --backend %s --test-entry %s\" "
              "shows what it may do.  Nothing was done.",
              what[order], facts->name, reason, facts->backend, facts->name);
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
    case SR_REFUSAL_CANNOT:
        ctl_error("The directory lets nobody change the password of %s (%s).  "
                  "Nothing was done.",
                  facts->name, reason);
        break;
    case SR_REFUSAL_TOO_YOUNG:
        ctl_error("The directory says that the password of %s was changed too "
                  "recently (%s).  It makes an exception for an identity with "
                  "\"manage\" access to userPassword.  Nothing was done.",
                  facts->name, reason);
        break;
    case SR_REFUSAL_OTHER:
        ctl_error("%s: %s  Nothing was done.", facts->name, reason);
        break;
    default:
        ctl_error("The password policy of the directory refuses a new password "
                  "of %s (%s).  password.min_length of this host has to be at "
                  "least the directory's.  Nothing was done.",
                  facts->name, reason);
    }
}

/* The password is set, and the rest is not, or is not known. */
static void
say_unsure(const struct sr_facts *facts, enum sr_order order,
           const char *reason)
{
    if (order == SR_ORDER_SET_PASSWORD)
        ctl_error(
            "%s may have a new password now, which nobody knows, but the "
            "demand to change it was not set: %s.  Mend the cause and run "
            "\"selfresetctl temporary %s\" again.",
            facts->name, reason, facts->name);
    else
        ctl_error("The connection was lost: it may or may not have been done "
                  "(%s).  \"selfresetctl status %s\" tells.",
                  reason, facts->name);
}

int
elsewhere_order(const struct sr_transaction *txn, enum sr_order order,
                const char *password)
{
    struct sr_account *account = txn->account;
    struct sr_call call = sr_call_make(&account->backend, txn->connections);
    const char *reason = call.error.text;
    enum sr_refusal refusal;

    switch (sr_backend_administer(&call, account, order, password, &refusal)) {
    case SR_WRITE_DONE:
        return CTL_OK;
    case SR_WRITE_REFUSED:
        say_refused(account, order, refusal, reason);
        return CTL_REFUSED;
    case SR_WRITE_UNSURE:
        say_unsure(&account->facts, order, reason);
        return CTL_PARTLY;
    default:
        ctl_error("The directory cannot be asked: %s.  Nothing was done.",
                  reason);
        return CTL_FAILED;
    }
}

/* ---- must-change */

/* What the demand would come to for this account at a login prompt. */
static void
warn_if_barred(const struct ctl *ctl, const struct sr_transaction *txn)
{
    const struct sr_facts *facts = &txn->account->facts;
    struct sr_verdict verdict =
        sr_verdict(facts, &txn->rules, &ctl_at_login, ctl->now);

    if (facts->must_change != SR_YES)
        ctl_error("Attention: the directory does not show the demand.  Is the "
                  "service's identity let read it?  \"selfresetctl check "
                  "--backend %s --test-entry %s\" tells.",
                  facts->backend, facts->name);
    else if (verdict.state == SR_STATE_BARRED)
        ctl_error("Attention: %s (%s) forbids %s to change the password at a "
                  "login.  With this demand the account cannot log in at all.  "
                  "\"selfresetctl must-change --clear %s\" takes it back.",
                  verdict.rule, sr_change_name(verdict.barred_by), facts->name,
                  facts->name);
}

static int
look_again(struct sr_transaction *txn, const char *name)
{
    if (sr_transaction_refresh(txn) == SR_STATUS_OK)
        return CTL_OK;
    ctl_error("It was done, but %s cannot be read any more: %s.", name,
              txn->reason);
    return CTL_PARTLY;
}

static int
carry_out(const struct ctl *ctl, struct sr_transaction *txn, bool has_clear)
{
    const struct sr_facts *facts = &txn->account->facts;
    int code = elsewhere_order(
        txn, has_clear ? SR_ORDER_CLEAR_CHANGE : SR_ORDER_REQUIRE_CHANGE, NULL);

    ctl_event(SR_EVENT_MUST_CHANGE_SET, facts, NULL, code == CTL_OK,
              has_clear ? "cleared" : "set");
    if (code != CTL_OK)
        return code;
    ctl_publish(ctl, facts->name);
    return look_again(txn, ctl->operand[0]);
}

int
elsewhere_must_change(const struct ctl *ctl, struct sr_transaction *txn,
                      bool has_clear)
{
    const char *name = ctl->operand[0];
    bool must = txn->account->facts.must_change == SR_YES;
    int code = elsewhere_admit(ctl, txn);

    if (code != CTL_OK)
        return code;
    if (has_clear && txn->has_temporary) {
        ctl_error("The password of %s is a temporary one, which has to be "
                  "changed.  \"passwd %s\" sets a lasting one.  Nothing was "
                  "done.",
                  name, name);
        return CTL_REFUSED;
    }
    if (must != has_clear) {
        printf(has_clear ? "%s does not have to change the password. "
                           "There was nothing to do.\n"
                         : "%s already has to change the password. "
                           "There was nothing to do.\n",
               name);
        return CTL_OK;
    }
    code = carry_out(ctl, txn, has_clear);
    if (code != CTL_OK)
        return code;
    printf(has_clear ? "%s no longer has to change the password.\n"
                     : "%s has to change the password at the next login.\n",
           name);
    if (!has_clear)
        warn_if_barred(ctl, txn);
    return CTL_OK;
}

/* ---- unlock */

bool
elsewhere_is_locked(const struct ctl *ctl, const struct sr_transaction *txn)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (!elsewhere_is(txn))
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
elsewhere_unlock(const struct ctl *ctl, const struct sr_transaction *txn)
{
    int code = elsewhere_admit(ctl, txn);

    if (code == CTL_OK)
        code = elsewhere_order(txn, SR_ORDER_UNLOCK, NULL);
    if (code == CTL_OK)
        printf("The lockout of %s in the directory has been ended.\n",
               txn->account->facts.name);
    return code;
}

/* ---- status */

/* A list of the facts that nothing is known of. */
static void
unknown_facts(const struct sr_facts *facts, char *out, size_t size)
{
    const struct {
        const char *name;
        bool is_unknown;
    } fact[] = {
        {"locked", facts->locked == SR_LOCK_UNKNOWN},
        {"password_changed", facts->password_changed == SR_TIME_UNKNOWN},
        {"password_expires", facts->password_expires == SR_TIME_UNKNOWN},
        {"must_change", facts->must_change == SR_UNKNOWN},
    };
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(fact) / sizeof(fact[0]); i++) {
        if (fact[i].is_unknown && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s",
                                     used == 0 ? "" : ", ", fact[i].name);
    }
}

void
elsewhere_report(struct report *report, const struct sr_transaction *txn)
{
    const struct sr_account *account = txn->account;
    struct sr_survey survey = {.is_brief = true};
    struct sr_call call = sr_call_make(&account->backend, txn->connections);
    char unknown[128];

    if (account->backend.ops->survey == NULL)
        return;
    if (sr_backend_survey(&call, &survey) != SR_STATUS_OK)
        survey.name[0] = '\0';
    unknown_facts(&account->facts, unknown, sizeof(unknown));
    report_section(report, "directory", "Directory");
    report_text(report, "server", survey.name[0] == '\0' ? NULL : survey.name);
    report_text(report, "uri", survey.used);
    report_text(report, "not_shown", unknown[0] == '\0' ? "nothing" : unknown);
    report_section_end(report);
}
