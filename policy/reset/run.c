/*
 * Run: one run of a flow.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "policy/config/config.h"
#include "policy/config/membership.h"
#include "policy/reset/run.h"
#include "policy/reset/shared.h"
#include "policy/util/file_lock.h"
#include "policy/util/text.h"
#include "policy/util/words.h"

#define SERVICE  "selfreset"
#define TOO_LATE "too-late" /* why a reset is over */

/* ---- talking */

void
sr_run_pass_on(struct sr_run *run, char *text)
{
    if (text != NULL && !run->is_gone)
        run->is_gone = !run->talk->say(run->talk->data, text);
    if (text != NULL)
        explicit_bzero(text, strlen(text)); /* it may have a code */
    free(text);
}

void
sr_run_say(struct sr_run *run, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    sr_run_pass_on(run, sr_message_fold(sr_format_list(format, arguments)));
    va_end(arguments);
}

char *
sr_run_ask(struct sr_run *run, bool is_shown, const char *format, ...)
{
    char *answer = NULL, *prompt;
    va_list arguments;

    va_start(arguments, format);
    prompt = sr_format_list(format, arguments);
    va_end(arguments);
    if (prompt == NULL || run->is_gone ||
        !run->talk->ask(run->talk->data, prompt, is_shown, &answer)) {
        run->is_gone = true;
        sr_run_wipe(&answer);
    }
    free(prompt);
    return answer;
}

char *
sr_run_ask_agent(struct sr_run *run, const char *prompt, const char *key,
                 const char *line)
{
    char *answer = NULL;

    if (run->talk->ask_agent == NULL)
        return sr_run_ask(run, true, "%s", prompt);
    if (run->is_gone ||
        !run->talk->ask_agent(run->talk->data, prompt, key, line, &answer)) {
        run->is_gone = true;
        sr_run_wipe(&answer);
    }
    return answer;
}

void
sr_run_wipe(char **answer)
{
    if (*answer != NULL)
        explicit_bzero(*answer, strlen(*answer));
    free(*answer);
    *answer = NULL;
}

void
sr_run_keep_floor(const struct sr_run *run, int64_t since)
{
    const int64_t until = since + run->config->rules.delay * 1000;
    const int64_t left = until - sr_clock_milliseconds();

    if (left > 0)
        sr_nap((unsigned)left, (unsigned)left + 1);
}

unsigned
sr_run_choose(struct sr_run *run, unsigned most)
{
    while (!run->is_gone) {
        __attribute__((cleanup(sr_run_wipe))) char *answer =
            sr_run_ask(run, true, _("Number (1 to %u): "), most);
        char *end = NULL;
        const unsigned long number =
            answer == NULL ? 0 : strtoul(answer, &end, 10);

        if (answer != NULL && answer[0] >= '0' && answer[0] <= '9' &&
            *end == '\0' && number >= 1 && number <= most)
            return (unsigned)number;
        if (!run->is_gone)
            sr_run_say(run, _("Type one of the numbers above."));
    }
    return 0;
}

const char *
sr_run_contact(const struct sr_run *run)
{
    return run->config != NULL && run->config->contact != NULL
               ? run->config->contact
               : _("your administrator");
}

void
sr_run_say_help(struct sr_run *run)
{
    sr_run_say(run, _("Ask %s and give the reference %s."), sr_run_contact(run),
               run->ref);
}

void
sr_run_event(struct sr_run *run, enum sr_event_id id, bool is_ok,
             const char *cause)
{
    sr_transaction_event(&run->txn, id, is_ok ? "ok" : "failed", cause, -1);
}

/* ---- begin and end */

static void
set_context(struct sr_run *run)
{
    struct sr_context *context = &run->txn.context;
    const struct sr_reset_peer *peer = run->peer;
    const struct sr_origin origin = {
        .rhost = peer->rhost,
        .tty = peer->terminal,
        .real_uid = peer->rhost != NULL ? 0 : peer->real_uid,
        .ruser = (uid_t)-1,
        .account = run->txn.uid,
        .takes_password = true,
    };

    context->channel = "reset";
    context->real_uid = peer->real_uid;
    context->process = peer->process;
    snprintf(context->service, sizeof(context->service), "%s",
             peer->service == NULL ? SERVICE : peer->service);
    snprintf(context->terminal, sizeof(context->terminal), "%s",
             peer->terminal == NULL ? "" : peer->terminal);
    snprintf(context->ref, sizeof(context->ref), "%.11s", run->ref);
    sr_source_find(&context->source, &origin);
}

