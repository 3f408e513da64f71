/*
 * Unlock and unthrottle: end the lockouts of accounts and of sources.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <arpa/inet.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/directory_admin.h"
#include "tools/each.h"
#include "tools/shared_ledger.h"
#include "tools/words.h"

/* Whether an account has failures or a lockout. */
static bool
has_failures(const struct ctl_remembered *before,
             const struct shared_counts *shared, unsigned *failures,
             bool *was_locked)
{
    *was_locked = sr_lockout_is(&before->ledger[CTL_OWN].lockout);
    *failures = before->ledger[CTL_OWN].failures;
    for (int class = 0; class < 2; class ++) {
        const struct sr_shared_view *view = &shared->view[class];
        unsigned here = before->ledger[class].failures;

        /* Those of this host are among those of all. */
        *failures += view->failures > here ? view->failures : here;
        if (sr_lockout_is(&before->ledger[class].lockout) ||
            (shared->is_there && sr_lockout_is(&view->lockout) &&
             !shared->is_failed))
            *was_locked = true;
    }
    return *was_locked || *failures > 0;
}

/* What was done, or would be. */
static void
say_unlocked(const struct ctl *ctl, const char *name, unsigned failures,
             bool was_locked, bool in_directory)
{
    if (was_locked) {
        ctl_print(ctl,
                  ctl->is_dry_run ? N_("The lockout of %s would be ended.")
                                  : N_("The lockout of %s has been ended."),
                  name);
    } else if (failures > 0) {
        ctl_print(ctl,
                  in_directory ? N_("%s was not locked out by this host.")
                               : N_("%s was not locked out."),
                  name);
        if (ctl->is_dry_run)
            ctl_print(ctl,
                      _n("%u wrong password would be deleted from its count.",
                         "%u wrong passwords would be deleted from its count.",
                         failures),
                      failures);
        else
            ctl_print(ctl,
                      _n("%u wrong password has been deleted from its count.",
                         "%u wrong passwords have been deleted from its count.",
                         failures),
                      failures);
    } else if (!in_directory) {
        ctl_print(ctl,
                  "%s was not locked out; nothing was done.  Run "
                  "\"selfresetctl explain --rhost ADDRESS %s\" to see "
                  "what stops a login from there.",
                  name, name);
    }
}

/* What unlock does not end. */
static void
say_remaining(const struct sr_transaction *txn)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (facts->disabled == SR_YES && directory_is(txn))
        ctl_error("%s is disabled in the directory; \"unlock\" does not change "
                  "that.",
                  facts->name);
    else if (facts->disabled == SR_YES)
        ctl_error("%s is disabled; \"unlock\" does not change that.  Run "
                  "\"usermod -U %s\" to enable it.",
                  facts->name, facts->name);
    else if (facts->locked == SR_LOCK_ADMIN &&
             facts->locked_why != SR_LOCK_WHY_DIRECTORY)
        ctl_error("%s is locked by an administrator; \"unlock\" does not "
                  "change that.",
                  facts->name);
}

/* An account of another module, whose line is between guard and settle: this
 * host knows only how many wrong passwords were counted. */
static int
unlock_guarded(struct ctl *ctl, const struct passwd *entry)
{
    const struct sr_identity id =
        sr_identity_other(entry->pw_name, entry->pw_uid);
    struct sr_facts facts;
    bool found = false;
    int code = CTL_OK;

    sr_facts_init(&facts);
    snprintf(facts.name, sizeof(facts.name), "%s", entry->pw_name);
    facts.uid = entry->pw_uid;
    if (!ctl->is_dry_run)
        code = ctl_drop_ledgers(&id, &found);
    if (!ctl->is_dry_run && (code != CTL_OK || found))
        ctl_event(SR_EVENT_UNLOCKED, &facts, NULL, code == CTL_OK,
                  code == CTL_OK ? NULL : "SR-3205");
    if (code != CTL_OK)
        return code;
    ctl->is_changed = found || ctl->is_dry_run;
    ctl_print(ctl,
              ctl->is_dry_run
                  ? N_("The count of wrong passwords of %s would be deleted.")
              : found
                  ? N_("The count of wrong passwords of %s has been deleted.")
                  : N_("%s was not locked out; nothing was done."),
              facts.name);
    return code;
}

