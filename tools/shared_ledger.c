/*
 * Shared ledger, for the commands: what a directory has counted of an account
 * for all hosts, and whether it can count.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "tools/shared_ledger.h"
#include "tools/words.h"

/* ---- one account */

static struct sr_limits
limits_of(const struct sr_transaction *txn)
{
    return sr_attempt_shared_limits(&txn->rules);
}

void
shared_look(struct sr_transaction *txn, struct shared_counts *out)
{
    const struct sr_shared_ledger ledger = sr_shared_ledger(txn, true, NULL);
    const struct sr_limits limits = limits_of(txn);
    const struct sr_facts *facts = &txn->account->facts;

    memset(out, 0, sizeof(*out));
    txn->shared = sr_lockouts_none();
    out->is_there = ledger.is_there;
    for (int class = 0; ledger.is_there && class < 2; class ++) {
        out->is_failed =
            sr_shared_look(&ledger, facts->name, class == SR_CLASS_FAMILIAR,
                           &limits, false, &out->view[class], out->reason,
                           sizeof(out->reason)) != SR_STATUS_OK;
        if (out->is_failed)
            break;
        txn->shared.of[class] = out->view[class].lockout;
        txn->lockout = sr_lockout_merge(txn->lockout, out->view[class].lockout);
    }
    sr_transaction_merge_lockouts(txn, sr_lockout_none());
    if (out->is_failed)
        ctl_error("The ledger of all hosts cannot be read: %s.",
                  _(out->reason));
}

void
shared_look_in(struct sr_shared_scan *ledgers, sr_time now,
               struct sr_transaction *txn)
{
    const struct sr_limits limits = limits_of(txn);
    const struct sr_facts *facts = &txn->account->facts;
    struct sr_lockouts locks;

    if (ledgers == NULL || !sr_shared_counts(&txn->rules, facts->uid))
        return;
    sr_shared_scan_locks(ledgers, facts->name, &limits, now, &locks);
    for (int class = 0; class < 2; class ++)
        txn->lockout = sr_lockout_merge(txn->lockout, locks.of[class]);
    txn->shared = locks;
    sr_transaction_merge_lockouts(txn, sr_lockout_none());
}

bool
shared_read(const struct ctl *ctl, const char *backend,
            struct sr_shared_scan **ledgers)
{
    struct sr_connections *connections = sr_connections_new();
    const struct sr_shared_ledger ledger =
        sr_shared_ledger_open_by_name(ctl->config, connections, backend);
    char reason[SR_ERROR_TEXT_SIZE] = "";
    bool is_read = true;

    *ledgers = NULL;
    if (sr_config_shares(ctl->config) && ledger.is_there)
        is_read = sr_shared_scan_read(&ledger, ledgers, reason,
                                      sizeof(reason)) == SR_STATUS_OK;
    sr_connections_free(connections);
    if (!is_read)
        ctl_error("The ledger of all hosts cannot be read: %s.  The list "
                  "lacks the lockouts that other hosts have counted.",
                  _(reason));
    return is_read;
}

static void
report_view(struct report *report, const char *key, const char *title,
            const struct sr_shared_view *view, unsigned attempts)
{
    report_section(report, key, title);
    report_number(report, "failures", view->failures);
    report_number(report, "attempts", attempts);
    report_lockout(report, &view->lockout);
    report_section_end(report);
}

void
shared_report(struct report *report, const struct sr_transaction *txn,
              const struct shared_counts *shared)
{
    const unsigned attempts = limits_of(txn).attempts;

    shared_report_place(report, txn);
    if (!shared->is_there || shared->is_failed)
        return;
    report_view(report, "all_hosts_strangers",
                N_("Wrong passwords at all hosts, from strangers"),
                &shared->view[SR_CLASS_STRANGER], attempts);
    report_view(report, "all_hosts_familiar",
                N_("Wrong passwords at all hosts, from familiar sources"),
                &shared->view[SR_CLASS_FAMILIAR], attempts);
}

void
shared_report_place(struct report *report, const struct sr_transaction *txn)
{
    const struct sr_shared_ledger ledger = sr_shared_ledger(txn, true, NULL);
    const char *base =
        ledger.is_there ? ledger.backend.config->lockout_base : NULL;

    report_text(report, "shared_ledger",
                base == NULL && !report->is_json ? "none" : base);
}

int
shared_clear(const struct sr_transaction *txn)
{
    const struct sr_shared_ledger ledger = sr_shared_ledger(txn, true, NULL);
    char reason[SR_ERROR_TEXT_SIZE] = "";
    size_t count;

    if (!ledger.is_there ||
        sr_shared_clear(&ledger, txn->account->facts.name, &count, reason,
                        sizeof(reason)) == SR_STATUS_OK)
        return CTL_OK;
    ctl_error("The ledger of all hosts cannot be changed: %s.  The count of "
              "wrong passwords was deleted on this host only.",
              _(reason));
    return CTL_PARTLY;
}

/* ---- whether it can count */

/* One request on the entry of the check. */
struct trial {
    const struct sr_backend *backend;
    struct sr_connections *connections;
    struct findings *findings;
    char place[32];
};

static const char rights[] =
    N_("Make the container and let the service's identity, and nobody else, "
       "read, add, change and delete there; selfreset.conf(5) has the entry "
       "and the access rules.");