static bool
load_config(struct sr_run *run)
{
    struct sr_config_errors errors = {0};

    run->config = sr_config_load(run->peer->config, &errors);
    if (run->config == NULL) {
        sr_run_event(run, SR_EVENT_CONFIG, false,
                     errors.count > 0 ? errors.item[0] : NULL);
        sr_run_say(run, _("Self-service reset is not set up correctly here."));
        sr_run_say_help(run);
    } else if (!sr_config_resets(run->config)) {
        sr_run_say(run,
                   _("Self-service reset is switched off on this system."));
        sr_run_say(run, _("Ask %s."), sr_run_contact(run));
    }
    sr_config_errors_free(&errors);
    return run->config != NULL && sr_config_resets(run->config);
}

bool
sr_run_begin(struct sr_run *run, const struct sr_reset_peer *peer,
             const struct sr_reset_talk *talk)
{
    enum sr_store_result result;

    memset(run, 0, sizeof(*run));
    run->peer = peer;
    run->talk = talk;
    run->txn.uid = (uid_t)-1;
    if (!sr_code_make(run->ref, SR_REF_LENGTH, 4))
        return false;
    if (gethostname(run->host, sizeof(run->host) - 1) != 0)
        run->host[0] = '\0';
    set_context(run);
    if (!load_config(run))
        return false;
    result = sr_enrolment_store(SR_STORE_WRITE, &run->store);
    if (result == SR_STORE_OK)
        result = sr_store_no_write(run->store);
    if (result == SR_STORE_OK && access(SR_RESET_STATEDIR, W_OK) != 0 &&
        errno == EROFS)
        result = SR_STORE_READ_ONLY;
    if (result == SR_STORE_OK)
        return true;
    sr_run_event(run, SR_EVENT_STATE, false, sr_store_strerror(result));
    sr_run_say(run, _("The state of this system cannot be written now, so "
                      "nothing can be done. Try again later."));
    sr_run_say_help(run);
    return false;
}

void
sr_run_end(struct sr_run *run)
{
    sr_transaction_end(&run->txn);
    sr_store_close(run->store);
    sr_config_free(run->config);
    explicit_bzero(run, sizeof(*run));
}

/* ---- the account */

struct sr_identity
sr_run_identity(const struct sr_run *run)
{
    return sr_transaction_identity(&run->txn);
}

/* Whether a backend that was asked for a name takes changes; the reason why not
 * is put into the transaction. */
static bool
takes_changes(const struct sr_run *run, const char *backend_name,
              struct sr_transaction *probe)
{
    struct sr_backend backend;
    enum sr_refusal refusal;
    struct sr_error error;
    struct sr_call call;
    bool takes;

    if (sr_backend_find(run->config, backend_name, &backend, &error) != 0)
        return false;
    if (backend.ops->administer == NULL)
        return true;
    call = sr_call_make(&backend, probe->connections);
    switch (
        sr_backend_administer(&call, NULL, SR_ORDER_ADMIT, NULL, &refusal)) {
    case SR_WRITE_DONE:
        return true;
    case SR_WRITE_REFUSED: /* another refusal is for an account */
        takes = refusal != SR_REFUSAL_READ_ONLY;
        break;
    default:
        takes = false;
    }
    probe->why = call.error.code;
    snprintf(probe->reason, sizeof(probe->reason), "%s", call.error.text);
    return takes;
}

/* Whether a backend can be asked for a name that no account has; the reason why
 * not is put into the transaction.  A directory's accounts are asked of the
 * name service, too. */
