/*
 * LDAP backend: accounts in a directory, as a module of its own.
 *
 * The service reads an account at the beginning of a transaction; a bind as its
 * owner verifies the password, and its response reveals more of the account
 * than the service may see. Both are cached for the following calls, so that a
 * login reads a directory once.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "policy/backend/ldap/administer.h"
#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/describe.h"
#include "policy/backend/ldap/enumerate.h"
#include "policy/backend/ldap/ldap.h"
#include "policy/backend/ldap/name_of.h"
#include "policy/backend/ldap/policies.h"
#include "policy/backend/ldap/record.h"
#include "policy/backend/ldap/request.h"
#include "policy/backend/ldap/rootdse.h"
#include "policy/backend/ldap/self_read.h"
#include "policy/backend/ldap/shared_ledger.h"
#include "policy/backend/ldap/survey.h"
#include "policy/backend/ldap/template.h"
#include "policy/backend/ldap/values.h"
#include "policy/backend/ldap/watch.h"
#include "policy/util/deadline.h"

/* How long the cached account is used: longer than typing a password takes, and
 * short enough for changes by an administrator to be noticed. */
#define FRESH_MS 30000

/* Entries that a filter may find for one name: a value with options, or of
 * another attribute, makes an entry no account of that name. */
#define FOUND_MAX 16

/* Whether the service can change a password by the old one. */
static bool
can_help(const struct sr_backend_config *config)
{
    return config->identity != SR_IDENTITY_NONE;
}

/* ---- reading */

/* The one entry of those found that is the account's. */
static enum sr_status
choose_entry(struct sr_ldap_session *session, const char *name,
             struct sr_ldap_entry *found, size_t count,
             struct sr_ldap_entry *entry)
{
    const struct sr_backend_config *config = session->config;
    struct sr_ldap_entry *chosen = NULL;
    size_t usable = 0;

    for (size_t i = 0; i < count && i < FOUND_MAX; i++) {
        const bool has_uid = sr_ldap_has_uid(config, &found[i]);

        if (sr_ldap_entry_spelling(&found[i], config->name_attribute, name) ==
                NULL ||
            sr_ldap_is_system(config, &found[i]))
            continue;
        usable += has_uid;
        if (chosen == NULL || has_uid)
            chosen = &found[i];
    }
    if (usable > 1 || count > FOUND_MAX) {
        sr_ldap_why(session, "more than one entry is found by \"filter\"");
        return SR_STATUS_AMBIGUOUS;
    }
    if (session->by_owner && count > 0 &&
        (chosen == NULL ||
         strcmp(sr_ldap_entry_spelling(chosen, config->name_attribute, name),
                name) != 0)) {
        sr_ldap_why(session, "the entry of the DN has another name");
        return SR_STATUS_UNAVAILABLE;
    }
    /* Directories do not distinguish "Ann" from "ann": the account has the
     * entry's spelling, and the caller decides whether it is the one that was
     * meant. */
    if (chosen == NULL)
        return SR_STATUS_UNKNOWN_NAME;
    *entry = *chosen;
    memset(chosen, 0, sizeof(*chosen));
    /* A bind without a DN would be anonymous. */
    if (entry->dn[0] == '\0') {
        sr_ldap_why(session, "the entry of this name has no DN");
        return SR_STATUS_UNAVAILABLE;
    }
    return SR_STATUS_OK;
}

/*
 * The head of an Active Directory domain has the rules of the domain, and is
 * found by the search for an account.
 */
static char *
with_domain(char *filter)
{
    char *both;

    if (filter == NULL ||
        asprintf(&both, "(|%s(objectClass=domainDNS))", filter) < 0)
        both = NULL;
    free(filter);
    return both;
}

/* Keep it among the policies, by the DN that the configuration has. */
static int
take_domain(struct sr_ldap_session *session, struct sr_ldap_entry *found,
            size_t count)
{
    struct sr_ldap_policies *policies = &session->policies;
    const char *dn = session->config->default_policy;

    for (size_t i = 0; i < count && i < FOUND_MAX; i++) {
        if (found[i].dn == NULL || strcasecmp(found[i].dn, dn) != 0 ||
            sr_ldap_policies_find(policies, dn) != NULL)
            continue;
        free(found[i].dn);
        found[i].dn = strdup(dn);
        if (found[i].dn == NULL ||
            sr_ldap_policies_add(policies, &found[i]) == NULL)
            return LDAP_NO_MEMORY;
    }
    return LDAP_SUCCESS;
}

