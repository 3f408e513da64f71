/*
 * Temporary: set a temporary password, so that a user who forgot the password
 * can log in.
 *
 * A temporary password without its record would never end.  So the order is
 * such that a crash at any point leaves the old password, or one that ends, or
 * one that no one knows:
 *
 *   1. record the new hash's fingerprint (the old password still works),
 *   2. store the hash, 3. demand a change, 4. record again and read back,
 *   5. only then show the password.
 *
 * Step 1 replaces the account's only record.  When the password in use is a
 * temporary one itself, that record is what ends it, so step 1 is left out: a
 * crash after step 2 leaves a password that was never shown.  Step 4
 * is there because a change by the user between 1 and 2 ends the record.
 *
 * In a directory the fingerprint is known only after the change.  So there the
 * password and the demand come first, then the record; the password is never
 * shown before it is recorded.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "policy/account/former.h"
#include "policy/config/value.h"
#include "policy/util/crypt.h"
#include "policy/util/io.h"
#include "policy/password/quality.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/directory_admin.h"
#include "tools/each.h"
#include "tools/password_gen.h"
#include "tools/report.h"
#include "tools/shadow.h"
#include "tools/shared_ledger.h"
#include "tools/words.h"

/* How many phrases are tried against the rules before giving up. */
#define PHRASES_MAX 50

/* Bounds of --lifetime, in seconds. */
#define LIFETIME_MIN 60
#define LIFETIME_MAX (365 * SR_DAY)

/* The options. */
struct wanted {
    int64_t lifetime; /* 0: the account's rule */
    bool has_force;
};

/* One issue; holds the secrets, and is wiped as a whole. */
struct issue {
    struct ctl *ctl;
    const char *name; /* as typed */
    const struct wanted *wanted;
    struct report *report;
    struct sr_transaction txn;
    struct shadow_line before;
    char password[PHRASE_LENGTH_MAX + 1];
    char hash[512];
    sr_time until; /* wall clock */
};

static void
issue_end(struct issue *issue)
{
    sr_transaction_end(&issue->txn);
    shadow_free(&issue->before);
    explicit_bzero(issue, sizeof(*issue));
}

static const char *
name_of(const struct issue *issue)
{
    return issue->txn.account->facts.name;
}

/* A lock by hand ("!" before a real hash) is not lifted by a new password. */
static bool
is_locked_by_hand(const char *hash)
{
    return hash[0] == '!' && hash[1] != '\0' && strcmp(hash, "!!") != 0 &&
           strcmp(hash, "!*") != 0;
}

static int
refuse_ended(const struct issue *issue)
{
    const struct sr_facts *facts = &issue->txn.account->facts;

    if (!SR_TIME_IS_SET(facts->account_ends) ||
        facts->account_ends > issue->ctl->now)
        return CTL_OK;
    if (directory_is(&issue->txn))
        ctl_error("The account %s has ended, so a password would not let its "
                  "user in.  Nothing was done.  To extend it, set another end "
                  "in the directory first.",
                  facts->name);
    else
        ctl_error("The account %s has ended, so a password would not let its "
                  "user in.  Nothing was done.  To extend it, run \"chage -E "
                  "-1 %s\" first.",
                  facts->name, facts->name);
    return CTL_REFUSED;
}

/* Whether the account may be given a password here: CTL_OK, or why not. */
static int
admit(const struct issue *issue)
{
    const struct sr_facts *facts = &issue->txn.account->facts;

    if (ctl_admit(issue->ctl, &issue->txn) != CTL_OK)
        return CTL_REFUSED;
    if (is_locked_by_hand(issue->before.hash)) {
        ctl_error("The password of %s is locked by an administrator, and a "
                  "temporary password would remove that lock.  Nothing was "
                  "done.  If that is wanted, run \"usermod -U %s\" first.",
                  facts->name, facts->name);
        return CTL_REFUSED;
    }
    if (facts->has_password == SR_NO && !issue->wanted->has_force) {
        ctl_error("%s has no usable password: it may be a service account, or "
                  "log in by key only.  Nothing was done.  To give it a "
                  "password all the same, use --force.",
                  facts->name);
        return CTL_REFUSED;
    }
    return refuse_ended(issue);
}

static void
say_broken(const struct sr_findings *findings)
{
    ctl_error("No temporary password could be made that obeys these rules, so "
              "nothing was done:");
    for (size_t i = 0; i < findings->count; i++)
        ctl_wrap(stderr, "  - ", 4, findings->item[i].text);
}