static bool
can_be_asked(const struct sr_run *run, const char *backend, const char *nobody,
             struct sr_transaction *probe)
{
    if (sr_transaction_begin(run->config, nobody, SERVICE, backend, probe) ==
        SR_STATUS_UNAVAILABLE)
        return false;
    if (strcmp(backend, SR_LOCAL) == 0 || !probe->has_asked_nss ||
        probe->nss.exists != SR_UNKNOWN)
        return true;
    snprintf(probe->reason, sizeof(probe->reason),
             "the name service cannot be asked");
    return false;
}

/* Whether every backend can be asked and takes changes.  They are asked for
 * `nobody`, a random name, so that neither the answer nor the time it takes
 * depends on the name that was typed. */
static bool
are_all_there(struct sr_run *run, const char *nobody)
{
    const struct sr_string_list *names = &run->config->backends;
    bool is_there = true;

    for (size_t i = 0; i < names->count && is_there; i++) {
        struct sr_transaction probe;
        struct sr_error error;

        is_there = can_be_asked(run, names->item[i], nobody, &probe) &&
                   takes_changes(run, names->item[i], &probe);
        if (is_there && !sr_shared_can_ask(run->config, probe.connections,
                                           names->item[i], &error)) {
            is_there = false;
            probe.why = error.code;
            snprintf(probe.reason, sizeof(probe.reason), "%s", error.text);
        }
        if (!is_there)
            sr_transaction_event(&run->txn, sr_transaction_outage_event(&probe),
                                 "failed", probe.reason, -1);
        sr_transaction_end(&probe);
    }
    return is_there;
}

/* Why the state of the account forbids a reset; NULL: it does not. */
static const char *
find_obstacle(const struct sr_run *run)
{
    const struct sr_account *account = run->txn.account;
    const struct sr_facts *facts = &account->facts;
    const struct sr_caller admin = {.is_admin = true};
    const sr_time now = sr_transaction_message(&run->txn).now;
    const struct sr_change change =
        sr_change(facts, &run->txn.rules, &admin, now);

    if (facts->uid == 0)
        return "root";
    if (change.result != SR_CHANGE_ALLOWED)
        return "SR-3014 protected";
    if (account->is_closed || (strcmp(facts->backend, SR_LOCAL) != 0 &&
                               account->backend.ops->administer == NULL))
        return "SR-2002 backend-read-only";
    if (facts->disabled == SR_YES || facts->locked_why == SR_LOCK_WHY_ADMIN)
        return "SR-3015 disabled";
    if ((SR_TIME_IS_SET(facts->account_ends) && facts->account_ends <= now) ||
        (SR_TIME_IS_SET(facts->account_starts) && facts->account_starts > now))
        return "SR-3018 account-expired";
    if (facts->has_password == SR_NO)
        return "no-password";
    if (facts->cannot_change == SR_YES || run->txn.rules.is_cannot_change)
        return "cannot-change";
    return NULL;
}

/* The lists of [reset]: who may, and who needs two proofs. */
static const char *
find_rules(struct sr_run *run)
{
    const struct sr_reset_config *reset = &run->config->reset;
    const struct sr_member member = {.user = run->txn.name,
                                     .is_member = sr_config_member_nss};
    bool may = true;

    run->is_admin = true;
    run->proofs = run->txn.rules.reset_gates;
    if (!run->txn.rules.reset_enable)
        return "SR-2001 disabled";
    if (reset->groups.count > 0 &&
        sr_config_is_listed(&member, &reset->groups, &may) != 0)
        return "the groups cannot be read";
    if (!may)
        return "SR-2005 not-in-group";
    if (!run->is_partial && sr_config_is_listed(&member, &reset->administrators,
                                                &run->is_admin) != 0)
        return "the groups cannot be read";
    if (run->is_admin)
        run->proofs = 2;
    return NULL;
}

bool
sr_run_has_enough(const struct sr_run *run,
                  const struct sr_enrolment *enrolment,
                  const struct sr_account_time *time)
{
    unsigned gates = 0;

    for (int gate = 0; gate < SR_GATE_RESUME; gate++) {
        if ((run->allowed >> gate & 1) != 0 &&
            sr_enrolment_has(enrolment, (enum sr_gate_id)gate,
                             &run->config->reset, time))
            gates |= 1u << gate;
    }
    if (!sr_contact_counts(gates, run->is_admin))
        gates &= ~(1u << SR_GATE_CONTACT);
    return sr_gate_proofs(gates, run->is_admin) >= run->proofs;
}

