/*
 * Account: everything that a decision about one account needs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "policy/config/membership.h"
#include "policy/throttle/attempt.h"
#include "policy/decide/ageing.h"
#include "policy/password/history.h"
#include "policy/account/account.h"
#include "policy/account/session.h"
#include "policy/util/words.h"

/* How long what was read of an account is as good as new, in microseconds. */
#define FRESH 1000

/* A name that exists nowhere is in no group. */
static int
member_of_nothing(void *context, const char *user, const char *group)
{
    (void)context;
    (void)user;
    (void)group;
    return SR_NO;
}

static int
gather_rules(struct sr_transaction *out, const char *name, const char *service,
             bool exists)
{
    struct sr_member member = {
        .user = name,
        .is_member = exists ? sr_config_member_nss : member_of_nothing,
    };

    return sr_config_rules(out->config, &member, service, &out->rules);
}

/* Ask the name service about the name, once. */
static void
ask_nss(struct sr_transaction *out, const char *name)
{
    if (!out->has_asked_nss)
        sr_nss_account_find(name, &out->nss);
    out->has_asked_nss = true;
}

/* Whether no backend is asked after this one. */
static bool
is_last(const struct sr_transaction *txn, const struct sr_backend *backend)
{
    const struct sr_string_list *names = &txn->config->backends;

    return names->count > 0 &&
           strcmp(names->item[names->count - 1], backend->name) == 0;
}

/* Whether the name service calls the account by another name. */
static bool
is_called_otherwise(struct sr_transaction *out, const char *name)
{
    ask_nss(out, name);
    return out->nss.exists == SR_YES && strcmp(out->nss.name, name) != 0;
}

/* Whether the account that a directory has found is the one that this host
 * knows by the name.  `is_exact`: it was asked for by that very name. */
static enum sr_status
compare_uid(struct sr_transaction *out, bool is_exact)
{
    const uid_t theirs = out->account->facts.uid;

    switch (out->nss.exists) {
    case SR_NO: /* no user can become it here */
        return is_exact ? SR_STATUS_OK : SR_STATUS_UNKNOWN_NAME;
    case SR_YES:
        if (out->nss.uid == theirs)
            return SR_STATUS_OK;
        if (is_exact)
            snprintf(out->another, sizeof(out->another),
                     N_LOG("the uid is %lu there and %lu by the name service"),
                     (unsigned long)theirs, (unsigned long)out->nss.uid);
        return SR_STATUS_UNKNOWN_NAME;
    case SR_UNKNOWN:
        break;
    }
    snprintf(out->reason, sizeof(out->reason),
             N_LOG("the name service cannot be asked for the account"));
    return SR_STATUS_UNAVAILABLE;
}

/* Ask one backend for one name.  The rules of an account can depend on its
 * groups, and its facts on the rules, so the rules were made for the name. */
static enum sr_status
ask_for(struct sr_transaction *out, const struct sr_backend *backend,
        const char *name, bool is_exact)
{
    struct sr_call call = sr_call_make(backend, out->connections);
    enum sr_status ask;

    call.expects_password = is_last(out, backend) &&
                            sr_connections_expects_password(out->connections);
    ask = sr_backend_look_up(&call, name, &out->rules, &out->account);

    snprintf(out->reason, sizeof(out->reason), "%s", call.error.text);
    out->why = call.error.code;
    if (ask == SR_STATUS_OK && backend->ops != &sr_backend_local)
        ask = compare_uid(out, is_exact &&
                                   strcmp(out->account->facts.name, name) == 0);
    if (ask != SR_STATUS_OK) {
        sr_account_close(out->account);
        out->account = NULL;
    } else {
        out->lockout = sr_lockout_of(&out->account->facts);
    }
    return ask;
}

/*
 * Whether the name service has a name of its own for the uid of the account,
 * and not only another name with that uid.  OK: it has.
 */
static enum sr_status
is_name_of_uid(struct sr_transaction *out)
{
    struct sr_nss_account by_uid;

    if (sr_nss_account_is_local(out->nss.name))
        return SR_STATUS_UNKNOWN_NAME; /* has the name that it has */
    sr_nss_account_find_uid(out->nss.uid, &by_uid);
    if (by_uid.exists == SR_UNKNOWN) {
        snprintf(out->reason, sizeof(out->reason),
                 N_LOG("the name service cannot be asked for the uid"));
        return SR_STATUS_UNAVAILABLE;
    }
    return by_uid.exists == SR_YES && strcmp(by_uid.name, out->nss.name) == 0
               ? SR_STATUS_OK
               : SR_STATUS_UNKNOWN_NAME;
}

