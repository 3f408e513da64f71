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

#include "policy/throttle/slots.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/directory_admin.h"
#include "tools/shared_ledger.h"

/* Drop both ledgers of an account, in one transaction; *found says whether
 * there was one. */
static int
drop_ledgers(uid_t uid, bool *found)
{
    __attribute__((cleanup(ctl_store_close))) struct sr_store *store = NULL;
    enum sr_store_result result = SR_STORE_OK;

    *found = false;
    if (ctl_store(true, &store) != CTL_OK)
        return CTL_FAILED;
    for (int class = 0; result == SR_STORE_OK && class < 2; class ++) {
        struct sr_ledger_key key =
            sr_ledger_key_account(uid, (enum sr_source_class) class);
        struct sr_ledger ledger;

        sr_slots_forget(&key, 1);
        if (sr_store_get_ledger(store, &key, &ledger) == SR_STORE_OK)
            *found = true;
        result = sr_store_drop_ledger(store, &key);
    }
    if (result != SR_STORE_OK) {
        ctl_store_error(store, result);
        return CTL_FAILED;
    }
    return ctl_store_end(&store);
}

/* Say what was done.  Returns whether there was anything to do. */
static bool
say_unlocked(const char *name, const struct ctl_remembered *before,
             const struct fleet *fleet, bool is_elsewhere)
{
    unsigned failures = 0;
    bool was_locked = false;

    for (int class = 0; class < 2; class ++) {
        unsigned here = before->ledger[class].failures;

        /* Those of this host are among those of all. */
        failures += fleet->view[class].failures > here
                        ? fleet->view[class].failures
                        : here;
        if (before->ledger[class].locked_until != SR_TIME_UNKNOWN ||
            (fleet->is_there &&
             fleet->view[class].locked_until != SR_TIME_UNKNOWN &&
             !fleet->is_failed))
            was_locked = true;
    }
    if (was_locked)
        printf("The lockout of %s has been ended.\n", name);
    else if (failures > 0)
        printf("%s was not locked out%s; %u failed attempt%s forgotten.\n",
               name, is_elsewhere ? " by this host" : "", failures,
               failures == 1 ? " is" : "s are");
    else if (!is_elsewhere)
        printf("%s was not locked out. There was nothing to do.\n"
               "\"selfresetctl explain --rhost ADDRESS %s\"\n"
               "tells what stops a login from there.\n",
               name, name);
    return was_locked || failures > 0 || is_elsewhere;
}

/* What unlock cannot mend must be said, or its user believes it has. */
static void
say_remaining(const struct sr_transaction *txn)
{
    const struct sr_facts *facts = &txn->account->facts;

    if (facts->disabled == SR_YES && elsewhere_is(txn))
        ctl_error("%s is disabled in the directory, which is something else.",
                  facts->name);
    else if (facts->disabled == SR_YES)
        ctl_error("%s is disabled, which is something else.  "
                  "\"usermod -U %s\" enables it.",
                  facts->name, facts->name);
    else if (facts->locked == SR_LOCK_ADMIN &&
             facts->locked_why != SR_LOCK_WHY_DIRECTORY)
        ctl_error("%s is locked by an administrator, which is something else.",
                  facts->name);
}

/* An account of another module, which stands between guard and settle: all
 * that is known of it here is how often it was guessed at. */
static int
unlock_guarded(const struct passwd *entry)
{
    struct sr_facts facts;
    bool found = false;
    int code;

    sr_facts_init(&facts);
    snprintf(facts.name, sizeof(facts.name), "%s", entry->pw_name);
    facts.uid = entry->pw_uid;
    code = drop_ledgers(facts.uid, &found);
    if (code != CTL_OK || found)
        ctl_event(SR_EVENT_UNLOCKED, &facts, NULL, code == CTL_OK,
                  code == CTL_OK ? NULL : "SR-3205");
    if (code == CTL_OK)
        printf(found ? "The failed attempts of %s are forgotten.\n"
                     : "%s was not locked out. There was nothing to do.\n",
               facts.name);
    return code;
}

