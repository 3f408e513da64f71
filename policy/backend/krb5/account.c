/*
 * Account: an account of the name service that has a principal.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/krb5/account.h"
#include "policy/backend/krb5/padata.h"
#include "policy/util/utf8.h"

#define ENTRY_MAX (1 << 20) /* no line of passwd(5) is longer */

/* ---- names */

/* Whether a name can be put into a principal: it must not become another part
 * of it. */
static bool
is_plain(const char *name)
{
    const char *at = name;
    uint32_t point;
    int more;

    if (name[0] == '\0' || strlen(name) > SR_NAME_MAX ||
        strpbrk(name, "/@\\:") != NULL)
        return false;
    while ((more = sr_utf8_next(&at, &point)) == 1) {
        if (sr_utf8_is_control(point) || point == ' ')
            return false;
    }
    return more == 0;
}

/* The text of a principal: user_principal with the name for %u. */
static char *
fill(const char *template, const char *name)
{
    const char *at = strstr(template, "%u");
    char *text;

    if (at == NULL || asprintf(&text, "%.*s%s%s", (int)(at - template),
                               template, name, at + 2) < 0)
        return NULL;
    return text;
}

krb5_principal
sr_krb5_account_principal(struct sr_krb5_session *session, const char *name)
{
    krb5_context context = session->context;
    krb5_principal principal = NULL;
    char *text = fill(session->config->user_principal, name);

    /* A realm that is not in the text is the default one, which is set. */
    if (text == NULL ||
        krb5_parse_name_flags(
            context, text,
            session->config->enterprise ? KRB5_PRINCIPAL_PARSE_ENTERPRISE : 0,
            &principal) != 0)
        principal = NULL;
    free(text);
    return principal;
}

/* ---- the name service */

struct entry {
    struct passwd passwd;
    char *buffer;
};

/* Returns 0, ENOENT or another errno. */
static int
read_passwd(const char *name, struct entry *entry)
{
    struct passwd *found = NULL;
    size_t size = 1024;
    int error;

    entry->buffer = NULL;
    do {
        char *grown;

        size *= 2;
        grown = realloc(entry->buffer, size);
        if (grown == NULL)
            return ENOMEM;
        entry->buffer = grown;
        error = getpwnam_r(name, &entry->passwd, entry->buffer, size, &found);
    } while (error == ERANGE && size < ENTRY_MAX);
    if (found != NULL)
        return 0;
    return error == 0 ? ENOENT : error;
}

static void
set_names(struct sr_krb5_session *session, const char *backend,
          const struct passwd *passwd)
{
    struct sr_facts *facts = &session->known.facts;

    sr_facts_init(facts);
    facts->uid = passwd->pw_uid;
    snprintf(facts->name, sizeof(facts->name), "%s", passwd->pw_name);
    snprintf(facts->backend, sizeof(facts->backend), "%s", backend);
}

static enum sr_status
describe(struct sr_krb5_session *session, const char *backend, const char *name,
         const struct passwd *passwd)
{
    struct sr_krb5_known *known = &session->known;

    known->client = sr_krb5_account_principal(session, passwd->pw_name);
    if (known->client == NULL)
        return SR_STATUS_UNKNOWN_NAME;
    if (krb5_unparse_name(session->context, known->client, &known->entry) != 0)
        return SR_STATUS_NO_MEMORY;
    set_names(session, backend, passwd);
    known->name = strdup(name);
    known->gecos = strdup(passwd->pw_gecos == NULL ? "" : passwd->pw_gecos);
    if (known->name == NULL || known->gecos == NULL ||
        asprintf(&known->secret, "krb5:%s", known->entry) < 0) {
        known->secret = NULL;
        return SR_STATUS_NO_MEMORY;
    }
    return SR_STATUS_OK;
}

enum sr_status
sr_krb5_account_find(struct sr_krb5_session *session, const char *backend,
                     const char *name)
{
    enum sr_status status = SR_STATUS_UNKNOWN_NAME;
    struct entry entry;
    int error;

    sr_krb5_session_forget(session);
    if (!is_plain(name))
        return status;
    error = read_passwd(name, &entry);
    if (error == 0 && entry.passwd.pw_uid >= session->config->min_uid &&
        entry.passwd.pw_uid != (uid_t)-1 && is_plain(entry.passwd.pw_name)) {
        status = describe(session, backend, name, &entry.passwd);
    } else if (error != 0 && error != ENOENT && error != ESRCH) {
        sr_error_set(session->error, SR_ERROR_OTHER, "the name service: %s",
                     strerror(error));
        status = SR_STATUS_UNAVAILABLE;
    }
    free(entry.buffer);
    if (status != SR_STATUS_OK)
        sr_krb5_session_forget(session);
    return status;
}