/* Search for the entry of a name.  Returns an LDAP result code. */
static int
search_entry(struct sr_ldap_session *session, const char *name,
             struct sr_ldap_entry *found, size_t *count)
{
    const struct sr_backend_config *config = session->config;
    const char *attributes[SR_LDAP_LIST_MAX];
    char *filter = sr_ldap_filter(config->filter, name);
    /* In Active Directory it is a name to bind by, and of no entry. */
    const bool has_dn =
        config->user_dn != NULL && config->type != SR_BACKEND_AD;
    char *dn = sr_ldap_dn(has_dn ? config->user_dn : config->base, name);
    int code = LDAP_NO_MEMORY;

    sr_ldap_list_attributes(session, attributes);
    if (config->type == SR_BACKEND_AD)
        filter = with_domain(filter);
    if (filter != NULL && dn != NULL)
        code = sr_ldap_search(session, has_dn ? dn : config->base,
                              has_dn ? LDAP_SCOPE_BASE : LDAP_SCOPE_SUBTREE,
                              filter, attributes, found, FOUND_MAX, count);
    if (code == LDAP_SUCCESS && config->type == SR_BACKEND_AD)
        code = take_domain(session, found, *count);
    free(filter);
    free(dn);
    return code;
}

/* The one entry of a name. */
static enum sr_status
read_entry(struct sr_ldap_session *session, const char *name,
           struct sr_ldap_entry *entry)
{
    struct sr_ldap_entry found[FOUND_MAX] = {0};
    enum sr_status status = SR_STATUS_UNAVAILABLE;
    size_t count = 0;
    int code = search_entry(session, name, found, &count);

    if (code == LDAP_SUCCESS)
        status = choose_entry(session, name, found, count, entry);
    else if (code == LDAP_NO_MEMORY)
        status = SR_STATUS_NO_MEMORY;
    else if (session->config->user_dn != NULL && sr_ldap_self_read_hides(code))
        status = SR_STATUS_UNKNOWN_NAME;
    for (size_t i = 0; i < FOUND_MAX; i++)
        sr_ldap_entry_clear(&found[i]);
    return status;
}

/* The policies of the entry that was read. */
static enum sr_status
read_policy(struct sr_ldap_session *session)
{
    struct sr_ldap_view *view = &session->known.view;

    memset(view, 0, sizeof(*view));
    view->account = &session->known.entry;
    switch (sr_ldap_policies_of(session, &session->policies, view)) {
    case LDAP_SUCCESS:
        return SR_STATUS_OK;
    case LDAP_NO_MEMORY:
        return SR_STATUS_NO_MEMORY;
    default:
        return SR_STATUS_UNAVAILABLE;
    }
}

/* The account of a name: its entry and its policies.  The entry is read once
 * more where only its server shows which of its attributes count. */
static enum sr_status
read_account(struct sr_ldap_session *session, const char *name)
{
    const struct sr_ldap_ds389_server *server = &session->policies.server;
    const bool has_names = sr_ldap_ds389_has_names(server);
    struct sr_ldap_entry *entry = &session->known.entry;
    enum sr_status status = read_entry(session, name, entry);

    if (status == SR_STATUS_OK)
        status = read_policy(session);
    if (status != SR_STATUS_OK || has_names || !sr_ldap_ds389_has_names(server))
        return status;
    sr_ldap_entry_clear(entry);
    status = read_entry(session, name, entry);
    return status == SR_STATUS_OK ? read_policy(session) : status;
}

/* When the account ends apart from limits on accounts that are not used. */
static sr_time
active_end(struct sr_ldap_session *session)
{
    struct sr_ldap_view active = session->known.view;
    struct sr_facts facts;

    sr_facts_init(&facts);
    active.is_active = true;
    sr_ldap_kind_facts(&active, &facts);
    return facts.account_ends;
}