/* Whether the name service has the account of a directory under the directory's
 * own name, too: then another name with its uid is another account. */
static bool
has_own_name(const char *name, uid_t uid)
{
    struct sr_nss_account nss;

    sr_nss_account_find(name, &nss);
    return nss.exists == SR_YES && nss.uid == uid &&
           strcmp(nss.name, name) == 0;
}

/*
 * Ask a directory by the uid that the name service has for a name that is not
 * the directory's: a name service forms names as it was told to, and the uid
 * and a part of the name are common to both.
 */
static enum sr_status
ask_by_uid(struct sr_transaction *out, const struct sr_backend *backend)
{
    struct sr_call call = sr_call_make(backend, out->connections);
    enum sr_status ask = is_name_of_uid(out);
    char name[SR_NAME_MAX + 1];

    if (ask != SR_STATUS_OK)
        return ask;
    ask = sr_backend_name_of(&call, out->nss.uid, out->nss.name, name);
    if (ask == SR_STATUS_OK)
        return has_own_name(name, out->nss.uid)
                   ? SR_STATUS_UNKNOWN_NAME
                   : ask_for(out, backend, name, false);
    snprintf(out->reason, sizeof(out->reason), "%s", call.error.text);
    out->why = call.error.code;
    return ask;
}

/* The same; a directory also for the unqualified part of the name that the name
 * service gave, and by the uid. */
static enum sr_status
ask_backend(struct sr_transaction *out, const struct sr_backend *backend,
            const char *name)
{
    char part[SR_NAME_MAX + 1];
    enum sr_status ask;

    if (backend->ops != &sr_backend_local)
        ask_nss(out, name);
    ask = ask_for(out, backend, name, true);
    if (ask == SR_STATUS_UNKNOWN_NAME && backend->ops != &sr_backend_local &&
        out->nss.exists == SR_YES &&
        sr_unqualified_name(name, part, sizeof(part)))
        ask = ask_for(out, backend, part, false);
    if (ask == SR_STATUS_UNKNOWN_NAME && backend->ops != &sr_backend_local &&
        out->nss.exists == SR_YES)
        ask = ask_by_uid(out, backend);
    return ask;
}

/* Whether one that cannot be asked is skipped: the same name in another
 * backend is another account, and must not be used instead. */
static bool
is_passed_over(const struct sr_backend *backend)
{
    return backend->config != NULL &&
           backend->config->when_down == SR_DOWN_NEXT;
}

/* Whether the entry that was found can be of no account here.  A local account
 * of that name is not made unavailable by it. */
static bool
is_odd(const struct sr_transaction *out, enum sr_status ask)
{
    return ask == SR_STATUS_UNAVAILABLE && out->why == SR_ERROR_NO_UID;
}

/*
 * Ask the backends in their order.  False when the name service calls the
 * account by another name, which has to be asked for instead; directories are
 * not asked for a name before that is known.
 */
static bool
ask_all(struct sr_transaction *out, const char *name)
{
    const struct sr_string_list *names = &out->config->backends;
    bool is_local_only = false;

    out->ask = SR_STATUS_UNKNOWN_NAME;
    for (size_t i = 0; i < names->count; i++) {
        enum sr_status ask = SR_STATUS_UNAVAILABLE;
        struct sr_error error;

        if (is_local_only && strcmp(names->item[i], sr_backend_local.type) != 0)
            continue;
        if (out->only != NULL && strcmp(out->only, names->item[i]) != 0)
            continue;
        if (sr_backend_find(out->config, names->item[i], &out->last, &error) !=
            0) {
            snprintf(out->reason, sizeof(out->reason), "%s", error.text);
        } else {
            if (out->last.ops != &sr_backend_local &&
                is_called_otherwise(out, name))
                return false;
            ask = ask_backend(out, &out->last, name);
        }
        if (ask != SR_STATUS_UNKNOWN_NAME)
            out->ask = ask;
        if (is_odd(out, ask)) {
            snprintf(out->another, sizeof(out->another), "%.79s", out->reason);
            is_local_only = true;
            continue;
        }
        if (ask == SR_STATUS_OK || ask == SR_STATUS_NO_MEMORY ||
            ask == SR_STATUS_AMBIGUOUS ||
            (ask == SR_STATUS_UNAVAILABLE && !is_passed_over(&out->last)))
            return true;
    }
    return out->ask != SR_STATUS_UNKNOWN_NAME ||
           !is_called_otherwise(out, name);
}

