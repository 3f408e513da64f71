/*
 * Check accounts: accounts whose facts and rules contradict each other, or
 * together keep the user out.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <pwd.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/account/account.h"
#include "policy/backend/registry.h"
#include "policy/config/members.h"
#include "policy/config/account_rules.h"
#include "policy/decide/verdict.h"
#include "policy/util/name_map.h"
#include "policy/util/clock.h"
#include "policy/util/crypt.h"
#include "policy/util/text.h"
#include "tools/check/accounts.h"
#include "tools/ctl.h"
#include "tools/words.h"

/* An account that has to be changed at a login, which cannot be. */
static void
check_barred(const struct sr_transaction *txn, const struct sr_verdict *verdict,
             struct findings *findings)
{
    const struct sr_facts *facts = &txn->account->facts;
    bool must = facts->must_change == SR_YES ||
                facts->temporary_until != SR_TIME_UNKNOWN;

    if (verdict->state != SR_STATE_BARRED)
        return;
    if (verdict->barred_by == SR_CHANGE_REQUIRE_LOGON && must)
        findings_add(findings, SEVERITY_ERROR, "change.require_logon",
                     facts->name,
                     "Put them in change.logon_exempt, or withdraw the demand "
                     "with \"selfresetctl must-change --clear\".",
                     "Accounts have to change their password before they are "
                     "logged on, and may change it only while logged on.  "
                     "They cannot log in at all.");
    else if (verdict->barred_by == SR_CHANGE_PROTECTED ||
             verdict->barred_by == SR_CHANGE_CANNOT)
        findings_add(findings, SEVERITY_ERROR, verdict->rule, facts->name,
                     "Remove the expiry with \"chage -M -1\", or take the "
                     "account off the list.",
                     "Accounts have to change their password, and are not "
                     "allowed to.  They cannot log in with it.");
}

/* An owner who may not change a password that will expire. */
static void
check_doomed(const struct sr_transaction *txn, const struct sr_verdict *verdict,
             struct findings *findings)
{
    const struct sr_facts *facts = &txn->account->facts;
    struct sr_change change;

    if (verdict->state == SR_STATE_BARRED || facts->has_password == SR_NO ||
        facts->never_expires == SR_YES ||
        !SR_TIME_IS_SET(facts->password_expires))
        return;
    /* As it will be decided at a login on the day it expires. */
    change =
        sr_change(facts, &txn->rules, &ctl_at_login, facts->password_expires);
    if (change.result == SR_CHANGE_PROTECTED ||
        change.result == SR_CHANGE_CANNOT)
        findings_add(findings, SEVERITY_WARNING, change.rule, facts->name,
                     "Remove the expiry with \"chage -M -1\", or change the "
                     "password before it expires.",
                     "Passwords will expire that their owners are not allowed "
                     "to change.");
}

static void
check_ages(const struct sr_transaction *txn, struct findings *findings)
{
    const struct sr_facts *facts = &txn->account->facts;
    sr_time by_rule = SR_TIME_UNKNOWN;

    if (!SR_TIME_IS_SET(facts->password_expires) ||
        facts->never_expires == SR_YES)
        return;
    if (SR_TIME_IS_SET(facts->may_change_from) &&
        facts->may_change_from > facts->password_expires)
        findings_add(findings, SEVERITY_WARNING, "/etc/shadow", facts->name,
                     "Correct one of them with \"chage -m\" or \"chage -M\".",
                     "The minimum age is longer than the maximum age.  The "
                     "password can be changed only after it has expired.");
    if (txn->rules.minimum_age > 0 && SR_TIME_IS_SET(facts->password_changed) &&
        !__builtin_add_overflow(facts->password_changed, txn->rules.minimum_age,
                                &by_rule) &&
        by_rule > facts->password_expires)
        findings_add(findings, SEVERITY_WARNING, "change.minimum_age",
                     facts->name, "Shorten it, or lengthen their maximum age.",
                     "The minimum age is longer than the maximum age of "
                     "accounts.  Their passwords can be changed only after "
                     "they have expired.");
}