/* Fill the cache from what was read. */
static enum sr_status
make_known(struct sr_ldap_session *session, const struct sr_backend *backend,
           const char *name, const struct sr_rules *rules)
{
    struct sr_ldap_cached *known = &session->known;

    if (!sr_ldap_describe(
            session, backend,
            sr_ldap_entry_spelling(&known->entry,
                                   session->config->name_attribute, name),
            rules, &known->view, &known->facts))
        return SR_STATUS_UNAVAILABLE;
    sr_ldap_kind_demands(&known->view, &known->demands);
    known->kind = sr_ldap_kind(&known->view);
    known->is_idle = known->facts.account_ends != active_end(session);
    known->fingerprint = sr_ldap_fingerprint(&known->entry);
    known->name = strdup(name);
    known->at = sr_deadline_now();
    return known->name == NULL || known->fingerprint == NULL
               ? SR_STATUS_NO_MEMORY
               : SR_STATUS_OK;
}

/* Whether an anonymous search finds the entry but no attributes of it.
 */
static bool
is_bare(const struct sr_ldap_session *session, enum sr_status ask)
{
    return ask == SR_STATUS_UNAVAILABLE && session->known.entry.dn != NULL &&
           sr_ldap_entry_first(&session->known.entry,
                               session->config->uid_attribute) == NULL;
}

static bool
is_hidden(const struct sr_ldap_session *session, enum sr_status ask)
{
    return ask == SR_STATUS_UNKNOWN_NAME && session->known.entry.dn == NULL;
}

/* What the response contains beyond the entry. */
static void
add_facts(const struct sr_ldap_session *session,
          const struct sr_ldap_response *answer, enum sr_ldap_kind kind,
          sr_time now, struct sr_facts *facts)
{
    if (session->config->type == SR_BACKEND_AD)
        sr_ldap_response_ad_facts(answer, now, facts);
    else
        sr_ldap_response_facts(answer, kind, can_help(session->config), now,
                               facts);
}

static enum sr_status
look_up(struct sr_ldap_session *session, const struct sr_backend *backend,
        const char *name, const struct sr_rules *rules)
{
    struct sr_ldap_cached *known = &session->known;
    bool is_same = known->name != NULL && strcmp(known->name, name) == 0;
    enum sr_status ask;

    /* What the owner read cannot be read by another identity. */
    if (is_same &&
        (known->is_owners || sr_deadline_now() - known->at < FRESH_MS))
        return SR_STATUS_OK;
    if (!is_same)
        session->has_response = false;
    sr_ldap_forget(session);
    ask = read_account(session, name);
    if (ask == SR_STATUS_OK)
        ask = make_known(session, backend, name, rules);
    if (session->config->user_dn != NULL &&
        (is_hidden(session, ask) || is_bare(session, ask)))
        ask = sr_ldap_self_read_close(session, backend, name);
    if (ask != SR_STATUS_OK) {
        sr_ldap_forget(session);
        return ask;
    }
    if (session->has_response)
        add_facts(session, &session->response, known->kind,
                  session->response_at, &known->facts);
    return SR_STATUS_OK;
}

static struct sr_account *
make_account(const struct sr_ldap_session *session,
             const struct sr_backend *backend)
{
    const struct sr_ldap_cached *known = &session->known;
    const char *full = sr_ldap_entry_first(&known->entry, "gecos");
    struct sr_account *account = calloc(1, sizeof(*account));

    if (account == NULL)
        return NULL;
    if (full == NULL)
        full = sr_ldap_entry_first(&known->entry, "cn");
    account->backend = *backend;
    account->facts = known->facts;
    account->demands = known->demands;
    account->is_insecure = session->is_insecure;
    account->is_closed = known->is_closed;
    account->is_idle = known->is_idle;
    account->gecos = strdup(full == NULL ? "" : full);
    account->secret = strdup(known->fingerprint);
    account->entry = strdup(known->entry.dn);
    if (account->gecos == NULL || account->secret == NULL ||
        account->entry == NULL) {
        sr_account_close(account);
        return NULL;
    }
    return account;
}

/* Exchange what is allocated. */
static void
swap_texts(struct sr_account *account, struct sr_account *other)
{
    char *const secret = account->secret, *const gecos = account->gecos;
    char *const entry = account->entry;

    account->secret = other->secret;
    account->gecos = other->gecos;
    account->entry = other->entry;
    other->secret = secret;
    other->gecos = gecos;
    other->entry = entry;
}

