/*
 * Verify: whether a password is right, by an initial ticket.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>
#include <time.h>

#include "policy/backend/krb5/account.h"
#include "policy/backend/krb5/ask.h"
#include "policy/backend/krb5/trust.h"
#include "policy/backend/krb5/verify.h"
#include "policy/util/deadline.h"

/* No principal has it, as no account may have it. */
#define NOBODY "selfreset-nobody"

/* How long a new password counts as verified: for the caller that verifies it
 * once more after the change. */
#define CHANGED_MS 30000

/* Take a ticket out of an answer. */
static void
keep(krb5_context context, krb5_creds *place, struct sr_krb5_initial *initial)
{
    krb5_free_cred_contents(context, place);
    *place = initial->creds;
    memset(&initial->creds, 0, sizeof(initial->creds));
}

/* Whether it is the account that the session knows. */
static bool
is_known(const struct sr_krb5_session *session,
         const struct sr_account *account)
{
    return session->known.entry != NULL &&
           strcmp(session->known.entry, account->entry) == 0;
}

/* Enter facts for the account and for the calls that follow. */
static void
learn(struct sr_krb5_session *session, struct sr_account *account,
      const struct sr_krb5_initial *initial)
{
    struct sr_krb5_known *known = &session->known;

    sr_krb5_account_facts(initial, time(NULL), &account->facts);
    account->is_closed = false;
    if (!is_known(session, account))
        return;
    known->facts = account->facts;
    known->is_asked = true;
    known->at = sr_deadline_now();
}

/* The principal of an account, which may be of an earlier transaction. */
static krb5_principal
client_of(struct sr_krb5_session *session, const struct sr_account *account)
{
    krb5_principal client = NULL;

    if (krb5_parse_name(session->context, account->entry, &client) != 0)
        return NULL;
    if (session->config->enterprise)
        client->type = KRB5_NT_ENTERPRISE_PRINCIPAL;
    return client;
}

/* ---- decoys */

/*
 * The work of a wrong password for nobody: a KDC says at once that there is no
 * such principal, so it is asked twice, and a key is derived here.  What it has
 * said of an account that turned out to be absent counts.
 */
static enum sr_verify_result
verify_nobody(struct sr_krb5_session *session, const char *password)
{
    krb5_context context = session->context;
    krb5_principal client = sr_krb5_account_principal(session, NOBODY);
    krb5_data text = {.length = (unsigned)strlen(password),
                      .data = (char *)(uintptr_t)password};
    krb5_data salt = {.length = sizeof(NOBODY) - 1,
                      .data = (char *)(uintptr_t)NOBODY};
    enum sr_verify_result result = SR_VERIFY_WRONG;
    krb5_keyblock key = {0};

    if (client == NULL)
        return SR_VERIFY_UNAVAILABLE;
    for (unsigned replies = session->absent_replies;
         replies < 2 && result == SR_VERIFY_WRONG;) {
        struct sr_krb5_initial initial;

        sr_krb5_ask(session, client, NULL, password, &initial);
        replies += initial.replies;
        if (initial.answer == SR_KRB5_SILENT || initial.replies == 0)
            result = SR_VERIFY_UNAVAILABLE;
        sr_krb5_initial_free(context, &initial);
    }
    session->absent_replies = 0;
    if (krb5_c_string_to_key(context, ENCTYPE_AES256_CTS_HMAC_SHA1_96, &text,
                             &salt, &key) == 0)
        krb5_free_keyblock_contents(context, &key);
    krb5_free_principal(context, client);
    if (result == SR_VERIFY_WRONG)
        sr_error_clear(session->error);
    return result;
}

/* ---- expired passwords */

enum sr_krb5_answer
sr_krb5_verify_for_change(struct sr_krb5_session *session,
                          const struct sr_account *account,
                          const char *password, int64_t *expires)
{
    krb5_principal client = client_of(session, account);
    struct sr_krb5_initial initial = {.answer = SR_KRB5_OTHER};
    enum sr_krb5_answer answer;

    if (client != NULL)
        sr_krb5_ask(session, client, SR_KRB5_CHANGEPW, password, &initial);
    answer = initial.answer;
    *expires = initial.expires;
    if (answer == SR_KRB5_TICKET) {
        keep(session->context, &session->changepw, &initial);
        sr_krb5_proof_set(&session->proved, password);
        sr_error_clear(session->error);
    }
    sr_krb5_initial_free(session->context, &initial);
    krb5_free_principal(session->context, client);
    return answer;
}

/* The ticket for a change has the time at which the password expired; or
 * another or none, when it must be changed for another reason. */
