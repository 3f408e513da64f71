/*
 * Kerberos backend: accounts whose password a KDC knows.
 *
 * The name service says who exists; a KDC verifies the password, and tells the
 * state of the account as far as it does.  Before a password is verified
 * nothing is asked: the answer to it tells the state as well.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>
#include <time.h>

#include "policy/backend/krb5/account.h"
#include "policy/backend/krb5/ask.h"
#include "policy/backend/krb5/ccache.h"
#include "policy/backend/krb5/change.h"
#include "policy/backend/krb5/krb5.h"
#include "policy/backend/krb5/survey.h"
#include "policy/backend/krb5/verify.h"
#include "policy/util/deadline.h"

/* How long an answer is as good as new. */
#define FRESH_MS 30000

/* ---- looking up */

/* Ask for the state without a password. */
static enum sr_status
probe(struct sr_krb5_session *session)
{
    struct sr_krb5_known *known = &session->known;
    struct sr_krb5_initial initial;
    enum sr_status status = SR_STATUS_OK;
    bool tells = true;

    sr_krb5_ask(session, known->client, NULL, NULL, &initial);
    sr_krb5_account_facts(&initial, time(NULL), &known->facts);
    switch (initial.answer) {
    case SR_KRB5_ASKS:
        tells = session->config->unknown == SR_UNKNOWN_ALLOW;
        break;
    case SR_KRB5_NO_CLIENT:
        status = SR_STATUS_UNKNOWN_NAME;
        break;
    case SR_KRB5_SILENT:
    case SR_KRB5_SKEW:
    case SR_KRB5_OTHER:
        status = SR_STATUS_UNAVAILABLE;
        break;
    default:
        break;
    }
    if (!tells)
        known->facts.answered = SR_UNKNOWN;
    known->is_asked = status == SR_STATUS_OK;
    known->at = sr_deadline_now();
    sr_krb5_initial_free(session->context, &initial);
    return status;
}

static enum sr_status
look_up(struct sr_krb5_session *session, const struct sr_call *call,
        const char *name)
{
    struct sr_krb5_known *known = &session->known;
    bool is_same = known->name != NULL && strcmp(known->name, name) == 0;
    enum sr_status status = SR_STATUS_OK;

    if (is_same && known->is_asked &&
        (call->expects_password || sr_deadline_now() - known->at < FRESH_MS))
        return status;
    if (!is_same)
        status = sr_krb5_account_find(session, call->backend->name, name);
    if (status == SR_STATUS_OK && !call->expects_password)
        status = probe(session);
    if (status != SR_STATUS_OK)
        sr_krb5_session_forget(session);
    return status;
}

static enum sr_status
krb5_look_up(struct sr_call *call, const char *name,
             const struct sr_rules *rules, struct sr_account **account)
{
    struct sr_krb5_session *session = sr_krb5_session_begin(call);
    enum sr_status status;

    (void)rules;
    *account = NULL;
    if (session == NULL)
        return SR_STATUS_UNAVAILABLE;
    status = look_up(session, call, name);
    if (status == SR_STATUS_OK) {
        *account = sr_krb5_account_make(session, call->backend);
        if (*account == NULL)
            status = SR_STATUS_NO_MEMORY;
    }
    return status;
}

/* ---- the other operations */

static enum sr_verify_result
krb5_verify(struct sr_call *call, struct sr_account *account,
            const char *password, bool allow_empty)
{
    struct sr_krb5_session *session = sr_krb5_session_begin(call);

    (void)allow_empty;
    return session == NULL ? SR_VERIFY_UNAVAILABLE
                           : sr_krb5_verify(session, account, password);
}

static enum sr_write
krb5_change(struct sr_call *call, struct sr_account *account, const char *old,
            const char *password, enum sr_refusal *refusal)
{
    struct sr_krb5_session *session = sr_krb5_session_begin(call);

    return session == NULL
               ? SR_WRITE_FAILED
               : sr_krb5_change(session, account, old, password, refusal);
}

/* ---- orders */

static enum sr_write
krb5_administer(struct sr_call *call, struct sr_account *account,
                enum sr_order order, const char *password,
                enum sr_refusal *refusal)
{
    struct sr_krb5_session *session = sr_krb5_session_begin(call);

    if (session == NULL)
        return SR_WRITE_FAILED;
    if (order == SR_ORDER_ADMIT)
        return sr_krb5_admit(session, refusal);
    if (order == SR_ORDER_GIVE_PASSWORD)
        return sr_krb5_reset(session, account, password, refusal);
    *refusal = SR_REFUSAL_OTHER;
    sr_error_set(session->error, SR_ERROR_OTHER,
                 "Only a password can be set in a KDC from here.");
    return SR_WRITE_REFUSED;
}

/* ---- credentials */

static enum sr_status
krb5_hand_over(struct sr_call *call, const struct sr_account *account,
               char **handle)
{
    struct sr_krb5_session *session = sr_krb5_session_begin(call);

    if (handle != NULL)
        *handle = NULL;
    return session == NULL ? SR_STATUS_UNAVAILABLE
                           : sr_krb5_ccache_hand_over(session, account, handle);
}

static void
krb5_drop(struct sr_call *call, const struct sr_account *account,
          const char *handle)
{
    (void)call;
    sr_krb5_ccache_drop(account, handle);
}

static enum sr_status
krb5_establish(struct sr_call *call, const struct sr_account *account,
               const struct sr_credential_want *want, char **name)
{
    struct sr_krb5_session *session = sr_krb5_session_begin(call);

    *name = NULL;
    return session == NULL
               ? SR_STATUS_UNAVAILABLE
               : sr_krb5_ccache_establish(session, account, want, name);
}

static enum sr_status
krb5_destroy(struct sr_call *call, const struct sr_account *account, gid_t gid,
             const char *name)
{
    struct sr_krb5_session *session = sr_krb5_session_begin(call);

    return session == NULL
               ? SR_STATUS_UNAVAILABLE
               : sr_krb5_ccache_destroy(session, account, gid, name);
}

static const struct sr_credential_ops credentials = {
    .hand_over = krb5_hand_over,
    .drop = krb5_drop,
    .establish = krb5_establish,
    .destroy = krb5_destroy,
};

static void
krb5_end(void *state, bool is_copy)
{
    (void)is_copy; /* no connection is kept, so nothing would be sent */
    sr_krb5_session_free(state);
}

static enum sr_status
krb5_survey(struct sr_call *call, struct sr_survey *survey)
{
    struct sr_krb5_session *session = sr_krb5_session_begin(call);

    if (session == NULL)
        return SR_STATUS_UNAVAILABLE;
    sr_krb5_survey(session, call->backend->name, survey);
    return survey->used[0] == '\0' ? SR_STATUS_UNAVAILABLE : SR_STATUS_OK;
}

const struct sr_backend_ops sr_krb5_operations = {
    .type = "krb5",
    .accounts =
        {
            .look_up = krb5_look_up,
            .verify = krb5_verify,
            .change = krb5_change,
            .end = krb5_end,
        },
    .administer = krb5_administer,
    .only_gives_passwords = true,
    .survey = krb5_survey,
    .credentials = &credentials,
};
