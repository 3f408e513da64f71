/*
 * AD backend: Active Directory, by Windows or Samba, as a module of its own.
 *
 * Two authorities: the directory provides the state of an account, and Kerberos
 * verifies and changes its password.  Both are the backends of those names;
 * this file combines them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ad/change.h"
#include "policy/backend/ad/rotate.h"
#include "policy/backend/ad/survey.h"
#include "policy/backend/ad/verify.h"
#include "policy/backend/krb5/krb5.h"
#include "policy/backend/ldap/ldap.h"

/*
 * This host's own trouble keeps it from reading the account: where a bind may
 * verify the password in place of Kerberos, the owner reads it.  Nothing is
 * known of it before, which is of use only if a password follows.
 */
static bool
reads_as_owner(const struct sr_ad_call *ad, const char *name)
{
    const struct sr_ldap_session *bind = ad->session->bind;
    const bool is_read = bind != NULL && bind->known.is_owners &&
                         strcmp(bind->known.name, name) == 0;

    return ad->call->error.code == SR_ERROR_IDENTITY &&
           ad->call->backend->config->auth == SR_AUTH_KRB5_LDAP &&
           (ad->call->expects_password || is_read);
}

/* A key that this host manages is not the current one: another program has
 * changed it. */
static void
note_foreign(struct sr_call *call)
{
    char *at = strstr(call->error.text, "(SR-5105)");

    if (call->backend->config->bind_secret == SR_BIND_SECRET_MANAGED &&
        at != NULL)
        memcpy(at, "(SR-5004)", strlen("(SR-5004)"));
}

static enum sr_status
look_up_as_owner(struct sr_ad_call *ad, const char *name,
                 const struct sr_rules *rules, struct sr_account **account)
{
    struct sr_call *part = sr_ad_bind(ad);
    enum sr_status status =
        sr_ldap_operations.accounts.look_up(part, name, rules, account);

    if (status == SR_STATUS_OK)
        sr_error_clear(&ad->call->error);
    return status == SR_STATUS_OK || status == SR_STATUS_UNKNOWN_NAME
               ? status
               : SR_STATUS_UNAVAILABLE;
}

static enum sr_status
ad_look_up(struct sr_call *call, const char *name, const struct sr_rules *rules,
           struct sr_account **account)
{
    enum sr_status status = SR_STATUS_UNAVAILABLE;
    struct sr_ad_call ad;

    *account = NULL;
    if (sr_ad_begin(call, &ad)) {
        struct sr_call *part;

        sr_ad_prefer(&ad, name);
        part = sr_ad_directory(&ad);
        status =
            sr_ldap_operations.accounts.look_up(part, name, rules, account);
        call->error = part->error;
        note_foreign(call);
        if (status == SR_STATUS_UNAVAILABLE && reads_as_owner(&ad, name))
            status = look_up_as_owner(&ad, name, rules, account);
    }
    if (*account != NULL)
        (*account)->backend = *call->backend;
    sr_ad_end(&ad, false);
    return status;
}

static enum sr_status
ad_name_of(struct sr_call *call, uid_t uid, const char *known_as,
           char name[SR_NAME_MAX + 1])
{
    enum sr_status status = SR_STATUS_UNAVAILABLE;
    struct sr_ad_call ad;

    if (sr_ad_begin(call, &ad)) {
        struct sr_call *part = sr_ad_directory(&ad);

        status = sr_ldap_operations.accounts.name_of(part, uid, known_as, name);
        call->error = part->error;
        note_foreign(call);
    }
    sr_ad_end(&ad, false);
    return status;
}

static enum sr_verify_result
ad_verify(struct sr_call *call, struct sr_account *account,
          const char *password, bool allow_empty)
{
    enum sr_verify_result result = SR_VERIFY_UNAVAILABLE;
    struct sr_ad_call ad;

    (void)allow_empty;
    if (sr_ad_begin(call, &ad))
        result = sr_ad_verify(&ad, account, password);
    sr_ad_end(&ad, result != SR_VERIFY_UNAVAILABLE);
    return result;
}