static void
learn_expiry(struct sr_krb5_session *session, struct sr_account *account,
             int64_t expires)
{
    struct sr_facts *facts = &account->facts;
    bool has_expired = expires > 0 && expires <= (int64_t)time(NULL);

    facts->must_change = has_expired ? SR_NO : SR_YES;
    facts->password_expires = has_expired ? expires : SR_TIME_UNKNOWN;
    if (is_known(session, account))
        session->known.facts = *facts;
}

/*
 * The KDC says that the password has expired, which it says to a wrong one as
 * well.  A ticket for a change proves it.  Nothing else would show that such a
 * ticket is from a KDC with a key of this host, so FAST has to.
 */
static enum sr_verify_result
verify_expired(struct sr_krb5_session *session, struct sr_account *account,
               const struct sr_krb5_initial *expired, const char *password)
{
    enum sr_krb5_answer answer;
    int64_t expires;

    if (session->config->verify && session->armour == NULL) {
        sr_error_set(session->error, SR_ERROR_IDENTITY,
                     "the password has expired, and only FAST could verify the "
                     "KDC that takes it for a change%s%s",
                     session->armour_error.text[0] == '\0' ? "" : ": ",
                     session->armour_error.text);
        return SR_VERIFY_UNAVAILABLE;
    }
    answer = sr_krb5_verify_for_change(session, account, password, &expires);
    switch (answer) {
    case SR_KRB5_TICKET:
        learn(session, account, expired);
        learn_expiry(session, account, expires);
        return SR_VERIFY_RIGHT;
    case SR_KRB5_SILENT:
    case SR_KRB5_SKEW:
    case SR_KRB5_OTHER:
        return SR_VERIFY_UNAVAILABLE;
    case SR_KRB5_CLIENT_ENDED:
    case SR_KRB5_CLIENT_REVOKED: /* this one says nothing of the password */
        session->answer = answer;
        return SR_VERIFY_WRONG;
    default:
        return SR_VERIFY_WRONG;
    }
}

/* ---- passwords */

/* A ticket-granting ticket: is it from a KDC that knows this host? */
static enum sr_verify_result
verify_ticket(struct sr_krb5_session *session, struct sr_account *account,
              struct sr_krb5_initial *initial)
{
    session->is_verified = false;
    if (session->config->verify) {
        if (sr_krb5_trust_verify(session, &initial->creds) != SR_KRB5_TRUSTED)
            return SR_VERIFY_UNAVAILABLE;
        session->is_verified = true;
    }
    learn(session, account, initial);
    keep(session->context, &session->tgt, initial);
    return SR_VERIFY_RIGHT;
}

static enum sr_verify_result
verify(struct sr_krb5_session *session, struct sr_account *account,
       const char *password, bool is_new)
{
    krb5_principal client = client_of(session, account);
    struct sr_krb5_initial initial = {.answer = SR_KRB5_OTHER};
    enum sr_verify_result result = SR_VERIFY_UNAVAILABLE;

    if (client != NULL)
        sr_krb5_ask(session, client, NULL, password, &initial);
    session->answer = initial.answer;
    session->status = initial.status;
    switch (initial.answer) {
    case SR_KRB5_TICKET:
        result = verify_ticket(session, account, &initial);
        break;
    case SR_KRB5_KEY_EXPIRED:
        if (!is_new)
            result = verify_expired(session, account, &initial, password);
        break;
    case SR_KRB5_NO_CLIENT:
        account->is_absent = !is_new && is_known(session, account);
        session->absent_replies = initial.replies;
        result = SR_VERIFY_WRONG;
        break;
    case SR_KRB5_WRONG:
    case SR_KRB5_CLIENT_ENDED:
    case SR_KRB5_CLIENT_REVOKED:
        result = SR_VERIFY_WRONG;
        break;
    case SR_KRB5_ASKS:
    case SR_KRB5_SKEW:
    case SR_KRB5_SILENT:
    case SR_KRB5_OTHER:
        break;
    }
    sr_krb5_initial_free(session->context, &initial);
    krb5_free_principal(session->context, client);
    return result;
}

enum sr_verify_result
sr_krb5_verify(struct sr_krb5_session *session, struct sr_account *account,
               const char *password)
{
    /* Neither is ever sent, nor cut. */
    if (password[0] == '\0' || strlen(password) > SR_PASSWORD_BYTES_MAX)
        return SR_VERIFY_WRONG;
    if (account == NULL)
        return verify_nobody(session, password);
    if (is_known(session, account) && session->tgt.client != NULL &&
        sr_krb5_proof_is(&session->changed, password, CHANGED_MS))
        return SR_VERIFY_RIGHT;
    return verify(session, account, password, false);
}

enum sr_verify_result
sr_krb5_verify_new(struct sr_krb5_session *session, struct sr_account *account,
                   const char *password)
{
    enum sr_verify_result result = verify(session, account, password, true);

    if (result == SR_VERIFY_RIGHT)
        sr_krb5_proof_set(&session->changed, password);
    return result;
}