enum sr_status
sr_krb5_account_adopt(struct sr_krb5_session *session,
                      const struct sr_facts *facts, const char *principal)
{
    struct sr_krb5_known *known = &session->known;

    sr_krb5_session_forget(session);
    if (krb5_parse_name(session->context, principal, &known->client) == 0 &&
        krb5_unparse_name(session->context, known->client, &known->entry) == 0)
        known->name = strdup(facts->name);
    known->facts = *facts;
    known->is_asked = true;
    known->gecos = strdup("");
    if (known->name == NULL || known->gecos == NULL ||
        asprintf(&known->secret, "krb5:%s", known->entry) < 0) {
        known->secret = NULL;
        sr_krb5_session_forget(session);
        return SR_STATUS_NO_MEMORY;
    }
    return SR_STATUS_OK;
}

/* ---- facts */

/* Everything that is known of an account whose password a KDC takes. */
static void
in_order(struct sr_facts *facts)
{
    facts->answered = SR_YES;
    facts->disabled = SR_NO;
    facts->has_password = SR_YES;
    facts->locked = SR_LOCK_NO;
    facts->locked_why = SR_LOCK_WHY_NONE;
    facts->locked_until = SR_TIME_UNKNOWN;
    facts->account_ends = SR_TIME_UNKNOWN;
    facts->password_expires = SR_TIME_UNKNOWN;
    facts->must_change = SR_NO;
}

static void
lock(struct sr_facts *facts, enum sr_lock locked, enum sr_lock_why why)
{
    facts->locked = locked;
    facts->locked_why = why;
}

/* "Revoked": which of the states, where the KDC says it. */
static void
revoked(uint32_t status, sr_time now, struct sr_facts *facts)
{
    switch (status) {
    case SR_NTSTATUS_ACCOUNT_DISABLED:
        facts->disabled = SR_YES;
        break;
    case SR_NTSTATUS_ACCOUNT_EXPIRED:
        facts->account_ends = now;
        break;
    case SR_NTSTATUS_ACCOUNT_LOCKED_OUT:
        lock(facts, SR_LOCK_UNTIL, SR_LOCK_WHY_DIRECTORY);
        break;
    case SR_NTSTATUS_INVALID_LOGON_HOURS:
        facts->logon_hours = SR_NO;
        facts->hours_until = SR_TIME_NEVER;
        break;
    case SR_NTSTATUS_INVALID_WORKSTATION:
    case SR_NTSTATUS_ACCOUNT_RESTRICTION: /* a policy about where it may be */
    case SR_NTSTATUS_TYPE_NOT_GRANTED:    /* used, and these two as well */
    case SR_NTSTATUS_FIREWALL_FAILED:
        facts->workstation = SR_NO;
        break;
    default:
        lock(facts, SR_LOCK_ADMIN, SR_LOCK_WHY_ADMIN);
        break;
    }
}

void
sr_krb5_account_refused(enum sr_krb5_answer answer, uint32_t status,
                        sr_time now, struct sr_facts *facts)
{
    if (answer == SR_KRB5_CLIENT_ENDED)
        facts->account_ends = now;
    else
        revoked(status, now, facts);
}

void
sr_krb5_account_facts(const struct sr_krb5_initial *initial, sr_time now,
                      struct sr_facts *facts)
{
    in_order(facts);
    switch (initial->answer) {
    case SR_KRB5_TICKET:
        facts->password_expires =
            initial->expires > 0 ? initial->expires : SR_TIME_NEVER;
        break;
    case SR_KRB5_KEY_EXPIRED:
        /* Which of the two it is, the ticket for a change will tell. */
        if (initial->status == SR_NTSTATUS_PASSWORD_MUST_CHANGE)
            facts->must_change = SR_YES;
        else
            facts->password_expires = now;
        break;
    case SR_KRB5_CLIENT_ENDED:
    case SR_KRB5_CLIENT_REVOKED:
        sr_krb5_account_refused(initial->answer, initial->status, now, facts);
        break;
    default:
        break;
    }
}

/* ---- accounts for callers */

static char *
copy_of(const char *text, bool *is_complete)
{
    char *made = text == NULL ? NULL : strdup(text);

    *is_complete = *is_complete && (text == NULL || made != NULL);
    return made;
}

struct sr_account *
sr_krb5_account_make(const struct sr_krb5_session *session,
                     const struct sr_backend *backend)
{
    const struct sr_krb5_known *known = &session->known;
    struct sr_account *account = calloc(1, sizeof(*account));
    bool is_complete = account != NULL;

    if (account == NULL)
        return NULL;
    account->backend = *backend;
    account->facts = known->facts;
    account->is_closed = !known->is_asked;
    account->is_insecure = !session->config->verify;
    account->entry = copy_of(known->entry, &is_complete);
    account->gecos = copy_of(known->gecos, &is_complete);
    account->secret = copy_of(known->secret, &is_complete);
    if (is_complete)
        return account;
    sr_account_close(account);
    return NULL;
}

bool
sr_krb5_account_renew_secret(struct sr_krb5_known *known)
{
    char *renewed;

    if (asprintf(&renewed, "%s:changed", known->secret) < 0)
        return false;
    free(known->secret);
    known->secret = renewed;
    return true;
}