/* One try: 1 when the rules allow it, 0 when not, -1 when they cannot be
 * asked or it is the last try. */
static int
try_phrase(struct issue *issue, bool is_last)
{
    const struct sr_candidate candidate = {
        .password = issue->password,
        .user = name_of(issue),
        .gecos = issue->txn.account->gecos,
    };
    struct sr_findings findings = {0};
    int outcome = 1;

    switch (sr_quality_check(&candidate, &issue->txn.rules, &findings)) {
    case SR_QUALITY_DONE:
        if (findings.count > 0)
            outcome = is_last ? -1 : 0;
        if (outcome < 0)
            say_broken(&findings);
        break;
    default:
        outcome = -1;
        ctl_error("New passwords cannot be checked (%s), so nothing was done.",
                  findings.count > 0 ? findings.item[0].text
                                     : _("out of memory"));
    }
    sr_findings_free(&findings);
    return outcome;
}

static int
make_password(struct issue *issue)
{
    size_t least = issue->txn.rules.min_length;

    for (int i = 1; i <= PHRASES_MAX; i++) {
        int outcome;

        if (!phrase_make(phrase_getrandom, least, issue->password,
                         sizeof(issue->password))) {
            ctl_error(
                "There are no random bytes for a password.  Nothing was done.");
            return CTL_FAILED;
        }
        outcome = try_phrase(issue, i == PHRASES_MAX);
        if (outcome == 1)
            return CTL_OK;
        if (outcome < 0)
            break;
    }
    return CTL_FAILED;
}

static int
make_hash(struct issue *issue)
{
    char setting[SR_HISTORY_SALT_SIZE];

    if (sr_crypt_setting(setting, sizeof(setting)) == 0 &&
        sr_crypt_hash(issue->password, setting, issue->hash,
                      sizeof(issue->hash)) == 0)
        return CTL_OK;
    ctl_error("The password could not be hashed.  Nothing was done.");
    return CTL_FAILED;
}

static int64_t
lifetime(const struct issue *issue)
{
    return issue->wanted->lifetime > 0 ? issue->wanted->lifetime
                                       : issue->txn.rules.temporary_lifetime;
}

static bool
set_temporary(void *context, struct sr_memory *memory)
{
    struct issue *issue = context;

    memory->temporary = (struct sr_temporary){
        .fingerprint = sr_memory_fingerprint(memory, issue->hash),
        .issued = memory->now,
        .until = memory->now + lifetime(issue),
    };
    issue->until = memory->wall + lifetime(issue);
    return true;
}

/* Record the new hash's fingerprint and the end of its life; the same for the
 * second time. */
static int
record(struct issue *issue)
{
    __attribute__((cleanup(ctl_store_close))) struct sr_store *store = NULL;
    const struct sr_identity id = sr_identity_of(&issue->txn.account->facts);
    enum sr_store_result result;

    if (ctl_store(true, &store) != CTL_OK)
        return CTL_FAILED;
    result = sr_memory_change(store, &id, set_temporary, issue);
    if (result == SR_STORE_OK)
        return CTL_OK;
    ctl_store_error(store, result);
    return CTL_FAILED;
}

/* The shadow file has our hash, and demands a change. */
static bool
is_stored(const struct issue *issue)
{
    __attribute__((cleanup(shadow_free))) struct shadow_line line = {0};

    return shadow_find(name_of(issue), &line) == CTL_OK &&
           strcmp(line.hash, issue->hash) == 0 && line.changed == 0;
}

/* Restore the old hash where the new one is stored.  A hash that another
 * program has stored meanwhile stays. */
static int
undo_hash(const struct issue *issue)
{
    __attribute__((cleanup(shadow_free))) struct shadow_line line = {0};

    if (shadow_find(name_of(issue), &line) == CTL_OK &&
        strcmp(line.hash, issue->hash) != 0)
        return 0;
    return shadow_set_hash(name_of(issue), issue->before.hash);
}

static int
undo_changed(const struct issue *issue)
{
    __attribute__((cleanup(shadow_free))) struct shadow_line line = {0};

    if (shadow_find(name_of(issue), &line) == CTL_OK &&
        line.changed == issue->before.changed)
        return 0;
    return shadow_set_changed(name_of(issue), issue->before.changed);
}

/* Restore the old state.  The record stays: it has no effect for a hash that is
 * not in use, and while the new one is in use, it ends it. */