/* Look up by one name; false when it has to be done by another, see above. */
static bool
look_up(struct sr_transaction *out, const char *name, const char *service)
{
    if (gather_rules(out, name, service, true) != 0) {
        snprintf(out->reason, sizeof(out->reason),
                 N_LOG("the groups of the account cannot be read"));
        out->ask = SR_STATUS_UNAVAILABLE;
        return true;
    }
    return ask_all(out, name);
}

/* Settle who it is. */
static void
settle_name(struct sr_transaction *out, const char *typed)
{
    const struct sr_account *account = out->account;

    if (account == NULL)
        sr_nss_account_settle_case(&out->nss);
    snprintf(out->name, sizeof(out->name), "%s",
             account != NULL             ? account->facts.name
             : out->nss.exists == SR_YES ? out->nss.name
                                         : typed);
    out->uid = account != NULL && account->facts.uid != (uid_t)-1
                   ? account->facts.uid
                   : out->nss.uid;
}

static int64_t
microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The account is about to be looked up. */
static void
note_time(struct sr_transaction *out)
{
    struct timespec wall;

    clock_gettime(CLOCK_REALTIME, &wall);
    out->sequence =
        (uint64_t)wall.tv_sec * 1000000000u + (uint64_t)wall.tv_nsec;
}

enum sr_status
sr_transaction_begin(const struct sr_config *config, const char *name,
                     const char *service, const char *backend,
                     struct sr_transaction *out)
{
    struct sr_connections *connections = sr_connections_new();

    sr_transaction_begin_with(config, connections, name, service, backend, out);
    out->owns_link = true;
    return out->ask;
}

enum sr_status
sr_transaction_begin_with(const struct sr_config *config,
                          struct sr_connections *connections, const char *name,
                          const char *service, const char *backend,
                          struct sr_transaction *out)
{
    char canonical[SR_NAME_MAX + 1];

    memset(out, 0, sizeof(*out));
    out->lockout = sr_lockout_none();
    out->shared = sr_lockouts_unknown();
    out->config = config;
    out->connections = connections;
    out->only = backend;
    out->last.name = sr_backend_local.type;
    out->last.ops = &sr_backend_local;
    out->nss.uid = (uid_t)-1;
    note_time(out);
    if (!look_up(out, name, service)) {
        memcpy(canonical, out->nss.name, sizeof(canonical));
        look_up(out, canonical, service);
    }
    out->looked_up = microseconds();
    settle_name(out, name);
    if (out->ask == SR_STATUS_UNKNOWN_NAME &&
        gather_rules(out, out->name, service, out->nss.exists == SR_YES) != 0)
        out->ask = SR_STATUS_UNAVAILABLE;
    return out->ask;
}

bool
sr_transaction_is_ours(const struct sr_transaction *txn)
{
    return txn->ask == SR_STATUS_OK;
}

bool
sr_transaction_is_fresh(const struct sr_transaction *txn)
{
    return microseconds() - txn->looked_up < FRESH;
}

enum sr_status
sr_transaction_refresh(struct sr_transaction *txn)
{
    struct sr_backend backend;

    if (txn->ask != SR_STATUS_OK)
        return txn->ask;
    backend = txn->account->backend;
    sr_account_close(txn->account);
    txn->account = NULL;
    txn->has_temporary = false;
    txn->has_recalled = false;
    txn->shared = sr_lockouts_unknown();
    note_time(txn);
    txn->ask = ask_backend(txn, &backend, txn->name);
    txn->looked_up = microseconds();
    return txn->ask;
}

void
sr_transaction_set_absent(struct sr_transaction *txn)
{
    sr_account_close(txn->account);
    txn->account = NULL;
    txn->ask = SR_STATUS_UNKNOWN_NAME;
    txn->lockout = sr_lockout_none();
}