/* A warning period in shadow that takes the place of one that was configured.
 */
static void
check_warning(const struct sr_config *config, const struct sr_transaction *txn,
              struct findings *findings)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (!sr_config_sets(config, "expiry", "warn") ||
        txn->rules.warn_by != SR_WARN_BY_ACCOUNT ||
        strcmp(facts->backend, SR_LOCAL) != 0 ||
        !SR_TIME_IS_SET(facts->password_expires) ||
        !SR_TIME_IS_SET(facts->warn_from) ||
        facts->password_expires - facts->warn_from == txn->rules.warn)
        return;
    findings_add(findings, SEVERITY_WARNING, "expiry.warn", facts->name,
                 "Set expiry.warn_by to \"config\" or \"earlier\", or empty "
                 "the field with \"chage -W -1\".",
                 "The warning periods in the shadow file count for these "
                 "accounts, not expiry.warn.");
}

/* Root with a password that it cannot log in with; without a password it has
 * other means, which the administrator chose. */
static void
check_root(const struct sr_transaction *txn, const struct sr_verdict *verdict,
           struct findings *findings)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (facts->uid != 0 || facts->has_password != SR_YES)
        return;
    switch (verdict->state) {
    case SR_STATE_DISABLED:
    case SR_STATE_ENDED:
    case SR_STATE_NOT_YET:
    case SR_STATE_LAPSED:
    case SR_STATE_BARRED:
        findings_add(findings, SEVERITY_ERROR, facts->name, NULL,
                     "Run \"selfresetctl explain\" to see why, and correct it "
                     "before you log off.",
                     "The account is %s: root cannot log in with its password.",
                     sr_state_name(verdict->state));
        break;
    case SR_STATE_MUST_CHANGE:
    case SR_STATE_EXPIRED:
        findings_add(findings, SEVERITY_WARNING, facts->name, NULL,
                     "Change it with passwd(1).",
                     "The password of root has to be changed at the next "
                     "login, also by key.");
        break;
    default:
        break;
    }
}

/* With locked_hash = account, "!" before a hash also stops what needs no
 * password. */
static void
check_locked_hash(const struct sr_transaction *txn, struct findings *findings)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (txn->rules.locked_hash == SR_LOCKED_HASH_ACCOUNT &&
        facts->disabled == SR_YES && ctl_is_system(facts->uid))
        findings_add(findings, SEVERITY_WARNING, "expiry.locked_hash",
                     facts->name,
                     "Set \"locked_hash = password\", or replace \"!\" by "
                     "\"*\" in their lines with vipw -s.",
                     "System accounts with \"!\" in /etc/shadow are disabled, "
                     "so that their cron jobs and services do not run.");
}

/* ---- all accounts */

/* The first account that has a uid. */
struct owner {
    uid_t uid;
    char name[];
};

/* One pass over all accounts. */
struct pass {
    const struct sr_config *config;
    sr_time now;
    struct findings *findings;
    struct sr_members *members;
    struct sr_name_map seen; /* names of local accounts */
    void *owners;            /* a tree of struct owner, by uid */
    size_t count;            /* of accounts that were checked */
    time_t started;          /* by the monotonic clock */
    bool shows_progress;     /* standard error is a terminal */
    bool tries_all;          /* hashes for an empty password, however long */
    int64_t hashes_ms;       /* spent on them, */
    size_t untried;          /* and how many were not */
};