static int
undo(const struct issue *issue)
{
    const char *name = name_of(issue);

    if (undo_hash(issue) != 0) {
        ctl_error("The old password of %s could not be restored: the account "
                  "has a password now that nobody knows.  Correct the cause "
                  "and run \"selfresetctl temporary %s\" again.",
                  name, name);
        return CTL_PARTLY;
    }
    if (undo_changed(issue) != 0) {
        ctl_error("The old password of %s was restored, but not the day of its "
                  "last change.  Run \"chage -d %ld %s\" to set it.",
                  name, issue->before.changed, name);
        return CTL_PARTLY;
    }
    ctl_error("No temporary password was set; %s has the old password.", name);
    return CTL_FAILED;
}

/* Steps 1 to 4. */
static int
store_password(struct issue *issue)
{
    const char *name = name_of(issue);

    if (!issue->txn.has_temporary && record(issue) != CTL_OK) {
        ctl_error("Nothing was changed.");
        return CTL_FAILED;
    }
    if (shadow_set_hash(name, issue->hash) != 0)
        return undo(issue); /* it may have stored it and failed then */
    if (shadow_set_changed(name, 0) != 0 || record(issue) != CTL_OK)
        return undo(issue);
    if (!is_stored(issue)) {
        ctl_error("Another program changed the password of %s at the same "
                  "time, and its password is the one that is stored.",
                  name);
        return CTL_FAILED;
    }
    return CTL_OK;
}

/* The password alone on standard output, after the name where several accounts
 * get one; other messages on standard error.  Returns 0 or errno. */
static int
write_password(const struct issue *issue)
{
    char text[SR_NAME_MAX + PHRASE_LENGTH_MAX + 3];
    int error;

    snprintf(text, sizeof(text), "%s%s%s\n",
             issue->ctl->operand_count > 1 ? name_of(issue) : "",
             issue->ctl->operand_count > 1 ? " " : "", issue->password);
    fflush(stdout);
    /* Not by stdio, whose buffer would keep a copy. */
    error = -sr_write_all(STDOUT_FILENO, text, strlen(text));
    explicit_bzero(text, sizeof(text));
    return error;
}

static int
show(const struct issue *issue)
{
    const bool is_local =
        directory_is(&issue->txn) &&
        issue->txn.account->facts.temporary_until != issue->until;
    char text[1024], when[REPORT_TEXT_MAX];
    int error, used;

    if (issue->report->is_json) {
        report_text(issue->report, "password", issue->password);
        report_time(issue->report, "valid_until",
                    issue->until == 0 ? SR_TIME_UNKNOWN : issue->until);
        return CTL_OK;
    }
    error = write_password(issue);
    if (error != 0) {
        ctl_error("%s has a temporary password, but it could not be written: "
                  "%s.  Nobody knows it.  Run \"selfresetctl temporary %s\" "
                  "again.",
                  name_of(issue), strerror(error), name_of(issue));
        return CTL_PARTLY;
    }
    used = snprintf(text, sizeof(text),
                    _("This password of %s is shown only once.  It has to be "
                      "changed at the next login."),
                    name_of(issue));
    if (issue->until != 0 && used > 0 && (size_t)used + 2 < sizeof(text)) {
        text[used++] = ' ';
        snprintf(text + used, sizeof(text) - (size_t)used,
                 is_local ? _("It is valid until %s on this host.")
                          : _("It is valid until %s."),
                 report_local(issue->until, when));
    }
    ctl_wrap(stderr, "", 0, text);
    return CTL_OK;
}

/* What would still stop a login with it. */
static void
warn_of_obstacles(const struct issue *issue, bool is_unlocked)
{
    const struct sr_facts *facts = &issue->txn.account->facts;
    struct sr_facts next = *facts;
    struct sr_verdict verdict;
    char when[REPORT_TEXT_MAX];

    /* The account with its new password. */
    next.must_change = next.has_password = SR_YES;
    next.password_expires = next.inactive_from = SR_TIME_UNKNOWN;
    next.locked = SR_LOCK_NO;
    verdict =
        sr_verdict(&next, &issue->txn.rules, &ctl_at_login, issue->ctl->now);
    if (verdict.state == SR_STATE_BARRED)
        ctl_error("Warning: %s (%s) does not allow %s to change the password "
                  "at a login, where a temporary one has to be changed.  Run "
                  "\"passwd %s\" to set one that does not end.",
                  verdict.rule, sr_change_name(verdict.barred_by), facts->name,
                  facts->name);
    if (SR_TIME_IS_SET(facts->account_ends) && issue->until != 0 &&
        facts->account_ends < issue->until)
        ctl_error("Warning: the account %s ends earlier, %s.", facts->name,
                  report_local(facts->account_ends, when));
    if (!is_unlocked && sr_lockout_is(&issue->txn.lockout))
        ctl_error("Warning: %s is locked out at present.  Run \"selfresetctl "
                  "unlock %s\" to end that.",
                  facts->name, facts->name);
}