/* ---- events and messages */

int
sr_transaction_code(const struct sr_transaction *txn, enum sr_answer answer)
{
    return txn->context.code == NULL ? -1 : txn->context.code(answer);
}

struct sr_message_context
sr_transaction_message(const struct sr_transaction *txn)
{
    struct sr_message_context say = {
        .contact = txn->config == NULL ? NULL : txn->config->contact,
        .now = (sr_time)time(NULL),
        .is_admin = txn->context.is_admin,
    };

    return say;
}

enum sr_text
sr_transaction_outage(const struct sr_transaction *txn)
{
    return txn->why == SR_ERROR_IDENTITY ? SR_TEXT_HOST_TROUBLE
                                         : SR_TEXT_UNAVAILABLE;
}

enum sr_event_id
sr_transaction_outage_event(const struct sr_transaction *txn)
{
    return txn->why == SR_ERROR_IDENTITY ? SR_EVENT_HOST_KEY
                                         : SR_EVENT_BACKEND_DOWN;
}

static const char *
or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

void
sr_transaction_event(const struct sr_transaction *txn, enum sr_event_id id,
                     const char *result, const char *cause, int code)
{
    const struct sr_context *context = &txn->context;
    const struct sr_account *account = txn->account;
    const bool exists = account != NULL || txn->uid != (uid_t)-1;
    const struct sr_event event = {
        .id = id,
        .user = exists ? txn->name : NULL,
        .uid = txn->uid,
        .source = or_null(context->source.text),
        .service = or_null(context->service),
        .channel = context->channel,
        .backend = account != NULL ? account->facts.backend : NULL,
        .result = result,
        .cause = cause,
        .actor = context->is_admin ? "root" : NULL,
        .terminal = or_null(context->terminal),
        .ref = or_null(context->ref),
        .pam_code = code,
    };

    sr_event_send(&event);
}

struct sr_verdict
sr_transaction_verdict(const struct sr_transaction *txn,
                       const struct sr_caller *caller)
{
    const struct sr_facts facts = sr_transaction_facts(txn);

    return sr_verdict(&facts, &txn->rules, caller, (sr_time)time(NULL));
}

void
sr_transaction_verdict_event(const struct sr_transaction *txn,
                             const struct sr_verdict *verdict, int code)
{
    static const enum sr_event_id event[SR_STATE_COUNT] = {
        [SR_STATE_DISABLED] = SR_EVENT_DISABLED,
        [SR_STATE_ENDED] = SR_EVENT_ENDED,
        [SR_STATE_NOT_YET] = SR_EVENT_ENDED,
        [SR_STATE_LOCKED] = SR_EVENT_LOCKED,
        [SR_STATE_OUT_OF_HOURS] = SR_EVENT_OUT_OF_HOURS,
        [SR_STATE_OFF_WORKSTATION] = SR_EVENT_OFF_WORKSTATION,
        [SR_STATE_LAPSED] = SR_EVENT_TEMPORARY_LAPSED,
        [SR_STATE_BARRED] = SR_EVENT_BARRED,
        [SR_STATE_MUST_CHANGE] = SR_EVENT_MUST_CHANGE,
        [SR_STATE_EXPIRED] = SR_EVENT_EXPIRED,
        [SR_STATE_GRACE] = SR_EVENT_EXPIRED,
        [SR_STATE_EXPIRING] = SR_EVENT_EXPIRY_NOTICE,
        [SR_STATE_OK] = SR_EVENT_COUNT,
        [SR_STATE_UNKNOWN] = SR_EVENT_BACKEND_DOWN,
    };
    const bool is_success = code == sr_transaction_code(txn, SR_ANSWER_OK);
    enum sr_event_id id = event[verdict->state];

    if (verdict->state == SR_STATE_BARRED &&
        verdict->barred_by == SR_CHANGE_REQUIRE_LOGON)
        id = SR_EVENT_NEEDS_LOGON;
    /* A state that was spared is no event: nothing happened. */
    if (id == SR_EVENT_COUNT ||
        (is_success && verdict->state != SR_STATE_EXPIRING &&
         verdict->state != SR_STATE_GRACE))
        return;
    sr_transaction_event(txn, id, is_success ? "ok" : "failed",
                         verdict->rule != NULL ? verdict->rule : verdict->fact,
                         code);
}