static time_t
uptime(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void
print_progress(size_t count)
{
    fputc('\r', stderr);
    fprintf(stderr, _n("%zu account checked", "%zu accounts checked", count),
            count);
}

/* One line on a terminal, for what takes longer than two seconds. */
static void
show_progress(struct pass *pass, bool is_end)
{
    pass->count++;
    if (!pass->shows_progress || uptime() - pass->started < 2)
        return;
    if (is_end)
        fputs("\r\033[K", stderr);
    else if (pass->count % 100 == 0)
        print_progress(pass->count);
}

static void
add_unreadable(struct pass *pass, const char *name, const char *reason)
{
    /* One finding for all accounts that have the same cause. */
    findings_add(pass->findings, SEVERITY_ERROR, "accounts", name,
                 "Correct the cause.  Until then they cannot log in by "
                 "pam_selfreset.so.",
                 "Accounts cannot be read: %s.", _(reason));
}

static int
compare_uids(const void *a, const void *b)
{
    const uid_t one = ((const struct owner *)a)->uid;
    const uid_t other = ((const struct owner *)b)->uid;

    return (one > other) - (one < other);
}

/* Two names with one uid: to the kernel they are one user. */
static void
check_uid(struct pass *pass, const struct sr_facts *facts)
{
    const size_t size = strlen(facts->name) + 1;
    struct owner *owner = malloc(sizeof(*owner) + size);
    const struct owner *first;
    void *found = NULL;
    char *both;

    if (owner != NULL) {
        owner->uid = facts->uid;
        memcpy(owner->name, facts->name, size);
        found = tsearch(owner, &pass->owners, compare_uids);
    }
    if (found == NULL) {
        pass->findings->is_cut = true;
        free(owner);
        return;
    }
    first = *(struct owner **)found;
    if (first == owner)
        return;
    both = sr_format(_("%s (as %s)"), facts->name, first->name);
    findings_add(pass->findings, SEVERITY_WARNING, "accounts",
                 both != NULL ? both : facts->name,
                 "Give each account a user id of its own.",
                 "Accounts have the user id of another account.  Each has its "
                 "own password, lockouts and history, but sessions of one are "
                 "taken for sessions of the other.");
    free(both);
    free(owner);
}

/* How long hashes are tried in all, milliseconds: each costs a login's. */
#define HASHES_MS 2000

/* Whether the password is empty: an empty field in shadow, or the hash of
 * nothing. */
static bool
is_empty(struct pass *pass, const char *secret)
{
    int64_t began;
    bool is_right;

    if (secret[0] == '\0' || !sr_crypt_is_hash(secret))
        return secret[0] == '\0';
    if (!pass->tries_all && pass->hashes_ms >= HASHES_MS) {
        pass->untried++;
        return false;
    }
    began = sr_clock_milliseconds();
    is_right = sr_crypt_verify("", secret) == 1;
    pass->hashes_ms += sr_clock_milliseconds() - began;
    return is_right;
}

/* A hash that is never computed, because it would take minutes or days. */
static void
check_cost(const struct sr_transaction *txn, struct findings *findings)
{
    const struct sr_account *account = txn->account;

    if (strcmp(account->facts.backend, SR_LOCAL) == 0 &&
        account->secret != NULL &&
        sr_crypt_estimate(account->secret) > SR_CRYPT_MS_MAX)
        findings_add(findings, SEVERITY_ERROR, "/etc/shadow",
                     account->facts.name, "Set a new password with passwd(1).",
                     "Hashes of accounts take too long to compute.  No "
                     "password is accepted for these accounts.");
}

static void
check_empty(struct pass *pass, const struct sr_transaction *txn)
{
    const struct sr_account *account = txn->account;

    if (strcmp(account->facts.backend, SR_LOCAL) != 0 ||
        account->secret == NULL || !is_empty(pass, account->secret))
        return;
    if (txn->rules.nullok)
        findings_add(
            pass->findings, SEVERITY_WARNING, "selfreset.nullok",
            account->facts.name,
            "Set a password with passwd(1), or lock it with "
            "\"passwd -l\".",
            "Accounts have an empty password: anyone can log in to them.");
    else
        findings_add(pass->findings, SEVERITY_WARNING, "/etc/shadow",
                     account->facts.name,
                     "Set a password with passwd(1), or lock it with "
                     "\"passwd -l\".",
                     "Accounts have an empty password.  pam_selfreset.so "
                     "accepts none (selfreset.nullok); other modules may.");
}

static void
check_facts(struct pass *pass, struct sr_transaction *txn)
{
    struct sr_verdict verdict;
    struct sr_facts facts;

    check_uid(pass, &txn->account->facts);
    /* A store that cannot be read is a finding already. */
    if (sr_transaction_recall(txn, NULL, NULL) != SR_STORE_OK)
        return;
    facts = sr_transaction_facts(txn);
    verdict = sr_verdict(&facts, &txn->rules, &ctl_at_login, pass->now);
    check_barred(txn, &verdict, pass->findings);
    check_doomed(txn, &verdict, pass->findings);
    check_ages(txn, pass->findings);
    check_warning(pass->config, txn, pass->findings);
    check_empty(pass, txn);
    check_cost(txn, pass->findings);
    check_locked_hash(txn, pass->findings);
    check_root(txn, &verdict, pass->findings);
}

static int
take_local(void *context, struct sr_account *account,
           const struct sr_rules *rules, enum sr_status ask, const char *reason)
{
    struct pass *pass = context;
    struct sr_transaction txn = {.config = pass->config,
                                 .rules = *rules,
                                 .account = account,
                                 .ask = ask};
    struct sr_named *seen = sr_name_map_add(&pass->seen, account->facts.name);

    if (seen == NULL) {
        pass->findings->is_cut = true;
        return -1;
    }
    if (seen->value >= 0)
        return 0; /* a second line of the same name, which is never used */
    seen->value = 0;
    if (ask == SR_STATUS_OK)
        check_facts(pass, &txn);
    else
        add_unreadable(pass, account->facts.name, reason);
    show_progress(pass, false);
    return 0;
}

/* The local accounts in one pass over the files, where no directory comes
 * before them: one by one, each would cost a pass. */
static void
check_local(struct pass *pass)
{
    const struct sr_visitor visitor = {sr_members_rules, pass->members,
                                       take_local, pass, NULL};
    const struct sr_string_list *backends = &pass->config->backends;
    struct sr_backend backend;
    struct sr_call call = sr_call_make(&backend, NULL);

    if (backends->count == 0 || strcmp(backends->item[0], "local") != 0 ||
        sr_backend_find(pass->config, "local", &backend, &call.error) != 0)
        return;
    (void)sr_backend_enumerate(&call, &visitor); /* the rest is asked for */
}

static void
check_account(struct pass *pass, const char *name)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};

    switch (sr_transaction_begin(pass->config, name, "", NULL, &txn)) {
    case SR_STATUS_OK:
        check_facts(pass, &txn);
        break;
    case SR_STATUS_UNKNOWN_NAME:
        /* Without a reason: another module's. */
        if (txn.another[0] != '\0')
            findings_add(pass->findings, SEVERITY_WARNING, "accounts", name,
                         "Give both the same number, or one of them another "
                         "name.",
                         "An account of a directory is not used: %s.",
                         txn.another);
        break;
    default:
        add_unreadable(pass, name, txn.reason);
    }
    show_progress(pass, false);
}