/* A reset ends what was counted against the account, here and for all hosts:
 * it was not the new password that was being guessed. */
static int
end_lockouts(struct issue *issue)
{
    const struct sr_facts *facts = &issue->txn.account->facts;
    const struct sr_identity id = sr_identity_of(facts);
    bool found;
    int code = ctl_drop_ledgers(&id, &found);

    if (code == CTL_OK)
        code = shared_clear(&issue->txn);
    if (code == CTL_OK && !found)
        return code;
    ctl_event(SR_EVENT_UNLOCKED, facts, NULL, code == CTL_OK,
              code == CTL_OK ? NULL : "SR-3205");
    return code;
}

/* What follows once the password is stored: it is shown even where a lockout
 * could not be ended, since it would be lost otherwise. */
static int
finish(struct issue *issue)
{
    const int unlocked = end_lockouts(issue);
    int code;

    ctl_publish(issue->ctl, name_of(issue));
    code = show(issue);
    warn_of_obstacles(issue, unlocked == CTL_OK);
    return code == CTL_OK && unlocked != CTL_OK ? CTL_PARTLY : code;
}

/* ---- an account of a directory */

/* Record what identifies the password there.  It must differ from that of later
 * passwords, or the record would hold for these as well: it does where it
 * differs from the one before, and where the demand is shown. */
static int
record_in_directory(struct issue *issue, const char *before)
{
    const struct sr_account *account = issue->txn.account;
    const struct sr_facts *facts = &account->facts;

    if (facts->must_change != SR_YES)
        ctl_error("Warning: the directory does not show that %s has to change "
                  "the password.",
                  facts->name);
    if (SR_TIME_IS_SET(facts->temporary_until)) {
        issue->until = facts->temporary_until; /* the server ends it itself */
        return CTL_OK;
    }
    if (strcmp(account->secret, before) == 0 && facts->must_change != SR_YES) {
        ctl_error("Warning: the directory does not show when a password was "
                  "changed, so this one does not end by itself.");
        return CTL_OK;
    }
    snprintf(issue->hash, sizeof(issue->hash), "%s", account->secret);
    if (record(issue) == CTL_OK)
        return CTL_OK;
    ctl_error("%s has a new password that nobody knows.  Correct the cause and "
              "run \"selfresetctl temporary %s\" again.",
              facts->name, facts->name);
    return CTL_PARTLY;
}

static int
store_in_directory(struct issue *issue)
{
    const char *name = issue->name;
    char before[sizeof(issue->hash)];
    enum sr_store_result result;
    int code;

    snprintf(before, sizeof(before), "%s", issue->txn.account->secret);
    code = directory_order(&issue->txn, SR_ORDER_SET_PASSWORD, issue->password);
    if (code != CTL_OK)
        return code;
    result = sr_former_note_reset(&issue->txn, issue->password);
    if (result != SR_STORE_OK)
        ctl_error("Warning: it could not be remembered that the password of %s "
                  "was replaced: %s.  For an hour, a bind may accept the one "
                  "before.",
                  name, _(sr_store_strerror(result)));
    if (sr_transaction_refresh(&issue->txn) == SR_STATUS_OK)
        return record_in_directory(issue, before);
    ctl_error(
        "%s has a new password that nobody knows, and cannot be read now: "
        "%s.  Run \"selfresetctl temporary %s\" again later.",
        name, _(issue->txn.reason), name);
    return CTL_PARTLY;
}

/* With --dry-run: say what would be done, and do nothing. */
static bool
would_issue(const struct issue *issue)
{
    if (!issue->ctl->is_dry_run)
        return false;
    issue->ctl->is_changed = true;
    ctl_print(issue->ctl, "%s would get a temporary password.", name_of(issue));
    if (issue->report->is_json) {
        report_text(issue->report, "password", NULL);
        report_text(issue->report, "valid_until", NULL);
    }
    return true;
}