/* False: a finding says what cannot be done. */
static bool
attempt(struct trial *trial, struct sr_shared_request *request,
        const char *what)
{
    struct sr_call call = sr_call_make(trial->backend, trial->connections);

    if (sr_backend_shared_ledger(&call, request) == SR_STATUS_OK)
        return true;
    findings_add(trial->findings, SEVERITY_ERROR, trial->place, NULL, rights,
                 "lockout_base: %s: %s.  Until then each host counts failed "
                 "attempts alone (SR-2207).",
                 _(what),
                 sr_error_has_text(&call.error) ? _(call.error.text)
                                                : _("refused"));
    return false;
}

static void
check_shown(struct trial *trial, const struct sr_shared_list *list,
            const char *id)
{
    const struct sr_shared_entry *entry = sr_shared_find(list, id);

    if (entry == NULL)
        findings_add(trial->findings, SEVERITY_ERROR, trial->place, NULL,
                     rights,
                     "lockout_base: an entry that was added is not found "
                     "again, with cn, serialNumber, description, "
                     "createTimestamp and modifyTimestamp.");
    else if (entry->state != SR_SHARED_FAILED)
        findings_add(trial->findings, SEVERITY_ERROR, trial->place, NULL,
                     rights, "lockout_base: an entry does not change.");
}

static enum sr_status
take_nothing(void *context, const char *ledger,
             const struct sr_shared_entry *entry)
{
    (void)context;
    (void)ledger;
    (void)entry;
    return SR_STATUS_OK;
}

/* An entry that is none of a ledger counts for nothing, but is read each
 * time. */
static void
check_garbage(struct trial *trial, const struct sr_shared_request *request)
{
    if (request->garbage == 0)
        return;
    findings_add(trial->findings, SEVERITY_WARNING, trial->place, NULL,
                 "Find out what made them, and delete them.",
                 _n("lockout_base: %zu entry names the ledger of an account "
                    "and is not of this module: its name is no id, or its "
                    "times cannot be read or are of the future.  It counts for "
                    "nothing.  It is %s.",
                    "lockout_base: %zu entries name the ledger of an account "
                    "and are not of this module: their names are no ids, or "
                    "their times cannot be read or are of the future.  They "
                    "count for nothing.  The first is %s.",
                    request->garbage),
                 request->garbage, request->garbage_name);
}

/* The publisher reads all entries. */
static void
check_all(struct trial *trial)
{
    struct sr_shared_request request = {.what = SR_SHARED_ALL,
                                        .take = take_nothing};

    struct sr_call call = sr_call_make(trial->backend, trial->connections);

    if (sr_backend_shared_ledger(&call, &request) != SR_STATUS_OK)
        findings_add(trial->findings, SEVERITY_WARNING, trial->place, NULL,
                     "Let the service's identity read any number of entries, "
                     "in pages; selfreset-publish(8) has the line for it.",
                     "lockout_base: not all entries can be read: %s.  A "
                     "lockout that other hosts have counted is neither shown "
                     "nor listed here, until it refuses a login.",
                     _(sr_error_text(&call.error)));
    check_garbage(trial, &request);
}

/* Key, add, change, search, delete. */
static void
try_all(struct trial *trial, struct sr_shared_list *list)
{
    struct sr_shared_request key = {.what = SR_SHARED_KEY};
    char ledger[SR_SHARED_LEDGER_SIZE], id[SR_SHARED_ID_SIZE];
    struct sr_shared_entry entry = {.state = SR_SHARED_FAILED};
    struct sr_shared_request request = {
        .ledger = ledger, .id = id, .list = list, .drop = &entry, .count = 1};
    uint32_t dice[4] = {0};

    if (getrandom(dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
        return;
    sr_shared_decoy(dice[0], ledger);
    snprintf(id, sizeof(id), "%08x%08x%08x%08x", dice[0], dice[1], dice[2],
             dice[3]);
    memcpy(entry.id, id, sizeof(entry.id));
    if (!attempt(trial, &key, N_("the key cannot be read or made")))
        return;
    explicit_bzero(key.key, sizeof(key.key));
    request.what = SR_SHARED_ADD;
    if (!attempt(trial, &request, N_("an entry cannot be added")))
        return;
    request.what = SR_SHARED_MARK;
    request.state = SR_SHARED_FAILED;
    attempt(trial, &request, N_("an entry cannot be changed"));
    request.what = SR_SHARED_LIST;
    if (attempt(trial, &request, N_("entries cannot be searched")))
        check_shown(trial, list, id);
    check_all(trial);
    request.what = SR_SHARED_DROP;
    attempt(trial, &request, N_("an entry cannot be deleted"));
}

void
shared_check(const struct sr_backend *backend,
             struct sr_connections *connections, bool is_wanted,
             struct findings *findings)
{
    struct trial trial = {
        .backend = backend, .connections = connections, .findings = findings};
    struct sr_shared_list *list;

    if (backend->config->lockout_base == NULL ||
        backend->ops->shared_ledger == NULL)
        return;
    snprintf(trial.place, sizeof(trial.place), "[backend %s]", backend->name);
    if (!is_wanted)
        findings_add(findings, SEVERITY_WARNING, trial.place, NULL,
                     "Set \"store = ldap\" in [lockout], or take lockout_base "
                     "out.",
                     "lockout_base is set, but nothing is counted there: "
                     "lockout.store is local.");
    list = calloc(1, sizeof(*list));
    if (list != NULL)
        try_all(&trial, list);
    free(list);
}