static enum sr_status
ldap_look_up(struct sr_call *call, const char *name,
             const struct sr_rules *rules, struct sr_account **account)
{
    struct sr_ldap_session *session;
    enum sr_status ask;

    *account = NULL;
    if (sr_ldap_is_absurd(name))
        return SR_STATUS_UNKNOWN_NAME;
    session = sr_ldap_begin(call->state, call);
    if (session == NULL)
        return SR_STATUS_NO_MEMORY;
    ask = look_up(session, call->backend, name, rules);
    if (ask == SR_STATUS_OK) {
        *account = make_account(session, call->backend);
        if (*account == NULL)
            ask = SR_STATUS_NO_MEMORY;
    }
    sr_ldap_end(session);
    return ask;
}

/* ---- verifying */

/* The owner could bind, so limits on idle accounts do not apply. */
static void
forget_idle(struct sr_ldap_session *session, struct sr_facts *facts)
{
    const sr_time end = active_end(session);

    session->known.view.is_active = true;
    session->known.is_idle = false;
    session->known.facts.account_ends = end;
    facts->account_ends = end;
}

/* Add what the response to a bind contains to the account, for this call and
 * the following ones. */
static void
learn(struct sr_ldap_session *session, struct sr_account *account,
      const struct sr_ldap_response *answer)
{
    bool is_known = session->known.name != NULL &&
                    strcmp(session->known.entry.dn, account->entry) == 0;
    enum sr_ldap_kind kind = is_known ? session->known.kind : SR_LDAP_PLAIN;
    sr_time now = time(NULL);

    if (is_known && answer->code == LDAP_SUCCESS)
        forget_idle(session, &account->facts);
    add_facts(session, answer, kind, now, &account->facts);
    if (!is_known)
        return;
    add_facts(session, answer, kind, now, &session->known.facts);
    session->response = *answer;
    session->response_at = now;
    session->has_response = true;
}

/* A DN without an entry, for a bind that takes as long as one of an account. */
static char *
decoy_dn(const struct sr_backend_config *config)
{
    static const char name[] = "selfreset-nobody";
    char *dn;

    if (config->user_dn != NULL)
        return sr_ldap_dn(config->user_dn, name);
    return asprintf(&dn, "cn=%s,%s", name, config->base) < 0 ? NULL : dn;
}

/* Read the entry and its policies on the connection that is bound as the owner;
 * what may not be read is left out. */
static enum sr_status
read_own(struct sr_ldap_session *session, const struct sr_backend *backend,
         const struct sr_account *account)
{
    static const struct sr_rules none; /* no domain is read by its users */
    struct sr_ldap_cached *known = &session->known;
    const char *name = account->facts.name;
    enum sr_status ask;

    sr_ldap_forget(session);
    sr_ldap_policies_clear(&session->policies); /* the owner may see more */
    session->by_owner = true;
    ask = read_account(session, name);
    session->by_owner = false;
    if (ask == SR_STATUS_OK &&
        !sr_ldap_self_read_matches(session, account->facts.uid, &known->entry))
        return SR_STATUS_UNAVAILABLE;
    if (ask == SR_STATUS_OK)
        return make_known(session, backend, name, &none);
    if (ask != SR_STATUS_UNKNOWN_NAME)
        return ask;
    /* The bind succeeded and no entry is found: the facts are those of the
     * response to the bind alone. */
    ask = sr_ldap_self_read_close(session, backend, name);
    known->facts.answered = SR_YES;
    return ask;
}

/*
 * The password of an account that could not be read before is right: read it
 * now, as its owner. False when that fails.
 */
static bool
reveal(struct sr_ldap_session *session, const struct sr_backend *backend,
       struct sr_account *account)
{
    struct sr_ldap_cached *known = &session->known;
    struct sr_account *own = NULL;
    enum sr_status ask = SR_STATUS_OK;

    if (session->bound == SR_LDAP_BOUND_USER) {
        ask = read_own(session, backend, account);
    } else { /* right, but the login is refused */
        if (known->name == NULL)
            ask =
                sr_ldap_self_read_close(session, backend, account->facts.name);
        known->facts.answered = SR_YES;
    }
    if (ask == SR_STATUS_OK && known->name != NULL) {
        known->is_closed = false;
        known->is_owners = true;
        own = make_account(session, backend);
    }
    if (own == NULL) {
        sr_ldap_forget(session);
        return false;
    }
    account->facts = own->facts;
    account->demands = own->demands;
    account->is_closed = false;
    swap_texts(account, own);
    sr_account_close(own);
    return true;
}