/* The other accounts that the name service lists. */
static void
check_others(struct pass *pass)
{
    struct sr_string_list names = {0};
    struct passwd *entry;

    setpwent();
    while ((entry = getpwent()) != NULL) {
        if (sr_name_map_find(&pass->seen, entry->pw_name) == NULL &&
            sr_string_list_add(&names, entry->pw_name,
                               strlen(entry->pw_name)) != 0)
            break;
    }
    pass->findings->is_cut = pass->findings->is_cut || entry != NULL;
    endpwent();
    for (size_t i = 0; i < names.count; i++)
        check_account(pass, names.item[i]);
    sr_string_list_free(&names);
}

size_t
check_accounts(const struct sr_config *config, sr_time now, bool tries_all,
               struct findings *findings)
{
    struct pass pass = {.config = config,
                        .now = now,
                        .findings = findings,
                        .members = sr_members_new(config, ""),
                        .started = uptime(),
                        .tries_all = tries_all,
                        .shows_progress = isatty(STDERR_FILENO) == 1};

    if (pass.members == NULL) {
        findings->is_cut = true;
        return 0;
    }
    check_local(&pass);
    check_others(&pass);
    show_progress(&pass, true);
    sr_name_map_free(&pass.seen);
    tdestroy(pass.owners, free);
    sr_members_free(pass.members);
    return pass.untried;
}