static enum sr_write
ad_change(struct sr_call *call, struct sr_account *account, const char *old,
          const char *password, enum sr_refusal *refusal)
{
    enum sr_write written = SR_WRITE_FAILED;
    struct sr_ad_call ad;

    if (sr_ad_begin(call, &ad))
        written = sr_ad_change(&ad, account, old, password, refusal);
    sr_ad_end(&ad, written == SR_WRITE_DONE || written == SR_WRITE_REFUSED);
    return written;
}

static void
ad_end(void *state, bool is_copy)
{
    sr_ad_session_free(state, is_copy);
}

static void
ad_idle(void *state)
{
    struct sr_ad_session *session = state;

    if (session->directory != NULL)
        sr_ldap_operations.accounts.idle(session->directory);
    if (session->bind != NULL)
        sr_ldap_operations.accounts.idle(session->bind);
}

/* ---- orders */

static enum sr_write
ad_administer(struct sr_call *call, struct sr_account *account,
              enum sr_order order, const char *password,
              enum sr_refusal *refusal)
{
    enum sr_write written = SR_WRITE_FAILED;
    struct sr_ad_call ad;

    if (sr_ad_begin(call, &ad)) {
        struct sr_call *part = sr_ad_directory(&ad);

        written = sr_ldap_operations.administer(part, account, order, password,
                                                refusal);
        call->error = part->error;
    }
    sr_ad_end(&ad, written != SR_WRITE_FAILED);
    return written;
}

static enum sr_write
ad_rotate(struct sr_call *call, bool is_trial)
{
    enum sr_write written = SR_WRITE_FAILED;
    struct sr_ad_call ad;

    if (sr_ad_begin(call, &ad))
        written = sr_ad_rotate(&ad, is_trial);
    note_foreign(call);
    sr_ad_end(&ad, true);
    return written;
}

/* ---- survey */

/* Look the test entry up, and verify its password. */
static void
try_test(struct sr_call *call, struct sr_survey *survey)
{
    const struct sr_rules rules = {.temporary_lifetime = SR_DAY};
    struct sr_account *account = NULL;
    enum sr_status status = ad_look_up(call, survey->test, &rules, &account);

    survey->test_result = status == SR_STATUS_OK             ? SR_TEST_FOUND
                          : status == SR_STATUS_UNKNOWN_NAME ? SR_TEST_UNKNOWN
                          : status == SR_STATUS_AMBIGUOUS    ? SR_TEST_TWICE
                                                             : SR_TEST_FAILED;
    snprintf(survey->test_why, sizeof(survey->test_why), "%s",
             call->error.text);
    if (status != SR_STATUS_OK)
        return;
    snprintf(survey->test_dn, sizeof(survey->test_dn), "%s", account->entry);
    if (survey->password != NULL) {
        survey->is_let_in =
            ad_verify(call, account, survey->password, false) == SR_VERIFY_RIGHT
                ? SR_YES
                : SR_NO;
        snprintf(survey->test_why, sizeof(survey->test_why), "%s",
                 call->error.text);
    }
    sr_account_close(account);
}

static enum sr_status
ad_survey(struct sr_call *call, struct sr_survey *survey)
{
    struct sr_ad_call ad;
    bool is_known;

    if (survey->test != NULL && !survey->is_brief)
        try_test(call, survey);
    is_known = sr_ad_begin(call, &ad);
    if (is_known)
        sr_ad_survey(&ad, survey);
    sr_ad_end(&ad, true);
    return is_known && survey->used[0] != '\0' ? SR_STATUS_OK
                                               : SR_STATUS_UNAVAILABLE;
}

/* ---- enumerate */

/* What the directory reports is reported on. */
struct passing {
    const struct sr_visitor *visitor;
    const struct sr_backend *backend;
};

static int
pass_account(void *context, struct sr_account *account,
             const struct sr_rules *rules, enum sr_status ask,
             const char *reason)
{
    const struct passing *passing = context;

    account->backend = *passing->backend;
    account->verifier = *passing->backend;
    return passing->visitor->account(passing->visitor->context, account, rules,
                                     ask, reason);
}

static void
pass_nameless(void *context, const char *name)
{
    const struct passing *passing = context;

    if (passing->visitor->nameless != NULL)
        passing->visitor->nameless(passing->visitor->context, name);
}