/*
 * What the answer "expired" proves: see
 * sr_ldap_response_is_expiry().  Entries look alike on many servers, but for
 * those of 389.
 */
static enum sr_verify_result
verify_by_expiry(struct sr_ldap_session *session)
{
    bool is_389 =
        session->known.name != NULL && session->known.kind == SR_LDAP_DS389;
    struct sr_ldap_entry root = {0};
    size_t count;
    int code;

    if (is_389 || session->is_kind_known)
        return SR_VERIFY_RIGHT;
    code = sr_ldap_search(session, "", LDAP_SCOPE_BASE, "(objectClass=*)",
                          sr_ldap_root_attributes, &root, 1, &count);
    session->is_kind_known =
        code == LDAP_SUCCESS && sr_ldap_server_kind(&root) != SR_SERVER_OTHER;
    sr_ldap_entry_clear(&root);
    if (session->is_kind_known)
        return SR_VERIFY_RIGHT;
    if (sr_ldap_response_is_away(code))
        return SR_VERIFY_UNAVAILABLE;
    sr_ldap_why(session,
                "the server says \"expired\", which proves no password: "
                "it does not show itself to be OpenLDAP or 389");
    return SR_VERIFY_WRONG;
}

static enum sr_verify_result
verify(struct sr_ldap_session *session, const struct sr_backend *backend,
       struct sr_account *account, const char *dn, const char *password)
{
    struct sr_ldap_response answer;
    enum sr_verify_result result;

    sr_ldap_as_user(session, dn, password, &answer);
    result = session->config->type == SR_BACKEND_AD
                 ? sr_ldap_response_ad(&answer)
                 : sr_ldap_response_verify(&answer);
    if (result == SR_VERIFY_UNAVAILABLE) {
        if (!sr_error_has_text(session->error))
            sr_ldap_why_response(session, &answer, "the bind failed: ");
        return result;
    }
    sr_ldap_answered(session);
    if (account == NULL)
        return SR_VERIFY_WRONG;
    sr_ldap_why(session, "%s", ""); /* of servers that were asked before */
    if (sr_ldap_response_is_expiry(&answer))
        result = verify_by_expiry(session);
    if (result == SR_VERIFY_RIGHT && account->is_closed &&
        !reveal(session, backend, account))
        return SR_VERIFY_UNAVAILABLE;
    if (result == SR_VERIFY_RIGHT || !sr_ldap_response_is_expiry(&answer))
        learn(session, account, &answer);
    return result;
}

static enum sr_verify_result
ldap_verify(struct sr_call *call, struct sr_account *account,
            const char *password, bool allow_empty)
{
    struct sr_ldap_session *session = sr_ldap_begin(call->state, call);
    enum sr_verify_result result = SR_VERIFY_UNAVAILABLE;
    char *dn;

    (void)allow_empty;
    if (session == NULL)
        return result;
    dn = account == NULL ? decoy_dn(session->config) : strdup(account->entry);
    /* A bind without a password is anonymous and succeeds, so it is never sent.
     * A password that is too long is wrong and is not truncated. */
    if (password[0] == '\0' || strlen(password) > SR_PASSWORD_BYTES_MAX)
        result = SR_VERIFY_WRONG;
    else if (dn != NULL)
        result = verify(session, call->backend, account, dn, password);
    free(dn);
    sr_ldap_end(session);
    return result;
}

/* ---- changing */

/*
 * Bind as the identity that may make the change: the owner; or the service,
 * where the server refuses the owner's binds or there is no old password.
 */