/* The age of a local password of which shadow does not know the last change. */
static void
set_age(struct sr_transaction *txn, const struct sr_memory *memory)
{
    struct sr_facts *facts = &txn->account->facts;

    if (strcmp(facts->backend, SR_LOCAL) == 0 &&
        facts->password_changed == SR_TIME_UNKNOWN &&
        !sr_history_is_empty(&memory->history))
        sr_ageing_apply(&txn->rules, sr_history_last(&memory->history), facts);
}

void
sr_transaction_set_temporary(struct sr_transaction *out, sr_time until)
{
    out->has_temporary = until != SR_TIME_UNKNOWN;
    if (out->has_temporary)
        out->account->facts.temporary_until = until;
}

struct sr_identity
sr_transaction_identity(const struct sr_transaction *txn)
{
    return txn->account != NULL ? sr_identity_of(&txn->account->facts)
                                : sr_identity_other(txn->name, txn->uid);
}

struct sr_facts
sr_transaction_facts(const struct sr_transaction *txn)
{
    struct sr_facts facts = txn->account->facts;

    sr_lockout_set(&facts, &txn->lockout);
    return facts;
}

void
sr_transaction_merge_lockouts(struct sr_transaction *txn,
                              struct sr_lockout claimed)
{
    txn->everywhere = sr_lockout_merge(
        sr_lockout_of(&txn->account->facts),
        sr_lockout_everywhere(&txn->host, &txn->shared, claimed));
}

/* What the store has of the account. */
static enum sr_store_result
recall_from(struct sr_transaction *txn, struct sr_store *store,
            const struct sr_source *source)
{
    const struct sr_facts *facts = &txn->account->facts;
    const struct sr_identity id = sr_identity_of(facts);
    struct sr_lockout lockout = sr_lockout_none();
    struct sr_memory memory;
    enum sr_store_result result = sr_memory_get(store, &id, &memory);

    if (result == SR_STORE_NOT_FOUND)
        result = SR_STORE_OK;
    if (result == SR_STORE_OK) {
        sr_transaction_set_temporary(
            txn, sr_memory_temporary(&memory, txn->account->secret));
        set_age(txn, &memory);
        result =
            sr_attempt_classes(store, &id, &memory, &txn->rules, &txn->host);
    }
    if (result == SR_STORE_OK && source != NULL)
        result = sr_attempt_lockout(store, &id, &memory, source, &txn->rules,
                                    &txn->host, &lockout);
    txn->lockout = lockout;
    explicit_bzero(&memory, sizeof(memory));
    return result;
}

enum sr_store_result
sr_transaction_recall_in(struct sr_transaction *txn, struct sr_store *store,
                         const struct sr_source *source)
{
    enum sr_store_result result = SR_STORE_OK;

    txn->host = sr_lockouts_none();
    txn->lockout = sr_lockout_none();
    if (store != NULL)
        result = recall_from(txn, store, source);
    sr_transaction_merge_lockouts(txn, sr_lockout_none());
    txn->lockout =
        sr_lockout_merge(sr_lockout_of(&txn->account->facts), txn->lockout);
    txn->has_recalled = result == SR_STORE_OK;
    txn->store = result;
    return result;
}

/* A damaged file is reported once, by the process that finds it. */
static void
note_damage(struct sr_transaction *txn, const struct sr_store *store)
{
    const char *damage = store == NULL ? NULL : sr_store_damage(store);

    if (damage != NULL)
        snprintf(txn->damage, sizeof(txn->damage), "%s", damage);
}

enum sr_store_result
sr_transaction_recall(struct sr_transaction *txn, const char *statedir,
                      const struct sr_source *source)
{
    struct sr_store *store = NULL;
    enum sr_store_result result;

    result = sr_store_open(statedir, NULL, SR_STORE_READ, &store);
    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND)
        result = sr_transaction_recall_in(txn, store, source);
    note_damage(txn, store);
    txn->has_old_state = store != NULL && sr_store_has_old(store);
    sr_store_close(store);
    txn->store = result;
    if (result != SR_STORE_OK)
        snprintf(txn->reason, sizeof(txn->reason), "%s",
                 sr_store_strerror(result));
    return result;
}

/* ---- the ledgers of all hosts */