/* Delete what was counted of an account, here and for all hosts. */
static int
delete_all(struct ctl *ctl, struct sr_transaction *txn, bool in_directory)
{
    const struct sr_facts *facts = &txn->account->facts;
    bool found;
    int code = CTL_OK, next = CTL_OK;

    if (!ctl->is_dry_run) {
        const struct sr_identity id = sr_identity_of(facts);

        code = ctl_drop_ledgers(&id, &found);
        if (code != CTL_OK) {
            ctl_event(SR_EVENT_UNLOCKED, facts, NULL, false, "SR-3205");
            return code;
        }
        code = shared_clear(txn);
    }
    if (in_directory)
        next = directory_unlock(ctl, txn);
    return code == CTL_OK ? next : code;
}

static int
unlock(struct ctl *ctl, struct report *report, const char *name)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};
    struct ctl_remembered before;
    const struct passwd *entry;
    struct shared_counts shared;
    enum sr_status ask;
    bool in_directory, is_any, was_locked;
    unsigned failures;
    int code;

    ask = sr_transaction_begin(ctl->config, name, "", NULL, &txn);
    if (ask == SR_STATUS_UNKNOWN_NAME && (entry = getpwnam(name)) != NULL)
        return unlock_guarded(ctl, entry);
    code = ctl_transaction_status(ask, name, &txn);
    in_directory = code == CTL_OK && directory_is_locked(ctl, &txn);
    if (code == CTL_OK)
        code = ctl_remembered(&txn, &before);
    if (code != CTL_OK)
        return code;
    name = txn.account->facts.name;
    shared_look(&txn, &shared);
    is_any = has_failures(&before, &shared, &failures, &was_locked);
    code = delete_all(ctl, &txn, in_directory);
    if (code != CTL_OK && code != CTL_PARTLY && !in_directory)
        return code;
    ctl->is_changed = is_any || (in_directory && code == CTL_OK);
    say_unlocked(ctl, name, failures, was_locked, in_directory);
    if (ctl->is_json)
        report_bool(report, "was_locked", was_locked || in_directory);
    if (!ctl->is_dry_run) {
        ctl_publish(ctl, name);
        if (is_any || in_directory)
            ctl_event(SR_EVENT_UNLOCKED, &txn.account->facts, NULL,
                      code == CTL_OK, NULL);
    }
    say_remaining(&txn);
    return code;
}

int
ctl_unlock(struct ctl *ctl, int argc, char **argv)
{
    if (!ctl_parse(ctl, argc, argv, NULL, 0, 1, CTL_MANY) || !ctl_load(ctl))
        return ctl->exit;
    return ctl_each(ctl, "user", unlock);
}

/* "2001:db8:1:2::/64" without its "/64", the form in which events name it. */
static bool
strip_prefix(const char *text, char *out, size_t size)
{
    const char *slash = strchr(text, '/');
    struct in6_addr address;
    size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);

    if (length >= size)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return slash == NULL || (strcmp(slash, "/64") == 0 &&
                             inet_pton(AF_INET6, out, &address) == 1);
}

/* Whether it begins as a source of this host with a number. */
static bool
is_numbered(const char *text)
{
    return strncmp(text, "uid:", 4) == 0 || strncmp(text, "ruser:", 6) == 0 ||
           strncmp(text, "display:", 8) == 0;
}

/* The source in the form it is counted by; false when it cannot be one. */
static bool
read_source(const char *text, struct sr_source *source)
{
    char host[SR_NAME_MAX];

    if (text[0] == '\0')
        return false;
    if (is_numbered(text) && !sr_source_is_here(text))
        return false;
    if (sr_source_is_here(text) || strncmp(text, "name:", 5) == 0) {
        snprintf(source->text, sizeof(source->text), "%s", text);
        return strlen(text) < sizeof(source->text);
    }
    if (!strip_prefix(text, host, sizeof(host)))
        return false;
    sr_source_peer(source, host);
    return source->text[0] != '\0'; /* "localhost" and the like are no peer */
}