static enum sr_write
bind_for_change(struct sr_ldap_session *session,
                const struct sr_backend *backend, struct sr_account *account,
                const char *old, enum sr_refusal *refusal)
{
    const char *dn = account->entry;

    /* The server may have closed the connection while the user was typing. */
    if (sr_ldap_is_gone(session))
        sr_ldap_close(session, false);
    if (old != NULL && session->ld != NULL &&
        session->bound == SR_LDAP_BOUND_USER && session->known.name != NULL &&
        strcmp(session->known.entry.dn, dn) == 0)
        return SR_WRITE_DONE;
    if (old != NULL) {
        switch (verify(session, backend, account, dn, old)) {
        case SR_VERIFY_RIGHT:
            break;
        case SR_VERIFY_WRONG:
            *refusal = SR_REFUSAL_WRONG_OLD;
            return SR_WRITE_REFUSED;
        case SR_VERIFY_UNAVAILABLE:
            return SR_WRITE_FAILED;
        }
        if (session->bound == SR_LDAP_BOUND_USER)
            return SR_WRITE_DONE;
    }
    if (!can_help(session->config)) {
        *refusal = SR_REFUSAL_NO_RIGHT;
        return SR_WRITE_REFUSED;
    }
    return sr_ldap_as_service(session) == LDAP_SUCCESS ? SR_WRITE_DONE
                                                       : SR_WRITE_FAILED;
}

/* No server updates shadowLastChange by itself. */
static void
write_shadow_day(struct sr_ldap_session *session, const char *dn)
{
    struct sr_ldap_response answer;
    char day[24];

    snprintf(day, sizeof(day), "%lld", (long long)(time(NULL) / SR_DAY));
    sr_ldap_replace(session, dn, "shadowLastChange", day, &answer);
    if (answer.code == LDAP_INSUFFICIENT_ACCESS && can_help(session->config) &&
        sr_ldap_as_service(session) == LDAP_SUCCESS)
        sr_ldap_replace(session, dn, "shadowLastChange", day, &answer);
    if (answer.code != LDAP_SUCCESS)
        sr_ldap_why_response(session, &answer, "shadowLastChange: ");
}

/*
 * 389 treats a change that the service made as a reset, though it was proved
 * by the old password, and demands another change of the owner.  Setting the
 * same password once more as the owner meets that demand, unless the server
 * keeps a history; then the owner is informed. Where a history is known it
 * is not tried: the bind for it would use up a temporary password, as which
 * the server then treats this one.
 */
static void
change_as_owner(struct sr_ldap_session *session, const char *dn,
                const char *password)
{
    struct sr_ldap_response answer;
    struct sr_facts facts;

    sr_facts_init(&facts);
    sr_ldap_as_user(session, dn, password, &answer);
    sr_ldap_response_facts(&answer, SR_LDAP_DS389, true, time(NULL), &facts);
    if (session->bound == SR_LDAP_BOUND_USER && facts.must_change == SR_YES)
        sr_ldap_change(session, dn, password, password, &answer);
}

void
sr_ldap_password_changed(struct sr_ldap_session *session, sr_time now)
{
    struct sr_ldap_cached *known = &session->known;
    struct sr_facts *facts = &known->facts;
    char *changed;

    session->has_response = false;
    if (known->name == NULL)
        return;
    if (asprintf(&changed, "%s:changed", known->fingerprint) < 0) {
        sr_ldap_forget(session);
        return;
    }
    free(known->fingerprint);
    known->fingerprint = changed;
    facts->password_changed = now;
    facts->password_expires = SR_TIME_UNKNOWN;
    facts->warn_from = SR_TIME_UNKNOWN;
    facts->inactive_from = SR_TIME_UNKNOWN;
    facts->temporary_until = SR_TIME_UNKNOWN;
    facts->must_change = SR_NO;
    facts->grace_left = -1;
}

static enum sr_write
change(struct sr_ldap_session *session, const struct sr_backend *backend,
       struct sr_account *account, const char *old, const char *password,
       enum sr_refusal *refusal)
{
    struct sr_ldap_response answer;
    enum sr_write written =
        bind_for_change(session, backend, account, old, refusal);
    const char *dn = account->entry;

    if (written != SR_WRITE_DONE)
        return written;
    sr_ldap_change(session, dn, old, password, &answer);
    written = sr_ldap_response_write(&answer, refusal);
    if (written == SR_WRITE_DONE) {
        if (session->known.kind == SR_LDAP_SHADOW)
            write_shadow_day(session, dn);
        if (session->known.kind == SR_LDAP_DS389 && old != NULL &&
            session->known.demands.history == 0 &&
            session->bound == SR_LDAP_BOUND_SERVICE)
            change_as_owner(session, dn, password);
        sr_ldap_password_changed(session, time(NULL));
        sr_ldap_answered(session);
    } else {
        sr_ldap_why_response(session, &answer, "%s", "");
        /* Bound with it: it may not be compared, unless it was changed
         * meanwhile. */
        if (session->bound == SR_LDAP_BOUND_USER && answer.error < 0 &&
            *refusal == SR_REFUSAL_WRONG_OLD &&
            verify(session, backend, account, dn, old) != SR_VERIFY_WRONG)
            *refusal = SR_REFUSAL_NO_RIGHT;
    }
    return written;
}