static int
issue_in_directory(struct issue *issue)
{
    const struct sr_facts *facts = &issue->txn.account->facts;
    const char *name = issue->name;
    int code = ctl_admit(issue->ctl, &issue->txn);

    if (code == CTL_OK)
        code = refuse_ended(issue);
    if (code == CTL_OK && facts->disabled == SR_YES) {
        ctl_error("%s is disabled in the directory, so a password would not "
                  "let its user in.  Nothing was done.",
                  name);
        code = CTL_REFUSED;
    } else if (code == CTL_OK && facts->locked == SR_LOCK_ADMIN &&
               facts->locked_why == SR_LOCK_WHY_ADMIN) {
        ctl_error("%s is locked by an administrator of the directory, and a "
                  "temporary password would remove that lock.  Nothing was "
                  "done.  If that is wanted, remove the lock there first.",
                  name);
        code = CTL_REFUSED;
    }
    if (code == CTL_OK)
        code = make_password(issue);
    if (code != CTL_OK || would_issue(issue))
        return code;
    code = store_in_directory(issue);
    issue->ctl->is_changed = code == CTL_OK || code == CTL_PARTLY;
    if (issue->txn.account != NULL)
        ctl_event(SR_EVENT_TEMPORARY_ISSUED, &issue->txn.account->facts, NULL,
                  code == CTL_OK, NULL);
    if (code == CTL_OK)
        return finish(issue);
    ctl_publish(issue->ctl, name);
    return code;
}

/* A key on the terminal must not stop between the steps. */
static void
hold_signals(bool hold)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(&set, numbers[i]);
    sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static int
issue_password(struct issue *issue)
{
    struct ctl_remembered remembered;
    int code = ctl_transaction_begin(issue->ctl, issue->name, "", &issue->txn);

    if (code == CTL_OK)
        code = ctl_remembered(&issue->txn, &remembered);
    if (code == CTL_OK && directory_is(&issue->txn))
        return issue_in_directory(issue);
    if (code == CTL_OK)
        code = shadow_find(name_of(issue), &issue->before);
    if (code == CTL_OK)
        code = admit(issue);
    if (code == CTL_OK)
        code = make_password(issue);
    if (code == CTL_OK)
        code = make_hash(issue);
    if (code != CTL_OK || would_issue(issue))
        return code;
    code = store_password(issue);
    issue->ctl->is_changed = code == CTL_OK || code == CTL_PARTLY;
    ctl_event(SR_EVENT_TEMPORARY_ISSUED, &issue->txn.account->facts, NULL,
              code == CTL_OK, NULL);
    if (code == CTL_OK)
        return finish(issue);
    ctl_publish(issue->ctl, name_of(issue)); /* it may have ended half way */
    return code;
}

static int
temporary(struct ctl *ctl, struct report *report, const char *name)
{
    __attribute__((cleanup(issue_end))) struct issue issue = {
        .ctl = ctl, .name = name, .wanted = ctl->options, .report = report};

    return issue_password(&issue);
}

int
ctl_temporary(struct ctl *ctl, int argc, char **argv)
{
    static char buffer[8192]; /* of stdout, which sees the passwords as JSON */
    struct wanted wanted = {0, false};
    const char *lifetime_text = NULL;
    const struct ctl_option options[] = {
        {"lifetime", NULL, &lifetime_text},
        {"force", &wanted.has_force, NULL},
    };
    int code;

    if (!ctl_parse(ctl, argc, argv, options, 2, 1, CTL_MANY))
        return ctl->exit;
    if (lifetime_text != NULL &&
        (sr_config_duration(lifetime_text, &wanted.lifetime) != 0 ||
         wanted.lifetime < LIFETIME_MIN || wanted.lifetime > LIFETIME_MAX))
        return ctl_usage(ctl,
                         "--lifetime is a duration from 1m to 365d, such as "
                         "2h, and not \"%s\".",
                         lifetime_text);
    if (!ctl_load(ctl))
        return ctl->exit;
    ctl->options = &wanted;
    prctl(PR_SET_DUMPABLE, 0); /* no core may hold the password */
    if (ctl->is_json)
        setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
    hold_signals(true);
    code = ctl_each(ctl, "user", temporary);
    if (fflush(stdout) != 0 && code == CTL_OK)
        code = CTL_PARTLY; /* main() says why */
    explicit_bzero(buffer, sizeof(buffer));
    hold_signals(false);
    return code;
}