/* Whether there is a failure in a ledger. */
static enum sr_store_result
find_failures(struct sr_store *store, const struct sr_ledger_key *key,
              bool *found)
{
    static const struct sr_limits no_limits = {.attempts = 0};
    struct sr_standing standing;
    const enum sr_store_result result =
        sr_attempt_standing(store, key, &no_limits, &standing);

    *found = standing.in_a_row > 0;
    return result;
}

/* `text` NULL: all of them. */
static int
drop_sources(const struct ctl *ctl, const char *text, bool *found)
{
    __attribute__((cleanup(ctl_store_close))) struct sr_store *store = NULL;
    enum sr_store_result result;
    struct sr_ledger_key key;

    *found = true;
    if (ctl_store(!ctl->is_dry_run, &store) != CTL_OK)
        return CTL_FAILED;
    if (text == NULL) {
        if (ctl->is_dry_run)
            return CTL_OK;
        result = sr_store_drop_sources(store);
    } else if (store == NULL) {
        *found = false;
        return CTL_OK;
    } else {
        result = sr_ledger_key_source(store, text, &key);
        if (result == SR_STORE_NOT_FOUND) {
            *found = false;
            return CTL_OK;
        }
        if (result == SR_STORE_OK && ctl->is_dry_run)
            result = find_failures(store, &key, found);
        else if (result == SR_STORE_OK)
            result = sr_ledger_clear(store, &key, found);
    }
    if (result == SR_STORE_OK)
        return CTL_OK;
    ctl_store_error(store, result);
    return CTL_FAILED;
}

static int
unthrottle(struct ctl *ctl, struct report *report, const char *name)
{
    struct sr_source source = {.text = "all"};
    bool found = false;
    int code;

    if (name == NULL && report->is_json)
        report_text(report, "source", NULL);
    if (name != NULL && !read_source(name, &source)) {
        ctl_error("\"%s\" is not a source.  A source is an IPv4 address, an "
                  "IPv6 address or network of /64, a host name, \"console\", "
                  "\"pts\", \"display:NUMBER\", \"uid:NUMBER\" or "
                  "\"ruser:NUMBER\".",
                  name);
        return CTL_USAGE;
    }
    code = drop_sources(ctl, name == NULL ? NULL : source.text, &found);
    ctl->is_changed = code == CTL_OK && found;
    if (!ctl->is_dry_run && (code != CTL_OK || found))
        ctl_event(SR_EVENT_UNTHROTTLED, NULL, source.text, code == CTL_OK,
                  code == CTL_OK ? NULL : "SR-3205");
    if (code == CTL_OK && found && name == NULL)
        ctl_print(ctl, ctl->is_dry_run
                           ? N_("The count of wrong passwords from all sources "
                                "would be deleted.")
                           : N_("The count of wrong passwords from all sources "
                                "has been deleted."));
    else if (code == CTL_OK && found)
        ctl_print(
            ctl,
            ctl->is_dry_run
                ? N_("The count of wrong passwords from %s would be deleted.")
                : N_("The count of wrong passwords from %s has been deleted."),
            source.text);
    else if (code == CTL_OK)
        ctl_print(ctl,
                  "No wrong passwords were counted from %s; nothing was "
                  "done.",
                  source.text);
    return code;
}

int
ctl_unthrottle(struct ctl *ctl, int argc, char **argv)
{
    bool has_all = false;
    const struct ctl_option options[] = {{"all", &has_all, NULL}};

    if (!ctl_parse(ctl, argc, argv, options, 1, 0, CTL_MANY))
        return ctl->exit;
    if (has_all && ctl->operand_count > 0)
        return ctl_usage(ctl, "Name sources, or use --all, not both.");
    if (!has_all && ctl->operand_count == 0)
        return ctl_usage(ctl, "SOURCE or --all is missing.");
    return has_all ? ctl_once(ctl, unthrottle)
                   : ctl_each(ctl, "source", unthrottle);
}