int
ctl_unlock(struct ctl *ctl, int argc, char **argv)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};
    struct ctl_remembered before;
    const struct passwd *entry;
    const struct sr_facts *facts;
    struct fleet fleet;
    enum sr_status ask;
    bool is_elsewhere, found;
    int code;

    if (!ctl_parse(ctl, argc, argv, NULL, 0, 1, 1) || !ctl_load(ctl))
        return ctl->exit;
    ask = sr_transaction_begin(ctl->config, ctl->operand[0], "", NULL, &txn);
    if (ask == SR_STATUS_UNKNOWN_NAME &&
        (entry = getpwnam(ctl->operand[0])) != NULL)
        return unlock_guarded(entry);
    code = ctl_transaction_status(ask, ctl->operand[0], &txn);
    is_elsewhere = code == CTL_OK && elsewhere_is_locked(ctl, &txn);
    if (code == CTL_OK)
        code = ctl_remembered(&txn, &before);
    if (code != CTL_OK)
        return code;
    facts = &txn.account->facts;
    fleet_look(&txn, &fleet);
    code = drop_ledgers(facts->uid, &found);
    if (code != CTL_OK) {
        ctl_event(SR_EVENT_UNLOCKED, facts, NULL, false, "SR-3205");
        return code;
    }
    code = fleet_clear(&txn);
    if (is_elsewhere && code == CTL_OK)
        code = elsewhere_unlock(ctl, &txn);
    else if (is_elsewhere)
        elsewhere_unlock(ctl, &txn);
    ctl_publish(ctl, facts->name);
    if (say_unlocked(facts->name, &before, &fleet, is_elsewhere))
        ctl_event(SR_EVENT_UNLOCKED, facts, NULL, code == CTL_OK, NULL);
    say_remaining(&txn);
    return code;
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

/* The source in the form it is counted by; false when it cannot be one. */
static bool
read_source(const char *text, struct sr_source *source)
{
    char host[SR_NAME_MAX];

    if (text[0] == '\0')
        return false;
    if (strncmp(text, "uid:", 4) == 0 && !sr_source_is_here(text))
        return false;
    if (sr_source_is_here(text) || strncmp(text, "name:", 5) == 0) {
        snprintf(source->text, sizeof(source->text), "%s", text);
        return strlen(text) < sizeof(source->text);
    }
    if (!strip_prefix(text, host, sizeof(host)))
        return false;
    sr_source_peer(source, host);
    return true;
}

/* Drop one source's ledger; *found says whether there was one. */
static enum sr_store_result
drop_source(struct sr_store *store, const char *text, bool *found)
{
    struct sr_ledger_key key;
    struct sr_ledger ledger;
    enum sr_store_result result = sr_ledger_key_source(store, text, &key);

    if (result == SR_STORE_OK) {
        sr_slots_forget(&key, 1);
        result = sr_store_get_ledger(store, &key, &ledger);
    }
    *found = result == SR_STORE_OK;
    if (result == SR_STORE_NOT_FOUND)
        return SR_STORE_OK;
    return result == SR_STORE_OK ? sr_store_drop_ledger(store, &key) : result;
}

/* `text` NULL: all of them. */
static int
unthrottle(const char *text, bool *found)
{
    __attribute__((cleanup(ctl_store_close))) struct sr_store *store = NULL;
    enum sr_store_result result;

    *found = true;
    if (ctl_store(true, &store) != CTL_OK)
        return CTL_FAILED;
    if (text == NULL) {
        const struct sr_ledger_key first = {.kind = SR_LEDGER_SOURCE};

        sr_slots_forget(&first, SR_SOURCE_BUCKETS);
        result = sr_store_drop_all(store, SR_LEDGER_SOURCE);
    } else {
        result = drop_source(store, text, found);
    }
    if (result == SR_STORE_OK)
        return ctl_store_end(&store);
    ctl_store_error(store, result);
    return CTL_FAILED;
}

int
ctl_unthrottle(struct ctl *ctl, int argc, char **argv)
{
    struct sr_source source = {.text = "all"};
    bool has_all = false;
    bool found = false;
    const struct ctl_option options[] = {{"all", &has_all, NULL}};
    int code;

    if (!ctl_parse(ctl, argc, argv, options, 1, 0, 1))
        return ctl->exit;
    if (has_all == (ctl->operand_count == 1))
        return ctl_usage(ctl, "Name one source, or say --all.");
    if (!has_all && !read_source(ctl->operand[0], &source))
        return ctl_usage(ctl,
                         "\"%s\" is no source.  Sources are single addresses, "
                         "IPv6 networks of /64, host names, \"console\", "
                         "\"uid:NUMBER\" and \"name:service/SERVICE\".",
                         ctl->operand[0]);
    code = unthrottle(has_all ? NULL : source.text, &found);
    if (code != CTL_OK || found)
        ctl_event(SR_EVENT_UNTHROTTLED, NULL, source.text, code == CTL_OK,
                  code == CTL_OK ? NULL : "SR-3205");
    if (code != CTL_OK)
        return code;
    if (has_all)
        puts("The attempts of all sources have been forgotten.");
    else if (found)
        printf("The attempts of %s have been forgotten.\n", source.text);
    else
        printf("%s was not throttled. There was nothing to do.\n", source.text);
    return CTL_OK;
}