/* What the directory has against it: an administrator of its own, or a right
 * that the service lacks. */
static const char *
find_admission(struct sr_run *run)
{
    struct sr_account *account = run->txn.account;
    struct sr_call call = sr_call_make(&account->backend, run->txn.connections);
    enum sr_refusal refusal;

    run->is_away = false;
    if (account->backend.ops->administer == NULL || run->is_counting)
        return NULL;
    switch (
        sr_backend_administer(&call, account, SR_ORDER_ADMIT, NULL, &refusal)) {
    case SR_WRITE_DONE:
        return NULL;
    case SR_WRITE_REFUSED:
        snprintf(run->admission, sizeof(run->admission), "SR-3014 %s",
                 call.error.text);
        return run->admission;
    default:
        run->is_away = true;
        sr_run_event(run, SR_EVENT_BACKEND_DOWN, false, call.error.text);
        return "SR-3002 backend-unreachable";
    }
}

/* What the state of the account or the rules have against a reset. */
static const char *
find_state(struct sr_run *run)
{
    const char *why = run->txn.ask == SR_STATUS_OK ? find_obstacle(run)
                                                   : "SR-2007 unknown-user";

    if (why == NULL)
        why = find_rules(run);
    return why == NULL ? find_admission(run) : why;
}

/* What the enrolment has against it; `has_enough`: also that it lacks gates. */
static const char *
find_enrolment(const struct sr_run *run, bool has_enough)
{
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    enum sr_store_result result =
        sr_enrolment_get(run->store, &run->txn, &enrolment, &time);
    const char *why = NULL;

    if (result != SR_STORE_OK && result != SR_STORE_NOT_FOUND)
        why = sr_store_strerror(result);
    else if (enrolment.reported != 0)
        why = "SR-1209 reported";
    else if (run->until != 0 && run->until <= time.now)
        why = TOO_LATE;
    else if (has_enough && !sr_run_has_enough(run, &enrolment, &time))
        why = SR_RUN_TOO_FEW;
    explicit_bzero(&enrolment, sizeof(enrolment));
    return why;
}

const char *
sr_run_obstacle(struct sr_run *run)
{
    const char *why = find_state(run);

    return why == NULL ? find_enrolment(run, false) : why;
}

bool
sr_run_may_still(struct sr_run *run)
{
    run->obstacle = sr_run_obstacle(run);
    if (run->obstacle == NULL)
        return true;
    sr_run_event(run, SR_EVENT_RESET_REFUSED, false, run->obstacle);
    sr_run_say(run, "%s",
               strcmp(run->obstacle, TOO_LATE) == 0
                   ? _("The 15 minutes for this reset are over.")
               : run->is_away ? _("The place where passwords are kept cannot "
                                  "be reached now.")
                              : _("This account was changed meanwhile, and "
                                  "cannot be reset any more."));
    return false;
}

void
sr_run_other(const struct sr_run *run, const char *name, struct sr_run *other)
{
    *other = (struct sr_run){.peer = run->peer,
                             .talk = run->talk,
                             .config = run->config,
                             .store = run->store,
                             .is_counting = true};
    memcpy(other->ref, run->ref, sizeof(other->ref));
    memcpy(other->host, run->host, sizeof(other->host));
    sr_transaction_begin(run->config, name, SERVICE, NULL, &other->txn);
    set_context(other);
}

bool
sr_run_change(struct sr_run *run, const struct sr_run *of,
              bool (*change)(void *context, struct sr_enrolment *enrolment,
                             const struct sr_account_time *time),
              void *context)
{
    const enum sr_store_result result =
        sr_enrolment_change(run->store, &of->txn, change, context);

    if (result == SR_STORE_OK)
        return true;
    sr_run_event(run, SR_EVENT_STATE, false, sr_store_strerror(result));
    sr_run_say(run, _("It could not be stored."));
    return false;
}

static void
say_away(struct sr_run *run)
{
    sr_run_say(run, _("The place where passwords are kept cannot be "
                      "reached now. Nothing was done. Try again later."));
    sr_run_say_help(run);
}