/* Change it on the first server that takes changes. */
static enum sr_write
change_anywhere(struct sr_ldap_session *session,
                const struct sr_backend *backend, struct sr_account *account,
                const char *old, const char *password, enum sr_refusal *refusal)
{
    struct sr_error read_only = {.code = SR_ERROR_NONE};
    enum sr_write written;
    bool is_refused;

    do {
        written = change(session, backend, account, old, password, refusal);
        is_refused =
            written == SR_WRITE_REFUSED && *refusal == SR_REFUSAL_READ_ONLY;
        if (is_refused) {
            session->error->code = SR_ERROR_READ_ONLY;
            read_only = *session->error;
        }
    } while (is_refused && sr_ldap_leave_server(session));
    /* That the others are unreachable does not make this one accept changes. */
    if (written == SR_WRITE_FAILED && read_only.code != SR_ERROR_NONE) {
        *session->error = read_only;
        *refusal = SR_REFUSAL_READ_ONLY;
        written = SR_WRITE_REFUSED;
    }
    return written;
}

/* Whether the current server takes no changes, by one that changes nothing: no
 * entry has the value that it deletes. */
static bool
is_read_only(struct sr_ldap_session *session, const char *dn,
             struct sr_ldap_response *answer)
{
    sr_ldap_try_write(session, dn, "description", "cn=selfreset-check", answer);
    return sr_ldap_response_is_read_only(answer);
}

/*
 * Find a server that takes changes.  The first one is asked as whatever the
 * connection is bound as, since another bind can use up a grace login; the
 * others as the service.
 */
static enum sr_write
ldap_may_change(struct sr_call *call, struct sr_account *account,
                enum sr_refusal *refusal)
{
    struct sr_ldap_session *session = sr_ldap_begin(call->state, call);
    enum sr_write written = SR_WRITE_DONE;
    struct sr_ldap_response answer;

    if (session == NULL)
        return written;
    if (sr_ldap_is_gone(session))
        sr_ldap_close(session, false);
    while (
        (session->ld != NULL || sr_ldap_as_service(session) == LDAP_SUCCESS) &&
        is_read_only(session, account->entry, &answer)) {
        sr_ldap_why_response(session, &answer, "%s", "");
        session->error->code = SR_ERROR_READ_ONLY;
        *refusal = SR_REFUSAL_READ_ONLY;
        written = SR_WRITE_REFUSED;
        if (!sr_ldap_leave_server(session))
            break;
    }
    if (session->ld != NULL)
        written = SR_WRITE_DONE;
    sr_ldap_end(session);
    return written;
}

static enum sr_write
ldap_change(struct sr_call *call, struct sr_account *account, const char *old,
            const char *password, enum sr_refusal *refusal)
{
    struct sr_ldap_session *session = sr_ldap_begin(call->state, call);
    enum sr_write written;

    if (session == NULL)
        return SR_WRITE_FAILED;
    written = change_anywhere(session, call->backend, account, old, password,
                              refusal);
    sr_ldap_end(session);
    return written;
}

static void
ldap_end(void *state, bool is_copy)
{
    sr_ldap_session_free(state, is_copy);
}

static void
ldap_idle(void *state)
{
    sr_ldap_idle(state);
}

const struct sr_backend_ops sr_ldap_operations = {
    .type = "ldap",
    .accounts =
        {
            .look_up = ldap_look_up,
            .name_of = sr_ldap_name_of,
            .verify = ldap_verify,
            .may_change = ldap_may_change,
            .change = ldap_change,
            .end = ldap_end,
            .idle = ldap_idle,
        },
    .enumerate = sr_ldap_enumerate,
    .administer = sr_ldap_administer,
    .survey = sr_ldap_survey,
    .shared_ledger = sr_ldap_shared_ledger,
    .record = sr_ldap_record,
    .records = sr_ldap_records,
    .values = sr_ldap_values,
    .watch = &sr_ldap_watch,
};