static enum sr_status
ad_enumerate(struct sr_call *call, const struct sr_visitor *visitor)
{
    struct passing passing = {visitor, call->backend};
    const struct sr_visitor passed = {.find_rules = visitor->find_rules,
                                      .groups = visitor->groups,
                                      .account = pass_account,
                                      .context = &passing,
                                      .nameless = pass_nameless};
    enum sr_status status = SR_STATUS_UNAVAILABLE;
    struct sr_ad_call ad;

    if (sr_ad_begin(call, &ad)) {
        struct sr_call *part = sr_ad_directory(&ad);

        status = sr_ldap_operations.enumerate(part, &passed);
        call->error = part->error;
    }
    sr_ad_end(&ad, true);
    return status;
}

/* ---- credentials: those of Kerberos */

static enum sr_status
ad_hand_over(struct sr_call *call, const struct sr_account *account,
             char **handle)
{
    enum sr_status status = SR_STATUS_UNAVAILABLE;
    struct sr_account of_kdc;
    struct sr_ad_call ad;

    if (handle != NULL)
        *handle = NULL;
    if (sr_ad_begin(call, &ad)) {
        struct sr_call *part = sr_ad_kdc(&ad);

        if (sr_ad_account_of_kdc(&ad, part, account, &of_kdc))
            status = sr_krb5_operations.credentials->hand_over(part, &of_kdc,
                                                               handle);
        call->error = part->error;
    }
    sr_ad_end(&ad, false);
    return status;
}

static void
ad_drop(struct sr_call *call, const struct sr_account *account,
        const char *handle)
{
    sr_krb5_operations.credentials->drop(call, account, handle);
}

static enum sr_status
ad_establish(struct sr_call *call, const struct sr_account *account,
             const struct sr_credential_want *want, char **name)
{
    enum sr_status status = SR_STATUS_UNAVAILABLE;
    struct sr_account of_kdc;
    struct sr_ad_call ad;

    *name = NULL;
    if (sr_ad_begin(call, &ad)) {
        struct sr_call *part = sr_ad_kdc(&ad);

        if (sr_ad_account_of_kdc(&ad, part, account, &of_kdc))
            status = sr_krb5_operations.credentials->establish(part, &of_kdc,
                                                               want, name);
        call->error = part->error;
    }
    sr_ad_end(&ad, false);
    return status;
}

static enum sr_status
ad_destroy(struct sr_call *call, const struct sr_account *account, gid_t gid,
           const char *name)
{
    enum sr_status status = SR_STATUS_UNAVAILABLE;
    struct sr_ad_call ad;

    if (sr_ad_begin(call, &ad)) {
        struct sr_call *part = sr_ad_kdc(&ad);

        status =
            sr_krb5_operations.credentials->destroy(part, account, gid, name);
        call->error = part->error;
    }
    sr_ad_end(&ad, false);
    return status;
}

/* An account that only its owner may read has no such texts for this host. */
static enum sr_status
ad_values(struct sr_call *call, const struct sr_account *account,
          const struct sr_string_list *attributes, size_t most,
          struct sr_string_list *values)
{
    enum sr_status status = SR_STATUS_UNAVAILABLE;
    struct sr_ad_call ad;

    if (sr_ad_begin(call, &ad)) {
        struct sr_call *part = sr_ad_directory(&ad);

        status =
            sr_ldap_operations.values(part, account, attributes, most, values);
        call->error = part->error;
    }
    sr_ad_end(&ad, false);
    return status;
}

static const struct sr_credential_ops credentials = {
    .hand_over = ad_hand_over,
    .drop = ad_drop,
    .establish = ad_establish,
    .destroy = ad_destroy,
};

static const struct sr_backend_ops operations = {
    .type = "ad",
    .accounts =
        {
            .look_up = ad_look_up,
            .name_of = ad_name_of,
            .verify = ad_verify,
            .change = ad_change,
            .end = ad_end,
            .idle = ad_idle,
        },
    .enumerate = ad_enumerate,
    .administer = ad_administer,
    .rotate = ad_rotate,
    .survey = ad_survey,
    .values = ad_values,
    .credentials = &credentials,
};

extern const struct sr_backend_module selfreset_backend;

__attribute__((visibility("default")))
const struct sr_backend_module selfreset_backend = {SR_BACKEND_VERSION,
                                                    &operations};