/* Whether accounts of this host can go on while a directory is away: a name
 * that is looked up here first is no directory's, and no rule is lost with
 * groups of the directory. */
static bool
goes_on_without(const struct sr_config *config)
{
    return strcmp(config->backends.item[0], SR_LOCAL) == 0 &&
           sr_config_resets_by_groups(config, sr_config_is_group_here);
}

/* Look the name up.  Only among the accounts of this host, it takes as long for
 * one of them as for other names, which the name service is asked for. */
static void
look_up(struct sr_run *run, const char *name, const char *nobody)
{
    struct sr_nss_account none;

    sr_transaction_end(&run->txn);
    sr_transaction_begin(run->config, name, SERVICE,
                         run->is_partial ? SR_LOCAL : NULL, &run->txn);
    set_context(run);
    if (run->is_partial && !run->txn.has_asked_nss)
        sr_nss_account_find(nobody, &none);
}

/* Whether the account could not be looked up, which is said.  To others than
 * its owner an entry that cannot be read is no account: it must not be told
 * apart. */
static bool
is_lost(struct sr_run *run)
{
    const enum sr_status ask = run->txn.ask;
    const bool is_unread =
        ask == SR_STATUS_UNAVAILABLE && run->txn.why != SR_ERROR_NO_UID;

    if (is_unread)
        sr_run_event(run, sr_transaction_outage_event(&run->txn), false,
                     run->txn.reason);
    return ask == SR_STATUS_NO_MEMORY ||
           (run->is_own &&
            (is_unread || (run->is_partial && ask != SR_STATUS_OK)));
}

/*
 * Find the account of a name, once it is known that all backends are there.
 * False: that cannot be done, after saying so.
 *
 * While a directory is away, accounts of this host go on, where they are looked
 * up first.  Every other name is one that does not exist: it cannot be found
 * out whose it is, and is not to be.  All are told the same, and wait as long.
 */
static bool
find_account(struct sr_run *run, const char *name)
{
    char nobody[SR_CODE_SIZE];
    bool is_there = sr_code_make(nobody, SR_RECOVERY_LENGTH, 0);
    const bool is_whole =
        is_there && (run->is_counting || are_all_there(run, nobody));

    run->is_partial = is_there && !is_whole && goes_on_without(run->config);
    run->since = sr_clock_milliseconds();
    is_there = is_whole || run->is_partial;
    if (is_there) {
        look_up(run, name, nobody);
        is_there = !is_lost(run);
    }
    if (!is_there)
        say_away(run);
    else if (run->is_partial && !run->is_own)
        sr_run_say(run, _("A directory cannot be reached now, so passwords "
                          "that are kept there cannot be reset: try again "
                          "later if yours is. Passwords of this host can be "
                          "reset."));
    return is_there;
}

bool
sr_run_account(struct sr_run *run, const char *name)
{
    const struct sr_string_list *classes;

    snprintf(run->typed, sizeof(run->typed), "%.31s", name);
    if (!find_account(run, name))
        return false;
    classes = &run->config->rules.reset_classes;
    if (run->txn.ask == SR_STATUS_OK)
        classes = &run->txn.rules.reset_classes;
    for (int gate = 0; gate < SR_GATE_COUNT; gate++) {
        const char *name_of = sr_gate_name((enum sr_gate_id)gate);

        if (sr_string_list_has(classes, name_of))
            run->allowed |= 1u << gate;
        if (sr_config_offers(run->config, name_of))
            run->offered |= 1u << gate;
    }
    /* Nobody can paste a signature there. */
    if (run->peer->is_greeter)
        run->offered &= ~(1u << SR_GATE_KEY);
    if (!run->is_own) {
        run->allowed |= 1u << SR_GATE_RESUME;
        run->offered |= 1u << SR_GATE_RESUME;
    }
    run->proofs = 2;
    run->obstacle = find_state(run);
    if (run->is_away && run->is_own) {
        say_away(run);
        return false;
    }
    run->why_not =
        run->obstacle == NULL ? find_enrolment(run, true) : run->obstacle;
    return true;
}