struct sr_shared_ledger
sr_shared_ledger(const struct sr_transaction *txn, bool is_known,
                 const char *only)
{
    const struct sr_config *config = txn->config;
    struct sr_shared_ledger way = {.is_there = false};

    if (!sr_shared_counts(&txn->rules, (uid_t)-1))
        return way;
    if (is_known) {
        if (txn->account == NULL ||
            !sr_shared_counts(&txn->rules, txn->account->facts.uid))
            return way;
        return sr_shared_ledger_open_by_name(config, txn->connections,
                                             txn->account->backend.name);
    }
    for (size_t i = 0; !way.is_there && i < config->backends.count; i++) {
        const char *name = config->backends.item[i];

        if (only == NULL || strcmp(only, name) == 0)
            way = sr_shared_ledger_open_by_name(config, txn->connections, name);
    }
    return way;
}

enum sr_status
sr_shared_locks_find(const struct sr_shared_ledger *way,
                     struct sr_transaction *txn, char *reason, size_t size)
{
    const struct sr_limits limits = sr_attempt_shared_limits(&txn->rules);
    enum sr_status answer = SR_STATUS_OK;
    struct sr_shared_view view[2];

    txn->shared = sr_lockouts_none();
    for (int class = 0; answer == SR_STATUS_OK && class < 2; class ++)
        answer = sr_shared_look(way, txn->account->facts.name,
                                class == SR_CLASS_FAMILIAR, &limits, false,
                                &view[class], reason, size);
    for (int class = 0; answer == SR_STATUS_OK && class < 2; class ++)
        txn->shared.of[class] = view[class].lockout;
    return answer;
}

/* Whether the source is familiar, which this host remembers. */
static bool
find_class(const char *statedir, const struct sr_transaction *txn,
           const struct sr_source *source, enum sr_source_class *class)
{
    const struct sr_identity id = sr_identity_of(&txn->account->facts);
    enum sr_store_result result;
    struct sr_memory memory;
    struct sr_store *store;

    memset(&memory, 0, sizeof(memory));
    result = sr_store_open(statedir, NULL, SR_STORE_READ, &store);
    if (result == SR_STORE_OK)
        result = sr_memory_get(store, &id, &memory);
    sr_store_close(store);
    *class = sr_attempt_class(&memory, source, &txn->rules);
    explicit_bzero(&memory, sizeof(memory));
    return result == SR_STORE_OK || result == SR_STORE_NOT_FOUND;
}

enum sr_status
sr_shared_facts(const struct sr_shared_ledger *way, struct sr_transaction *txn,
                const char *statedir, const struct sr_source *source,
                char *reason, size_t size)
{
    const struct sr_limits limits = sr_attempt_shared_limits(&txn->rules);
    enum sr_source_class class;
    struct sr_shared_view view;
    enum sr_status answer;

    if (!find_class(statedir, txn, source, &class)) {
        snprintf(reason, size, N_LOG("the state of this host cannot be read"));
        return SR_STATUS_UNAVAILABLE;
    }
    answer = sr_shared_look(way, txn->account->facts.name,
                            class == SR_CLASS_FAMILIAR, &limits, true, &view,
                            reason, size);
    if (answer == SR_STATUS_OK) {
        txn->shared.is_known[class] = true;
        txn->shared.of[class] = view.lockout;
        txn->lockout = sr_lockout_merge(txn->lockout, view.lockout);
    } else {
        txn->shared = sr_lockouts_none();
    }
    sr_transaction_merge_lockouts(txn, sr_lockout_none());
    return answer;
}

/* ---- the rest */

struct sr_caller
sr_transaction_caller(const struct sr_transaction *txn, bool forced)
{
    const uid_t real = txn->context.real_uid;
    const uid_t uid = txn->account->facts.uid;
    struct sr_caller caller = {.is_admin = real == 0 && !forced};

    if (sr_change_requires_logon(&txn->account->facts, &txn->rules))
        caller.is_logged_on =
            real == uid &&
            sr_session_is_logged_on(NULL, NULL, txn->context.process, uid);
    return caller;
}

void
sr_transaction_end(struct sr_transaction *txn)
{
    sr_account_close(txn->account);
    txn->account = NULL;
    if (txn->owns_link)
        sr_connections_free(txn->connections);
    txn->connections = NULL;
}
